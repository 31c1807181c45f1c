"""What the store refuses: each message that does not fit what came before, at the limit too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from am_dbg.store import Store, checking
from amtracer.errors import LimitError, VersionError, WireError
from amtracer.wire import limits
from amtracer.wire.messages import (
    PROTOCOL_VERSION,
    ArgsMessage,
    BatchMessage,
    DroppedMessage,
    EndMessage,
    GoneMessage,
    HelloMessage,
    LinesMessage,
    MachineMessage,
    Message,
    Run,
    SchemaChangedMessage,
    SchemaMessage,
    SegmentMessage,
    Shape,
    ShapeMessage,
    Source,
    StateDef,
    StepDef,
    StringsMessage,
    TextWithKnownHead,
    TextWithNewHead,
)
from tests.dbg.histories import HistoryPlayer
from tests.dbg.model import histories

AB = (StateDef("A"), StateDef("B"))
ADD_A = Shape(0, (0,), 1, ((0, 1),), (StepDef(32, target=0),))
CALLING = ADD_A._replace(steps=(StepDef(2, target=0),))
REMOVE_A = Shape(1, (0,), 1, ((0, -1),))
BEGINNING: list[Message] = [
    HelloMessage(1, "s", 10, 20),
    SchemaMessage(0, AB),
    SchemaMessage(1, (*AB, StateDef("C"))),
    MachineMessage(0, "m", 0),
    ShapeMessage(0, 0, ADD_A),
    ShapeMessage(1, 0, REMOVE_A),
    ShapeMessage(2, 1, ADD_A),
    StringsMessage(0, (TextWithNewHead("one", 2), "two")),
    LinesMessage(0, (((1, 0), (2, 1)),)),
    ArgsMessage(0, ((0, 1),)),
    ShapeMessage(3, 0, CALLING),
]
BATCH = BatchMessage((Run(0, 0, 2),), (0, 1), (100, 105))


def at_row(row: int, *shapes: int) -> BatchMessage:
    """Transitions of the machine from a row on."""
    return BatchMessage((Run(0, row, len(shapes)),), shapes, (1,) * len(shapes))


def begun() -> tuple[Store, int]:
    store = Store()
    stream = store.open_stream("test", live=True)
    for message in BEGINNING:
        store.feed(stream, message)
    return store, stream


def seen(store: Store) -> Any:
    """All that can be seen of a store, to compare before and after."""
    return [
        (
            track.key,
            track.count,
            track.ticks,
            track.states,
            track.gone,
            tuple(track.gaps),
            [track.transition(number) for number in range(1, track.count + 1)],
        )
        for track in store.tracks
    ]


REFUSED: dict[str, Message] = {
    "second hello": HelloMessage(1, "s", 1, 1),
    "schema 5 defined out of order": SchemaMessage(5, AB),
    "two states of one name": SchemaMessage(2, (StateDef("A"), StateDef("A"))),
    "machine 0 defined out of order": MachineMessage(0, "again", 0),
    "machine 7 defined out of order": MachineMessage(7, "ahead", 0),
    "schema 9 is not defined": MachineMessage(1, "n", 9),
    "1 ticks for 2 states": MachineMessage(1, "n", 0, ticks=(1,)),
    "tick out of range": MachineMessage(1, "n", 0, ticks=(1, -1)),
    "row out of range": MachineMessage(1, "n", 0, row=-1),
    "unit out of range": MachineMessage(1, "n", 0, unit_ns=0),
    "machine 3 is not defined": SchemaChangedMessage(3, 0, (0, 0)),
    "2 ticks for 3 states": SchemaChangedMessage(0, 1, (0, 0)),
    "machine 4 is not defined": GoneMessage(4),
    "machine -1 is not defined": GoneMessage(-1),
    "shape 9 defined out of order": ShapeMessage(9, 0, ADD_A),
    "string 0 defined where 2 comes": StringsMessage(0, ("x",)),
    "head that is longer than its text": StringsMessage(2, (TextWithNewHead("x", 2),)),
    "head that is not defined": StringsMessage(2, ("x", TextWithKnownHead(1, "y"))),
    "line set 0 defined where 1 comes": LinesMessage(0, ()),
    "log level out of range": LinesMessage(1, (((256, 0),),)),
    "text is not defined": LinesMessage(1, (((1, 2),),)),
    "set of arguments 0 defined where 1 comes": ArgsMessage(0, ()),
    "argument whose text is not defined": ArgsMessage(1, ((0, 0), (0, 2))),
    "line set of a shape that is not defined": ShapeMessage(4, 0, ADD_A, 2),
    "lost transitions out of range": DroppedMessage(0, -1, (0, 0)),
    "3 ticks for 2 states": DroppedMessage(0, 1, (0, 0, 0)),
}


@pytest.mark.parametrize(("reason", "message"), REFUSED.items(), ids=REFUSED)
def test_a_message_that_does_not_fit_is_refused_whole(reason: str, message: Message) -> None:
    """A bad message raises a WireError that names it, and leaves no trace."""
    store, stream = begun()
    before = seen(store)

    with pytest.raises(WireError, match=f"{type(message).__name__}.*{reason}"):
        store.feed(stream, message)
    assert seen(store) == before


BAD_SHAPES: dict[str, Shape] = {
    "unknown type": ADD_A._replace(type=4),
    "flags of a shape": ADD_A._replace(flags=256),
    "called state": ADD_A._replace(called=(2,)),
    "changed state out": ADD_A._replace(changes=((2, 1),)),
    "changed twice": ADD_A._replace(changes=((0, 1), (0, 1))),
    "growth out of range": ADD_A._replace(changes=((0, limits.GROWTH_MAX + 1),)),
    "source of a step": ADD_A._replace(steps=(StepDef(2, source=2),)),
    "target of a step": ADD_A._replace(steps=(StepDef(2, target=-2),)),
    "relation of a step": ADD_A._replace(steps=(StepDef(1, relation=4),)),
    "type of a step": ADD_A._replace(steps=(StepDef(256),)),
    "steps of a shape": ADD_A._replace(steps=(StepDef(2),) * (limits.STEPS_MAX + 1)),
}


@pytest.mark.parametrize(("reason", "shape"), BAD_SHAPES.items(), ids=BAD_SHAPES)
def test_a_shape_that_does_not_fit_its_schema_is_refused(reason: str, shape: Shape) -> None:
    """States, steps and growth of a shape lie within its schema and the limits."""
    store, stream = begun()

    with pytest.raises(WireError, match=reason):
        store.feed(stream, ShapeMessage(4, 0, shape))
    store.feed(stream, ShapeMessage(4, 0, ADD_A))


BAD_BATCHES: dict[str, BatchMessage] = {
    "without transitions": replace(BATCH, runs=(), shapes=(), times=()),
    "not the whole batch": replace(BATCH, runs=(Run(0, 0, 1),)),
    "two runs of a machine": replace(BATCH, runs=(Run(0, 0, 1), Run(0, 1, 1))),
    "row 1 where row 0": replace(BATCH, runs=(Run(0, 1, 2),)),
    "machine 2 is not": replace(BATCH, runs=(Run(2, 0, 2),)),
    "shape that is not defined": replace(BATCH, shapes=(0, 4)),
    "another schema": replace(BATCH, shapes=(0, 2)),
    "one time for each": replace(BATCH, times=(100,)),
    "time out of range": replace(BATCH, times=(100, checking.TIME_NS_MAX + 1)),
    "one duration for each": replace(BATCH, durations=(1,)),
    "duration out of range": replace(BATCH, durations=(1, -1)),
    "queue length out of range": replace(BATCH, queues=(0, 2**63)),
    "line set out of range": replace(BATCH, lines={1: 2}),
    "outside the batch": replace(BATCH, ids={2: "x"}),
    "before the batch": replace(BATCH, own_calls={-1: (1,)}),
    "argument whose text": replace(BATCH, args={0: ((0, 2),)}),
    "set of arguments that is not defined": replace(BATCH, args={0: 1}),
    "a line set out of range": replace(BATCH, pre_lines={1: 2}),
    "time of a handler": replace(BATCH, own_calls={0: (-1,)}),
    "not one duration for each handler": replace(BATCH, calls=(1,)),
    "the time of a handler out": replace(BATCH, shapes=(3, 1), calls=(2**62,)),
    "source in machine 1": replace(BATCH, links={0: (1, 1, 0)}),
    "source in machine -1": replace(BATCH, links={0: (-1, 1, 0)}),
    "with two sources": replace(BATCH, sources={0: Source("m", "t", 0)}, links={0: (0, 1, 0)}),
    "time of a source": replace(BATCH, sources={0: Source("m", "t", -1)}),
    "do not fit": replace(BATCH, shapes=(1, 0)),
    "do not fit twice": replace(BATCH, shapes=(0, 0)),
}


@pytest.mark.parametrize(("reason", "batch"), BAD_BATCHES.items(), ids=BAD_BATCHES)
def test_a_batch_whose_columns_do_not_fit_is_refused(reason: str, batch: BatchMessage) -> None:
    """Nothing of a batch is taken in when one of its columns is wrong."""
    store, stream = begun()
    words = reason.replace("before the batch", "outside the batch").removesuffix(" twice")

    with pytest.raises(WireError, match=words):
        store.feed(stream, batch)
    assert store.transitions == 0
    store.feed(stream, BATCH)
    assert store.transitions == 2


def test_ticks_have_to_agree_with_the_activity_before() -> None:
    """A state that is activated must have been inactive, across batches too."""
    store, stream = begun()
    store.feed(stream, at_row(0, 0))

    with pytest.raises(WireError, match="do not fit"):
        store.feed(stream, at_row(1, 0))
    store.feed(stream, at_row(1, 1))


def test_a_batch_of_several_machines_is_taken_in_whole_or_not_at_all() -> None:
    """What is wrong with the last run keeps the others out too."""
    store, stream = begun()
    store.feed(stream, MachineMessage(1, "n", 0, unit_ns=1_000))
    both = BatchMessage((Run(0, 0, 1), Run(1, 0, 2)), (0, 0, 1), (100, 7, 9), (1, 2, 3))

    for wrong in (
        replace(both, shapes=(0, 0, 0)),
        replace(both, runs=(both.runs[0], Run(1, 1, 2))),
    ):
        with pytest.raises(WireError):
            store.feed(stream, wrong)
        assert store.transitions == 0
    store.feed(stream, both)

    one, other = store.tracks
    found = [
        (made.time_ns, made.duration_ns)
        for made in (one.transition(1), *map(other.transition, (1, 2)))
    ]
    assert found == [(100, 1), (7_000, 2_000), (9_000, 3_000)]


@pytest.mark.parametrize("unit_ns", [1, 1_000])
def test_times_lie_in_range_in_nanoseconds(unit_ns: int) -> None:
    """However long a unit is, no time and no duration passes the limit of a nanosecond."""
    store, stream = begun()
    store.feed(stream, MachineMessage(1, "n", 0, unit_ns=unit_ns))
    batch = BatchMessage((Run(1, 0, 1),), (0,), (checking.TIME_NS_MAX // unit_ns,))
    longest = replace(batch, durations=(limits.INTEGER_MAX // unit_ns,))

    with pytest.raises(WireError, match="a time out of range"):
        store.feed(stream, replace(batch, times=(batch.times[0] + 1,)))
    with pytest.raises(WireError, match="a duration out of range"):
        store.feed(stream, replace(batch, durations=(longest.durations[0] + 1,)))
    store.feed(stream, longest)


def test_a_stream_begins_with_a_hello() -> None:
    """Whatever comes before a hello is refused."""
    store = Store()
    stream = store.open_stream("test", live=True)

    with pytest.raises(WireError, match="hello"):
        store.feed(stream, SegmentMessage())


@pytest.mark.parametrize("version", [0, PROTOCOL_VERSION + 1])
def test_a_stream_of_another_version_is_refused(version: int) -> None:
    """Only versions in the range that is read here are taken."""
    store = Store()
    stream = store.open_stream("test", live=True)

    with pytest.raises(VersionError, match=f"version {version} "):
        store.feed(stream, HelloMessage(version, "", 0, 0))


@pytest.mark.parametrize("close", [True, False])
def test_nothing_follows_the_end_of_a_stream(close: bool) -> None:
    """After the end, sent or closed, every message is refused."""
    store, stream = begun()
    if close:
        store.close_stream(stream)
    else:
        store.feed(stream, EndMessage(1, 1, 1))

    with pytest.raises(WireError, match="after the end"):
        store.feed(stream, BATCH)


def test_a_disposed_machine_reports_no_more() -> None:
    """After a machine is gone its number cannot be used."""
    store, stream = begun()
    store.feed(stream, GoneMessage(0))

    with pytest.raises(WireError, match="disposed"):
        store.feed(stream, BATCH)


AT_LIMITS: dict[str, tuple[Callable[[int], Message], int]] = {
    "states": (
        lambda n: SchemaMessage(2, tuple(StateDef(str(i)) for i in range(n))),
        limits.STATES_MAX,
    ),
    "tags": (lambda n: MachineMessage(1, "t", 0, tags=("x",) * n), limits.TAGS_MAX),
    "lines": (lambda n: LinesMessage(1, (((1, 0),) * n,)), limits.LINES_MAX),
    "strings": (lambda n: StringsMessage(2, ("",) * (n - 2)), limits.STRINGS_MAX),
    "text": (lambda n: StringsMessage(2, ("x" * n,)), limits.TEXT_BYTES_MAX),
    "head": (
        lambda n: StringsMessage(2, (TextWithKnownHead(0, "x" * (n - 2)),)),
        limits.TEXT_BYTES_MAX,
    ),
    "arg set": (lambda n: ArgsMessage(1, ((0, 1) * n,)), limits.ARGS_MAX),
    "args": (lambda n: replace(BATCH, args={0: ((0, 1),) * n}), limits.ARGS_MAX),
    "handlers": (lambda n: replace(BATCH, own_calls={1: (1,) * n}), limits.HANDLERS_MAX),
    "rows": (
        lambda n: BatchMessage((Run(0, 0, n),), (0, 1) * (n // 2) + (0,) * (n % 2), (1,) * n),
        limits.BATCH_ROWS_MAX,
    ),
}


@pytest.mark.parametrize("what", AT_LIMITS)
def test_limits_hold_at_and_one_past(what: str) -> None:
    """As many as the limit are taken in, one more is refused as a LimitError."""
    make, limit = AT_LIMITS[what]
    store, stream = begun()

    with pytest.raises(LimitError):
        store.feed(stream, make(limit + 1))
    store.feed(stream, make(limit))


@pytest.mark.slow
def test_definitions_of_a_segment_have_limits() -> None:
    """A segment has so many shapes and sets, and the next one has room again."""
    store, stream = begun()
    for number in range(4, limits.SHAPES_MAX):
        store.feed(stream, ShapeMessage(number, 0, ADD_A))
    store.feed(stream, LinesMessage(1, ((),) * (limits.LINE_SETS_MAX - 1)))
    store.feed(stream, ArgsMessage(1, ((),) * (limits.ARG_SETS_MAX - 1)))

    with pytest.raises(LimitError):
        store.feed(stream, ShapeMessage(limits.SHAPES_MAX, 0, ADD_A))
    with pytest.raises(LimitError):
        store.feed(stream, LinesMessage(limits.LINE_SETS_MAX, ((),)))
    with pytest.raises(LimitError):
        store.feed(stream, ArgsMessage(limits.ARG_SETS_MAX, ((),)))
    store.feed(stream, SegmentMessage())
    store.feed(stream, ShapeMessage(0, 0, ADD_A))


def test_the_text_of_a_segment_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """All texts of a segment together have a limit."""
    monkeypatch.setattr(limits, "SEGMENT_TEXT_BYTES_MAX", 10)
    store, stream = begun()  # 6 bytes so far

    with pytest.raises(LimitError, match="text in a segment"):
        store.feed(stream, StringsMessage(2, ("12345",)))
    with pytest.raises(LimitError, match="text in a segment"):
        store.feed(stream, StringsMessage(2, ("1", TextWithKnownHead(0, "34"))))
    store.feed(stream, StringsMessage(2, ("1234",)))


numbers = st.integers(-2, 5) | st.sampled_from([2**31, 2**62, 2**63, 2**70])


@given(histories, st.data())
def test_damaged_histories_give_wire_errors_and_nothing_else(
    history: list[tuple[int, ...]], data: st.DataObject
) -> None:
    """Whatever number is wrong in a message, it is taken in whole or refused whole."""
    store = Store()
    stream = store.open_stream("test", live=True)
    for message in HistoryPlayer(batch_rows=4, segment_rows=9).play(history).messages:
        if data.draw(st.booleans()):
            message = damaged(message, data)
        before = seen(store)
        try:
            store.feed(stream, message)
        except WireError:
            assert seen(store) == before
    seen(store)


def replaced(message: Any, **changes: Any) -> Any:
    return (
        message._replace(**changes) if hasattr(message, "_replace") else replace(message, **changes)
    )


def damaged(message: Any, data: st.DataObject) -> Any:
    """The message with a number, or one in a column, replaced."""
    names = getattr(message, "_fields", message.__slots__)
    fields = {
        name: value
        for name in names
        if isinstance(value := getattr(message, name), int) or type(value) is tuple
    }
    if not fields:
        return message
    name = data.draw(st.sampled_from(sorted(fields)))
    value = fields[name]
    if isinstance(value, int):
        return replaced(message, **{name: data.draw(numbers)})
    if value and isinstance(value[0], int):
        at = data.draw(st.integers(0, len(value) - 1))
        return replaced(message, **{name: (*value[:at], data.draw(numbers), *value[at + 1 :])})
    return message
