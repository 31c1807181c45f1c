"""The visible transitions of a track: those that pass the filters, by position and number."""

from __future__ import annotations

from collections.abc import Callable

from am_dbg.query.conditions import Conditions, conditions_of
from am_dbg.query.filters import Filters
from am_dbg.query.transition_set import TransitionSet
from am_dbg.store import Track

NARROWED_MAX = 64
"""The most narrower sets that are remembered."""


class Visible(TransitionSet):
    """The numbers of a track that pass the filters.

    It is cheap to make, so a change of filters makes a new one. Narrower sets, such as the
    visible ones that touch a state, are remembered with it.
    """

    def __init__(self, track: Track, filters: Filters) -> None:
        super().__init__(track, conditions_of(track, filters))
        self.filters = filters
        self._narrowed: dict[tuple[str, str], TransitionSet] = {}

    def narrowed(
        self, what: str, name: str, make: Callable[[], Conditions], touching: str = ""
    ) -> TransitionSet:
        """The visible ones that pass further conditions; `touching` as for `TransitionSet`."""
        found = self._narrowed.get((what, name))
        if found is None:
            if len(self._narrowed) >= NARROWED_MAX:
                self._narrowed = {}
            found = TransitionSet(self.track, self.conditions & make(), touching)
            self._narrowed[what, name] = found
        return found
