"""What a traced machine did is what a reader learns, to the last field."""

from __future__ import annotations

import gc
import math
import weakref
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import machine as am
from amtracer.encode.stream_writer import StreamFullError
from amtracer.send import shapes
from amtracer.send.event_writer import LOST, UNIT_NS, UNTRACED
from amtracer.send.events import TICKS_MASK, GoneEvent, SnapshotEvent
from amtracer.tracer import MachineTracer
from amtracer.wire import limits
from amtracer.wire.messages import MachineMessage, Shape, StateDef, StepDef
from amtracer.wire.vocabulary import ShapeFlag, StepFlag
from tests.wire.streams import StreamReader
from tests.wire.tracing import FakeSender, StreamRecorder, recorded, ticks_after

STRUCT = {
    "A": am.State(add=["B"]),
    "B": am.State(require=["A"]),
    "C": am.State(auto=True, require=["B"]),
    "M": am.State(multi=True),
    "Not": am.State(remove=["A"]),
}


PLAIN = {"M": am.State(multi=True), "Not": am.State()}


def traced(struct: dict[str, am.State] = STRUCT, **options: Any) -> tuple[am.Machine, FakeSender]:
    mach = am.Machine(None, struct, id="m", **options)
    caught = FakeSender()
    caught.trace(mach)
    return mach, caught


def walk(mach: am.Machine) -> None:
    """A few transitions of every kind."""
    mach.add1("A")
    mach.add("M")
    mach.add("M")
    mach.add1("Not")
    mach.remove(["Not", "M"])
    mach.set(["A", "M"])


def test_a_machine_is_sent_with_its_schema() -> None:
    """Id, parent, tags, states with their relations and ticks come first."""
    parent = am.Machine(None, {"X": am.State()}, id="p")
    mach = am.Machine(None, STRUCT, id="m", parent=parent, tags=["t:1"])
    caught = FakeSender()
    caught.trace(mach)
    reader = recorded(caught.events)

    assert reader.machines == [
        MachineMessage(0, "m", 0, "p", ("t:1",), (), 0, mach.tx_prefix, UNIT_NS),
    ]
    assert reader.schemas[0].states == (
        StateDef("A", add=("B",)),
        StateDef("B", require=("A",)),
        StateDef("C", auto=True, require=("B",)),
        StateDef("M", multi=True),
        StateDef("Not", remove=("A",)),
        StateDef("Exception", multi=True),
    )


def test_a_shape_contains_all_that_repeats_of_a_transition() -> None:
    """Type, called states, flags, signed growth and the steps in their order."""
    mach, caught = traced()
    mach.add1("A")
    first = recorded(caught.events).transitions[0][0].shape

    assert (first.type, first.called, first.flags) == (0, (0,), ShapeFlag.ACCEPTED)
    assert first.changes == ((0, 1), (1, 1))
    assert first.steps[:2] == (StepDef(32, target=0), StepDef(4, target=0))


def test_directions_of_change_are_signed() -> None:
    """Activated, deactivated and activated again are distinguished."""
    mach, caught = traced()
    walk(mach)
    changes = [one.shape.changes for one in recorded(caught.events).transitions[0]]

    assert ((3, 1),) in changes
    assert ((3, 2),) in changes
    assert any((0, -1) in change and (4, 1) in change for change in changes)


def test_ticks_follow_from_the_shapes() -> None:
    """The growth of all transitions leads to where the machine stands."""
    mach, caught = traced()
    walk(mach)

    assert ticks_after(recorded(caught.events)) == list(mach.time())


class Handlers:
    def AEnter(self, event: am.Event) -> bool:
        return bool(event.args.get("ok", True))

    def AState(self, event: am.Event) -> None:
        if event.args.get("fail"):
            raise ValueError("no")

    def CEnter(self, event: am.Event) -> bool:
        return not self.deny_c

    deny_c = False


