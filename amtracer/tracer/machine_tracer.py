"""The tracer of one machine: what it records, and when.

Transitions. The plan of a transition, its number and its two times contain nearly all of it.
An event is longer if there is more: handlers, log lines, arguments, a source, or an outcome
other than the planned one. The first transition after the machine was bound or resumed
includes the ticks before it, and so does every 64th. From those the sender continues when
others were lost (see `amtracer.send.events`).

Snapshots. The sender also gets the present ticks of the machine: when it is attached, has
another schema, is paused or resumed. A snapshot in the middle of a transition has the ticks
before it, because the transition is recorded when it ends. No snapshot is sent of a machine
that is being disposed, nor while its schema changes; the tracer is notified right after the
change and sends a snapshot then.

Schemas. The states of a transition are those of the tracer's schema. Other threads may change
the schema of the machine, and a tracer is notified only while it is bound. So the schema is
read before a tracer is bound, and again afterwards.

Lines. Lines that are written between two transitions come with the next transition. An idle
machine has none, so the sender gets the list in which the lines wait and sends them itself if
no transition comes.

Pauses. Another tracer is bound in place of this one, without a hook for transitions, so the
machine runs as if it had no tracer. The new tracer is always bound before the old one is
detached; otherwise a submachine made in between would be missed.

Submachines get tracers of their own, for the same sender and with the same hooks, paused if
the parent is paused. A machine has at most one tracer for each sender.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import cast

import machine as am
from amtracer.send.events import (
    TICKS_MASK,
    GoneEvent,
    LateHandlerEvent,
    PausedEvent,
    RefusedEvent,
    ResumedEvent,
    SnapshotEvent,
    TracedSchema,
    TracerEvent,
    TransitionEvent,
    WaitingLines,
    WaitingLinesEvent,
)
from amtracer.send.registry import after_fork
from amtracer.send.sender import Sender
from amtracer.tracer.copies import changes_of, machine_of, source_of, states_of
from amtracer.tracer.open_work import read_open_work
from amtracer.tracer.redaction_hooks import RedactionHooks
from amtracer.tracer.traced_machines import traced_machines

NS_PER_S = 1_000_000_000


class MachineTracer(am.Tracer):
    """Passes the transitions of one machine to one sender.

    `parent` is the tracer of the parent machine, None for a machine that was attached
    directly. `stand_in` is bound in its place while it is paused.
    """

    def __init__(
        self,
        mach: am.Machine,
        sender: Sender,
        hooks: RedactionHooks | None = None,
        parent: MachineTracer | None = None,
    ) -> None:
        self.sender = sender
        self.parent = parent
        self.stand_in: PausedTracer | None = None
        self._append = sender.append
        self._ticks_mask = 0
        self._machine = machine_of(mach)
        self._machine.queue_refused = mach.queue_refused
        self._schema = TracedSchema(self._machine, ())
        self.use(hooks or RedactionHooks())
        sender.open_work_reader = read_open_work
        traced_machines.add(mach, self._machine, sender)

    def use(self, hooks: RedactionHooks) -> None:
        """Use these hooks from now on."""
        self.hooks = hooks
        self._machine.redact = hooks.redact

    # Called by the machine, on its own thread.

    def inheritable(self) -> bool:
        return True

    def new_submachine(self, parent: am.Machine, machine: am.Machine) -> None:
        bind(machine, self.sender, self.hooks, self)

    def verify_states(self, machine: am.Machine) -> None:
        self.send_snapshot(machine)

    def struct_change(self, machine: am.Machine, old_struct: Mapping[str, am.State]) -> None:
        self.send_snapshot(machine)

    def lines_waiting(self, machine: am.Machine, lines: Sequence[am.LogEntry]) -> None:
        self._queue_waiting_lines(lines)

    def machine_dispose(self, machine_id: str) -> None:
        traced_machines.remove(self._machine)
        self._queue(GoneEvent(self._machine))

    def mutation_refused(self, machine: am.Machine, mutation: am.Mutation) -> None:
        """Queue one event for any number of refusals, so that they do not displace transitions."""
        traced = self._machine
        traced.queue_refused = machine.queue_refused
        if not traced.refusals_pending:
            traced.refusals_pending = True
            self._queue(RefusedEvent(traced))

    def handler_late(self, tx: am.Transition, handler: str, place: str) -> None:
        limit_ns = int((tx.machine.handler_timeout or 0) * NS_PER_S)
        self._queue(LateHandlerEvent(self._machine, tx.number - 1, handler, place, limit_ns))

    def transition_end(self, tx: am.Transition) -> None:
        if tx.is_plain and tx.number & self._ticks_mask:
            self._append((self._schema, tx.plan, tx.number, tx.started_ns, tx.ended_ns))
        else:
            self._append(self._full_event(tx))
        if self.sender.asleep:
            self.sender.wake()

    def _full_event(self, tx: am.Transition) -> TransitionEvent:
        """The event of a transition that is not plain."""
        plan, args, source, handler_ns = tx.plan, tx.args(), tx.source, tx.handler_ns
        has_args = type(args) is not dict or args  # `bool` of a subclass could run its code
        planned = tx.accepted is plan.accepted and tx.verdict is plan and not tx.is_check
        has_ticks = not tx.number & self._ticks_mask
        self._ticks_mask = TICKS_MASK
        return (
            self._schema,
            plan,
            tx.number,
            tx.started_ns,
            tx.ended_ns,
            tx.handler_steps if handler_ns else (),
            handler_ns,
            tx.log_entries,
            tx.pre_log_entries,
            tx.queue_len,
            None if source is None else source_of(source),
            None if planned else (tx.accepted, tx.is_check, changes_of(tx)),
            tx.time_before if has_ticks else None,
            *(chain(*self.hooks.texts(self._machine.id, args)) if has_args else ()),
        )

    # Called by other modules, on any thread.

    def send_snapshot(self, mach: am.Machine, *, deferred: bool = False) -> None:
        """Send the present ticks of the machine, with its schema if that has changed."""
        self._queue(self._snapshot(mach, SnapshotEvent, deferred=deferred))

    def send_changed_schema(self, mach: am.Machine) -> None:
        """Send a snapshot if another thread changed the schema since the last one."""
        if states_of(mach) != self._schema.states:
            self.send_snapshot(mach)

    def pause(self, mach: am.Machine) -> None:
        """Bind a stand-in that records no transition; a second call changes nothing."""
        if self.stand_in is None:
            self.stand_in = PausedTracer(self)
            mach.bind_tracer(self.stand_in)
            mach.detach_tracer(self)
            self._queue(self._snapshot(mach, PausedEvent))

    def bind_paused(self, mach: am.Machine) -> None:
        """Begin paused: nothing of the machine is sent before it is resumed."""
        self.stand_in = PausedTracer(self, self._snapshot(mach, PausedEvent))
        mach.bind_tracer(self.stand_in)

    def resume(self, mach: am.Machine) -> None:
        """Bind this tracer again; the first transition includes the ticks before it.

        That transition may come before the `ResumedEvent`, so the schema is read first.
        """
        stand_in, self.stand_in = self.stand_in, None
        if stand_in is not None:
            self._queue(stand_in.unsent)
            self._read_schema(mach)
            self._ticks_mask = 0
            mach.bind_tracer(self)
            mach.detach_tracer(stand_in)
            self._queue(self._snapshot(mach, ResumedEvent))
            self.send_waiting_lines(mach)

    def _snapshot(
        self, mach: am.Machine, kind: type[SnapshotEvent], *, deferred: bool = False
    ) -> SnapshotEvent | None:
        """The present ticks of the machine; None while its schema is changing."""
        self._read_schema(mach)
        running = mach.transition()
        if running is None or running.completed:
            ticks, row = mach.time(), mach.tx_number
        else:
            ticks, row = running.time_before, running.number - 1
        if len(ticks) != len(self._schema.states):
            return None
        return kind(self._schema, ticks, row, deferred=deferred)

    def _read_schema(self, mach: am.Machine) -> None:
        states = states_of(mach)
        if states != self._schema.states:
            self._schema = TracedSchema(self._machine, states)

    def send_waiting_lines(self, mach: am.Machine) -> None:
        """Send the lines that already wait, for which no hook was called."""
        self._queue_waiting_lines(mach.waiting_lines())

    def _queue_waiting_lines(self, lines: Sequence[am.LogEntry]) -> None:
        """Pass lines that wait for a transition to the sender."""
        if lines:
            self._queue(WaitingLinesEvent(self._schema, cast(WaitingLines, lines)))

    def _queue(self, event: TracerEvent | None) -> None:
        """Append an event; a deferred snapshot wakes nobody."""
        if event is None:
            return
        self._append(event)
        if self.sender.asleep and not (type(event) is SnapshotEvent and event.is_deferred):
            self.sender.wake()


class PausedTracer(am.Tracer):
    """Stands in for a tracer that is paused.

    It has no hook for transitions, so the machine only counts them. `unsent` is the snapshot of
    a machine that was attached in a pause; it is sent when the pause ends.
    """

    def __init__(self, tracer: MachineTracer, unsent: SnapshotEvent | None = None) -> None:
        self.tracer = tracer
        self.unsent = unsent

    def inheritable(self) -> bool:
        return True

    def new_submachine(self, parent: am.Machine, machine: am.Machine) -> None:
        self.tracer.new_submachine(parent, machine)

    def mutation_refused(self, machine: am.Machine, mutation: am.Mutation) -> None:
        """Only count: the number is sent after the pause."""
        self.tracer._machine.queue_refused = machine.queue_refused

    def machine_dispose(self, machine_id: str) -> None:
        self.tracer.machine_dispose(machine_id)


def tracers_of(mach: am.Machine) -> Iterator[MachineTracer]:
    """The tracers of this module that are bound to a machine, paused or not."""
    for bound in mach.tracers():
        if type(bound) is MachineTracer:  # `isinstance` could run the program's code
            yield bound
        elif type(bound) is PausedTracer:
            yield bound.tracer


def bind(
    mach: am.Machine, sender: Sender, hooks: RedactionHooks, parent: MachineTracer | None = None
) -> None:
    """Record a machine by a sender; if it already is, only replace the hooks."""
    with traced_machines.lock:
        for bound in tracers_of(mach):
            if bound.sender is sender:
                bound.use(hooks.or_else(bound.hooks))
                return
        tracer = MachineTracer(mach, sender, hooks, parent)
        if traced_machines.all_paused if parent is None else parent.stand_in is not None:
            tracer.bind_paused(mach)
        else:
            tracer.send_snapshot(mach)
            mach.bind_tracer(tracer)
            tracer.send_changed_schema(mach)
            tracer.send_waiting_lines(mach)


def _continue_in_child() -> None:
    """In a forked child: continue each machine at its present ticks when it does something."""
    traced_machines.restart_in_child()
    for mach in traced_machines.machines():
        for tracer in tracers_of(mach):
            if tracer.stand_in is None:
                tracer.send_snapshot(mach, deferred=True)


after_fork.append(_continue_in_child)
