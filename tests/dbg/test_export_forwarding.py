"""What arrives is sent on to another debugger, which may come late, go and come back."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import partial
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from am_dbg.egress import forward as forwarding
from am_dbg.egress.forward import RouteForwarder
from am_dbg.egress.live_replay import LiveReplay
from am_dbg.egress.track_replay import TrackReplay
from am_dbg.store import Gap, GapKind, Store
from am_dbg.store.track import Track
from amtracer.address import Address
from amtracer.encode.stream_writer import StreamWriter
from amtracer.wire.messages import HelloMessage
from tests.dbg.histories import SCHEMAS, HistoryPlayer, PlayedMachine, stored
from tests.wire.serving import Debugger

ROUND_S = 0.005


@pytest.fixture
def debugger() -> Iterator[Debugger]:
    """Another debugger that listens."""
    debugger = Debugger()
    yield debugger
    debugger.stop()


class Source:
    """A store that one program feeds."""

    def __init__(self, **limits: int) -> None:
        self.player = HistoryPlayer("session", **limits)
        self.machine = self.player.enter(0)
        self.store = Store()
        self.stream = self.store.open_stream("program", live=True)

    def make(self, transitions: int) -> None:
        for at in range(transitions):
            self.player.transit(self.machine, (at % 8, at, at, at % 7, 4))
        self.feed()

    def come_back(self, row: int) -> None:
        """The program connects again, its machine after so many transitions."""
        known, again = self.machine, HistoryPlayer("session")
        again.writer.machine(
            known.id,
            again.writer.schema(SCHEMAS[known.schema]),
            ticks=tuple(known.ticks),
            row=row,
            tx_prefix=known.prefix,
        )
        again.time, known.row = self.player.time, row
        again.machines.append(known)
        self.player = again
        self.stream = self.store.open_stream("program", live=True)
        self.feed()

    def feed(self) -> None:
        self.player.writer.flush()
        for message in self.player.messages:
            self.store.feed(self.stream, message)
        self.player.messages.clear()


def settled(track: Track) -> tuple[object, ...]:
    """What is shown of a machine beside its transitions."""
    return list(track.gaps), track.ticks, track.states, track.connected, track.gone


def shows_the_same(debugger: Debugger, store: Store) -> bool:
    """Whether the other side shows the same breaks and ends, for the same transitions."""
    copies = [(one.key, one.count, settled(one)) for one in debugger.store.tracks]
    return copies == [(one.key, one.count, settled(one)) for one in store.tracks]


def forwarder(source: Source | Store, address: Address) -> RouteForwarder:
    store = source.store if isinstance(source, Source) else source
    forwarder = RouteForwarder(store, address, round_s=ROUND_S)
    forwarder.start()
    return forwarder


def compare(machine: PlayedMachine, debugger: Debugger) -> None:
    """All transitions are there, with their clocks and ids."""
    track = debugger.track(machine.id)
    for number, record in enumerate(machine.past, 1):
        transition = track.transition(number)
        assert transition.shape == record["happened"].shape
        assert transition.lines == record["happened"].lines
        assert transition.id == record["id"]
        assert track.clock_at(number) == record["after"]


def test_what_arrived_and_what_arrives_is_sent_on(debugger: Debugger) -> None:
    """The history so far and everything after it comes to the other side as it is."""
    source = Source()
    source.make(20)
    source.player.drop(source.machine, (1, 3))
    source.make(1)
    sending = forwarder(source, debugger.address)
    debugger.wait_for_count("m0", 21)
    source.make(10)
    debugger.wait_for_count("m0", 31)
    sending.stop()

    compare(source.machine, debugger)
    assert [gap.kind for gap in debugger.track("m0").gaps][:1] == [GapKind.DROPPED]
    assert debugger.store.streams[0].hello.process["program"] == "am-dbg"  # type: ignore[union-attr]


def test_a_disposed_machine_is_gone_on_the_other_side_too(debugger: Debugger) -> None:
    """Disposal is sent on once everything before it was."""
    source = Source()
    source.make(3)
    source.player.leave(source.machine)
    source.feed()
    sending = forwarder(source, debugger.address)
    debugger.wait_for(lambda: (track := debugger.store.find("m0")) is not None and track.gone)
    sending.stop()

    compare(source.machine, debugger)


def test_stopping_sends_the_rest(debugger: Debugger) -> None:
    """What arrived before the stop reaches the other side."""
    source = Source()
    source.feed()
    sending = forwarder(source, debugger.address)
    debugger.wait_for(lambda: debugger.store.find("m0"))
    source.make(500)
    sending.stop()
    sending.stop()

    debugger.wait_for_count("m0", 500)


def test_imported_sessions_are_not_sent_on(debugger: Debugger) -> None:
    """Only data of programs is forwarded."""
    recorded = HistoryPlayer()
    recorded.enter(0)
    source = Source()
    stream = source.store.open_stream("file", live=False)
    for message in recorded.messages:
        source.store.feed(stream, message)
    source.make(1)
    sending = forwarder(source, debugger.address)
    debugger.wait_for_count("m0", 1)
    sending.stop()

    assert len(debugger.store.tracks) == 1


def test_a_debugger_that_is_not_there_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is lost while nobody listens, and one line reports it."""
    first = Debugger()
    address = first.address
    first.stop()
    source = Source()
    source.make(5)
    with caplog.at_level(logging.WARNING), mock.patch.object(forwarding, "PAUSE_S_MAX", ROUND_S):
        sending = forwarder(source, address)
        while not caplog.records:
            sending._thread.join(0.01)
        second = Debugger(str(address))
        second.wait_for_count("m0", 5)
        sending.stop()
        second.stop()

    compare(source.machine, second)
    assert len(caplog.records) == 1


