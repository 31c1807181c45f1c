"""The look of the screen, held as plain text.

With AM_SNAPSHOTS=write the texts are written again; look at each before you keep it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from am_dbg.drawing.help import draw_help
from am_dbg.store import Store
from tests.screens.stories import files_story
from tests.screens.test_screen import NARROW, WIDE, running, screen_text

FOLDER = Path(__file__).parent / "snapshots"
MIDDLE = (100, 30)
SMALL = (40, 12)

SCREENS: dict[str, tuple[tuple[int, int], Sequence[str]]] = {
    "wide-error": (WIDE, ["e"]),
    "wide-stepping": (WIDE, ["comma", "comma", "comma"]),
    "wide-rain": (WIDE, ["m"]),
    "wide-matrix": (WIDE, ["m", "m"]),
    "wide-level-ops": (WIDE, ["l"]),
    "wide-why-not": (WIDE, ["shift+tab"] + ["down"] * 5 + ["w"]),
    "middle-search": (MIDDLE, ["slash", "P", "i", "n", "g"]),
    "narrow-log": (NARROW, []),
    "narrow-machines": (NARROW, ["tab", "tab"]),
    "narrow-states": (NARROW, ["shift+tab"]),
    "narrow-why-not": (NARROW, ["shift+tab"] + ["down"] * 3 + ["enter"]),
    "narrow-reader": (NARROW, ["tab"]),
    "narrow-goto": (NARROW, ["g"]),
    "small-log": (SMALL, []),
    "small-log-of-all": (SMALL, ["A"]),
    "small-rain": (SMALL, ["m"]),
    "small-detail": (SMALL, ["e", "v"]),
    "small-errors": (SMALL, ["exclamation_mark"]),
    "small-search": (SMALL, ["slash", "P", "i", "n", "g"]),
    "small-goto-refused": (SMALL, ["g", "x", "y", "enter"]),
    "small-help": (SMALL, ["question_mark"]),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SCREENS)
async def test_the_screen_looks_as_it_was_accepted(name: str, store: Store) -> None:
    """A change of the look is a decision."""
    size, keys = SCREENS[name]
    async with running(store, size, reader=size == WIDE) as (app, pilot):
        await pilot.press(*keys)
        await pilot.pause()

        assert_accepted(name, screen_text(app))


@pytest.mark.slow
async def test_the_screen_without_data_shows_how_to_get_data() -> None:
    """An empty debugger shows how to get data into it."""
    async with running(Store(), NARROW) as (app, _):
        assert_accepted("narrow-empty", screen_text(app))


def test_the_help_looks_as_it_was_accepted() -> None:
    """Keys at the left, marks at the right."""
    assert_accepted("help", "\n".join(line.text.rstrip() for line in draw_help(130)))


def assert_accepted(name: str, shown: str) -> None:
    path = FOLDER / f"{name}.txt"
    if os.environ.get("AM_SNAPSHOTS") == "write":
        FOLDER.mkdir(exist_ok=True)
        path.write_text(shown + "\n", encoding="utf-8")
    assert shown + "\n" == path.read_text(encoding="utf-8")


def test_the_story_is_always_the_same() -> None:
    """Snapshots rest on a session that does not change."""
    assert files_story().messages == files_story().messages
