"""What Go programs send becomes our messages: clocks, steps, lines, and what they mean."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from am_dbg.ingest.golang.clock import changes, ticks_before
from am_dbg.ingest.golang.convert import ATTACHED_LATE, CLOCK_WENT_BACK
from am_dbg.ingest.golang.go_machine import REMEMBERED_MAX
from am_dbg.ingest.golang.go_queue import MUTATIONS_MAX, STACK_CHARS_MAX
from am_dbg.ingest.golang.gob_types import Boxed
from am_dbg.ingest.golang.log import LevelScale, canceled_by, source_of, without_prefix
from am_dbg.ingest.golang.primitives import GobError
from am_dbg.ingest.golang.records import schema_of, transition_of
from am_dbg.ingest.golang.steps import marked, steps_of
from am_dbg.store import Track
from amtracer.wire import limits
from amtracer.wire.messages import Source, StateDef, StepDef
from amtracer.wire.vocabulary import ShapeFlag, StepFlag, handler_name
from tests.dbg.golang_history import Converting

NAMES = ("Start", "Ready", "Ping")
REQUESTED, SET, REMOVE, HANDLER, RELATION = 32, 4, 8, 2, 1


def schema(*names: str, **fields: Any) -> Any:
    record = {"ID": "m", "StatesIndex": names or NAMES, "States": {"Ping": {"Multi": True}}}
    return schema_of({**record, **fields})


def record(*clocks: int, called: tuple[str, ...] = ("Start",), **fields: Any) -> dict[str, Any]:
    """An accepted transition that sets what it calls."""
    steps = tuple({"Type": kind, "ToState": name} for kind in (REQUESTED, SET) for name in called)
    whole = {
        "MachineID": "m",
        "ID": "a" * 32,
        "Clocks": clocks,
        "Accepted": True,
        "CalledStates": called,
        "Steps": steps,
    }
    return {**whole, **fields}


def line(level: int, text: str) -> dict[str, Any]:
    return {"Level": level, "Text": text}


def reported(*records: dict[str, Any], newer: bool = False) -> Track:
    """The track of a machine that sent these transitions over a live connection."""
    converting = Converting(newer=newer)
    converting.converter.schema(schema())
    for at, one in enumerate(records, 1):
        converting.converter.transition(one, time_ns=at)
    return converting.track()


# The clock.


def test_growth_is_signed_by_what_the_state_is_afterwards() -> None:
    """Activated +1, deactivated -1, re-entered +2, on and off again -2, a gap as it is."""
    assert changes((0, 1, 1, 0, 0), (1, 2, 3, 2, 5)) == (
        (0, 1),
        (1, -1),
        (2, 2),
        (3, -2),
        (4, 5),
    )


def test_a_clock_that_goes_back_or_leaps_has_no_growth() -> None:
    """A shape cannot say it, at the limit and one past it."""
    assert changes((2,), (1,)) is None
    assert changes((0,), (limits.GROWTH_MAX,)) == ((0, -limits.GROWTH_MAX),)
    assert changes((0,), (limits.GROWTH_MAX + 1,)) is None


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=9))
def test_growth_added_to_the_clock_before_gives_the_clock_after(
    pairs: list[tuple[int, int]],
) -> None:
    """The sizes of the changes are what the ticks grew."""
    before = tuple(tick for tick, _ in pairs)
    after = tuple(tick + growth for tick, growth in pairs)
    grown = changes(before, after)
    assert grown is not None
    sizes = dict(grown)

    assert tuple(tick + abs(sizes.get(at, 0)) for at, tick in enumerate(before)) == after
    assert all((growth > 0) == (after[at] % 2 == 1) for at, growth in grown)


def test_the_clock_before_is_what_the_steps_do_not_explain() -> None:
    """Set and removed states grew by one, a called multi state again by two."""
    states = (StateDef("Start"), StateDef("Old"), StateDef("Ping", multi=True), StateDef("Gone"))
    steps = (StepDef(SET, target=0), StepDef(REMOVE, target=3))

    assert ticks_before((3, 7, 5, 4), states, (0, 2), steps) == (2, 7, 3, 3)


def test_a_machine_traced_late_begins_with_the_ticks_it_had() -> None:
    """What its first transition did not do was there before it, after a gap."""
    track = reported(record(3, 1, 0))

    assert track.clock_at(0) == (0, 0, 0)
    assert track.transition(1).shape.changes == ((0, 1),)
    assert track.clock_at(1) == (3, 1, 0)
    assert [(gap.after_number, gap.lost, gap.reason) for gap in track.gaps] == [
        (0, 0, ATTACHED_LATE)
    ]


def test_a_machine_enters_with_its_ticks_when_its_first_transition_is_at_hand() -> None:
    """In a file nothing needs to be corrected afterwards."""
    converting = Converting()
    converting.converter.schema(schema(), record(3, 1, 0))
    converting.converter.transition(record(3, 1, 0))
    track = converting.track()

    assert track.clock_at(0) == (2, 1, 0)
    assert not track.gaps


def test_a_first_transition_that_cannot_be_read_leaves_the_ticks_at_zero() -> None:
    """The machine enters all the same, and the transition is a gap."""
    converting = Converting()
    converting.converter.schema(schema(), record(3, 1, 0, called=("Unknown",)))
    converting.converter.transition(record(3, 1, 0, called=("Unknown",)))
    track = converting.track()

    assert track.clock_at(0) == (0, 0, 0)
    assert [gap.lost for gap in track.gaps] == [1]


def test_a_first_transition_that_was_refused_explains_nothing() -> None:
    """A canceled transition changed no tick, so all of them are older."""
    track = reported(record(3, 1, 0, Accepted=False))

    assert track.transition(1).shape.changes == ()
    assert track.clock_at(1) == (3, 1, 0)


def test_a_clock_that_goes_back_is_a_gap() -> None:
    """Another machine took the id, or ticks were lost: history goes on from the new clock."""
    track = reported(record(5, 0, 0), record(1, 0, 0))

    assert [track.clock_at(number)[0] for number in (1, 2)] == [5, 1]
    assert [(gap.after_number, gap.reason) for gap in track.gaps][-1] == (1, CLOCK_WENT_BACK)


def test_fewer_ticks_than_states_leave_the_others_alone() -> None:
    """The schema grew before the transition was sent."""
    track = reported(record(1, 0, 1, called=("Start", "Ping")), record(2, called=()))

    assert track.clock_at(2) == (2, 0, 1)


def test_more_ticks_than_states_add_states_without_a_name() -> None:
    """The clock is kept whole; when the schema comes, the states get their names."""
    converting = Converting()
    converting.converter.schema(schema())
    converting.converter.transition(record(1, 0, 0))
    converting.converter.transition(record(1, 0, 0, 1, called=()))
    converting.converter.schema(schema(*NAMES, "Extra"))
    converting.converter.transition(record(1, 0, 0, 2, called=("Extra",), Type=1, Steps=()))
    track = converting.track()

    assert [state.name for state in track.schema_at(2)] == [*NAMES, "state 3"]
    assert [state.name for state in track.schema_at(3)] == [*NAMES, "Extra"]
    assert track.clock_at(3) == (1, 0, 0, 2)
    assert track.transition(3).shape.changes == ((3, -1),)


def test_a_changed_schema_keeps_ticks_by_name() -> None:
    """States that were moved keep their ticks, new ones begin at zero."""
    converting = Converting()
    converting.converter.schema(schema())
    converting.converter.transition(record(1, 0, 3, called=("Start", "Ping")))
    converting.converter.schema(schema("Ping", "New", "Start"))
    converting.converter.transition(record(3, 1, 1, called=("New",)))
    track = converting.track()

    assert [state.name for state in track.schema_at(1)] == list(NAMES)
    assert [state.name for state in track.schema_at(2)] == ["Ping", "New", "Start"]
    assert track.transition(2).shape.changes == ((1, 1),)


def test_the_same_schema_reported_again_changes_nothing() -> None:
    """Programs repeat their schema; that is no break in the history."""
    converting = Converting()
    for _ in range(2):
        converting.converter.schema(schema())
        converting.converter.transition(record(1, 0, 0))

    assert not converting.track().gaps


def test_more_ticks_than_a_schema_may_have_states_are_refused() -> None:
    """One past the limit the transition is counted as lost, at the limit it is not."""
    track = reported(
        record(*[0] * limits.STATES_MAX, called=()),
        record(*[0] * (limits.STATES_MAX + 1), called=()),
    )

    assert track.count == 1
    assert track.gaps[-1].lost == 1


# Checked, queued and refused.


def test_a_check_moves_no_clock() -> None:
    """A transition that only asked whether it could is marked, whatever clock it has."""
    track = reported(record(1, 0, 0), record(1, 1, 0, called=("Ready",), IsCheck=True))

    assert track.transition(2).shape.flags & ShapeFlag.CHECK
    assert track.transition(2).shape.changes == ()
    assert track.clock_at(2) == (1, 0, 0)


def test_a_queued_mutation_becomes_a_line_of_what_follows() -> None:
    """It is no transition; where it was asked for stays as a line of the lowest interest."""
    queued = record(0, 0, 0, IsQueued=True, Steps=(), Args={"n": "1"}, StackTrace="main.go:7")
    track = reported(queued, record(1, 0, 0))

    assert track.count == 1
    assert track.transition(1).pre_lines == (
        (2, "[queue:add] Start (n=1)"),
        (4, "[queue:stack] Start\nmain.go:7"),
    )


def test_a_queued_mutation_may_name_states_by_index() -> None:
    """Newer programs do; one out of range is named by its place."""
    queued = record(0, 0, 0, IsQueued=True, Steps=(), called=(), CalledStatesIdxs=(1, 9))
    track = reported(queued, record(1, 0, 0))

    assert track.transition(1).pre_lines == ((2, "[queue:add] Ready state 9"),)


def test_a_queued_mutation_the_program_logged_is_not_reported_twice() -> None:
    """The line of the program is enough."""
    logged = (line(2, "[queue:add] Start"),)
    track = reported(
        record(0, 0, 0, IsQueued=True, Steps=()), record(1, 0, 0, PreLogEntries=logged)
    )

    assert track.transition(1).pre_lines == ((2, "[queue:add] Start"),)


def test_a_queued_mutation_reports_the_clock_before_the_first_transition() -> None:
    """It comes with the clock as it stands, which is exact."""
    track = reported(
        record(4, 1, 0, IsQueued=True, called=("Ready",), Steps=()),
        record(5, 1, 0, called=("Start",), Steps=()),
    )

    assert track.transition(1).shape.changes == ((0, 1),)


def test_queued_mutations_without_end_take_no_memory_without_end() -> None:
    """Only so many are remembered for a transition that may never come."""
    track = reported(*[record(0, 0, 0, IsQueued=True, Steps=())] * 2_000, record(1, 0, 0))

    assert len(track.transition(1).pre_lines) <= limits.LINES_MAX


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"CalledStates": ("Unknown",)}, "unknown state Unknown"),
        ({"CalledStates": (), "CalledStatesIdxs": (7,)}, "unknown state 7"),
        ({"CalledStates": (), "CalledStatesIdxs": (-1,)}, "out of range"),
        ({"Clocks": (2**62 + 1,)}, "out of range"),
        ({"Clocks": "text"}, "Clocks is no tuple"),
        ({"Type": 4}, "out of range"),
        ({"Accepted": 1}, "Accepted is no bool"),
        ({"Steps": ({"Type": 1, "FromStateIdx": 9},)}, "state 9 of 3"),
        ({"Steps": ({"Type": 1, "RelType": 9},)}, "relation 9"),
        ({"Steps": ({"Type": 256},)}, "whose Type is 256"),
        ({"Steps": (5,)}, "no struct"),
        ({"LogEntries": ({"Level": 2, "Text": 5},)}, "Text is no str"),
    ],
)
def test_what_cannot_be_represented_is_a_gap_with_its_reason(
    fields: dict[str, Any], reason: str
) -> None:
    """The transition is counted as lost, the ones after it are read."""
    converting = Converting()
    converting.converter.schema(schema())
    converting.converter.transition(record(1, 0, 0))
    converting.converter.transition(record(1, 0, 0, **fields))
    converting.converter.transition(record(1, 1, 0, called=("Ready",)))
    track = converting.track()

    assert track.count == 2
    assert [(gap.after_number, gap.lost) for gap in track.gaps] == [(1, 1)]
    assert reason in track.gaps[0].reason
    assert (converting.converter.refused, converting.converter.last_refusal) == (
        1,
        track.gaps[0].reason,
    )


def test_a_transition_of_an_unknown_machine_is_an_error() -> None:
    """There is no track that could show it."""
    with pytest.raises(GobError, match="unknown machine 'other'"):
        Converting().converter.transition(record(1, MachineID="other"))


@pytest.mark.parametrize(
    "record",
    [
        {"StatesIndex": ("A", "A")},
        {"StatesIndex": tuple(map(str, range(limits.STATES_MAX + 1)))},
        {"StatesIndex": (1,)},
        {"StatesIndex": ("A",), "States": {"A": {"Require": "B"}}},
        {"ID": 5},
        7,
    ],
)
def test_a_schema_that_makes_no_sense_is_an_error(record: object) -> None:
    """Names are texts, no two are equal, and there are not too many."""
    with pytest.raises(GobError):
        schema_of(record)


def test_a_time_that_is_none_is_taken_from_the_transition_before() -> None:
    """Sessions may lack times; order is kept."""
    track = reported(record(1, 0, 0))
    assert track.time_at(1) == 1
    assert transition_of({"Time": b"\x01\x02"}).time_ns is None
    assert transition_of({"Time": b"\x01" + b"\x7f" * 14}).time_ns is None


# Steps.


def test_names_count_before_indexes() -> None:
    """Where steps have names, their indexes are zero and mean nothing."""
    index = {"A": 0, "B": 1}
    named = ({"Type": 1, "RelType": 2, "FromState": "B", "ToState": "A"}, {"Type": 4})
    indexed = ({"Type": 1, "RelType": 2, "FromStateIdx": 1}, {"Type": 4, "FromStateIdx": -1})

    assert steps_of(named, index) == (StepDef(1, 2, 0, 1, 0), StepDef(4))
    assert steps_of(indexed, index) == (StepDef(1, 2, 0, 1, 0), StepDef(4, -1, 0, -1, 0))


def test_a_relation_may_be_boxed() -> None:
    """Old programs put the kind of a relation in an interface, "after" too."""
    steps = [
        {"Type": 1, "FromState": "A", "ToState": "A", "Data": Boxed("machine.Relation", kind)}
        for kind in range(4)
    ]

    assert [step.relation for step in steps_of(tuple(steps), {"A": 0})] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("record", "name"),
    [
        ({"ToState": "A"}, "AEnter"),
        ({"FromState": "A"}, "AExit"),
        ({"FromState": "A", "ToState": "B"}, "AB"),
        ({"FromState": "A", "IsFinal": True, "IsEnter": True}, "AState"),
        ({"ToState": "A", "IsFinal": True, "IsEnter": True}, "AState"),
        ({"ToState": "A", "IsFinal": True}, "AEnd"),
        ({"FromState": "A", "IsSelf": True}, "AA"),
        ({"ToState": "A", "IsSelf": True}, "AA"),
        ({"ToState": "A", "IsEnter": True}, "AEnter"),
        ({"FromState": "Any", "ToState": "Any"}, "AnyEnter"),
        ({"FromState": "Any", "ToState": "Any", "IsFinal": True, "IsEnter": True}, "AnyState"),
    ],
)
def test_a_handler_step_names_its_handler_whatever_side_its_state_is_on(
    record: dict[str, Any], name: str
) -> None:
    """Programs of different age put the state on different sides; ours has one place."""
    (step,) = steps_of(({"Type": HANDLER, **record},), {"A": 0, "B": 1})

    assert handler_name(step, AB) == name
    if name in ("AState", "AEnd", "AA"):
        assert (step.source, step.target) == (0, -1)


def test_steps_over_the_limit_are_left_out() -> None:
    """A shape holds so many, and not one more."""
    records = [{"Type": 4, "ToState": "A"}] * (limits.STEPS_MAX + 1)

    assert len(steps_of(tuple(records), {"A": 0})) == limits.STEPS_MAX


AB = StateDef("A"), StateDef("B")
ENTER_A, ENTER_B = StepDef(HANDLER, target=0), StepDef(HANDLER, target=1)
STATE_A = StepDef(HANDLER, -1, StepFlag.FINAL | StepFlag.ENTER, 0)


@pytest.mark.parametrize(
    ("steps", "canceled_by", "canceled", "flags"),
    [
        ((ENTER_A, ENTER_B), frozenset(), False, (0, 0)),
        ((ENTER_A, ENTER_B), frozenset(), True, (0, StepFlag.DENIED)),
        ((ENTER_A, ENTER_B), frozenset({"AEnter"}), False, (StepFlag.DENIED, 0)),
        ((ENTER_A, ENTER_B), frozenset({"AEnter"}), True, (StepFlag.DENIED, 0)),
        ((ENTER_A, ENTER_B), frozenset({"timeout"}), True, (0, StepFlag.FAILED)),
        ((ENTER_A, STATE_A), frozenset(), True, (0, StepFlag.FAILED)),
        ((StepDef(SET, target=0),), frozenset({"AEnter"}), True, (0,)),
    ],
)
def test_the_step_that_ended_a_negotiation_is_marked(
    steps: tuple[StepDef, ...],
    canceled_by: frozenset[str],
    canceled: bool,
    flags: tuple[int, ...],
) -> None:
    """The last called handler denied or failed, or the one in a log line did."""
    denied_or_failed = StepFlag.DENIED | StepFlag.FAILED
    after = marked(steps, AB, canceled_by, canceled)

    assert tuple(step.flags & denied_or_failed for step in after) == flags


def test_more_shapes_than_are_remembered_come_right() -> None:
    """The cache of repeated parts is emptied when it is full."""
    records = [
        record(0, 0, 2 * number, called=("Ping",), LogEntries=(line(1, f"line {number}"),))
        for number in range(REMEMBERED_MAX + 3)
    ]
    track = reported(*records, *records)

    for number in range(1, track.count + 1):
        at = (number - 1) % len(records)
        assert track.clock_at(number) == (0, 0, 2 * at)
        assert track.transition(number).lines == ((1, f"line {at}"),)


odd_values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64),
    st.text(max_size=9),
    st.binary(max_size=20),
    st.lists(st.one_of(st.integers(-2, 9), st.sampled_from(NAMES), st.booleans())).map(tuple),
    st.dictionaries(st.sampled_from(["Type", "ToState", "Level", "Text"]), st.integers(0, 99)),
    st.lists(
        st.dictionaries(
            st.sampled_from(
                ["Type", "FromState", "ToStateIdx", "Data", "RelType", "Level", "Text"]
            ),
            st.one_of(st.integers(-2, 200), st.sampled_from(NAMES)),
        ),
        max_size=4,
    ).map(tuple),
)


@pytest.mark.slow
@given(st.lists(st.dictionaries(st.sampled_from(sorted(record(0))), odd_values), max_size=6))
def test_any_field_of_any_kind_is_a_transition_or_a_gap(odd: list[dict[str, Any]]) -> None:
    """A stream may define fields as it likes; whatever comes, a store takes the messages."""
    converting = Converting()
    converting.converter.schema(schema())
    for fields in odd:
        converting.converter.transition({**record(1, 0, 0), **fields}, machine_id="m")
    track = converting.track()

    lost = sum(gap.lost for gap in track.gaps)
    assert track.count + lost == len(odd)
    assert lost == converting.converter.refused


# Log lines.


@pytest.mark.parametrize(
    ("lines", "ours"),
    [
        (((1, "[state] +A"), (2, "[add] A"), (4, "x")), (1, 2, 4)),
        (((2, "[state] +A"), (3, "[add] A"), (5, "x"), (1, "y")), (1, 2, 4, 1)),
        (((3, "[handler:0] AEnter"), (4, "z"), (0, "w")), (2, 3, 0)),
    ],
)
def test_level_numbers_are_learned_from_lines_of_known_level(
    lines: tuple[tuple[int, str], ...], ours: tuple[int, ...]
) -> None:
    """Newer programs count one higher above "nothing"."""
    assert tuple(level for level, _ in LevelScale().ours(lines)) == ours


def test_until_a_line_reports_the_age_of_the_program_does() -> None:
    """A guess holds only as long as nothing else is known."""
    scale = LevelScale(lambda: True)

    assert scale.ours(((3, "who knows"),)) == ((2, "who knows"),)
    assert scale.ours(((1, "[state] +A"), (3, "who knows"))) == (
        (1, "[state] +A"),
        (3, "who knows"),
    )
    assert scale.ours(((3, "who knows"),)) == ((3, "who knows"),)


def test_levels_are_learned_for_each_machine() -> None:
    """A session may hold machines of programs of different age."""
    newer = record(1, 0, 0, LogEntries=(line(2, "[state] +Start"), line(3, "[add] Start")))
    older = record(1, 0, 0, LogEntries=(line(1, "[state] +Start"), line(2, "[add] Start")))

    assert [reported(one).transition(1).lines for one in (newer, older)] == [
        ((1, "[state] +Start"), (2, "[add] Start"))
    ] * 2


def test_a_prefix_of_the_machine_id_is_left_out_where_there_is_one() -> None:
    """Only in front of another bracket, so that a machine may be called "state"."""
    assert without_prefix(((1, "[ps-17] [state] +A"),), "ps-17-disc") == ((1, "[state] +A"),)
    assert without_prefix(((1, "[state] +A"),), "state") == ((1, "[state] +A"),)


def test_a_source_line_is_read_from_its_end() -> None:
    """A machine id may hold slashes; any other line is no source."""
    assert source_of(((2, "[source] a/b/c0ffee/12"),)) == Source("a/b", "c0ffee", 12)
    assert source_of(((2, "[source] nonsense"), (2, "[source] a/b/x"))) is None


def test_a_cancel_line_names_the_handler() -> None:
    """The name stands at its end, after the states that would have become active."""
    lines = ((2, "[cancel] (A B) by AEnter"), (2, "[cancel:self] (A) by AA"), (2, "[add] by X"))

    assert canceled_by(lines) == {"AEnter", "AA"}
    assert canceled_by(((2, "[cancel:reject] B"),)) == frozenset()


def test_args_of_newer_programs_come_as_data() -> None:
    """They are sorted by name, as the map they come in has no order."""
    track = reported(record(1, 0, 0, Args={"name": "x", "id": "7"}))

    assert track.transition(1).args == (("id", "7"), ("name", "x"))


def test_a_line_of_any_length_is_cut_with_a_mark() -> None:
    """A text over the limit of a reader does not lose its transition."""
    long = "[error] " + "x" * (limits.TEXT_BYTES_MAX + 1)
    track = reported(record(1, 0, 0, LogEntries=(line(1, long),)))

    assert track.transition(1).lines[0][1].endswith("more characters)")


# Queues, made-up messages, levels.


def queued(*clocks: int, **fields: Any) -> dict[str, Any]:
    return record(*clocks, IsQueued=True, Steps=(), **fields)


def test_a_message_made_up_by_the_logger_is_no_transition() -> None:
    """Its lines come before the first transition, which begins with the clock of the message."""
    made_up = {
        "MachineID": "m",
        "ID": "schema-semlogger",
        "Clocks": (4, 1, 0),
        "Accepted": True,
        "IsCheck": True,
        "Type": 2,
        "LogEntries": (line(3, "[pipe-out:add] Ready to chi"),),
    }
    track = reported(
        made_up,
        queued(4, 1, 0, ID="schema-semlogger-0", QueueTick=5, MutQueueTick=6),
        record(5, 1, 0, QueueTick=6, Steps=(), LogEntries=(line(3, "[add] Start"),)),
        newer=True,
    )

    assert track.count == 1
    assert track.transition(1).pre_lines[0] == (2, "[pipe-out:add] Ready to chi")
    assert track.transition(1).shape.changes == ((0, 1),)


def test_lines_of_made_up_messages_have_a_limit() -> None:
    """There may be many of them and no transition."""
    made_up = {
        "MachineID": "m",
        "ID": "semlogger",
        "Clocks": (0, 0, 0),
        "IsCheck": True,
        "LogEntries": (line(2, "[pipe-in:add] Ready from chi"),) * 200,
    }
    track = reported(*[made_up] * 20, record(1, 0, 0))

    assert track.count == 1
    assert len(track.transition(1).pre_lines) <= limits.LINES_MAX


def test_a_check_that_calls_states_is_a_transition() -> None:
    """Only one that asks nothing is made up."""
    assert reported(record(0, 0, 0, IsCheck=True, Type=2)).count == 1


def test_mutations_go_to_the_transitions_that_run_them() -> None:
    """Those at the end of the queue by their tick, those before the others by their token."""
    track = reported(
        queued(0, 0, 0, QueueTick=1, MutQueueTick=2, Args={"n": "first"}),
        queued(0, 0, 0, called=("Ready",), QueueTick=2, MutQueueTick=3, Args={"n": "later"}),
        queued(0, 0, 0, called=("Ping",), QueueTick=2, MutQueueToken=1, Args={"err": "at once"}),
        record(1, 0, 0, ID="run", QueueTick=2),
        record(1, 0, 1, called=("Ping",), QueueTick=2, MutQueueToken=1),
        record(1, 1, 1, called=("Ready",), QueueTick=3, Args={"n": "later"}),
    )
    first, error, later = (track.transition(number) for number in (1, 2, 3))

    assert [dict(one.args) for one in (first, error, later)] == [
        {"n": "first"},
        {"err": "at once"},
        {"n": "later"},
    ]
    assert first.source is None
    assert {(one.source.tx, one.source.time) for one in (error, later) if one.source} == {
        ("run", 0)
    }
    assert first.lines == (
        (2, "[queue:add] Ready (n=later)"),
        (2, "[prepend:add] Ping (err=at once)"),
    )
    assert first.pre_lines == ((2, "[queue:add] Start (n=first)"),)
    assert (error.pre_lines, later.pre_lines) == ((), ())


def test_a_mutation_from_another_thread_has_no_source() -> None:
    """Its stack passes by no handler, though a transition ran when it was queued."""
    stacks = {
        "other": "main.poll()\n\tmain.go:7\n",
        "handler": "main.(*H).StartState()\npkg/machine.(*Machine).handlerLoop(0x1)\n",
    }
    for name, stack in stacks.items():
        track = reported(
            queued(0, 0, 0, called=("Ready",), QueueTick=2, MutQueueTick=3, StackTrace=stack),
            record(1, 0, 0, QueueTick=2),
            record(1, 1, 0, called=("Ready",), QueueTick=3),
        )
        assert (track.transition(2).source is not None) == (name == "handler")
        assert track.transition(2).pre_lines == ((4, f"[queue:stack] Ready\n{stack}"),)


def test_an_automatic_mutation_has_no_source() -> None:
    """Auto states try by themselves, whichever transition that follows."""
    track = reported(
        queued(0, 0, 0, called=("Ready",), QueueTick=2, MutQueueToken=1, IsAuto=True),
        record(1, 0, 0, QueueTick=2),
        record(1, 1, 0, called=("Ready",), QueueTick=2, MutQueueToken=1, IsAuto=True),
    )

    assert track.transition(2).source is None


def test_a_mutation_that_is_reported_late_still_reaches_its_transition() -> None:
    """The transition is held until the program sends something else."""
    converting = Converting()
    converting.converter.schema(schema())
    for at, one in enumerate(
        (
            queued(0, 0, 0, QueueTick=1, MutQueueTick=2),
            record(1, 0, 0, QueueTick=2),
            record(1, 1, 0, called=("Ready",), QueueTick=3),
            queued(1, 1, 0, called=("Ready",), QueueTick=3, MutQueueTick=3, Args={"err": "x"}),
        ),
        1,
    ):
        converting.converter.transition(one, time_ns=at)
    track = converting.track()

    assert dict(track.transition(2).args) == {"err": "x"}
    assert track.time_at(2) == 3


def test_mutations_that_never_run_have_a_limit() -> None:
    """The oldest are forgotten; a stack is cut."""
    many = [
        queued(0, 0, 0, QueueTick=1, MutQueueTick=at, StackTrace="s" * 100_000)
        for at in range(2, MUTATIONS_MAX + 12)
    ]
    track = reported(
        *many, record(1, 0, 0, QueueTick=2), record(2, 0, 0, QueueTick=MUTATIONS_MAX + 11)
    )

    assert track.transition(1).pre_lines == ()
    assert max(len(text) for _, text in track.transition(2).pre_lines) < STACK_CHARS_MAX + 100


@pytest.mark.parametrize(
    ("shift", "levels"), [(0, (1, 2, 3, 4)), (1, (2, 3, 4, 5)), (2, (3, 4, 5, 6))]
)
def test_levels_of_every_numbering_are_ours(shift: int, levels: tuple[int, ...]) -> None:
    """Lines from outside are at the lowest level that is shown in each."""
    texts = ("[state] +Start", "[add] Start", "[add:auto] Ready", "[handle:x] StartEnter")
    entries = tuple(line(level, text) for level, text in zip(levels, texts, strict=True))
    extern = (line(1, "[extern] outside"),)
    track = reported(record(1, 0, 0, LogEntries=entries, PreLogEntries=extern))

    assert [level for level, _ in track.transition(1).lines] == [1, 2, 3, 4]
    assert [level for level, _ in track.transition(1).pre_lines] == [1]
