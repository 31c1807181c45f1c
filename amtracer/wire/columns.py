"""Sparse columns of a batch, in which most transitions have no value.

Each column is flat: groups that begin with an offset in the batch, ascending. An offset is
stored as the distance from the one before, because a distance mostly fits a byte.

A source names a transition of another machine. If that machine is in the stream, the source is
stored as numbers: it is a link. Other sources come from few machines and mostly follow the rule
of transition ids (see `amtracer.wire.vocabulary.split_tx`). So a batch lists its origins, pairs
of machine id and prefix, and a source is (offset, origin, number, time). Number 0 means that
the prefix is the whole id.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import accumulate, chain, pairwise
from operator import sub
from typing import TypeVar

from amtracer.wire import limits
from amtracer.wire.fields import Body, Fields
from amtracer.wire.messages import Source
from amtracer.wire.vocabulary import join_tx, split_tx

MACHINE_MAX = limits.MACHINES_PER_CONNECTION_MAX - 1
"""The highest number of a machine in a stream."""
_NUMBER_MAX = 2**64 - 1

_Value = TypeVar("_Value")


# Writing.


def flat(column: Mapping[int, object]) -> Body:
    """Flatten a column of single values."""
    return flat_groups({at: (value,) for at, value in column.items()}) if column else ()


def flat_groups(column: Mapping[int, tuple[object, ...]]) -> Body:
    """Flatten a column of groups of values."""
    offsets = sorted(column)
    distances = map(sub, offsets, (0, *offsets))
    groups: list[object] = []
    for distance, at in zip(distances, offsets, strict=True):
        groups += (distance, *column[at])
    return tuple(groups)


def flat_sources(sources: Mapping[int, Source]) -> tuple[Body, Body]:
    """Two columns: origins, and sources that refer to them by number."""
    origins: dict[tuple[str, str], int] = {}
    groups: dict[int, tuple[int, ...]] = {}
    for at, source in sorted(sources.items()):
        prefix, number = split_tx(source.tx)
        origin = origins.setdefault((source.machine, prefix), len(origins))
        groups[at] = (origin, number, source.time)
    return tuple(chain.from_iterable(origins)), flat_groups(groups)


# Reading.


class SparseColumns:
    """Reads the sparse columns of a batch of `rows` transitions, one after another.

    In version 1 offsets are stored as they are, not as distances.
    """

    def __init__(self, fields: Fields, rows: int, *, has_distances: bool = True) -> None:
        self._fields = fields
        self._rows = rows
        self._has_distances = has_distances

    def _groups(self, what: str, width: int) -> tuple[Body, tuple[int, ...]]:
        """A flat column, and its offsets: within the batch, ascending."""
        fields, rows = self._fields, self._rows
        flat = fields.array(what, width * rows)
        if len(flat) % width:
            raise fields.error(f"{what} is not a list of groups of {width}")
        offsets = fields.check_numbers(what, flat[::width], rows - 1)
        if self._has_distances:
            offsets = fields.check_numbers(what, tuple(accumulate(offsets)), rows - 1)
        if any(a >= b for a, b in pairwise(offsets)):
            raise fields.error(f"{what} is not in order of offsets")
        return flat, offsets

    def numbers(self, what: str, high: int, low: int = 0) -> dict[int, int]:
        """A column of numbers from `low` to `high`."""
        flat, offsets = self._groups(what, 2)
        numbers = self._fields.check_numbers(what, flat[1::2], high, low)
        return dict(zip(offsets, numbers, strict=True))

    def values(self, what: str, read: Callable[[str, object], _Value]) -> dict[int, _Value]:
        """A column of values, checked by `read`."""
        flat, offsets = self._groups(what, 2)
        return {at: read(what, value) for at, value in zip(offsets, flat[1::2], strict=True)}

    def links(self) -> dict[int, tuple[int, int, int]]:
        """The column of links: sources in machines of the stream."""
        flat, offsets = self._groups("links", 4)
        fields = self._fields
        links = zip(
            fields.check_numbers("linked machines", flat[1::4], MACHINE_MAX),
            fields.check_numbers("linked transitions", flat[2::4], _NUMBER_MAX, 1),
            fields.check_numbers("linked times", flat[3::4], limits.INTEGER_MAX),
            strict=True,
        )
        return dict(zip(offsets, links, strict=True))

    def sources(self) -> dict[int, Source]:
        """Two columns: origins, and sources that refer to them by number."""
        fields = self._fields
        names = fields.texts("origins", 2 * self._rows)
        if len(names) % 2:
            raise fields.error("origins are not pairs")
        origins = tuple(zip(names[::2], names[1::2], strict=True))
        flat, offsets = self._groups("sources", 4)
        origin_numbers = fields.check_numbers("origins", flat[1::4], len(origins) - 1)
        numbers = fields.check_numbers("source numbers", flat[2::4], _NUMBER_MAX)
        times = fields.check_numbers("source times", flat[3::4], limits.INTEGER_MAX)
        groups = zip(map(origins.__getitem__, origin_numbers), numbers, times, strict=True)
        return {
            at: Source(machine, join_tx(prefix, number), time)
            for at, ((machine, prefix), number, time) in zip(offsets, groups, strict=True)
        }

    def calls(self) -> dict[int, tuple[int, ...]]:
        """The column of handler durations of single transitions."""
        return self.values("handlers", self._durations)

    def _durations(self, what: str, value: object) -> tuple[int, ...]:
        durations = self._fields.check_array(what, value, limits.HANDLERS_MAX)
        return self._fields.check_numbers(what, durations, limits.INTEGER_MAX)

    def ids(self) -> dict[int, str]:
        """The column of ids that do not follow the rule of transition ids."""
        return self.values("ids", self._fields.check_text)
