"""The store against a naive record: whatever was sent can be queried, and comes back equal.

Every question is asked in every condition of `tests.dbg.model_conditions`.

| what the store answers | test |
|---|---|
| `transition`, `shape_at`, `time_at`, `tx_id_at` | `..comes_back_as_it_was_reported` |
| `Chunk.replay`, as exports and comparisons read rows | `..rows_that_are_read_in_a_run..` |
| `clock_at`, `clock_before`, `time_sum`, `ticks` | `..clocks_and_schemas..` |
| `schema_at`, `index_at`, `states` | `..clocks_and_schemas..` |
| `gaps`, `gaps_after`, `gone` | `..breaks_in_a_history..` |
| `number_of`, `find_transition` | `..found_by_their_ids` |
| `row_at`, `number_at_row`, `row_next` | `..rows_count_what_was_lost` |
| `first_at_or_after`, `last_at_or_before` | `..a_time_leads..` |
| `facts_at` and the facts of sealed chunks | `..facts_of_a_transition..` |
| `source_of` | `..a_source_leads..` |
| `find`, `tracks`, keys of machines with equal ids | `..machines_have_keys..` |
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from am_dbg.store import Fact, Store, Track
from tests.dbg.histories import START_NS, PlayedMachine
from tests.dbg.model import (
    PlayedSession,
    Record,
    called,
    changed,
    is_auto,
    is_canceled,
    is_check,
    is_empty,
    is_error,
    is_health,
    numbered,
    sessions,
)
from tests.dbg.model_conditions import EXAMPLES, Condition, in_each_condition


def pairs(session: PlayedSession, store: Store) -> Iterator[tuple[PlayedMachine, Track]]:
    """Each machine of the model, and its track."""
    yield from zip(session.machines, store.tracks, strict=True)


@in_each_condition
@EXAMPLES
@given(session=sessions)
def test_every_transition_comes_back_as_it_was_reported(
    session: PlayedSession, make: Condition, folder: Path
) -> None:
    """Whatever the batches, segments and chunks, a transition is read as it was recorded."""
    store = make(session, folder)

    assert store.transitions == session.rows
    for machine, kept in pairs(session, store):
        assert kept.count == len(machine.past)
        for number, record in numbered(machine):
            found, happened = kept.transition(number), record["happened"]
            assert found.number == number
            assert found.id == kept.tx_id_at(number) == record["id"]
            assert found.shape == kept.shape_at(number) == happened.shape
            assert found.time_ns == kept.time_at(number) == happened.time_ns
            for name in ("duration_ns", "queue_len", "lines", "pre_lines", "source", "args"):
                assert getattr(found, name) == getattr(happened, name)
            assert found.handler_ns == happened.handler_ns


@in_each_condition
@EXAMPLES
@given(session=sessions)
def test_rows_that_are_read_in_a_run_are_those_that_are_read_alone(
    session: PlayedSession, make: Condition, folder: Path
) -> None:
    """A chunk that is read from end to end gives the values of each transition."""
    for machine, kept in pairs(session, make(session, folder)):
        rows = [row for chunk in kept.chunks for row in chunk.replay(0, chunk.rows)]
        assert len(rows) == len(machine.past)
        for row, record in zip(rows, machine.past, strict=True):
            shape, time, duration, queue_len, lines, pre_lines, source, args, calls, own, _ = row
            happened = record["happened"]
            assert (shape, time, duration) == (
                happened.shape,
                happened.time_ns,
                happened.duration_ns,
            )
            assert (queue_len, lines, pre_lines) == (
                happened.queue_len,
                happened.lines,
                happened.pre_lines,
            )
            assert tuple(zip(args[::2], args[1::2], strict=True)) == happened.args
            assert (source, calls, own) == (happened.source, happened.handler_ns, happened.id)


@in_each_condition
@EXAMPLES
@given(session=sessions, random=st.randoms(use_true_random=False))
def test_clocks_and_schemas_are_those_of_their_moment(
    session: PlayedSession, random: object, make: Condition, folder: Path
) -> None:
    """Ticks and states at any number, asked in any order, are those of that moment."""
    for machine, kept in pairs(session, make(session, folder)):
        numbers = list(range(1, len(machine.past) + 1))
        random.shuffle(numbers)  # type: ignore[attr-defined]
        for number in numbers:
            record = machine.past[number - 1]
            assert kept.schema_at(number) == record["schema"]
            assert kept.clock_at(number) == record["after"]
            assert kept.clock_before(number) == record["before"]
            assert kept.time_sum(number) == sum(record["after"])
            last = {state.name: at for at, state in enumerate(record["schema"])}
            assert [kept.index_at(number, name) for name in last] == list(last.values())
            assert kept.index_at(number, "Nobody") == -1
        assert kept.ticks == tuple(machine.ticks)
        assert kept.states == machine.states


@in_each_condition
@EXAMPLES
@given(session=sessions)
def test_breaks_in_a_history_are_kept_in_their_place(
    session: PlayedSession, make: Condition, folder: Path
) -> None:
    """Lost transitions, late entries, changed schemas, ends and returns are gaps."""
    for machine, kept in pairs(session, make(session, folder)):
        found = [(gap.after_number, gap.lost, gap.kind.name.lower()) for gap in kept.gaps]
        assert found == machine.gaps
        assert kept.gone == machine.gone
        for number in range(kept.count + 1):
            here = [one for one in machine.gaps if one[0] == number]
            assert [(number, gap.lost) for gap in kept.gaps_after(number)] == [
                one[:2] for one in here
            ]


@in_each_condition
@EXAMPLES
@given(session=sessions)
def test_transitions_are_found_by_their_ids(
    session: PlayedSession, make: Condition, folder: Path
) -> None:
    """An id leads to its number, whether it follows the rule or not; others lead nowhere."""
    store = make(session, folder)
    for machine, kept in pairs(session, store):
        for number, record in numbered(machine):
            assert kept.number_of(record["id"]) == number
            assert store.find_transition(machine.id, record["id"]) == (kept, number)
        assert kept.number_of(f"{machine.prefix}{machine.row + 1:016x}") is None
        assert kept.number_of(f"{machine.prefix}{0:016x}") is None
        assert kept.number_of("") is None


@in_each_condition
@EXAMPLES
@given(session=sessions)
def test_rows_count_what_was_lost(session: PlayedSession, make: Condition, folder: Path) -> None:
    """A row leads to the first transition that is held from there on."""
    for machine, kept in pairs(session, make(session, folder)):
        rows = [record["row"] for record in machine.past]
        assert [kept.row_at(number) for number in range(1, kept.count + 1)] == rows
        assert kept.row_next == machine.row
        for row in range(machine.row + 2):
            held = (number for number, one in enumerate(rows, 1) if one >= row)
            assert kept.number_at_row(row) == next(held, kept.count + 1)


@in_each_condition
@EXAMPLES
@given(session=sessions, seconds=st.integers(-9, 60))
def test_a_time_leads_to_the_transitions_around_it(
    session: PlayedSession, seconds: int, make: Condition, folder: Path
) -> None:
    """Look-up by time finds the first at or after and the last at or before, clocks going back."""
    moment = START_NS + seconds * 1_000_000_000

    for machine, kept in pairs(session, make(session, folder)):
        times = [record["happened"].time_ns for record in machine.past]
        after = next((n for n, time in enumerate(times, 1) if time >= moment), None)
        before = max((n for n, time in enumerate(times, 1) if time <= moment), default=0)
        assert kept.first_at_or_after(moment) == after
        assert kept.last_at_or_before(moment) == before


def flags_of(record: Record) -> Fact:
    """The facts of a transition, one by one."""
    facts = (
        (Fact.CANCELED, is_canceled),
        (Fact.AUTO, is_auto),
        (Fact.EMPTY, is_empty),
        (Fact.HEALTH, is_health),
        (Fact.ERROR, is_error),
        (Fact.CHECK, is_check),
    )
    flags = Fact(0)
    for fact, is_so in facts:
        flags |= fact if is_so(record) else Fact(0)
    return flags


@in_each_condition
@EXAMPLES
@given(session=sessions)
def test_facts_of_a_transition_are_counted_in_its_chunk(
    session: PlayedSession, make: Condition, folder: Path
) -> None:
    """What a complete chunk says of its rows without them is what the rows say."""
    for machine, kept in pairs(session, make(session, folder)):
        flags = [flags_of(record) for record in machine.past]
        for number, record in numbered(machine):
            facts, schema = kept.facts_at(number), record["schema"]
            assert facts.flags == flags[number - 1]
            touched = {schema[at].name for at in range(len(schema)) if facts.touched >> at & 1}
            assert touched == called(record) | changed(record)
            assert facts.growth == sum(record["after"]) - sum(record["before"])
        for chunk in kept.chunks:
            within = flags[chunk.first - 1 : chunk.last]
            if chunk.is_sealed:
                assert dict(chunk.facts) == Counter(int(one) for one in within)
            times = [one["happened"].time_ns for one in machine.past[chunk.first - 1 : chunk.last]]
            assert (chunk.time_min, chunk.time_max) == (min(times), max(times))
            assert chunk.is_ascending == (times == sorted(times))


@in_each_condition
@EXAMPLES
@given(session=sessions)
def test_a_source_leads_to_the_transition_that_asked(
    session: PlayedSession, make: Condition, folder: Path
) -> None:
    """A source is looked for in all machines of its id; one that was lost leads nowhere."""
    store = make(session, folder)
    places = {
        (machine.id, record["id"]): (kept, number)
        for machine, kept in pairs(session, store)
        for number, record in numbered(machine)
    }
    for machine, kept in pairs(session, store):
        for record in machine.past:
            source = record["happened"].source
            if source is not None:
                expected = places.get((source.machine, source.tx))
                assert store.source_of(kept, source) == expected


@in_each_condition
@EXAMPLES
@given(session=sessions)
def test_machines_have_keys_in_the_order_of_their_arrival(
    session: PlayedSession, make: Condition, folder: Path
) -> None:
    """A second machine with the same id has its own key, and a key leads to its machine."""
    store = make(session, folder)
    seen: Counter[str] = Counter()
    for machine, kept in pairs(session, store):
        seen[machine.id] += 1
        count = seen[machine.id]
        assert kept.key == (f"{machine.id}#{count}" if count > 1 else machine.id)
        assert store.find(kept.key) is kept
    assert store.find("nobody") is None
