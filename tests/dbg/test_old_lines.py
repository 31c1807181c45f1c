"""Fine log lines of old history are dropped first when memory has to be freed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from am_dbg.cli import commands as cli
from am_dbg.cli.exit_codes import Exit
from am_dbg.options import RunOptions
from am_dbg.store import Store, Track
from am_dbg.store.eviction import free_memory
from amtracer.wire.messages import LinesMessage, SegmentMessage, ShapeMessage, StringsMessage
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
