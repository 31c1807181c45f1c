"""The list of machines: children below their parents, with counts up to the current moment.

If there are several programs or runs, each run has a heading above its machines
(`am_dbg.projection.runs.run_list`).
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from enum import Enum

from am_dbg.projection.clean import clean, clean_name
from am_dbg.projection.machine_list import MachineSort
from am_dbg.projection.machine_order import ListedMachine
from am_dbg.projection.runs.program_runs import ProgramRun
from am_dbg.projection.runs.run_list import RunList
from am_dbg.projection.runs.run_rows import RunRow, run_row
from am_dbg.query import ALL, TransitionSet, Visible, errors
from am_dbg.store import Store, Track
from am_dbg.store.facts import is_error_state

RECENT_ERROR_TRANSITIONS = 100
ERRORS_READY_MAX = 512
"""Machines of which the transitions with errors are kept ready."""

_ready: OrderedDict[Track, TransitionSet] = OrderedDict()


class MachineStatus(Enum):
    """Whether a machine is connected, was connected, or was read from a file."""

    LIVE = "live"
    GONE = "gone"
    RECORDED = "recorded"
    DISPOSED = "recorded, disposed"


@dataclass(frozen=True, slots=True)
class MachineRow:
    """One machine at this moment.

    `mark` is R (Ready is active), S (Start is), E (an error is), e (an error within the
    last transitions), ! (a handler that is late has not returned) or nothing. `until`
    counts its transitions up to now, `after` those that follow. `is_chosen` is whether it is
    chosen for the scope of all machines.
    """

    key: str
    name: str
    depth: int
    mark: str
    until: int
    after: int
    status: MachineStatus
    is_selected: bool
    is_error: bool
    is_chosen: bool = False


@dataclass(frozen=True, slots=True)
class MachinesView:
    """The visible window of the list; `top` is the position of its first row.

    `row_count` counts the rows of the list, `total` the machines that pass the filter and are not
    hidden, `in_all` all machines.
    """

    rows: tuple[MachineRow | RunRow, ...] = ()
    top: int = 0
    row_count: int = 0
    total: int = 0
    in_all: int = 0
    filter: str = ""
    sort: MachineSort = MachineSort.TREE
    needle: str = ""


def project_machines(
    store: Store,
    machines: RunList,
    selected: Track | None,
    now_ns: int,
    top: int,
    height: int,
    chosen: frozenset[str] = frozenset(),
) -> MachinesView:
    """The rows from `top` on; only those are worked out."""
    rows, machine_list = machines.rows(selected), machines.passing
    _forget_removed(store)
    top = clamped_top(top, len(rows), height)
    cursor = machines.position(selected)
    return MachinesView(
        rows=tuple(
            run_row(machines, row, at == cursor)
            if isinstance(row, ProgramRun)
            else machine_row(store, row, at == cursor, now_ns, chosen)
            for at, row in enumerate(rows[top : top + height], top)
        ),
        top=top,
        row_count=len(rows),
        total=len(machine_list.machines) - machines.hidden,
        in_all=machine_list.in_all,
        filter=clean(machine_list.text),
        sort=machine_list.sort,
    )


def machine_row(
    store: Store,
    machine: ListedMachine,
    is_selected: bool,
    now_ns: int,
    chosen: frozenset[str] = frozenset(),
) -> MachineRow:
    """One machine at a moment."""
    track = machine.track
    until = track.last_at_or_before(now_ns)
    active = _active_marks(track, until)
    mark = active[:1]
    if mark != "E" and _had_error(track, until):
        mark = "e"
    if until == track.count and track.hanging:
        mark = "!"
    return MachineRow(
        key=track.key,
        name=clean_name(track.key),
        depth=machine.depth,
        mark=mark,
        until=until,
        after=track.count - until,
        status=_status(store, track),
        is_selected=is_selected,
        is_error=mark == "E",
        is_chosen=track.key in chosen,
    )


def _status(store: Store, track: Track) -> MachineStatus:
    if track.connected:
        return MachineStatus.LIVE
    if store.streams[track.stream].live:
        return MachineStatus.GONE
    return MachineStatus.DISPOSED if track.gone else MachineStatus.RECORDED


def _active_marks(track: Track, number: int) -> str:
    """E, R or S, the most important one, for what is active after a transition."""
    clock = track.clock_at(max(number, track.first - 1))
    ready = start = False
    for state, tick in zip(track.schema_at(number), clock, strict=False):
        if tick % 2 == 1:
            if is_error_state(state.name):
                return "E"
            ready = ready or state.name == "Ready"
            start = start or state.name == "Start"
    return "R" if ready else "S" if start else ""


def _errors(track: Track) -> TransitionSet:
    """The transitions with errors, kept ready for the machines that are on show."""
    found = _ready.pop(track, None)
    if found is None:
        found = errors(Visible(track, ALL))
    _ready[track] = found
    if len(_ready) > ERRORS_READY_MAX:
        _ready.popitem(last=False)
    return found


def _forget_removed(store: Store) -> None:
    """Drop what is cached of removed tracks, because it would keep them in memory."""
    for track in [one for one in _ready if not store.holds(one)]:
        del _ready[track]


def _had_error(track: Track, number: int) -> bool:
    if number < track.first:
        return False
    last = _errors(track).previous(number + 1)
    return last is not None and last > number - RECENT_ERROR_TRANSITIONS


def clamped_top(top: int, total: int, height: int) -> int:
    """A window's first row, moved so that the window is full when it can be."""
    return max(0, min(top, total - height))


def top_showing(position: int, top: int, total: int, height: int, around: int = 1) -> int:
    """The window's first row, moved as little as shows a position with some rows around."""
    around = min(around, max(0, (height - 1) // 2))
    if position < top + around:
        top = position - around
    elif position >= top + height - around:
        top = position - height + 1 + around
    return clamped_top(top, total, height)
