"""One thread feeds, others read without a lock: nothing they see is torn."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator

import pytest

from am_dbg.query import Filters, Hits, Visible, errors, touching
from am_dbg.store import Store, Track
from am_dbg.store.spilling.spill import Spill
from tests.dbg.histories import SMALL_CHUNKS, HistoryPlayer

pytestmark = pytest.mark.slow

ROWS = 6_000


@pytest.fixture(autouse=True)
def switching() -> Iterator[None]:
    """Threads take turns far more often than usual."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


def reported() -> HistoryPlayer:
    """A long history with all that a transition may carry."""
    player = HistoryPlayer(batch_rows=5, segment_rows=300)
    machine = player.enter(0)
    for at in range(ROWS):
        player.transit(machine, (at % 8, at % 9, at % 8, at % 9, 4))
        if at % 500 == 499:
            player.drop(machine, (1, 2))
    player.writer.flush()
    return player


def look(track: Track, sets: dict[str, Visible | Hits]) -> None:
    """Ask all that a screen asks, and check that the answers agree with each other."""
    count = track.count
    for number in {track.first, count, max(track.first, count - 3)}:
        if not track.first <= number <= count:
            continue
        clock = track.clock_at(number)
        facts = track.facts_at(number)
        transition = track.transition(number)
        assert sum(clock) - sum(track.clock_before(number)) == facts.growth
        assert transition.number == number
        assert track.number_of(transition.id) == number
    for numbers in sets.values():
        last = numbers.last()
        assert last == 0 or last in numbers
        assert numbers.position_of(last) <= numbers.count
        numbers.previous(count)
        numbers.next(count // 2)


@pytest.mark.parametrize(("trimmed", "moved"), [(False, False), (True, False), (False, True)])
def test_readers_never_see_half_of_anything(trimmed: bool, moved: bool) -> None:
    """Clocks, filters, searches and ids asked while data arrives agree with each other.

    While old ones are trimmed an answer may be missing, but nothing else goes wrong. While they
    are moved to the disk nothing is missing.
    """
    player, trouble = reported(), list[Exception]()
    store = Store(int(moved), chunk_limits=SMALL_CHUNKS)
    if moved:
        Spill(store, 10**9)
    stream = store.open_stream("reported", live=True)
    for message in player.messages[:3]:
        store.feed(stream, message)
    (track,) = store.tracks
    done = threading.Event()

    def read() -> None:
        shown = Visible(track, Filters(text="start"))
        sets: dict[str, Visible | Hits] = {"all": Visible(track, Filters(empty=True))}
        sets.update(shown=shown, hits=Hits(sets["all"], "boom"))  # type: ignore[arg-type]
        try:
            while not done.is_set():
                look(track, sets)
                errors(shown).previous(track.count)
                touching(shown, "Ready").next(1)
        except (AssertionError, IndexError, KeyError, ValueError, TypeError) as error:
            if not (trimmed and isinstance(error, AssertionError | IndexError)):
                trouble.append(error)  # what was trimmed meanwhile may be missing

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for at, message in enumerate(player.messages[3:]):
        store.feed(stream, message)
        if trimmed and at % 400 == 399:
            store.trim(store.size() // 2)
    done.set()
    for thread in threads:
        thread.join(30)

    assert trouble == []
    assert track.count == ROWS
    assert not moved or all(chunk.is_loaded for chunk in track.chunks[:-1])
