"""Streams for tests: messages of every kind, and the reading of a stream back."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate, pairwise

from hypothesis import strategies as st

from amtracer import limits
from amtracer.batches import join_tx
from amtracer.codec import WIRE, Decoder, Dialect, FrameWriter, encode, magic_frame
from amtracer.interning import Occurrence
from amtracer.schema import (
    BatchMessage,
    DroppedMessage,
    EndMessage,
    GoneMessage,
    HelloMessage,
    LinesMessage,
    MachineMessage,
    Message,
    SchemaChangedMessage,
    SchemaMessage,
    SegmentMessage,
    Shape,
    ShapeMessage,
    Source,
    StateDef,
    StepDef,
    StringsMessage,
)

HELLO = HelloMessage(1, "s1", 1_700_000_000_000_000_000, 5, "py", {"pid": "7"})
STATES = (
    StateDef("A"),
    StateDef("B", auto=True, require=("A",)),
    StateDef("Exception", multi=True),
)
SHAPE = Shape(0, (0,), 1, ((0, 1),), (StepDef(32, target=0), StepDef(4, target=0)))

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
entries = st.lists(st.tuples(small, st.integers(0, limits.STRINGS_MAX - 1)), max_size=4).map(tuple)


@st.composite
def batches(draw: st.DrawFn) -> BatchMessage:
    rows = draw(st.integers(1, 6))

    def dense(values: st.SearchStrategy[int]) -> tuple[int, ...]:
        column = draw(st.lists(values, min_size=rows, max_size=rows))
        return tuple(column) if any(column) else ()

    def sparse(values: st.SearchStrategy) -> dict:
        return draw(st.dictionaries(st.integers(0, rows - 1), values, max_size=rows))

    times = draw(st.lists(st.integers(-(2**62), 2**62), min_size=rows, max_size=rows))
    first = times[0]
    return BatchMessage(
        draw(st.integers(0, limits.MACHINES_PER_CONNECTION_MAX - 1)),
        draw(counts),
        tuple(draw(st.integers(0, limits.SHAPES_MAX - 1)) for _ in range(rows)),
        (first, *(b - a for a, b in pairwise(times) if abs(b - a) < 2**63)),
        dense(counts),
        dense(counts),
        dense(st.integers(0, limits.LINE_SETS_MAX)),
        sparse(sources),
        sparse(st.lists(st.tuples(indexes, indexes), max_size=3).map(tuple)),
        sparse(st.integers(1, limits.LINE_SETS_MAX)),
        sparse(st.lists(counts, max_size=3).map(tuple)),
        sparse(texts),
        sparse(st.tuples(machines, st.integers(1, 2**64 - 1), counts)),
    )


machines = st.integers(0, limits.MACHINES_PER_CONNECTION_MAX - 1)
schemas = st.integers(0, limits.SCHEMAS_MAX - 1)
messages: st.SearchStrategy[Message] = st.one_of(
    st.builds(
        HelloMessage,
        st.just(1),
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
    ),
    st.builds(SchemaChangedMessage, machines, schemas, ticks),
    st.builds(GoneMessage, machines),
    st.builds(ShapeMessage, st.integers(0, limits.SHAPES_MAX - 1), schemas, shapes),
    st.builds(StringsMessage, st.integers(0, 99), st.lists(texts, max_size=4).map(tuple)),
    st.builds(LinesMessage, st.integers(0, limits.LINE_SETS_MAX - 1), entries),
    st.just(SegmentMessage()),
    batches(),
    st.builds(DroppedMessage, machines, counts, ticks, texts),
)

lines = st.lists(st.tuples(st.integers(0, 4), texts), max_size=3).map(tuple)
occurrences = st.builds(
    Occurrence,
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
    return list(Decoder(dialect).feed(data))


def decoded_bytewise(data: bytes, dialect: Dialect = WIRE) -> list[Message]:
    """The messages of bytes that come one by one."""
    decoder = Decoder(dialect)
    return [message for at in range(len(data)) for message in decoder.feed(data[at : at + 1])]


class Book:
    """Reads a stream back into the occurrences of each machine, checking the order of it."""

    def __init__(self) -> None:
        self.machines: list[MachineMessage] = []
        self.rows: list[int] = []
        self.told: dict[int, list[Occurrence]] = {}
        self.dropped: list[DroppedMessage] = []
        self.gone: list[int] = []
        self.schemas: list[SchemaMessage] = []
        self.segments = 1
        self.definitions = 0
        self._begin()

    def _begin(self) -> None:
        self.shapes: list[Shape] = []
        self.strings: list[str] = []
        self.lines: list[tuple[tuple[int, int], ...]] = []

    def take(self, message: Message) -> None:
        match message:
            case MachineMessage():
                assert message.machine == len(self.machines)
                self.machines.append(message)
                self.rows.append(message.row)
                self.told[message.machine] = []
            case SchemaMessage():
                assert message.schema == len(self.schemas)
                self.schemas.append(message)
            case ShapeMessage():
                assert message.shape == len(self.shapes)
                self.shapes.append(message.value)
                self.definitions += 1
            case StringsMessage():
                assert message.first == len(self.strings)
                self.strings += message.texts
            case LinesMessage():
                assert message.lines == len(self.lines)
                self.lines.append(message.entries)
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
            case HelloMessage() | SchemaChangedMessage() | EndMessage():
                pass

    def _take_batch(self, m: BatchMessage) -> None:
        assert m.row == self.rows[m.machine]
        self.rows[m.machine] += len(m.shapes)
        for at, time_ns in enumerate(accumulate(m.times)):
            self.told[m.machine].append(
                Occurrence(
                    self.shapes[m.shapes[at]],
                    time_ns,
                    m.durations[at] if m.durations else 0,
                    m.queues[at] if m.queues else 0,
                    self._lines(m.lines[at] if m.lines else 0),
                    self._lines(m.pre_lines.get(at, 0)),
                    m.sources.get(at) or self._linked(m.links.get(at)),
                    tuple((self.strings[k], self.strings[v]) for k, v in m.args.get(at, ())),
                    m.handlers.get(at, ()),
                    m.ids.get(at, ""),
                )
            )

    def _linked(self, link: tuple[int, int, int] | None) -> Source | None:
        if link is None:
            return None
        machine, number, time = link
        told = self.machines[machine]
        return Source(told.id, join_tx(told.tx_prefix, number), time)

    def _lines(self, number: int) -> tuple[tuple[int, str], ...]:
        if not number:
            return ()
        return tuple((level, self.strings[text]) for level, text in self.lines[number - 1])


def read_back(stream: Iterable[Message]) -> Book:
    """The book of a whole stream."""
    book = Book()
    for message in stream:
        book.take(message)
    return book
