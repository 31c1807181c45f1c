"""In the tab of steps, keys move from step to step, and Enter shows the screen at that step."""

from __future__ import annotations

import pytest

from am_dbg.control import Control
from am_dbg.drawing.detail import HEAD_ROWS, DetailView
from am_dbg.drawing.layout import Pane
from tests.screens.stories import Story

SIZE = (100, 14)
STEPS = 30


@pytest.fixture
def steps() -> Control:
    """A control with the steps of a transition over the screen."""
    story = Story()
    worker = story.machine("worker")
    worker.add("Start")
    handlers = [worker.handler("StartState", 0)] * STEPS
    worker.add("Ping", steps=handlers)
    worker.add("Ready")
    control = Control(story.store())
    control.data_arrived()
    control.open_address("mach://worker/2")
    control.project(*SIZE)
    control.press("detail_steps")
    control.project(*SIZE)
    return control


def view(control: Control) -> DetailView:
    return control.project(*SIZE).detail


def step_at_cursor(control: Control) -> int:
    """The number of the step that the cursor is on; it stands first in its row."""
    shown = view(control)
    return int(shown.rows[shown.cursor][0].text)


def pressed(control: Control, action: str, times: int = 1) -> Control:
    for _ in range(times):
        control.press(action)
        control.project(*SIZE)
    return control


def test_the_cursor_begins_at_the_first_step_and_goes_on_by_steps(steps: Control) -> None:
    """Down and up move it by one, and it stays inside at both ends."""
    assert step_at_cursor(steps) == 1
    assert step_at_cursor(pressed(steps, "down", 2)) == 3
    assert step_at_cursor(pressed(steps, "up", 5)) == 1
    assert step_at_cursor(pressed(steps, "last")) == STEPS
    assert step_at_cursor(pressed(steps, "down")) == STEPS
    assert step_at_cursor(pressed(steps, "first")) == 1


@pytest.mark.parametrize("action", ["down", "page_down"])
def test_the_row_of_the_cursor_is_always_on_the_screen(steps: Control, action: str) -> None:
    """The tab scrolls as little as shows it, on the way down and up again."""
    for _ in range(STEPS):
        assert view(pressed(steps, action)).cursor >= 0
    assert step_at_cursor(steps) == STEPS
    for _ in range(STEPS):
        assert view(pressed(steps, action.replace("down", "up"))).cursor >= 0
    assert (step_at_cursor(steps), view(steps).top) == (1, 0)


def test_enter_shows_the_screen_at_the_step(steps: Control) -> None:
    """The view closes, and so many steps of its transition are shown."""
    pressed(steps, "down", 4)
    pressed(steps, "choose")
    moment = steps.workspace.moment

    assert moment is not None
    assert (moment.number, moment.step) == (2, 5)
    assert steps.focus is Pane.STEPS


def test_the_view_opens_at_the_step_on_show(steps: Control) -> None:
    """While steps are walked, the cursor is on the newest of them, and the title counts them."""
    pressed(steps, "down", 4)
    pressed(steps, "choose")
    pressed(steps, "next_step")
    pressed(steps, "detail_steps")

    assert step_at_cursor(steps) == 6
    assert view(steps).title == f"worker · transition 2 · step 6 of {STEPS}"


def test_a_second_click_on_a_step_does_what_enter_does(steps: Control) -> None:
    """The first one puts the cursor on it."""
    steps.click(Pane.DETAIL, HEAD_ROWS + 3, 40)
    assert step_at_cursor(steps) == 4
    steps.click(Pane.DETAIL, HEAD_ROWS + 3, 40, again=True)
    moment = steps.workspace.moment

    assert moment is not None
    assert moment.step == 4


def test_a_search_in_the_steps_moves_the_cursor(steps: Control) -> None:
    """Enter then follows the step that was found."""
    pressed(steps, "search")
    steps.type_search("17")
    steps.accept_search()

    assert step_at_cursor(steps) == 17


def test_other_tabs_have_no_cursor(steps: Control) -> None:
    """There, keys scroll, and Enter goes to the cause of the transition."""
    pressed(steps, "next_pane")

    assert view(steps).cursor == -1
