"""Questions about a track against a naive look at every transition."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from am_dbg.query import Filters, Hits, TransitionSet, Visible, canceled, changing, errors, touching
from am_dbg.query.conditions import Conditions
from am_dbg.query.shape_tests import every_or_none, opposite_of, with_facts, without_facts
from am_dbg.store import Fact, Store, Track
from am_dbg.store.definitions.shape_table import ShapeTable
from am_dbg.store.definitions.text_table import TextTable
from amtracer.wire.vocabulary import ShapeFlag, StepFlag
from tests.dbg.histories import TEXTS, HistoryPlayer, PlayedMachine, stored
from tests.dbg.test_store_model import histories, small_chunks

Record = dict[str, Any]
switches = st.builds(
    Filters,
    canceled=st.booleans(),
    auto=st.booleans(),
    empty=st.booleans(),
    health=st.booleans(),
    queued=st.booleans(),
    level=st.integers(0, 4),
    text=st.sampled_from(["", "start", "Start", "BOOM", "größe", "key", '"plain words"', "\x00"]),
)


class NoTables:
    """A loader that nobody may ask."""

    def shapes(self) -> ShapeTable:
        raise AssertionError("the shapes were loaded")

    def texts(self) -> TextTable:
        raise AssertionError("the texts were loaded")


def tracks(history: list[tuple[int, ...]]) -> Iterator[tuple[PlayedMachine, Track]]:
    player = HistoryPlayer(batch_rows=4, segment_rows=9).play(history)
    with small_chunks():
        yield from zip(player.machines, stored(player).tracks, strict=True)


def names(record: Record, indexes: Iterator[int]) -> set[str]:
    return {record["schema"][index].name for index in indexes}


def changed(record: Record) -> set[str]:
    return names(record, (index for index, _ in record["happened"].shape.changes))


def called(record: Record) -> set[str]:
    return names(record, iter(record["happened"].shape.called))


def is_empty(record: Record) -> bool:
    shape = record["happened"].shape
    accepted = shape.flags & (ShapeFlag.ACCEPTED | ShapeFlag.CHECK) == ShapeFlag.ACCEPTED
    return accepted and not shape.changes and all(step.type != 2 for step in shape.steps)


def is_error(record: Record) -> bool:
    shape = record["happened"].shape
    added = names(record, (index for index, growth in shape.changes if growth > 0))
    failed = any(step.flags & StepFlag.FAILED for step in shape.steps)
    return bool(added & {"Exception", "ErrNet"}) or failed


def holds(record: Record, word: str, level: int) -> bool:
    happened = record["happened"]
    texts = [text for height, text in happened.lines + happened.pre_lines if height <= level]
    texts += [text for pair in happened.args for text in pair]
    texts += [*called(record), *changed(record)]
    if word == word.lower():
        texts = ["".join(c.lower() if c.isascii() else c for c in text) for text in texts]
    return any(word in text for text in texts)


def passes(machine: PlayedMachine, record: Record, filters: Filters) -> bool:
    happened = record["happened"]
    hidden = (
        not filters.canceled and not happened.shape.flags & ShapeFlag.ACCEPTED,
        not filters.auto and happened.shape.flags & ShapeFlag.AUTO,
        not filters.empty and is_empty(record),
        not filters.health and len(changed(record)) == 1 and "Healthcheck" in changed(record),
        not filters.queued and happened.source and happened.source.machine == machine.id,
        filters.text and not holds(record, filters.text.strip('"'), filters.level),
    )
    return not any(hidden)


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


@given(histories, switches)
def test_each_switch_of_the_filters_shows_its_kind(
    history: list[tuple[int, ...]], filters: Filters
) -> None:
    """A transition is visible if no switched-off kind fits it and the query does."""
    for machine, track in tracks(history):
        past = enumerate(machine.past, 1)
        expected = [number for number, record in past if passes(machine, record, filters)]

        expect(Visible(track, filters), expected, track.count)


@given(histories, switches, st.sampled_from(["Start", "Only", "Healthcheck", "Nobody", "Zoë"]))
def test_jumps_by_state_skip_what_is_hidden(
    history: list[tuple[int, ...]], filters: Filters, state: str
) -> None:
    """Jumps go to visible transitions that called or changed the state of that name."""
    for machine, track in tracks(history):
        visible = Visible(track, filters)
        shown = [
            (number, record)
            for number, record in enumerate(machine.past, 1)
            if passes(machine, record, filters)
        ]

        touch = [number for number, one in shown if state in called(one) | changed(one)]
        change = [number for number, one in shown if state in changed(one)]
        expect(touching(visible, state), touch, track.count)
        expect(changing(visible, state), change, track.count)


@given(histories, switches)
def test_jumps_to_errors_and_canceled_ones_skip_what_is_hidden(
    history: list[tuple[int, ...]], filters: Filters
) -> None:
    """Errors are error states added and failed handlers; canceled is not accepted."""
    for machine, track in tracks(history):
        visible = Visible(track, filters)
        shown = [
            (number, record)
            for number, record in enumerate(machine.past, 1)
            if passes(machine, record, filters)
        ]
        refused = [
            number
            for number, record in shown
            if not record["happened"].shape.flags & ShapeFlag.ACCEPTED
        ]

        expect(errors(visible), [n for n, one in shown if is_error(one)], track.count)
        expect(canceled(visible), refused, track.count)


@given(histories, st.sampled_from([text for text in TEXTS if text]), st.integers(0, 4))
def test_a_phrase_is_found_wherever_it_occurs(
    history: list[tuple[int, ...]], text: str, level: int
) -> None:
    """A phrase in quotes is found in lines up to the level, arguments and names."""
    for machine, track in tracks(history):
        visible = Visible(track, Filters(empty=True, health=True, level=level))
        past = enumerate(machine.past, 1)
        expected = [number for number, record in past if holds(record, text, level)]

        expect(Hits(visible, f'"{text}"'), expected, track.count)


@given(histories, switches)
def test_what_is_visible_follows_a_growing_track(
    history: list[tuple[int, ...]], filters: Filters
) -> None:
    """Asking between messages gives the same as asking at the end."""
    player = HistoryPlayer(batch_rows=3, segment_rows=8).play(history)
    with small_chunks():
        store = stored()
        stream = store.open_stream("told", live=True)
        sets: dict[str, Visible] = {}
        for message in player.messages:
            store.feed(stream, message)
            for track in store.tracks:
                visible = sets.setdefault(track.key, Visible(track, filters))
                assert visible.count == Visible(track, filters).count
        for track in store.tracks:
            fresh = Visible(track, filters)
            expect(sets[track.key], fresh.numbers(1, track.count), track.count)


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


@given(histories, switches, st.integers(0, 6))
def test_counting_in_steps_finds_what_counting_at_once_does(
    history: list[tuple[int, ...]], filters: Filters, steps: int
) -> None:
    """A count may be left and begun again, and the set may be used in between."""
    for _, track in tracks(history):
        at_once, slowly = Visible(track, filters), Visible(track, filters)
        for _, _ in zip(range(steps), slowly.counting(), strict=False):
            assert slowly.first() == at_once.first()
        assert sum(slowly.counting()) >= 0

        assert slowly.count == at_once.count
        everything = slowly.numbers(1, slowly.count)
        assert everything == at_once.numbers(1, at_once.count)
        assert everything == [slowly.number_at(at + 1) for at in range(slowly.count)]


fact_conditions = st.lists(
    st.tuples(st.sampled_from([with_facts, without_facts]), st.integers(0, 63), st.booleans()),
    max_size=3,
)


@given(history=histories, wanted=fact_conditions)
def test_conditions_on_facts_are_counted_without_definitions(
    history: list[tuple[int, ...]], wanted: list[tuple[Any, int, bool]]
) -> None:
    """A complete chunk counts conditions on facts with no table, as a look at each row does."""
    tests = [make(Fact(facts)) for make, facts, _ in wanted]
    tests = [
        opposite_of(test) if inverted else test
        for test, (_, _, inverted) in zip(tests, wanted, strict=True)
    ]
    for _, track in tracks(history):
        for chunk in track.chunks:
            if chunk.is_sealed:
                flags = chunk.dictionary.shape_table.flags
                tables = [test.passes for test in tests]
                expected = sum(
                    all(table[flags[chunk.shapes[row]]] for table in tables)
                    for row in range(chunk.rows)
                )
                chunk.dictionary.load_from(NoTables(), chunk.dictionary.counts)
                assert Conditions(tests).count(chunk, chunk.rows) == expected
                break


@given(history=histories, wanted=fact_conditions)
def test_conditions_on_facts_agree_with_conditions_on_shapes(
    history: list[tuple[int, ...]], wanted: list[tuple[Any, int, bool]]
) -> None:
    """Facts that a chunk counts and facts of its shapes lead to the same flags and counts."""
    tests = [make(Fact(facts)) for make, facts, _ in wanted]
    by_facts = Conditions(tests)
    by_shapes = Conditions([*tests, every_or_none(True)])
    for _, track in tracks(history):
        for chunk in track.chunks:
            rows = chunk.rows
            given, expected = (one.flags(chunk, rows) for one in (by_facts, by_shapes))
            assert (given or b"\1" * rows) == (expected or b"\1" * rows)
            assert by_facts.count(chunk, rows) == by_shapes.count(chunk, rows)
