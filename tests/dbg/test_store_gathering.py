"""Rows that wait to be taken in together are read like rows that did not wait."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from am_dbg.store import Store, gathering
from amtracer.errors import WireError
from amtracer.wire.messages import (
    BatchMessage,
    MachineMessage,
    Message,
    OpenWorkItem,
    Run,
)
from amtracer.wire.vocabulary import TroubleKind
from tests.dbg.histories import SMALL_CHUNKS, HistoryPlayer, hello, stored
from tests.dbg.model import small
from tests.dbg.test_store_checks import BATCH, BEGINNING, at_row, begun

kinds = st.sampled_from([0, 0, 1, 2, 3, 5, 6, 7, 8, *[4] * 40])
acts = st.tuples(kinds, small, small, small, small, small, small)
histories = st.lists(acts, max_size=60)
sizes = st.lists(st.integers(1, 30), max_size=20)


class EventPlayer(HistoryPlayer):
    """Plays also what happens between transitions."""

    def play_all(self, history: Iterable[tuple[int, ...]]) -> EventPlayer:
        for act, which, *rest in history:
            alive = [machine for machine in self.machines if not machine.gone]
            if act < 5 or not alive:
                self.play([(act, which, *rest)] if act < 5 else [])
                continue
            machine = alive[which % len(alive)]
            number, writer = machine.number, self.writer
            if act == 5:
                writer.later_lines(number, ((2, f"later {rest[0]}"),), rest[1])
            elif act == 6:
                writer.open_work(number, (OpenWorkItem("when", "Start"),) * rest[0])
            elif act == 7:
                writer.left(number, "it ended")
            else:
                writer.trouble(number, machine.row + rest[0], TroubleKind.LATE, "StartState", "")
        return self


def played(history: list[tuple[int, ...]]) -> EventPlayer:
    """The history in batches of several machines, which take turns."""
    player = EventPlayer(batch_rows=9, segment_rows=40)
    for at in range(3):
        player.enter(at)
    return player.play_all(history)


def read_in(messages: list[Message], reads: list[int]) -> Store:
    """A store that took the messages in reads of so many, the last one as long as needed."""
    store = Store(chunk_limits=SMALL_CHUNKS)
    stream = store.open_stream("reported", live=False)
    rest = iter(messages)
    for size in [*reads, len(messages)]:
        with store.gathering():
            for message in [one for _, one in zip(range(size), rest, strict=False)]:
                store.feed(stream, message)
    return store


def seen(store: Store) -> Any:
    """All that can be read of a store."""
    return store.transitions, [
        (
            track.key,
            track.count,
            track.row_next,
            track.ticks,
            track.states,
            (track.ended, track.gone, track.connected),
            tuple(track.gaps),
            track.later,
            track.open.beyond(0),
            track.notes.troubles_at(track.row_next),
            track.snapshot,
            [track.transition(number) for number in range(1, track.count + 1)],
            [track.clock_at(number) for number in range(track.count + 1)],
        )
        for track in store.tracks
    ]


@given(histories, sizes, st.sampled_from([2, 5, 65_536]))
def test_rows_that_waited_are_read_like_rows_that_did_not(
    history: list[tuple[int, ...]], reads: list[int], rows_max: int
) -> None:
    """However a stream is cut into reads, everything that was sent is where it belongs."""
    player = played(history)
    with mock.patch.object(gathering, "ROWS_MAX", rows_max):
        waited = read_in(player.messages, reads)
    at_once = stored(player, limits=SMALL_CHUNKS)

    assert seen(waited) == seen(at_once)
    assert waited.taken == sum(len(machine.past) for machine in player.machines)
    for machine, track in zip(player.machines, waited.tracks, strict=True):
        for number, record in enumerate(machine.past, 1):
            found, happened = track.transition(number), record["happened"]
            assert track.clock_at(number) == record["after"]
            assert (found.id, found.shape) == (record["id"], happened.shape)
            assert (found.time_ns, found.handler_ns) == (happened.time_ns, happened.handler_ns)
            assert (found.args, found.source) == (happened.args, happened.source)


def test_rows_wait_until_the_messages_at_hand_are_fed() -> None:
    """Within `gathering` nothing is promised; at its end, everything can be read."""
    store, stream = begun()

    with store.gathering():
        store.feed(stream, BATCH)
        store.feed(stream, at_row(2, 0, 1))
        assert store.tracks[0].count == store.transitions == 0
        assert store.tracks[0].row_next == 0

    assert store.tracks[0].count == store.transitions == 4
    assert store.tracks[0].row_next == 4


def test_a_reader_without_gathering_is_served_at_once() -> None:
    """What is fed outside of `gathering` can be read when `feed` returns."""
    store, stream = begun()
    store.feed(stream, BATCH)
    assert store.tracks[0].count == 2


@pytest.mark.parametrize(
    "wrong",
    [
        at_row(1, 0),
        at_row(2, 1),
        at_row(2, 2),
        at_row(2, 9),
        replace(at_row(2, 0), lines={0: 9}),
        BatchMessage((Run(0, 2, 1), Run(1, 5, 1)), (0, 0), (1, 1)),
        BatchMessage((Run(0, 2, 1), Run(1, 0, 1)), (0, 1), (1, 1)),
        BatchMessage((Run(0, 2, 1), Run(7, 0, 1)), (0, 0), (1, 1)),
    ],
)
def test_a_refused_batch_leaves_the_rows_that_wait(wrong: BatchMessage) -> None:
    """Each batch is checked when it is fed, against the rows before it, waiting or not."""
    store, stream = begun()
    store.feed(stream, MachineMessage(1, "n", 0))
    right = BatchMessage((Run(0, 2, 2), Run(1, 0, 1)), (0, 1, 0), (1, 2, 3))

    with store.gathering():
        store.feed(stream, BATCH)
        with pytest.raises(WireError):
            store.feed(stream, wrong)
        store.feed(stream, right)

    one, other = store.tracks
    assert (one.count, one.ticks, other.count, other.ticks) == (4, (4, 0), 1, (1, 0))


def test_an_error_in_gathering_keeps_what_was_fed() -> None:
    """Rows that wait when an error ends the messages are taken in."""
    store, stream = begun()

    def feed_both() -> None:
        with store.gathering():
            store.feed(stream, BATCH)
            store.feed(stream, at_row(9, 0))

    with pytest.raises(WireError):
        feed_both()
    assert store.tracks[0].count == 2


def test_a_stream_that_ends_while_rows_wait_has_them() -> None:
    """The rows come before the end of their stream."""
    store, stream = begun()
    with store.gathering():
        store.feed(stream, BATCH)
        store.close_stream(stream, "cut")

    (track,) = store.tracks
    assert (track.count, track.snapshot.number) == (2, 2)
    assert [gap.after_number for gap in track.gaps] == [2]


def test_a_machine_that_goes_on_elsewhere_has_the_rows_that_waited() -> None:
    """Rows of one stream are there before a message of another one."""
    store = Store()
    streams = [store.open_stream(label, live=True) for label in ("one", "two")]
    machine = MachineMessage(0, "m", 0, tx_prefix="p")
    beginning = [hello("same"), *BEGINNING[1:3], machine, *BEGINNING[4:]]
    for message in beginning:
        store.feed(streams[0], message)

    with store.gathering():
        store.feed(streams[0], BATCH)
        store.close_stream(streams[0])
        for message in [*beginning[:3], replace(machine, row=2), *beginning[4:], at_row(2, 0)]:
            store.feed(streams[1], message)
        assert store.tracks[0].count == 2

    (track,) = store.tracks
    assert (track.count, track.row_next) == (3, 3)


def test_removed_machines_take_their_waiting_rows_along() -> None:
    """Removing a machine while its rows wait leaves no trace of them."""
    store, stream = begun()
    with store.gathering():
        store.feed(stream, BATCH)
        store.remove(*store.tracks)
        store.feed(stream, at_row(2, 0))

    assert (store.transitions, list(store.tracks)) == (0, [])


@pytest.mark.parametrize(("name", "limit"), [("ROWS_MAX", 4), ("BYTES_MAX", 900)])
def test_no_more_rows_wait_than_the_limit(name: str, limit: int) -> None:
    """At the limit of rows, or of bytes, they are taken in although more may follow."""
    store, stream = begun()
    with mock.patch.object(gathering, name, limit), store.gathering():
        store.feed(stream, BATCH)
        assert store.transitions == 0
        store.feed(stream, at_row(2, 0, 1))
        assert store.transitions == 4


def test_long_runs_do_not_wait() -> None:
    """Rows wait only if their runs are short on average, one row below the limit."""
    store, stream = begun()
    with mock.patch.object(gathering, "RUN_ROWS_MAX", 3), store.gathering():
        store.feed(stream, BATCH)
        assert store.transitions == 0
        store.feed(stream, at_row(2, 0, 1, 0, 1))
        assert store.transitions == 6


def test_rows_that_wait_count_as_memory() -> None:
    """The size of the store has the rows that wait, and their bytes go when they are taken in."""
    (at_once, one), (store, stream) = begun(), begun()
    at_once.feed(one, BATCH)

    with store.gathering():
        before = store.size()
        store.feed(stream, BATCH)
        assert store.size() > before
    assert store.size() == at_once.size()


def test_a_full_store_is_asked_for_room_without_rows_that_wait() -> None:
    """Memory that is only needed while rows wait does not make a store drop anything."""
    measured, stream = begun()
    measured.feed(stream, BATCH)
    asked: list[int] = []
    store, stream = begun()
    store.bytes_max = measured.size() + 100
    store.on_overflow = lambda: asked.append(store.size())

    with store.gathering():
        store.feed(stream, BATCH)

    assert (store.transitions, asked) == (2, [])
