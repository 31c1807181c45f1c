"""Navigation history and bookmarks: places that the reader visited or marked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from weakref import ref

from am_dbg.store import Store, Track

PLACES_MAX = 100
BOOKMARKS_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Spot:
    """A transition of a machine; it outlives both and never means another of the same name."""

    key: str
    number: int
    of: ref[Track] | None = None

    def track(self, store: Store) -> Track | None:
        """The machine, as long as it is in the list."""
        found = store.find(self.key)
        return found if found is not None and (self.of is None or self.of() is found) else None


@dataclass(frozen=True, slots=True)
class History:
    """Visited places, oldest first; `at` is the one the reader is at."""

    places: tuple[Spot, ...] = ()
    at: int = -1

    @property
    def can_go_back(self) -> bool:
        return self.at > 0

    @property
    def can_go_forward(self) -> bool:
        return self.at < len(self.places) - 1

    @property
    def current(self) -> Spot | None:
        return self.places[self.at] if self.places else None

    def visited(self, spot: Spot) -> History:
        """The history with one more place; drops places ahead, and the oldest when it is full."""
        if self.current == spot:
            return self
        places = (*self.places[: self.at + 1], spot)[-PLACES_MAX:]
        return History(places, len(places) - 1)

    def back(self) -> History:
        return replace(self, at=self.at - 1) if self.can_go_back else self

    def forward(self) -> History:
        return replace(self, at=self.at + 1) if self.can_go_forward else self


@dataclass(frozen=True, slots=True)
class Bookmarks:
    """Marked places in the order in which they were set."""

    spots: tuple[Spot, ...] = ()

    def toggled(self, spot: Spot) -> Bookmarks:
        """The bookmarks with this place, or without it if it was marked."""
        if spot in self.spots:
            return Bookmarks(tuple(other for other in self.spots if other != spot))
        return Bookmarks((*self.spots, spot)[-BOOKMARKS_MAX:])

    def of(self, track: Track) -> tuple[int, ...]:
        """The marked transitions of one machine."""
        spots = (spot for spot in self.spots if spot.key == track.key)
        return tuple(spot.number for spot in spots if spot.of is None or spot.of() is track)
