"""The environment is read once: all machines of a process have one destination."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import amtracer
import machine as am
from am_dbg.ingest.importing import import_session
from am_dbg.store import Store


@pytest.fixture(autouse=True)
def _ended() -> object:
    amtracer.close()
    yield
    amtracer.close()


def attached(id: str) -> am.Machine:
    mach = am.Machine(None, {"A": am.State(multi=True)}, id=id)
    amtracer.attach(mach)
    mach.add1("A")
    return mach


def machines(path: Path) -> list[str]:
    amtracer.close()
    store = Store()
    import_session(store, str(path))
    return [track.key for track in store.tracks]


def test_a_change_of_folder_does_not_move_the_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A relative path is resolved at the first attach."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setenv("AM_DBG_FILE", "run.msgpack.br")
    monkeypatch.chdir(tmp_path)
    attached("one")
    monkeypatch.chdir(tmp_path / "elsewhere")
    attached("two")

    assert machines(tmp_path / "run.msgpack.br") == ["one", "two"]
    assert os.listdir(tmp_path / "elsewhere") == []


@pytest.mark.parametrize("later", ["other.msgpack.br", ""])
def test_a_change_of_the_variable_does_not_move_the_recording(
    later: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same holds if the variable is removed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AM_DBG_FILE", str(tmp_path / "run.msgpack.br"))
    attached("one")
    monkeypatch.setenv("AM_DBG_FILE", later)
    attached("two")

    assert machines(tmp_path / "run.msgpack.br") == ["one", "two"]
    assert os.listdir(tmp_path) == ["run.msgpack.br"]


def test_a_change_of_a_link_does_not_move_the_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Links are resolved at the first attach."""
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    link = tmp_path / "current"
    link.symlink_to(tmp_path / "first")
    monkeypatch.setenv("AM_DBG_FILE", str(link / "run.msgpack.br"))
    attached("one")
    link.unlink()
    link.symlink_to(tmp_path / "second")
    attached("two")

    assert machines(tmp_path / "first" / "run.msgpack.br") == ["one", "two"]
    assert os.listdir(tmp_path / "second") == []


def test_two_names_of_one_file_are_one_recording(tmp_path: Path) -> None:
    """A link to a file, and a link in its path, lead to the same file."""
    (tmp_path / "link").symlink_to(tmp_path)
    path = tmp_path / "run.msgpack.br"
    for name, where in (("one", path), ("two", tmp_path / "link" / "run.msgpack.br")):
        mach = am.Machine(None, {"A": am.State()}, id=name)
        amtracer.record(mach, where)
        mach.add1("A")

    assert machines(path) == ["one", "two"]


def test_a_variable_set_later_counts_if_none_was_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An attach without a destination fixes nothing, and `close` forgets a fixed one."""
    attached("silent")
    for name in ("first", "second"):
        monkeypatch.setenv("AM_DBG_FILE", str(tmp_path / name))
        attached(name)
        assert machines(tmp_path / name) == [name]
