"""Fine log lines of old history are dropped first when memory has to be freed."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from am_dbg.cli import commands as cli
from am_dbg.cli.exit_codes import Exit
from am_dbg.options import RunOptions
from am_dbg.store import Store, Track
from am_dbg.store.eviction import free_memory
from am_dbg.store.spilling import spill as spilling
from am_dbg.store.spilling.spill import Spill
from amtracer.wire.messages import (
    DroppedMessage,
    LinesMessage,
    SegmentMessage,
    ShapeMessage,
    StringsMessage,
)
from tests.dbg.histories import START_NS
from tests.dbg.test_store_weights import AGAIN, opening, rows

HOUR_NS = 3_600 * 10**9
TEXTS = ("coarse", "fine", "both", "argument", "key " + "x" * 50_000)
LINES = (((1, 0), (2, 1), (1, 2), (3, 2), (2, 3)), ((2, 4),))


def stored(*, live: bool = True, age_ns: int = 2 * HOUR_NS) -> Store:
    """A store with one transition of a segment that ended so long ago, and a newer one."""
    store = Store(clock=lambda: START_NS + age_ns)
    stream = store.open_stream("m", live=live)
    for message in (
        *opening(),
        StringsMessage(0, TEXTS),
        LinesMessage(0, LINES),
        ShapeMessage(0, 0, AGAIN),
        rows(0, lines={0: 1}, args={0: ((0, 3),)}, pre_lines={0: 1}),
        SegmentMessage(),
        ShapeMessage(0, 0, AGAIN),
        rows(1),
    ):
        store.feed(stream, message)
    store.lines_ttl_ns = HOUR_NS
    return store


def freed(store: Store) -> Track:
    """The track after a little memory was freed."""
    free_memory(store, store.size() - 1)
    (track,) = store.tracks
    return track


def test_old_fine_lines_are_dropped_before_history() -> None:
    """Lines of level 1 and arguments stay, also if they have the text of a dropped line."""
    track = freed(stored())
    first = track.transition(1)

    assert track.first == 1
    assert first.lines == first.pre_lines == ((1, "coarse"), (1, "both"))
    assert first.args == (("coarse", "argument"),)


@pytest.mark.parametrize("kept", [{"live": False}, {"age_ns": HOUR_NS // 2}])
def test_lines_of_recordings_and_of_new_history_are_not_dropped_alone(kept: dict[str, int]) -> None:
    """They go with their transitions."""
    assert freed(stored(**kept)).first == 2  # type: ignore[arg-type]


def on_disk(store: Store) -> Spill:
    """Everything that ended is on the disk, and what is too old was looked for."""
    store.bytes_max = 1
    spill = Spill(store, 10**9)
    spill.make_room()
    store.feed(0, DroppedMessage(0, 1, (3, 3)))  # the store has changed, so it is looked at again
    spill.make_room()
    return spill


def test_old_fine_lines_on_the_disk_are_dropped() -> None:
    """A segment on the disk loses the same lines as one in memory, and no other text."""
    store = stored()
    on_disk(store)
    (track,) = store.tracks
    first = track.transition(1)

    assert track.chunks[0].dictionary.is_loaded
    assert first.lines == first.pre_lines == ((1, "coarse"), (1, "both"))
    assert first.args == (("coarse", "argument"),)


@pytest.mark.parametrize("kept", [{"live": False}, {"age_ns": HOUR_NS // 2}])
def test_new_lines_and_those_of_files_stay_on_the_disk(kept: dict[str, int]) -> None:
    """A file that was opened loses nothing, whatever its age."""
    store = stored(**kept)  # type: ignore[arg-type]
    on_disk(store)

    assert store.tracks[0].chunks[0].dictionary.is_loaded
    assert len(store.tracks[0].transition(1).lines) == 5


def test_bytes_of_old_lines_are_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of definitions is freed once the lines of all its segments are over."""
    monkeypatch.setattr(spilling, "FILES_PER_DISK", 10**9)  # each segment has its own file
    kept, dropped = stored(age_ns=0), stored()
    key = os.urandom(25_000).hex()
    for store in (kept, dropped):
        for message in (
            SegmentMessage(),
            StringsMessage(0, (key,)),
            LinesMessage(0, (((3, 0),),)),
            ShapeMessage(0, 0, AGAIN),
            rows(2, lines={0: 1}),
            SegmentMessage(),
        ):
            store.feed(0, message)

    before, after = on_disk(kept).disk_bytes, on_disk(dropped).disk_bytes

    assert len(kept.tracks[0].transition(3).lines) == 1
    assert not dropped.tracks[0].transition(3).lines
    assert before - after > 20_000


def test_nothing_is_dropped_while_there_is_memory() -> None:
    """Whatever its age."""
    store = stored()
    free_memory(store, store.size())

    assert len(store.tracks[0].transition(1).lines) == 5


@pytest.mark.parametrize("option", ["--log-2-ttl", "--log-ops-ttl"])
def test_the_age_is_an_option(option: str, opened: Callable[..., RunOptions]) -> None:
    """A duration, 24 hours without the option."""
    assert opened(option, "90m").lines_ttl_ns == 90 * 60 * 10**9
    assert opened().lines_ttl_ns == 24 * HOUR_NS


def test_an_age_that_is_no_duration_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """The message shows what a duration is."""
    assert cli.run(["--log-2-ttl", "soon"]) == Exit.BAD_INPUT
    assert "'soon' is not a duration such as 24h, 30m or 1.5s" in capsys.readouterr().err
