"""Every limit of a body: what is at it is read, what is one past it is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from amtracer.errors import FrameTooLargeError, WireError
from amtracer.wire import limits
from amtracer.wire.codec import FILE, WIRE, Dialect, encode
from amtracer.wire.messages import (
    ArgsMessage,
    BatchMessage,
    DroppedMessage,
    GoneMessage,
    HelloMessage,
    LaterLinesMessage,
    LeftMessage,
    LinesMessage,
    MachineMessage,
    Message,
    OpenWorkItem,
    OpenWorkMessage,
    RefusedMessage,
    Run,
    SchemaChangedMessage,
    SchemaMessage,
    Shape,
    ShapeMessage,
    Source,
    StateDef,
    StepDef,
    StringsMessage,
    TextWithKnownHead,
    TextWithNewHead,
    TroubleMessage,
)
from tests.wire.streams import decoded, stream_bytes

BATCH = BatchMessage((Run(0, 0, 1),), (0,), (5,))
SHAPE = Shape(0, (), 0)
MOST = limits.INTEGER_MAX


def link(machine: int = 0, number: int = 1, time: int = 0) -> BatchMessage:
    """A batch whose transition was asked for by a machine of the stream."""
    return replace(BATCH, links={0: (machine, number, time)})


def rows(count: int) -> BatchMessage:
    return BatchMessage((Run(0, 0, count),), (0,) * count, (5,) * count)


def runs(*lengths: int) -> BatchMessage:
    run = tuple(Run(at, 0, length) for at, length in enumerate(lengths))
    return replace(rows(sum(lengths)), runs=run)


def lines(level: int, text: int, count: int = 1) -> LinesMessage:
    return LinesMessage(0, (((level, text),) * count,))


def args(key: int, text: int, count: int = 1) -> ArgsMessage:
    return ArgsMessage(0, ((key, text) * count,))


def states(count: int) -> SchemaMessage:
    return SchemaMessage(0, tuple(StateDef(f"S{at}") for at in range(count)))


def shape(**changes: object) -> ShapeMessage:
    return ShapeMessage(0, 0, SHAPE._replace(**changes))  # type: ignore[arg-type]


def facts(count: int) -> HelloMessage:
    return HelloMessage(1, "s", 0, 0, "py", {str(at): "" for at in range(count)})


LIMITS: dict[str, tuple[Message, Message]] = {
    "machines per connection": (
        GoneMessage(limits.MACHINES_PER_CONNECTION_MAX - 1),
        GoneMessage(limits.MACHINES_PER_CONNECTION_MAX),
    ),
    "schemas": (
        MachineMessage(0, "", limits.SCHEMAS_MAX - 1),
        MachineMessage(0, "", limits.SCHEMAS_MAX),
    ),
    "states": (states(limits.STATES_MAX), states(limits.STATES_MAX + 1)),
    "tags": (
        MachineMessage(0, "", 0, "", ("t",) * limits.TAGS_MAX),
        MachineMessage(0, "", 0, "", ("t",) * (limits.TAGS_MAX + 1)),
    ),
    "tags per state": (
        SchemaMessage(0, (StateDef("A", tags=("t",) * limits.TAGS_MAX),)),
        SchemaMessage(0, (StateDef("A", tags=("t",) * (limits.TAGS_MAX + 1)),)),
    ),
    "states of a relation": (
        SchemaMessage(0, (StateDef("A", require=("B",) * limits.STATES_MAX),)),
        SchemaMessage(0, (StateDef("A", require=("B",) * (limits.STATES_MAX + 1)),)),
    ),
    "schema of a change": (
        SchemaChangedMessage(0, limits.SCHEMAS_MAX - 1, ()),
        SchemaChangedMessage(0, limits.SCHEMAS_MAX, ()),
    ),
    "lost transitions": (DroppedMessage(0, MOST, ()), DroppedMessage(0, MOST + 1, ())),
    "machine that left": (
        LeftMessage(limits.MACHINES_PER_CONNECTION_MAX - 1),
        LeftMessage(limits.MACHINES_PER_CONNECTION_MAX),
    ),
    "reason why it left": (
        LeftMessage(0, "x" * limits.TEXT_BYTES_MAX),
        LeftMessage(0, "x" * (limits.TEXT_BYTES_MAX + 1)),
    ),
    "later lines": (
        LaterLinesMessage(0, limits.LINE_SETS_MAX - 1),
        LaterLinesMessage(0, limits.LINE_SETS_MAX),
    ),
    "missing later lines": (LaterLinesMessage(0, 0, MOST), LaterLinesMessage(0, 0, MOST + 1)),
    "open work": (
        OpenWorkMessage(0, (OpenWorkItem("when", "A"),) * limits.OPEN_WORK_MAX),
        OpenWorkMessage(0, (OpenWorkItem("when", "A"),) * (limits.OPEN_WORK_MAX + 1)),
    ),
    "text of open work": (
        OpenWorkMessage(0, (OpenWorkItem("when", "x" * limits.OPEN_TEXT_BYTES_MAX),)),
        OpenWorkMessage(0, (OpenWorkItem("when", "x" * (limits.OPEN_TEXT_BYTES_MAX + 1)),)),
    ),
    "beginning of open work": (
        OpenWorkMessage(0, (OpenWorkItem("when", "A", "", MOST),)),
        OpenWorkMessage(0, (OpenWorkItem("when", "A", "", MOST + 1),)),
    ),
    "deadline of open work": (
        OpenWorkMessage(0, (OpenWorkItem("when", "A", "", 0, MOST),)),
        OpenWorkMessage(0, (OpenWorkItem("when", "A", "", 0, MOST + 1),)),
    ),
    "more open work": (OpenWorkMessage(0, (), MOST), OpenWorkMessage(0, (), MOST + 1)),
    "refused mutations": (RefusedMessage(0, MOST, MOST), RefusedMessage(0, MOST, MOST + 1)),
    "row of a refusal": (RefusedMessage(0, MOST, 1), RefusedMessage(0, MOST + 1, 1)),
    "kind of trouble": (
        TroubleMessage(0, 0, limits.SMALL_MAX, ""),
        TroubleMessage(0, 0, limits.SMALL_MAX + 1, ""),
    ),
    "place of trouble": (
        TroubleMessage(0, 0, 0, "", "x" * limits.TEXT_BYTES_MAX),
        TroubleMessage(0, 0, 0, "", "x" * (limits.TEXT_BYTES_MAX + 1)),
    ),
    "duration of trouble": (
        TroubleMessage(0, 0, 0, "", "", MOST),
        TroubleMessage(0, 0, 0, "", "", MOST + 1),
    ),
    "step of trouble": (
        TroubleMessage(0, 0, 1, "", "", 0, limits.STEPS_MAX - 1),
        TroubleMessage(0, 0, 1, "", "", 0, limits.STEPS_MAX),
    ),
    "process facts": (facts(limits.PROCESS_FACTS_MAX), facts(limits.PROCESS_FACTS_MAX + 1)),
    "token": (
        HelloMessage(1, "s", 0, 0, token=b"x" * limits.TOKEN_BYTES_MAX),
        HelloMessage(1, "s", 0, 0, token=b"x" * (limits.TOKEN_BYTES_MAX + 1)),
    ),
    "text": (
        MachineMessage(0, "x" * limits.TEXT_BYTES_MAX, 0),
        MachineMessage(0, "x" * (limits.TEXT_BYTES_MAX + 1), 0),
    ),
    "ticks": (
        MachineMessage(0, "", 0, ticks=(MOST,)),
        MachineMessage(0, "", 0, ticks=(MOST + 1,)),
    ),
    "ticks per machine": (
        MachineMessage(0, "", 0, ticks=(1,) * limits.STATES_MAX),
        MachineMessage(0, "", 0, ticks=(1,) * (limits.STATES_MAX + 1)),
    ),
    "shapes": (
        ShapeMessage(limits.SHAPES_MAX - 1, 0, SHAPE),
        ShapeMessage(limits.SHAPES_MAX, 0, SHAPE),
    ),
    "called states": (
        shape(called=(limits.STATES_MAX - 1,)),
        shape(called=(limits.STATES_MAX,)),
    ),
    "calls of a transition": (
        shape(called=(0,) * limits.STATES_MAX),
        shape(called=(0,) * (limits.STATES_MAX + 1)),
    ),
    "changes": (
        shape(changes=tuple((at, 1) for at in range(limits.STATES_MAX))),
        shape(changes=tuple((at, 1) for at in range(limits.STATES_MAX + 1))),
    ),
    "type of a transition": (shape(type=255), shape(type=256)),
    "flags of a transition": (shape(flags=255), shape(flags=256)),
    "growth": (
        shape(changes=((0, limits.GROWTH_MAX),)),
        shape(changes=((0, limits.GROWTH_MAX + 1),)),
    ),
    "negative growth": (
        shape(changes=((0, -limits.GROWTH_MAX),)),
        shape(changes=((0, -limits.GROWTH_MAX - 1),)),
    ),
    "some growth": (shape(changes=((0, -1),)), shape(changes=((0, 0),))),
    "growth of a state": (
        shape(changes=((0, 1), (1, 1))),
        shape(changes=((1, 1), (1, 1))),
    ),
    "steps": (
        shape(steps=(StepDef(1),) * limits.STEPS_MAX),
        shape(steps=(StepDef(1),) * (limits.STEPS_MAX + 1)),
    ),
    "step state": (
        shape(steps=(StepDef(1, target=limits.STATES_MAX - 1),)),
        shape(steps=(StepDef(1, target=limits.STATES_MAX),)),
    ),
    "no step state": (shape(steps=(StepDef(1, source=-1),)), shape(steps=(StepDef(1, source=-2),))),
    "step source": (
        shape(steps=(StepDef(1, source=limits.STATES_MAX - 1),)),
        shape(steps=(StepDef(1, source=limits.STATES_MAX),)),
    ),
    "step relation": (shape(steps=(StepDef(1, 255),)), shape(steps=(StepDef(1, 256),))),
    "no step relation": (shape(steps=(StepDef(1, -1),)), shape(steps=(StepDef(1, -2),))),
    "step flags": (shape(steps=(StepDef(1, 0, 255),)), shape(steps=(StepDef(1, 0, 256),))),
    "step type": (shape(steps=(StepDef(255),)), shape(steps=(StepDef(256),))),
    "strings in one message": (
        StringsMessage(0, ("",) * limits.STRINGS_MAX),
        StringsMessage(0, ("",) * (limits.STRINGS_MAX + 1)),
    ),
    "strings": (
        StringsMessage(limits.STRINGS_MAX - 1, ("x",)),
        StringsMessage(limits.STRINGS_MAX - 1, ("x", "y")),
    ),
    "head of a string": (
        StringsMessage(0, (TextWithKnownHead(limits.STRINGS_MAX - 1, "x"),)),
        StringsMessage(0, (TextWithKnownHead(limits.STRINGS_MAX, "x"),)),
    ),
    "characters of a head": (
        StringsMessage(0, (TextWithNewHead("x", limits.TEXT_BYTES_MAX),)),
        StringsMessage(0, (TextWithNewHead("x", limits.TEXT_BYTES_MAX + 1),)),
    ),
    "line sets": (
        LinesMessage(limits.LINE_SETS_MAX - 1, ((),)),
        LinesMessage(limits.LINE_SETS_MAX - 1, ((), ())),
    ),
    "first line set": (
        LinesMessage(limits.LINE_SETS_MAX - 1, ()),
        LinesMessage(limits.LINE_SETS_MAX, ()),
    ),
    "arg sets": (
        ArgsMessage(limits.ARG_SETS_MAX - 1, ((),)),
        ArgsMessage(limits.ARG_SETS_MAX - 1, ((), ())),
    ),
    "first arg set": (
        ArgsMessage(limits.ARG_SETS_MAX - 1, ()),
        ArgsMessage(limits.ARG_SETS_MAX, ()),
    ),
    "arguments of a set": (args(0, 0, limits.ARGS_MAX), args(0, 0, limits.ARGS_MAX + 1)),
    "string of an argument": (args(0, limits.STRINGS_MAX - 1), args(0, limits.STRINGS_MAX)),
    "line set of a shape": (
        ShapeMessage(0, 0, SHAPE, limits.LINE_SETS_MAX),
        ShapeMessage(0, 0, SHAPE, limits.LINE_SETS_MAX + 1),
    ),
    "unit": (
        MachineMessage(0, "", 0, unit_ns=limits.UNIT_NS_MAX),
        MachineMessage(0, "", 0, unit_ns=limits.UNIT_NS_MAX + 1),
    ),
    "some unit": (MachineMessage(0, "", 0), MachineMessage(0, "", 0, unit_ns=0)),
    "lines per transition": (lines(1, 0, limits.LINES_MAX), lines(1, 0, limits.LINES_MAX + 1)),
    "log level": (lines(limits.SMALL_MAX, 0), lines(limits.SMALL_MAX + 1, 0)),
    "string of a line": (lines(1, limits.STRINGS_MAX - 1), lines(1, limits.STRINGS_MAX)),
    "rows per batch": (rows(limits.BATCH_ROWS_MAX), rows(limits.BATCH_ROWS_MAX + 1)),
    "row": (
        replace(BATCH, runs=(Run(0, MOST, 1),)),
        replace(BATCH, runs=(Run(0, MOST + 1, 1),)),
    ),
    "machine of a run": (
        replace(BATCH, runs=(Run(limits.MACHINES_PER_CONNECTION_MAX - 1, 0, 1),)),
        replace(BATCH, runs=(Run(limits.MACHINES_PER_CONNECTION_MAX, 0, 1),)),
    ),
    "machines of a batch": (runs(1, 1), replace(runs(1, 1), runs=(Run(0, 0, 1), Run(-1, 0, 1)))),
    "all runs": (runs(2, 1), replace(runs(2, 2), shapes=(0,) * 3, times=(1,) * 3)),
    "times": (replace(BATCH, times=(MOST,)), replace(BATCH, times=(MOST + 1,))),
    "sum of times": (
        replace(rows(2), times=(2**40, MOST)),
        replace(rows(2), times=(2**40, MOST + 1)),
    ),
    "as many times": (replace(rows(2), times=(1, 1)), replace(rows(2), times=(1,))),
    "as many durations": (replace(rows(2), durations=(1, 1)), replace(rows(2), durations=(1,))),
    "as many queues": (replace(rows(2), queues=(1, 1)), replace(rows(2), queues=(1, 1, 1))),
    "durations": (replace(BATCH, durations=(MOST,)), replace(BATCH, durations=(-1,))),
    "line set of a row": (
        replace(BATCH, lines={0: limits.LINE_SETS_MAX}),
        replace(BATCH, lines={0: limits.LINE_SETS_MAX + 1}),
    ),
    "pre lines": (replace(BATCH, pre_lines={0: 1}), replace(BATCH, pre_lines={0: 0})),
    "line set of pre lines": (
        replace(BATCH, pre_lines={0: limits.LINE_SETS_MAX}),
        replace(BATCH, pre_lines={0: limits.LINE_SETS_MAX + 1}),
    ),
    "shape of a row": (
        replace(BATCH, shapes=(limits.SHAPES_MAX - 1,)),
        replace(BATCH, shapes=(limits.SHAPES_MAX,)),
    ),
    "arg set of a row": (
        replace(BATCH, args={0: limits.ARG_SETS_MAX - 1}),
        replace(BATCH, args={0: limits.ARG_SETS_MAX}),
    ),
    "handler times": (replace(BATCH, calls=(MOST,)), replace(BATCH, calls=(MOST + 1,))),
    "offset": (replace(BATCH, ids={0: "x"}), replace(BATCH, ids={1: "x"})),
    "handlers": (
        replace(BATCH, own_calls={0: (1,) * limits.HANDLERS_MAX}),
        replace(BATCH, own_calls={0: (1,) * (limits.HANDLERS_MAX + 1)}),
    ),
    "linked machine": (
        link(machine=limits.MACHINES_PER_CONNECTION_MAX - 1),
        link(machine=limits.MACHINES_PER_CONNECTION_MAX),
    ),
    "linked transition": (link(number=1), link(number=0)),
    "linked transition's number": (link(number=2**64 - 1), link(number=2**64)),
    "linked time": (link(time=MOST), link(time=MOST + 1)),
    "source time": (
        replace(BATCH, sources={0: Source("m", "x", MOST)}),
        replace(BATCH, sources={0: Source("m", "x", MOST + 1)}),
    ),
}


@pytest.mark.parametrize("name", LIMITS)
def test_a_limit_is_read_and_one_past_it_is_refused(name: str) -> None:
    """A reader takes what is at a limit and refuses what is over it."""
    at, past = LIMITS[name]

    assert decoded(stream_bytes([at])) == [at]
    with pytest.raises(WireError):
        decoded(stream_bytes([past]))


@pytest.mark.parametrize("dialect", [WIRE, FILE], ids=["wire", "file"])
def test_a_frame_may_be_as_large_as_its_limit(dialect: Dialect) -> None:
    """A writer refuses a frame that a reader would."""

    def message(size: int) -> StringsMessage:
        whole, rest = divmod(size, 1_000)
        return StringsMessage(0, ("x" * 997,) * whole + (("y" * rest,) if rest else ()))

    size = dialect.frame_bytes_max - 20
    least = len(encode(message(size), dialect)) - 8
    most = message(size + dialect.frame_bytes_max - least)

    assert len(encode(most, dialect)) - 8 == dialect.frame_bytes_max
    assert decoded(stream_bytes([most], dialect), dialect) == [most]
    with pytest.raises(FrameTooLargeError):
        encode(message(size + dialect.frame_bytes_max - least + 1), dialect)


def test_arrays_in_a_body_nest_six_deep() -> None:
    """What a newer sender adds may not nest without end."""
    import zlib

    import msgpack

    def framed(depth: int) -> bytes:
        value: object = 0
        for _ in range(depth - 1):
            value = [value]
        body = msgpack.packb([99, value])
        return len(body).to_bytes(4, "big") + zlib.crc32(body).to_bytes(4, "big") + body

    assert decoded(stream_bytes([]) + framed(limits.NESTING_MAX)) == []
    with pytest.raises(WireError, match="nested deeper than 6"):
        decoded(stream_bytes([]) + framed(limits.NESTING_MAX + 1))
