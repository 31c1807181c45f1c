"""Layout of the panes for a size of the terminal.

Wide screens have three columns: machines over states, the main view, the reader. Below
`WIDE` columns there is one pane at a time behind tabs. Seven rows are fixed on either:
address, transition, two for the timeline, steps, filters, footer. Tall screens have two
more for the status; on very low ones the rows that matter least go first.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum, auto

from am_dbg.drawing.pane_sizes import PaneSizes, left_width, right_width, upper_height

WIDE = 100
TALL = 40
WIDTH_MIN = 40
HEIGHT_MIN = 10
LOW = 15

SEARCH_WIDTH = 44
SEARCH_ALONE = 80
"""Below this width what is typed has a row of its own."""
FRAME = 2


class Pane(StrEnum):
    """The parts of the screen; as a text, a part is its name in links and ids of widgets."""

    MACHINES = auto()
    STATES = auto()
    LOG = auto()
    RAIN = auto()
    MATRIX = auto()
    READER = auto()
    ADDRESS = auto()
    TABS = auto()
    TRANSITION = auto()
    TIMELINE = auto()
    STEPS = auto()
    FILTERS = auto()
    FOOTER = auto()
    RULE = auto()
    STATUS = auto()
    NOTICE = auto()
    SEARCH = auto()
    DETAIL = auto()


MAIN_PANES = (Pane.LOG, Pane.RAIN, Pane.MATRIX)
"""The panes of which one is in the middle."""
FRAMED_PANES = (Pane.MACHINES, Pane.STATES, *MAIN_PANES, Pane.READER, Pane.DETAIL)


@dataclass(frozen=True, slots=True)
class Box:
    """The rectangle of a pane on the screen."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Layout:
    """The boxes of all panes on show; a pane that is not in `boxes` is hidden."""

    width: int
    height: int
    boxes: dict[Pane, Box] = field(default_factory=dict)
    is_narrow: bool = False

    def is_framed(self, pane: Pane) -> bool:
        return pane in FRAMED_PANES and not self.is_narrow

    def inner(self, pane: Pane) -> tuple[int, int]:
        """Width and height of a pane's content; 0 for a hidden one."""
        box = self.boxes.get(pane)
        if box is None:
            return 0, 0
        frame = FRAME if self.is_framed(pane) else 0
        return max(0, box.width - frame), max(0, box.height - frame)


def lay_out(
    width: int,
    height: int,
    *,
    main: Pane = Pane.LOG,
    reader: bool = False,
    focus: Pane = Pane.LOG,
    searching: bool = False,
    zoomed: bool = False,
    sizes: PaneSizes = PaneSizes(),  # noqa: B008  # a frozen value
    states: int = 0,
) -> Layout:
    """The layout for a size and what is switched on.

    A zoomed pane is the one with the focus; it has the room of all. `states` is how many rows
    States needs, 0 for its full share.
    """
    is_narrow = width < WIDE
    if width < WIDTH_MIN or height < HEIGHT_MIN:
        boxes = {Pane.NOTICE: Box(0, 0, max(1, width), max(1, height))}
        return Layout(width, height, boxes, is_narrow=is_narrow)
    if focus is Pane.DETAIL:
        boxes = _detail(width, height)
    elif is_narrow:
        boxes = _narrow(width, height, main, focus, zoomed=zoomed)
    elif zoomed:
        boxes = _zoomed(width, height, main, focus)
    else:
        boxes = _wide(width, height, main, reader, sizes, states)
    if searching:
        _make_room_for_search(boxes, width)
    return Layout(width, height, boxes, is_narrow=is_narrow)


