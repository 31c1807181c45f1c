"""Layout of the panes for a size of the terminal.

Wide screens have three columns: machines over states, the main view, the reader. Below
`WIDE` columns there is one pane at a time behind tabs. Seven rows are fixed on either:
address, transition, two for the timeline, steps, filters, footer. Tall screens have two
more for the status; on very low ones the rows that matter least go first.
"""

from __future__ import annotations

from dataclasses import dataclass, field

WIDE = 100
TALL = 40
WIDTH_MIN = 40
HEIGHT_MIN = 10
LOW = 15

MACHINES = "machines"
STATES = "states"
LOG = "log"
RAIN = "rain"
MATRIX = "matrix"
READER = "reader"
ADDRESS = "address"
TABS = "tabs"
TRANSITION = "transition"
TIMELINE = "timeline"
STEPS = "steps"
FILTERS = "filters"
FOOTER = "footer"
RULE = "rule"
STATUS = "status"
NOTICE = "notice"
SEARCH = "typing"
SEARCH_WIDTH = 44

MAIN = (LOG, RAIN, MATRIX)
FRAMED = (MACHINES, STATES, LOG, RAIN, MATRIX, READER)
ALL_PANES = (*FRAMED, ADDRESS, TABS, TRANSITION, TIMELINE, STEPS, FILTERS, FOOTER, RULE, STATUS)

FRAME = 2


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
    boxes: dict[str, Box] = field(default_factory=dict)
    is_narrow: bool = False

    def is_framed(self, pane: str) -> bool:
        return pane in FRAMED and not self.is_narrow

    def inner(self, pane: str) -> tuple[int, int]:
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
    main: str = LOG,
    reader: bool = False,
    focus: str = LOG,
    searching: bool = False,
) -> Layout:
    """The layout for a size and what is switched on."""
    if width < WIDTH_MIN or height < HEIGHT_MIN:
        boxes = {NOTICE: Box(0, 0, max(1, width), max(1, height))}
        return Layout(width, height, boxes)
    is_narrow = width < WIDE
    if is_narrow:
        boxes = _narrow(width, height, main, focus)
    else:
        boxes = _wide(width, height, main, reader)
    if searching:
        _make_room_for_search(boxes, width)
    return Layout(width, height, boxes, is_narrow=is_narrow)


def _make_room_for_search(boxes: dict[str, Box], width: int) -> None:
    """Split the filters' row: the typed text takes the left, what it finds the right."""
    y = boxes.get(FILTERS, boxes[FOOTER]).y
    size = min(SEARCH_WIDTH, width - 12)
    boxes[SEARCH] = Box(0, y, size, 1)
    boxes[FILTERS] = Box(size, y, width - size, 1)
    if boxes[FOOTER].y == y:
        del boxes[FOOTER]


def _bottom(width: int, height: int, rows: tuple[str, ...]) -> dict[str, Box]:
    """Rows stacked at the lower edge, the first one highest."""
    boxes = {}
    y = height - sum(2 if row == TIMELINE else 1 for row in rows)
    for row in rows:
        size = 2 if row == TIMELINE else 1
        boxes[row] = Box(0, y, width, size)
        y += size
    return boxes


def _narrow(width: int, height: int, main: str, focus: str) -> dict[str, Box]:
    rows: tuple[str, ...] = (TRANSITION, TIMELINE, STEPS, FILTERS, FOOTER)
    if height < LOW:
        rows = (TRANSITION, STEPS, FOOTER)
    boxes = {ADDRESS: Box(0, 0, width, 1), TABS: Box(0, 1, width, 1)}
    boxes |= _bottom(width, height, rows)
    content = focus if focus in (MACHINES, STATES, READER) else main
    boxes[content] = Box(0, 2, width, boxes[TRANSITION].y - 2)
    return boxes


def _wide(width: int, height: int, main: str, reader: bool) -> dict[str, Box]:
    rows: tuple[str, ...] = (TRANSITION, TIMELINE, STEPS, FILTERS, FOOTER)
    if height >= TALL:
        rows = (*rows[:-1], RULE, FOOTER, STATUS)
    elif height < LOW:
        rows = (TRANSITION, STEPS, FOOTER)
    boxes = {ADDRESS: Box(0, 0, width, 1)} | _bottom(width, height, rows)
    body = boxes[TRANSITION].y - 1
    left = max(28, min(38, width * 23 // 100))
    right = _reader_width(width) if reader else 0
    upper = max(5, body // 3)
    boxes[MACHINES] = Box(0, 1, left, upper)
    boxes[STATES] = Box(0, 1 + upper, left, body - upper)
    boxes[main] = Box(left, 1, width - left - right, body)
    if reader:
        boxes[READER] = Box(width - right, 1, right, body)
    return boxes


def _reader_width(width: int) -> int:
    return max(30, min(46, width * 22 // 100))
