"""The log on the screen: keys read a tall transition to its end, a search shows its line."""

from __future__ import annotations

import pytest

from am_dbg.drawing.layout import Pane
from tests.dbg.test_projection_log_rows import LINES, tall_story
from tests.screens.test_screen import NARROW, number, running, text_of

pytestmark = pytest.mark.slow


async def test_down_reads_a_tall_transition_before_it_goes_on() -> None:
    """While rows of the current transition are below the pane, Down scrolls by a row."""
    async with running(tall_story().store(), NARROW, number=2) as (app, pilot):
        for _ in range(LINES):
            if f"2 line {LINES - 1}" in text_of(app, Pane.LOG):
                break
            await pilot.press("down")
            assert number(app) == 2
        assert f"2 line {LINES - 1}" in text_of(app, Pane.LOG)

        await pilot.press("down")

        assert number(app) == 3


async def test_pages_read_a_tall_transition_too() -> None:
    """A page down stays in the transition as long as it has more rows."""
    async with running(tall_story().store(), NARROW, number=2) as (app, pilot):
        await pilot.press("pagedown")

        assert number(app) == 2
        assert "2 line 20" in text_of(app, Pane.LOG)


async def test_a_search_shows_the_line_that_it_has_found() -> None:
    """The line is on the screen, however far below its transition it stands."""
    async with running(tall_story().store(), NARROW, number=1) as (app, pilot):
        await pilot.press("slash", *'"4 line 35"', "enter")

        assert number(app) == 4
        assert "4 line 35" in text_of(app, Pane.LOG)


async def test_w_wraps_the_rows_of_the_log() -> None:
    """Long lines and long arguments are whole on the screen, and cut again afterwards."""
    async with running(tall_story().store(), NARROW, number=3) as (app, pilot):
        assert "…" in text_of(app, Pane.LOG)

        await pilot.press("W")
        text = text_of(app, Pane.LOG)

        assert "…" not in text
        assert text.count("y y y y") > 3

        await pilot.press("W")
        assert "…" in text_of(app, Pane.LOG)
