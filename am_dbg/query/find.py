"""The next and the previous transition with a property."""

from __future__ import annotations

from am_dbg.query.visible import Visible


def next_touching(visible: Visible, number: int, state: str) -> int | None:
    """The next visible transition that called, added or removed a state."""
    raise NotImplementedError


def previous_touching(visible: Visible, number: int, state: str) -> int | None:
    """The visible transition before this one that called, added or removed a state."""
    raise NotImplementedError


def previous_changing(visible: Visible, number: int, state: str) -> int | None:
    """The visible transition up to and with this one that last added or removed a state."""
    raise NotImplementedError


def next_error(visible: Visible, number: int) -> int | None:
    raise NotImplementedError


def previous_error(visible: Visible, number: int) -> int | None:
    raise NotImplementedError


def next_canceled(visible: Visible, number: int) -> int | None:
    raise NotImplementedError


def previous_canceled(visible: Visible, number: int) -> int | None:
    raise NotImplementedError


class Hits:
    """The visible transitions in which a text occurs: count, next and previous."""

    def __init__(self, visible: Visible, text: str) -> None:
        self.visible = visible
        self.text = text

    @property
    def count(self) -> int:
        raise NotImplementedError

    def next(self, number: int) -> int | None:
        raise NotImplementedError

    def previous(self, number: int) -> int | None:
        raise NotImplementedError

    def position_of(self, number: int) -> int:
        """How many hits there are up to and with this number."""
        raise NotImplementedError
