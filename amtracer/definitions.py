"""The bodies of definitions: strings, sets of log lines and of arguments, shapes.

What one message defines is mostly near to what it defined before, so sets tell numbers of
strings as differences: a line to the line before, an argument to the one at its place in the
set before. A step is three numbers, of which the first says its type, relation and flags;
the codes of the usual ones fit a byte.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate, chain
from operator import add, sub

from amtracer import limits
from amtracer.errors import WireError
from amtracer.fields import Body, Fields
from amtracer.schema import (
    ArgsMessage,
    Continued,
    Headed,
    Kind,
    LinesMessage,
    Pairs,
    Shape,
    ShapeMessage,
    StepDef,
    StringsMessage,
)

__all__ = [
    "read_args",
    "read_changes",
    "read_lines",
    "read_shape",
    "read_steps",
    "read_strings",
    "write_args",
    "write_lines",
    "write_shape",
    "write_strings",
]

_STEPS_KEPT_MAX = 8_192
_STEP_FIELDS = 3
_TYPES, _RELATIONS, _FLAGS = 9, 5, limits.SMALL_MAX + 1
"""No type or one that is a power of two, no relation or the four, and flags."""
_USUAL = _TYPES * _RELATIONS * _FLAGS
_CODE_MAX = _USUAL + _FLAGS * (_FLAGS + 1) * _FLAGS - 1


# Strings and sets.


def write_strings(m: StringsMessage) -> Body:
    """In the order of their numbers."""
    return (int(Kind.STRINGS), m.first, m.texts)


def read_strings(fields: Fields) -> StringsMessage:
    """Texts, and pairs for those that begin alike."""
    first = fields.number("first string", limits.STRINGS_MAX - 1)
    texts = fields.array("strings", limits.STRINGS_MAX - first)
    return StringsMessage(
        first,
        tuple([text if type(text) is str else _read_parted(fields, text) for text in texts]),
    )


def _read_parted(fields: Fields, value: object) -> Headed | Continued:
    """Of two values the one that is no text tells which it is by its place."""
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
    return (int(Kind.LINES), m.first, tuple(sets))


def read_lines(fields: Fields) -> LinesMessage:
    """See `write_lines`."""
    first = fields.number("first line set", limits.LINE_SETS_MAX - 1)
    last, sets = 0, []
    for value in fields.array("line sets", limits.LINE_SETS_MAX - first):
        flat = _read_flat(fields, "log lines", value, limits.LINES_MAX, -limits.STRINGS_MAX)
        texts = tuple(accumulate(flat[1::2], initial=last))
        last = texts[-1]
        fields.check_numbers("log lines", texts, limits.STRINGS_MAX - 1)
        levels = fields.check_numbers("log levels", flat[::2], limits.SMALL_MAX)
        sets.append(tuple(zip(levels, texts[1:], strict=True)))
    return LinesMessage(first, tuple(sets))


def write_args(m: ArgsMessage) -> Body:
    """Keys and texts in turns, each as the difference to its place in the set before."""
    before: Body = ()
    sets = []
    for pairs in m.sets:
        texts = tuple(chain.from_iterable(pairs))
        sets.append((*map(sub, texts, before), *texts[len(before) :]))
        before = texts
    return (int(Kind.ARGS), m.first, sets)


def read_args(fields: Fields) -> ArgsMessage:
    """See `write_args`."""
    first = fields.number("first set of arguments", limits.ARG_SETS_MAX - 1)
    before: tuple[int, ...] = ()
    sets: list[Pairs] = []
    for value in fields.array("sets of arguments", limits.ARG_SETS_MAX - first):
        flat = _read_flat(fields, "arguments", value, limits.ARGS_MAX, -limits.STRINGS_MAX)
        texts = (*map(add, flat, before), *flat[len(before) :])
        before = fields.check_numbers("arguments", texts, limits.STRINGS_MAX - 1)
        sets.append(tuple(zip(texts[::2], texts[1::2], strict=True)))
    return ArgsMessage(first, tuple(sets))


def _read_flat(
    fields: Fields, what: str, value: object, pairs_max: int, low: int
) -> tuple[int, ...]:
    flat = fields.check_array(what, value, 2 * pairs_max)
    if len(flat) % 2:
        raise fields.error(f"{what} are no pairs")
    return fields.check_numbers(what, flat, limits.STRINGS_MAX - 1, low)


# Shapes.


def write_shape(m: ShapeMessage) -> Body:
    """The line set stands before the steps, so that both may be missing."""
    value = m.value
    known, told = _WRITTEN.get, _write_step
    body = (
        int(Kind.SHAPE),
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
    shape = fields.number("shape", limits.SHAPES_MAX - 1)
    schema = fields.number("schema", limits.SCHEMAS_MAX - 1)
    type_ = fields.number("type", limits.SMALL_MAX)
    flags = fields.number("flags", limits.SMALL_MAX)
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
    states, growths = flat[::2], flat[1::2]
    if flat and (min(states) < 0 or max(states) >= limits.STATES_MAX):
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
    steps = []
    for group in zip(*[flat[at::width] for at in range(width)], strict=True):
        step = known.get(group)
        if step is None:
            step = read(fields, group)
            if len(known) >= _STEPS_KEPT_MAX:
                known.clear()
            known[group] = step
        steps.append(step)
    return tuple(steps)


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
