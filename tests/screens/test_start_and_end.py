"""What the screen begins with, what a paste does, and what remains in the shell at the end."""

from __future__ import annotations

import pytest
from textual import events

from am_dbg.app import _main_pane
from am_dbg.control import Control
from am_dbg.drawing.layout import Pane
from am_dbg.options import VIEWS
from am_dbg.projection.bars import all_tags
from am_dbg.projection.counts import exit_words
from am_dbg.store import Store
from am_dbg.views.debugger import Debugger
from am_dbg.views.messages import Warned
from tests.screens.stories import Story
from tests.screens.test_screen import number, running


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_of_the_command_line_is_a_pane_in_the_middle(view: str) -> None:
    """The last word of a view names the pane that is in the middle at the start."""
    assert _main_pane(view) is Pane(view.split("-")[-1])


def test_the_tags_of_parents_follow_those_of_a_machine() -> None:
    """Each tag is shown once, the nearest machine first."""
    story = Story()
    story.machine("root", tags=("prod", "eu"))
    story.machine("middle", parent="root", tags=("eu", "worker"))
    story.machine("leaf", parent="middle", tags=("small",))
    store = story.store()
    leaf = store.find("leaf")
    assert leaf is not None

    assert all_tags(store, leaf) == ("small", "eu", "worker", "prod")


def test_the_shell_shows_at_the_end_what_was_seen(store: Store) -> None:
    """Machines, transitions and memory are printed when the screen is closed."""
    words = exit_words(store)

    assert words.startswith("2 machines, 15 transitions, ")
    assert words.endswith(" MB in memory")


@pytest.mark.slow
async def test_an_address_that_is_pasted_is_opened(store: Store) -> None:
    """Any other text that is pasted outside of an input does nothing."""
    async with running(store) as (app, pilot):
        app.post_message(events.Paste("  mach://worker/3\n"))
        await pilot.pause()
        assert number(app) == 3

        app.post_message(events.Paste("e"))
        await pilot.pause()

        assert number(app) == 3


@pytest.mark.slow
async def test_what_was_reported_before_the_screen_runs_is_shown(store: Store) -> None:
    """A short session may be read before the screen is there; of each kind the last one counts."""
    app = Debugger(Control(store))
    for text in ("early", "a little later"):
        app.post_from_thread(Warned(text))
    async with app.run_test() as pilot:
        await pilot.pause()

        assert app.control.message == "a little later"
