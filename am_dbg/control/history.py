"""Navigation history and bookmarks: places that the user visited or marked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from weakref import ref

from am_dbg.store import Store, Track

PLACES_MAX = 100
BOOKMARKS_MAX = 1_000


@dataclass(frozen=True, slots=True)
class SavedPlace:
    """A transition of a machine.

    It may be kept longer than either. It never means another machine of the same name.
    """

    key: str
    number: int
    of: ref[Track] | None = None

    def track(self, store: Store) -> Track | None:
        """The machine, as long as it is in the list."""
        found = store.find(self.key)
        return found if found is not None and (self.of is None or self.of() is found) else None


@dataclass(frozen=True, slots=True)
class History:
    """Visited places, oldest first; `at` is the index of the current one."""

    places: tuple[SavedPlace, ...] = ()
    at: int = -1

    @property
    def can_go_back(self) -> bool:
        return self.at > 0

    @property
    def can_go_forward(self) -> bool:
        return self.at < len(self.places) - 1

    @property
    def current(self) -> SavedPlace | None:
        return self.places[self.at] if self.places else None

    def visited(self, place: SavedPlace) -> History:
        """The history with one more place, without those ahead, and without the oldest if full."""
        if self.current == place:
            return self
        places = (*self.places[: self.at + 1], place)[-PLACES_MAX:]
        return History(places, len(places) - 1)

    def back(self) -> History:
        return replace(self, at=self.at - 1) if self.can_go_back else self

    def forward(self) -> History:
        return replace(self, at=self.at + 1) if self.can_go_forward else self


@dataclass(frozen=True, slots=True)
class Bookmarks:
    """Marked places in the order in which they were set."""

    places: tuple[SavedPlace, ...] = ()

    def toggled(self, place: SavedPlace) -> Bookmarks:
        """The bookmarks with this place, or without it if it was marked."""
        if place in self.places:
            return Bookmarks(tuple(other for other in self.places if other != place))
        return Bookmarks((*self.places, place)[-BOOKMARKS_MAX:])

    def of(self, track: Track) -> tuple[int, ...]:
        """The marked transitions of one machine."""
        places = (place for place in self.places if place.key == track.key)
        return tuple(place.number for place in places if place.of is None or place.of() is track)
