"""Questions about a track against a naive look at every transition.

Every question is asked in every condition of `tests.dbg.model_conditions`.

| question | test |
|---|---|
| `Visible` with each switch and level | `..each_switch_of_the_filters..` |
| `touching`, `changing` | `..jumps_by_state..` |
| `errors`, `canceled` | `..jumps_to_errors..` |
| `Hits` of a phrase | `..a_phrase_is_found..` |
| `Hits` of each key of the query language, also left out | `..each_key_of_a_query..` |
| `Hits` of several terms | `..all_terms_of_a_query..` |
| `calls_of`, `refusals_of`, `activations_of`, `removals_of`, `changes_of` | `..sets_of_a_state..` |
| `RisingTimes` | `..times_that_rise..` |
| `Signatures` | `..signatures_are_equal..` |
| counting in steps, growing tracks, facts of chunks | the rest |
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from am_dbg.query import (
    ALL,
    Filters,
    Hits,
    TransitionSet,
    Visible,
    canceled,
    changing,
    errors,
    touching,
)
from am_dbg.query.conditions import Conditions
from am_dbg.query.of_state import (
    activations_of,
    calls_of,
    changes_of,
    refusals_of,
    removals_of,
)
from am_dbg.query.query_keys import QUERY_KEYS
from am_dbg.query.rising_times import RisingTimes
from am_dbg.query.shape_tests import every_or_none, opposite_of, with_facts, without_facts
from am_dbg.query.signatures import Signatures
from am_dbg.store import Fact, Store, Track
from am_dbg.store.definitions.shape_table import ShapeTable
from am_dbg.store.definitions.text_table import TextTable
from amtracer.wire.vocabulary import MutationKind, ShapeFlag, StepFlag
from tests.dbg.histories import (
    SMALL_CHUNKS,
    START_NS,
    TEXTS,
    HistoryPlayer,
    PlayedMachine,
    stored,
)
from tests.dbg.model import (
    History,
    PlayedSession,
    Record,
    added,
    called,
    changed,
    handlers,
    histories,
    holds,
    is_auto,
    is_canceled,
    is_check,
    is_empty,
    is_error,
    is_health,
    numbered,
    removed,
    risen,
    sessions,
    shown,
    switches,
)
from tests.dbg.model_conditions import (
    CONDITIONS,
    EXAMPLES,
    Condition,
    in_each_condition,
    small_store,
)
from tests.dbg.test_store_model import pairs


class NoTables:
    """A loader that nobody may ask."""

    def shapes(self) -> ShapeTable:
        raise AssertionError("the shapes were loaded")

    def texts(self) -> TextTable:
        raise AssertionError("the texts were loaded")


def expect(found: TransitionSet, expected: list[int], count: int) -> None:
    """The set is what is expected, by every method."""
    last = expected[-1] if expected else 0
    assert found.count == len(expected)
    assert found.numbers(1, count + 1) == expected
    assert (found.first(), found.last()) == (expected[0] if expected else 0, last)
    for number in range(count + 2):
        later = [one for one in expected if one > number]
        earlier = [one for one in expected if one < number]
        assert (number in found) == (number in expected)
        assert found.next(number) == (later[0] if later else None)
        assert found.previous(number) == (earlier[-1] if earlier else None)
        assert found.position_of(number) == len([one for one in expected if one <= number])
    for position, number in enumerate([0, *expected]):
        assert found.number_at(position) == number
        if position:
            assert found.numbers(position, 2) == expected[position - 1 : position + 1]


@in_each_condition
@EXAMPLES
@given(session=sessions, filters=switches)
def test_each_switch_of_the_filters_shows_its_kind(
    session: PlayedSession, filters: Filters, make: Condition, folder: Path
) -> None:
    """A transition is visible if no switched-off kind fits it and the query does."""
    for machine, track in pairs(session, make(session, folder)):
        expected = [number for number, _ in shown(machine, filters)]

        expect(Visible(track, filters), expected, track.count)


states = st.sampled_from(["Start", "Only", "Healthcheck", "Nobody", "Zoë", "Exception"])


@in_each_condition
@EXAMPLES
@given(session=sessions, filters=switches, state=states)
def test_jumps_by_state_skip_what_is_hidden(
    session: PlayedSession, filters: Filters, state: str, make: Condition, folder: Path
) -> None:
    """Jumps go to visible transitions that called or changed the state of that name."""
    for machine, track in pairs(session, make(session, folder)):
        visible, here = Visible(track, filters), shown(machine, filters)

        touch = [number for number, one in here if state in called(one) | changed(one)]
        change = [number for number, one in here if state in changed(one)]
        expect(touching(visible, state), touch, track.count)
        expect(changing(visible, state), change, track.count)


@in_each_condition
@EXAMPLES
@given(session=sessions, filters=switches)
def test_jumps_to_errors_and_canceled_ones_skip_what_is_hidden(
    session: PlayedSession, filters: Filters, make: Condition, folder: Path
) -> None:
    """Errors are error states added and failed handlers; canceled is not accepted."""
    for machine, track in pairs(session, make(session, folder)):
        visible, here = Visible(track, filters), shown(machine, filters)

        expect(errors(visible), [n for n, one in here if is_error(one)], track.count)
        expect(canceled(visible), [n for n, one in here if is_canceled(one)], track.count)


@in_each_condition
@EXAMPLES
@given(
    session=sessions,
    text=st.sampled_from([text for text in TEXTS if text]),
    level=st.integers(0, 4),
)
def test_a_phrase_is_found_wherever_it_occurs(
    session: PlayedSession, text: str, level: int, make: Condition, folder: Path
) -> None:
    """A phrase in quotes is found in lines up to the level, arguments and names."""
    for machine, track in pairs(session, make(session, folder)):
        visible = Visible(track, Filters(empty=True, health=True, level=level))
        expected = [number for number, record in numbered(machine) if holds(record, text, level)]

        expect(Hits(visible, f'"{text}"'), expected, track.count)


def is_yes(value: str, is_so: bool) -> bool:
    return is_so == (value == "yes")


def seconds(value: str) -> int:
    return int(value.strip("+s")) * 1_000_000_000


Finds = Callable[[PlayedMachine, Record, str], bool]
FINDS: dict[str, Finds] = {
    "state": lambda _, one, name: name in called(one) | changed(one),
    "called": lambda _, one, name: name in called(one),
    "added": lambda _, one, name: name in added(one),
    "removed": lambda _, one, name: name in removed(one),
    "group": lambda _, one, name: any(
        state.name in called(one) | changed(one) for state in one["schema"] if name in state.groups
    ),
    "error": lambda _, one, value: is_yes(value, is_error(one)),
    "accepted": lambda _, one, value: is_yes(value, not is_canceled(one)),
    "auto": lambda _, one, value: is_yes(value, is_auto(one)),
    "empty": lambda _, one, value: is_yes(value, is_empty(one)),
    "check": lambda _, one, value: is_yes(value, is_check(one)),
    "handler": lambda _, one, name: name in handlers(one),
    "failed": lambda _, one, name: name in handlers(one, StepFlag.FAILED | StepFlag.DENIED),
    "longer": lambda _, one, value: one["happened"].duration_ns >= seconds(value),
    "after": lambda all_, one, value: (
        one["happened"].time_ns >= all_.past[0]["happened"].time_ns + seconds(value)
    ),
    "before": lambda all_, one, value: (
        one["happened"].time_ns <= all_.past[0]["happened"].time_ns + seconds(value)
    ),
    "machine": lambda all_, _, name: name in all_.id,
}
VALUES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("state", "called", "added", "removed"), ("Start", "Ready", "Zoë", "Nobody")),
    "group": ("Work", "Nobody"),
    **dict.fromkeys(("error", "accepted", "auto", "empty", "check"), ("yes", "no")),
    **dict.fromkeys(("handler", "failed"), ("StartState", "StartEnter", "AnyEnter")),
    "longer": ("0s", "3s", "9s"),
    "after": ("+0s", "+4s", "+20s"),
    "before": ("+0s", "+4s", "+20s"),
    "machine": ("m", "m1", "else"),
}
key_terms = st.one_of(
    [
        st.tuples(st.booleans(), st.just(key), st.sampled_from(values))
        for key, values in VALUES.items()
    ]
)
several_terms = st.lists(key_terms, max_size=4, unique_by=lambda term: term[1])


def finds(machine: PlayedMachine, record: Record, term: tuple[bool, str, str]) -> bool:
    """Whether a term finds a transition; the first value is whether it is left out."""
    is_left_out, key, value = term
    return FINDS[key](machine, record, value) != is_left_out


def test_every_key_of_the_query_language_is_in_the_model() -> None:
    """A new key needs a naive answer and values."""
    assert {one.key for one in QUERY_KEYS} == set(FINDS) == set(VALUES)


@pytest.mark.parametrize("key", VALUES)
@EXAMPLES
@given(session=sessions, make=st.sampled_from(CONDITIONS), data=st.data())
def test_each_key_of_a_query_finds_its_kind(
    session: PlayedSession, make: Condition, key: str, data: st.DataObject, folder: Path
) -> None:
    """A term finds what its key and value say, and with a minus everything else."""
    value, is_left_out = data.draw(st.sampled_from(VALUES[key])), data.draw(st.booleans())
    text = f"{'-' * is_left_out}{key}:{value}"
    for machine, track in pairs(session, make(session, folder)):
        expected = [
            number
            for number, record in numbered(machine)
            if finds(machine, record, (is_left_out, key, value))
        ]

        expect(Hits(Visible(track, ALL), text), expected, track.count)


@in_each_condition
@EXAMPLES
@given(session=sessions, filters=switches, terms=several_terms)
def test_all_terms_of_a_query_have_to_hold(
    session: PlayedSession,
    filters: Filters,
    terms: list[tuple[bool, str, str]],
    make: Condition,
    folder: Path,
) -> None:
    """Among the visible ones, a query finds what each of its terms finds."""
    text = " ".join(f"{'-' * minus}{key}:{value}" for minus, key, value in terms)
    for machine, track in pairs(session, make(session, folder)):
        expected = [
            number
            for number, record in shown(machine, filters)
            if all(finds(machine, record, term) for term in terms)
        ]

        expect(Hits(Visible(track, filters), text), expected, track.count)


@in_each_condition
@EXAMPLES
@given(session=sessions, state=states)
def test_sets_of_a_state_are_what_happened_to_it(
    session: PlayedSession, state: str, make: Condition, folder: Path
) -> None:
    """Calls, refusals, activations, removals and changes, whatever is shown."""

    def calls(one: Record) -> bool:
        is_call = one["happened"].shape.type in (MutationKind.ADD, MutationKind.SET)
        return state in called(one) and is_call and not is_check(one)

    def refuses(one: Record) -> bool:
        return calls(one) and (is_canceled(one) or (is_auto(one) and state not in added(one)))

    def activates(one: Record) -> bool:
        grown = dict(one["happened"].shape.changes)
        at = max((at for at, known in enumerate(one["schema"]) if known.name == state), default=-1)
        return grown.get(at, 0) > 0 and grown[at] % 2 == 1

    for machine, track in pairs(session, make(session, folder)):
        sets: dict[Any, Callable[[Record], bool]] = {
            calls_of: calls,
            refusals_of: refuses,
            activations_of: activates,
            removals_of: lambda one: state in removed(one),
            changes_of: lambda one: state in changed(one),
        }
        for ask, is_in in sets.items():
            expected = [number for number, one in numbered(machine) if is_in(one)]
            expect(ask(track, state), expected, track.count)


@in_each_condition
@EXAMPLES
@given(session=sessions, later=st.integers(-9, 60))
def test_times_that_rise_lead_to_numbers_and_back(
    session: PlayedSession, later: int, make: Condition, folder: Path
) -> None:
    """A transition counts as no earlier than those before it, across all chunks."""
    moment = START_NS + later * 1_000_000_000
    for machine, track in pairs(session, make(session, folder)):
        expected = risen([record["happened"].time_ns for record in machine.past])
        times = RisingTimes(track)

        assert [times.at(number) for number in range(1, track.count + 1)] == expected
        below = [time for time in expected if time < moment]
        assert times.first_from(moment) == len(below) + 1


@in_each_condition
@EXAMPLES
@given(session=sessions)
def test_signatures_are_equal_where_calls_and_outcomes_are(
    session: PlayedSession, make: Condition, folder: Path
) -> None:
    """Over all machines, equal numbers stand for equal calls and equal outcomes."""
    calls: dict[object, int] = {}
    outcomes: dict[object, int] = {}
    signatures = Signatures()
    for machine, track in pairs(session, make(session, folder)):
        history = signatures.of(track)
        kept = [(number, one) for number, one in numbered(machine) if not is_health(one)]
        assert list(history.numbers) == [number for number, _ in kept]
        found = zip(history.calls, history.outcomes, strict=True)
        for (_, record), (call, outcome) in zip(kept, found, strict=True):
            shape, schema = record["happened"].shape, record["schema"]
            key = (
                shape.type,
                shape.flags & (ShapeFlag.AUTO | ShapeFlag.CHECK),
                tuple(schema[at].name for at in shape.called),
            )
            ended = frozenset((schema[at].name, growth) for at, growth in shape.changes)
            assert calls.setdefault(key, call) == call
            result = (key, is_canceled(record), ended)
            assert outcomes.setdefault(result, outcome) == outcome
    assert len(set(calls.values())) == len(calls)
    assert len(set(outcomes.values())) == len(outcomes)


@given(histories, switches)
def test_what_is_visible_follows_a_growing_track(history: History, filters: Filters) -> None:
    """Asking between messages gives the same as asking at the end."""
    player = HistoryPlayer(batch_rows=3, segment_rows=8).play(history)
    store = small_store()
    stream = store.open_stream("fed", live=True)
    sets: dict[str, Visible] = {}
    for message in player.messages:
        store.feed(stream, message)
        for track in store.tracks:
            visible = sets.setdefault(track.key, Visible(track, filters))
            assert visible.count == Visible(track, filters).count
    for machine, track in zip(player.machines, store.tracks, strict=True):
        expected = [number for number, _ in shown(machine, filters)]
        expect(sets[track.key], expected, track.count)


def test_a_chunk_that_grows_is_looked_through_once_for_each_growth(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Moves among the same transitions read the same flags; new ones are looked at once."""
    player = HistoryPlayer()
    machine = player.enter(0)
    store, looks = Store(), []
    stream = store.open_stream("program", live=True)

    def grow(count: int) -> None:
        for number in range(count):
            player.transit(machine, (number, 0, 1, 0, 4))
        player.writer.flush()
        for message in player.messages:
            store.feed(stream, message)
        player.messages.clear()

    flags = Conditions.flags
    monkeypatch.setattr(Conditions, "flags", lambda *given: looks.append(given[2]) or flags(*given))
    grow(20)
    visible = Visible(store.tracks[0], Filters(empty=False))

    walked = [visible.next(number) for number in range(20)]
    assert looks == [20]
    assert [visible.next(number) for number in range(20)] == walked
    grow(5)
    assert visible.last() > 20
    assert looks == [20, 25]


