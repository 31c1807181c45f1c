"""What arrives is sent on to another debugger, which may come late, go and come back."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from unittest import mock

import pytest

from am_dbg import forwarding
from am_dbg.forwarding import Forwarder
from am_dbg.store import GapKind, Store
from amtracer.address import Address
from tests.dbg.telling import Teller, Telling, stored
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

    def __init__(self) -> None:
        self.telling = Telling("session")
        self.machine = self.telling.enter(0)
        self.store = Store()
        self.stream = self.store.open_stream("program", live=True)

    def make(self, transitions: int) -> None:
        for at in range(transitions):
            self.telling.transit(self.machine, (at % 8, at, at, at % 7, 4))
        self.hear()

    def hear(self) -> None:
        self.telling.writer.flush()
        for message in self.telling.messages:
            self.store.feed(self.stream, message)
        self.telling.messages.clear()


def forwarder(source: Source | Store, address: Address) -> Forwarder:
    store = source.store if isinstance(source, Source) else source
    forwarder = Forwarder(store, address, round_s=ROUND_S)
    forwarder.start()
    return forwarder


def compare(machine: Teller, debugger: Debugger) -> None:
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
    source.telling.drop(source.machine, (1, 3))
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
    source.telling.leave(source.machine)
    source.hear()
    sending = forwarder(source, debugger.address)
    debugger.wait_for(lambda: (track := debugger.store.find("m0")) is not None and track.gone)
    sending.stop()

    compare(source.machine, debugger)


def test_stopping_sends_the_rest(debugger: Debugger) -> None:
    """What arrived before the stop reaches the other side."""
    source = Source()
    source.hear()
    sending = forwarder(source, debugger.address)
    debugger.wait_for(lambda: debugger.store.find("m0"))
    source.make(500)
    sending.stop()
    sending.stop()

    debugger.wait_for_count("m0", 500)


def test_imported_sessions_are_not_sent_on(debugger: Debugger) -> None:
    """Only what programs send is told to others."""
    recorded = Telling()
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
    """Nothing is lost while nobody listens, and one line tells that nobody does."""
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
    """A debugger that starts anew is told from where the old one stopped."""
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
    """The other side is told how much is missing, and goes on with the right clock."""
    telling = Telling("session", segment_rows=4)
    machine = telling.enter(0)
    for at in range(12):
        telling.transit(machine, (at % 8, at, at, 0, 4))
    telling.writer.flush()
    store = stored(telling, live=True)
    sending = Forwarder(store, debugger.address, round_s=ROUND_S)
    with mock.patch.object(forwarding, "ROWS_AT_ONCE_MAX", 2):
        sending._connect()
        sending._tell_some()
        store.trim(0)
        while sending._tell_some():
            pass
    sending._outlet.push()
    debugger.wait_for(lambda: (track := debugger.store.find("m0")) is not None and track.count > 5)
    sending.stop()
    sending._outlet.close()

    track, first = debugger.track("m0"), store.tracks[0].first
    lost = [gap for gap in track.gaps if gap.kind is GapKind.DROPPED]
    assert [(gap.after_number, gap.lost) for gap in lost] == [(2, first - 3)]
    assert track.ticks == tuple(machine.ticks)
    assert track.tx_id_at(track.count) == machine.past[-1]["id"]
