"""Writes the events of machines to a stream and keeps what is needed to continue each machine.

For each machine a recording knows how many transitions were sent and at which ticks the
machine stands. So a stream can begin again at any moment, after a reconnect for example, with
every machine where it is; and missing numbers are reported as so many lost transitions.

A stream has numbers for a limited count of machines, gone ones included. When they are used
up, sending raises `StreamFullError`; the event is to be sent again in the next stream. If
nearly as many machines live as a stream has numbers, it begins with half of them, and the
others come when they do something, so that there always is room for new ones.
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
    Event,
    Gone,
    Late,
    Line,
    Open,
    Paused,
    Refused,
    Resumed,
    Seen,
    Step,
    TracedMachine,
    TracedSchema,
    TransitionEvent,
    Waiting,
    Work,
)
from amtracer.send.shapes import Shapes
from amtracer.wire import limits
from amtracer.wire.messages import HelloMessage, Message, OpenWork, Shape, Source
from amtracer.wire.vocabulary import TroubleKind

ID_PREFIX_CHARS = 5
LOST = "the tracer's queue was full"
PAUSED = "paused"
UNWATCHED = "nobody watched"
UNIT_NS = 1_000
"""Times are sent in microseconds. Hardly two transitions of a thread begin within one, and those
that do keep their order, as moments are rounded down; a duration of less is that of the tracing."""


class Recording:
    """The machines of one destination; the sender thread only.

    `refused` is called with the reason why a machine cannot be sent at all, for the user.
    """

    def __init__(self, wall_minus_mono_ns: int, refused: Callable[[str], None]) -> None:
        self._offset_ns = wall_minus_mono_ns
        self._refused = refused
        self._machines: dict[TracedMachine, None] = {}
        self._shapes = Shapes()
        self._known_shape = self._shapes.known
        self._stream: StreamWriter | None = None
        self._waiting: dict[TracedMachine, None] = {}
        self._finished = False

    def begin(self, emit: Callable[[Message], None], hello: HelloMessage) -> None:
        """Begin a stream with every machine where it stands."""
        self.end()
        self._stream = stream = StreamWriter(emit, hello)
        self._finished = False
        most = limits.MACHINES_PER_CONNECTION_MAX
        room = most if len(self._machines) <= most - most // 10 else most // 2
        for machine in list(self._machines):
            if stream.machines < room:
                self._introduce(machine)
            else:
                machine.quiet = True

    def end(self) -> None:
        """The stream is over, whole or not; what comes now is counted, not sent."""
        self._stream = None
        for machine in self._machines:
            machine.number = -1
            machine.waiting_told = 0
            machine.open, machine.open_more = (), 0

    def finish(self) -> None:
        """The stream ends in order: a pause that did not end is sent, without a count."""
        stream = self._stream
        if stream is None or self._finished:
            return
        self._finished = True
        for machine in self._machines:
            if machine.paused and machine.number >= 0 and machine.ticks is not None:
                stream.dropped(machine.number, 0, tuple(machine.ticks), PAUSED)

    def flush(self) -> None:
        """Send what is gathered."""
        if self._stream is not None:
            self._stream.flush()

    def forget(self) -> None:
        """Nothing is known of any machine until it sends something; for a forked child."""
        self.end()
        self._waiting.clear()
        for machine in self._machines:
            machine.ticks = None
            machine.refusals_wait = False
            machine.waiting = None
            machine.open_since = {}

    def take(self, event: Event) -> None:
        """Send one event, or without a stream only note what it changes."""
        if type(event) is tuple:
            self._take_transition(event)
        elif isinstance(event, Gone):
            self._take_gone(event.machine)
        elif isinstance(event, Refused):
            self._take_refused(event.machine)
        elif isinstance(event, Late):
            self._take_late(event)
        elif isinstance(event, Waiting):
            self._take_waiting(event)
        elif isinstance(event, Open):
            self._take_open(event)
        else:
            assert isinstance(event, Seen)
            self._take_seen(event)

    def _take_transition(self, event: TransitionEvent) -> None:
        is_plain = len(event) == PLAIN_LENGTH
        schema, plan, number, started_ns, ended_ns = event if is_plain else event[:PLAIN_LENGTH]
        told_ticks = None if is_plain else event[TICKS]
        machine = schema.machine
        if machine.schema is not schema or machine.row + 1 != number or machine.ticks is None:
            if not self._caught_up(schema, number, told_ticks):
                return
        elif told_ticks is not None:
            self._compare(machine, told_ticks)
            machine.paused = False
        if is_plain:
            shape = self._known_shape(plan) or self._shapes.planned(plan)
        else:
            shape = self._shapes.of(plan, event[STEPS], event[OUTCOME])
        if machine.quiet:
            machine.quiet = False
            self._introduce(machine)
        if machine.number >= 0:
            self._record(machine, shape, started_ns, ended_ns, event)
            if not is_plain and event[OUTCOME] is not None:  # what fails goes not as planned
                self._tell_raised(machine, number - 1, shape, event[STEPS])
        machine.row = number
        ticks = machine.ticks
        assert ticks is not None  # it was caught up
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
            _bare(lines, machine) if lines else (),
            _bare(pre_lines, machine) if pre_lines else (),
            source if source is None else Source(source.mach_id, source.tx_id, source.mach_time),
            args,
            tuple(handler_ns),
        )

    def _tell_raised(
        self, machine: TracedMachine, row: int, shape: Shape, steps: Sequence[Step]
    ) -> None:
        """Where the handlers of a transition raised."""
        before = len(shape.steps) - len(steps)
        for at, step in enumerate(steps, before):
            if step.raised_at and at < limits.STEPS_MAX:
                self._trouble(machine, row, TroubleKind.RAISED, "", step.raised_at, step=at)

    def _take_late(self, event: Late) -> None:
        machine = event.machine
        if machine.quiet:
            machine.quiet = False
            self._introduce(machine)
        late = TroubleKind.LATE
        self._trouble(machine, event.row, late, event.handler, event.place, event.duration_ns)

    def _trouble(
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

    def _take_refused(self, machine: TracedMachine) -> None:
        """Down first, so that what is refused from now on is reported again."""
        machine.refusals_wait = False
        self._tell_refused(machine)

    def _tell_refused(self, machine: TracedMachine) -> None:
        count = machine.queue_refused
        if machine.number >= 0 and self._stream is not None and count != machine.refused_told:
            machine.refused_told = count
            self._stream.refused(machine.number, machine.row, count)

    def _caught_up(
        self, schema: TracedSchema, number: int, told_ticks: Sequence[int] | None
    ) -> bool:
        """Go on after something that was not sent; False until a transition includes its ticks.

        A transition that was counted before it came says that the machine was looked at
        while it changed, so where it stands is not known either.
        """
        machine = schema.machine
        if machine.gone or machine.refused:
            return False
        if told_ticks is None or number <= machine.row:
            machine.ticks = None
            return False
        self._go_on(schema, number - 1, told_ticks, PAUSED if machine.paused else LOST)
        machine.paused = False
        return not machine.refused

    def _compare(self, machine: TracedMachine, told_ticks: Sequence[int]) -> None:
        """Send what happened while nobody watched as a gap without transitions."""
        if machine.ticks != told_ticks and machine.schema is not None:
            why = PAUSED if machine.paused else UNWATCHED
            self._go_on(machine.schema, machine.row, told_ticks, why)

    def _take_seen(self, event: Seen) -> None:
        machine = event.schema.machine
        if machine.gone or machine.refused:
            return
        if type(event) is Resumed and not machine.paused and event.row <= machine.row:
            return  # a transition has sent it, and better
        if machine.number < 0:
            machine.quiet = event.quiet
        if event.row >= machine.row:
            why = PAUSED if machine.paused else LOST
            self._go_on(event.schema, event.row, event.ticks, why)
        if type(event) is not Seen:
            machine.paused = type(event) is Paused

    def _go_on(self, schema: TracedSchema, row: int, ticks: Sequence[int], why_lost: str) -> None:
        """From here on the machine has this schema, made `row` transitions, has these ticks."""
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
            self._introduce(machine)
            return
        if changed:
            try:
                number = stream.schema(schema.states)
            except StreamFullError:
                raise
            except WireError as error:
                self._refuse(machine, error)
                return
            stream.schema_changed(machine.number, number, tuple(ticks))
        if lost or (jumped and not changed):
            stream.dropped(machine.number, lost, tuple(ticks), why_lost)

    @property
    def has_waiting(self) -> bool:
        """Whether there are lines that no transition took so far."""
        return bool(self._waiting)

    def tell_waiting(self) -> None:
        """Send lines that wait for a transition, as far as they were not sent before."""
        for machine in list(self._waiting):
            self._tell_waiting(machine)

    def _take_waiting(self, event: Waiting) -> None:
        machine = event.schema.machine
        if machine.gone or machine.refused:
            return
        if machine.quiet:
            machine.quiet = False
            self._introduce(machine)
        machine.waiting, machine.waiting_told = event.lines, 0
        self._waiting[machine] = None

    def _tell_waiting(self, machine: TracedMachine) -> None:
        lines = machine.waiting
        if lines is None or lines.taken:  # its transition sends them
            machine.waiting = None
            del self._waiting[machine]
            return
        if machine.number < 0 or machine.paused or self._stream is None:
            return
        gone, kept = lines.missing, list(lines)
        told = max(0, machine.waiting_told - gone)
        missing = max(0, gone - machine.waiting_told)
        if told < len(kept):
            self._stream.later_lines(machine.number, _bare(kept[told:], machine), missing)
            machine.waiting_told = gone + len(kept)

    def _take_open(self, event: Open) -> None:
        """Send what is open, if that differs from what was sent."""
        machine = event.machine
        if machine.gone or machine.refused or machine.paused:
            return
        before, stands = machine.open_since, sum(machine.ticks or ())
        machine.open_since = {one.key: before.get(one.key, stands) for one in event.work}
        shown = [one for one in event.work if event.last or one.key in before]
        told = tuple([self._open_work(one, machine.open_since[one.key]) for one in shown])
        is_new = (told, event.more) != (machine.open, machine.open_more)
        if is_new and machine.number >= 0 and self._stream is not None:
            self._stream.open_work(machine.number, told, event.more)
            machine.open, machine.open_more = told, event.more

    def _open_work(self, one: Work, since: int) -> OpenWork:
        deadline = int(one.deadline * 1e9) + self._offset_ns if one.deadline else 0
        return OpenWork(
            one.kind,
            name_text(" ".join(map(name_text, one.names))),
            name_text(one.condition),
            since,
            max(0, deadline // UNIT_NS),
        )

    def _take_gone(self, machine: TracedMachine) -> None:
        if machine in self._waiting:
            self._tell_waiting(machine)
            self._waiting.pop(machine, None)
            machine.waiting = None
        machine.gone = True
        self._machines.pop(machine, None)
        if machine.number >= 0 and self._stream is not None:
            self._stream.gone(machine.number)
        machine.number = -1

    def _introduce(self, machine: TracedMachine) -> None:
        """Send a machine to a stream; one that no reader would take is never tried again."""
        stream, schema = self._stream, machine.schema
        if stream is None or schema is None or machine.ticks is None or machine.quiet:
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
            self._refuse(machine, error)
        machine.refused_told = 0
        self._tell_refused(machine)

    def _refuse(self, machine: TracedMachine, error: WireError) -> None:
        machine.refused = True
        machine.number = -1
        self._machines.pop(machine, None)
        self._refused(f"machine {machine.id!r} cannot be traced: {error}")


def _bare(lines: Iterable[Line], machine: TracedMachine) -> tuple[tuple[int, str], ...]:
    """Levels and texts to be shown, without the id that a machine puts before its lines.

    A reader knows the machine, and the same line of many machines is sent once.
    """
    prefix = f"[{machine.id[:ID_PREFIX_CHARS]}] "
    bare = [(_level(line), name_text(line.text).removeprefix(prefix)) for line in lines]
    redact = machine.redact
    if redact is not None:
        bare = [(level, redact(text)) for level, text in bare]
    return tuple(bare)


def _level(line: Line) -> int:
    """Its level, as far as there are levels: a program may log at any number."""
    return min(max(int(line.level), 0), limits.SMALL_MAX)
