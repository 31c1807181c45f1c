"""Small things that a reader meets every minute."""

from __future__ import annotations

import pytest

from am_dbg.control import Control
from am_dbg.drawing.matrix import matrix_window
from am_dbg.drawing.reader import draw_reader
from am_dbg.drawing.timeline import draw_timeline
from am_dbg.drawing.transition import draw_transition
from am_dbg.projection.grids.matrix import project_matrix
from am_dbg.projection.reader import ReaderView
from am_dbg.projection.timeline import Column, TimelineView
from am_dbg.store import Store
from am_dbg.views.dialogs import TextDialog
from tests.screens.driving import at, do, number
from tests.screens.test_screen import NARROW, running, screen_text

START_NS = 1_700_000_000_000_000_000


@pytest.mark.parametrize("cursor", [0, 1, 5, 40, 71, 78, 79])
def test_a_time_of_the_axis_keeps_its_distance_from_the_cursor(cursor: int) -> None:
    """A time that touches the cursor would read as the time of the cursor."""
    view = TimelineView(
        (Column(1),) * 80, cursor, START_NS, START_NS + 9_000_000_000, is_empty=False
    )
    axis = draw_timeline(view, 82)[1].text

    assert axis.count(":") == 4
    assert axis[max(0, cursor - 1) : cursor + 4].strip("─ ") == "▲"


def test_the_transition_bar_does_not_move_when_numbers_grow(control: Control) -> None:
    """What follows the number stays where it is."""
    ends = set()
    for one in (1, 9, 10, 14):
        text = draw_transition(at(control, one).project(160, 45).transition, 160).text
        ends.add(min(text.find(verb) for verb in ("add", "remove") if verb in text[:20]))

    assert len(ends) == 1


def test_an_id_that_does_not_fit_breaks_in_its_middle() -> None:
    """The first half is that of the machine, the second one counts its transitions."""
    view = ReaderView(title="tx 1", id="0" * 15 + "1" + "0" * 15 + "2")
    rows = [row.text.strip() for row in draw_reader(view, 33)]

    assert rows[-2:] == ["0" * 15 + "1", "0" * 15 + "2"]
    assert draw_reader(view, 34)[-1].text.strip() == view.id


def test_a_matrix_that_scrolls_shows_which_part_it_shows(control: Control) -> None:
    """A matrix that fits shows nothing."""
    moment = control.workspace.moment
    assert moment is not None
    assert matrix_window(project_matrix(moment, 9, 9)) == ""
    assert matrix_window(project_matrix(moment, 9, 4, top=2)) == "↓ 2-5 of 9"
    assert matrix_window(project_matrix(moment, 5, 4)) == "↓ 0-3 → 0-4 of 9"


def test_a_jump_at_either_end_reports_it(control: Control) -> None:
    """Without a selected state the keys go fifty transitions on or back."""
    do(control, "last", "next_same_state")
    assert control.message == "this is the last transition"

    do(control, "first", "previous_same_state")

    assert control.message == "this is before the first transition"


def test_a_bookmark_is_not_compared_with_itself(control: Control) -> None:
    """The footer asks for another transition; an older bookmark elsewhere is compared instead."""
    do(at(control, 12), "bookmark", "diff")
    assert control.message == "the bookmark is here; go to another transition, then d"

    do(at(control, 13), "bookmark")
    assert control.press("diff") is not None

    assert number(control) == 13
    assert control.difference().first == 12


@pytest.mark.slow
async def test_a_place_that_does_not_exist_keeps_its_dialog_open(store: Store) -> None:
    """The dialog shows why, and the text can be corrected."""
    async with running(store, NARROW) as (app, pilot):
        await pilot.press("g", *"foo", "enter")

        assert isinstance(app.screen, TextDialog)
        assert "'foo' is no place" in screen_text(app)

        await pilot.press(*["backspace"] * 3, *"t2", "enter")

        assert number(app.control) == 2
