"""Conditions on shapes: each makes the flags of some of the shapes of a dictionary."""

from __future__ import annotations

from collections.abc import Callable

from am_dbg.query.flags import FLAG_VALUES, FlagMaker, either, opposite
from am_dbg.query.terms import has_text
from am_dbg.store import Fact
from am_dbg.store.dictionary import SegmentDictionary
from am_dbg.store.facts import IndexedSchema, groups_of, mask_of
from amtracer.wire.vocabulary import StepFlag, handler_name

ShapeTest = FlagMaker
"""A condition on shapes: the flags of a range of a dictionary's shapes."""


class FactTest:
    """Shapes whose facts pass; `passes` has a flag for each value that facts can have."""

    __slots__ = ("passes",)

    def __init__(self, passes: bytes) -> None:
        self.passes = passes

    def __call__(self, dictionary: SegmentDictionary, start: int, stop: int) -> bytes:
        return bytes(dictionary.shape_table.flags[start:stop]).translate(self.passes)


def with_facts(facts: Fact) -> FactTest:
    """Shapes with at least one of these facts."""
    return FactTest(bytes(1 if value & facts else 0 for value in range(FLAG_VALUES)))


def without_facts(facts: Fact) -> FactTest:
    """Shapes with none of these facts."""
    return FactTest(opposite(with_facts(facts).passes))


def opposite_of(test: ShapeTest) -> ShapeTest:
    """Shapes that a condition refuses."""
    if isinstance(test, FactTest):
        return FactTest(opposite(test.passes))
    return lambda dictionary, start, stop: opposite(test(dictionary, start, stop))


def every_or_none(holds: bool) -> ShapeTest:
    """All shapes, or none."""
    return lambda dictionary, start, stop: bytes([holds]) * (stop - start)


def touching(state: str) -> ShapeTest:
    """Shapes that called or changed a state."""
    return _by_mask(lambda schema: 1 << schema.index[state] if state in schema.index else 0)


def touching_like(word: str) -> ShapeTest:
    """Shapes that called or changed a state with this text in its name."""

    def mask(schema: IndexedSchema) -> int:
        return sum(1 << i for name, i in schema.index.items() if has_text(name, word))

    return _by_mask(mask)


def _in_group(group: str) -> ShapeTest:
    """Shapes that called or changed a state of a group."""
    return _by_mask(lambda schema: mask_of(groups_of(schema.states).get(group, ())))


def in_group_if_any(group: str) -> ShapeTest:
    """Shapes of `_in_group`, and all shapes under a schema without that group."""
    inside = _in_group(group)

    def test(dictionary: SegmentDictionary, start: int, stop: int) -> bytes:
        numbers = dictionary.shape_table.schema_of[start:stop]
        has = {at: group in groups_of(dictionary.schemas[at].states) for at in set(numbers)}
        outside = bytes(not has[number] for number in numbers)
        return either(inside(dictionary, start, stop), outside)

    return test


def _by_mask(mask_of: Callable[[IndexedSchema], int]) -> ShapeTest:
    def test(dictionary: SegmentDictionary, start: int, stop: int) -> bytes:
        numbers = dictionary.shape_table.schema_of[start:stop]
        masks = {number: mask_of(dictionary.schemas[number]) for number in set(numbers)}
        touched = dictionary.shape_table.touched[start:stop]
        return bytes(
            1 if mask & masks[number] else 0 for mask, number in zip(touched, numbers, strict=True)
        )

    return test


def named(key: str, name: str) -> ShapeTest:
    """Shapes that match the key of a term, or `changed`, with this name."""
    if key == "state":
        return touching(name)
    if key == "group":
        return _in_group(name)
    if key in ("handler", "failed"):
        failed = StepFlag.FAILED | StepFlag.DENIED if key == "failed" else 0
        return lambda dictionary, start, stop: bytes(
            _has_handler(dictionary, shape, name, failed) for shape in range(start, stop)
        )

    def test(dictionary: SegmentDictionary, start: int, stop: int) -> bytes:
        table = bytearray(stop - start)
        for at, is_touched in enumerate(touching(name)(dictionary, start, stop)):
            if is_touched:
                mask: int = getattr(dictionary.facts(start + at), key)
                table[at] = mask >> dictionary.schema(start + at).index[name] & 1
        return bytes(table)

    return test


def _has_handler(dictionary: SegmentDictionary, shape: int, name: str, flags: int) -> bool:
    states = dictionary.schema(shape).states
    return any(
        (not flags or step.flags & flags) and handler_name(step, states) == name
        for step in dictionary.shape(shape).steps
    )
