"""A recording that is paused: nothing is sent, and afterwards one gap has the count."""

from __future__ import annotations

import gc
import sys
import threading
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

import amtracer
import machine as am
from amtracer.send.event_writer import LOST, PAUSED
from amtracer.send.events import GoneEvent, PausedEvent, ResumedEvent
from amtracer.tracer import MachineTracer
from tests.wire.streams import StreamReader
from tests.wire.tracing import FakeSender, StreamRecorder, recorded, ticks_after

STRUCT = {"M": am.State(multi=True), "Not": am.State()}


@pytest.fixture(autouse=True)
def _nothing_stays_paused() -> Iterator[None]:
    yield
    amtracer.resume()


@pytest.fixture
def mach() -> am.Machine:
    return am.Machine(None, STRUCT, id="m")


@pytest.fixture
def caught(mach: am.Machine) -> FakeSender:
    caught = FakeSender()
    caught.trace(mach)
    return caught


def toggle(mach: am.Machine, times: int) -> None:
    for _ in range(times):
        mach.add1("M")


def gaps(reader: StreamReader) -> list[tuple[int, str]]:
    return [(gap.count, gap.reason) for gap in reader.dropped]


def test_nothing_is_sent_while_paused(mach: am.Machine, caught: FakeSender) -> None:
    """The sender only receives the pause, however much a machine does."""
    toggle(mach, 3)
    amtracer.pause(mach)
    toggle(mach, 1_000)

    assert len(caught.transitions()) == 3
    assert type(caught.events[-1]) is PausedEvent


def walk(mach: am.Machine) -> None:
    """Accepted, refused, automatic and handled transitions, and a check."""
    mach.add1("Not")
    mach.can_add1("M")
    mach.add1("Auto")
    mach.add1("Lost")
    mach.remove1("Not")
    toggle(mach, 70)


@pytest.mark.parametrize("with_handlers", [False, True])
def test_a_gap_counts_the_transitions_of_a_pause(with_handlers: bool) -> None:
    """Automatic transitions, checks and refused ones count in a pause as they do outside."""
    struct = {
        **STRUCT,
        "Auto": am.State(auto=True, require=["Not"]),
        "Lost": am.State(require=["Auto"], remove=["Auto"]),
    }

    class Handlers:
        def AutoState(self, event: am.Event) -> None:
            event.machine.add1("M")

        def MEnter(self, event: am.Event) -> bool:
            return not event.machine.is1("Auto")

    watched, counted = FakeSender(), FakeSender()
    for caught in (watched, counted):
        mach = am.Machine(None, struct, id="m")
        caught.trace(mach)
        if with_handlers:
            mach.bind_handlers(Handlers())
        if caught is counted:
            amtracer.pause(mach)
        walk(mach)
        amtracer.resume(mach)
    count = len(watched.transitions())
    reader = recorded(counted.events)

    assert count > 75
    assert gaps(reader) == [(count, PAUSED)]
    assert list(reader.dropped[0].ticks) == ticks_after(recorded(watched.events))


def test_after_a_pause_the_ticks_are_those_of_the_machine(
    mach: am.Machine, caught: FakeSender
) -> None:
    """The gap says where the machine stands, without waiting for a transition."""
    toggle(mach, 3)
    amtracer.pause(mach)
    toggle(mach, 70)
    mach.add1("Not")
    amtracer.resume(mach)
    reader = recorded(caught.events)

    assert list(reader.dropped[-1].ticks) == list(mach.time())


def test_a_pause_without_transitions_leaves_no_trace(mach: am.Machine, caught: FakeSender) -> None:
    """Nothing is missing, so there is nothing to say."""
    toggle(mach, 3)
    amtracer.pause(mach)
    amtracer.resume(mach)
    toggle(mach, 3)
    reader = recorded(caught.events)

    assert gaps(reader) == []
    assert len(reader.transitions[0]) == 6


def test_pausing_and_resuming_again_is_no_matter(mach: am.Machine, caught: FakeSender) -> None:
    """A machine is paused or not; how often that was asked for does not count."""
    for _ in range(3):
        amtracer.pause(mach)
    toggle(mach, 2)
    for _ in range(3):
        amtracer.resume(mach)
    toggle(mach, 2)

    assert gaps(recorded(caught.events)) == [(2, PAUSED)]
    assert len(mach.tracers()) == 1


