"""The column of source events: which transition asked for this one."""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_left

from am_dbg.store.columns import Integers
from am_dbg.store.weights import ENTRY_BYTES, texts_bytes
from amtracer.wire.messages import Source
from amtracer.wire.vocabulary import join_tx, split_tx

_NUMBER_MAX = 2**62


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