def test_a_denial_is_sent_with_the_handler_that_denied() -> None:
    """A canceled transition changes nothing, and its last step says who said no."""
    mach, caught = traced()
    mach.bind_handlers(Handlers())
    mach.add1("A", {"ok": False})
    last = recorded(caught.events).transitions[0][-1]

    assert last.shape.flags == 0
    assert last.shape.changes == ()
    assert last.shape.steps[-1] == StepDef(2, -1, StepFlag.DENIED, -1, 0)
    assert len(last.handler_ns) == 1


def test_a_failure_after_the_change_is_sent_as_it_was() -> None:
    """A state that was taken back changed twice: on and off again."""
    mach, caught = traced(log_stack_trace=False)
    mach.bind_handlers(Handlers())
    mach.add1("A", {"fail": True})
    reader = recorded(caught.events)
    failed = reader.transitions[0][0]

    assert not failed.shape.flags & ShapeFlag.ACCEPTED
    assert (0, -2) in failed.shape.changes
    assert StepFlag.FAILED in StepFlag(failed.shape.steps[-1].flags)
    assert ticks_after(reader) == list(mach.time())


def test_an_auto_transition_without_a_denied_state_is_sent_as_it_was() -> None:
    """A state that its handler kept out does not count as changed; with no other it is canceled."""
    mach, caught = traced()
    handlers = Handlers()
    handlers.deny_c = True
    mach.bind_handlers(handlers)
    mach.add1("A")
    reader = recorded(caught.events)
    auto = reader.transitions[0][-1]

    assert auto.shape.flags == ShapeFlag.AUTO
    assert auto.shape.changes == ()
    assert ticks_after(reader) == list(mach.time())


@given(st.lists(st.tuples(st.sampled_from("ars"), st.sampled_from("ABCM")), max_size=30))
def test_any_walk_is_sent_as_it_went(calls: list[tuple[str, str]]) -> None:
    """Whatever a machine does, its reader ends at the same ticks after as many transitions."""
    mach, caught = traced()
    mach.bind_handlers(Handlers())
    for kind, state in calls:
        {"a": mach.add, "r": mach.remove, "s": mach.set}[kind](state)
    reader = recorded(caught.events)

    assert ticks_after(reader) == list(mach.time())
    assert len(reader.transitions[0]) == len(caught.transitions())


def units(duration_ns: int) -> int:
    """A duration in whole units, in nanoseconds."""
    return math.ceil(duration_ns / UNIT_NS) * UNIT_NS


def test_times_are_taken_in_the_process() -> None:
    """When it began on the wall clock, how long it took, and each handler, in whole units.

    A moment is rounded down, so that order stays; a duration up, so that none seems unknown.
    """
    mach, caught = traced()
    mach.bind_handlers(Handlers())
    mach.add1("A")
    _, _, _, started_ns, ended_ns, _, handler_ns, *_ = caught.transitions()[0]
    first = recorded(caught.events).transitions[0][0]

    assert first.time_ns == started_ns // UNIT_NS * UNIT_NS
    assert first.duration_ns == units(ended_ns - started_ns)
    assert ended_ns - started_ns > sum(handler_ns) > 0
    assert first.handler_ns == tuple(map(units, handler_ns))


def test_log_lines_come_with_their_level() -> None:
    """Lines of a transition and lines from before it, text and level apart, without the id."""
    mach, caught = traced()
    mach.set_logger_empty(am.LogLevel.OPS)
    mach.log("between")
    mach.add1("A")
    first = recorded(caught.events).transitions[0][0]

    assert (int(am.LogLevel.OPS), "[add] A") in first.lines
    assert (int(am.LogLevel.CHANGES), "[extern] between") in first.pre_lines


def test_arguments_are_short_texts_of_their_moment() -> None:
    """What a caller changes afterwards does not change what was recorded."""
    mach, caught = traced()
    items = [1]
    mach.add1("A", {"items": items, "name": "x"})
    items.append(2)

    assert recorded(caught.events).transitions[0][0].args == (("items", "[1]"), ("name", "'x'"))


