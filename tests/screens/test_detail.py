"""One transition in full, over the screen: its tabs, its texts of any length, a search in them."""

from __future__ import annotations

import pytest

from am_dbg.drawing.layout import Pane
from am_dbg.store import Store
from tests.screens.stories import Story
from tests.screens.test_screen import NARROW, WIDE, number, running, screen_text, text_of

pytestmark = pytest.mark.slow

TRACE = "\n".join(
    (
        "Traceback (most recent call last):",
        '  File "/srv/apps/projects/pool/source/python/pool/jobs/saving.py", line 207, in save',
        "    store.write(sheet)",
        '  File "/usr/lib/python3.12/site-packages/orders/pooling.py", line 9, in write',
        "    self.socket.send(body)",
        "ConnectionResetError: the store hung up",
    )
)
LONG = " ".join(f"word{place}" for place in range(240))


def failed_story() -> Store:
    """A machine with an error that has a trace, a long argument and many log lines."""
    story = Story()
    worker = story.machine("worker")
    worker.add("Start", args=[("job", "'sheet-014'")])
    lines = [
        (1, "[state] +Exception"),
        (2, f"[handler:0] {LONG}"),
        (1, f"[error] hung up\n{TRACE}"),
    ]
    lines += [(4, f"[everything] line {place}") for place in range(60)]
    worker.add(
        "Exception",
        args=[("job", "'sheet-014'"), ("err.trace", repr(TRACE)), ("body", repr(LONG))],
        lines=lines,
        steps=[worker.handler("ExceptionState", 0)],
    )
    worker.add("Ready")
    return story.store()


def tab_of(text: str) -> str:
    """The open tab of the detail view, by its mark."""
    return text.partition("▸")[2].split()[0]


async def test_v_opens_the_transition_over_all_panes_and_escape_closes_it() -> None:
    """The other panes are hidden while the view is open, and the focus returns afterwards."""
    async with running(failed_story(), number=2) as (app, pilot):
        await pilot.press("tab")
        before = app.control.focus

        await pilot.press("v")
        text = screen_text(app)
        await pilot.press("escape")

        assert "worker · transition 2" in text
        assert "Machines" not in text
        assert app.control.focus is before


async def test_tab_goes_through_the_tabs() -> None:
    """Why, Args, Log, Trace and Steps follow each other, and Why comes after Steps."""
    async with running(failed_story(), number=2) as (app, pilot):
        await pilot.press("v")
        tabs = [tab_of(text_of(app, Pane.DETAIL))]
        for _ in range(5):
            await pilot.press("tab")
            tabs.append(tab_of(text_of(app, Pane.DETAIL)))

        assert tabs == ["Why", "Args", "Log", "Trace", "Steps", "Why"]


async def test_why_shows_the_text_of_the_error() -> None:
    """What an error says stands in the first tab, without its trace."""
    async with running(failed_story(), number=2) as (app, pilot):
        await pilot.press("v")

        assert "hung up" in text_of(app, Pane.DETAIL)
        assert "Traceback" not in text_of(app, Pane.DETAIL)


async def test_long_texts_wrap_and_nothing_of_them_is_missing() -> None:
    """Every word of an argument is on the screen at some scroll position."""
    async with running(failed_story(), NARROW, number=2) as (app, pilot):
        await pilot.press("v", "tab")
        seen = text_of(app, Pane.DETAIL)
        for _ in range(12):
            await pilot.press("pagedown")
            seen += text_of(app, Pane.DETAIL)

        assert [word for word in LONG.split() if word not in seen] == []


async def test_paths_of_a_trace_are_cut_from_the_left() -> None:
    """On a narrow screen the name of the file and the line stay in sight."""
    async with running(failed_story(), (50, 24), number=2) as (app, pilot):
        await pilot.press("v", "tab", "tab", "tab")
        text = text_of(app, Pane.DETAIL)

        assert '…/jobs/saving.py", line 207, in save' in text
        assert "/srv/apps" not in text


