"""Turns transitions into messages: the sending half of the protocol.

Used by the tracer, by recordings, by exports and by the door for Go programs. It keeps
one batch for each machine, so transitions of many machines may come mixed; within a
machine they go out in the order they came. Definitions go out before their first use,
`DroppedMessage`, `SchemaChangedMessage` and `GoneMessage` after the batch before them.

Nothing here knows time or sockets: whoever owns the writer calls `flush` when a batch
became old enough. One thread at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from operator import sub

from amtracer import limits
from amtracer.batches import join_tx, split_tx
from amtracer.cutting import Lines, cut_args, cut_text, cut_texts
from amtracer.dictionary import Dictionary
from amtracer.errors import LimitError
from amtracer.schema import (
    BatchMessage,
    DroppedMessage,
    GoneMessage,
    HelloMessage,
    MachineMessage,
    Message,
    SchemaChangedMessage,
    SchemaMessage,
    SegmentMessage,
    Shape,
    Source,
    StateDef,
)

__all__ = ["Occurrence", "StreamWriter"]

Args = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One transition of a machine, with everything told about it.

    `lines` and `pre_lines` are pairs of level and text, `args` of key and text. `id` is
    empty when it follows the rule of transition ids.
    """

    shape: Shape
    time_ns: int
    duration_ns: int = 0
    queue_len: int = 0
    lines: Lines = ()
    pre_lines: Lines = ()
    source: Source | None = None
    args: Args = ()
    handler_ns: tuple[int, ...] = ()
    id: str = ""


class _Machine:
    """A machine of the stream and the batch it is filling."""

    __slots__ = (
        "args",
        "durations",
        "handlers",
        "ids",
        "lines",
        "links",
        "pre_lines",
        "queues",
        "row",
        "schema",
        "shapes",
        "sources",
        "times",
        "tx_prefix",
        "weight",
    )

    def __init__(self, schema: int, row: int, tx_prefix: str) -> None:
        self.schema = schema
        self.row = row
        self.tx_prefix = tx_prefix
        self.empty()

    def empty(self) -> None:
        self.shapes: list[int] = []
        self.times: list[int] = []
        self.durations: list[int] = []
        self.queues: list[int] = []
        self.lines: list[int] = []
        self.sources: dict[int, Source] = {}
        self.args: dict[int, tuple[tuple[int, int], ...]] = {}
        self.pre_lines: dict[int, int] = {}
        self.handlers: dict[int, tuple[int, ...]] = {}
        self.ids: dict[int, str] = {}
        self.links: dict[int, tuple[int, int, int]] = {}
        self.weight = 0

    def batch(self, number: int) -> BatchMessage:
        """What was gathered, as one message; the next batch begins after it."""
        times = self.times
        message = BatchMessage(
            number,
            self.row,
            tuple(self.shapes),
            (times[0], *map(sub, times[1:], times)),
            _dense(self.durations),
            _dense(self.queues),
            _dense(self.lines),
            self.sources,
            self.args,
            self.pre_lines,
            self.handlers,
            self.ids,
            self.links,
        )
        self.row += len(times)
        self.empty()
        return message


def _dense(column: list[int]) -> tuple[int, ...]:
    return tuple(column) if any(column) else ()


