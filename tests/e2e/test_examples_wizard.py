"""The wizard of examples/, by the keys of a person."""

from __future__ import annotations

import runpy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Label

pytestmark = pytest.mark.slow

WIZARD = runpy.run_path(
    str(Path(__file__).resolve().parents[2] / "examples" / "textual_wizard.py"), run_name="wizard"
)


@asynccontextmanager
async def opened() -> AsyncIterator[tuple[Any, Pilot[Any]]]:
    """The wizard, and what presses its keys."""
    app = WIZARD["Wizard"]()
    async with app.run_test() as pilot:
        yield app, pilot


def step(app: Any) -> str:
    return str(app.mach.switch(WIZARD["ss"].Step))


def reason(app: Any) -> str:
    return str(app.query_one("#reason", Label).render())


async def test_a_step_that_is_not_due_is_refused() -> None:
    """Without a name there is no next step, and the screen shows the reason of the machine."""
    async with opened() as (app, pilot):
        await pilot.press("enter")

        assert step(app) == "AskingName"
        assert reason(app) == "AskingMail requires NameGiven, which is not active"


async def test_the_wizard_goes_forth_and_back() -> None:
    """Enter and Escape go to the neighbour of a step; what was typed remains."""
    async with opened() as (app, pilot):
        await pilot.press("a", "n", "n", "enter")
        assert step(app) == "AskingMail"
        await pilot.press("a", "@", "b", "enter")
        assert step(app) == "Reviewing"
        assert reason(app) == "ann <a@b>"
        await pilot.press("escape", "escape")

        assert step(app) == "AskingName"
        assert app.mach.is_(["NameGiven", "MailGiven"])


async def test_the_wizard_ends_with_what_was_given() -> None:
    """After saving, the app returns the values."""
    async with opened() as (app, pilot):
        saved = app.mach.when1("Saved")
        await pilot.press("a", "enter", "a", "@", "b", "enter", "enter")
        await saved

    assert app.return_value == {"name": "a", "mail": "a@b"}
