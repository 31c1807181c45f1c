"""Compares two sessions machine by machine: where their histories part.

A machine of one session belongs to the machine of the same name in the other. Machines that are
left over belong together if they have the same schema, in the order in which they arrived: ids
with a random part differ between two runs. All other machines are in one session only.

Machines that differ are in order of the time of their first difference, measured from the start
of their session. So the machine in which something went wrong first stands at the top, however
many others followed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from am_dbg.query.alignment import Block, BlockKind, align
from am_dbg.query.signatures import Signatures, SignedHistory
from am_dbg.store import Store, Track


@dataclass(frozen=True)
class MachineComparison:
    """One machine in both sessions, with the stretches of its two histories."""

    one: Track
    other: Track
    histories: tuple[SignedHistory, SignedHistory]
    blocks: tuple[Block, ...]

    @cached_property
    def differences(self) -> tuple[int, ...]:
        """The indexes of the stretches that are not the same."""
        return tuple(at for at, block in enumerate(self.blocks) if not block.is_same)

    @cached_property
    def schema_only(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The states that only one of both schemas has, by name."""
        names = [[state.name for state in track.states] for track in (self.one, self.other)]
        one, other = names
        return (
            tuple(name for name in one if name not in set(other)),
            tuple(name for name in other if name not in set(one)),
        )

    @property
    def is_same(self) -> bool:
        return not self.differences and self.schema_only == ((), ())

    @property
    def same_before(self) -> int:
        """The transitions before the first difference."""
        first = self.blocks[0] if self.blocks else None
        return first.one_len if first is not None and first.is_same else 0

    @property
    def is_cut(self) -> bool:
        """Whether a part of the histories was not compared."""
        return bool(self.blocks) and self.blocks[-1].kind is BlockKind.REST

    def numbers(self, side: int, block: Block) -> Sequence[int]:
        """The numbers of a stretch's transitions on a side, 0 or 1."""
        start, size = ((block.one, block.one_len), (block.other, block.other_len))[side]
        return self.histories[side].numbers[start : start + size]


@dataclass(frozen=True)
class SessionComparison:
    """Two sessions: the machines that differ, those that are the same, those of one session."""

    stores: tuple[Store, Store]
    differing: tuple[MachineComparison, ...]
    same: tuple[MachineComparison, ...]
    only: tuple[tuple[Track, ...], tuple[Track, ...]]

    @property
    def is_same(self) -> bool:
        return not self.differing and not any(self.only)


def compare_sessions(one: Store, other: Store, machine: str = "") -> SessionComparison:
    """Compare all machines, or the one with this name in either session."""
    signatures = Signatures()
    pairs, *left = _pairs(one.tracks, other.tracks)
    compared = [
        compare_machines(first, second, signatures)
        for first, second in pairs
        if not machine or machine in (first.key, second.key)
    ]
    starts = _start(one), _start(other)
    return SessionComparison(
        stores=(one, other),
        differing=tuple(
            sorted(
                (pair for pair in compared if not pair.is_same),
                key=lambda pair: _first_time(pair, starts),
            )
        ),
        same=tuple(pair for pair in compared if pair.is_same),
        only=(_named(left[0], machine), _named(left[1], machine)),
    )


def compare_two(store: Store, one: Track, other: Track) -> SessionComparison:
    """Compare two machines of one session with each other."""
    pair = compare_machines(one, other, Signatures())
    found = ((), (pair,)) if pair.is_same else ((pair,), ())
    return SessionComparison((store, store), found[0], found[1], ((), ()))


def compare_machines(one: Track, other: Track, signatures: Signatures) -> MachineComparison:
    """Compare two machines."""
    histories = signatures.of(one), signatures.of(other)
    return MachineComparison(one, other, histories, align(*histories))


def _named(tracks: Sequence[Track], machine: str) -> tuple[Track, ...]:
    return tuple(track for track in tracks if not machine or track.key == machine)


def _pairs(
    one: Sequence[Track], other: Sequence[Track]
) -> tuple[list[tuple[Track, Track]], list[Track], list[Track]]:
    """The tracks that belong together, in the order of the first session, and the others."""
    by_name = {track.key: track for track in other}
    names = {track.key for track in one}
    free: defaultdict[object, list[Track]] = defaultdict(list)
    for track in reversed(other):
        if track.key not in names:
            free[_schema_of(track)].append(track)
    pairs: list[tuple[Track, Track]] = []
    alone: list[Track] = []
    for track in one:
        partner = by_name.get(track.key)
        if partner is None and free[_schema_of(track)]:
            partner = free[_schema_of(track)].pop()
        if partner is None:
            alone.append(track)
        else:
            pairs.append((track, partner))
    taken = {partner for _, partner in pairs}
    return pairs, alone, [track for track in other if track not in taken]


def _schema_of(track: Track) -> frozenset[str]:
    return frozenset(state.name for state in track.schema_at(0))


def _start(store: Store) -> int:
    """The time of the first transition of a session."""
    return min((track.time_at(track.first) for track in store.tracks if track.count), default=0)


def _first_time(pair: MachineComparison, starts: tuple[int, int]) -> int:
    """When the first difference of a machine happens, from the start of its session."""
    return min(_difference_times(pair, starts), default=-1)


def _difference_times(pair: MachineComparison, starts: tuple[int, int]) -> Iterator[int]:
    if not pair.differences:
        return
    block = pair.blocks[pair.differences[0]]
    for side, track in enumerate((pair.one, pair.other)):
        numbers = pair.numbers(side, block)
        if numbers:
            yield track.time_at(numbers[0]) - starts[side]