async def test_a_trace_stands_once_although_it_was_recorded_twice() -> None:
    """The same trace in an argument and in a log line is one trace."""
    async with running(failed_story(), number=2) as (app, pilot):
        await pilot.press("v", "tab", "tab", "tab")

        assert text_of(app, Pane.DETAIL).count("Traceback") == 1


async def test_rows_scroll_one_by_one_and_by_pages() -> None:
    """Down moves by a row, End goes to the last rows, Home back to the first."""
    async with running(failed_story(), NARROW, number=2) as (app, pilot):
        await pilot.press("v", "tab", "tab")
        first = text_of(app, Pane.DETAIL).splitlines()[2:]

        await pilot.press("down")
        assert text_of(app, Pane.DETAIL).splitlines()[2:-1] == first[1:]

        await pilot.press("end")
        assert "[everything] line 59" in text_of(app, Pane.DETAIL)

        await pilot.press("home")
        assert text_of(app, Pane.DETAIL).splitlines()[2:] == first


async def test_a_search_goes_to_the_rows_with_the_text() -> None:
    """The first hit is scrolled into sight as the text is typed; n goes on, Escape ends it."""
    async with running(failed_story(), NARROW, number=2) as (app, pilot):
        await pilot.press("v", "tab", "tab", "slash", *"line 5")
        assert "▸" in row_with(text_of(app, Pane.DETAIL), "line 5")

        await pilot.press("enter", "n")
        assert text_of(app, Pane.DETAIL).count("▸") == 2
        assert "▸" in row_with(text_of(app, Pane.DETAIL), "line 50")

        await pilot.press("escape")
        assert app.control.focus is Pane.DETAIL
        assert text_of(app, Pane.DETAIL).count("▸") == 1


def row_with(text: str, words: str) -> str:
    return next(row for row in text.splitlines() if row.endswith(words))


async def test_keys_of_time_work_in_the_view() -> None:
    """Left and Right show the transition before and after, in the same tab, from its first row."""
    async with running(failed_story(), NARROW, number=2) as (app, pilot):
        await pilot.press("v", "tab", "pagedown", "left")

        assert number(app) == 1
        assert tab_of(text_of(app, Pane.DETAIL)) == "Args"
        assert "sheet-014" in text_of(app, Pane.DETAIL)


async def test_y_copies_the_open_tab_with_whole_rows() -> None:
    """Copied rows are neither broken nor cut, whatever the width of the screen."""
    async with running(failed_story(), (50, 24), number=2) as (app, pilot):
        await pilot.press("v", "tab", "tab", "tab", "y")

        assert app.clipboard.startswith("mach://worker/")
        assert TRACE in app.clipboard


async def test_wrap_off_cuts_long_rows() -> None:
    """W cuts the rows of the view, so a row of the screen is a row of the text."""
    async with running(failed_story(), NARROW, number=2) as (app, pilot):
        await pilot.press("v", "tab", "W")
        assert "word239" not in text_of(app, Pane.DETAIL)
        assert "all rows" in text_of(app, Pane.DETAIL)


async def test_there_is_nothing_in_full_before_the_first_transition() -> None:
    """The key says so and opens nothing."""
    async with running(failed_story(), number=0) as (app, pilot):
        await pilot.press("home", "v")

        assert app.control.focus is not Pane.DETAIL
        assert "no transition here" in text_of(app, Pane.FOOTER)


async def test_another_pane_leaves_the_view() -> None:
    """A key that shows another pane shows it, and the view closes."""
    async with running(failed_story(), WIDE, number=2) as (app, pilot):
        await pilot.press("v", "R")

        assert app.control.focus is Pane.RAIN
        assert text_of(app, Pane.RAIN)


async def test_the_footer_has_the_keys_of_the_view() -> None:
    """How to close the view and how to go on in it stands first, also on a narrow screen."""
    async with running(failed_story(), NARROW, number=2) as (app, pilot):
        await pilot.press("v")

        assert text_of(app, Pane.FOOTER).startswith(" Esc close  ⇥ tab  ↑↓ scroll")