def test_a_filter_chooses_the_arguments() -> None:
    """Secrets are replaced or left out before anything is kept."""
    mach = am.Machine(None, STRUCT, id="m")
    caught = FakeSender()
    caught.trace(
        mach, args_filter=lambda id, args: {"id": id, **{k: "***" for k in args if k != "drop"}}
    )
    mach.add1("A", {"password": "hunter2", "drop": 1})

    assert recorded(caught.events).transitions[0][0].args == (("id", "'m'"), ("password", "'***'"))


def test_the_source_of_a_mutation_is_sent() -> None:
    """Machine, transition and its time identify the origin of a mutation."""
    mach, caught = traced()
    other = am.Machine(None, {"Go": am.State()}, id="o")

    class Passing:
        def GoState(self, event: am.Event) -> None:
            mach.ev_add1(event, "A")

    other.bind_handlers(Passing())
    other_caught = FakeSender()
    other_caught.trace(other)
    other.add1("Go")
    source = recorded(caught.events).transitions[0][0].source

    assert source is not None
    assert (source.machine, source.time) == ("o", 0)
    assert source.tx == other.tx_prefix + f"{1:016x}"


def test_a_queue_is_counted() -> None:
    """How many mutations waited when a transition ended."""
    mach, caught = traced(PLAIN)

    class Queueing:
        def MState(self, event: am.Event) -> None:
            event.machine.add1("Not")
            event.machine.remove1("Not")

    mach.bind_handlers(Queueing())
    mach.add1("M")

    assert [one.queue_len for one in recorded(caught.events).transitions[0]] == [2, 1, 0]


def test_equal_transitions_are_one_shape() -> None:
    """A thousand toggles define two shapes."""
    mach, caught = traced(PLAIN)
    for _ in range(500):
        mach.add1("M")
        mach.remove1("M")

    assert recorded(caught.events).definitions == 2


def test_a_machine_is_traced_from_where_it_stands() -> None:
    """Its earlier transitions are not sent, but their number and its ticks are."""
    mach = am.Machine(None, STRUCT, id="m")
    mach.add1("A")
    caught = FakeSender()
    caught.trace(mach)
    mach.add1("M")
    reader = recorded(caught.events)

    assert reader.machines[0].ticks == (1, 1, 1, 0, 0, 0)
    assert reader.transitions[0][0].shape.called == (3,)
    assert ticks_after(reader) == list(mach.time())


def test_a_change_of_schema_is_sent() -> None:
    """Later transitions belong to the new states, at the ticks that were taken over."""
    mach, caught = traced()
    mach.add1("A")
    mach.set_struct({**STRUCT, "New": am.State()}, [*mach.state_names(), "New"])
    mach.add1("New")
    reader = recorded(caught.events)

    assert [len(schema.states) for schema in reader.schemas] == [6, 7]
    assert reader.transitions[0][-1].shape.changes == ((6, 1),)


def test_an_order_of_states_is_sent() -> None:
    """Verifying states may put them in another order, before or after the first transition."""
    mach, caught = traced()
    names = [*mach.state_names()][::-1]
    mach.verify_states(names)
    mach.add1("A")
    reader = recorded(caught.events)

    assert [state.name for state in reader.schemas[-1].states] == names
    assert reader.transitions[0][0].shape.called == (names.index("A"),)


def test_a_disposed_machine_is_gone() -> None:
    """After its disposal nothing more is sent about it."""
    mach, caught = traced()
    mach.dispose_force()

    assert recorded(caught.events).gone == [0]


def test_a_tracer_keeps_no_machine_alive() -> None:
    """A machine without references is collected, and reported as gone."""
    mach, caught = traced()
    mach.bind_handlers(Handlers())
    mach.add1("A")
    alive = weakref.ref(mach)
    del mach
    gc.collect()

    assert alive() is None
    assert recorded(caught.events).gone == [0]


def test_a_tracer_keeps_no_arguments_alive() -> None:
    """An event holds texts, not what they were made of."""

    class Mine:
        pass

    mach, caught = traced()
    mine = Mine()
    alive = weakref.ref(mine)
    mach.add1("A", {"mine": mine})
    del mine
    gc.collect()

    assert alive() is None
    assert recorded(caught.events).transitions[0][0].args == (("mine", "<Mine>"),)


