"""The help: what the focused pane does first, and what typed words leave of it."""

from __future__ import annotations

import pytest

from am_dbg.control import Control
from am_dbg.drawing.help import draw_help
from am_dbg.drawing.layout import Pane
from am_dbg.store import Store
from am_dbg.views.help_dialog import HelpDialog
from tests.screens.test_screen import NARROW, number, running, screen_text


def texts(width: int = 100, **given: str) -> list[str]:
    return [row.text.rstrip() for row in draw_help(width, **given)]  # type: ignore[arg-type]


def test_the_help_begins_with_the_keys_of_the_focused_pane(control: Control) -> None:
    """They do something else there than elsewhere."""
    control.focus_on(Pane.FILTERS)
    rows = [row.text.split() for row in control.help_lines(70)]

    assert rows[0] == ["Filters,", "where", "you", "are"]
    assert rows[1:4] == [["←→", "pick"], ["␣", "switch"], ["Esc", "back"]]


def test_words_narrow_the_help() -> None:
    """A row stays if it, or the heading above it, has all words, in any order and case."""
    assert texts(needle="canceled prev") == [
        "Jumping",
        "C               previous canceled transition",
    ]
    assert texts(needle="TIMELINE") == ["nothing here has 'TIMELINE'"]
    assert "▲       here" in texts(needle="timeline")


def test_a_search_without_a_result_shows_that() -> None:
    """The text is data: control characters of a paste do not reach the terminal."""
    assert texts(needle="xyzzy\x1b[2J") == [r"nothing here has 'xyzzy\x1b[2J'"]


def test_the_help_shows_the_version_and_the_memory(control: Control) -> None:
    """They stand on the frame of the help, and in the status of tall screens."""
    assert control.about().startswith("am-dbg ")
    assert control.about().endswith(" MB")
    assert control.project(160, 45).status.about == control.about()


@pytest.mark.slow
async def test_typing_in_the_help_narrows_it(store: Store) -> None:
    """Letters are no commands there; Esc closes."""
    async with running(store, NARROW) as (app, pilot):
        await pilot.press("question_mark", *"zoom")
        shown = screen_text(app)
        assert isinstance(app.screen, HelpDialog)
        assert "zoom the focused pane" in shown
        assert "next error" not in shown

        await pilot.press("escape", "right")

        assert number(app) == 13
