"""Messages from widgets and threads: what a user asked for, what data arrived."""

from __future__ import annotations

from collections.abc import Sequence

from textual.message import Message

from am_dbg.egress.export import Selection
from am_dbg.ingest.intake import ImportProgress


class Asked(Message):
    """A named action, as keys have them."""

    def __init__(self, action: str) -> None:
        super().__init__()
        self.action = action


class LinkChosen(Message):
    """A place to go to, as an address."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self.address = address


class RowChosen(Message):
    """A row of a pane, counted from the first one shown; `again` for a double click."""

    def __init__(self, pane: str, row: int, column: int, *, again: bool = False) -> None:
        super().__init__()
        self.pane = pane
        self.row = row
        self.column = column
        self.again = again


class StepChosen(Message):
    """A step of the transition on show, counted from 1."""

    def __init__(self, step: int) -> None:
        super().__init__()
        self.step = step


class Scrolled(Message):
    """The wheel over a pane; several that wait are merged into one."""

    def __init__(self, pane: str, by: int) -> None:
        super().__init__()
        self.pane = pane
        self.by = by


class DataArrived(Message):
    """The store has more than was last shown; those that wait are merged into one."""

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, DataArrived)


class ImportProgressed(Message):
    """An import went on, or is over; only the newest one counts."""

    def __init__(self, progress: ImportProgress) -> None:
        super().__init__()
        self.progress = progress

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, ImportProgressed)


class Exported(Message):
    """How an export goes or went, in words; `kept` is what is in the file."""

    def __init__(self, outcome: str, kept: Sequence[Selection] = ()) -> None:
        super().__init__()
        self.outcome = outcome
        self.kept = kept

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, Exported) and not message.kept


class Warned(Message):
    """A warning for the user from outside of the screen."""

    def __init__(self, words: str) -> None:
        super().__init__()
        self.words = words
