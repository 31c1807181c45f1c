"""Decodes a shape of a file, and checks it as one that came over a connection.

What follows from a shape is written beside it. So it is compared with the shape here: a filter must
not count what the transitions do not show.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgpack

from am_dbg.store.definitions.shape_check import check_shape
from am_dbg.store.definitions.shape_table import ShapeTable
from am_dbg.store.facts import IndexedSchema, ShapeFacts, shape_facts
from amtracer.errors import WireError
from amtracer.wire.messages import Shape


def decode_shape(
    table: ShapeTable, number: int, schemas: Sequence[IndexedSchema]
) -> tuple[Shape, ShapeFacts]:
    """A shape and its facts; WireError if a rule is broken."""
    try:
        shape = table.shape(number)
    except (ValueError, TypeError, IndexError, RecursionError, msgpack.UnpackException) as error:
        raise WireError(f"shape {number} cannot be read") from error
    if not _is_of_numbers(shape) or table.schema_of[number] >= len(schemas):
        raise WireError(f"shape {number} has a value that is no number")
    schema = schemas[table.schema_of[number]]
    check_shape(shape, len(schema.states), set())
    facts = shape_facts(shape, schema)
    if (facts.flags, facts.touched) != (table.flags[number], table.touched[number]):
        raise WireError(f"shape {number} has other facts than its definition says")
    return shape, facts


def _is_of_numbers(shape: Shape) -> bool:
    type_, called, flags, _, steps = shape
    return (
        type(type_) is int
        and type(flags) is int
        and type(called) is tuple
        and _are_numbers(called)
        and all(len(step) == 5 and _are_numbers(step) for step in steps)
    )


def _are_numbers(values: Iterable[object]) -> bool:
    return all(type(value) is int for value in values)
