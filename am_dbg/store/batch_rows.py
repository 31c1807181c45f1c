"""Expands a batch: adds to each row the values that the definitions have.

A stream defines once which lines the transitions of a shape usually log, how many handlers a
shape calls, which arguments a set has and how long a unit of time is. An expanded row has all
of it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, chain, islice, repeat
from operator import mul, sub
from typing import Generic, NamedTuple, TypeVar

from am_dbg.store.dictionary import SegmentDictionary
from amtracer.wire.messages import BatchMessage, Source

_Value = TypeVar("_Value")


class Sparse(Generic[_Value]):
    """Values of some rows, in the order of rows."""

    __slots__ = ("_offsets", "values")

    def __init__(self, values: Mapping[int, _Value]) -> None:
        self._offsets = sorted(values)
        self.values = [values[at] for at in self._offsets]

    def __bool__(self) -> bool:
        return bool(self._offsets)

    def items(self) -> Iterator[tuple[int, _Value]]:
        """All values with their rows."""
        return zip(self._offsets, self.values, strict=True)

    def within(self, low: int, high: int) -> Iterator[tuple[int, _Value]]:
        """The values of rows from `low` up to `high`."""
        if not self._offsets:
            return iter(())
        span = slice(bisect_left(self._offsets, low), bisect_left(self._offsets, high))
        return zip(self._offsets[span], self.values[span], strict=True)


class HandlerTimes(NamedTuple):
    """The durations of the handlers of all rows, one after the other.

    Those of row `i` are from `ends[i]` up to `ends[i + 1]`; no `ends` mean that there are none.
    """

    ends: Sequence[int] = ()
    durations: Sequence[int] = ()

    def __bool__(self) -> bool:
        return bool(self.durations)


class BatchRows(NamedTuple):
    """Transitions as columns; an empty dense column means zeros.

    Times and durations are nanoseconds. `args` are numbers of texts, key and text in turns.
    """

    shapes: Sequence[int]
    times: Sequence[int]
    durations: Sequence[int]
    queues: Sequence[int]
    lines: Sequence[int]
    args: Sparse[Sequence[int]]
    sources: Sparse[Source]
    pre_lines: Sparse[int]
    calls: HandlerTimes
    ids: Sparse[str]
    queue_ticks: Sequence[int]


def expand_batch(
    message: BatchMessage, dictionary: SegmentDictionary, units: Sequence[int]
) -> BatchRows:
    """The rows of a checked batch without links; `units` has a unit for each run."""
    args = dictionary.arg_texts
    counts = [run.length for run in message.runs]
    return BatchRows(
        message.shapes,
        _in_ns(message.times, counts, units),
        _in_ns(message.durations, counts, units),
        message.queues,
        _lines(message, dictionary),
        Sparse({at: args(value) for at, value in message.args.items()}),
        Sparse(message.sources),
        Sparse(message.pre_lines),
        _calls(message, dictionary, units),
        Sparse(message.ids),
        message.queue_ticks,
    )


def _in_ns(column: Sequence[int], counts: Sequence[int], units: Sequence[int]) -> Sequence[int]:
    """A column in nanoseconds; it has so many values for each unit."""
    distinct = set(units)
    if not column or distinct == {1}:
        return column
    if len(distinct) == 1:
        unit = units[0]
        return [value * unit for value in column]
    return list(map(mul, column, chain.from_iterable(map(repeat, units, counts))))


def _lines(message: BatchMessage, dictionary: SegmentDictionary) -> Sequence[int]:
    """The line set of each row, from the batch or else from its shape."""
    if not message.lines and not dictionary.shape_table.has_usual_lines:
        return ()
    lines = list(map(dictionary.shape_table.usual_lines.__getitem__, message.shapes))
    for at, number in message.lines.items():
        lines[at] = number
    return lines


def _calls(
    message: BatchMessage, dictionary: SegmentDictionary, units: Sequence[int]
) -> HandlerTimes:
    """The durations of the handlers of each row."""
    if message.own_calls:
        times = _own_calls(message, dictionary)
    elif message.calls:
        counts = map(dictionary.shape_table.calls.__getitem__, message.shapes)
        times = HandlerTimes(list(accumulate(counts, initial=0)), message.calls)
    else:
        return HandlerTimes()
    ends = times.ends
    if len(set(units)) == 1:
        return HandlerTimes(ends, _in_ns(times.durations, (), units[:1]))
    sizes = [ends[end] for end in accumulate(run.length for run in message.runs)]
    of_runs = list(map(sub, sizes, (0, *sizes)))
    return HandlerTimes(ends, _in_ns(times.durations, of_runs, units))


def _own_calls(message: BatchMessage, dictionary: SegmentDictionary) -> HandlerTimes:
    """The durations where some rows have them apart from the column of the batch."""
    own, known = message.own_calls, iter(message.calls)
    counts: Iterable[int] = map(dictionary.shape_table.calls.__getitem__, message.shapes)
    if not message.calls:
        counts = repeat(0, len(message.shapes))
    of_rows = [own[at] if at in own else tuple(islice(known, n)) for at, n in enumerate(counts)]
    ends = list(accumulate(map(len, of_rows), initial=0))
    return HandlerTimes(ends, tuple(chain.from_iterable(of_rows)))
