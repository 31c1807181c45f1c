"""The log scrolls by rows, shows the row that a search has found, and wraps long rows."""

from __future__ import annotations

import pytest

from am_dbg.projection.log.view import LogView, project_log
from am_dbg.projection.log.window import (
    PLAIN,
    LogOptions,
    LogPlace,
    LogWindow,
    RowKind,
    entry_text,
    line_text,
)
from am_dbg.projection.steps import moment_of
from am_dbg.query import Filters, Visible
from am_dbg.query.cursor import Cursor
from am_dbg.spans import width_of
from tests.screens.stories import Story, track_of

HEIGHT = 10
LINES = 40


def tall_story() -> Story:
    """Five transitions with forty log lines each; the third has a long line and long arguments."""
    story = Story()
    worker = story.machine("worker")
    for number in range(1, 6):
        lines = [(1, f"[note] {number} line {place}") for place in range(LINES)]
        if number == 3:
            lines[20] = (1, "[note] " + " ".join(f"word{place}" for place in range(50)))
        args = [("body", "x" * 30 + " y" * 60)] if number == 3 else []
        change = worker.add if number % 2 else worker.remove
        change("Ping", lines=lines, args=args)
    return story


TALL = track_of(tall_story())
SEEN = Visible(TALL, Filters(level=1))


def window(number: int, options: LogOptions = PLAIN) -> LogWindow:
    return LogWindow(moment_of(Cursor(TALL).at(number), SEEN), SEEN, HEIGHT, options)


def shown(number: int, place: LogPlace, *, needle: str = "", width: int = 0) -> LogView:
    moment = moment_of(Cursor(TALL).at(number), SEEN)
    return project_log(moment, SEEN, place, HEIGHT, LogOptions(width=width), needle=needle)


@pytest.mark.parametrize("by", [1, 3, 40, 41, 100])
def test_scrolling_moves_by_rows(by: int) -> None:
    """The row that is some rows below the first one becomes the first one, and back again."""
    begin = LogPlace(1)
    place = window(1).scrolled(begin, by)

    assert place == LogPlace(1 + by // (LINES + 1), by % (LINES + 1))
    assert window(1).scrolled(place, -by) == begin


def test_scrolling_ends_inside_a_tall_transition() -> None:
    """The last row is at the bottom, though its transition began far above."""
    place = window(1).scrolled(LogPlace(1), 10_000)
    rows = window(1).rows_from(*place)

    assert (len(rows), line_text(rows[-1])) == (HEIGHT, f"[note] 5 line {LINES - 1}")


def test_scrolling_back_ends_at_the_first_row() -> None:
    """There is nothing above the initial structure."""
    assert window(5).scrolled(LogPlace(5, 7), -10_000) == LogPlace(0)


def test_a_hit_in_a_log_line_is_scrolled_into_sight() -> None:
    """The row that contains the text is shown, not only its transition."""
    view = shown(3, LogPlace(1), needle="line 30")

    assert "[note] 3 line 30" in [line_text(row) for row in view.rows]


def test_a_hit_stays_where_it_is_shown() -> None:
    """Projecting again moves nothing."""
    view = shown(3, LogPlace(1), needle="line 30")

    again = shown(3, LogPlace(view.top, view.skip), needle="line 30")

    assert again == view


def test_a_transition_whose_beginning_is_above_is_shown_from_its_row() -> None:
    """Without a search, the row of the cursor is on the screen."""
    view = shown(3, LogPlace(3, 20))

    assert any(row.kind is RowKind.ENTRY and row.is_current for row in view.rows)


def test_wrapped_rows_fit_and_hold_everything() -> None:
    """A long line becomes several rows, and what does not fit beside the states goes below."""
    rows = window(3, LogOptions(width=30)).rows_of(3)
    lines = [line_text(row) for row in rows if row.kind is RowKind.LINE]
    text = " ".join(lines)

    assert all(width_of(line.rstrip()) <= 30 for line in lines)
    assert all(f"word{place}" in text for place in range(50))
    assert "x" * 28 in text.replace(" ", "")
    assert entry_text(next(row for row in rows if row.kind is RowKind.ENTRY)).strip() == "Ping"


def test_rows_that_fit_are_not_touched_by_wrapping() -> None:
    """A wide log looks the same with wrapping."""
    assert window(1, LogOptions(width=200)).rows_of(1) == window(1).rows_of(1)


def test_a_page_goes_to_the_transition_that_is_a_page_of_rows_further() -> None:
    """Rows count, not transitions."""
    assert window(1).rows_on(1, LINES) == 1
    assert window(1).rows_on(1, 2 * LINES + 2) == 3
    assert window(5).rows_on(5, -2 * LINES - 2) == 3
