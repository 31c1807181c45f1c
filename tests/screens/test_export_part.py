"""The export of the screen: one machine or a range of it, by its address."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from am_dbg.drawing.layout import Pane
from am_dbg.ingest.importing import import_session
from am_dbg.store import Store
from tests.screens.test_screen import running, screen_text, text_of

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is exported lies in a folder of its own."""
    monkeypatch.chdir(tmp_path)


async def shown_after(store: Store, name: str, *keys: str) -> str:
    """What the screen says after an export under this name."""
    async with running(store) as (app, pilot):
        await pilot.press("x")
        app.screen.query_one("#line").value = name  # type: ignore[attr-defined]
        for key in ("enter", *keys):
            await pilot.press(key)
        await app.workers.wait_for_complete()
        await pilot.pause()
        return screen_text(app)


def put(name: str) -> None:
    Path(name).write_bytes(b"mine")


def content(name: str) -> bytes:
    return Path(name).read_bytes()


def opened(name: str) -> Store:
    store = Store()
    import_session(store, name)
    return store


@pytest.mark.parametrize(
    ("address", "name", "first", "last"),
    [
        ("mach://worker", "worker.msgpack.br", 1, 14),
        ("mach://worker/3-7", "worker-3-7.msgpack.br", 3, 7),
        ("mach://worker/12", "worker-12.msgpack.br", 12, 12),
    ],
)
async def test_an_address_exports_a_part(
    store: Store, address: str, name: str, first: int, last: int
) -> None:
    """One machine, a range or a single transition makes a session that opens alone."""
    shown = await shown_after(store, address)
    (track,) = opened(name).tracks

    assert f"{last - first + 1} transitions" in shown
    assert os.listdir() == [name]
    assert (track.id, track.count) == ("worker", last - first + 1)
    assert track.clock_at(track.count) == store.tracks[0].clock_at(last)


async def test_an_export_of_a_part_replaces_a_file_only_after_a_confirmation(store: Store) -> None:
    """The name that follows from the address may be taken as well."""
    put("worker.msgpack.br")

    assert "again replaces it" in await shown_after(store, "mach://worker")
    assert content("worker.msgpack.br") == b"mine"
    await shown_after(store, "mach://worker", "enter")
    assert opened("worker.msgpack.br").transitions == 14


async def test_an_address_of_nothing_stays_open(store: Store) -> None:
    """The dialog shows what is wrong, and a suggestion."""
    shown = await shown_after(store, "mach://wroker")

    assert "no machine 'wroker'" in shown
    assert "did you mean worker" in shown
    assert os.listdir() == []


@pytest.mark.parametrize("numbers", ["7-3", "99-", "15-20"])
async def test_a_range_of_nothing_stays_open(store: Store, numbers: str) -> None:
    """The dialog names the range and what there is; the file of that name stays."""
    put(f"worker-{numbers}.msgpack.br")
    shown = await shown_after(store, f"mach://worker/{numbers}", "enter")

    assert f"no transition in the range {numbers}: machine 'worker' has 1 to 14" in shown
    assert content(f"worker-{numbers}.msgpack.br") == b"mine"


async def test_an_export_that_fails_leaves_everything_as_it_was(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The footer shows that the disk is full; the old file and the screen go on."""
    put("run.msgpack.br")

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    async with running(store) as (app, pilot):
        await pilot.press("x")
        app.screen.query_one("#line").value = "run.msgpack.br"  # type: ignore[attr-defined]
        await pilot.press("enter")
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full)
            await pilot.press("enter")
            await app.workers.wait_for_complete()
            await pilot.pause()
        assert "no space left on device" in text_of(app, Pane.FOOTER)
        await pilot.press("right")
        assert "tx 13/14" in text_of(app, Pane.TRANSITION)

    assert os.listdir() == ["run.msgpack.br"]
    assert content("run.msgpack.br") == b"mine"
