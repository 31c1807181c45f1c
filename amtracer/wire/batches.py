"""Encodes and decodes the body of a batch: runs of machines, and columns over its transitions.

A dense column has one number for each transition, or is empty if all are zero. The durations of
handlers are one flat column, because the number of each transition's handlers follows from its
shape. Columns in which most transitions have no value are in `amtracer.wire.columns`.

Times are stored as differences: within a run, to the transition before; for the first of a run,
to the first of the run before. Runs are in the order in which they began.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import accumulate, chain, repeat
from operator import add, sub

from amtracer.wire import limits
from amtracer.wire.columns import MACHINE_MAX, SparseColumns, flat, flat_groups, flat_sources
from amtracer.wire.fields import Body, Fields
from amtracer.wire.messages import BatchMessage, MessageKind, Run

_COLUMNS_MIN = 4
_CALLS_MAX = limits.BATCH_ROWS_MAX * limits.HANDLERS_MAX
_run_of: partial[Run] = partial(tuple.__new__, Run)
"""Makes a run of its three numbers, three times faster than its class does."""
_TIME_MIN, _TIME_MAX = -limits.INTEGER_MAX - 1, limits.INTEGER_MAX


def write_batch(m: BatchMessage) -> Body:
    """The body of a batch, without empty columns at its end."""
    origins, sources = flat_sources(m.sources) if m.sources else ((), ())
    body = (
        int(MessageKind.BATCH),
        tuple(chain.from_iterable(m.runs)),
        m.shapes,
        _differences(m),
        m.durations,
        m.queues,
        m.calls,
        flat(m.lines),
        flat(m.args),
        flat_groups(m.links),
        origins,
        sources,
        flat(m.pre_lines),
        flat(m.own_calls),
        flat(m.ids),
        _tick_differences(m),
    )
    end = len(body)
    while not body[end - 1] and end > _COLUMNS_MIN:
        end -= 1
    return body[:end]


def _differences(m: BatchMessage) -> list[int]:
    """Times as differences, see the page above."""
    times = m.times
    differences = [times[0], *map(sub, times[1:], times)]
    at = 0
    for run in m.runs[:-1]:
        before, at = at, at + run.length
        differences[at] = times[at] - times[before]
    return differences


def _tick_differences(m: BatchMessage) -> list[int]:
    """Queue ticks, each as the difference to the one before in its run; empty if all are 0."""
    ticks = m.queue_ticks
    if not any(ticks):
        return []
    differences = [ticks[0], *map(sub, ticks[1:], ticks)]
    for at in accumulate(run.length for run in m.runs[:-1]):
        differences[at] = ticks[at]
    return differences


def read_batch(fields: Fields) -> BatchMessage:
    """Read a batch; its columns must agree in length, and all offsets must be within it."""
    runs = _read_runs(fields)
    shapes = read_shapes(fields)
    rows = len(shapes)
    counts = [run.length for run in runs]
    if sum(counts) != rows:
        raise fields.error("runs are not as long as shapes")
    times = _read_times(fields, counts, rows)
    durations = read_dense(fields, "durations", rows)
    queues = read_dense(fields, "queues", rows)
    calls = fields.numbers("calls", _CALLS_MAX)
    sparse = SparseColumns(fields, rows)
    return BatchMessage(
        runs,
        shapes,
        times,
        durations,
        queues,
        calls,
        lines=sparse.numbers("lines", limits.LINE_SETS_MAX),
        args=sparse.numbers("args", limits.ARG_SETS_MAX - 1),
        links=sparse.links(),
        sources=sparse.sources(),
        pre_lines=sparse.numbers("pre_lines", limits.LINE_SETS_MAX, 1),
        own_calls=sparse.calls(),
        ids=sparse.ids(),
        queue_ticks=_read_ticks(fields, counts, rows),
    )


def _read_runs(fields: Fields) -> tuple[Run, ...]:
    flat = fields.numbers("runs", 3 * limits.BATCH_ROWS_MAX)
    if len(flat) % 3:
        raise fields.error("runs are not groups of 3")
    machines = fields.check_numbers("machines", flat[::3], MACHINE_MAX)
    counts = fields.check_numbers("counts", flat[2::3], limits.BATCH_ROWS_MAX, 1)
    return tuple(map(_run_of, zip(machines, flat[1::3], counts, strict=True)))


def _read_times(fields: Fields, counts: Sequence[int], rows: int) -> tuple[int, ...]:
    differences = read_differences(fields, rows)
    if len(counts) == 1:
        return sums(fields, differences)
    totals = list(accumulate(differences))
    starts = list(accumulate(counts[:-1], initial=0))
    firsts = accumulate(map(differences.__getitem__, starts))
    shifts = map(sub, firsts, map(totals.__getitem__, starts))
    times = map(add, totals, _spread(shifts, counts))
    return fields.check_numbers("times", tuple(times), _TIME_MAX, _TIME_MIN)


def _read_ticks(fields: Fields, counts: Sequence[int], rows: int) -> tuple[int, ...]:
    differences = fields.numbers("queue ticks", rows, low=-limits.INTEGER_MAX)
    if not differences:
        return ()
    if len(differences) != rows:
        raise fields.error("queue ticks are not as many as shapes")
    totals = list(accumulate(differences, initial=0))
    before = map(totals.__getitem__, accumulate(counts[:-1], initial=0))
    ticks = map(sub, totals[1:], _spread(before, counts))
    return fields.check_numbers("queue ticks", tuple(ticks), limits.INTEGER_MAX)


def _spread(values: Iterable[int], counts: Sequence[int]) -> Iterator[int]:
    """Each value so many times."""
    return chain.from_iterable(map(repeat, values, counts))


def read_shapes(fields: Fields) -> tuple[int, ...]:
    """Read the shape of each transition; there is at least one."""
    shapes = fields.numbers("shapes", limits.BATCH_ROWS_MAX, limits.SHAPES_MAX - 1)
    if not shapes:
        raise fields.error("no transitions")
    return shapes


def read_differences(fields: Fields, rows: int) -> tuple[int, ...]:
    """Read differences of times, as many as shapes."""
    times = fields.numbers("times", rows, low=_TIME_MIN)
    if len(times) != rows:
        raise fields.error("times are not as many as shapes")
    return times


def sums(fields: Fields, differences: tuple[int, ...]) -> tuple[int, ...]:
    """Absolute times from differences; they must fit 64 bits, signed."""
    return fields.check_numbers("times", tuple(accumulate(differences)), _TIME_MAX, _TIME_MIN)


def read_dense(
    fields: Fields, what: str, rows: int, high: int = limits.INTEGER_MAX
) -> tuple[int, ...]:
    """Read a dense column: a number for each transition, or empty."""
    column = fields.numbers(what, rows, high)
    if column and len(column) != rows:
        raise fields.error(f"{what} are not as many as shapes")
    return column
