"""The log of all machines scrolls by rows and shows the row that a search has found."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from am_dbg.control import Control
from am_dbg.drawing.layout import Pane
from am_dbg.projection.log.merged import merged_columns, project_merged_log
from am_dbg.projection.log.merged_rows import MergedRows
from am_dbg.projection.log.merged_window import MergedPlace, MergedWindow
from am_dbg.projection.log.window import LogOptions, LogPlace, LogRow, LogWindow, RowKind, line_text
from am_dbg.projection.steps import moment_of
from am_dbg.query import Filters, Visible
from am_dbg.query.across_queries import AcrossQueries
from am_dbg.query.cursor import Cursor
from am_dbg.store import Store
from tests.screens.driving import do
from tests.screens.stories import MILLISECOND, Story

SIZE = (160, 24)
HEIGHT = 10
LINES = 40
LEVEL_1 = Filters(level=1)


def tall_story(machines: int = 2, transitions: int = 3) -> Story:
    """Machines that ping in turn; each transition has forty log lines of its own."""
    story = Story()
    tellers = [story.machine(f"worker-{number}") for number in range(1, machines + 1)]
    for number in range(1, transitions + 1):
        for at, teller in enumerate(tellers, 1):
            lines = [(1, f"[note] {at}/{number} line {line}") for line in range(LINES)]
            change = teller.add if number % 2 else teller.remove
            change("Ping", lines=lines, after_ns=400 * MILLISECOND)
    return story


TALL_STORE = tall_story().store()
ALONE_STORE = tall_story(machines=1).store()
STEPS = st.lists(st.integers(-60, 60), max_size=6)


@pytest.fixture
def tall() -> Control:
    """A control at the start of the first machine, with log lines and the scope of all."""
    control = Control(tall_story().store())
    control.workspace.filters = LEVEL_1
    control.data_arrived()
    control.open_address("mach://worker-1/1")
    control.project(*SIZE)
    do(control, "scope")
    control.project(*SIZE)
    return control


def lines(control: Control) -> list[str]:
    """The log lines on show."""
    rows = control.project(*SIZE).log.rows
    return [line_text(row) for row in rows if row.kind is RowKind.LINE]


def texts(rows: list[LogRow]) -> list[tuple[RowKind, int, str]]:
    return [(row.kind, row.number, line_text(row)) for row in rows]


def window_at(
    store: Store, here: Cursor, height: int = HEIGHT, options: LogOptions | None = None
) -> MergedWindow:
    merged = AcrossQueries(store).visible(LEVEL_1, frozenset())
    rows = MergedRows(store, here, 1, options or LogOptions())
    return MergedWindow(merged, rows, height)


@cache
def all_rows(store: Store, options: LogOptions) -> list[LogRow]:
    """The whole log in one window."""
    start = Cursor(store.tracks[0], 1)
    return window_at(store, start, 10_000, options).rows_from(MergedPlace(start))


def test_scrolling_moves_by_rows_inside_a_transition(tall: Control) -> None:
    """A tall transition is scrolled row by row, and the cursor stays."""
    before = lines(tall)
    tall.scroll(Pane.LOG, 3)

    assert lines(tall)[0] == "[note] 1/1 line 2"
    assert tall.workspace.cursor == Cursor(tall.workspace.store.tracks[0], 1)
    tall.scroll(Pane.LOG, -3)
    assert lines(tall) == before


def test_scrolling_ends_inside_a_tall_transition(tall: Control) -> None:
    """The last row is at the bottom, though its transition began far above."""
    tall.scroll(Pane.LOG, 10_000)

    assert lines(tall)[-1] == f"[note] 2/3 line {LINES - 1}"
    assert len(tall.project(*SIZE).log.rows) == tall.workspace.height_of(Pane.LOG)


@pytest.mark.slow
@given(STEPS, st.booleans(), st.sampled_from([0, 12, 200]))
def test_a_scrolled_window_is_a_part_of_the_whole_log(
    steps: list[int], seconds: bool, width: int
) -> None:
    """Its rows are those of the log as a whole, from the first one moved by the steps."""
    options = LogOptions(seconds=seconds, width=width)
    whole = all_rows(TALL_STORE, options)
    window = window_at(TALL_STORE, Cursor(TALL_STORE.tracks[0], 1), options=options)
    top, at = MergedPlace(window.here), 0
    for by in steps:
        top = window.scrolled(top, by)
        at = max(0, min(at + by, len(whole) - HEIGHT))

        assert texts(window.rows_from(top)) == texts(whole[at : at + HEIGHT])


@pytest.mark.slow
@given(STEPS, st.booleans())
def test_with_one_machine_both_logs_scroll_alike(steps: list[int], seconds: bool) -> None:
    """The scope of all machines shows the rows that the log of the machine shows."""
    store = ALONE_STORE
    track, options = store.tracks[0], LogOptions(seconds=seconds)
    here, seen = Cursor(track, 1), Visible(track, LEVEL_1)
    alone = LogWindow(moment_of(here, seen), seen, HEIGHT, options)
    window = window_at(store, here, options=options)
    top, place = MergedPlace(here), LogPlace(1)
    for by in steps:
        top, place = window.scrolled(top, by), max(alone.scrolled(place, by), LogPlace(1))

        assert texts(window.rows_from(top)) == texts(alone.rows_from(*place))


def test_a_hit_in_a_log_line_is_scrolled_into_sight(tall: Control) -> None:
    """The row that contains the text is shown, not only its transition."""
    do(tall, "search")
    tall.type_search("2/2 line 35")
    tall.accept_search()

    assert "[note] 2/2 line 35" in lines(tall)


@pytest.mark.slow
@given(st.integers(1, 2), st.integers(1, 3), st.integers(0, LINES - 1), st.integers(-200, 200))
def test_every_line_is_found_from_every_place(machine: int, number: int, at: int, by: int) -> None:
    """Wherever the window was, it then has the row, and projecting again moves nothing."""
    here = Cursor(TALL_STORE.tracks[machine - 1], number)
    window, needle = window_at(TALL_STORE, here), f"{machine}/{number} line {at}"
    columns = merged_columns(window.merged)
    top = window.scrolled(MergedPlace(Cursor(TALL_STORE.tracks[0], 2)), by)

    view, kept = project_merged_log(window, top, columns, needle=needle)

    assert f"[note] {needle}" in [line_text(row) for row in view.rows]
    assert project_merged_log(window, kept, columns, needle=needle) == (view, kept)


def test_arrows_read_a_tall_transition_to_its_end_first(tall: Control) -> None:
    """As in the log of one machine; then the cursor goes on, to the next machine."""
    tracks = tall.workspace.store.tracks
    tall.press("down")
    assert tall.workspace.cursor == Cursor(tracks[0], 1)
    for _ in range(LINES):
        tall.press("down")
        tall.project(*SIZE)

    assert tall.workspace.cursor == Cursor(tracks[1], 1)


@pytest.mark.parametrize("is_across", [True, False])
def test_pages_go_through_transitions_that_are_taller_than_a_page(
    tall: Control, is_across: bool
) -> None:
    """Every page shows further rows, down to the last one and back to the first."""
    if not is_across:
        do(tall, "scope")
    seen = lines(tall)
    for _ in range(40):
        tall.press("page_down")
        seen += lines(tall)
    last = lines(tall)[-1]

    assert last.endswith(f"/3 line {LINES - 1}")
    machines = 2 if is_across else 1
    assert len(set(seen)) == machines * 3 * LINES
    for _ in range(40):
        tall.press("page_up")
        tall.project(*SIZE)
    assert "[note] 1/1 line 0" in lines(tall)


def test_the_row_of_the_cursor_comes_back_when_it_moves(tall: Control) -> None:
    """A window that was scrolled away shows the cursor again."""
    tall.scroll(Pane.LOG, 150)
    do(tall, "next_transition")

    assert any(row.is_current for row in tall.project(*SIZE).log.rows)


@pytest.mark.parametrize("width", [0, 12])
def test_lines_since_the_last_transition_are_below_it(width: int) -> None:
    """As in the log of one machine, under a heading that names the machine."""
    story = tall_story(transitions=1)
    story.writer.later_lines(story.tellers[0].number, ((1, "[note] still alive"), (4, "quiet")))
    rows = all_rows(story.store(), LogOptions(width=width))
    at = next(index for index, row in enumerate(rows) if row.kind is RowKind.GAP)
    last = next(index for index, row in enumerate(rows) if row.machine == "worker-2")

    assert rows[at].text == "worker-1: log lines since the last transition"
    words = " ".join(line_text(row) for row in rows[at + 1 : last]).split()
    assert words == ["[note]", "still", "alive"]
