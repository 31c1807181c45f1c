"""The store against a naive record: whatever was sent can be queried, and comes back equal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from am_dbg.store import Store, Track, chunk, track, track_reader
from tests.dbg.histories import START_NS, HistoryPlayer, PlayedMachine, stored

small = st.integers(0, 8)
acts = st.tuples(st.sampled_from([0, 1, 2, 3, *[4] * 24]), small, small, small, small, small, small)
histories = st.lists(acts, max_size=60)


@contextmanager
def small_chunks() -> Iterator[None]:
    """Chunks of a few rows, so that a short history has many."""
    with (
        mock.patch.object(chunk, "CHUNK_ROWS_MAX", 7),
        mock.patch.object(chunk, "CHUNK_SHAPES_MAX", 5),
        mock.patch.object(track, "PIECE_ROWS_MAX", 3),
        mock.patch.object(track_reader, "WALK_ROWS_MAX", 2),
    ):
        yield


def reported(history: list[tuple[int, ...]], rows: int = 4) -> tuple[HistoryPlayer, Store]:
    player = HistoryPlayer(batch_rows=rows, segment_rows=9).play(history)
    with small_chunks():
        return player, stored(player)


def pairs(player: HistoryPlayer, store: Store) -> Iterator[tuple[PlayedMachine, Track]]:
    yield from zip(player.machines, store.tracks, strict=True)


@given(histories, st.integers(1, 9))
def test_every_transition_comes_back_as_it_was_reported(
    history: list[tuple[int, ...]], rows: int
) -> None:
    """Whatever the batches, segments and chunks, a transition is read as it was recorded."""
    player, store = reported(history, rows)

    assert store.transitions == sum(len(machine.past) for machine in player.machines)
    for machine, kept in pairs(player, store):
        assert kept.count == len(machine.past)
        for number, record in enumerate(machine.past, 1):
            found, happened = kept.transition(number), record["happened"]
            assert found.number == number
            assert found.id == record["id"]
            assert found.shape == kept.shape_at(number) == happened.shape
            assert found.time_ns == kept.time_at(number) == happened.time_ns
            for name in ("duration_ns", "queue_len", "lines", "pre_lines", "source", "args"):
                assert getattr(found, name) == getattr(happened, name)
            assert found.handler_ns == happened.handler_ns


@given(histories, st.randoms(use_true_random=False))
def test_clocks_and_schemas_are_those_of_their_moment(
    history: list[tuple[int, ...]], random: object
) -> None:
    """Ticks and states at any number, asked in any order, are those of that moment."""
    player, store = reported(history)

    with small_chunks():
        for machine, kept in pairs(player, store):
            numbers = list(range(1, len(machine.past) + 1))
            random.shuffle(numbers)  # type: ignore[attr-defined]
            for number in numbers:
                record = machine.past[number - 1]
                assert kept.schema_at(number) == record["schema"]
                assert kept.clock_at(number) == record["after"]
                assert kept.clock_before(number) == record["before"]
                assert kept.time_sum(number) == sum(record["after"])
            assert kept.ticks == tuple(machine.ticks)


@given(histories)
def test_breaks_in_a_history_are_kept_in_their_place(history: list[tuple[int, ...]]) -> None:
    """Lost transitions, late entries and changed schemas are gaps after their number."""
    player, store = reported(history)

    for machine, kept in pairs(player, store):
        found = [(gap.after_number, gap.lost, gap.kind.name.lower()) for gap in kept.gaps]
        assert found == machine.gaps
        assert kept.gone == machine.gone


@given(histories)
def test_transitions_are_found_by_their_ids(history: list[tuple[int, ...]]) -> None:
    """An id leads to its number, whether it follows the rule or not; others lead nowhere."""
    player, store = reported(history)

    for machine, kept in pairs(player, store):
        for number, record in enumerate(machine.past, 1):
            assert kept.number_of(record["id"]) == number
        assert kept.number_of(f"{machine.prefix}{machine.row + 1:016x}") is None
        assert kept.number_of(f"{machine.prefix}{0:016x}") is None
        assert kept.number_of("") is None


@given(histories, st.integers(-3, 60))
def test_a_time_leads_to_the_transitions_around_it(
    history: list[tuple[int, ...]], seconds: int
) -> None:
    """Look-up by time finds the first at or after and the last at or before, clocks going back."""
    player, store = reported(history)
    moment = START_NS + seconds * 1_000_000_000

    for machine, kept in pairs(player, store):
        times = [record["happened"].time_ns for record in machine.past]
        after = next((n for n, time in enumerate(times, 1) if time >= moment), None)
        before = max((n for n, time in enumerate(times, 1) if time <= moment), default=0)
        assert kept.first_at_or_after(moment) == after
        assert kept.last_at_or_before(moment) == before
