"""The column of source events: which transition asked for this one."""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_left
from typing import NamedTuple

from am_dbg.store.columns import Integers, packed
from am_dbg.store.weights import ENTRY_BYTES, texts_bytes
from amtracer.wire.messages import Source
from amtracer.wire.vocabulary import join_tx, split_tx

_NUMBER_MAX = 2**62


class SourceParts(NamedTuple):
    """The rows with a source; of each its maker, its number there, its time; all makers."""

    rows: array[int]
    kinds: array[int]
    numbers: array[int]
    times: array[int]
    makers: list[tuple[str, str]]


class SourceColumn:
    """Source events of some rows.

    Most transition ids are a prefix of the machine and a number. So machine and prefix are
    stored once, and each row stores only the number; an id of another form is stored whole.
    """

    __slots__ = (
        "_kinds",
        "_maker_bytes",
        "_makers",
        "_numbers",
        "_rows",
        "_times",
        "_writer_index",
    )

    def __init__(self) -> None:
        self._rows = array("H")
        self._kinds = Integers()
        self._numbers = Integers()
        self._times = Integers()
        self._makers: list[tuple[str, str]] = []
        self._maker_bytes = 0
        self._writer_index: dict[tuple[str, str], int] = {}

    @classmethod
    def of(cls, parts: SourceParts) -> SourceColumn:
        """A column of these parts, which nobody changes any more."""
        column = cls()
        column._rows, column._makers = parts.rows, parts.makers
        column._kinds = Integers.of(parts.kinds)
        column._numbers = Integers.of(parts.numbers)
        column._times = Integers.of(parts.times)
        column._maker_bytes = sum(ENTRY_BYTES + texts_bytes(maker) for maker in parts.makers)
        return column

    def parts(self) -> SourceParts:
        """Everything that it holds."""
        rows = self._rows[:]
        kinds, numbers, times = (
            packed(column.span(0, len(rows)))
            for column in (self._kinds, self._numbers, self._times)
        )
        return SourceParts(rows, kinds, numbers, times, self._makers)

    def part(self, low: int, high: int) -> SourceColumn | None:
        """The rows from `low` up to `high`, counted from there; None if none has a source."""
        parts = self.parts()
        first, last = bisect_left(parts.rows, low), bisect_left(parts.rows, high)
        if first == last:
            return None
        rows = array("H", [row - low for row in parts.rows[first:last]])
        kinds, numbers = parts.kinds[first:last], parts.numbers[first:last]
        return SourceColumn.of(
            SourceParts(rows, kinds, numbers, parts.times[first:last], parts.makers)
        )

    def append(self, row: int, source: Source) -> None:
        """Set the source of a row; rows come in ascending order."""
        prefix, number = split_tx(source.tx)
        if number > _NUMBER_MAX:
            prefix, number = source.tx, 0
        maker = (source.machine, prefix)
        kind = self._writer_index.get(maker)
        if kind is None:
            kind = self._writer_index[maker] = len(self._makers)
            self._makers.append(maker)
            self._maker_bytes += ENTRY_BYTES + texts_bytes(maker)
        count = len(self._rows)
        self._kinds.extend((kind,), count)
        self._numbers.extend((number,), count)
        self._times.extend((source.time,), count)
        self._rows.append(row)

    def get(self, row: int) -> Source | None:
        """The source of a row, if it has one."""
        index = bisect_left(self._rows, row)
        if index == len(self._rows) or self._rows[index] != row:
            return None
        return self._at(index)

    def items(self) -> list[tuple[int, Source]]:
        """All rows with their sources."""
        return [(row, self._at(index)) for index, row in enumerate(self._rows[:])]

    def _at(self, index: int) -> Source:
        machine, prefix = self._makers[self._kinds[index]]
        return Source(machine, join_tx(prefix, self._numbers[index]), self._times[index])

    def rows_of_machine(self, machine: str) -> list[int]:
        """The rows whose source is a transition of this machine."""
        rows = self._rows[:]
        kinds = {i for i, (name, _) in enumerate(self._makers) if name == machine}
        return [row for index, row in enumerate(rows) if self._kinds[index] in kinds]

    def shrink(self) -> None:
        """Free the memory reserved for growth; nothing can be appended afterwards."""
        self._rows = self._rows[:]
        self._writer_index = {}
        for column in (self._kinds, self._numbers, self._times):
            column.shrink()

    def size(self) -> int:
        columns = sum(column.size() for column in (self._kinds, self._numbers, self._times))
        index = len(self._writer_index) * ENTRY_BYTES
        return sys.getsizeof(self._rows) + self._maker_bytes + index + columns
