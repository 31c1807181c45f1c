"""Changes the sizes of panes: by keys, and by dragging a border with the mouse."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum, auto

from am_dbg.drawing.layout import Layout, Pane
from am_dbg.drawing.pane_sizes import PaneSizes, left_width, right_width, upper_height


class Border(Enum):
    """The borders that the mouse moves."""

    LEFT = auto()
    RIGHT = auto()
    UPPER = auto()


def border_at(layout: Layout, x: int, y: int) -> Border | None:
    """The border at a cell of the screen, None if there is none."""
    machines, states = layout.boxes.get(Pane.MACHINES), layout.boxes.get(Pane.STATES)
    if layout.is_narrow or machines is None or states is None:
        return None
    if not machines.y <= y < states.y + states.height:
        return None
    if x in (machines.width - 1, machines.width):
        return Border.LEFT
    reader = layout.boxes.get(Pane.READER)
    if reader is not None and x in (reader.x - 1, reader.x):
        return Border.RIGHT
    if x < machines.width and y in (states.y - 1, states.y):
        return Border.UPPER
    return None


def dragged(layout: Layout, sizes: PaneSizes, border: Border, x: int, y: int) -> PaneSizes:
    """The sizes after a border was moved to a cell of the screen, as far as it goes."""
    if border is Border.LEFT:
        return _with_left(layout, sizes, x)
    if border is Border.RIGHT:
        return _with_right(layout, sizes, layout.width - x)
    machines, states = layout.boxes.get(Pane.MACHINES), layout.boxes.get(Pane.STATES)
    if machines is None or states is None:
        return sizes
    body = machines.height + states.height
    wanted = replace(sizes, upper=max(1, y - machines.y))
    return replace(wanted, upper=upper_height(body, 0, wanted))


def resized(layout: Layout, sizes: PaneSizes, pane: Pane, by: int) -> PaneSizes:
    """The sizes with a pane wider or narrower; what it gains, its neighbour loses."""
    left, reader = layout.boxes[Pane.MACHINES].width, layout.boxes.get(Pane.READER)
    if pane is Pane.READER and reader is not None:
        return _with_right(layout, sizes, reader.width + by)
    is_left = pane in (Pane.MACHINES, Pane.STATES)
    return _with_left(layout, sizes, left + (by if is_left else -by))


def _with_left(layout: Layout, sizes: PaneSizes, width: int) -> PaneSizes:
    reader = layout.boxes.get(Pane.READER)
    wanted = replace(sizes, left=max(1, width))
    return replace(wanted, left=left_width(layout.width, reader.width if reader else 0, wanted))


def _with_right(layout: Layout, sizes: PaneSizes, width: int) -> PaneSizes:
    wanted = replace(sizes, right=max(1, width))
    return replace(wanted, right=right_width(layout.width, wanted))
