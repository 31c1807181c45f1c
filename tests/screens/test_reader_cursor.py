"""The reader: rows wrap, a cursor goes from item to item, Enter follows the item it is on."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from am_dbg.drawing.layout import Pane
from am_dbg.store import Store
from am_dbg.views.debugger import Debugger
from amtracer.wire.messages import Source
from tests.screens.stories import Story
from tests.screens.test_screen import NARROW, number, running, text_of

pytestmark = pytest.mark.slow

LONG = " ".join(f"word{place}" for place in range(60))


def asked_story() -> Store:
    """A machine whose third transition was requested by the second one of another machine."""
    story = Story()
    pool, worker = story.machine("pool"), story.machine("worker")
    pool.add("Start")
    pool.add("Ready")
    worker.add("Start", lines=[(2, "[when:new] Ready")])
    worker.add("Ready")
    worker.add(
        "ProcessingFile",
        source=Source("pool", pool.tx(2), 1),
        steps=[worker.handler("ProcessingFileEnter"), worker.handler("ProcessingFileState")],
        args=[("see", "mach://pool/1"), ("body", LONG)],
    )
    return story.store()


def cursor_row(app: Debugger) -> str:
    """The row of the reader that has the mark of the cursor."""
    return next((row for row in text_of(app, Pane.READER).splitlines() if "▸" in row), "")


async def to_row(app: Debugger, pilot: Pilot[int], words: str) -> None:
    """Press Down until the cursor is on a row with some words."""
    for _ in range(20):
        if words in cursor_row(app):
            return
        await pilot.press("down")
    raise AssertionError(text_of(app, Pane.READER))


async def test_the_cursor_stands_on_items_and_not_on_headings() -> None:
    """Down goes from the paragraph to the source and on to the handlers."""
    async with running(asked_story(), reader=True, number=0) as (app, pilot):
        await pilot.press("g", *"mach://worker/3", "enter", "enter")
        rows = [cursor_row(app)]
        for _ in range(3):
            await pilot.press("down")
            rows.append(cursor_row(app))

        assert app.control.focus is Pane.READER
        assert ["pool" in row for row in rows[:2]] == [True, True]
        assert ["ProcessingFile" in row for row in rows[2:]] == [True, True]


async def test_enter_follows_the_source() -> None:
    """The row of the source leads to its transition in the other machine."""
    async with running(asked_story(), reader=True, number=0) as (app, pilot):
        await pilot.press("g", *"mach://worker/3", "enter", "enter", "down", "enter")

        assert "mach://pool/2" in text_of(app, Pane.ADDRESS)


async def test_enter_on_a_handler_goes_to_its_step() -> None:
    """The steps up to the call of the handler are shown."""
    async with running(asked_story(), reader=True, number=0) as (app, pilot):
        await pilot.press("g", *"mach://worker/3", "enter", "enter")
        await to_row(app, pilot, "ProcessingFileEnter")
        await pilot.press("enter")

        assert "step 1/2" in text_of(app, Pane.STEPS)


async def test_enter_follows_an_address_in_an_argument() -> None:
    """A text of the program that names a place leads there."""
    async with running(asked_story(), reader=True, number=0) as (app, pilot):
        await pilot.press("g", *"mach://worker/3", "enter", "enter")
        await to_row(app, pilot, "mach://pool/1")
        await pilot.press("enter")

        assert "mach://pool/1" in text_of(app, Pane.ADDRESS)


async def test_enter_on_a_waiter_goes_to_its_beginning() -> None:
    """The machine time of a waiter leads to the transition that came to it."""
    async with running(asked_story(), reader=True, number=0) as (app, pilot):
        await pilot.press("g", *"mach://worker/3", "enter", "enter")
        await to_row(app, pilot, "when Ready")
        await pilot.press("enter")

        assert "mach://worker/1" in text_of(app, Pane.ADDRESS)


async def test_enter_on_a_row_without_a_link_says_so() -> None:
    """Nothing moves."""
    async with running(asked_story(), reader=True, number=0) as (app, pilot):
        await pilot.press("g", *"mach://worker/3", "enter", "enter")
        await to_row(app, pilot, "body")
        await pilot.press("enter")

        assert "leads nowhere" in text_of(app, Pane.FOOTER)
        assert number(app) == 3


async def test_long_rows_of_the_reader_wrap_and_w_cuts_them() -> None:
    """The words of an argument go on below; cut rows end with a mark."""
    async with running(asked_story(), reader=True, number=0) as (app, pilot):
        await pilot.press("g", *"mach://worker/3", "enter", "enter")
        assert "word40" in text_of(app, Pane.READER)

        await pilot.press("W")
        assert "word40" not in text_of(app, Pane.READER)
        assert "…" in text_of(app, Pane.READER)


async def test_an_item_that_is_taller_than_the_reader_scrolls_by_rows() -> None:
    """Down reads a long argument to its end before the cursor goes on."""
    async with running(asked_story(), NARROW, number=0) as (app, pilot):
        await pilot.press("g", *"mach://worker/3", "enter", "enter")
        await to_row(app, pilot, "body")
        for _ in range(20):
            if "word59" in text_of(app, Pane.READER):
                break
            await pilot.press("down")

        assert "word59" in text_of(app, Pane.READER)
