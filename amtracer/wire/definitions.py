"""Encodes and decodes definitions: strings, sets of log lines and of arguments, shapes.

The strings of a set mostly have numbers near those of the set before. So sets store the numbers
as differences: a line to the line before, an argument to the one at the same position of the
set before. A step is three numbers. The first is a code of its type, relation and flags; common
codes fit a byte.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import accumulate, chain, islice
from operator import add, sub

from amtracer.errors import WireError
from amtracer.wire import limits
from amtracer.wire.fields import Body, Fields
from amtracer.wire.messages import (
    ArgsMessage,
    LinesMessage,
    MessageKind,
    Pairs,
    Shape,
    ShapeMessage,
    StepDef,
    StringsMessage,
    TextWithKnownHead,
    TextWithNewHead,
)
from amtracer.wire.vocabulary import RelationKind

_SPLIT = 2
"""The parts of a text that has a head."""
_with_new_head: partial[TextWithNewHead] = partial(tuple.__new__, TextWithNewHead)
_with_known_head: partial[TextWithKnownHead] = partial(tuple.__new__, TextWithKnownHead)
"""These make a text of its two parts, three times faster than their classes do."""
_STEPS_KEPT_MAX = 8_192
STEP_FIELDS = 3
_SHAPE_START = (
    ("shape", limits.SHAPES_MAX - 1),
    ("schema", limits.SCHEMAS_MAX - 1),
    ("type", limits.SMALL_MAX),
    ("flags", limits.SMALL_MAX),
)
"""The first fields of a shape, with their highest values."""
_VALUES = limits.SMALL_MAX + 1
"""How many values a type, a relation or the flags of a step can have."""
_TYPES = limits.SMALL_MAX.bit_length() + 1
"""How many types are common: 0 and the powers of two."""
_RELATIONS = len(RelationKind) + 1
"""How many relations are common: none and those of the vocabulary."""
_COMMON = _TYPES * _RELATIONS * _VALUES
_CODE_MAX = _COMMON + _VALUES * (_VALUES + 1) * _VALUES - 1


# Strings and sets.


def write_strings(m: StringsMessage) -> Body:
    """Write strings in the order of their numbers."""
    return (int(MessageKind.STRINGS), m.first, m.texts)


def read_strings(fields: Fields) -> StringsMessage:
    """Read texts, and pairs for texts that have a head."""
    first = fields.number("first string", limits.STRINGS_MAX - 1)
    texts = fields.array("strings", limits.STRINGS_MAX - first)
    return StringsMessage(
        first,
        tuple([text if type(text) is str else _read_split_text(fields, text) for text in texts]),
    )


def _read_split_text(fields: Fields, value: object) -> TextWithNewHead | TextWithKnownHead:
    """Read a text with a new head (text, number) or with a known one (number, text)."""
    if type(value) is tuple and len(value) == _SPLIT:
        one, other = value
        if type(one) is str and type(other) is int and 0 <= other <= limits.TEXT_BYTES_MAX:
            return _with_new_head(value)
        if type(one) is int and type(other) is str and 0 <= one < limits.STRINGS_MAX:
            return _with_known_head(value)
    match fields.check_array("a string", value, _SPLIT):
        case (str(), int(chars)):
            fields.check_number("characters of a head", chars, limits.TEXT_BYTES_MAX)
        case (int(head), str()):
            fields.check_number("a head", head, limits.STRINGS_MAX - 1)
    raise fields.error("a string that is neither text nor a head and a text")


def write_lines(m: LinesMessage) -> Body:
    """Write each string as the difference to the one before it in this message."""
    last = 0
    sets: list[Body] = []
    for entries in m.sets:
        flat: list[int] = []
        for level, text in entries:
            flat += (level, text - last)
            last = text
        sets.append(tuple(flat))
    return (int(MessageKind.LINES), m.first, tuple(sets))


def read_lines(fields: Fields) -> LinesMessage:
    """See `write_lines`."""
    first = fields.number("first line set", limits.LINE_SETS_MAX - 1)
    bodies = fields.array("line sets", limits.LINE_SETS_MAX - first)
    sets, numbers = _read_sets(fields, "log lines", bodies, limits.LINES_MAX)
    levels = fields.check_numbers("log levels", numbers[::2], limits.SMALL_MAX)
    texts = tuple(accumulate(numbers[1::2]))
    fields.check_numbers("log lines", texts, limits.STRINGS_MAX - 1)
    lines = zip(levels, texts, strict=True)
    return LinesMessage(first, tuple([tuple(islice(lines, len(one) // 2)) for one in sets]))


def write_args(m: ArgsMessage) -> Body:
    """Write each string as the difference to the one at its position in the set before."""
    if _have_one_length(m.sets):
        columns = [map(sub, column, (0, *column)) for column in zip(*m.sets, strict=True)]
        return (int(MessageKind.ARGS), m.first, tuple(zip(*columns, strict=True)))
    before: tuple[int, ...] = ()
    sets = []
    for texts in m.sets:
        sets.append((*map(sub, texts, before), *texts[len(before) :]))
        before = texts
    return (int(MessageKind.ARGS), m.first, tuple(sets))


def _have_one_length(sets: Sequence[Body]) -> bool:
    """Whether all sets have one length; they are then handled by columns, which is faster."""
    return bool(sets) and bool(sets[0]) and set(map(len, sets)) == {len(sets[0])}


def read_args(fields: Fields) -> ArgsMessage:
    """See `write_args`."""
    first = fields.number("first set of arguments", limits.ARG_SETS_MAX - 1)
    bodies = fields.array("sets of arguments", limits.ARG_SETS_MAX - first)
    encoded, numbers = _read_sets(fields, "arguments", bodies, limits.ARGS_MAX)
    sets = _summed(encoded, numbers)
    fields.check_numbers("arguments", tuple(chain.from_iterable(sets)), limits.STRINGS_MAX - 1)
    return ArgsMessage(first, tuple(sets))


def _summed(sets: Sequence[Body], numbers: tuple[int, ...]) -> list[tuple[int, ...]]:
    """The sets with absolute numbers, from differences."""
    if _have_one_length(sets):
        width = len(sets[0])
        return list(zip(*[accumulate(numbers[at::width]) for at in range(width)], strict=True))
    rest = iter(numbers)
    before: tuple[int, ...] = ()
    summed: list[tuple[int, ...]] = []
    for one in sets:
        differences = tuple(islice(rest, len(one)))
        before = (*map(add, differences, before), *differences[len(before) :])
        summed.append(before)
    return summed


def _read_sets(
    fields: Fields, what: str, bodies: Body, pairs_max: int
) -> tuple[Sequence[Body], tuple[int, ...]]:
    """Read sets of pairs, and all their numbers, which are checked in one call."""
    sets: Sequence[Body] = bodies  # type: ignore[assignment]  # checked just below
    if set(map(type, bodies)) != {tuple} or max(map(len, sets)) > 2 * pairs_max:
        sets = [fields.check_array(what, one, 2 * pairs_max) for one in bodies]
    if any(length % 2 for length in set(map(len, sets))):
        raise fields.error(f"{what} are not pairs")
    numbers = tuple(chain.from_iterable(sets))
    return sets, fields.check_numbers(what, numbers, limits.STRINGS_MAX - 1, -limits.STRINGS_MAX)


# Shapes.


def write_shape(m: ShapeMessage) -> Body:
    """Write a shape; the line set comes before the steps, so that both may be missing."""
    value = m.value
    known, write = _WRITTEN.get, _write_step
    body = (
        int(MessageKind.SHAPE),
        m.shape,
        m.schema,
        value.type,
        int(value.flags),
        value.called,
        tuple(chain.from_iterable(value.changes)),
        m.lines,
        tuple(chain.from_iterable([known(step) or write(step) for step in value.steps])),
    )
    end = len(body)
    while end > 6 and not body[end - 1]:
        end -= 1
    return body[:end]


def read_shape(fields: Fields) -> ShapeMessage:
    """See `write_shape`."""
    shape, schema, type_, flags = fields.naturals(*_SHAPE_START)
    called = fields.numbers("called", limits.STATES_MAX, limits.STATES_MAX - 1)
    changes = read_changes(fields)
    lines = fields.number("line set", limits.LINE_SETS_MAX, default=0)
    value = Shape(type_, called, flags, changes, read_steps(fields, STEP_FIELDS, _READ, _read_step))
    return ShapeMessage(shape, schema, value, lines)


def read_changes(fields: Fields) -> Pairs:
    """Read changes: each state at most once, with a growth other than zero."""
    flat = fields.numbers(
        "changes", 2 * limits.STATES_MAX, limits.GROWTH_MAX, low=-limits.GROWTH_MAX
    )
    if not flat:
        return ()
    states, growths = flat[::2], flat[1::2]
    if min(states) < 0 or max(states) >= limits.STATES_MAX:
        raise fields.error("a changed state out of range")
    if len(states) != len(growths) or len(set(states)) != len(states) or 0 in growths:
        raise fields.error("changes are not pairs of a state and its growth")
    return tuple(zip(states, growths, strict=True))


_READ: dict[Body, StepDef] = {}
_WRITTEN: dict[StepDef, Body] = {}
"""Caches of steps that were read and written; any thread uses them."""


def read_steps(
    fields: Fields,
    width: int,
    known: dict[Body, StepDef],
    read: Callable[[Fields, Body], StepDef],
) -> tuple[StepDef, ...]:
    """Read steps; equal steps are checked once and become one object, as they repeat often."""
    flat = fields.array("steps", width * limits.STEPS_MAX)
    if len(flat) % width:
        raise fields.error(f"steps are not groups of {width}")
    if flat and set(map(type, flat)) != {int}:  # 1.0 and True would find the step of 1
        raise fields.error("steps hold a value that is not a number")
    return tuple(steps_of(fields, zip(*[iter(flat)] * width, strict=True), known, read))


def steps_of(
    fields: Fields,
    groups: Iterable[Body],
    known: dict[Body, StepDef],
    read: Callable[[Fields, Body], StepDef],
) -> list[StepDef]:
    """The steps of groups of numbers; a step that is not known yet is checked and kept."""
    groups = list(groups)
    steps = list(map(known.get, groups))
    if not all(steps):
        for at in range(len(steps)):
            if steps[at] is None:
                if len(known) >= _STEPS_KEPT_MAX:
                    known.clear()
                steps[at] = known[groups[at]] = read(fields, groups[at])
    return steps  # type: ignore[return-value]  # the loop filled the gaps


def read_coded_steps(fields: Fields, codes: Iterable[Body]) -> list[StepDef]:
    """The steps of groups of a code, a source and a target, which are whole numbers."""
    return steps_of(fields, codes, _READ, _read_step)


def _read_step(fields: Fields, group: Body) -> StepDef:
    code, source, target = fields.check_numbers("steps", group, _CODE_MAX, -1)
    if code < 0 or max(source, target) >= limits.STATES_MAX:
        raise fields.error("the code or a state of a step out of range")
    return StepDef(*_fields_of_code(code), source, target)


def _write_step(step: StepDef) -> Body:
    type_, relation, flags, source, target = step
    if not (0 <= type_ < _VALUES and -1 <= relation < _VALUES and 0 <= flags < _VALUES):
        raise WireError("a step whose type, relation or flags are out of range")
    if len(_WRITTEN) >= _STEPS_KEPT_MAX:
        _WRITTEN.clear()
    written = _WRITTEN[step] = (_code_of(type_, relation, int(flags)), source, target)
    return written


def _code_of(type_: int, relation: int, flags: int) -> int:
    """One number for the three; codes of uncommon values come after all common ones."""
    place = type_.bit_length()
    if type_ == 1 << place >> 1 and relation < _RELATIONS - 1:
        return place + _TYPES * (relation + 1 + _RELATIONS * flags)
    return _COMMON + type_ + _VALUES * (relation + 1 + (_VALUES + 1) * flags)


def _fields_of_code(code: int) -> tuple[int, int, int]:
    """Type, relation and flags, see `_code_of`."""
    if code < _COMMON:
        rest, place = divmod(code, _TYPES)
        flags, relation = divmod(rest, _RELATIONS)
        return 1 << place >> 1, relation - 1, flags
    rest, type_ = divmod(code - _COMMON, _VALUES)
    flags, relation = divmod(rest, _VALUES + 1)
    return type_, relation - 1, flags
