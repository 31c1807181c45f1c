"""Encodes and decodes definitions: strings, sets of log lines and of arguments, shapes.

What one message defines is mostly near to what it defined before, so sets store numbers of
strings as differences: a line to the line before, an argument to the one at its place in the
set before. A step is three numbers, of which the first holds its type, relation and flags;
the codes of the usual ones fit a byte.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate, chain, islice
from operator import add, sub

from amtracer.errors import WireError
from amtracer.wire import limits
from amtracer.wire.fields import Body, Fields
from amtracer.wire.messages import (
    ArgsMessage,
    Continued,
    Headed,
    LinesMessage,
    MessageKind,
    Pairs,
    Shape,
    ShapeMessage,
    StepDef,
    StringsMessage,
)

_STEPS_KEPT_MAX = 8_192
_STEP_FIELDS = 3
_HEAD = (
    ("shape", limits.SHAPES_MAX - 1),
    ("schema", limits.SCHEMAS_MAX - 1),
    ("type", limits.SMALL_MAX),
    ("flags", limits.SMALL_MAX),
)
"""What every shape begins with, and the most each may be."""
_TYPES, _RELATIONS, _FLAGS = 9, 5, limits.SMALL_MAX + 1
"""No type or one that is a power of two, no relation or the four, and flags."""
_USUAL = _TYPES * _RELATIONS * _FLAGS
_CODE_MAX = _USUAL + _FLAGS * (_FLAGS + 1) * _FLAGS - 1


# Strings and sets.


def write_strings(m: StringsMessage) -> Body:
    """In the order of their numbers."""
    return (int(MessageKind.STRINGS), m.first, m.texts)


def read_strings(fields: Fields) -> StringsMessage:
    """Texts, and pairs for those that begin alike."""
    first = fields.number("first string", limits.STRINGS_MAX - 1)
    texts = fields.array("strings", limits.STRINGS_MAX - first)
    return StringsMessage(
        first,
        tuple([text if type(text) is str else _read_parted(fields, text) for text in texts]),
    )


def _read_parted(fields: Fields, value: object) -> Headed | Continued:
    """Read a head (text, number) or its continuation (number, text), by the number's place."""
    parts = fields.check_array("a string", value, 2)
    match parts:
        case (str(text), int(chars)):
            fields.check_number("characters of a head", chars, limits.TEXT_BYTES_MAX)
            return Headed(text, chars)
        case (int(head), str(rest)):
            fields.check_number("a head", head, limits.STRINGS_MAX - 1)
            return Continued(head, rest)
    raise fields.error("a string that is neither text nor a head and a text")