def test_a_machine_goes_on_after_the_other_side_came_back() -> None:
    """A debugger that starts again gets the data from where the old one stopped."""
    first = Debugger()
    source = Source()
    source.make(5)
    with mock.patch.object(forwarding, "PAUSE_S_MAX", ROUND_S):
        sending = forwarder(source, first.address)
        first.wait_for_count("m0", 5)
        first.stop()
        second = Debugger(str(first.address))
        source.make(5)
        second.wait_for(lambda: (track := second.store.find("m0")) is not None and track.count)
        sending.stop()
        second.stop()

    track = second.track("m0")
    assert track.gaps[0].kind is GapKind.LATE
    assert track.tx_id_at(track.count) == source.machine.past[-1]["id"]
    assert track.ticks == tuple(source.machine.ticks)


def test_what_was_trimmed_before_it_was_sent_is_a_gap(debugger: Debugger) -> None:
    """The other side gets the number of missing transitions, and continues with the right clock."""
    player = HistoryPlayer("session", segment_rows=4)
    machine = player.enter(0)
    for at in range(12):
        player.transit(machine, (at % 8, at, at, 0, 4))
    player.writer.flush()
    store = stored(player, live=True)
    sending = RouteForwarder(store, debugger.address, round_s=ROUND_S)
    with mock.patch.object(forwarding, "ROWS_AT_ONCE_MAX", 2):
        sending._connect()
        sending._send_some()
        store.trim(0)
        while sending._send_some():
            pass
    sending._sink.push()
    debugger.wait_for(lambda: (track := debugger.store.find("m0")) is not None and track.count > 5)
    sending.stop()
    sending._sink.close()

    track, first = debugger.track("m0"), store.tracks[0].first
    lost = [gap for gap in track.gaps if gap.kind is GapKind.DROPPED]
    assert [(gap.after_number, gap.lost) for gap in lost] == [(2, first - 3)]
    assert track.ticks == tuple(machine.ticks)
    assert track.tx_id_at(track.count) == machine.past[-1]["id"]


# What is reported without a transition that follows.


def test_breaks_are_sent_on_as_they_come(debugger: Debugger) -> None:
    """What was lost, and a new schema, need no transition after them; each is reported once."""
    source = Source()
    source.make(3)
    sending = forwarder(source, debugger.address)
    changes = [
        lambda: source.player.drop(source.machine, (2, 1_000)),
        lambda: source.player.drop(source.machine, (2, 5)),
        lambda: source.player.drop(source.machine, (1, 0)),
        lambda: source.player.change_schema(source.machine, (1, 3)),
        lambda: source.player.change_schema(source.machine, (0, 4)),
        lambda: source.player.drop(source.machine, (1, 7)),
        lambda: source.player.transit(source.machine, (1, 0, 0, 0, 4)),
    ]
    for change in changes:
        change()
        source.feed()
        debugger.wait_for(lambda: shows_the_same(debugger, source.store))
    sending.stop()

    gaps = [(gap.after_number, gap.lost, gap.kind) for gap in debugger.track("m0").gaps]
    assert gaps == [(3, 1_005, GapKind.DROPPED), (3, 0, GapKind.SCHEMA), (3, 7, GapKind.DROPPED)]


@pytest.mark.parametrize("reason", ["", "connection lost"])
def test_the_end_of_a_program_is_sent_on(debugger: Debugger, reason: str) -> None:
    """The other side shows it as ended, and as cut when it was lost."""
    source = Source()
    source.make(3)
    sending = forwarder(source, debugger.address)
    debugger.wait_for(lambda: shows_the_same(debugger, source.store))
    source.store.close_stream(source.stream, reason)
    debugger.wait_for(lambda: shows_the_same(debugger, source.store))
    sending.stop()

    track = debugger.track("m0")
    assert not track.connected
    assert list(track.gaps) == [Gap(3, -1, reason, GapKind.CUT)] * bool(reason)


