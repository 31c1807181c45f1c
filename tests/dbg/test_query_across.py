"""Sets over all machines: merged by time, counted, and walked in both directions."""

from __future__ import annotations

from itertools import accumulate, islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from am_dbg.query import ALL, Filters, Visible
from am_dbg.query.across import Across, column_at
from am_dbg.query.across_queries import AcrossQueries
from am_dbg.query.cursor import Cursor
from am_dbg.store import Store
from am_dbg.store.chunk import CHUNK_LIMITS, ChunkLimits
from amtracer.wire.vocabulary import StepFlag
from tests.screens.stories import MILLISECOND, Story, files_story

ACTS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(-3, 4), st.sampled_from(["ping", "error", "cancel"])),
    max_size=60,
)


def fed(acts: list[tuple[int, int, str]], limits: ChunkLimits = CHUNK_LIMITS) -> Store:
    """Four machines that do something at any times, also earlier ones."""
    story = Story()
    machines = [story.machine(f"m{at}") for at in range(4)]
    for which, step, act in acts:
        machine, after = machines[which], step * MILLISECOND
        if act == "cancel":
            machine.cancel("Ping", after_ns=after)
        else:
            failed = (machine.handler("PingState", StepFlag.FAILED),) if act == "error" else ()
            machine.mutate(0, ("Ping",), steps=failed, after_ns=after)
    store = Store(chunk_limits=limits)
    story.fill(store)
    return store


def in_order(store: Store, across: Across) -> list[Cursor]:
    """All places of a merged set, by the rule and without any cleverness."""
    keyed = []
    for track in store.tracks:
        numbers = range(1, track.count + 1)
        risen = accumulate((track.time_at(number) for number in numbers), max)
        for number, time in zip(numbers, risen, strict=True):
            keyed.append((time, track.arrival, number, track))
    keyed.sort(key=lambda one: one[:3])
    places = [Cursor(track, number) for _, _, number, track in keyed]
    return [place for place in places if place in across]


@given(ACTS)
def test_places_are_in_order_of_time(acts: list[tuple[int, int, str]]) -> None:
    """Both directions, counts and positions agree with all places sorted by their times."""
    store = fed(acts)
    queries = AcrossQueries(store)
    for across in (queries.visible(ALL), queries.errors(ALL), queries.canceled(ALL)):
        expected = in_order(store, across)
        first, last = across.first(), across.last()

        assert across.count == len(expected)
        assert [first] == (expected[:1] or [None])
        assert [last] == (expected[-1:] or [None])
        for at, place in enumerate(expected):
            assert across.position_of(place) == at + 1
            assert list(across.after(place)) == expected[at + 1 :]
            assert list(across.before(place)) == expected[:at][::-1]


@given(ACTS)
def test_a_place_outside_of_a_set_lies_between_its_neighbours(
    acts: list[tuple[int, int, str]],
) -> None:
    """From any transition, the next error is the first one after it in time."""
    store = fed(acts)
    queries = AcrossQueries(store)
    everything, errors = in_order(store, queries.visible(ALL)), queries.errors(ALL)
    if not errors.count:
        return
    for at, place in enumerate(everything):
        later = [one for one in everything[at + 1 :] if one in errors]
        sooner = [one for one in everything[:at] if one in errors]
        assert errors.next(place) == (later[0] if later else None)
        assert errors.previous(place) == (sooner[-1] if sooner else None)


@given(ACTS)
def test_places_are_in_order_across_chunks(acts: list[tuple[int, int, str]]) -> None:
    """Also if a track has many chunks, and a clock was set back between or inside of them."""
    store = fed(acts, ChunkLimits(rows=3, piece_rows=2))
    across = AcrossQueries(store).visible(ALL)
    expected = in_order(store, across)

    assert across.first() == (expected[0] if expected else None)
    for at, place in enumerate(expected):
        assert across.position_of(place) == at + 1
        assert across.previous(place) == (expected[at - 1] if at else None)


@given(ACTS, st.integers(1, 9))
def test_columns_of_time_hold_what_falls_into_them(
    acts: list[tuple[int, int, str]], columns: int
) -> None:
    """Each column from its bound on has a mark if one of the transitions lies there."""
    store = fed(acts)
    queries = AcrossQueries(store)
    errors, times = queries.errors(ALL), queries.visible(ALL).sampled_times(1_000)
    if not times:
        return
    bounds = [times[at * len(times) // columns] for at in range(columns)]

    expected = {column_at(bounds, errors.key(place)[0]) for place in in_order(store, errors)}

    assert errors.columns_of(bounds) == expected


def test_jumping_over_many_places_ends_at_the_last_one() -> None:
    """Fifty on is at most the end; from the end, nothing is further on."""
    across = AcrossQueries(files_story().store()).visible(ALL)
    first, last = across.first(), across.last()
    assert first is not None
    assert last is not None

    assert across.moved(first) == last
    assert across.moved(last, -2) == list(islice(across.before(last), 2))[-1]
    assert across.moved(last) is None


def test_new_transitions_are_counted_without_counting_again() -> None:
    """What arrives shows at once; only the track that changed is looked at."""
    story = files_story()
    store = Store()
    stream = story.fill(store, live=True)
    across = AcrossQueries(store).errors(ALL)
    before = across.count
    taken = len(story.messages)
    story.tellers[1].add("Exception")
    story.writer.flush()
    for message in story.messages[taken:]:
        store.feed(stream, message)

    assert (before, across.count) == (1, 2)
    assert [track.key for track in across.holding] == ["worker", "worker-child"]


def test_a_removed_machine_takes_its_transitions_along() -> None:
    """After a removal the sets hold what is left."""
    store = files_story().store()
    across = AcrossQueries(store).visible(ALL)
    child = store.find("worker-child")
    assert child is not None
    before = across.count
    store.remove(child)

    assert across.count == before - child.count
    assert [track.key for track in across.holding] == ["worker"]


def test_only_chosen_machines_are_merged() -> None:
    """With some machines named, the others are left out."""
    store = files_story().store()
    across = AcrossQueries(store).visible(ALL, frozenset({"worker-child"}))

    assert [track.key for track in across.holding] == ["worker-child"]
    assert across.count == 1


@pytest.mark.parametrize(
    ("text", "hits"), [("connection", 1), ("Start", 2), ("state:Ping", 7), ("after:+1s", 3)]
)
def test_a_query_is_answered_over_all_machines(text: str, hits: int) -> None:
    """Words, keys and times mean what they mean in one machine; times count from its start."""
    across = AcrossQueries(files_story().store()).hits(ALL, text)

    assert across.count == hits


def test_the_filters_hold_in_merged_sets_too() -> None:
    """A hidden transition is in no merged set."""
    store = files_story().store()
    queries = AcrossQueries(store)

    assert queries.canceled(ALL).count == 1
    assert queries.canceled(Filters(canceled=False)).count == 0
    each = [Visible(track, Filters(queued=False)).count for track in store.tracks]
    assert queries.visible(Filters(queued=False)).count == sum(each)


def test_a_set_is_kept_for_the_next_question() -> None:
    """Asking again costs nothing, and the number of kept sets is limited."""
    queries = AcrossQueries(files_story().store())
    errors = queries.errors(ALL)
    assert queries.errors(ALL) is errors

    for at in range(20):
        queries.hits(ALL, f"word{at}")

    assert queries.errors(ALL) is not errors
