"""The log: what a row shows, and which rows are on the screen."""

from __future__ import annotations

from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from am_dbg.projection.log.entries import EntryKind, StateChange
from am_dbg.projection.log.view import LogView, project_log
from am_dbg.projection.log.window import (
    PLAIN,
    LogOptions,
    LogPlace,
    LogRow,
    LogWindow,
    RowKind,
)
from am_dbg.projection.steps import moment_of
from am_dbg.query import ALL, Filters, Visible
from am_dbg.query.cursor import Cursor
from am_dbg.store import Track
from tests.screens.stories import files_story, long_track, track_of

STORY = track_of(files_story())
LONG = long_track(2_000)


def view_at(
    track: Track,
    number: int,
    *,
    top: int = 0,
    height: int = 40,
    filters: Filters = ALL,
    follow: bool = True,
    options: LogOptions = PLAIN,
) -> LogView:
    visible = Visible(track, filters)
    moment = moment_of(Cursor(track).at(number), visible)
    return project_log(moment, visible, LogPlace(top), height, options, follow=follow)


def entry_row(number: int, filters: Filters = ALL) -> LogRow:
    rows = view_at(STORY, number, filters=filters).rows
    return next(row for row in rows if row.number == number and row.kind is RowKind.ENTRY)


def test_called_and_implied_states_look_different() -> None:
    """Called states come first; what relations brought along follows with its sign."""
    entry = entry_row(12).entry

    assert entry is not None
    assert [word.name for word in entry.called] == ["FileProcessed"]
    assert [(word.change, word.name) for word in entry.implied] == [
        (StateChange.ADDED, "Logged"),
        (StateChange.REMOVED, "ProcessingFile"),
        (StateChange.REMOVED, "InProgress"),
    ]


@pytest.mark.parametrize(
    ("number", "sign"),
    [(1, EntryKind.ADD), (7, EntryKind.REMOVE), (4, EntryKind.CANCELED), (13, EntryKind.ERROR)],
)
def test_every_outcome_has_a_sign_of_its_own(number: int, sign: EntryKind) -> None:
    """The sign shows the outcome without colour."""
    entry = entry_row(number).entry

    assert entry is not None
    assert entry.kind is sign


def test_a_canceled_row_names_what_denied_it() -> None:
    """The handler that denied stands on the row."""
    entry = entry_row(4).entry

    assert entry is not None
    assert entry.note == "denied by PingEnter"


def test_log_lines_up_to_the_level_hang_below_their_row() -> None:
    """At level changes a handler line is hidden, at level ops it is there."""
    quiet = view_at(STORY, 2, filters=Filters(level=1)).rows
    chatty = view_at(STORY, 2, filters=Filters(level=2)).rows

    assert [row.kind for row in quiet if row.number == 2] == [RowKind.ENTRY]
    assert [row.kind for row in chatty if row.number == 2] == [
        RowKind.ENTRY,
        RowKind.LINE,
        RowKind.LINE,
    ]


def test_a_trace_hangs_below_its_error_row_by_row() -> None:
    """An error's line and its trace are rows of the error's transition."""
    rows = [row for row in view_at(STORY, 13).rows if row.number == 13]

    assert ["".join(part.text for part in row.parts) for row in rows[1:]] == [
        "[error] connection reset",
        "peers.py:118 in dial",
    ]


def test_the_first_transition_has_a_row() -> None:
    """The log begins with the initial structure, then comes number 1."""
    kinds = [(row.kind, row.number) for row in view_at(STORY, 1).rows[:2]]

    assert kinds == [(RowKind.START, 0), (RowKind.ENTRY, 1)]


def test_a_gap_is_a_row_between_its_neighbours() -> None:
    """Lost transitions have a row where they are missing, with their number and the reason."""
    rows = view_at(STORY, 12).rows
    place = next(at for at, row in enumerate(rows) if row.kind is RowKind.GAP)

    assert (rows[place - 1].number, rows[place + 1].number) == (11, 12)
    assert rows[place].text == "4 transitions lost: the buffer was full"


def test_a_gap_stays_when_its_neighbours_are_filtered_out() -> None:
    """Filters hide transitions, never the fact that some are missing."""
    rows = view_at(STORY, 14, filters=Filters(text="exception")).rows

    assert [row.kind for row in rows if row.kind is RowKind.GAP] == [RowKind.GAP]


def test_seconds_are_headings_if_they_are_switched_on() -> None:
    """A heading stands above the first transition of a second."""
    rows = view_at(STORY, 14, options=LogOptions(seconds=True)).rows

    assert [row.number for row in rows if row.kind is RowKind.SECOND] == [1, 12]


@given(number=st.integers(0, 2000), top=st.integers(0, 2000), height=st.integers(1, 60))
def test_the_row_of_the_cursor_is_on_the_screen(number: int, top: int, height: int) -> None:
    """Whatever was on the screen before, a view that follows shows the cursor."""
    view = view_at(LONG, number, top=top, height=height)

    assert len(view.rows) <= height
    assert [row.number for row in view.rows if row.is_current] == [number]


@given(number=st.integers(0, 14), top=st.integers(0, 14), height=st.integers(4, 30))
def test_rows_of_any_height_keep_the_cursor_on_the_screen(
    number: int, top: int, height: int
) -> None:
    """Hanging lines and gaps do not push the cursor's row off the screen."""
    view = view_at(
        STORY, number, top=top, height=height, filters=Filters(True, True, True, True, level=4)
    )

    assert number in [row.number for row in view.rows if row.is_current]


@given(number=st.integers(40, 1900), height=st.integers(10, 40), by=st.integers(-3, 3))
def test_nothing_moves_while_the_cursor_stays_inside(number: int, height: int, by: int) -> None:
    """A small move inside the window leaves the window where it is."""
    before = view_at(LONG, number, top=number - height // 2, height=height)
    after = view_at(LONG, number + by, top=before.top, height=height)

    if height // 2 > 6:
        assert after.top == before.top


def test_a_view_that_does_not_follow_stays_where_it_is() -> None:
    """Scrolling back stays put, wherever the cursor goes."""
    assert view_at(LONG, 1_900, top=100, follow=False).top == 100


def test_scrolling_ends_with_the_last_row_at_the_bottom() -> None:
    """There is no empty space below the last transition."""
    visible = Visible(LONG, ALL)
    moment = moment_of(Cursor(LONG).at(10), visible)

    place = LogWindow(moment, visible, 20, PLAIN).scrolled(LogPlace(1_990), 500)
    rows = project_log(moment, visible, place, 20, follow=False).rows

    assert (len(rows), rows[-1].number) == (20, 2_000)


def test_the_newest_transition_is_the_last_row_when_followed() -> None:
    """Following ends at the bottom of the pane."""
    rows = view_at(LONG, 2_000, top=1_950, height=30).rows

    assert rows[-1].is_current


def test_a_view_costs_its_height_not_the_history() -> None:
    """No view looks at more transitions than a few screens hold."""
    track = long_track(1_000)
    with mock.patch.object(
        Track, "transition", autospec=True, side_effect=Track.transition
    ) as asked:
        view_at(track, 700, top=0, height=30)

    assert asked.call_count <= 3 * 30


def test_a_filtered_view_counts_what_it_hides() -> None:
    """The title can show how many transitions the filters hide."""
    assert view_at(STORY, 14, filters=Filters(health=False)).hidden == 1
