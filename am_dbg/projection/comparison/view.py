"""The screen of a comparison as a value: the machines, the rows side by side, both moments.

The histories of a machine are one list of rows. A stretch takes as many rows as its longer side
has transitions; the shorter side is empty below its end. Only the rows on show are read.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from itertools import accumulate

from am_dbg.projection.addresses.write import address_of
from am_dbg.projection.clean import clean, clean_name
from am_dbg.projection.comparison.sessions import MachineComparison, SessionComparison
from am_dbg.projection.log.entries import TransitionEntry, entry_of
from am_dbg.projection.why import requested_by, why
from am_dbg.query.alignment import Block, BlockKind
from am_dbg.spans import Span
from am_dbg.store import Store, Track

LABELS = ("A", "B")


@dataclass(frozen=True, slots=True)
class ComparedRow:
    """A row of the two columns; None where a side has no transition."""

    kind: BlockKind
    sides: tuple[TransitionEntry | None, TransitionEntry | None]
    is_current: bool


@dataclass(frozen=True, slots=True)
class ComparedMachine:
    """A row of the list of machines; `places` counts its differences, `only` names a side."""

    name: str
    places: int
    has_same_schema: bool = True
    only: str = ""
    is_current: bool = False


@dataclass(frozen=True, slots=True)
class SideView:
    """One session: its file, the machine and the transition at the cursor with its reason.

    `schema` names the states that only this session has.
    """

    label: str
    file: str
    machines: int
    transitions: int
    machine: str = ""
    count: int = 0
    schema: str = ""
    address: str = ""
    args: str = ""
    why: tuple[Span, ...] = ()
    is_chosen: bool = False


@dataclass(frozen=True, slots=True)
class ComparisonView:
    """Everything on the screen of a comparison."""

    sides: tuple[SideView, SideView]
    machines: tuple[ComparedMachine, ...]
    rows: tuple[ComparedRow, ...]
    differing: int
    place: str = ""
    message: str = ""


class ComparedRows:
    """The rows of one machine: finds the stretch of a row, and the transitions in it."""

    def __init__(self, pair: MachineComparison) -> None:
        self.pair = pair
        self.starts = list(accumulate((block.rows for block in pair.blocks), initial=0))

    def __len__(self) -> int:
        return self.starts[-1]

    def stretch(self, row: int) -> int:
        """The index of the stretch that a row belongs to."""
        return bisect_right(self.starts, row) - 1

    def numbers(self, row: int) -> tuple[int | None, int | None]:
        """The numbers of the transitions on a row."""
        at = self.stretch(row)
        block, within = self.pair.blocks[at], row - self.starts[at]
        return self._number(0, block, within), self._number(1, block, within)

    def _number(self, side: int, block: Block, within: int) -> int | None:
        numbers = self.pair.numbers(side, block)
        return numbers[within] if within < len(numbers) else None

    def row(self, row: int, *, is_current: bool) -> ComparedRow:
        """One row with the entries of both sides."""
        one, other = self.numbers(row)
        return ComparedRow(
            self.pair.blocks[self.stretch(row)].kind,
            (_entry(self.pair.one, one), _entry(self.pair.other, other)),
            is_current,
        )


def _entry(track: Track, number: int | None) -> TransitionEntry | None:
    return None if number is None else entry_of(track, track.transition(number))


def project_side(store: Store, side: int, file: str, *, is_chosen: bool) -> SideView:
    """One session without a machine."""
    held = len(store.tracks), store.transitions
    return SideView(LABELS[side], clean(file), *held, is_chosen=is_chosen)


def project_moment(
    empty: SideView, store: Store, pair: MachineComparison, side: int, number: int | None
) -> SideView:
    """One session at a transition of a machine: where that is, and why it came about."""
    track = (pair.one, pair.other)[side]
    states = pair.schema_only[side]
    view = replace(
        empty,
        machine=clean_name(track.key),
        count=track.count,
        schema=f"only here: {' '.join(map(clean_name, states))} · " if states else "",
    )
    if number is None:
        return view
    transition = track.transition(number)
    return replace(
        view,
        address=clean(address_of(store, track, number)),
        args=entry_of(track, transition).args,
        why=why(track, transition, requested_by(transition, "", track.facts_at(number).is_auto)),
    )


def project_machines(
    comparison: SessionComparison, current: MachineComparison | None
) -> tuple[ComparedMachine, ...]:
    """The machines that differ, those that are the same, then those of one session only."""
    pairs = (*comparison.differing, *comparison.same)
    both = [
        ComparedMachine(
            pair_title(pair),
            len(pair.differences),
            pair.schema_only == ((), ()),
            is_current=pair is current,
        )
        for pair in pairs
    ]
    alone = [
        ComparedMachine(clean_name(track.key), 0, only=label)
        for label, tracks in zip(LABELS, comparison.only, strict=True)
        for track in tracks
    ]
    return (*both, *alone)


def pair_title(pair: MachineComparison) -> str:
    """The name of a machine, or both of its names."""
    return " / ".join(dict.fromkeys((clean_name(pair.one.key), clean_name(pair.other.key))))
