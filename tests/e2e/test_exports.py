"""The sessions that come with the project can be read for good."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from am_dbg.importing import import_session
from am_dbg.store import Store

EXPORTS = Path(__file__).resolve().parents[2] / "exports"
SESSIONS = sorted(path.name for path in EXPORTS.iterdir() if path.name != "README.md")
WITH_GAPS = {("special-cases.msgpack.br", "schema"), ("special-cases.msgpack.br", "gap")}


@pytest.fixture(params=SESSIONS)
def opened(request: pytest.FixtureRequest) -> Store:
    """A session of exports/, read as the debugger reads it."""
    store = Store()
    import_session(store, str(EXPORTS / request.param))
    return store


def test_every_session_is_described() -> None:
    """A file in exports/ has its line in the README there."""
    text = (EXPORTS / "README.md").read_text(encoding="utf-8")

    assert SESSIONS
    assert [name for name in SESSIONS if f"| `{name}` |" not in text] == []


@pytest.mark.parametrize("name", SESSIONS)
def test_every_session_opens_whole(name: str) -> None:
    """A recorded session has transitions and no gap but those it is about."""
    store = Store()
    import_session(store, str(EXPORTS / name))

    assert store.transitions > 0
    assert {(name, track.key) for track in store.tracks if track.gaps} <= WITH_GAPS


def test_no_session_tells_where_it_was_made(opened: Store) -> None:
    """Traces in a recorded session name files as seen from the project's folder."""
    absolute = re.compile(r'File "/')
    told = [
        (track.id, number)
        for track in opened.tracks
        for number in range(1, track.count + 1)
        for _, line in track.transition(number).lines
        if absolute.search(line)
    ]

    assert told == []


def test_the_pool_was_recorded_with_all_its_workers() -> None:
    """The session of the demo holds the supervisor and twenty workers under it."""
    store = Store()
    import_session(store, str(EXPORTS / "worker-pool.msgpack.br"))

    assert len(store.tracks) == 21
    assert {track.parent for track in store.tracks} == {"", "pool"}
    assert store.transitions > 2_500
