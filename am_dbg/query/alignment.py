"""Aligns two histories: finds the stretches where both did the same, and those between.

Both histories are read once, from the start. As long as outcomes are equal, both move on. Where
they are not, there are two cases:

- Both transitions call the same, and only the outcome differs: they belong together, as a
  stretch of the kind CHANGED.
- They call something else. Then the nearest place is looked for from which both call the same
  `RUN` times in a row, and everything before it is a stretch of the kind OTHER, where either
  side may be empty. "Nearest" is the fewest transitions skipped on both sides together.

The search looks at a window that doubles, up to `WINDOW_MAX` transitions on each side, so its
cost is proportional to what is skipped. Without a run in the largest window, a single equal call
is enough; without that, the window is skipped. After `BLOCKS_MAX` stretches the rest is not
compared: histories that differ everywhere have nothing to align. Both limits together bound the
time of any comparison, and a comparison of similar histories is linear.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from am_dbg.query.signatures import SignedHistory

RUN = 3
"""Equal calls in a row after which both histories are together again."""
WINDOW_MIN = 8
WINDOW_MAX = 2_048
"""The most transitions of each history that a search for such a run looks at."""
BLOCKS_MAX = 10_000
"""Stretches of two histories; what comes after the last one is not compared."""
_SLICE_MAX = 65_536


class BlockKind(Enum):
    """How a stretch of two histories compares."""

    SAME = "same"
    CHANGED = "changed"
    OTHER = "other"
    REST = "rest"


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch: where it begins in each history, counted from 0, and how long it is there.

    REST is what was not compared.
    """

    kind: BlockKind
    one: int
    other: int
    one_len: int
    other_len: int

    @property
    def rows(self) -> int:
        """The rows it takes side by side."""
        return max(self.one_len, self.other_len)

    @property
    def is_same(self) -> bool:
        return self.kind is BlockKind.SAME


def align(one: SignedHistory, other: SignedHistory) -> tuple[Block, ...]:
    """The stretches of two histories, in order and without holes."""
    blocks: list[Block] = []
    at, beside = 0, 0
    for kind, one_len, other_len in _stretches(one, other):
        if len(blocks) >= BLOCKS_MAX:
            rest = len(one) - at, len(other) - beside
            blocks.append(Block(BlockKind.REST, at, beside, *rest))
            break
        blocks.append(Block(kind, at, beside, one_len, other_len))
        at, beside = at + one_len, beside + other_len
    return tuple(blocks)


def _stretches(one: SignedHistory, other: SignedHistory) -> Iterator[tuple[BlockKind, int, int]]:
    at, beside = 0, 0
    while at < len(one) or beside < len(other):
        same = _equal_run(one.outcomes, at, other.outcomes, beside)
        if same:
            yield BlockKind.SAME, same, same
            at, beside = at + same, beside + same
            continue
        changed = _changed_run(one, at, other, beside)
        if changed:
            yield BlockKind.CHANGED, changed, changed
            at, beside = at + changed, beside + changed
            continue
        left, right = _other_run(one.calls, at, other.calls, beside)
        yield BlockKind.OTHER, left, right
        at, beside = at + left, beside + right


def _equal_run(one: array[int], at: int, other: array[int], beside: int) -> int:
    """How many values from these places on are equal; whole slices are compared at once."""
    rest = min(len(one) - at, len(other) - beside)
    found, size = 0, WINDOW_MIN
    while found < rest and size:
        size = min(size, rest - found)
        start, begin = at + found, beside + found
        if one[start : start + size] == other[begin : begin + size]:
            found, size = found + size, min(size * 2, _SLICE_MAX)
        else:
            size //= 2
    return found


def _changed_run(one: SignedHistory, at: int, other: SignedHistory, beside: int) -> int:
    """How many transitions from these places on call the same and end differently."""
    rest = min(len(one) - at, len(other) - beside)
    found = 0
    while (
        found < rest
        and one.calls[at + found] == other.calls[beside + found]
        and one.outcomes[at + found] != other.outcomes[beside + found]
    ):
        found += 1
    return found


def _other_run(one: array[int], at: int, other: array[int], beside: int) -> tuple[int, int]:
    """How many transitions to skip on each side until both call the same again; at least one."""
    rest, other_rest = len(one) - at, len(other) - beside
    if not rest or not other_rest:
        return rest, other_rest
    window = WINDOW_MIN
    while True:
        left, right = min(window, rest), min(window, other_rest)
        found = _nearest(one[at : at + left + RUN], other[beside : beside + right + RUN], RUN)
        if found is not None:
            return found
        if window >= WINDOW_MAX or (left == rest and right == other_rest):
            break
        window *= 2
    single = _nearest(one[at : at + left], other[beside : beside + right], 1)
    return single or (left, right)


def _nearest(one: array[int], other: array[int], run: int) -> tuple[int, int] | None:
    """The nearest places in two pieces from which `run` values are equal."""
    places: dict[bytes, int] = {}
    for place in range(len(other) - run + 1):
        places.setdefault(other[place : place + run].tobytes(), place)
    best: tuple[int, int] | None = None
    for place in range(len(one) - run + 1):
        if best is not None and place >= sum(best):
            break
        beside = places.get(one[place : place + run].tobytes())
        if beside is not None and (best is None or place + beside < sum(best)):
            best = (place, beside)
    return best