class StreamWriter:
    """Writes one stream; `emit` takes its messages in order."""

    def __init__(
        self,
        emit: Callable[[Message], None],
        hello: HelloMessage,
        *,
        batch_rows: int = limits.BATCH_ROWS,
        segment_rows: int = limits.SEGMENT_ROWS_MAX,
        dictionary_start: int = limits.DICTIONARY_START,
    ) -> None:
        self._emit = emit
        self._batch_rows = batch_rows
        self._segment_rows_max = segment_rows
        self._segment_rows = 0
        self._schemas: dict[tuple[StateDef, ...], int] = {}
        self._states: list[int] = []
        self._machines: list[_Machine | None] = []
        self._numbers: dict[tuple[str, str], int] = {}
        self._open: dict[int, _Machine] = {}
        self._dictionary = Dictionary(emit, dictionary_start)
        emit(hello)

    @property
    def machines(self) -> int:
        """How many machine numbers were given out."""
        return len(self._machines)

    def schema(self, states: tuple[StateDef, ...]) -> int:
        """The number of a schema, defined at its first use.

        Raises `LimitError` for more states or schemas than a reader takes.
        """
        number = self._schemas.get(states)
        if number is None:
            _limit("states of a schema", len(states), limits.STATES_MAX)
            _limit("schemas of a stream", len(self._schemas) + 1, limits.SCHEMAS_MAX)
            number = len(self._schemas)
            self._emit(SchemaMessage(number, states))
            self._schemas[states] = number
            self._states.append(len(states))
        return number

    def machine(
        self,
        id: str,
        schema: int,
        *,
        parent: str = "",
        tags: Iterable[str] = (),
        ticks: tuple[int, ...] = (),
        row: int = 0,
        tx_prefix: str = "",
    ) -> int:
        """The number of a new machine; no ticks means all zero.

        Raises `LimitError` for more machines than a reader takes.
        """
        number = len(self._machines)
        _limit("machines of a stream", number + 1, limits.MACHINES_PER_CONNECTION_MAX)
        tx_prefix = cut_text(tx_prefix)
        self._emit(
            MachineMessage(
                number,
                cut_text(id),
                schema,
                cut_text(parent),
                cut_texts(tags, limits.TAGS_MAX),
                ticks or (0,) * self._states[schema],
                row,
                tx_prefix,
            )
        )
        self._machines.append(_Machine(schema, row, tx_prefix))
        if tx_prefix:
            self._numbers[id, tx_prefix] = number
        return number

    def schema_changed(self, machine: int, schema: int, ticks: tuple[int, ...]) -> None:
        """From now on the machine has another schema and these ticks."""
        known = self._finished(machine)
        known.schema = schema
        self._emit(SchemaChangedMessage(machine, schema, ticks))

    def transition(self, machine: int, occurrence: Occurrence) -> None:
        """Add a transition; see `record`."""
        o = occurrence
        self.record(
            machine,
            o.shape,
            o.time_ns,
            o.duration_ns,
            o.queue_len,
            o.lines,
            o.pre_lines,
            o.source,
            o.args,
            o.handler_ns,
            o.id,
        )

    def record(
        self,
        machine: int,
        shape: Shape,
        time_ns: int,
        duration_ns: int = 0,
        queue_len: int = 0,
        lines: Lines = (),
        pre_lines: Lines = (),
        source: Source | None = None,
        args: Args = (),
        handler_ns: tuple[int, ...] = (),
        id: str = "",
    ) -> None:
        """Add a transition without making an `Occurrence`.

        A shape given again as the same object is found by identity; that is the fast way.
        """
        dictionary = self._dictionary
        if dictionary.full or self._segment_rows >= self._segment_rows_max:
            self._begin_segment()
        into = self._machines[machine]
        if into is None:
            raise ValueError(f"machine {machine} is gone")
        at = len(into.shapes)
        if not at:
            self._open[machine] = into
        into.shapes.append(dictionary.shape(into.schema, shape))
        into.times.append(time_ns)
        into.durations.append(duration_ns)
        into.queues.append(queue_len)
        into.lines.append(dictionary.lines(lines))
        self._segment_rows += 1
        if pre_lines or source or args or handler_ns or id:
            self._record_rest(into, at, pre_lines, source, args, handler_ns, id)
        if at + 1 >= self._batch_rows or into.weight > limits.BATCH_BYTES_MAX:
            self._finish(machine, into)

    def _record_rest(
        self,
        into: _Machine,
        at: int,
        pre_lines: Lines,
        source: Source | None,
        args: Args,
        handler_ns: tuple[int, ...],
        id: str,
    ) -> None:
        """The columns that are mostly empty; their size decides when a batch is full."""
        string = self._dictionary.string
        if pre_lines:
            into.pre_lines[at] = self._dictionary.lines(pre_lines)
        if source is not None:
            self._record_source(into, at, source)
        if args:
            into.args[at] = tuple([(string(k), string(v)) for k, v in cut_args(args)])
            into.weight += 6 * len(args)
            self._dictionary.defined()
        if handler_ns:
            into.handlers[at] = handler_ns[: limits.HANDLERS_MAX]
            into.weight += 5 * len(handler_ns)
        if id and id != join_tx(into.tx_prefix, into.row + at + 1):
            into.ids[at] = cut_text(id)
            into.weight += len(id)

    def _record_source(self, into: _Machine, at: int, source: Source) -> None:
        """By numbers when it is a machine of the stream."""
        prefix, number = split_tx(source.tx)
        linked = self._numbers.get((source.machine, prefix)) if number else None
        if linked is not None:
            into.links[at] = (linked, number, source.time)
            into.weight += 8
            return
        machine, tx = cut_text(source.machine), cut_text(source.tx)
        into.sources[at] = Source(machine, tx, source.time)
        into.weight += len(machine) + len(tx)

    def dropped(self, machine: int, count: int, ticks: tuple[int, ...], reason: str = "") -> None:
        """`count` transitions of the machine are missing here; it stands at `ticks` now."""
        self._finished(machine).row += count
        self._emit(DroppedMessage(machine, count, ticks, cut_text(reason)))

    def gone(self, machine: int) -> None:
        """The machine was disposed; its number is not used again."""
        self._finished(machine)
        self._machines[machine] = None
        self._emit(GoneMessage(machine))

    def flush(self) -> None:
        """Send the batches that are not full."""
        self._dictionary.define()
        for machine, known in self._open.items():
            self._emit(known.batch(machine))
        self._open.clear()

    def _finish(self, machine: int, known: _Machine) -> None:
        self._dictionary.define()
        self._emit(known.batch(machine))
        del self._open[machine]

    def _finished(self, machine: int) -> _Machine:
        """The machine, with nothing left in its batch."""
        known = self._machines[machine]
        if known is None:
            raise ValueError(f"machine {machine} is gone")
        if known.shapes:
            self._finish(machine, known)
        return known

    def _begin_segment(self) -> None:
        self.flush()
        if self._dictionary.full:
            self._dictionary.grow(self._segment_rows)
        self._dictionary.clear()
        self._segment_rows = 0
        self._emit(SegmentMessage())


def _limit(what: str, found: int, limit: int) -> None:
    if found > limit:
        raise LimitError(what, found, limit)
