"""Sets over all machines against all transitions sorted by their times.

Every question is asked in every condition of `tests.dbg.model_conditions`.

| question to `Across` | test |
|---|---|
| `count`, `in_all`, `count_in`, `holding`, `first`, `last`, `in` | `..merged_set_holds..` |
| `position_of`, `after`, `before`, `next`, `previous`, `moved` | `..walk_over_all_machines..` |
| `with_facts`, `errors`, `canceled` | `..facts_are_found_in_all_machines` |
| `hits`, and only in some machines | `..query_over_some_machines..` |
| `at_time`, `sampled_times`, `columns_of` | `..times_of_all_machines..` |
| `project_merged_timeline` | `..merged_timeline_is_marked..` |
"""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from am_dbg.projection.merged_timeline import merged_time_at, project_merged_timeline
from am_dbg.query import ALL, Filters
from am_dbg.query.across import column_at
from am_dbg.query.across_queries import AcrossQueries
from am_dbg.query.cursor import Cursor
from am_dbg.store import Fact, Store
from tests.dbg.histories import START_NS
from tests.dbg.model import PlayedSession, Record, holds, in_order, is_canceled, sessions, switches
from tests.dbg.model_conditions import EXAMPLES, Condition, in_each_condition
from tests.dbg.test_store_model import flags_of

Placed = tuple[int, Cursor, Record]


def placed(session: PlayedSession, store: Store, filters: Filters) -> list[Placed]:
    """The visible transitions in order, each with its time and its place."""
    return [
        (time, Cursor(store.tracks[at], number), record)
        for time, at, number, record in in_order(session.machines, filters)
    ]


def places(found: list[Placed]) -> list[Cursor]:
    """Only the places."""
    return [place for _, place, _ in found]


@in_each_condition
@EXAMPLES
@given(session=sessions, filters=switches)
def test_a_merged_set_holds_what_each_machine_shows(
    session: PlayedSession, filters: Filters, make: Condition, folder: Path
) -> None:
    """Counts, ends and members are those of all transitions that the filters show."""
    store = make(session, folder)
    across = AcrossQueries(store).visible(filters)
    expected = places(placed(session, store, filters))
    everything = places(placed(session, store, ALL))

    assert (across.count, across.in_all) == (len(expected), session.rows)
    assert across.first() == (expected[0] if expected else None)
    assert across.last() == (expected[-1] if expected else None)
    assert {place for place in everything if place in across} == set(expected)
    for track in store.tracks:
        assert across.count_in(track) == len([one for one in expected if one.track is track])
    assert set(across.holding) == {place.track for place in expected}


@in_each_condition
@EXAMPLES
@given(session=sessions, filters=switches, by=st.integers(1, 9))
def test_a_walk_over_all_machines_goes_by_time(
    session: PlayedSession, filters: Filters, by: int, make: Condition, folder: Path
) -> None:
    """From any transition, shown or not, the ones around it follow in order of time."""
    store = make(session, folder)
    across = AcrossQueries(store).visible(filters)
    expected = places(placed(session, store, filters))
    for at, place in enumerate(places(placed(session, store, ALL))):
        before = [one for one in places(placed(session, store, ALL))[:at] if one in expected]
        after = [one for one in expected if one not in before and one != place]

        assert across.position_of(place) == len(before) + (place in expected)
        assert list(across.after(place)) == after
        assert list(across.before(place)) == before[::-1]
        assert across.next(place) == (after[0] if after else None)
        assert across.previous(place) == (before[-1] if before else None)
        assert across.moved(place, by) == (after[:by][-1] if after else None)
        assert across.moved(place, -by) == (before[::-1][:by][-1] if before else None)


