"""Streams for tests: messages of every kind, and the reading of a stream back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, islice

from hypothesis import strategies as st

from amtracer.wire import limits
from amtracer.wire.codec import WIRE, Dialect, FrameReader, FrameWriter, encode, magic_frame
from amtracer.wire.columns import join_tx
from amtracer.wire.messages import (
    PROTOCOL_VERSION,
    ArgsMessage,
    BatchMessage,
    DroppedMessage,
    EndMessage,
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
    SegmentMessage,
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
from amtracer.wire.vocabulary import GapKind
from tests.transitions import RecordedTransition

HELLO = HelloMessage(PROTOCOL_VERSION, "s1", 1_700_000_000_000_000_000, 5, "py", {"pid": "7"})
STATES = (
    StateDef("A"),
    StateDef("B", auto=True, require=("A",)),
    StateDef("Exception", multi=True),
)
SHAPE = Shape(0, (0,), 1, ((0, 1),), (StepDef(32, target=0), StepDef(4, target=0)))

gap_kinds = st.sampled_from((GapKind.DROPPED, GapKind.RECONNECTED))
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
counts = st.integers(0, limits.INTEGER_MAX)
ticks = st.lists(counts, max_size=5).map(tuple)
tx_ids = st.one_of(
    texts, st.builds(join_tx, st.text("0123456789abcdef", max_size=16), st.integers(1, 2**64 - 1))
)
indexes = st.integers(0, limits.STATES_MAX - 1)
small = st.integers(0, limits.SMALL_MAX)
growths = st.one_of(st.integers(1, limits.GROWTH_MAX), st.integers(-limits.GROWTH_MAX, -1))
names = st.one_of(st.none(), st.lists(texts, max_size=3).map(tuple))
states = st.lists(
    st.builds(StateDef, texts, st.booleans(), st.booleans(), names, names, names, names),
    unique_by=lambda state: state.name,
    max_size=5,
).map(tuple)
steps = st.builds(
    StepDef,
    small,
    st.integers(-1, limits.SMALL_MAX),
    small,
    st.integers(-1, limits.STATES_MAX - 1),
    st.integers(-1, limits.STATES_MAX - 1),
)
shapes = st.builds(
    Shape,
    small,
    st.lists(indexes, max_size=4).map(tuple),
    small,
    st.dictionaries(indexes, growths, max_size=4).map(lambda growth: tuple(growth.items())),
    st.lists(steps, max_size=5).map(tuple),
)
sources = st.builds(Source, texts, tx_ids, counts) | st.builds(
    lambda name, number, time: Source(name, f"{name * 16}{number:016x}", time),
    st.sampled_from("abc"),
    st.integers(0, 2**64 - 1),
    counts,
)
strings = st.integers(0, limits.STRINGS_MAX - 1)
entries = st.lists(st.tuples(small, strings), max_size=4).map(tuple)


def flattened(numbers: tuple[tuple[int, int], ...]) -> tuple[int, ...]:
    return tuple(chain.from_iterable(numbers))


pairs = st.lists(st.tuples(strings, strings), max_size=3).map(tuple)
arg_sets = st.lists(pairs.map(flattened), max_size=3).map(tuple)
headed = texts.flatmap(
    lambda text: st.builds(TextWithNewHead, st.just(text), st.integers(0, len(text)))
)
any_texts = st.one_of(texts, headed, st.builds(TextWithKnownHead, strings, texts))


@st.composite
def batches(draw: st.DrawFn) -> BatchMessage:
    lengths = draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    rows = sum(lengths)

    def dense(values: st.SearchStrategy[int]) -> tuple[int, ...]:
        column = draw(st.lists(values, min_size=rows, max_size=rows))
        return tuple(column) if any(column) else ()

    def sparse(values: st.SearchStrategy) -> dict:
        return draw(st.dictionaries(st.integers(0, rows - 1), values, max_size=rows))

    return BatchMessage(
        tuple(Run(draw(machines), draw(counts), length) for length in lengths),
        tuple(draw(st.integers(0, limits.SHAPES_MAX - 1)) for _ in range(rows)),
        tuple(draw(st.integers(-(2**61), 2**61)) for _ in range(rows)),
        dense(counts),
        dense(counts),
        draw(st.lists(counts, max_size=4).map(tuple)),
        sparse(st.integers(0, limits.LINE_SETS_MAX)),
        sparse(st.integers(0, limits.ARG_SETS_MAX - 1)),
        sparse(st.tuples(machines, st.integers(1, 2**64 - 1), counts)),
        sparse(sources),
        sparse(st.integers(1, limits.LINE_SETS_MAX)),
        sparse(st.lists(counts, max_size=3).map(tuple)),
        sparse(texts),
    )


machines = st.integers(0, limits.MACHINES_PER_CONNECTION_MAX - 1)
schemas = st.integers(0, limits.SCHEMAS_MAX - 1)
short_texts = st.text(max_size=limits.OPEN_TEXT_BYTES_MAX // 6)
open_work = st.builds(OpenWorkItem, short_texts, short_texts, short_texts, counts, counts)
messages: st.SearchStrategy[Message] = st.one_of(
    st.builds(
        HelloMessage,
        st.integers(1, PROTOCOL_VERSION),
        texts,
        counts,
        counts,
        texts,
        st.dictionaries(texts, texts, max_size=3),
    ),
    st.builds(SchemaMessage, schemas, states),
    st.builds(
        MachineMessage,
        machines,
        texts,
        schemas,
        texts,
        st.lists(texts, max_size=3).map(tuple),
        ticks,
        counts,
        texts,
        st.integers(1, limits.UNIT_NS_MAX),
        texts,
        texts,
    ),
    st.builds(SchemaChangedMessage, machines, schemas, ticks),
    st.builds(GoneMessage, machines),
    st.builds(StringsMessage, st.integers(0, 99), st.lists(any_texts, max_size=4).map(tuple)),
    st.builds(LinesMessage, st.integers(0, 99), st.lists(entries, max_size=3).map(tuple)),
    st.builds(
        ArgsMessage, st.integers(0, 99), st.lists(pairs.map(flattened), max_size=3).map(tuple)
    ),
    st.builds(
        ShapeMessage,
        st.integers(0, limits.SHAPES_MAX - 1),
        schemas,
        shapes,
        st.integers(0, limits.LINE_SETS_MAX),
    ),
    st.just(SegmentMessage()),
    batches(),
    st.builds(DroppedMessage, machines, counts, ticks, texts, gap_kinds),
    st.builds(DroppedMessage, machines, st.just(0), ticks, texts, st.just(GapKind.CUT)),
    st.builds(LeftMessage, machines, texts),
    st.builds(LaterLinesMessage, machines, st.integers(0, limits.LINE_SETS_MAX - 1), counts),
    st.builds(OpenWorkMessage, machines, st.lists(open_work, max_size=4).map(tuple), counts),
    st.builds(RefusedMessage, machines, counts, counts),
    st.builds(
        TroubleMessage,
        machines,
        counts,
        st.integers(0, limits.SMALL_MAX),
        texts,
        texts,
        counts,
        st.integers(0, limits.STEPS_MAX - 1),
    ),
)

lines = st.lists(st.tuples(st.integers(0, 4), texts), max_size=3).map(tuple)
transitions = st.builds(
    RecordedTransition,
    st.integers(0, 3).map(lambda n: Shape(n, (0,), 1, ((0, 1),))),
    st.integers(-(2**40), 2**60),
    st.integers(0, 2**40),
    st.integers(0, 99),
    lines,
    lines,
    st.one_of(st.none(), sources),
    st.lists(st.tuples(texts, texts), max_size=3).map(tuple),
    st.lists(st.integers(0, 2**40), max_size=3).map(tuple),
    st.one_of(st.just(""), texts),
)


def stream_bytes(stream: Iterable[Message], dialect: Dialect = WIRE) -> bytes:
    """A whole stream as it goes over a connection."""
    return magic_frame(dialect) + b"".join(encode(message, dialect) for message in stream)


def bundled_bytes(stream: Iterable[Message], dialect: Dialect = WIRE) -> bytes:
    """The same with small messages gathered, and ended well."""
    writer = FrameWriter(dialect)
    return writer.magic() + b"".join([writer.write(one) for one in stream]) + writer.end()


def decoded(data: bytes, dialect: Dialect = WIRE) -> list[Message]:
    """The messages of whole bytes."""
    return list(FrameReader(dialect).feed(data))


def decoded_bytewise(data: bytes, dialect: Dialect = WIRE) -> list[Message]:
    """The messages of bytes that come one by one."""
    decoder = FrameReader(dialect)
    return [message for at in range(len(data)) for message in decoder.feed(data[at : at + 1])]


class StreamReader:
    """Reads a stream back into the transitions of each machine, checking the order of it."""

    def __init__(self) -> None:
        self.machines: list[MachineMessage] = []
        self.rows: list[int] = []
        self.transitions: dict[int, list[RecordedTransition]] = {}
        self.dropped: list[DroppedMessage] = []
        self.notes: list[RefusedMessage | TroubleMessage] = []
        self.gone: list[int] = []
        self.schemas: list[SchemaMessage] = []
        self.segments = 1
        self.definitions = 0
        self._begin()

    def _begin(self) -> None:
        self.shapes: list[ShapeMessage] = []
        self.strings: list[str] = []
        self.heads: list[str] = []
        self.lines: list[tuple[tuple[int, int], ...]] = []
        self.args: list[tuple[int, ...]] = []

    def take(self, message: Message) -> None:
        match message:
            case MachineMessage():
                assert message.machine == len(self.machines)
                self.machines.append(message)
                self.rows.append(message.row)
                self.transitions[message.machine] = []
            case SchemaMessage():
                assert message.schema == len(self.schemas)
                self.schemas.append(message)
            case ShapeMessage():
                assert message.shape == len(self.shapes)
                assert message.lines <= len(self.lines)
                self.shapes.append(message)
                self.definitions += 1
            case StringsMessage():
                assert message.first == len(self.strings)
                self.strings += map(self._text, message.texts)
            case LinesMessage():
                assert message.first == len(self.lines)
                self.lines += message.sets
            case ArgsMessage():
                assert message.first == len(self.args)
                self.args += message.sets
            case SegmentMessage():
                self.segments += 1
                self._begin()
            case DroppedMessage():
                self.rows[message.machine] += message.count
                self.dropped.append(message)
            case GoneMessage():
                self.gone.append(message.machine)
            case BatchMessage():
                self._take_batch(message)
            case _:
                self._take_other(message)

    def _take_other(self, message: Message) -> None:
        """What changes nothing of what is read later; a new kind has to be looked at here."""
        if isinstance(message, RefusedMessage | TroubleMessage):
            self.notes.append(message)
            return
        at_rest = LaterLinesMessage | OpenWorkMessage
        others = HelloMessage | SchemaChangedMessage | LeftMessage | EndMessage
        assert isinstance(message, at_rest | others)

    def _text(self, text: str | TextWithNewHead | TextWithKnownHead) -> str:
        if isinstance(text, str):
            return text
        if isinstance(text, TextWithNewHead):
            self.heads.append(text.text[: text.chars])
            return text.text
        return self.heads[text.head] + text.rest

    def _take_batch(self, m: BatchMessage) -> None:
        calls = iter(m.calls)
        rows = chain.from_iterable((run,) * run.length for run in m.runs)
        for at, run in enumerate(rows):
            self.transitions[run.machine].append(self._transition(m, at, run, calls))
        assert next(calls, None) is None
        for run in m.runs:
            assert run.row == self.rows[run.machine]
            self.rows[run.machine] += run.length

    def _transition(
        self, m: BatchMessage, at: int, run: Run, calls: Iterator[int]
    ) -> RecordedTransition:
        """A transition with everything put back that its definitions say, in nanoseconds."""
        shape, unit = self.shapes[m.shapes[at]], self.machines[run.machine].unit_ns
        durations = m.own_calls.get(at)
        if durations is None:
            durations = tuple(islice(calls, shape.value.calls)) if m.calls else ()
        return RecordedTransition(
            shape.value,
            m.times[at] * unit,
            m.durations[at] * unit if m.durations else 0,
            m.queues[at] if m.queues else 0,
            self._lines(m.lines.get(at, shape.lines)),
            self._lines(m.pre_lines.get(at, 0)),
            m.sources.get(at) or self._linked(m.links.get(at)),
            self._args(m.args.get(at, ())),
            tuple(duration * unit for duration in durations),
            m.ids.get(at, ""),
        )

    def _args(self, args: int | tuple[tuple[int, int], ...]) -> tuple[tuple[str, str], ...]:
        numbers = self.args[args] if isinstance(args, int) else flattened(args)
        texts = [self.strings[number] for number in numbers]
        return tuple(zip(texts[::2], texts[1::2], strict=True))

    def _linked(self, link: tuple[int, int, int] | None) -> Source | None:
        if link is None:
            return None
        machine, number, time = link
        linked = self.machines[machine]
        return Source(linked.id, join_tx(linked.tx_prefix, number), time)

    def _lines(self, number: int) -> tuple[tuple[int, str], ...]:
        if not number:
            return ()
        return tuple((level, self.strings[text]) for level, text in self.lines[number - 1])


def read_back(stream: Iterable[Message]) -> StreamReader:
    """The reader of a whole stream."""
    reader = StreamReader()
    for message in stream:
        reader.take(message)
    return reader
