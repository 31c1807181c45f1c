"""While the screen works, data waits; it is taken in between, and never for long."""

from __future__ import annotations

import socket
from pathlib import Path
from threading import Thread

import pytest

from am_dbg.egress.export import export_session
from am_dbg.ingest import precedence
from am_dbg.ingest.importing import import_session
from am_dbg.ingest.precedence import Precedence, ScreenSelector
from am_dbg.store import Store
from benchmarks.debugger_sessions import Program, frames, planned, taken_in


def test_data_does_not_wait_for_an_idle_screen() -> None:
    """Without work of the screen, the thread that takes in data goes on at once."""
    given = Precedence()

    given.give_way()
    given.begin()
    given.end()
    given.give_way()


def test_data_waits_until_the_screen_is_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key is handled before the next slice of data."""
    monkeypatch.setattr(precedence, "WAIT_S_MAX", 60.0)
    given, done = Precedence(), []
    given.begin()
    thread = Thread(target=lambda: (given.give_way(), done.append("data")))
    thread.start()

    done.append("screen")
    given.end()
    thread.join()

    assert done == ["screen", "data"]


def test_data_goes_on_when_the_screen_works_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work that takes too long delays data by a bounded time, and each later slice by less."""
    monkeypatch.setattr(precedence, "WAIT_S_MAX", 0.0)
    monkeypatch.setattr(precedence, "WAIT_AGAIN_S", 0.0)
    given = Precedence()
    given.begin()

    given.give_way()
    given.give_way()


def test_the_screen_is_idle_while_its_loop_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """It works from an event on until it waits for the next one; a mere look changes nothing."""
    monkeypatch.setattr(precedence, "WAIT_S_MAX", 60.0)
    given, waits = Precedence(), []
    monkeypatch.setattr(given, "begin", lambda: waits.append("works"))
    monkeypatch.setattr(given, "end", lambda: waits.append("idle"))
    selector = ScreenSelector(given)
    near, far = socket.socketpair()
    with near, far:
        selector.register(near, 1)
        far.send(b"key")

        assert selector.select(0)
        assert not waits
        assert selector.select(None)
        assert waits == ["idle", "works"]

    selector.close()
    assert waits[-1] == "idle"


def test_an_import_holds_no_lock_where_it_gives_way(tmp_path: Path) -> None:
    """So the screen can read the store between two machines of a large session."""
    path = tmp_path / "session.msgpack.br"
    export_session(taken_in(frames(planned(Program.REPEATING, 420, 10))), path)
    store = Store()
    counts: list[int] = []

    def look() -> None:
        thread = Thread(target=lambda: counts.append(len(store.changed_since(0)[0])))
        thread.start()
        thread.join(60)

    import_session(store, str(path), give_way=look)

    assert len(counts) > 2 * len(store.tracks)
    assert counts == sorted(counts)
    assert counts[-1] == len(store.tracks)


def test_an_import_reports_progress_while_machines_are_filled(tmp_path: Path) -> None:
    """The list of machines grows meanwhile, and not at once at the end."""
    path = tmp_path / "session.msgpack.br"
    export_session(taken_in(frames(planned(Program.REPEATING, 420, 10))), path)
    store = Store()
    seen: set[int] = set()

    import_session(store, str(path), lambda *_: seen.add(store.transitions))

    assert len(seen) >= len(store.tracks)
