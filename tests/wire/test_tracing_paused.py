"""A recording that is paused: nothing is told, and afterwards one gap says how much."""

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
from tests.wire.streams import Book
from tests.wire.tracing import Caught, Teller, ticks_after, told

STRUCT = {"M": am.State(multi=True), "Not": am.State()}


@pytest.fixture(autouse=True)
def _nothing_stays_paused() -> Iterator[None]:
    yield
    amtracer.resume()


@pytest.fixture
def mach() -> am.Machine:
    return am.Machine(None, STRUCT, id="m")


@pytest.fixture
def caught(mach: am.Machine) -> Caught:
    caught = Caught()
    caught.trace(mach)
    return caught


def toggle(mach: am.Machine, times: int) -> None:
    for _ in range(times):
        mach.add1("M")


def gaps(book: Book) -> list[tuple[int, str]]:
    return [(gap.count, gap.reason) for gap in book.dropped]


def test_nothing_is_told_while_paused(mach: am.Machine, caught: Caught) -> None:
    """However much a machine does, the sender hears only that it paused."""
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
def test_a_gap_counts_what_would_have_been_told(with_handlers: bool) -> None:
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

    watched, counted = Caught(), Caught()
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
    book = told(counted.events)

    assert count > 75
    assert gaps(book) == [(count, PAUSED)]
    assert list(book.dropped[0].ticks) == ticks_after(told(watched.events))


def test_after_a_pause_the_ticks_are_those_of_the_machine(mach: am.Machine, caught: Caught) -> None:
    """The gap says where the machine stands, without waiting for a transition."""
    toggle(mach, 3)
    amtracer.pause(mach)
    toggle(mach, 70)
    mach.add1("Not")
    amtracer.resume(mach)
    book = told(caught.events)

    assert list(book.dropped[-1].ticks) == list(mach.time())


def test_a_pause_without_transitions_leaves_no_trace(mach: am.Machine, caught: Caught) -> None:
    """Nothing is missing, so there is nothing to say."""
    toggle(mach, 3)
    amtracer.pause(mach)
    amtracer.resume(mach)
    toggle(mach, 3)
    book = told(caught.events)

    assert gaps(book) == []
    assert len(book.told[0]) == 6


def test_pausing_and_resuming_again_is_no_matter(mach: am.Machine, caught: Caught) -> None:
    """A machine is paused or not; how often that was asked for does not count."""
    for _ in range(3):
        amtracer.pause(mach)
    toggle(mach, 2)
    for _ in range(3):
        amtracer.resume(mach)
    toggle(mach, 2)

    assert gaps(told(caught.events)) == [(2, PAUSED)]
    assert len(mach.tracers()) == 1


def test_every_pause_is_a_gap_of_its_own(mach: am.Machine, caught: Caught) -> None:
    """What is told between two pauses stands between two gaps."""
    for times in (1, 2, 3):
        toggle(mach, 1)
        amtracer.pause(mach)
        toggle(mach, times)
        amtracer.resume(mach)
    book = told(caught.events)

    assert gaps(book) == [(1, PAUSED), (2, PAUSED), (3, PAUSED)]
    assert len(book.told[0]) == 3


def test_what_was_lost_before_a_pause_is_not_counted_with_it(
    mach: am.Machine, caught: Caught
) -> None:
    """A full queue and a pause are two gaps with two reasons."""
    toggle(mach, 9)
    amtracer.pause(mach)
    toggle(mach, 4)
    amtracer.resume(mach)
    kept = [event for event in caught.events if type(event) is not tuple or event[2] < 3]

    assert gaps(told(kept)) == [(7, LOST), (4, PAUSED)]


def test_a_lost_word_of_the_pause_is_made_up_for(mach: am.Machine, caught: Caught) -> None:
    """When a full queue let the end of a pause go too, the next transition tells it."""
    toggle(mach, 2)
    amtracer.pause(mach)
    toggle(mach, 4)
    amtracer.resume(mach)
    toggle(mach, 2)
    kept = [event for event in caught.events if type(event) is not ResumedEvent]
    book = told(kept)

    assert gaps(book) == [(4, PAUSED)]
    assert len(book.told[0]) == 4


