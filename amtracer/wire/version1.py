"""Reads version 1 of the protocol; no sender writes it.

Its times and durations are nanoseconds, the default unit of a machine. Its batches hold a line
set for each transition, arguments as pairs of strings, and an array of handler durations for
each transition.
"""

from __future__ import annotations

from amtracer.wire import limits
from amtracer.wire.batches import read_dense, read_differences, read_shapes, sums
from amtracer.wire.columns import MACHINE_MAX, SparseColumns
from amtracer.wire.definitions import read_changes, read_steps
from amtracer.wire.fields import Body, Fields
from amtracer.wire.messages import (
    BatchMessage,
    LinesMessage,
    Pairs,
    Run,
    Shape,
    ShapeMessage,
    StepDef,
)

_STEP_FIELDS = 5
_STEPS: dict[Body, StepDef] = {}
"""A cache of steps that were read; any thread uses it."""


def read_lines_v1(fields: Fields) -> LinesMessage:
    """Read one set of log lines."""
    number = fields.number("line set", limits.LINE_SETS_MAX - 1)
    entries = fields.pairs("log lines", limits.LINES_MAX, limits.STRINGS_MAX - 1)
    fields.check_numbers("log levels", tuple(level for level, _ in entries), limits.SMALL_MAX)
    return LinesMessage(number, (entries,))


def read_shape_v1(fields: Fields) -> ShapeMessage:
    """Read a shape without a line set; each step is five numbers."""
    shape = fields.number("shape", limits.SHAPES_MAX - 1)
    schema = fields.number("schema", limits.SCHEMAS_MAX - 1)
    type_ = fields.number("type", limits.SMALL_MAX)
    flags = fields.number("flags", limits.SMALL_MAX)
    called = fields.numbers("called", limits.STATES_MAX, limits.STATES_MAX - 1)
    changes = read_changes(fields)
    steps = read_steps(fields, _STEP_FIELDS, _STEPS, _read_step)
    return ShapeMessage(shape, schema, Shape(type_, called, flags, changes, steps))


def _read_step(fields: Fields, group: Body) -> StepDef:
    type_, relation, flags, source, target = fields.check_numbers(
        "steps", group, limits.STATES_MAX - 1, -1
    )
    if min(type_, flags) < 0 or max(type_, relation, flags) > limits.SMALL_MAX:
        raise fields.error("the type, relation or flags of a step out of range")
    return StepDef(type_, relation, flags, source, target)


def read_batch_v1(fields: Fields) -> BatchMessage:
    """Read a batch: a run of one machine."""
    machine, row = fields.number("machine", MACHINE_MAX), fields.number("row")
    shapes = read_shapes(fields)
    rows = len(shapes)
    times = sums(fields, read_differences(fields, rows))
    durations = read_dense(fields, "durations", rows)
    queues = read_dense(fields, "queues", rows)
    lines = read_dense(fields, "lines", rows, limits.LINE_SETS_MAX)
    sparse = SparseColumns(fields, rows, has_distances=False)

    def pairs(what: str, value: object) -> Pairs:
        flat = fields.check_array(what, value, 2 * limits.ARGS_MAX)
        return fields.check_pairs(what, flat, limits.STRINGS_MAX - 1)

    return BatchMessage(
        (Run(machine, row, rows),),
        shapes,
        times,
        durations,
        queues,
        lines={at: number for at, number in enumerate(lines) if number},
        sources=sparse.sources(),
        args=sparse.values("args", pairs),
        pre_lines=sparse.numbers("pre_lines", limits.LINE_SETS_MAX, 1),
        own_calls=sparse.calls(),
        ids=sparse.ids(),
        links=sparse.links(),
    )