@in_each_condition
@EXAMPLES
@given(session=sessions, filters=switches, facts=st.integers(1, 63))
def test_facts_are_found_in_all_machines(
    session: PlayedSession, filters: Filters, facts: int, make: Condition, folder: Path
) -> None:
    """Each wanted fact is enough; errors and canceled ones are two of them."""
    store = make(session, folder)
    queries, here = AcrossQueries(store), placed(session, store, filters)
    for across, wanted in (
        (queries.with_facts(filters, Fact(facts)), Fact(facts)),
        (queries.errors(filters), Fact.ERROR),
        (queries.canceled(filters), Fact.CANCELED),
    ):
        expected = [place for _, place, record in here if flags_of(record) & wanted]
        assert across.count == len(expected)
        assert ([across.first()] if expected else []) == expected[:1]
        for at, place in enumerate(expected):
            assert across.next(place) == (expected[at + 1] if at + 1 < len(expected) else None)


@in_each_condition
@EXAMPLES
@given(
    session=sessions,
    filters=switches,
    text=st.sampled_from(["start", "BOOM", "größe", "key", "nothing has this"]),
    among=st.sets(st.integers(0, 3)),
)
def test_a_query_over_some_machines_finds_what_these_have(
    session: PlayedSession,
    filters: Filters,
    text: str,
    among: set[int],
    make: Condition,
    folder: Path,
) -> None:
    """A text is found in each of the chosen machines; with none chosen, in all."""
    store = make(session, folder)
    keys = frozenset(store.tracks[at].key for at in among if at < len(store.tracks))
    across = AcrossQueries(store).hits(filters, text, keys)
    expected = [
        place
        for _, place, record in placed(session, store, filters)
        if holds(record, text, filters.level) and (not keys or place.track.key in keys)
    ]

    assert across.count == len(expected)
    found = [first] if (first := across.first()) else []
    assert [*found, *(across.after(found[0]) if found else ())] == expected


@in_each_condition
@EXAMPLES
@given(session=sessions, filters=switches, later=st.integers(-9, 60), width=st.integers(1, 9))
def test_times_of_all_machines_lead_to_places(
    session: PlayedSession, filters: Filters, later: int, width: int, make: Condition, folder: Path
) -> None:
    """A moment leads to the first one from then on, and a column knows what falls into it."""
    store = make(session, folder)
    across = AcrossQueries(store).visible(filters)
    found = placed(session, store, filters)
    times = [time for time, _, _ in found]
    moment = START_NS + later * 1_000_000_000
    from_then = [place for time, place, _ in found if time >= moment]

    assert across.sampled_times(10_000) == times
    assert across.at_time(moment) == next(iter(from_then or places(found)[-1:]), None)
    if times:
        bounds = [times[at * len(times) // width] for at in range(width)]
        assert across.columns_of(bounds) == {column_at(bounds, time) for time in times}


@in_each_condition
@EXAMPLES
@given(session=sessions, filters=switches, width=st.integers(1, 9))
def test_a_merged_timeline_is_marked_where_something_is(
    session: PlayedSession, filters: Filters, width: int, make: Condition, folder: Path
) -> None:
    """Errors, canceled ones and the cursor are in the column of their time."""
    store = make(session, folder)
    queries, found = AcrossQueries(store), placed(session, store, filters)
    merged, errors = queries.visible(filters), queries.errors(filters)
    canceled = queries.canceled(filters)
    if not found:
        return
    bounds = [merged_time_at(merged, column, width) for column in range(width)]
    for time, place, _ in found:
        view = project_merged_timeline(place, merged, errors, canceled, width)
        same = [at for at in range(width) if bounds[at] == bounds[column_at(bounds, time)]]
        assert view.cursor == (same[0] + same[-1]) // 2
    with_error = {column_at(bounds, time) for time, _, one in found if flags_of(one) & Fact.ERROR}
    refused = {column_at(bounds, time) for time, _, one in found if is_canceled(one)}
    assert {at for at, one in enumerate(view.columns) if one.has_error} == with_error
    assert {at for at, one in enumerate(view.columns) if one.has_canceled} == refused
    assert (view.start_ns, view.end_ns) == (bounds[0], found[-1][0])