def test_a_schema_changed_in_a_pause_is_told_afterwards(mach: am.Machine, caught: Caught) -> None:
    """First the new states, then how many transitions are missing, then what comes."""
    toggle(mach, 1)
    amtracer.pause(mach)
    toggle(mach, 1)
    mach.set_struct({**STRUCT, "New": am.State()}, ["New", *mach.state_names()])
    toggle(mach, 1)
    amtracer.resume(mach)
    mach.add1("New")
    book = told(caught.events)

    assert [len(schema.states) for schema in book.schemas] == [3, 4]
    assert gaps(book) == [(2, PAUSED)]
    assert book.told[0][-1].shape.changes == ((0, 1),)
    assert list(book.dropped[-1].ticks) == [0, *list(mach.time())[1:]]


def test_a_transition_that_comes_before_the_word_of_the_resumption_means_the_new_schema(
    mach: am.Machine, caught: Caught
) -> None:
    """Another thread may be so quick; its transition tells all that is needed."""
    amtracer.pause(mach)
    mach.set_struct({**STRUCT, "New": am.State()}, ["New", *mach.state_names()])
    amtracer.resume(mach)
    mach.add1("New")
    early = caught.events.pop()
    caught.events.insert(-1, early)
    assert type(caught.events[-1]) is ResumedEvent
    toggle(mach, 1)
    book = told(caught.events)

    assert gaps(book) == []
    assert [one.shape.changes for one in book.told[0]] == [((0, 1),), ((1, 1),)]


def test_a_machine_disposed_in_a_pause_is_gone(mach: am.Machine, caught: Caught) -> None:
    """Its end is told at once, and resuming it says nothing more."""
    toggle(mach, 1)
    amtracer.pause(mach)
    toggle(mach, 1)
    mach.dispose_force()
    amtracer.resume(mach)

    assert told(caught.events).gone == [0]
    assert type(caught.events[-1]) is GoneEvent


def test_a_machine_that_is_gone_says_nothing_any_more(mach: am.Machine) -> None:
    """Whoever looks at it just then finds no ticks, and tells none."""
    caught = Caught()
    guest = MachineTracer(mach, caught.sender)
    mach.dispose_force()
    guest.bind_paused(mach)
    guest.resume(mach)
    guest.pause(mach)
    guest.send_snapshot(mach)

    assert caught.events == []


def test_what_was_told_is_not_taken_back(mach: am.Machine, caught: Caught) -> None:
    """The word of a pause that comes late, when more was told, only says that it is one."""
    toggle(mach, 1)
    amtracer.pause(mach)
    paused: Any = caught.events.pop()
    amtracer.resume(mach)
    toggle(mach, 1)
    caught.events.append(paused)
    toggle(mach, 1)
    book = told(caught.events)

    assert gaps(book) == []
    assert len(book.told[0]) == 3


def test_other_tracers_are_left_alone(mach: am.Machine, caught: Caught) -> None:
    """A pause concerns what is told to a debugger; who watches in the program goes on."""

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
    assert gaps(told(caught.events)) == [(2, PAUSED)]


def test_a_paused_machine_is_not_kept_alive() -> None:
    """One that nobody has any more is collected, and told as gone."""
    mach = am.Machine(None, STRUCT, id="m")
    caught = Caught()
    caught.trace(mach)
    amtracer.pause(mach)
    alive = weakref.ref(mach)
    del mach
    gc.collect()

    assert alive() is None
    assert told(caught.events).gone == [0]


def test_submachines_are_paused_and_resumed_along(mach: am.Machine, caught: Caught) -> None:
    """Those that were there and those made meanwhile, at any depth; each has its own gap."""
    before = am.Machine(None, STRUCT, id="before", parent=mach)
    amtracer.pause(mach)
    during = am.Machine(None, STRUCT, id="during", parent=before)
    for one in (mach, before, during):
        toggle(one, 2)
    assert caught.transitions() == []
    amtracer.resume(mach)
    toggle(during, 1)
    book = told(caught.events)

    assert [(one.id, one.parent) for one in book.machines] == [
        ("m", ""),
        ("before", "m"),
        ("during", "before"),
    ]
    assert gaps(book) == [(2, PAUSED)] * 3
    assert len(book.told[2]) == 1