def test_submachines_are_traced_along() -> None:
    """A child of a traced machine goes to the same place, once."""
    mach, caught = traced()
    child = am.Machine(None, {"X": am.State()}, id="child", parent=mach)
    child.add1("X")
    reader = recorded(caught.events)

    assert [(one.id, one.parent) for one in reader.machines] == [("m", ""), ("child", "m")]
    assert len(reader.transitions[1]) == 1


# What is lost.


def lossy(lost: Callable[[int], bool], count: int = 300) -> StreamRecorder:
    """A machine some of whose transitions never reach the sender."""
    mach, caught = traced(PLAIN)
    for _ in range(count // 2):
        mach.add1("M")
        mach.remove1("M")
    recorder = StreamRecorder()
    recorder.begin()
    recorder.record(e for e in caught.events if type(e) is not tuple or not lost(e[2]))
    return recorder


def test_lost_transitions_are_counted() -> None:
    """The gap is as long as what is missing, and the story goes on at the right ticks."""
    reader = lossy(lambda number: 100 <= number < 200).read()

    assert [(gap.count, gap.reason) for gap in reader.dropped] == [(256 - 100, LOST)]
    assert len(reader.transitions[0]) == 99 + (300 - 256 + 1)
    assert list(reader.dropped[0].ticks) == [255, 0, 0]


def test_a_lost_beginning_is_counted() -> None:
    """When even the first words of a machine are lost, it enters later, at its row."""
    mach, caught = traced(PLAIN)
    for _ in range(100):
        mach.add1("M")
    reader = recorded(caught.events[2:])

    assert reader.machines[0].row == TICKS_MASK
    assert len(reader.transitions[0]) == 100 - TICKS_MASK


def test_the_first_transition_contains_all_that_a_machine_needs() -> None:
    """A sender that first gets this event of a machine loses nothing."""
    mach, caught = traced(PLAIN)
    for _ in range(10):
        mach.add1("M")
    reader = recorded(caught.events[1:])

    assert reader.machines[0].row == 0
    assert len(reader.transitions[0]) == 10


def test_what_changes_a_machine_while_it_is_attached_is_a_gap() -> None:
    """Another thread may be in the middle of a transition that nobody watches."""
    mach = am.Machine(None, PLAIN, id="m")
    caught = FakeSender()
    tracer = MachineTracer(mach, caught.sender)
    tracer.send_snapshot(mach)
    mach.add1("M")
    mach.bind_tracer(tracer)
    mach.add1("M")
    reader = recorded(caught.events)

    assert [(gap.count, gap.reason) for gap in reader.dropped] == [(0, UNTRACED)]
    assert list(reader.dropped[0].ticks) == [1, 0, 0]


NEW = {"New": am.State(), **PLAIN}


class Restructured(am.Machine):
    """Stands in for another thread that changes the schema at a certain moment."""

    moment = ""

    def get_struct(self) -> dict[str, am.State]:
        struct = super().get_struct()
        self.reached("looked at")
        return struct

    def bind_tracer(self, tracer: am.Tracer) -> None:
        self.reached("about to be bound")
        super().bind_tracer(tracer)
        self.reached("bound")

    def reached(self, moment: str) -> None:
        if moment == self.moment:
            self.moment = ""
            self.set_struct(NEW, [*NEW, am.EXCEPTION])


@pytest.mark.parametrize("moment", ["looked at", "about to be bound", "bound"])
def test_a_machine_restructured_while_it_is_attached_is_sent_correctly(moment: str) -> None:
    """Whenever another thread changes the schema, transitions are those of the present one."""
    mach = Restructured(None, PLAIN, id="m")
    mach.moment = moment
    caught = FakeSender()
    caught.trace(mach)
    mach.add1("Not")
    reader = recorded(caught.events)

    assert [state.name for state in reader.schemas[-1].states] == mach.state_names()
    assert [one.shape.called for one in reader.transitions[0]] == [(mach.index("Not"),)]
    assert reader.dropped == []


def test_a_snapshot_of_the_machine_ends_a_gap() -> None:
    """Whenever the machine is looked at again the loss is counted at once."""
    mach, caught = traced(PLAIN)
    tracer = next(iter(mach.tracers()))
    for _ in range(10):
        mach.add1("M")
    kept = [e for e in caught.events if type(e) is not tuple or e[2] < 5]
    tracer.send_snapshot(mach)  # type: ignore[attr-defined]
    reader = recorded([*kept, caught.events[-1]])

    assert [gap.count for gap in reader.dropped] == [6]


def test_changes_that_were_not_traced_are_a_gap_without_transitions() -> None:
    """Transitions made without a tracer leave only their ticks."""
    mach, caught = traced(PLAIN)
    tracer = next(iter(mach.tracers()))
    for at in range(70):
        if at == 10:
            mach.detach_tracer(tracer)
            mach.add1("Not")
            mach.bind_tracer(tracer)
        mach.add1("M")
    reader = recorded(caught.events)

    assert [(gap.count, gap.reason) for gap in reader.dropped] == [(0, UNTRACED)]
    assert reader.dropped[0].ticks[1] == 1


def test_a_new_stream_begins_where_the_machines_are() -> None:
    """After a reconnect everything is defined again, and rows continue."""
    mach, caught = traced()
    recorder = StreamRecorder()
    recorder.begin()
    mach.add1("A")
    recorder.record(caught.events)
    caught.events.clear()
    recorder.begin()
    mach.add1("M")
    recorder.record(caught.events)
    reader = recorder.read()

    assert reader.machines[0].row == 2
    assert reader.machines[0].ticks == (1, 1, 1, 0, 0, 0)
    assert ticks_after(reader) == list(mach.time())


def test_a_new_stream_leaves_out_who_is_gone() -> None:
    """A disposed machine is not sent again."""
    mach, caught = traced()
    mach.dispose_force()
    recorder = StreamRecorder()
    recorder.begin()
    recorder.record(caught.events)
    recorder.begin()

    assert recorder.read().machines == []


# Limits.


def test_a_machine_no_reader_would_take_is_refused_in_one_line() -> None:
    """Too many states: a word to the user, and the other machines go on."""
    names = [f"S{at}" for at in range(limits.STATES_MAX)]
    large = am.Machine(None, {name: am.State() for name in names}, id="large")
    mach, caught = traced()
    caught.trace(large)
    large.add1("S0")
    mach.add1("A")
    recorder = StreamRecorder()
    recorder.begin()
    recorder.record(caught.events)

    assert [one.id for one in recorder.read().machines] == ["m"]
    assert len(recorder.warnings) == 1
    assert "'large' cannot be traced: states of a schema: 4,097" in recorder.warnings[0]


def many(count: int) -> FakeSender:
    """As many machines, each gone again."""
    caught = FakeSender()
    for at in range(count):
        mach = am.Machine(None, {"A": am.State()}, id=str(at))
        caught.trace(mach)
        mach.dispose_force()
    return caught


@pytest.mark.slow
def test_a_full_stream_asks_for_a_new_one() -> None:
    """Machine numbers are never used twice, so a program that makes many needs streams."""
    caught = many(limits.MACHINES_PER_CONNECTION_MAX)
    last = am.Machine(None, {"A": am.State()}, id="last")
    recorder = StreamRecorder()
    recorder.begin()
    recorder.record(caught.events)
    caught.events.clear()
    caught.trace(last)

    with pytest.raises(StreamFullError):
        recorder.record(caught.events)
    recorder.begin()
    recorder.record(caught.events)
    assert [one.id for one in recorder.read().machines] == ["last"]


def test_events_are_small_and_of_few_kinds() -> None:
    """Besides transitions a sender only receives snapshots and ends of machines."""
    mach, caught = traced()
    walk(mach)
    mach.dispose_force()

    assert {type(event) for event in caught.events} == {tuple, SnapshotEvent, GoneEvent}
    assert isinstance(recorded(caught.events).transitions[0][0].shape, Shape)


def test_a_machine_is_gone_before_anything_was_sent() -> None:
    """A machine that was disposed before a stream began is not in the stream."""
    mach, caught = traced(PLAIN)
    mach.add1("M")
    mach.dispose_force()
    late = caught.transitions()[0]
    recorder = StreamRecorder()
    recorder.begin()
    recorder.record([caught.events[-1], late, caught.events[0]])

    assert recorder.read().machines == []


def test_a_schema_change_no_reader_would_take_ends_the_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is logged in one line, and later events of it are dropped."""
    mach, caught = traced(PLAIN)
    mach.add1("M")
    monkeypatch.setattr(limits, "STATES_MAX", 3)
    mach.set_struct({**PLAIN, "New": am.State()}, [*mach.state_names(), "New"])
    mach.add1("New")
    tracer = next(iter(mach.tracers()))
    tracer.send_snapshot(mach)  # type: ignore[attr-defined]
    recorder = StreamRecorder()
    recorder.begin()
    recorder.record(caught.events)
    monkeypatch.undo()

    assert len(recorder.read().transitions[0]) == 1
    assert len(recorder.warnings) == 1


def test_more_machines_than_a_stream_names_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many live at once, a new stream has room; the others come when they act."""
    monkeypatch.setattr(limits, "MACHINES_PER_CONNECTION_MAX", 10)
    caught = FakeSender()
    machines = [am.Machine(None, PLAIN, id=str(at)) for at in range(25)]
    recorder, rows, begun = StreamRecorder(), dict.fromkeys(range(25), 0), 0
    recorder.begin()
    for mach in machines:
        caught.trace(mach)
    for mach in machines * 3:
        mach.add1("M")
    for event in caught.events:
        try:
            recorder.writer.write(event)
        except StreamFullError:
            count(recorder.read(), rows)
            recorder.begin()
            begun += 1
            recorder.writer.write(event)
    count(recorder.read(), rows)

    assert rows == dict.fromkeys(range(25), 3)
    assert begun > 3
    assert recorder.warnings == []


def count(reader: StreamReader, rows: dict[int, int]) -> None:
    """Add the machines of a stream to the earlier rows, and check that they continue them."""
    for number, one in enumerate(reader.machines):
        assert one.row == rows[int(one.id)]
        rows[int(one.id)] += len(reader.transitions[number])


def test_schemas_beyond_those_of_a_stream_ask_for_a_new_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A machine that changes its schema again and again goes on in the next stream."""
    monkeypatch.setattr(limits, "SCHEMAS_MAX", 2)
    mach, caught = traced(PLAIN)
    for name in ("X", "Y"):
        mach.set_struct({**PLAIN, name: am.State()}, [*PLAIN, "Exception", name])
    mach.add1("Y")
    recorder = StreamRecorder()
    recorder.begin()
    with pytest.raises(StreamFullError):
        recorder.record(caught.events)
    recorder.begin()
    recorder.record(caught.events[-1:])

    assert len(recorder.read().transitions[0]) == 1


def test_without_a_stream_only_the_books_are_kept() -> None:
    """Transitions between two streams are counted, not sent."""
    mach, caught = traced(PLAIN)
    recorder = StreamRecorder()
    recorder.begin()
    recorder.record(caught.events)
    recorder.writer.end()
    caught.events.clear()
    mach.add1("M")
    mach.set_struct({**PLAIN, "New": am.State()}, [*mach.state_names(), "New"])
    recorder.record(caught.events)
    recorder.writer.flush()
    caught.events.clear()
    recorder.begin()

    assert recorder.read().machines[0].row == 1


def test_remembered_shapes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many plans a program walks, a sender remembers so many; all are sent correctly."""
    monkeypatch.setattr(shapes, "_OUTCOMES_MAX", 2)
    monkeypatch.setattr(shapes, "_SHAPES_MAX", 2)
    mach, caught = traced()
    mach.bind_handlers(Handlers())
    for _ in range(3):
        walk(mach)
        mach.add1("A", {"ok": False})
        mach.remove(["A", "B", "M"])
    reader = recorded(caught.events)

    assert ticks_after(reader) == list(mach.time())
