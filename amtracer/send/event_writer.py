"""Writes the events of machines to a stream and keeps what is needed to continue each machine.

For each machine an event writer keeps how many transitions were sent and its present ticks.
So a stream can begin at any moment, for example after a reconnect, with every machine at its
present ticks. If numbers of transitions are missing, it reports as many lost transitions.

A stream has numbers for a limited count of machines, gone ones included. When they are used
up, `write` raises `StreamFullError`; the caller writes the event again to the next stream. If
nearly as many machines live as a stream has numbers, the stream begins with half of them.
The others are deferred: they are sent when they do something, so that new machines have room.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from amtracer.encode.stream_writer import StreamFullError, StreamWriter
from amtracer.errors import WireError
from amtracer.safe_repr.arg_text import name_text
from amtracer.send.events import (
    ARGS,
    HANDLER_NS,
    OUTCOME,
    PLAIN_LENGTH,
    STEPS,
    TICKS,
    GoneEvent,
    LateHandlerEvent,
    LogLineLike,
    OpenWorkEvent,
    OpenWorkLike,
    PausedEvent,
    RefusedEvent,
    ResumedEvent,
    SnapshotEvent,
    StepLike,
    TracedMachine,
    TracedSchema,
    TracerEvent,
    TransitionEvent,
    WaitingLinesEvent,
)
from amtracer.send.shapes import Shapes
from amtracer.wire import limits
from amtracer.wire.messages import HelloMessage, Message, OpenWorkItem, Shape, Source
from amtracer.wire.truncate import Lines
from amtracer.wire.vocabulary import TroubleKind

ID_PREFIX_CHARS = 5
LOST = "the tracer's queue was full"
PAUSED = "paused"
UNTRACED = "nobody watched"
UNIT_NS = 1_000
"""Times are sent in microseconds. Two transitions of a thread hardly ever begin within one; if
they do, they keep their order, because times are rounded down."""


class EventWriter:
    """Writes the events of one destination's machines; used by the sender thread only.

    `warn` is called with the reason if a machine cannot be sent at all.
    """

    def __init__(self, wall_minus_mono_ns: int, warn: Callable[[str], None]) -> None:
        self._offset_ns = wall_minus_mono_ns
        self._warn = warn
        self._machines: dict[TracedMachine, None] = {}
        self._shapes = Shapes()
        self._known_shape = self._shapes.known
        self._stream: StreamWriter | None = None
        self._waiting: dict[TracedMachine, None] = {}
        self._finished = False

    def begin(self, emit: Callable[[Message], None], hello: HelloMessage) -> None:
        """Begin a stream with every machine at its present ticks."""
        self.end()
        self._stream = stream = StreamWriter(emit, hello)
        self._finished = False
        most = limits.MACHINES_PER_CONNECTION_MAX
        room = most if len(self._machines) <= most - most // 10 else most // 2
        for machine in list(self._machines):
            if stream.machines < room:
                self._write_machine(machine)
            else:
                machine.is_deferred = True

    def end(self) -> None:
        """End the stream, complete or not; from now on transitions are counted, not sent."""
        self._stream = None
        for machine in self._machines:
            machine.number = -1
            machine.lines_sent = 0
            machine.open_work, machine.open_work_more = (), 0

    def finish(self) -> None:
        """Write the pauses that did not end, without a count, before the stream ends in order."""
        stream = self._stream
        if stream is None or self._finished:
            return
        self._finished = True
        for machine in self._machines:
            if machine.paused and machine.number >= 0 and machine.ticks is not None:
                stream.dropped(machine.number, 0, tuple(machine.ticks), PAUSED)

    def flush(self) -> None:
        """Send the gathered messages."""
        if self._stream is not None:
            self._stream.flush()

    def forget(self) -> None:
        """Forget the ticks of all machines until each sends something; for a forked child."""
        self.end()
        self._waiting.clear()
        for machine in self._machines:
            machine.ticks = None
            machine.refusals_pending = False
            machine.waiting_lines = None
            machine.open_since = {}

    def write(self, event: TracerEvent) -> None:
        """Write one event; without a stream only keep what it changes."""
        if type(event) is tuple:
            self._write_transition(event)
        elif isinstance(event, GoneEvent):
            self._write_gone(event.machine)
        elif isinstance(event, RefusedEvent):
            event.machine.refusals_pending = False  # first: later refusals queue a new event
            self._write_refusals(event.machine)
        elif isinstance(event, LateHandlerEvent):
            self._write_late(event)
        elif isinstance(event, WaitingLinesEvent):
            self._keep_waiting_lines(event)
        elif isinstance(event, OpenWorkEvent):
            self._write_open_work(event)
        else:
            assert isinstance(event, SnapshotEvent)
            self._write_snapshot(event)

    def _write_transition(self, event: TransitionEvent) -> None:
        is_plain = len(event) == PLAIN_LENGTH
        schema, plan, number, started_ns, ended_ns = event if is_plain else event[:PLAIN_LENGTH]
        ticks_before = None if is_plain else event[TICKS]
        machine = schema.machine
        if machine.schema is not schema or machine.row + 1 != number or machine.ticks is None:
            if not self._has_caught_up(schema, number, ticks_before):
                return
        elif ticks_before is not None:
            self._check_ticks(machine, ticks_before)
            machine.paused = False
        if is_plain:
            shape = self._known_shape(plan) or self._shapes.planned(plan)
        else:
            shape = self._shapes.of(plan, event[STEPS], event[OUTCOME])
        if machine.is_deferred:
            self._end_deferral(machine)
        if machine.number >= 0:
            self._record(machine, shape, started_ns, ended_ns, event)
            if not is_plain and event[OUTCOME] is not None:  # only then can a handler have raised
                self._write_raised(machine, number - 1, shape, event[STEPS])
        machine.row = number
        ticks = machine.ticks
        assert ticks is not None  # `_has_caught_up` set them
        for state, growth in shape.changes:
            ticks[state] += growth if growth > 0 else -growth

    def _record(
        self,
        machine: TracedMachine,
        shape: Shape,
        started_ns: int,
        ended_ns: int,
        event: TransitionEvent,
    ) -> None:
        stream = self._stream
        assert stream is not None  # a machine has a number only in a stream
        if not started_ns:  # the tracer was bound while it ran
            started_ns = ended_ns
        time_ns, duration_ns = started_ns + self._offset_ns, ended_ns - started_ns
        if len(event) == PLAIN_LENGTH:
            stream.record(machine.number, shape, time_ns, duration_ns)
            return
        handler_ns, lines, pre_lines, queue_len, source = event[HANDLER_NS:OUTCOME]
        args = event[ARGS:]
        redact = machine.redact
        if redact is not None:
            args = tuple([redact(text) if at % 2 else text for at, text in enumerate(args)])
        stream.record(
            machine.number,
            shape,
            time_ns,
            duration_ns,
            queue_len,
            _shown_lines(lines, machine) if lines else (),
            _shown_lines(pre_lines, machine) if pre_lines else (),
            source if source is None else Source(source.mach_id, source.tx_id, source.mach_time),
            args,
            tuple(handler_ns),
        )

    def _write_raised(
        self, machine: TracedMachine, row: int, shape: Shape, steps: Sequence[StepLike]
    ) -> None:
        """Write where the handlers of a transition raised."""
        before = len(shape.steps) - len(steps)
        for at, step in enumerate(steps, before):
            if step.raised_at and at < limits.STEPS_MAX:
                self._write_trouble(machine, row, TroubleKind.RAISED, "", step.raised_at, step=at)

    def _write_late(self, event: LateHandlerEvent) -> None:
        machine, late = event.machine, TroubleKind.LATE
        self._end_deferral(machine)
        self._write_trouble(machine, event.row, late, event.handler, event.place, event.duration_ns)

    def _write_trouble(
        self,
        machine: TracedMachine,
        row: int,
        what: TroubleKind,
        handler: str,
        place: str,
        duration_ns: int = 0,
        step: int = 0,
    ) -> None:
        if machine.number < 0 or self._stream is None:
            return
        if machine.redact is not None:
            place = machine.redact(place)
        self._stream.trouble(machine.number, row, what, handler, place, duration_ns, step)

    def _write_refusals(self, machine: TracedMachine) -> None:
        count = machine.queue_refused
        if machine.number >= 0 and self._stream is not None and count != machine.refusals_sent:
            machine.refusals_sent = count
            self._stream.refused(machine.number, machine.row, count)

    def _has_caught_up(
        self, schema: TracedSchema, number: int, ticks_before: Sequence[int] | None
    ) -> bool:
        """Continue after lost transitions; False until a transition includes its ticks.

        If a snapshot already counted this transition, it was taken while the machine
        changed, so its ticks are not reliable either.
        """
        machine = schema.machine
        if machine.gone or machine.is_untraceable:
            return False
        if ticks_before is None or number <= machine.row:
            machine.ticks = None
            return False
        self._continue(schema, number - 1, ticks_before, PAUSED if machine.paused else LOST)
        machine.paused = False
        return not machine.is_untraceable

    def _check_ticks(self, machine: TracedMachine, ticks_before: Sequence[int]) -> None:
        """Write changes from outside of traced transitions as a gap without transitions."""
        if machine.ticks != ticks_before and machine.schema is not None:
            why = PAUSED if machine.paused else UNTRACED
            self._continue(machine.schema, machine.row, ticks_before, why)

    def _write_snapshot(self, event: SnapshotEvent) -> None:
        machine = event.schema.machine
        if machine.gone or machine.is_untraceable:
            return
        if type(event) is ResumedEvent and not machine.paused and event.row <= machine.row:
            return  # a transition after the pause has already included its ticks
        if machine.number < 0:
            machine.is_deferred = event.is_deferred
        if event.row >= machine.row:
            why = PAUSED if machine.paused else LOST
            self._continue(event.schema, event.row, event.ticks, why)
        if type(event) is not SnapshotEvent:
            machine.paused = type(event) is PausedEvent

    def _continue(self, schema: TracedSchema, row: int, ticks: Sequence[int], why: str) -> None:
        """Continue the machine with this schema and these ticks, after `row` transitions."""
        machine = schema.machine
        self._machines[machine] = None
        lost = row - machine.row
        jumped = bool(lost) or machine.ticks != ticks
        changed = machine.schema is not schema
        machine.schema = schema
        machine.row = row
        machine.ticks = list(ticks)
        stream = self._stream
        if machine.number < 0 or stream is None:
            self._write_machine(machine)
            return
        if changed:
            try:
                number = stream.schema(schema.states)
            except StreamFullError:
                raise
            except WireError as error:
                self._mark_untraceable(machine, error)
                return
            stream.schema_changed(machine.number, number, tuple(ticks))
        if lost or (jumped and not changed):
            stream.dropped(machine.number, lost, tuple(ticks), why)

    def write_waiting_lines(self) -> None:
        """Write the lines that wait for a transition and were not written before."""
        for machine in list(self._waiting):
            self._write_waiting_lines(machine)

    def _keep_waiting_lines(self, event: WaitingLinesEvent) -> None:
        machine = event.schema.machine
        if machine.gone or machine.is_untraceable:
            return
        self._end_deferral(machine)
        machine.waiting_lines, machine.lines_sent = event.lines, 0
        self._waiting[machine] = None

    def _write_waiting_lines(self, machine: TracedMachine) -> None:
        lines = machine.waiting_lines
        if lines is None or lines.taken:  # its transition sends them
            machine.waiting_lines = None
            del self._waiting[machine]
            return
        if machine.number < 0 or machine.paused or self._stream is None:
            return
        gone, kept = lines.missing, list(lines)
        sent = max(0, machine.lines_sent - gone)
        missing = max(0, gone - machine.lines_sent)
        if sent < len(kept):
            self._stream.later_lines(machine.number, _shown_lines(kept[sent:], machine), missing)
            machine.lines_sent = gone + len(kept)

    def _write_open_work(self, event: OpenWorkEvent) -> None:
        """Write the open work, if it differs from what was written before."""
        machine = event.machine
        if machine.gone or machine.is_untraceable or machine.paused:
            return
        before, now = machine.open_since, sum(machine.ticks or ())
        machine.open_since = {one.key: before.get(one.key, now) for one in event.work}
        shown = [one for one in event.work if event.last or one.key in before]
        work = tuple([self._open_work_of(one, machine.open_since[one.key]) for one in shown])
        is_new = (work, event.more) != (machine.open_work, machine.open_work_more)
        if is_new and machine.number >= 0 and self._stream is not None:
            self._stream.open_work(machine.number, work, event.more)
            machine.open_work, machine.open_work_more = work, event.more

    def _open_work_of(self, one: OpenWorkLike, since: int) -> OpenWorkItem:
        deadline = int(one.deadline * 1e9) + self._offset_ns if one.deadline else 0
        return OpenWorkItem(
            one.kind,
            name_text(" ".join(map(name_text, one.names))),
            name_text(one.condition),
            since,
            max(0, deadline // UNIT_NS),
        )

    def _write_gone(self, machine: TracedMachine) -> None:
        if machine in self._waiting:
            self._write_waiting_lines(machine)
            self._waiting.pop(machine, None)
            machine.waiting_lines = None
        machine.gone = True
        self._machines.pop(machine, None)
        if machine.number >= 0 and self._stream is not None:
            self._stream.gone(machine.number)
        machine.number = -1

    def _end_deferral(self, machine: TracedMachine) -> None:
        """Write a deferred machine, because it does something now."""
        if machine.is_deferred:
            machine.is_deferred = False
            self._write_machine(machine)

    def _write_machine(self, machine: TracedMachine) -> None:
        """Write a machine to the stream; one that readers would refuse is never tried again."""
        stream, schema = self._stream, machine.schema
        if stream is None or schema is None or machine.ticks is None or machine.is_deferred:
            return
        try:
            machine.number = stream.machine(
                machine.id,
                stream.schema(schema.states),
                parent=machine.parent,
                tags=machine.tags,
                ticks=tuple(machine.ticks),
                row=machine.row,
                tx_prefix=machine.tx_prefix,
                unit_ns=UNIT_NS,
            )
        except StreamFullError:
            raise
        except WireError as error:
            self._mark_untraceable(machine, error)
        machine.refusals_sent = 0
        self._write_refusals(machine)

    def _mark_untraceable(self, machine: TracedMachine, error: WireError) -> None:
        machine.is_untraceable = True
        machine.number = -1
        self._machines.pop(machine, None)
        self._warn(f"machine {machine.id!r} cannot be traced: {error}")


def _shown_lines(lines: Iterable[LogLineLike], machine: TracedMachine) -> Lines:
    """Levels and texts to be shown, without the id with which a machine begins its lines.

    The message already names the machine, and equal lines of many machines are sent once.
    """
    prefix = f"[{machine.id[:ID_PREFIX_CHARS]}] "
    bare = [(_level(line), name_text(line.text).removeprefix(prefix)) for line in lines]
    redact = machine.redact
    if redact is not None:
        bare = [(level, redact(text)) for level, text in bare]
    return tuple(bare)


def _level(line: LogLineLike) -> int:
    """The level within the range of the protocol: a program may log at any number."""
    return min(max(int(line.level), 0), limits.SMALL_MAX)
