"""Gaps in the history of one machine, in order, with the memory they take."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from am_dbg.store.values import Gap
from am_dbg.store.weights import gap_bytes
from amtracer.wire.vocabulary import GapKind


class Gaps:
    """Gaps by the number of the transition before them; one thread writes, any thread reads."""

    __slots__ = ("_gaps", "size")

    def __init__(self) -> None:
        self._gaps: list[Gap] = []
        self.size = 0

    @property
    def all(self) -> Sequence[Gap]:
        return self._gaps

    def after(self, number: int) -> tuple[Gap, ...]:
        """The gaps between a transition and the next one."""
        gaps = self._gaps
        low = bisect_left(gaps, number, key=_after_number)
        return tuple(gaps[low : bisect_right(gaps, number, low, key=_after_number)])

    def add(self, gap: Gap) -> None:
        """Add a gap at the end; one of the same kind at the same place extends the last one."""
        last = self._gaps[-1] if self._gaps else None
        if last and (last.kind, last.after_number) == (gap.kind, gap.after_number):
            lost = -1 if -1 in (last.lost, gap.lost) else last.lost + gap.lost
            self.size -= gap_bytes(last)
            gap = self._gaps[-1] = Gap(gap.after_number, lost, gap.reason, gap.kind)
        else:
            self._gaps.append(gap)
        self.size += gap_bytes(gap)

    def insert(self, gap: Gap) -> None:
        """Add a gap at any place; a reader may have the gaps from before."""
        at = bisect_right(self._gaps, gap.after_number, key=_after_number)
        self._gaps = [*self._gaps[:at], gap, *self._gaps[at:]]
        self.size += gap_bytes(gap)

    def remove_cut(self, number: int) -> None:
        """Remove the gap after this transition: the history continues, so it was not cut there."""
        last = self._gaps[-1] if self._gaps else None
        if last and last.kind is GapKind.CUT and last.after_number == number:
            self._gaps = self._gaps[:-1]
            self.size -= gap_bytes(last)

    def trim(self, first: int) -> None:
        """Replace everything before this transition by one gap."""
        lost = Gap(first - 1, first - 1, "trimmed to save memory", GapKind.TRIMMED)
        self._gaps = [lost, *(gap for gap in self._gaps if gap.after_number >= first)]
        self.size = sum(map(gap_bytes, self._gaps))


def _after_number(gap: Gap) -> int:
    return gap.after_number
