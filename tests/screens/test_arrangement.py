"""Zoom, sizes of panes and the speed of playing."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from am_dbg.control import Control
from am_dbg.control.arrangement.play_speed import SPEEDS
from am_dbg.drawing.layout import Box, Layout, Pane, lay_out
from am_dbg.drawing.pane_sizes import LEFT_MIN, MIDDLE_MIN, PaneSizes
from am_dbg.drawing.resizing import Border, border_at, dragged, resized
from am_dbg.store import Store
from am_dbg.views.messages import BorderDragged
from tests.screens.driving import do
from tests.screens.test_screen import NARROW, running

WIDE = (160, 45)


def box(control: Control, pane: Pane, size: tuple[int, int] = WIDE) -> Box | None:
    return control.project(*size).layout.boxes.get(pane)


def width(control: Control, pane: Pane) -> int:
    found = box(control, pane)
    assert found is not None
    return found.width


def test_zoom_gives_the_focused_pane_the_room_of_all(control: Control) -> None:
    """The rows above and below stay; Tab shows the next pane as large."""
    do(control, "zoom")
    assert box(control, Pane.LOG) == Box(0, 1, 160, 36)
    assert box(control, Pane.MACHINES) is None

    do(control, "next_pane")

    assert box(control, Pane.READER) == Box(0, 1, 160, 36)


def test_zoom_on_a_narrow_screen_hides_the_rows_that_matter_least(control: Control) -> None:
    """A narrow screen shows one pane anyway; zoomed, the pane has three rows more."""
    assert box(control, Pane.LOG, NARROW) == Box(0, 2, 80, 16)

    control.press("zoom")

    assert box(control, Pane.LOG, NARROW) == Box(0, 2, 80, 20)


def test_escape_ends_the_zoom_first(control: Control) -> None:
    """The focus stays where it is; the next Esc moves it to the machines."""
    do(control, "zoom", "escape")
    assert (control.focus, control.workspace.is_zoomed) == (Pane.LOG, False)

    do(control, "escape")

    assert control.focus is Pane.MACHINES


@pytest.mark.parametrize("pane", [Pane.MACHINES, Pane.STATES, Pane.LOG, Pane.READER])
def test_keys_make_the_focused_pane_wider_and_narrower(control: Control, pane: Pane) -> None:
    """What the pane gains, its neighbour loses; the screen stays full."""
    control.focus_on(pane)
    before = width(control, pane)
    do(control, "wider")
    assert width(control, pane) == before + 4

    do(control, "narrower", "narrower")

    assert width(control, pane) == before - 4


def test_a_pane_at_its_limit_stays_and_the_footer_shows_it(control: Control) -> None:
    """Every pane keeps a width with which it can be read."""
    control.focus_on(Pane.MACHINES)
    do(control, *["narrower"] * 20)
    assert width(control, Pane.MACHINES) == LEFT_MIN
    assert control.message == "this is the narrowest it gets"

    do(control, *["wider"] * 40)

    assert width(control, Pane.LOG) == MIDDLE_MIN


@given(
    size=st.tuples(st.integers(100, 400), st.integers(10, 100)),
    sizes=st.builds(PaneSizes, *[st.integers(0, 500)] * 3),
    reader=st.booleans(),
    zoomed=st.booleans(),
    states=st.integers(0, 200),
)
def test_any_sizes_fill_the_screen_without_overlap(
    size: tuple[int, int], sizes: PaneSizes, reader: bool, zoomed: bool, states: int
) -> None:
    """Sizes of a larger screen, or absurd ones, are brought to what fits."""
    boxes = lay_out(*size, reader=reader, zoomed=zoomed, sizes=sizes, states=states).boxes

    assert sum(one.width * one.height for one in boxes.values()) == size[0] * size[1]
    assert all(one.width > 0 and one.height > 0 for one in boxes.values())
    for one, other in combinations(boxes.values(), 2):
        assert (
            one.x + one.width <= other.x
            or other.x + other.width <= one.x
            or one.y + one.height <= other.y
            or other.y + other.height <= one.y
        )


def test_machines_get_the_rows_that_states_do_not_need() -> None:
    """Nine states need eleven rows with their frame; a long list of states gets its full share."""
    heights = [lay_out(*WIDE, states=states).boxes[Pane.STATES].height for states in (0, 9, 100)]

    assert heights == [24, 11, 24]


def test_borders_follow_the_mouse() -> None:
    """Each of the three borders stops where it was dragged to."""
    plan, sizes = lay_out(*WIDE, reader=True), PaneSizes()
    machines, reader = plan.boxes[Pane.MACHINES], plan.boxes[Pane.READER]
    assert border_at(plan, machines.width, 5) is Border.LEFT
    assert border_at(plan, reader.x, 5) is Border.RIGHT
    assert border_at(plan, 5, machines.height) is Border.UPPER
    assert border_at(plan, 80, 5) is None

    for border, place in ((Border.LEFT, 50), (Border.RIGHT, 120), (Border.UPPER, 20)):
        sizes = dragged(plan, sizes, border, place, place)
    moved = lay_out(*WIDE, reader=True, sizes=sizes)

    assert moved.boxes[Pane.MACHINES] == Box(0, 1, 50, 19)
    assert moved.boxes[Pane.READER].x == 120


def test_a_screen_without_borders_has_none() -> None:
    """A narrow screen has no frames to drag."""
    assert border_at(lay_out(*NARROW), 0, 5) is None
    assert dragged(Layout(80, 24), PaneSizes(), Border.UPPER, 1, 1) == PaneSizes()
    assert resized(lay_out(*WIDE), PaneSizes(), Pane.READER, 4).left > 0


@pytest.mark.slow
async def test_dragging_a_border_resizes_the_panes(store: Store) -> None:
    """The mouse presses on the border, moves and lets go."""
    async with running(store, WIDE) as (app, pilot):
        edge = width(app.control, Pane.MACHINES) - 1
        await pilot.mouse_down(f"#{Pane.MACHINES}", offset=(edge, 3))
        await pilot.hover(None, offset=(51, 4))
        await pilot.mouse_up(None, offset=(51, 4))

        assert width(app.control, Pane.MACHINES) == 51

        await pilot.hover(None, offset=(90, 4))

        assert width(app.control, Pane.MACHINES) == 51


def test_of_several_moves_the_newest_counts() -> None:
    """A slow screen does not repaint for each cell the mouse passed."""
    move = BorderDragged(Border.LEFT, 1, 1)

    assert move.can_replace(BorderDragged(Border.LEFT, 0, 0))


def test_keys_change_the_speed_of_playing(control: Control) -> None:
    """The address bar shows the speed while it plays; both ends are reported."""
    do(control, "first", "toggle_play", "faster")
    screen = control.project(160, 45)
    assert (screen.address.speed, screen.play_every_s) == ("5/s", 0.2)

    do(control, *["faster"] * len(SPEEDS))
    assert control.message == "plays 20/s, the fastest there is"
    do(control, *["slower"] * len(SPEEDS))
    assert control.message == "plays 0.5/s, the slowest there is"