@in_each_condition
@EXAMPLES
@given(session=sessions, filters=switches, steps=st.integers(0, 6))
def test_counting_in_steps_finds_what_counting_at_once_does(
    session: PlayedSession, filters: Filters, steps: int, make: Condition, folder: Path
) -> None:
    """A count may be left and begun again, and the set may be used in between."""
    for _, track in pairs(session, make(session, folder)):
        at_once, slowly = Visible(track, filters), Visible(track, filters)
        for _, _ in zip(range(steps), slowly.counting(), strict=False):
            assert slowly.first() == at_once.first()
        assert sum(slowly.counting()) >= 0

        assert slowly.count == at_once.count
        everything = slowly.numbers(1, slowly.count)
        assert everything == at_once.numbers(1, at_once.count)
        assert everything == [slowly.number_at(at + 1) for at in range(slowly.count)]


def tracks(history: History) -> Iterator[Track]:
    """The tracks of a history in small chunks."""
    player = HistoryPlayer(batch_rows=4, segment_rows=9).play(history)
    yield from stored(player, limits=SMALL_CHUNKS).tracks


fact_conditions = st.lists(
    st.tuples(st.sampled_from([with_facts, without_facts]), st.integers(0, 63), st.booleans()),
    max_size=3,
)


@given(history=histories, wanted=fact_conditions)
def test_conditions_on_facts_are_counted_without_definitions(
    history: History, wanted: list[tuple[Any, int, bool]]
) -> None:
    """A complete chunk counts conditions on facts with no table, as a look at each row does."""
    tests = [make(Fact(facts)) for make, facts, _ in wanted]
    tests = [
        opposite_of(test) if inverted else test
        for test, (_, _, inverted) in zip(tests, wanted, strict=True)
    ]
    sealed = [chunk for track in tracks(history) for chunk in track.chunks if chunk.is_sealed]
    passing = [test.passes for test in tests]
    expected = [
        sum(
            all(table[chunk.dictionary.shape_table.flags[chunk.shapes[row]]] for table in passing)
            for row in range(chunk.rows)
        )
        for chunk in sealed
    ]
    for chunk in sealed:
        chunk.dictionary.load_from(NoTables(), chunk.dictionary.counts)

    assert [Conditions(tests).count(chunk, chunk.rows) for chunk in sealed] == expected


@given(history=histories, wanted=fact_conditions)
def test_conditions_on_facts_agree_with_conditions_on_shapes(
    history: History, wanted: list[tuple[Any, int, bool]]
) -> None:
    """Facts that a chunk counts and facts of its shapes lead to the same flags and counts."""
    tests = [make(Fact(facts)) for make, facts, _ in wanted]
    by_facts = Conditions(tests)
    by_shapes = Conditions([*tests, every_or_none(True)])
    for track in tracks(history):
        for chunk in track.chunks:
            rows = chunk.rows
            given, expected = (one.flags(chunk, rows) for one in (by_facts, by_shapes))
            assert (given or b"\1" * rows) == (expected or b"\1" * rows)
            assert by_facts.count(chunk, rows) == by_shapes.count(chunk, rows)
