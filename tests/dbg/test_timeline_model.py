"""The timeline of one machine against a naive look at every transition, in every condition."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from am_dbg.projection.steps import Moment
from am_dbg.projection.timeline import column_of, columns_of, heights, number_at, project_timeline
from am_dbg.query import Filters, Visible
from tests.dbg.model import PlayedSession, is_canceled, is_error, sessions, shown, switches
from tests.dbg.model_conditions import EXAMPLES, Condition, in_each_condition
from tests.dbg.test_store_model import pairs


@in_each_condition
@EXAMPLES
@given(session=sessions, filters=switches, width=st.integers(1, 30))
def test_a_timeline_shows_every_visible_transition(
    session: PlayedSession, filters: Filters, width: int, make: Condition, folder: Path
) -> None:
    """Marks, heights, pauses, gaps and the cursor follow from the visible ones and their times."""
    for machine, track in pairs(session, make(session, folder)):
        visible, here = Visible(track, filters), shown(machine, filters)
        view = project_timeline(Moment(track, 0, 0, 0, 0), visible, width)
        count = len(here)
        assert view.is_empty == (count == 0)
        if not count:
            continue
        marks: dict[str, set[int]] = {"error": set(), "canceled": set()}
        for position, (_, record) in enumerate(here, 1):
            first, last = columns_of(position, count, width)
            marks["error"] |= set(range(first, last + 1)) if is_error(record) else set()
            marks["canceled"] |= set(range(first, last + 1)) if is_canceled(record) else set()
        gaps = {
            column_of(max(1, len([n for n, _ in here if n <= after])), count, width)
            for after, _, _ in machine.gaps
        }
        times = [record["happened"].time_ns for _, record in here]
        ends = [
            max(column * count // width + 1, (column + 1) * count // width)
            for column in range(width)
        ]
        levels, pauses = heights(ends, [times[end - 1] for end in ends])

        assert {at for at, one in enumerate(view.columns) if one.has_error} == marks["error"]
        assert {at for at, one in enumerate(view.columns) if one.has_canceled} == marks["canceled"]
        assert {at for at, one in enumerate(view.columns) if one.has_gap} == gaps
        assert [one.level for one in view.columns] == levels
        assert view.pauses == pauses
        assert (view.start_ns, view.end_ns) == (times[0], times[-1])


@in_each_condition
@EXAMPLES
@given(session=sessions, filters=switches, width=st.integers(1, 30))
def test_a_column_leads_to_its_transition_and_back(
    session: PlayedSession, filters: Filters, width: int, make: Condition, folder: Path
) -> None:
    """The cursor stands where its position is, and a click lands on a transition of the column."""
    for machine, track in pairs(session, make(session, folder)):
        visible = Visible(track, filters)
        numbers = [number for number, _ in shown(machine, filters)]
        count = len(numbers)
        for position, number in enumerate(numbers, 1):
            view = project_timeline(Moment(track, number, number, 0, 0), visible, width)
            assert view.cursor == column_of(position, count, width)
        for column in range(width):
            found = number_at(visible, column, width)
            at = min(count, column * count // width + 1)
            assert found == (numbers[at - 1] if count else 0)
