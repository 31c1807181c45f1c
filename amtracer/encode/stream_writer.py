"""Turns transitions into messages: the sending half of the protocol.

The tracer, recordings, exports and the reader of Go programs use it. Transitions of many
machines may come mixed; within a machine they are sent in the order they came. Definitions are
sent before their first use; `DroppedMessage`, `SchemaChangedMessage`, `LeftMessage` and
`GoneMessage` are sent after the batch before them.

This module uses no clocks or sockets: the owner of the writer calls `flush` when a batch is
old enough. One thread at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from amtracer.encode.dictionary_writer import DictionaryWriter
from amtracer.encode.runs import OpenRun, batch_of
from amtracer.errors import LimitError
from amtracer.wire import limits
from amtracer.wire.messages import (
    DroppedMessage,
    GoneMessage,
    HelloMessage,
    LaterLinesMessage,
    LeftMessage,
    MachineMessage,
    Message,
    OpenWorkItem,
    OpenWorkMessage,
    RefusedMessage,
    SchemaChangedMessage,
    SchemaMessage,
    SegmentMessage,
    Shape,
    Source,
    StateDef,
    TroubleMessage,
)
from amtracer.wire.truncate import (
    Args,
    Lines,
    cut_states,
    cut_text,
    cut_texts,
    cut_work,
    with_missing_steps,
)
from amtracer.wire.vocabulary import GapKind, join_tx, split_tx


class StreamFullError(LimitError):
    """The stream has no numbers left for machines or schemas; a new stream has."""


_identity = id  # in `record`, `id` is the id of a transition


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
        self._session = hello.session
        self._batch_rows = batch_rows
        self._segment_rows_max = segment_rows
        self._segment_rows = 0
        self._begin_batch()
        self._schemas: dict[tuple[StateDef, ...], int] = {}
        self._machines: list[OpenRun | None] = []
        self._numbers: dict[tuple[str, str], int] = {}
        self._open: dict[int, OpenRun] = {}
        self._leaving: list[int] = []
        self._dictionary = DictionaryWriter(emit, dictionary_start)
        emit(hello)

    @property
    def machines(self) -> int:
        """How many machines the stream has, gone ones included."""
        return len(self._machines)

    def schema(self, states: tuple[StateDef, ...]) -> int:
        """The number of a schema, defined at its first use.

        Raises `LimitError` for more states than a reader takes, `StreamFullError` for more
        schemas.
        """
        number = self._schemas.get(states)
        if number is None:
            _limit("states of a schema", len(states), limits.STATES_MAX)
            _room("schemas of a stream", len(self._schemas) + 1, limits.SCHEMAS_MAX)
            number = len(self._schemas)
            self._emit(SchemaMessage(number, cut_states(states)))
            self._schemas[states] = number
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
        unit_ns: int = 1,
        program: str = "",
        process: str = "",
        pid: str = "",
        path_hash: str = "",
    ) -> int:
        """The number of a new machine; no ticks means all zero.

        Its times and durations are sent in whole units. Program, process, pid and path hash are
        sent if the stream is of another process. Raises `StreamFullError` for more machines than a
        reader takes.
        """
        number = len(self._machines)
        _room("machines of a stream", number + 1, limits.MACHINES_PER_CONNECTION_MAX)
        tx_prefix = cut_text(tx_prefix)
        is_own = not program or process == self._session
        self._emit(
            MachineMessage(
                number,
                cut_text(id),
                schema,
                cut_text(parent),
                cut_texts(tags, limits.TAGS_MAX),
                ticks if any(ticks) else (),
                row,
                tx_prefix,
                unit_ns,
                "" if is_own else cut_text(program),
                "" if is_own else cut_text(process),
                "" if is_own else cut_text(pid),
                "" if is_own else cut_text(path_hash),
            )
        )
        self._machines.append(OpenRun(schema, row, tx_prefix, unit_ns))
        if tx_prefix:
            self._numbers[id, tx_prefix] = number
        return number

    def schema_changed(self, machine: int, schema: int, ticks: tuple[int, ...]) -> None:
        """The machine has another schema and these ticks from now on."""
        run = self._finished(machine)
        run.schema = schema
        self._emit(SchemaChangedMessage(machine, schema, ticks))

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
        queue_tick: int = 0,
    ) -> None:
        """Add a transition of a machine.

        `lines` and `pre_lines` are pairs of level and text, `args` keys and texts in turns. `id`
        may be empty if it follows the rule of transition ids; a `queue_tick` of 0 is unknown.
        A shape that is given again as the same object is found by identity, which is faster.
        """
        dictionary = self._dictionary
        if dictionary.full or self._segment_over:
            self._begin_segment()
        into = self._machines[machine]
        if into is None:
            raise ValueError(f"machine {machine} is gone")
        at = len(into.shapes)
        if not at:
            self._open[machine] = into
        if len(shape.steps) > limits.STEPS_MAX:
            lines = with_missing_steps(lines, len(shape.steps))
        line_set = dictionary.lines(lines) if lines else 0
        number = dictionary.known.get((into.schema, _identity(shape)))
        if number is None:
            number = dictionary.shape(into.schema, shape, line_set)
        unit = into.unit
        into.shapes.append(number)
        into.times.append(time_ns // unit)
        into.durations.append(-(-duration_ns // unit))
        into.queues.append(queue_len)
        if line_set != dictionary.usual_lines[number]:
            into.lines[at] = line_set
            self._weight += 4
        if handler_ns or dictionary.calls[number]:
            self._record_calls(into, at, dictionary.calls[number], handler_ns)
        if pre_lines or source or args or id:
            self._record_rest(into, at, pre_lines, source, args, id)
        if queue_tick:
            into.queue_ticks[at] = queue_tick
        self._open_rows += 1
        if self._open_rows >= self._open_rows_max or self._weight > limits.BATCH_BYTES_MAX:
            self.flush()

    def _record_calls(
        self, into: OpenRun, at: int, calls: int, handler_ns: tuple[int, ...]
    ) -> None:
        """Record durations of handlers, rounded up, because 0 means unknown."""
        unit = into.unit
        durations = [-(-duration // unit) for duration in handler_ns]
        if len(durations) == calls:
            into.calls += durations
        else:
            into.own_calls[at] = tuple(durations[: limits.HANDLERS_MAX])
        self._weight += 3 * len(durations)

    def _record_rest(
        self,
        into: OpenRun,
        at: int,
        pre_lines: Lines,
        source: Source | None,
        args: Args,
        id: str,
    ) -> None:
        """Record the columns that are mostly empty."""
        if pre_lines:
            into.pre_lines[at] = self._dictionary.lines(pre_lines)
        if source is not None:
            self._record_source(into, at, source)
        if args:
            into.args[at] = self._dictionary.args(args)
        if id and id != join_tx(into.tx_prefix, into.row + at + 1):
            into.ids[at] = cut_text(id)
            self._weight += len(id)

    def _record_source(self, into: OpenRun, at: int, source: Source) -> None:
        """Record a source; by numbers if its machine is in the stream."""
        prefix, number = split_tx(source.tx)
        linked = self._numbers.get((source.machine, prefix)) if number else None
        if linked is not None:
            into.links[at] = (linked, number, source.time)
            self._weight += 8
            return
        machine, tx = cut_text(source.machine), cut_text(source.tx)
        into.sources[at] = Source(machine, tx, source.time)
        self._weight += len(machine) + len(tx)

    def dropped(
        self,
        machine: int,
        count: int,
        ticks: tuple[int, ...],
        reason: str = "",
        kind: GapKind = GapKind.DROPPED,
    ) -> None:
        """`count` transitions of the machine are missing here; its ticks are now `ticks`."""
        self._finished(machine).row += count
        self._emit(DroppedMessage(machine, count, ticks, cut_text(reason), kind))

    def left(self, machine: int, reason: str = "") -> None:
        """The machine's program ended, or the connection to it was lost; it may come back."""
        self._finished(machine)
        self._emit(LeftMessage(machine, cut_text(reason)))

    def refused(self, machine: int, row: int, count: int) -> None:
        """The machine's queue has refused `count` mutations, after `row` transitions."""
        self._emit(RefusedMessage(machine, row, min(count, limits.INTEGER_MAX)))

    def trouble(
        self,
        machine: int,
        row: int,
        what: int,
        handler: str,
        place: str,
        duration_ns: int = 0,
        step: int = 0,
    ) -> None:
        """A handler of a transition was late or raised; see `TroubleMessage`."""
        handler, place = cut_text(handler), cut_text(place)
        self._emit(TroubleMessage(machine, row, what, handler, place, duration_ns, step))

    def later_lines(self, machine: int, lines: Lines, missing: int = 0) -> None:
        """The machine wrote these lines after its last transition; see `LaterLinesMessage`."""
        if not lines:
            return
        self._finished(machine)
        if self._dictionary.full or self._segment_over:
            self._begin_segment()
        number = self._dictionary.lines(lines)
        self._dictionary.define()
        self._emit(LaterLinesMessage(machine, number - 1, missing))

    def open_work(
        self, machine: int, work: Sequence[OpenWorkItem], more: int = 0, before: int = 0
    ) -> None:
        """The open work of the machine, see `OpenWorkMessage`; items over a limit are counted."""
        self._finished(machine)
        shown = tuple(map(cut_work, work[: limits.OPEN_WORK_MAX]))
        self._emit(OpenWorkMessage(machine, shown, more + len(work) - len(shown), before))

    def gone(self, machine: int) -> None:
        """The machine was disposed; its number is not used again.

        The message is sent after the gathered batch, which other machines may still join.
        Otherwise a program whose machines live for one transition would send a batch for each.
        """
        if self._machine(machine).shapes:
            self._leaving.append(machine)
        else:
            self._emit(GoneMessage(machine))
        self._machines[machine] = None

    def flush(self) -> None:
        """Send the gathered definitions and transitions."""
        self._dictionary.define()
        if self._open:
            self._emit(batch_of(self._open))
            self._open.clear()
            for machine in self._leaving:
                self._emit(GoneMessage(machine))
            self._leaving.clear()
            self._segment_rows += self._open_rows
            self._begin_batch()

    def _begin_batch(self) -> None:
        self._open_rows = self._weight = 0
        room = self._segment_rows_max - self._segment_rows
        self._segment_over = room <= 0
        self._open_rows_max = min(self._batch_rows, room)

    def _finished(self, machine: int) -> OpenRun:
        """The run of the machine, after its transitions were sent."""
        run = self._machine(machine)
        if run.shapes:
            self.flush()
        return run

    def _machine(self, machine: int) -> OpenRun:
        run = self._machines[machine]
        if run is None:
            raise ValueError(f"machine {machine} is gone")
        return run

    def _begin_segment(self) -> None:
        self.flush()
        if self._dictionary.full:
            self._dictionary.grow(self._segment_rows)
        self._dictionary.clear()
        self._segment_rows = 0
        self._begin_batch()
        self._emit(SegmentMessage())


def _limit(what: str, found: int, limit: int) -> None:
    if found > limit:
        raise LimitError(what, found, limit)


def _room(what: str, found: int, limit: int) -> None:
    if found > limit:
        raise StreamFullError(what, found, limit)