def test_a_program_that_comes_back_goes_on_on_the_other_side(debugger: Debugger) -> None:
    """In the same track, with what was lost; as often as it comes back."""
    source = Source()
    source.make(3)
    sending = forwarder(source, debugger.address)
    for lost in (0, 4):
        source.store.close_stream(source.stream, "connection lost")
        debugger.wait_for(lambda: shows_the_same(debugger, source.store))
        source.come_back(source.machine.row + lost)
        debugger.wait_for(lambda: shows_the_same(debugger, source.store))
        source.make(2)
        debugger.wait_for(lambda: shows_the_same(debugger, source.store))
    sending.stop()
    debugger.wait_for(lambda: not debugger.connections)

    track = debugger.track("m0")
    assert [(gap.after_number, gap.lost) for gap in track.gaps] == [(3, 0), (5, 4)]
    assert track.tx_id_at(7) == source.machine.past[-1]["id"]


def test_what_ended_before_the_other_side_was_lost_is_not_cut(debugger: Debugger) -> None:
    """Only what went on then is; nothing that ended comes again on the next connection."""
    source, ended = Source(), HistoryPlayer("other")
    number = ended.writer.machine("ended", ended.writer.schema(SCHEMAS[0]), tx_prefix="p")
    ended.writer.dropped(number, 2, (1, 0, 0), "full")
    stream = source.store.open_stream("other", live=True)
    for message in ended.messages:
        source.store.feed(stream, message)
    source.store.close_stream(stream)
    source.make(3)
    with mock.patch.object(forwarding, "PAUSE_S_MAX", ROUND_S):
        sending = forwarder(source, debugger.address)
        debugger.wait_for(lambda: shows_the_same(debugger, source.store))
        for connection in list(debugger._server._open):
            debugger._server._loop.call_soon_threadsafe(connection.end, "cut for a test")
        debugger.wait_for(lambda: debugger.streams == 2 and debugger.connections)
        source.make(1)
        debugger.wait_for_count("m0", 4)
        sending.stop()

    assert [gap.kind for gap in debugger.track("m0").gaps] == [GapKind.RECONNECTED]
    assert [gap.kind for gap in debugger.track("ended").gaps] == [GapKind.DROPPED]
    assert len(debugger.store.tracks) == 2


def test_breaks_that_came_before_the_first_transition_are_not_reported_twice() -> None:
    """On the next connection the machine is the same one, and enters where it stands."""
    source = Source()
    other = OtherSide(source)
    for _ in range(3):
        source.player.drop(source.machine, (1, 2))
        source.feed()
        assert other.replay.send(100)
        assert not other.replay.send(100)
        other.lose()

    (track,) = other.store.tracks
    assert track.ticks == tuple(source.machine.ticks)
    assert sum(max(0, gap.lost) for gap in track.gaps) == track.row_next == 6


def test_what_is_removed_here_ends_on_the_other_side(debugger: Debugger) -> None:
    """Later data of it is not kept here, so it would be live for ever there."""
    source = Source()
    source.make(3)
    sending = forwarder(source, debugger.address)
    debugger.wait_for_count("m0", 3)
    source.store.remove(source.store.tracks[0])
    debugger.wait_for(lambda: not debugger.track("m0").connected)
    sending.stop()

    assert list(debugger.track("m0").gaps) == []
    assert not sending._replay._replays


class OtherSide:
    """A store that is sent what is new in a source, on one connection after the other."""

    def __init__(self, source: Source) -> None:
        self.store = Store()
        self.replay = LiveReplay(source.store, TrackReplay)
        self.connect()

    def connect(self) -> None:
        if self.store.streams:
            self.store.close_stream(self.stream, "connection lost")
        self.stream = self.store.open_stream("forwarded", live=True)
        hello = HelloMessage(2, "forwarded", 0, 0)
        self.replay.begin(StreamWriter(partial(self.store.feed, self.stream), hello))

    lose = connect


def happen(source: Source, act: int, one: int, two: int) -> None:
    """Something of a program that is connected, its end, or its return."""
    stream, machine = source.store.streams[source.stream], source.machine
    if act == 7:
        source.store.close_stream(source.stream, ("", "connection lost")[one % 2])
    elif not stream.open:
        if act == 6:
            source.come_back(machine.row + one)
        return
    elif act == 5:
        source.player.change_schema(machine, (one, two))
        source.feed()
    elif act == 4:
        source.player.drop(machine, (one, two))
        source.feed()
    else:
        source.make(one)


@given(st.lists(st.tuples(st.integers(0, 10), st.integers(0, 3), st.integers(0, 3)), max_size=30))
def test_the_other_side_shows_the_same_after_every_word(
    history: list[tuple[int, int, int]],
) -> None:
    """Whatever comes, is sent or trimmed at any time, over any number of connections."""
    source = Source(segment_rows=3)
    source.feed()
    other = OtherSide(source)
    for act, one, two in history:
        if act == 10:
            source.store.trim(0)
        elif act >= 8:
            (other.connect, other.lose)[act - 8]()
        else:
            happen(source, act, one, two)
        if two:
            other.replay.send(2)
    while other.replay.send(2):
        pass

    (track,), (original,) = other.store.tracks, source.store.tracks
    assert (track.ticks, track.states) == (original.ticks, original.states)
    assert (track.row_next, track.connected) == (original.row_next, original.connected)
    if not any(act >= 8 for act, _, _ in history):
        assert list(track.gaps) == list(original.gaps)