def write_lines(m: LinesMessage) -> Body:
    """Each string as the difference to the one before, in this message."""
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
    told = fields.array("line sets", limits.LINE_SETS_MAX - first)
    sets, numbers = _read_sets(fields, "log lines", told, limits.LINES_MAX)
    levels = fields.check_numbers("log levels", numbers[::2], limits.SMALL_MAX)
    texts = tuple(accumulate(numbers[1::2]))
    fields.check_numbers("log lines", texts, limits.STRINGS_MAX - 1)
    lines = zip(levels, texts, strict=True)
    return LinesMessage(first, tuple([tuple(islice(lines, len(one) // 2)) for one in sets]))


def write_args(m: ArgsMessage) -> Body:
    """Each string as the difference to the one at its place in the set before."""
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
    """Most have; then they are written and read by their places, which is much faster."""
    return bool(sets) and bool(sets[0]) and set(map(len, sets)) == {len(sets[0])}


def read_args(fields: Fields) -> ArgsMessage:
    """See `write_args`."""
    first = fields.number("first set of arguments", limits.ARG_SETS_MAX - 1)
    told = fields.array("sets of arguments", limits.ARG_SETS_MAX - first)
    told_sets, numbers = _read_sets(fields, "arguments", told, limits.ARGS_MAX)
    sets = _summed(told_sets, numbers)
    fields.check_numbers("arguments", tuple(chain.from_iterable(sets)), limits.STRINGS_MAX - 1)
    return ArgsMessage(first, tuple(sets))


def _summed(sets: list[Body], numbers: tuple[int, ...]) -> list[tuple[int, ...]]:
    """The sets whose numbers are differences."""
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
    fields: Fields, what: str, told: Body, pairs_max: int
) -> tuple[list[Body], tuple[int, ...]]:
    """Sets of pairs, and all their numbers, which are checked at once."""
    sets = [fields.check_array(what, one, 2 * pairs_max) for one in told]
    if any(length % 2 for length in set(map(len, sets))):
        raise fields.error(f"{what} are no pairs")
    numbers = tuple(chain.from_iterable(sets))
    return sets, fields.check_numbers(what, numbers, limits.STRINGS_MAX - 1, -limits.STRINGS_MAX)


# Shapes.


def write_shape(m: ShapeMessage) -> Body:
    """The line set stands before the steps, so that both may be missing."""
    value = m.value
    known, told = _WRITTEN.get, _write_step
    body = (
        int(MessageKind.SHAPE),
        m.shape,
        m.schema,
        value.type,
        int(value.flags),
        value.called,
        tuple(chain.from_iterable(value.changes)),
        m.lines,
        tuple(chain.from_iterable([known(step) or told(step) for step in value.steps])),
    )
    end = len(body)
    while end > 6 and not body[end - 1]:
        end -= 1
    return body[:end]


def read_shape(fields: Fields) -> ShapeMessage:
    """See `write_shape`."""
    shape, schema, type_, flags = fields.naturals(*_HEAD)
    called = fields.numbers("called", limits.STATES_MAX, limits.STATES_MAX - 1)
    changes = read_changes(fields)
    lines = fields.number("line set", limits.LINE_SETS_MAX, default=0)
    value = Shape(
        type_, called, flags, changes, read_steps(fields, _STEP_FIELDS, _READ, _read_step)
    )
    return ShapeMessage(shape, schema, value, lines)


def read_changes(fields: Fields) -> Pairs:
    """Each state at most once, its growth not zero."""
    flat = fields.numbers(
        "changes", 2 * limits.STATES_MAX, limits.GROWTH_MAX, low=-limits.GROWTH_MAX
    )
    if not flat:
        return ()
    states, growths = flat[::2], flat[1::2]
    if min(states) < 0 or max(states) >= limits.STATES_MAX:
        raise fields.error("a changed state out of range")
    if len(states) != len(growths) or len(set(states)) != len(states) or 0 in growths:
        raise fields.error("changes are no pairs of a state and its growth")
    return tuple(zip(states, growths, strict=True))


_READ: dict[Body, StepDef] = {}
_WRITTEN: dict[StepDef, Body] = {}
"""Steps as they were read and written; in any thread."""


def read_steps(
    fields: Fields,
    width: int,
    known: dict[Body, StepDef],
    read: Callable[[Fields, Body], StepDef],
) -> tuple[StepDef, ...]:
    """Steps repeat far more often than shapes, so equal ones are checked once and one object."""
    flat = fields.array("steps", width * limits.STEPS_MAX)
    if len(flat) % width:
        raise fields.error(f"steps are no groups of {width}")
    if flat and set(map(type, flat)) != {int}:  # what is equal to a number finds its step too
        raise fields.error("steps hold something that is no number")
    groups = list(zip(*[flat[at::width] for at in range(width)], strict=True))
    steps = list(map(known.get, groups))
    for at in () if all(steps) else range(len(steps)):
        if steps[at] is None:
            if len(known) >= _STEPS_KEPT_MAX:
                known.clear()
            steps[at] = known[groups[at]] = read(fields, groups[at])
    return tuple(steps)  # type: ignore[arg-type]  # none is missing any more


def _read_step(fields: Fields, group: Body) -> StepDef:
    code, source, target = fields.check_numbers("steps", group, _CODE_MAX, -1)
    if code < 0 or max(source, target) >= limits.STATES_MAX:
        raise fields.error("the code or a state of a step out of range")
    return StepDef(*_uncoded(code), source, target)


def _write_step(step: StepDef) -> Body:
    type_, relation, flags, source, target = step
    if not (0 <= type_ < _FLAGS and -1 <= relation < _FLAGS and 0 <= flags < _FLAGS):
        raise WireError("a step whose type, relation or flags are out of range")
    if len(_WRITTEN) >= _STEPS_KEPT_MAX:
        _WRITTEN.clear()
    written = _WRITTEN[step] = (_coded(type_, relation, int(flags)), source, target)
    return written


def _coded(type_: int, relation: int, flags: int) -> int:
    """One number for the three; anything unusual comes after all that is usual."""
    place = type_.bit_length()
    if type_ == 1 << place >> 1 and relation < _RELATIONS - 1:
        return place + _TYPES * (relation + 1 + _RELATIONS * flags)
    return _USUAL + type_ + _FLAGS * (relation + 1 + (_FLAGS + 1) * flags)


def _uncoded(code: int) -> tuple[int, int, int]:
    """Type, relation and flags, see `_coded`."""
    if code < _USUAL:
        rest, place = divmod(code, _TYPES)
        flags, relation = divmod(rest, _RELATIONS)
        return 1 << place >> 1, relation - 1, flags
    rest, type_ = divmod(code - _USUAL, _FLAGS)
    flags, relation = divmod(rest, _FLAGS + 1)
    return type_, relation - 1, flags
