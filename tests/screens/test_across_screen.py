"""All machines on a real screen, driven by keys alone."""

from __future__ import annotations

import pytest
from textual.widgets import OptionList

from am_dbg.drawing.layout import Pane
from am_dbg.views.occurrences_dialog import OccurrencesDialog
from tests.screens.test_across_machines import place, pool_story
from tests.screens.test_screen import running, screen_text, text_of

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("size", [(160, 45), (80, 24), (40, 12)])
async def test_the_list_of_errors_opens_and_leads_there(size: tuple[int, int]) -> None:
    """`!` lists the errors of all machines, Enter goes to one."""
    async with running(pool_story().store(), size, number=1) as (app, pilot):
        await pilot.press("exclamation_mark")
        await pilot.pause()
        assert isinstance(app.screen, OccurrencesDialog)
        assert "1 error in 1 machine" in screen_text(app)

        await pilot.press("enter")
        await pilot.pause()

        assert place(app.control) == "worker-2/2"


async def test_tab_shows_the_next_list() -> None:
    """The list of canceled transitions is one key away; Escape closes and goes nowhere."""
    async with running(pool_story().store(), number=1) as (app, pilot):
        before = place(app.control)
        await pilot.press("exclamation_mark", "tab")
        await pilot.pause()

        assert "1 canceled transition in 1 machine" in screen_text(app)
        assert app.screen.query_one(OptionList).option_count == 1
        await pilot.press("escape")
        await pilot.pause()
        assert place(app.control) == before


async def test_the_log_of_all_machines_names_them() -> None:
    """`A` shows all machines; the title names the scope, each row its machine and its cause."""
    async with running(pool_story().store(), number=1) as (app, pilot):
        await pilot.press("A", "e")
        await pilot.pause()

        assert "Log · all 3 machines" in text_of(app, Pane.LOG)
        assert "worker-2 2 E Exception" in text_of(app, Pane.LOG)
        assert "◂ worker-2/2" in text_of(app, Pane.LOG)
        assert place(app.control) == "worker-2/2"
