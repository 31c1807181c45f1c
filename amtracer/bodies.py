"""Messages to bodies and back: which value is at which position.

A body is the tuple msgpack packs. When one is read, every type, range and length that the
message alone can tell is checked. Byte-exact in `docs/wire.md`; change both together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import chain
from typing import Any

from amtracer import limits
from amtracer.batches import read_batch, write_batch
from amtracer.fields import Body, Fields, check_nesting
from amtracer.schema import (
    BatchMessage,
    DroppedMessage,
    EndMessage,
    GoneMessage,
    HelloMessage,
    Kind,
    LinesMessage,
    MachineMessage,
    Message,
    SchemaChangedMessage,
    SchemaMessage,
    SegmentMessage,
    Shape,
    ShapeMessage,
    StateDef,
    StepDef,
    StringsMessage,
)

__all__ = ["body_of", "message_of"]

_AUTO = 1
_MULTI = 2
_STEP_FIELDS = 5
_STEPS_KEPT_MAX = 8_192


def body_of(message: Message) -> Body:
    """The body of a message, mostly without the defaults at its end."""
    return _WRITERS[type(message)](message)


def message_of(body: Body, where: str) -> Message | None:
    """The message of a body, None for an unknown kind; `WireError` for anything wrong.

    The first value must be a number.
    """
    kind = body[0]
    reader = _READERS.get(kind)
    if reader is None:
        check_nesting(body, limits.NESTING_MAX, where)
        return None
    fields = Fields(body, f"{where}, {_NAMES[kind]}", at=1)
    message = reader(fields)
    fields.end()
    return message


def _trimmed(required: int, *values: object) -> Body:
    """The values without the empty ones at the end, but never the required ones."""
    end = len(values)
    while end > required and not values[end - 1]:
        end -= 1
    return values[:end]


# Who speaks.


def _write_hello(m: HelloMessage) -> Body:
    facts = tuple(chain.from_iterable(m.process.items()))
    values = (m.version, m.session, m.wall_ns, m.mono_ns, m.origin, facts, m.token)
    return _trimmed(7, int(Kind.HELLO), *values)


def _read_hello(fields: Fields) -> HelloMessage:
    version = fields.number("version")
    session = fields.text("session")
    wall_ns = fields.number("wall clock", low=-limits.INTEGER_MAX - 1)
    mono_ns = fields.number("monotonic clock", low=-limits.INTEGER_MAX - 1)
    origin = fields.text("origin", "py")
    facts = fields.texts("process facts", 2 * limits.PROCESS_FACTS_MAX)
    if len(facts) % 2:
        raise fields.error("process facts are no pairs")
    process = dict(zip(facts[::2], facts[1::2], strict=True))
    token = fields.octets("token", limits.TOKEN_BYTES_MAX)
    return HelloMessage(version, session, wall_ns, mono_ns, origin, process, token)


def _write_schema(m: SchemaMessage) -> Body:
    index = {state.name: at for at, state in enumerate(m.states)}
    return (int(Kind.SCHEMA), m.schema, tuple(_write_state(state, index) for state in m.states))


def _write_state(state: StateDef, index: Mapping[str, int]) -> Body:
    """Relations as indexes, by name only where the schema lacks the state."""
    flags = _AUTO * state.auto | _MULTI * state.multi
    relations = (state.require, state.add, state.remove, state.after)
    if not state.tags and all(names is None for names in relations):
        return (state.name, flags) if flags else (state.name,)
    bodies = [
        None if names is None else tuple(index.get(name, name) for name in names)
        for names in relations
    ]
    return (state.name, flags, *bodies, state.tags)


def _read_schema(fields: Fields) -> SchemaMessage:
    schema = fields.number("schema", limits.SCHEMAS_MAX - 1)
    states = [fields.inner(body) for body in fields.array("states", limits.STATES_MAX)]
    names = tuple(state.text("state name") for state in states)
    if len(set(names)) != len(names):
        raise fields.error("two states have one name")
    return SchemaMessage(
        schema,
        tuple(_read_state(state, name, names) for state, name in zip(states, names, strict=True)),
    )


def _read_state(fields: Fields, name: str, names: tuple[str, ...]) -> StateDef:
    flags = fields.number("state flags", limits.SMALL_MAX, default=0)
    require, add, remove, after = (_read_relation(fields, names) for _ in range(4))
    tags = fields.texts("state tags", limits.TAGS_MAX)
    fields.end()
    auto, multi = bool(flags & _AUTO), bool(flags & _MULTI)
    return StateDef(name, auto, multi, require, add, remove, after, tags)


def _read_relation(fields: Fields, names: tuple[str, ...]) -> tuple[str, ...] | None:
    values = fields.optional_array("relation", limits.STATES_MAX)
    if values is None:
        return None
    return tuple(
        value
        if type(value) is str
        else names[fields.check_number("state index", value, len(names) - 1)]
        for value in values
    )


def _write_machine(m: MachineMessage) -> Body:
    values = (m.machine, m.id, m.schema, m.parent, m.tags, m.ticks, m.row, m.tx_prefix)
    return _trimmed(4, int(Kind.MACHINE), *values)


def _read_machine(fields: Fields) -> MachineMessage:
    return MachineMessage(
        machine=_machine(fields),
        id=fields.text("id"),
        schema=fields.number("schema", limits.SCHEMAS_MAX - 1),
        parent=fields.text("parent", ""),
        tags=fields.texts("tags", limits.TAGS_MAX),
        ticks=fields.numbers("ticks", limits.STATES_MAX),
        row=fields.number("row", default=0),
        tx_prefix=fields.text("transition prefix", ""),
    )


def _write_schema_changed(m: SchemaChangedMessage) -> Body:
    return (int(Kind.SCHEMA_CHANGED), m.machine, m.schema, m.ticks)


def _read_schema_changed(fields: Fields) -> SchemaChangedMessage:
    machine = _machine(fields)
    schema = fields.number("schema", limits.SCHEMAS_MAX - 1)
    return SchemaChangedMessage(machine, schema, fields.numbers("ticks", limits.STATES_MAX))


def _write_gone(m: GoneMessage) -> Body:
    return (int(Kind.GONE), m.machine)


def _read_gone(fields: Fields) -> GoneMessage:
    return GoneMessage(_machine(fields))


def _machine(fields: Fields) -> int:
    return fields.number("machine", limits.MACHINES_PER_CONNECTION_MAX - 1)


# The dictionary.


def _write_shape(m: ShapeMessage) -> Body:
    value = m.value
    return _trimmed(
        6,
        int(Kind.SHAPE),
        m.shape,
        m.schema,
        value.type,
        int(value.flags),
        value.called,
        tuple(chain.from_iterable(value.changes)),
        tuple(chain.from_iterable(value.steps)),
    )


def _read_shape(fields: Fields) -> ShapeMessage:
    shape = fields.number("shape", limits.SHAPES_MAX - 1)
    schema = fields.number("schema", limits.SCHEMAS_MAX - 1)
    type_ = fields.number("type", limits.SMALL_MAX)
    flags = fields.number("flags", limits.SMALL_MAX)
    called = fields.numbers("called", limits.STATES_MAX, limits.STATES_MAX - 1)
    changes = _read_changes(fields)
    return ShapeMessage(shape, schema, Shape(type_, called, flags, changes, _read_steps(fields)))


def _read_changes(fields: Fields) -> tuple[tuple[int, int], ...]:
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


def _read_steps(fields: Fields) -> tuple[StepDef, ...]:
    """Steps repeat far more often than shapes, so equal ones are checked once and one object."""
    flat = fields.array("steps", _STEP_FIELDS * limits.STEPS_MAX)
    if len(flat) % _STEP_FIELDS:
        raise fields.error(f"steps are no groups of {_STEP_FIELDS}")
    if flat and set(map(type, flat)) != {int}:  # what is equal to a number finds its step too
        raise fields.error("steps hold something that is no number")
    known = _STEPS.get
    groups = [flat[at : at + _STEP_FIELDS] for at in range(0, len(flat), _STEP_FIELDS)]
    return tuple([known(group) or _read_step(fields, group) for group in groups])


_STEPS: dict[Body, StepDef] = {}
"""Steps that were read, as they were written; in any thread."""


def _read_step(fields: Fields, group: Body) -> StepDef:
    type_, relation, flags, source, target = fields.check_numbers(
        "steps", group, limits.STATES_MAX - 1, -1
    )
    if min(type_, flags) < 0 or max(type_, relation, flags) > limits.SMALL_MAX:
        raise fields.error("the type, relation or flags of a step out of range")
    if len(_STEPS) >= _STEPS_KEPT_MAX:
        _STEPS.clear()
    step = _STEPS[group] = StepDef(type_, relation, flags, source, target)
    return step


def _write_strings(m: StringsMessage) -> Body:
    return (int(Kind.STRINGS), m.first, m.texts)


def _read_strings(fields: Fields) -> StringsMessage:
    first = fields.number("first string", limits.STRINGS_MAX - 1)
    return StringsMessage(first, fields.texts("strings", limits.STRINGS_MAX - first))


def _write_lines(m: LinesMessage) -> Body:
    return (int(Kind.LINES), m.lines, tuple(chain.from_iterable(m.entries)))


def _read_lines(fields: Fields) -> LinesMessage:
    lines = fields.number("line set", limits.LINE_SETS_MAX - 1)
    entries = fields.pairs("log lines", limits.LINES_MAX, limits.STRINGS_MAX - 1)
    fields.check_numbers("log levels", tuple(level for level, _ in entries), limits.SMALL_MAX)
    return LinesMessage(lines, entries)


def _write_segment(_: SegmentMessage) -> Body:
    return (int(Kind.SEGMENT),)


def _read_segment(_: Fields) -> SegmentMessage:
    return SegmentMessage()


# What happened, beside batches.


def _write_dropped(m: DroppedMessage) -> Body:
    return _trimmed(4, int(Kind.DROPPED), m.machine, m.count, m.ticks, m.reason)


def _read_dropped(fields: Fields) -> DroppedMessage:
    return DroppedMessage(
        machine=_machine(fields),
        count=fields.number("count"),
        ticks=fields.numbers("ticks", limits.STATES_MAX),
        reason=fields.text("reason", ""),
    )


def _write_end(m: EndMessage) -> Body:
    return (int(Kind.END), m.frames, m.size, m.crc)


def _read_end(fields: Fields) -> EndMessage:
    frames = fields.number("frames")
    return EndMessage(frames, fields.number("size"), fields.number("crc", 2**32 - 1))


# One table each way, so that a kind is known to both or to neither.

_Writer = Callable[[Any], Body]
_Reader = Callable[[Fields], Message]

_TABLE: tuple[tuple[Kind, type, _Writer, _Reader], ...] = (
    (Kind.HELLO, HelloMessage, _write_hello, _read_hello),
    (Kind.SCHEMA, SchemaMessage, _write_schema, _read_schema),
    (Kind.MACHINE, MachineMessage, _write_machine, _read_machine),
    (Kind.SCHEMA_CHANGED, SchemaChangedMessage, _write_schema_changed, _read_schema_changed),
    (Kind.GONE, GoneMessage, _write_gone, _read_gone),
    (Kind.SHAPE, ShapeMessage, _write_shape, _read_shape),
    (Kind.STRINGS, StringsMessage, _write_strings, _read_strings),
    (Kind.LINES, LinesMessage, _write_lines, _read_lines),
    (Kind.SEGMENT, SegmentMessage, _write_segment, _read_segment),
    (Kind.BATCH, BatchMessage, write_batch, read_batch),
    (Kind.DROPPED, DroppedMessage, _write_dropped, _read_dropped),
    (Kind.END, EndMessage, _write_end, _read_end),
)
_WRITERS: Mapping[type, _Writer] = {message: write for _, message, write, _ in _TABLE}
_READERS: Mapping[object, _Reader] = {int(kind): read for kind, _, _, read in _TABLE}
_NAMES: Mapping[object, str] = {int(kind): kind.name.lower() for kind, *_ in _TABLE}
