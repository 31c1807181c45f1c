"""Messages to the application: from widgets what the user did, from threads what happened."""

from __future__ import annotations

from textual.message import Message

from am_dbg.control import ExportReport
from am_dbg.drawing.layout import Pane
from am_dbg.drawing.resizing import Border
from am_dbg.ingest.intake import ImportProgress


class ActionRequested(Message):
    """A click on an action: the name that keys have for it."""

    def __init__(self, action: str) -> None:
        super().__init__()
        self.action = action


class LinkClicked(Message):
    """A click on a link: the address it leads to."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self.address = address


class RowClicked(Message):
    """A click on a row of a pane, counted from the first one shown; `again` for a double click."""

    def __init__(self, pane: Pane, row: int, column: int, *, again: bool = False) -> None:
        super().__init__()
        self.pane = pane
        self.row = row
        self.column = column
        self.again = again


class StepClicked(Message):
    """A click on a step of the current transition, counted from 1."""

    def __init__(self, step: int) -> None:
        super().__init__()
        self.step = step


class Scrolled(Message):
    """The wheel moved over a pane, by some rows."""

    def __init__(self, pane: Pane, by: int) -> None:
        super().__init__()
        self.pane = pane
        self.by = by


class BorderDragged(Message):
    """The mouse moves a border between panes to a cell of the screen."""

    def __init__(self, border: Border, x: int, y: int) -> None:
        super().__init__()
        self.border = border
        self.x = x
        self.y = y

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, BorderDragged)


class GroundReported(Message):
    """The terminal answered whether its ground is light."""

    def __init__(self, *, is_light: bool) -> None:
        super().__init__()
        self.is_light = is_light


class DataArrived(Message):
    """The store has new data; of several messages that wait, only the newest one is handled."""

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, DataArrived)


class ImportProgressed(Message):
    """An import goes on or ended; of several messages that wait, only the newest one is handled."""

    def __init__(self, progress: ImportProgress) -> None:
        super().__init__()
        self.progress = progress

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, ImportProgressed)


class Exported(Message):
    """How an export goes; a newer report replaces one that is not the last."""

    def __init__(self, report: ExportReport) -> None:
        super().__init__()
        self.report = report

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, Exported) and not message.report.written


class Warned(Message):
    """A warning of the server or of another thread."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
