"""Encodes messages as bodies and decodes them: which value is at which position.

A body is the tuple that msgpack packs. A reader checks every type, range and length that
follows from the message alone. `docs/wire.md` has every byte; change both together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import chain
from typing import Any

from amtracer.wire import limits
from amtracer.wire.batches import read_batch, write_batch
from amtracer.wire.definitions import (
    read_args,
    read_lines,
    read_shape,
    read_strings,
    write_args,
    write_lines,
    write_shape,
    write_strings,
)
from amtracer.wire.fields import Body, Fields, check_nesting
from amtracer.wire.messages import (
    AnswerMessage,
    ArgsMessage,
    BatchMessage,
    ChunkMessage,
    DroppedMessage,
    EndMessage,
    GoneMessage,
    HelloMessage,
    LaterLinesMessage,
    LeftMessage,
    LinesMessage,
    MachineMessage,
    Message,
    MessageKind,
    OpenWorkItem,
    OpenWorkMessage,
    PieceMessage,
    RecordSchemasMessage,
    RefusedMessage,
    SchemaChangedMessage,
    SchemaMessage,
    SegmentMessage,
    ShapeMessage,
    StateDef,
    StringsMessage,
    TroubleMessage,
)
from amtracer.wire.version1 import read_batch_v1, read_lines_v1, read_shape_v1
from amtracer.wire.vocabulary import GapKind

_AUTO = 1
_MULTI = 2


def body_of(message: Message) -> Body:
    """The body of a message, mostly without default values at its end."""
    return _WRITERS[type(message)](message)


def message_of(body: Body, where: str) -> Message | None:
    """The message of a body, None for an unknown kind; `WireError` for any fault.

    The first value must be a number.
    """
    kind = body[0]
    reader = _READERS.get(kind)
    if reader is None:
        check_nesting(body, limits.NESTING_MAX, where)
        return None
    fields = Fields(body, where, _KIND_NAMES[kind], 1)
    message = reader(fields)
    fields.end()
    return message


def _trimmed(required: int, *values: object) -> Body:
    """The values without empty ones at the end, and with at least the required ones."""
    end = len(values)
    while end > required and not values[end - 1]:
        end -= 1
    return values[:end]


# The speaker: hello, schemas, machines.


def _write_hello(m: HelloMessage) -> Body:
    facts = tuple(chain.from_iterable(m.process.items()))
    values = (m.version, m.session, m.wall_ns, m.mono_ns, m.origin, facts, m.token, m.asks)
    return _trimmed(7, int(MessageKind.HELLO), *values)


def _read_hello(fields: Fields) -> HelloMessage:
    version = fields.number("version")
    session = fields.text("session")
    wall_ns = fields.number("wall clock", low=-limits.INTEGER_MAX - 1)
    mono_ns = fields.number("monotonic clock", low=-limits.INTEGER_MAX - 1)
    origin = fields.text("origin", "py")
    facts = fields.texts("process facts", 2 * limits.PROCESS_FACTS_MAX)
    if len(facts) % 2:
        raise fields.error("process facts are not pairs")
    process = dict(zip(facts[::2], facts[1::2], strict=True))
    token = fields.octets("token", limits.TOKEN_BYTES_MAX)
    asks = fields.number("asks", default=0)
    return HelloMessage(version, session, wall_ns, mono_ns, origin, process, token, asks)


def _write_schema(m: SchemaMessage) -> Body:
    index = {state.name: at for at, state in enumerate(m.states)}
    states = tuple(_write_state(state, index) for state in m.states)
    return (int(MessageKind.SCHEMA), m.schema, states)


def _write_state(state: StateDef, index: Mapping[str, int]) -> Body:
    """Write a state; relations are indexes, or names of states that the schema does not have."""
    flags = _AUTO * state.auto | _MULTI * state.multi
    relations = (state.require, state.add, state.remove, state.after)
    if not (state.tags or state.groups) and all(names is None for names in relations):
        return (state.name, flags) if flags else (state.name,)
    bodies = [
        None if names is None else tuple(index.get(name, name) for name in names)
        for names in relations
    ]
    body = (state.name, flags, *bodies, state.tags)
    return (*body, state.groups) if state.groups else body


def _read_schema(fields: Fields) -> SchemaMessage:
    schema = fields.number("schema", limits.SCHEMAS_MAX - 1)
    states = [fields.inner(body) for body in fields.array("states", limits.STATES_MAX)]
    names = tuple(state.text("state name") for state in states)
    if len(set(names)) != len(names):
        raise fields.error("two states have the same name")
    return SchemaMessage(
        schema,
        tuple(_read_state(state, name, names) for state, name in zip(states, names, strict=True)),
    )


def _read_state(fields: Fields, name: str, names: tuple[str, ...]) -> StateDef:
    flags = fields.number("state flags", limits.SMALL_MAX, default=0)
    require, add, remove, after = (_read_relation(fields, names) for _ in range(4))
    tags = fields.texts("state tags", limits.TAGS_MAX)
    groups = fields.texts("state groups", limits.GROUPS_MAX)
    fields.end()
    auto, multi = bool(flags & _AUTO), bool(flags & _MULTI)
    return StateDef(name, auto, multi, require, add, remove, after, tags, groups)


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
    body = (int(MessageKind.MACHINE), *values)
    if m.program or m.process:
        own = (*body, m.unit_ns, m.program, m.process)
        return (*own, m.pid, m.path_hash) if m.pid or m.path_hash else own
    return _trimmed(4, *body) if m.unit_ns == 1 else (*body, m.unit_ns)


def _read_machine(fields: Fields) -> MachineMessage:
    return MachineMessage(
        machine=_read_machine_number(fields),
        id=fields.text("id"),
        schema=fields.number("schema", limits.SCHEMAS_MAX - 1),
        parent=fields.text("parent", ""),
        tags=fields.texts("tags", limits.TAGS_MAX),
        ticks=fields.numbers("ticks", limits.STATES_MAX),
        row=fields.number("row", default=0),
        tx_prefix=fields.text("transition prefix", ""),
        unit_ns=fields.number("unit", limits.UNIT_NS_MAX, low=1, default=1),
        program=fields.text("program", ""),
        process=fields.text("process", ""),
        pid=fields.text("pid", ""),
        path_hash=fields.text("path hash", ""),
    )


def _write_schema_changed(m: SchemaChangedMessage) -> Body:
    return (int(MessageKind.SCHEMA_CHANGED), m.machine, m.schema, m.ticks)


def _read_schema_changed(fields: Fields) -> SchemaChangedMessage:
    machine = _read_machine_number(fields)
    schema = fields.number("schema", limits.SCHEMAS_MAX - 1)
    return SchemaChangedMessage(machine, schema, fields.numbers("ticks", limits.STATES_MAX))


def _write_gone(m: GoneMessage) -> Body:
    return (int(MessageKind.GONE), m.machine)


def _read_gone(fields: Fields) -> GoneMessage:
    return GoneMessage(_read_machine_number(fields))


def _read_machine_number(fields: Fields) -> int:
    return fields.number("machine", limits.MACHINES_PER_CONNECTION_MAX - 1)


def _write_segment(_: SegmentMessage) -> Body:
    return (int(MessageKind.SEGMENT),)


def _read_segment(_: Fields) -> SegmentMessage:
    return SegmentMessage()


# Other events of machines, and the end.


def _write_dropped(m: DroppedMessage) -> Body:
    values = (int(MessageKind.DROPPED), m.machine, m.count, m.ticks, m.reason)
    is_plain = m.kind is GapKind.DROPPED and _kind_in_prose(m.reason, m.count)[0] is m.kind
    return _trimmed(4, *values) if is_plain else (*values, int(m.kind))


def _read_dropped(fields: Fields) -> DroppedMessage:
    machine, count = _read_machine_number(fields), fields.number("count")
    ticks = fields.numbers("ticks", limits.STATES_MAX)
    reason = fields.text("reason", "")
    number = fields.number("gap kind", limits.SMALL_MAX, low=-1, default=-1)
    if number < 0:
        kind, reason = _kind_in_prose(reason, count)
    else:
        kind = GapKind(number) if number in _SENT_KINDS else GapKind.DROPPED
    if kind is GapKind.CUT and count:
        raise fields.error("a cut history has no count of lost transitions")
    return DroppedMessage(machine, count, ticks, reason, kind)


_SENT_KINDS = (GapKind.DROPPED, GapKind.RECONNECTED, GapKind.CUT, GapKind.DAMAGED)


def _kind_in_prose(reason: str, count: int) -> tuple[GapKind, str]:
    """The kind and the reason of a dropped message that has no kind.

    Files and programs of older versions have the kind in the reason: `reconnected` alone, or
    `cut: ` before the rest. Only this function reads that form; nothing writes it.
    """
    if reason == "reconnected":
        return GapKind.RECONNECTED, reason
    if reason.startswith("cut: ") and not count:
        return GapKind.CUT, reason.removeprefix("cut: ")
    return GapKind.DROPPED, reason


def _write_left(m: LeftMessage) -> Body:
    return _trimmed(2, int(MessageKind.LEFT), m.machine, m.reason)


def _read_left(fields: Fields) -> LeftMessage:
    return LeftMessage(_read_machine_number(fields), fields.text("reason", ""))


def _write_later_lines(m: LaterLinesMessage) -> Body:
    return _trimmed(3, int(MessageKind.LATER_LINES), m.machine, m.lines, m.missing)


def _read_later_lines(fields: Fields) -> LaterLinesMessage:
    machine = _read_machine_number(fields)
    lines = fields.number("line set", limits.LINE_SETS_MAX - 1)
    return LaterLinesMessage(machine, lines, fields.number("missing lines", default=0))


def _write_open_work(m: OpenWorkMessage) -> Body:
    flat = tuple(chain.from_iterable(m.work))
    return _trimmed(3, int(MessageKind.OPEN_WORK), m.machine, flat, m.more, m.before)


def _read_open_work(fields: Fields) -> OpenWorkMessage:
    machine = _read_machine_number(fields)
    width = len(OpenWorkItem._fields)
    flat = fields.array("open work", width * limits.OPEN_WORK_MAX)
    if len(flat) % width:
        raise fields.error(f"open work is not groups of {width}")
    groups = zip(*[flat[at::width] for at in range(width)], strict=True)
    work = tuple([_read_item(fields, *group) for group in groups])
    more = fields.number("more open work", default=0)
    return OpenWorkMessage(machine, work, more, fields.number("a later row", default=0))


def _read_item(
    fields: Fields, kind: object, names: object, condition: object, since: object, due: object
) -> OpenWorkItem:
    return OpenWorkItem(
        _read_open_text(fields, kind),
        _read_open_text(fields, names),
        _read_open_text(fields, condition),
        fields.check_number("the beginning of open work", since, limits.INTEGER_MAX),
        fields.check_number("a deadline", due, limits.INTEGER_MAX),
    )


def _read_open_text(fields: Fields, value: object) -> str:
    text = fields.check_text("a text of open work", value)
    size = len(text.encode("utf-8", "surrogatepass"))
    fields.limit("bytes of a text of open work", size, limits.OPEN_TEXT_BYTES_MAX)
    return text


def _write_refused(m: RefusedMessage) -> Body:
    return (int(MessageKind.REFUSED), m.machine, m.row, m.count)


def _read_refused(fields: Fields) -> RefusedMessage:
    return RefusedMessage(
        _read_machine_number(fields), fields.number("row"), fields.number("count")
    )


def _write_trouble(m: TroubleMessage) -> Body:
    values = (m.machine, m.row, m.what, m.handler, m.place, m.duration_ns, m.step)
    return _trimmed(5, int(MessageKind.TROUBLE), *values)


def _read_trouble(fields: Fields) -> TroubleMessage:
    return TroubleMessage(
        machine=_read_machine_number(fields),
        row=fields.number("row"),
        what=fields.number("what", limits.SMALL_MAX),
        handler=fields.text("handler"),
        place=fields.text("place", ""),
        duration_ns=fields.number("duration", default=0),
        step=fields.number("step", limits.STEPS_MAX - 1, default=0),
    )


# History between two debuggers.


def _write_answer(m: AnswerMessage) -> Body:
    return (int(MessageKind.ANSWER), m.takes)


def _read_answer(fields: Fields) -> AnswerMessage:
    return AnswerMessage(fields.number("takes"))


def _write_piece(m: PieceMessage) -> Body:
    return (int(MessageKind.PIECE), m.left, m.data)


def _read_piece(fields: Fields) -> PieceMessage:
    left = fields.number("bytes left")
    return PieceMessage(left, fields.octets("piece", limits.PIECE_BYTES_MAX))


def _write_record_schemas(m: RecordSchemasMessage) -> Body:
    return (int(MessageKind.RECORD_SCHEMAS), m.segment, m.schemas)


def _read_record_schemas(fields: Fields) -> RecordSchemasMessage:
    segment = fields.number("segment", limits.RECORD_SEGMENTS_MAX - 1)
    numbers = fields.numbers("schemas", limits.SCHEMAS_MAX, limits.SCHEMAS_MAX - 1)
    return RecordSchemasMessage(segment, numbers)


def _write_chunk(m: ChunkMessage) -> Body:
    return (int(MessageKind.CHUNK), m.machine, m.record, m.chunk, m.segment)


def _read_chunk(fields: Fields) -> ChunkMessage:
    machine = _read_machine_number(fields)
    record, chunk = fields.number("record"), fields.number("chunk")
    return ChunkMessage(machine, record, chunk, fields.number("segment"))


def _write_end(m: EndMessage) -> Body:
    return (int(MessageKind.END), m.frames, m.size, m.crc)


def _read_end(fields: Fields) -> EndMessage:
    frames = fields.number("frames")
    return EndMessage(frames, fields.number("size"), fields.number("crc", 2**32 - 1))


# One table for both directions, so that each kind has a writer and a reader.

_Writer = Callable[[Any], Body]
_Reader = Callable[[Fields], Message]

_CODECS: tuple[tuple[MessageKind, type, _Writer, _Reader], ...] = (
    (MessageKind.HELLO, HelloMessage, _write_hello, _read_hello),
    (MessageKind.SCHEMA, SchemaMessage, _write_schema, _read_schema),
    (MessageKind.MACHINE, MachineMessage, _write_machine, _read_machine),
    (MessageKind.SCHEMA_CHANGED, SchemaChangedMessage, _write_schema_changed, _read_schema_changed),
    (MessageKind.GONE, GoneMessage, _write_gone, _read_gone),
    (MessageKind.STRINGS, StringsMessage, write_strings, read_strings),
    (MessageKind.LINES, LinesMessage, write_lines, read_lines),
    (MessageKind.ARGS, ArgsMessage, write_args, read_args),
    (MessageKind.SHAPE, ShapeMessage, write_shape, read_shape),
    (MessageKind.SEGMENT, SegmentMessage, _write_segment, _read_segment),
    (MessageKind.BATCH, BatchMessage, write_batch, read_batch),
    (MessageKind.DROPPED, DroppedMessage, _write_dropped, _read_dropped),
    (MessageKind.LEFT, LeftMessage, _write_left, _read_left),
    (MessageKind.LATER_LINES, LaterLinesMessage, _write_later_lines, _read_later_lines),
    (MessageKind.OPEN_WORK, OpenWorkMessage, _write_open_work, _read_open_work),
    (MessageKind.REFUSED, RefusedMessage, _write_refused, _read_refused),
    (MessageKind.TROUBLE, TroubleMessage, _write_trouble, _read_trouble),
    (MessageKind.ANSWER, AnswerMessage, _write_answer, _read_answer),
    (MessageKind.PIECE, PieceMessage, _write_piece, _read_piece),
    (
        MessageKind.RECORD_SCHEMAS,
        RecordSchemasMessage,
        _write_record_schemas,
        _read_record_schemas,
    ),
    (MessageKind.CHUNK, ChunkMessage, _write_chunk, _read_chunk),
    (MessageKind.END, EndMessage, _write_end, _read_end),
)
_WRITERS: Mapping[type, _Writer] = {message: write for _, message, write, _ in _CODECS}
_READERS: Mapping[object, _Reader] = {
    **{int(kind): read for kind, _, _, read in _CODECS},
    MessageKind.SHAPE_V1: read_shape_v1,
    MessageKind.LINES_V1: read_lines_v1,
    MessageKind.BATCH_V1: read_batch_v1,
}
_KIND_NAMES: Mapping[object, str] = {
    int(kind): kind.name.removesuffix("_V1").lower() for kind in MessageKind
}