def test_every_pause_is_a_gap_of_its_own(mach: am.Machine, caught: FakeSender) -> None:
    """Transitions between two pauses are between two gaps."""
    for times in (1, 2, 3):
        toggle(mach, 1)
        amtracer.pause(mach)
        toggle(mach, times)
        amtracer.resume(mach)
    reader = recorded(caught.events)

    assert gaps(reader) == [(1, PAUSED), (2, PAUSED), (3, PAUSED)]
    assert len(reader.transitions[0]) == 3


def test_what_was_lost_before_a_pause_is_not_counted_with_it(
    mach: am.Machine, caught: FakeSender
) -> None:
    """A full queue and a pause are two gaps with two reasons."""
    toggle(mach, 9)
    amtracer.pause(mach)
    toggle(mach, 4)
    amtracer.resume(mach)
    kept = [event for event in caught.events if type(event) is not tuple or event[2] < 3]

    assert gaps(recorded(kept)) == [(7, LOST), (4, PAUSED)]


def test_a_lost_word_of_the_pause_is_made_up_for(mach: am.Machine, caught: FakeSender) -> None:
    """If a full queue drops the end of a pause, the next transition ends it."""
    toggle(mach, 2)
    amtracer.pause(mach)
    toggle(mach, 4)
    amtracer.resume(mach)
    toggle(mach, 2)
    kept = [event for event in caught.events if type(event) is not ResumedEvent]
    reader = recorded(kept)

    assert gaps(reader) == [(4, PAUSED)]
    assert len(reader.transitions[0]) == 4


def test_a_schema_changed_in_a_pause_is_sent_afterwards(
    mach: am.Machine, caught: FakeSender
) -> None:
    """First the new states, then how many transitions are missing, then what comes."""
    toggle(mach, 1)
    amtracer.pause(mach)
    toggle(mach, 1)
    mach.set_struct({**STRUCT, "New": am.State()}, ["New", *mach.state_names()])
    toggle(mach, 1)
    amtracer.resume(mach)
    mach.add1("New")
    reader = recorded(caught.events)

    assert [len(schema.states) for schema in reader.schemas] == [3, 4]
    assert gaps(reader) == [(2, PAUSED)]
    assert reader.transitions[0][-1].shape.changes == ((0, 1),)
    assert list(reader.dropped[-1].ticks) == [0, *list(mach.time())[1:]]


def test_a_transition_that_comes_before_the_word_of_the_resumption_means_the_new_schema(
    mach: am.Machine, caught: FakeSender
) -> None:
    """Another thread may be so quick; its transition contains all that is needed."""
    amtracer.pause(mach)
    mach.set_struct({**STRUCT, "New": am.State()}, ["New", *mach.state_names()])
    amtracer.resume(mach)
    mach.add1("New")
    early = caught.events.pop()
    caught.events.insert(-1, early)
    assert type(caught.events[-1]) is ResumedEvent
    toggle(mach, 1)
    reader = recorded(caught.events)

    assert gaps(reader) == []
    assert [one.shape.changes for one in reader.transitions[0]] == [((0, 1),), ((1, 1),)]


def test_a_machine_disposed_in_a_pause_is_gone(mach: am.Machine, caught: FakeSender) -> None:
    """Its end is sent at once, and resuming it sends nothing more."""
    toggle(mach, 1)
    amtracer.pause(mach)
    toggle(mach, 1)
    mach.dispose_force()
    amtracer.resume(mach)

    assert recorded(caught.events).gone == [0]
    assert type(caught.events[-1]) is GoneEvent


def test_a_machine_that_is_gone_sends_nothing_more(mach: am.Machine) -> None:
    """A snapshot at that moment has no ticks, so none is sent."""
    caught = FakeSender()
    guest = MachineTracer(mach, caught.sender)
    mach.dispose_force()
    guest.bind_paused(mach)
    guest.resume(mach)
    guest.pause(mach)
    guest.send_snapshot(mach)

    assert caught.events == []