def _make_room_for_search(boxes: dict[Pane, Box], width: int) -> None:
    """Split the filters' row: the typed text takes the left, what it finds the right.

    On narrow screens, what it finds takes the row above, if that is one that can wait.
    """
    y = boxes.get(Pane.FILTERS, boxes[Pane.FOOTER]).y
    waiting = [pane for pane in (Pane.STEPS, Pane.TRANSITION) if pane in boxes]
    above = [pane for pane in waiting if boxes[pane].y == y - 1]
    if width < SEARCH_ALONE and above:
        boxes[Pane.FILTERS] = boxes.pop(above[0])
        boxes[Pane.SEARCH] = Box(0, y, width, 1)
    else:
        size = min(SEARCH_WIDTH, width - 12)
        boxes[Pane.SEARCH] = Box(0, y, size, 1)
        boxes[Pane.FILTERS] = Box(size, y, width - size, 1)
    if boxes[Pane.FOOTER].y == y:
        del boxes[Pane.FOOTER]


def _bottom(width: int, height: int, rows: tuple[Pane, ...]) -> dict[Pane, Box]:
    """Rows stacked at the lower edge, the first one highest."""
    boxes = {}
    y = height - sum(2 if row == Pane.TIMELINE else 1 for row in rows)
    for row in rows:
        size = 2 if row == Pane.TIMELINE else 1
        boxes[row] = Box(0, y, width, size)
        y += size
    return boxes


def _detail(width: int, height: int) -> dict[Pane, Box]:
    """One transition in full: it takes the place of all panes except some single rows."""
    rows: tuple[Pane, ...] = (Pane.FOOTER,) if height < LOW else (Pane.FILTERS, Pane.FOOTER)
    boxes = {Pane.ADDRESS: Box(0, 0, width, 1)} | _bottom(width, height, rows)
    boxes[Pane.DETAIL] = Box(0, 1, width, boxes[rows[0]].y - 1)
    return boxes


def _narrow(width: int, height: int, main: Pane, focus: Pane, *, zoomed: bool) -> dict[Pane, Box]:
    rows: tuple[Pane, ...] = (Pane.TRANSITION, Pane.TIMELINE, Pane.STEPS, Pane.FILTERS, Pane.FOOTER)
    if zoomed:
        rows = (Pane.TRANSITION, Pane.FOOTER)
    elif height < LOW:
        rows = (Pane.TRANSITION, Pane.STEPS, Pane.FOOTER)
    boxes = {Pane.ADDRESS: Box(0, 0, width, 1), Pane.TABS: Box(0, 1, width, 1)}
    boxes |= _bottom(width, height, rows)
    content = focus if focus in (Pane.MACHINES, Pane.STATES, Pane.READER) else main
    boxes[content] = Box(0, 2, width, boxes[Pane.TRANSITION].y - 2)
    return boxes


def _rows_around(width: int, height: int) -> dict[Pane, Box]:
    """The single rows of a wide screen, above and below its panes."""
    rows: tuple[Pane, ...] = (Pane.TRANSITION, Pane.TIMELINE, Pane.STEPS, Pane.FILTERS, Pane.FOOTER)
    if height >= TALL:
        rows = (*rows[:-1], Pane.RULE, Pane.FOOTER, Pane.STATUS)
    elif height < LOW:
        rows = (Pane.TRANSITION, Pane.STEPS, Pane.FOOTER)
    return {Pane.ADDRESS: Box(0, 0, width, 1)} | _bottom(width, height, rows)


def _zoomed(width: int, height: int, main: Pane, focus: Pane) -> dict[Pane, Box]:
    boxes = _rows_around(width, height)
    pane = focus if focus in (Pane.MACHINES, Pane.STATES, Pane.READER) else main
    boxes[pane] = Box(0, 1, width, boxes[Pane.TRANSITION].y - 1)
    return boxes


def _wide(
    width: int, height: int, main: Pane, reader: bool, sizes: PaneSizes, states: int
) -> dict[Pane, Box]:
    boxes = _rows_around(width, height)
    body = boxes[Pane.TRANSITION].y - 1
    right = right_width(width, sizes) if reader else 0
    left = left_width(width, right, sizes)
    upper = upper_height(body, states, sizes)
    boxes[Pane.MACHINES] = Box(0, 1, left, upper)
    boxes[Pane.STATES] = Box(0, 1 + upper, left, body - upper)
    boxes[main] = Box(left, 1, width - left - right, body)
    if reader:
        boxes[Pane.READER] = Box(width - right, 1, right, body)
    return boxes
