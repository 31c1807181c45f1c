"""A compressed column for values of which few are distinct.

Rows hold local numbers, which count the distinct values. `palette` has the value of each local
number and, once the column is sealed, `counts` how often it occurs. So a filter asks the
palette first, and looks at rows only if its answer differs between values.
"""

from __future__ import annotations

import sys
from array import array
from collections import Counter
from collections.abc import Callable, Sequence

from am_dbg.store.columns import Integers, looked_up, packed
from am_dbg.store.weights import ENTRY_BYTES

_NO_INDEX: dict[int, int] = {}
"""The index of complete columns, to which nothing is added."""


class PaletteColumn:
    """Stores values that are not negative, as local numbers in a column of the chunk.

    The local numbers of a complete column can be given by `load` instead.
    """

    __slots__ = ("_index", "_load", "_own", "counts", "palette")

    def __init__(self, local: Integers | None) -> None:
        self.palette = array("I")
        self.counts = array("B")
        self._own = local
        self._load: Callable[[], Integers] | None = None
        self._index: dict[int, int] = {}

    @classmethod
    def of(
        cls, palette: array[int], counts: array[int], load: Callable[[], Integers]
    ) -> PaletteColumn:
        """A complete column whose local numbers are loaded."""
        column = cls.__new__(cls)
        column.palette, column.counts = palette, counts
        column._own, column._load, column._index = None, load, _NO_INDEX
        return column

    def part(self, local: Integers, rows: int) -> PaletteColumn:
        """A complete column of some of the rows; `local` has their numbers."""
        numbers = local.span(0, rows)
        made = PaletteColumn(local)
        distinct = {number: at for at, number in enumerate(dict.fromkeys(numbers))}
        made.palette = array("I", [self.palette[number] for number in distinct])
        local.replace(packed([distinct[number] for number in numbers]))
        made.seal(rows)
        return made

    def load_from(self, load: Callable[[], Integers]) -> None:
        """Let go of the local numbers of a complete column: from now on they are loaded."""
        self._load = load
        self._own = None

    @property
    def local(self) -> Integers:
        """The local number of each row."""
        own = self._own
        if own is not None:
            return own
        assert self._load is not None  # a column has its numbers or loads them
        return self._load()

    def extend(self, values: Sequence[int], rows: int) -> None:
        """Append values after the `rows` that are already there."""
        local_of = self._index.__getitem__
        try:
            local = list(map(local_of, values))
        except KeyError:
            self._number(values)
            local = list(map(local_of, values))
        self.local.extend(local, rows)

    def _number(self, values: Sequence[int]) -> None:
        """Give local numbers to new values, in order of first appearance."""
        index = self._index
        new = [value for value in dict.fromkeys(values) if value not in index]
        index.update(zip(new, range(len(index), len(index) + len(new)), strict=True))
        self.palette.extend(new)

    def extend_same(self, value: int, count: int, rows: int) -> None:
        """Append one value many times."""
        if not self._index:
            self._number((value,))
        if self._index.get(value) == 0:
            self.local.extend_zeros(count)
        else:
            self.extend([value] * count, rows)

    def __getitem__(self, row: int) -> int:
        return self.palette[self.local[row]]

    def spread(self, of_local: bytes, rows: int) -> bytes:
        """The flag of a table over the palette for each of the first rows."""
        return looked_up(of_local, self.local.span(0, rows))

    def counted(self, low: int, high: int) -> dict[int, int]:
        """How often each value occurs in the rows from `low` up to `high`."""
        counts = Counter(self.local.span(low, high))
        return {self.palette[local]: count for local, count in counts.items()}

    def seal(self, rows: int) -> None:
        """Count the values and free the memory reserved for growth; the column is complete."""
        counts = Counter(self.local.span(0, rows))
        self.counts = packed([counts[local] for local in range(len(self.palette))])
        self._index = {}
        self.palette = self.palette[:]

    def size(self) -> int:
        kept = sys.getsizeof(self.palette) + sys.getsizeof(self.counts)
        return kept + len(self._index) * ENTRY_BYTES
