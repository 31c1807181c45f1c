"""Layouts and the timeline: space and time on a terminal of any size."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from am_dbg.drawing.layout import FRAMED_PANES, MAIN_PANES, Box, Pane, lay_out
from am_dbg.projection.steps import moment_of
from am_dbg.projection.timeline import (
    LEVELS,
    TimelineView,
    column_of,
    number_at,
    project_timeline,
)
from am_dbg.query import ALL, Visible
from am_dbg.query.cursor import Cursor
from am_dbg.store import Track
from tests.screens.stories import files_story, long_track, track_of

STORY = track_of(files_story())
LONG = long_track(1_000)


def overlap(one: Box, other: Box) -> bool:
    return (
        one.x < other.x + other.width
        and other.x < one.x + one.width
        and one.y < other.y + other.height
        and other.y < one.y + one.height
    )


def timeline(track: Track, number: int, width: int = 80) -> TimelineView:
    visible = Visible(track, ALL)
    return project_timeline(moment_of(Cursor(track).at(number), visible), visible, width)


@given(
    width=st.integers(1, 500),
    height=st.integers(1, 200),
    main=st.sampled_from(MAIN_PANES),
    reader=st.booleans(),
    focus=st.sampled_from(FRAMED_PANES),
    searching=st.booleans(),
)
def test_panes_share_the_screen_without_overlap(
    width: int, height: int, main: Pane, reader: bool, focus: Pane, searching: bool
) -> None:
    """At any size every pane lies on the screen and none covers another."""
    boxes = lay_out(width, height, main=main, reader=reader, focus=focus, searching=searching).boxes

    for box in boxes.values():
        assert box.width > 0
        assert box.height > 0
        assert box.x + box.width <= width
        assert box.y + box.height <= height
    assert not any(overlap(one, other) for one, other in combinations(boxes.values(), 2))


@given(width=st.integers(40, 300), height=st.integers(10, 100))
def test_no_row_of_the_screen_is_left_empty(width: int, height: int) -> None:
    """The panes fill the screen."""
    boxes = lay_out(width, height, reader=True).boxes

    assert sum(box.width * box.height for box in boxes.values()) == width * height


def test_a_narrow_screen_has_sixteen_rows_of_content() -> None:
    """At 80x24 seven rows are fixed and one has the tabs."""
    assert lay_out(80, 24).inner(Pane.LOG) == (80, 16)


@pytest.mark.parametrize(("width", "height"), [(39, 24), (80, 9), (1, 1)])
def test_a_screen_that_is_too_small_shows_only_a_notice(width: int, height: int) -> None:
    """Below 40x10 there is a short text and nothing else."""
    plan = lay_out(width, height)

    assert list(plan.boxes) == [Pane.NOTICE]


@given(number=st.integers(1, 1_000), width=st.integers(1, 300))
def test_a_click_on_the_cursor_stays_near_it(number: int, width: int) -> None:
    """A column stands for the transitions that are drawn in it."""
    visible = Visible(LONG, ALL)
    column = column_of(number, 1_000, width)

    assert abs(number_at(visible, column, width) - number) <= 1_000 // width + 1


@given(number=st.integers(1, 60), width=st.integers(60, 300))
def test_with_room_for_all_a_click_is_exact(number: int, width: int) -> None:
    """When every transition has a column, the column leads back to it."""
    visible = Visible(long_track_60, ALL)

    assert number_at(visible, column_of(number, 60, width), width) == number


long_track_60 = long_track(60)


def test_both_ends_of_the_timeline_can_be_reached() -> None:
    """The first column is the first transition, the last column the last."""
    visible = Visible(LONG, ALL)

    assert number_at(visible, 0, 80) == 1
    assert number_at(visible, 79, 80) >= 1_000 - 1_000 // 80


@given(width=st.integers(1, 200))
def test_every_error_has_a_column(width: int) -> None:
    """Where transition 13 is drawn, and nowhere else, the timeline is red."""
    view = timeline(STORY, 1, width)
    red = [at for at, column in enumerate(view.columns) if column.has_error]

    assert column_of(13, 14, width) in red
    assert all(abs(at - column_of(13, 14, width)) <= width // 14 + 1 for at in red)


def test_the_cursor_moves_with_every_step_where_there_is_room() -> None:
    """However uneven time was, each transition has a place of its own."""
    columns = [timeline(STORY, number).cursor for number in range(1, 15)]

    assert columns == sorted(set(columns))


def test_a_pause_is_shown_where_it_was() -> None:
    """Two seconds of nothing stand on the axis."""
    (pause,) = timeline(STORY, 1).pauses

    assert pause.span_ns == 2_000_000_000
    assert number_at(Visible(STORY, ALL), pause.column, 80) == 12


def test_slow_stretches_are_lower_than_fast_ones() -> None:
    """Height is how dense transitions are in time."""
    columns = timeline(STORY, 1).columns
    visible = Visible(STORY, ALL)
    level = {number_at(visible, at, 80): column.level for at, column in enumerate(columns)}

    assert level[12] == 0
    assert level[8] == LEVELS


def test_a_machine_without_transitions_has_an_empty_timeline() -> None:
    """Nothing happened, so there is no time to show."""
    assert timeline(long_track(0), 0).is_empty
