"""The body of a batch: columns of numbers, and columns that are mostly empty.

A dense column has one number for each transition, or is empty when all are zero. A sparse
column is flat: groups that begin with an offset in the batch, ascending.

A source names a transition of another machine. Most follow the rule of transition ids
(prefix and number from 1 as 16 hex digits), and the sources of a batch come from few
machines; so a batch lists its origins, pairs of machine id and prefix, and a source is
(offset, origin, number, time). Number 0 says that the prefix is the whole id. Where the
machine is one of the stream its number tells both: that is a link.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import accumulate, chain, pairwise
from typing import Any, TypeVar

from amtracer import limits
from amtracer.fields import Body, Fields, fits
from amtracer.schema import BatchMessage, Kind, Source

__all__ = ["join_tx", "read_batch", "split_tx", "write_batch"]

_DIGITS = 16
_NUMBER_MAX = 2**64 - 1
_MACHINE_MAX = limits.MACHINES_PER_CONNECTION_MAX - 1

_Value = TypeVar("_Value")


def write_batch(m: BatchMessage) -> Body:
    """The body of a batch, without empty columns at its end."""
    origins, sources = _write_sources(m.sources) if m.sources else ((), ())
    body = (
        int(Kind.BATCH),
        m.machine,
        m.row,
        m.shapes,
        m.times,
        m.durations,
        m.queues,
        m.lines,
        origins,
        sources,
        _flat({at: tuple(chain.from_iterable(args)) for at, args in m.args.items()}),
        _flat(m.pre_lines),
        _flat(m.handlers),
        _flat(m.ids),
        tuple(chain.from_iterable((at, *m.links[at]) for at in sorted(m.links))),
    )
    end = len(body)
    while not body[end - 1] and end > 5:
        end -= 1
    return body[:end]


def read_batch(fields: Fields) -> BatchMessage:
    """A batch whose columns agree in length, with every offset within it."""
    machine = fields.number("machine", _MACHINE_MAX)
    row = fields.number("row")
    shapes = fields.numbers("shapes", limits.BATCH_ROWS_MAX, limits.SHAPES_MAX - 1)
    rows = len(shapes)
    if not rows:
        raise fields.error("no transitions")
    return BatchMessage(
        machine,
        row,
        shapes,
        _times(fields, rows),
        _dense(fields, "durations", rows, limits.INTEGER_MAX),
        _dense(fields, "queues", rows, limits.INTEGER_MAX),
        _dense(fields, "lines", rows, limits.LINE_SETS_MAX),
        _sources(fields, rows),
        _sparse(fields, "args", rows, _args),
        _sparse(fields, "pre_lines", rows, _line_set),
        _sparse(fields, "handlers", rows, _handlers),
        _sparse(fields, "ids", rows, _id),
        _links(fields, rows),
    )


def _flat(column: Mapping[int, object]) -> Body:
    return tuple(chain.from_iterable((at, column[at]) for at in sorted(column)))


def _write_sources(sources: Mapping[int, Source]) -> tuple[Body, Body]:
    origins: dict[tuple[str, str], int] = {}
    flat: list[int] = []
    for at, source in sorted(sources.items()):
        prefix, number = split_tx(source.tx)
        origin = origins.setdefault((source.machine, prefix), len(origins))
        flat += (at, origin, number, source.time)
    return tuple(chain.from_iterable(origins)), tuple(flat)


def split_tx(tx: str) -> tuple[str, int]:
    """Prefix and number of a transition id, or all of it and 0 when it follows no rule."""
    digits = tx[-_DIGITS:]
    try:
        number = int(digits, 16)
    except ValueError:
        return tx, 0
    if number <= 0 or f"{number:016x}" != digits:
        return tx, 0
    return tx[:-_DIGITS], number


def join_tx(prefix: str, number: int) -> str:
    """The transition id of a prefix and a number, see `split_tx`."""
    return f"{prefix}{number:016x}" if number else prefix


def _times(fields: Fields, rows: int) -> tuple[int, ...]:
    """Signed differences whose sums are signed 64-bit numbers too."""
    times = fields.numbers("times", rows, low=-limits.INTEGER_MAX - 1)
    if len(times) != rows:
        raise fields.error("times are not as many as shapes")
    if not fits("i", times[1:]) and not fits("q", tuple(accumulate(times))):
        raise fields.error("times run out of 64 bits")
    return times


def _dense(fields: Fields, what: str, rows: int, high: int) -> tuple[int, ...]:
    column = fields.numbers(what, rows, high)
    if column and len(column) != rows:
        raise fields.error(f"{what} are not as many as shapes")
    return column


def _groups(fields: Fields, what: str, width: int, rows: int) -> list[Any]:
    """Each begins with an offset within the batch."""
    flat = fields.array(what, width * rows)
    if not flat:
        return []
    if len(flat) % width:
        raise fields.error(f"{what} is no list of groups of {width}")
    offsets = fields.check_numbers(what, flat[::width], rows - 1)
    if any(a >= b for a, b in pairwise(offsets)):
        raise fields.error(f"{what} is not in order of offsets")
    return [flat[at : at + width] for at in range(0, len(flat), width)]


def _sources(fields: Fields, rows: int) -> dict[int, Source]:
    names = fields.texts("origins", 2 * rows)
    if len(names) % 2:
        raise fields.error("origins are no pairs")
    origins = tuple(zip(names[::2], names[1::2], strict=True))
    sources = {}
    for at, origin, number, time in _groups(fields, "sources", 4, rows):
        machine, prefix = origins[fields.check_number("origin", origin, len(origins) - 1)]
        tx = join_tx(prefix, fields.check_number("source number", number, _NUMBER_MAX))
        time_sum = fields.check_number("source time", time, limits.INTEGER_MAX)
        sources[at] = Source(machine, tx, time_sum)
    return sources


def _links(fields: Fields, rows: int) -> dict[int, tuple[int, int, int]]:
    links = {}
    for at, machine, number, time in _groups(fields, "links", 4, rows):
        links[at] = (
            fields.check_number("linked machine", machine, _MACHINE_MAX),
            fields.check_number("linked transition", number, _NUMBER_MAX, low=1),
            fields.check_number("linked time", time, limits.INTEGER_MAX),
        )
    return links


def _sparse(
    fields: Fields, what: str, rows: int, value_of: Callable[[Fields, object], _Value]
) -> dict[int, _Value]:
    return {at: value_of(fields, value) for at, value in _groups(fields, what, 2, rows)}


def _args(fields: Fields, value: object) -> tuple[tuple[int, int], ...]:
    flat = fields.check_array("args", value, 2 * limits.ARGS_MAX)
    return fields.check_pairs("args", flat, limits.STRINGS_MAX - 1)


def _line_set(fields: Fields, value: object) -> int:
    return fields.check_number("pre_lines", value, limits.LINE_SETS_MAX, low=1)


def _handlers(fields: Fields, value: object) -> tuple[int, ...]:
    durations = fields.check_array("handlers", value, limits.HANDLERS_MAX)
    return fields.check_numbers("handlers", durations, limits.INTEGER_MAX)


def _id(fields: Fields, value: object) -> str:
    return fields.check_text("id", value)