def test_a_late_pause_removes_nothing(mach: am.Machine, caught: FakeSender) -> None:
    """If the event of a pause comes after later transitions, it only marks the pause."""
    toggle(mach, 1)
    amtracer.pause(mach)
    paused: Any = caught.events.pop()
    amtracer.resume(mach)
    toggle(mach, 1)
    caught.events.append(paused)
    toggle(mach, 1)
    reader = recorded(caught.events)

    assert gaps(reader) == []
    assert len(reader.transitions[0]) == 3


def test_other_tracers_are_left_alone(mach: am.Machine, caught: FakeSender) -> None:
    """A pause stops the sending to a debugger; other tracers in the program continue."""

    class Counting(am.Tracer):
        count = 0

        def transition_end(self, tx: am.Transition) -> None:
            self.count += 1

    counting = Counting()
    mach.bind_tracer(counting)
    amtracer.pause(mach)
    toggle(mach, 2)
    amtracer.resume(mach)
    toggle(mach, 1)

    assert counting.count == 3
    assert gaps(recorded(caught.events)) == [(2, PAUSED)]


def test_a_paused_machine_is_not_kept_alive() -> None:
    """A machine without references is collected, and reported as gone."""
    mach = am.Machine(None, STRUCT, id="m")
    caught = FakeSender()
    caught.trace(mach)
    amtracer.pause(mach)
    alive = weakref.ref(mach)
    del mach
    gc.collect()

    assert alive() is None
    assert recorded(caught.events).gone == [0]


def test_submachines_are_paused_and_resumed_along(mach: am.Machine, caught: FakeSender) -> None:
    """Those that were there and those made meanwhile, at any depth; each has its own gap."""
    before = am.Machine(None, STRUCT, id="before", parent=mach)
    amtracer.pause(mach)
    during = am.Machine(None, STRUCT, id="during", parent=before)
    for one in (mach, before, during):
        toggle(one, 2)
    assert caught.transitions() == []
    amtracer.resume(mach)
    toggle(during, 1)
    reader = recorded(caught.events)

    assert [(one.id, one.parent) for one in reader.machines] == [
        ("m", ""),
        ("before", "m"),
        ("during", "before"),
    ]
    assert gaps(reader) == [(2, PAUSED)] * 3
    assert len(reader.transitions[2]) == 1


def test_a_submachine_may_go_on_alone(mach: am.Machine, caught: FakeSender) -> None:
    """The last call that concerns a machine counts."""
    child = am.Machine(None, STRUCT, id="child", parent=mach)
    amtracer.pause(mach)
    amtracer.resume(child)
    toggle(mach, 2)
    toggle(child, 2)

    assert {event[0].machine.id for event in caught.transitions()} == {"child"}


def test_a_machine_that_came_and_went_in_a_pause_is_not_sent(
    mach: am.Machine, caught: FakeSender
) -> None:
    """Nobody could have seen it do anything."""
    amtracer.pause(mach)
    child = am.Machine(None, STRUCT, id="child", parent=mach)
    toggle(child, 2)
    child.dispose_force()
    amtracer.resume(mach)

    assert [one.id for one in recorded(caught.events).machines] == ["m"]


def test_all_machines_may_be_paused_at_once(mach: am.Machine, caught: FakeSender) -> None:
    """Without a machine it concerns all there are, and those that are attached later."""
    other = am.Machine(None, STRUCT, id="other")
    caught.trace(other)
    amtracer.pause()
    late = am.Machine(None, STRUCT, id="late")
    caught.trace(late)
    for one in (mach, other, late):
        toggle(one, 3)
    assert caught.transitions() == []
    amtracer.resume()
    toggle(late, 1)
    reader = recorded(caught.events)

    assert [one.id for one in reader.machines] == ["m", "other", "late"]
    assert gaps(reader) == [(3, PAUSED)] * 3


def test_other_machines_go_on(mach: am.Machine, caught: FakeSender) -> None:
    """A pause concerns one machine, not its sender."""
    other = am.Machine(None, STRUCT, id="other")
    caught.trace(other)
    amtracer.pause(mach)
    toggle(mach, 2)
    toggle(other, 2)

    assert len(caught.transitions()) == 2


