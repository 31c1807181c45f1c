"""The transitions of a track that pass the filters, by position and by number."""

from __future__ import annotations

from am_dbg.query.filters import Filters
from am_dbg.store import Track


class Visible:
    """The numbers of a track that pass the filters; positions among them count from 1.

    It follows the track while that grows; a change of filters makes a new one. Cheap to
    make: it looks at the shapes, not at the rows.
    """

    def __init__(self, track: Track, filters: Filters) -> None:
        self.track = track
        self.filters = filters

    @property
    def count(self) -> int:
        """How many transitions are visible."""
        raise NotImplementedError

    def is_visible(self, number: int) -> bool:
        raise NotImplementedError

    def number_at(self, position: int) -> int:
        """The number of the visible transition at a position, 0 for position 0."""
        raise NotImplementedError

    def position_of(self, number: int) -> int:
        """How many visible transitions there are up to and with this number."""
        raise NotImplementedError

    def numbers(self, position: int, count: int) -> list[int]:
        """Up to `count` visible numbers from a position on."""
        raise NotImplementedError

    def next(self, number: int) -> int | None:
        """The next visible number after this one."""
        raise NotImplementedError

    def previous(self, number: int) -> int | None:
        """The visible number before this one; None when there is none."""
        raise NotImplementedError

    def nearest(self, number: int) -> int:
        """The number itself when visible, else the one before it, else after it, else 0."""
        raise NotImplementedError

    def first(self) -> int:
        """The first visible number, 0 when there is none."""
        raise NotImplementedError

    def last(self) -> int:
        """The last visible number, 0 when there is none."""
        raise NotImplementedError
