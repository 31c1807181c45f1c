"""The rain: a row per transition, a character per state.

A state counts as touched when the transition called it, changed it or ran a handler of it.
Handlers are included only if the program sent steps. Relations that were only checked do not
count, because they would touch nearly every state.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from am_dbg.projection.states import state_names
from am_dbg.projection.steps import Moment, state_of
from am_dbg.query import Visible
from am_dbg.query.cursor import Cursor
from am_dbg.store import Track
from am_dbg.store.facts import is_error_state
from amtracer.wire.vocabulary import StepKind

INACTIVE, ACTIVE, TOUCHED_ACTIVE, REMOVED, CANCELED, TOUCHED = ".", "1", "2", "|", "c", "*"


@dataclass(frozen=True, slots=True)
class RainRow:
    """One transition: `cells` has one character per state of the view.

    In the rain of several machines, `machine` names its machine, and `place` is where a click
    goes.
    """

    number: int
    time_ns: int
    cells: str
    called: frozenset[int] = frozenset()
    is_current: bool = False
    machine: str = ""
    place: Cursor | None = None


@dataclass(frozen=True, slots=True)
class RainGroup:
    """The columns of one machine, from `column` on; its first one is the state `first`."""

    name: str
    track: Track
    column: int
    names: tuple[str, ...]
    first: int = 0

    @property
    def size(self) -> int:
        return len(self.names)


@dataclass(frozen=True, slots=True)
class RainView:
    """The window of the rain; `first` is the index of the first state shown.

    The rain of several machines has a `scope`, in words, columns in groups, and a column of names.
    """

    names: tuple[str, ...] = ()
    errors: frozenset[int] = frozenset()
    rows: tuple[RainRow, ...] = ()
    first: int = 0
    selected: int = -1
    number_digits: int = 4
    groups: tuple[RainGroup, ...] = ()
    name_width: int = 0
    scope: str = ""


def project_rain(
    moment: Moment, visible: Visible, height: int, columns: int, selected: str = "", *, tail: bool
) -> RainView:
    """Half of the rows ahead of the cursor, none when the newest one is followed."""
    names = state_names(moment)
    at = names.index(selected) if selected in names else -1
    first = max(0, min(at - columns // 2, len(names) - columns)) if at >= 0 else 0
    shown = names[first : first + columns]
    numbers = _numbers(moment, visible, height, tail=tail)
    return RainView(
        names=shown,
        errors=frozenset(i for i, name in enumerate(shown) if is_error_state(name)),
        rows=tuple(
            _row(moment.track, number, first, first + len(shown), number == moment.number)
            for number in numbers
        ),
        first=first,
        selected=at - first if at >= 0 else -1,
        number_digits=max(4, len(str(moment.track.count))),
    )


def state_of_column(view: RainView, track: Track | None, column: int | None) -> int | None:
    """The index of the state of a column, if it is a state of this machine."""
    if column is None or not view.groups:
        return None if column is None else view.first + column
    for group in view.groups:
        if group.track is track and 0 <= column - group.column < group.size:
            return group.first + column - group.column
    return None


def _numbers(moment: Moment, visible: Visible, height: int, *, tail: bool) -> list[int]:
    """The visible transitions around the moment, as many as fit."""
    ahead = 0 if tail else height // 2
    position = visible.position_of(moment.number)
    first = max(1, min(position + ahead, visible.count) - height + 1)
    return visible.numbers(first, height)


def _row(track: Track, number: int, low: int, high: int, is_current: bool) -> RainRow:
    cells, called = _cells(track, number)
    return RainRow(
        number=number,
        time_ns=track.time_at(number),
        cells=cells[low:high],
        called=frozenset(index - low for index in called if low <= index < high),
        is_current=is_current,
    )


def rain_cells(track: Track, number: int) -> str:
    """A character for each state of the schema at a transition."""
    return _cells(track, number)[0]


def called_at(track: Track, number: int) -> tuple[int, ...]:
    """The states that a transition called, by index."""
    return _cells(track, number)[1]


@lru_cache(maxsize=2048)
def _cells(track: Track, number: int) -> tuple[str, tuple[int, ...]]:
    shape, facts = track.shape_at(number), track.facts_at(number)
    clock = track.clock_at(number)
    touched = facts.touched
    for step in shape.steps:
        index = state_of(step)
        if step.type != StepKind.RELATION and index >= 0:
            touched |= 1 << index
    cells = "".join(_cell_run(clock, facts.is_canceled, facts.called, facts.removed, touched))
    return cells, shape.called


def _cell_run(
    clock: tuple[int, ...], is_canceled: bool, called: int, removed: int, touched: int
) -> Iterator[str]:
    for index, tick in enumerate(clock):
        is_touched = touched >> index & 1
        if is_canceled and called >> index & 1:
            yield CANCELED
        elif tick % 2 == 1:
            yield TOUCHED_ACTIVE if is_touched else ACTIVE
        elif removed >> index & 1:
            yield REMOVED
        else:
            yield TOUCHED if is_touched else INACTIVE