def test_an_untraced_machine_may_be_paused(mach: am.Machine) -> None:
    """There is nothing to stop, and nothing to say about it."""
    amtracer.pause(mach)
    amtracer.resume(mach)

    assert mach.tracers() == []


def test_a_pause_may_begin_and_end_in_handlers(mach: am.Machine, caught: FakeSender) -> None:
    """The transition that pauses is not sent, the one that resumes is."""

    class Switching:
        def NotState(self, event: am.Event) -> None:
            amtracer.pause(event.machine)

        def NotEnd(self, event: am.Event) -> None:
            amtracer.resume(event.machine)

    mach.bind_handlers(Switching())
    toggle(mach, 1)
    mach.add1("Not")
    toggle(mach, 3)
    mach.remove1("Not")
    toggle(mach, 1)
    reader = recorded(caught.events)

    assert gaps(reader) == [(1 + 3, PAUSED)]
    assert [one.shape.type for one in reader.transitions[0]] == [0, 1, 0]
    assert all(one.time_ns > 0 <= one.duration_ns for one in reader.transitions[0])
    assert max(one.duration_ns for one in reader.transitions[0]) < min(
        one.time_ns for one in reader.transitions[0]
    )


def test_a_new_stream_in_a_pause_has_the_machine_where_it_paused(
    mach: am.Machine, caught: FakeSender
) -> None:
    """After a reconnect the machine is there, and the gap comes when it goes on."""
    recorder = StreamRecorder()
    recorder.begin()
    toggle(mach, 3)
    amtracer.pause(mach)
    toggle(mach, 4)
    recorder.record(caught.events)
    caught.events.clear()
    recorder.begin()
    amtracer.resume(mach)
    toggle(mach, 1)
    recorder.record(caught.events)
    reader = recorder.read()

    assert reader.machines[0].row == 3
    assert gaps(reader) == [(4, PAUSED)]
    assert reader.rows == [8]


def test_what_was_counted_before_it_came_makes_the_ticks_unknown(
    mach: am.Machine, caught: FakeSender
) -> None:
    """A snapshot in the middle of a change is corrected by the next ticks."""
    toggle(mach, 1)
    amtracer.pause(mach)
    toggle(mach, 1)
    amtracer.resume(mach)
    resumed: Any = caught.events[-1]
    resumed.row += 1  # as if it was counted just now, but had not changed anything
    toggle(mach, 70)
    reader = recorded(caught.events)

    assert reader.rows == [72]
    assert sum(count for count, _ in gaps(reader)) + len(reader.transitions[0]) == 72
    assert reader.dropped[-1].ticks[0] == 2 * 63 - 1


def test_a_paused_machine_calls_nothing_of_the_tracer(mach: am.Machine, caught: FakeSender) -> None:
    """Its mutations run no function of this package, and make no transition."""
    called: list[str] = []
    amtracer.pause(mach)

    def watch(frame: Any, event: str, _: object) -> None:
        if event == "call":
            called.append(frame.f_code.co_filename)

    sys.setprofile(watch)
    try:
        toggle(mach, 100)
    finally:
        sys.setprofile(None)

    assert len(called) >= 100
    assert not [name for name in called if "amtracer" in name or name.endswith("_walk.py")]


def test_threads_may_pause_while_others_mutate() -> None:
    """The sent transitions and the counts of gaps add up to all transitions."""
    machines = [am.Machine(None, STRUCT, id=f"m{at}") for at in range(4)]
    caught = FakeSender()
    for one in machines:
        caught.trace(one)
    done = threading.Event()

    def switch() -> None:
        while not done.is_set():
            amtracer.pause()
            amtracer.resume(machines[0])
            amtracer.resume()

    switching = threading.Thread(target=switch)
    working = [threading.Thread(target=toggle, args=(one, 2_000)) for one in machines]
    switching.start()
    for thread in working:
        thread.start()
    for thread in working:
        thread.join()
    done.set()
    switching.join()
    for one in machines:
        toggle(one, 100)
    reader = recorded(caught.events)

    lost = [0] * 4
    for gap in reader.dropped:
        lost[gap.machine] += gap.count
    counts = {
        one.id: len(reader.transitions[at]) + lost[at] for at, one in enumerate(reader.machines)
    }
    assert counts == {f"m{at}": 2_100 for at in range(4)}
