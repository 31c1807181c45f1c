"""The rain of several machines: a row per transition of all, columns in a group per machine.

A row shows what its transition did to the states of its machine, and which states of the others
were active then. Groups stand in the order in which the machines arrived. If not all fit, they
are dealt to pages, and the page with the selected machine is shown; so columns stay while the
cursor moves between machines of one page. What a frame costs depends on the groups and the rows
on show.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache
from itertools import islice

from am_dbg.projection.clean import clean_name
from am_dbg.projection.grids.rain import (
    ACTIVE,
    INACTIVE,
    RainGroup,
    RainRow,
    RainView,
    called_at,
    rain_cells,
)
from am_dbg.projection.steps import name_at
from am_dbg.query.across import Across
from am_dbg.query.cursor import Cursor
from am_dbg.spans import width_of
from am_dbg.store import Track
from am_dbg.store.facts import is_error_state

NAME_WIDTH_MAX = 16
"""The most cells of the column of names."""
NOT_THERE = " "
"""The cells of a machine before its first transition."""


def rain_name_width(merged: Across) -> int:
    """The width of the column of names; it depends on the machines, not on rows."""
    widths = (width_of(clean_name(track.key)) for track in merged.holding)
    return min(NAME_WIDTH_MAX, max(widths, default=0))


def project_merged_rain(
    merged: Across,
    here: Cursor,
    height: int,
    columns: int,
    selected: str = "",
    *,
    tail: bool,
    scope: str = "",
) -> RainView:
    """Half of the rows ahead of the cursor, none when the newest one is followed."""
    places = _places(merged, here, height, 0 if tail else height // 2)
    shown = [_Shown(track, merged, places) for track in rain_page(merged, here.track, columns)]
    groups, names = _groups(shown, here.track, columns, selected)
    own = next((group for group in groups if group.track is here.track), None)
    at = own.column + own.names.index(selected) if own and selected in own.names else -1
    return RainView(
        names=names,
        errors=frozenset(index for index, name in enumerate(names) if is_error_state(name)),
        rows=tuple(
            _row(index, place, shown, groups, is_current=place == here)
            for index, place in enumerate(places)
        ),
        selected=at,
        number_digits=max(4, *(len(str(track.count)) for track in merged.holding), 0),
        groups=groups,
        name_width=rain_name_width(merged),
        scope=scope,
    )


def _places(merged: Across, here: Cursor, height: int, ahead: int) -> list[Cursor]:
    """The transitions around a place, as many as fit."""
    own = [here] if here in merged else []
    after = list(islice(merged.after(here), height - len(own)))
    before = list(islice(merged.before(here), height - len(own)))
    rows_after = min(len(after), max(ahead, height - len(own) - len(before)))
    rows_before = height - len(own) - rows_after
    return [*before[:rows_before][::-1], *own, *after[:rows_after]]


def rain_page(merged: Across, selected: Track, columns: int) -> list[Track]:
    """The machines of the page that has the selected one; each but the first needs a border."""
    page: list[Track] = []
    used = 0
    for track in sorted(merged.holding, key=lambda track: track.arrival):
        width = min(columns, len(track.schema_at(track.count)))
        if page and used + 1 + width > columns:
            if selected in page:
                break
            page, used = [], 0
        used += width + bool(page)
        page.append(track)
    return page


def rain_states(track: Track) -> tuple[str, ...]:
    """The names of the columns that a machine needs: the states of its newest schema."""
    states = track.schema_at(track.count)
    return tuple(name_at(states, index) for index in range(len(states)))


class _Shown:
    """A machine with a group: its states, and its newest transition at each row on show."""

    def __init__(self, track: Track, merged: Across, places: Sequence[Cursor]) -> None:
        self.track = track
        self.names = rain_states(track)
        self._numbers = _numbers(track, merged, places)

    def cells(self, row: int, place: Cursor) -> str:
        """A character for each state at a row."""
        number = self._numbers[row]
        if place.track is self.track:
            cells = rain_cells(self.track, number)
        elif number < self.track.first:
            cells = ""
        else:
            cells = _active(self.track, number)
        return cells.ljust(len(self.names), NOT_THERE)


def _numbers(track: Track, merged: Across, places: Sequence[Cursor]) -> list[int]:
    """The newest transition of a machine at each place; those between two equal ones are equal."""
    if not places:
        return []

    def newest(place: Cursor, low: int, high: int) -> int:
        if place.track is track:
            return place.number
        held = range(low, high + 1)
        key = merged.key(place)
        return low - 1 + bisect_right(held, key, key=lambda at: merged.key(Cursor(track, at)))

    first = newest(places[0], track.first, track.count)
    last = newest(places[-1], max(first, track.first), track.count)
    numbers = [first]
    for place in places[1:]:
        low = max(numbers[-1], track.first)
        numbers.append(last if numbers[-1] == last else newest(place, low, last))
    return numbers


@lru_cache(maxsize=4096)
def _active(track: Track, number: int) -> str:
    return "".join(ACTIVE if tick % 2 else INACTIVE for tick in track.clock_at(number))


def _groups(
    shown: Sequence[_Shown], here: Track, columns: int, selected: str
) -> tuple[tuple[RainGroup, ...], tuple[str, ...]]:
    """The groups of columns and the names of all their states."""
    groups: list[RainGroup] = []
    names: list[str] = []
    for one in shown:
        at = one.names.index(selected) if one.track is here and selected in one.names else 0
        first = max(0, min(at - columns // 2, len(one.names) - columns))
        own = one.names[first : first + columns]
        groups.append(RainGroup(clean_name(one.track.key), one.track, len(names), own, first))
        names += own
    return tuple(groups), tuple(names)


def _row(
    index: int,
    place: Cursor,
    shown: Sequence[_Shown],
    groups: Sequence[RainGroup],
    *,
    is_current: bool,
) -> RainRow:
    cells: list[str] = []
    called: frozenset[int] = frozenset()
    for one, group in zip(shown, groups, strict=True):
        cells.append(one.cells(index, place)[group.first : group.first + group.size])
        if one.track is place.track:
            columns = (at - group.first for at in called_at(one.track, place.number))
            called = frozenset(group.column + at for at in columns if 0 <= at < group.size)
    return RainRow(
        number=place.number,
        time_ns=place.track.time_at(place.number),
        cells="".join(cells),
        called=called,
        is_current=is_current,
        machine=clean_name(place.track.key),
        place=place,
    )