def test_a_submachine_may_go_on_alone(mach: am.Machine, caught: Caught) -> None:
    """The last call that concerns a machine counts."""
    child = am.Machine(None, STRUCT, id="child", parent=mach)
    amtracer.pause(mach)
    amtracer.resume(child)
    toggle(mach, 2)
    toggle(child, 2)

    assert {event[0].machine.id for event in caught.transitions()} == {"child"}


def test_a_machine_that_came_and_went_in_a_pause_is_not_told(
    mach: am.Machine, caught: Caught
) -> None:
    """Nobody could have seen it do anything."""
    amtracer.pause(mach)
    child = am.Machine(None, STRUCT, id="child", parent=mach)
    toggle(child, 2)
    child.dispose_force()
    amtracer.resume(mach)

    assert [one.id for one in told(caught.events).machines] == ["m"]


def test_all_machines_may_be_paused_at_once(mach: am.Machine, caught: Caught) -> None:
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
    book = told(caught.events)

    assert [one.id for one in book.machines] == ["m", "other", "late"]
    assert gaps(book) == [(3, PAUSED)] * 3


def test_other_machines_go_on(mach: am.Machine, caught: Caught) -> None:
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


def test_a_pause_may_begin_and_end_in_handlers(mach: am.Machine, caught: Caught) -> None:
    """The transition that pauses is not told, the one that resumes is."""

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
    book = told(caught.events)

    assert gaps(book) == [(1 + 3, PAUSED)]
    assert [one.shape.type for one in book.told[0]] == [0, 1, 0]
    assert all(one.time_ns > 0 <= one.duration_ns for one in book.told[0])
    assert max(one.duration_ns for one in book.told[0]) < min(one.time_ns for one in book.told[0])


def test_a_new_stream_in_a_pause_has_the_machine_where_it_paused(
    mach: am.Machine, caught: Caught
) -> None:
    """After a reconnect the machine is there, and the gap comes when it goes on."""
    teller = Teller()
    teller.begin()
    toggle(mach, 3)
    amtracer.pause(mach)
    toggle(mach, 4)
    teller.take(caught.events)
    caught.events.clear()
    teller.begin()
    amtracer.resume(mach)
    toggle(mach, 1)
    teller.take(caught.events)
    book = teller.book()

    assert book.machines[0].row == 3
    assert gaps(book) == [(4, PAUSED)]
    assert book.rows == [8]


def test_what_was_counted_before_it_came_makes_the_ticks_unknown(
    mach: am.Machine, caught: Caught
) -> None:
    """A look at a machine in the middle of a change is mended by the next ticks that are told."""
    toggle(mach, 1)
    amtracer.pause(mach)
    toggle(mach, 1)
    amtracer.resume(mach)
    resumed: Any = caught.events[-1]
    resumed.row += 1  # as if it was counted just now, but had not changed anything
    toggle(mach, 70)
    book = told(caught.events)

    assert book.rows == [72]
    assert sum(count for count, _ in gaps(book)) + len(book.told[0]) == 72
    assert book.dropped[-1].ticks[0] == 2 * 63 - 1


def test_a_paused_machine_calls_nothing_of_the_tracer(mach: am.Machine, caught: Caught) -> None:
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
    """Whatever is told and what gaps count come to all that was done."""
    machines = [am.Machine(None, STRUCT, id=f"m{at}") for at in range(4)]
    caught = Caught()
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
    book = told(caught.events)

    lost = [0] * 4
    for gap in book.dropped:
        lost[gap.machine] += gap.count
    told_of = {one.id: len(book.told[at]) + lost[at] for at, one in enumerate(book.machines)}
    assert told_of == {f"m{at}": 2_100 for at in range(4)}
