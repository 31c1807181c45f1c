"""Filters on a real screen, driven by keys alone."""

from __future__ import annotations

import pytest

from am_dbg.drawing.layout import Pane
from am_dbg.views.search import SearchLine
from tests.screens.stories import files_story
from tests.screens.test_filter_line import three_machines
from tests.screens.test_screen import running, text_of

pytestmark = pytest.mark.slow


async def test_a_query_is_typed_into_the_row_of_the_filters() -> None:
    """The title of the log follows what is typed; the line opens again with the query in it."""
    async with running(files_story().store(), number=1) as (app, pilot):
        await pilot.press("F", *"error", "colon", *"yes")
        await pilot.pause()
        assert "leaves 1" in text_of(app, Pane.FILTERS)
        assert "error:yes hides 12" in text_of(app, Pane.LOG)

        await pilot.press("enter", "F")
        await pilot.pause()
        assert app.query_one(SearchLine).value == "error:yes"

        await pilot.press("escape")
        await pilot.pause()
        assert "error:yes hides 12" in text_of(app, Pane.LOG)


async def test_machines_are_filtered_and_sorted_by_keys() -> None:
    """The title of the list has the filter and the sort."""
    async with running(three_machines(), number=1) as (app, pilot):
        app.control.focus_on(Pane.MACHINES)
        await pilot.press("F", *"worker", "enter", "S")
        await pilot.pause()

        shown = text_of(app, Pane.MACHINES)
        assert "F by errors 2/3" in shown
        assert shown.index("worker-2") < shown.index("worker-10")
