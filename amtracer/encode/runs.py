"""Gathers the transitions of each machine into a run, for a batch.

Transitions of machines arrive mixed. Each machine gathers its own, so a batch holds one run of
each machine. Consecutive transitions of a machine are similar, so the columns stay small.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import accumulate, chain
from typing import TypeVar

from amtracer.wire.messages import BatchMessage, Run, Source

_Value = TypeVar("_Value")


class OpenRun:
    """A machine of a stream, with its run in the next batch.

    `row` is the number of the run's first transition, `unit` the nanoseconds in a unit of time.
    """

    __slots__ = (
        "args",
        "calls",
        "durations",
        "ids",
        "lines",
        "links",
        "own_calls",
        "pre_lines",
        "queue_ticks",
        "queues",
        "row",
        "schema",
        "shapes",
        "sources",
        "times",
        "tx_prefix",
        "unit",
    )

    def __init__(self, schema: int, row: int, tx_prefix: str, unit: int) -> None:
        self.schema: int = schema
        self.row: int = row
        self.tx_prefix: str = tx_prefix
        self.unit: int = unit
        self.begin()

    def begin(self) -> None:
        """Begin an empty run."""
        self.shapes: list[int] = []
        self.times: list[int] = []
        self.durations: list[int] = []
        self.queues: list[int] = []
        self.calls: list[int] = []
        self.lines: dict[int, int] = {}
        self.args: dict[int, int] = {}
        self.links: dict[int, tuple[int, int, int]] = {}
        self.sources: dict[int, Source] = {}
        self.pre_lines: dict[int, int] = {}
        self.own_calls: dict[int, tuple[int, ...]] = {}
        self.ids: dict[int, str] = {}
        self.queue_ticks: dict[int, int] = {}


def batch_of(machines: Mapping[int, OpenRun]) -> BatchMessage:
    """The runs of machines by number as one message; each machine then begins an empty run."""
    runs = [Run(number, run.row, len(run.shapes)) for number, run in machines.items()]
    starts = list(accumulate((run.length for run in runs), initial=0))
    parts = machines.values()
    calls = _joined(part.calls for part in parts)
    own_calls = _shifted([part.own_calls for part in parts], starts)
    if not calls:  # without `calls`, all durations are unknown
        own_calls = {at: durations for at, durations in own_calls.items() if durations}
    message = BatchMessage(
        tuple(runs),
        _joined(part.shapes for part in parts),
        _joined(part.times for part in parts),
        _dense(part.durations for part in parts),
        _dense(part.queues for part in parts),
        calls,
        _shifted([part.lines for part in parts], starts),
        _shifted([part.args for part in parts], starts),
        _shifted([part.links for part in parts], starts),
        _shifted([part.sources for part in parts], starts),
        _shifted([part.pre_lines for part in parts], starts),
        own_calls,
        _shifted([part.ids for part in parts], starts),
        _filled(_shifted([part.queue_ticks for part in parts], starts), starts[-1]),
    )
    for part in parts:
        part.row += len(part.shapes)
        part.begin()
    return message


def _joined(columns: Iterable[list[int]]) -> tuple[int, ...]:
    return tuple(chain.from_iterable(columns))


def _dense(columns: Iterable[list[int]]) -> tuple[int, ...]:
    """The columns as one, empty if all values are zero."""
    column = _joined(columns)
    return column if any(column) else ()


def _filled(column: Mapping[int, int], rows: int) -> tuple[int, ...]:
    """A dense column, zero for unknown values, empty if all are unknown."""
    return tuple(column.get(at, 0) for at in range(rows)) if column else ()


def _shifted(columns: list[dict[int, _Value]], starts: list[int]) -> dict[int, _Value]:
    """Sparse columns as one: offsets in runs become offsets in the batch."""
    if len(columns) == 1:
        return columns[0]
    return {
        start + at: value
        for start, column in zip(starts, columns, strict=False)
        for at, value in column.items()
    }
