"""Expands a batch: adds to each row the values that the definitions have.

A stream defines once which lines the transitions of a shape usually log, how many handlers a
shape calls, which arguments a set has and how long a unit of time is. An expanded row has all
of it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, repeat
from typing import Generic, NamedTuple, TypeVar

from am_dbg.store.dictionary import SegmentDictionary
from amtracer.wire.messages import BatchMessage, Run, Source

_Value = TypeVar("_Value")


class Sparse(Generic[_Value]):
    """Values of some rows, in the order of rows."""

    __slots__ = ("_offsets", "values")

    def __init__(self, values: Mapping[int, _Value]) -> None:
        self._offsets = sorted(values)
        self.values = [values[at] for at in self._offsets]

    def __bool__(self) -> bool:
        return bool(self._offsets)

    def within(self, low: int, high: int) -> Iterator[tuple[int, _Value]]:
        """The values of rows from `low` up to `high`."""
        span = slice(bisect_left(self._offsets, low), bisect_left(self._offsets, high))
        return zip(self._offsets[span], self.values[span], strict=True)


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
    calls: Sparse[Sequence[int]]
    ids: Sparse[str]
    queue_ticks: Sequence[int]


def expand_batch(
    message: BatchMessage, dictionary: SegmentDictionary, units: Sequence[int]
) -> BatchRows:
    """The rows of a checked batch without links; `units` has a unit for each run."""
    args = dictionary.arg_texts
    return BatchRows(
        message.shapes,
        _in_ns(message.times, message.runs, units),
        _in_ns(message.durations, message.runs, units),
        message.queues,
        _lines(message, dictionary),
        Sparse({at: args(value) for at, value in message.args.items()}),
        Sparse(message.sources),
        Sparse(message.pre_lines),
        Sparse(_calls(message, dictionary, units)),
        Sparse(message.ids),
        message.queue_ticks,
    )


def _in_ns(column: Sequence[int], runs: Sequence[Run], units: Sequence[int]) -> Sequence[int]:
    if not column or set(units) == {1}:
        return column
    scaled: list[int] = []
    for run, unit in zip(runs, units, strict=True):
        at = len(scaled)
        scaled += [value * unit for value in column[at : at + run.length]]
    return scaled


def _lines(message: BatchMessage, dictionary: SegmentDictionary) -> Sequence[int]:
    """The line set of each row, from the batch or else from its shape."""
    if not message.lines and not dictionary.has_usual_lines:
        return ()
    lines = list(map(dictionary.usual_lines.__getitem__, message.shapes))
    for at, number in message.lines.items():
        lines[at] = number
    return lines


def _calls(
    message: BatchMessage, dictionary: SegmentDictionary, units: Sequence[int]
) -> dict[int, Sequence[int]]:
    """The durations of the handlers of each row."""
    durations, own = message.calls, message.own_calls
    if not durations and not own:
        return {}
    calls: dict[int, Sequence[int]] = {}
    counts = map(dictionary.calls.__getitem__, message.shapes)
    row_units = chain.from_iterable(
        repeat(unit, run.length) for unit, run in zip(units, message.runs, strict=True)
    )
    begin = 0
    for at, (count, unit) in enumerate(zip(counts, row_units, strict=True)):
        if at in own:
            calls[at] = [duration * unit for duration in own[at]]
        elif count and durations:
            calls[at] = [duration * unit for duration in durations[begin : begin + count]]
            begin += count
    return calls
