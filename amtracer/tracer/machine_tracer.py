"""The tracer of one machine: what it records, and at which moments.

Transitions. The plan of a transition, its number and its two times say nearly all of it.
An event is longer where they do not: handlers, log lines, arguments, source, an outcome that
is not the planned one. The first transition after the machine was bound or resumed includes
its ticks of before, and so does every 64th; from there the sender goes on when others were
lost (see `amtracer.send.events`).

Looks. Apart from transitions the sender gets the present state of the machine: when it is
attached, has another schema, is paused or resumed. In the middle of a transition that is the
state from before it, as the transition is recorded when it ends. A look at a machine that is
just disposed records nothing; nor does a look while it gets another schema, as the tracer is
notified of that right afterwards and looks again.

Schemas. The states of a transition are those of the tracer's schema. Other threads may change
the schema of the machine, and a tracer is notified only once it is bound; so the schema is
read before a tracer is bound, and again afterwards.

Lines. Lines that are written between two transitions come with the next one. A machine that
stands still has no next one, so the sender is given the list in which they wait, and sends
them itself when no transition comes.

Pauses. Another tracer is bound in place of this one, without a hook of transitions; the
machine then carries them out as if it had no tracer. The new one is always bound before the
old one is detached, or a submachine made in between would be missed.

Submachines get tracers of their own, for the same sender and with the same hooks, paused
when the machine above is. A machine has at most one tracer for each sender.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import cast

import machine as am
from amtracer.send.events import (
    TICKS_MASK,
    Event,
    Gone,
    Late,
    Paused,
    Refused,
    Resumed,
    Seen,
    TracedSchema,
    TransitionEvent,
    Waiting,
    WaitingLines,
)
from amtracer.send.registry import after_fork
from amtracer.send.sender import Sender
from amtracer.tracer.copies import changes_of, machine_of, source_of, states_of
from amtracer.tracer.open_work import open_work
from amtracer.tracer.redaction_hooks import RedactionHooks
from amtracer.tracer.traced_machines import watched

NS = 1_000_000_000


class MachineTracer(am.Tracer):
    """Passes the transitions of one machine to one sender.

    `above` is the tracer of the parent for which this one was made, None for a machine that
    was attached itself. `stand_in` is bound in its place while it is paused.
    """

    def __init__(
        self,
        mach: am.Machine,
        sender: Sender,
        hooks: RedactionHooks | None = None,
        above: MachineTracer | None = None,
    ) -> None:
        self.sender = sender
        self.above = above
        self.stand_in: PausedTracer | None = None
        self._append = sender.append
        self._ticks_mask = 0
        self._machine = machine_of(mach)
        self._machine.queue_refused = mach.queue_refused
        self._schema = TracedSchema(self._machine, ())
        self.use(hooks or RedactionHooks())
        sender.looks = open_work
        watched.add(mach, self._machine, sender)

    def use(self, hooks: RedactionHooks) -> None:
        """Let these decide from now on what is shown."""
        self.hooks = hooks
        self._machine.redact = hooks.redact

    # What the machine calls, on its own thread.

    def inheritable(self) -> bool:
        return True

    def new_submachine(self, parent: am.Machine, machine: am.Machine) -> None:
        bind(machine, self.sender, self.hooks, self)

    def verify_states(self, machine: am.Machine) -> None:
        self.look_again(machine)

    def struct_change(self, machine: am.Machine, old_struct: Mapping[str, am.State]) -> None:
        self.look_again(machine)

    def lines_waiting(self, machine: am.Machine, lines: Sequence[am.LogEntry]) -> None:
        self._hand_on_lines(lines)

    def machine_dispose(self, machine_id: str) -> None:
        watched.remove(self._machine)
        self._hand_on(Gone(self._machine))

    def mutation_refused(self, machine: am.Machine, mutation: am.Mutation) -> None:
        """One event for any number of them; a flood would drive transitions out."""
        traced = self._machine
        traced.queue_refused = machine.queue_refused
        if not traced.refusals_wait:
            traced.refusals_wait = True
            self._hand_on(Refused(traced))

    def handler_late(self, tx: am.Transition, handler: str, place: str) -> None:
        limit_ns = int((tx.machine.handler_timeout or 0) * NS)
        self._hand_on(Late(self._machine, tx.number - 1, handler, place, limit_ns))

    def transition_end(self, tx: am.Transition) -> None:
        if tx.is_plain and tx.number & self._ticks_mask:
            self._append((self._schema, tx.plan, tx.number, tx.started_ns, tx.ended_ns))
        else:
            self._append(self._whole(tx))
        if self.sender.asleep:
            self.sender.wake()

    def _whole(self, tx: am.Transition) -> TransitionEvent:
        """The event of a transition that has more than most."""
        plan, args, source, handler_ns = tx.plan, tx.args(), tx.source, tx.handler_ns
        has_args = type(args) is not dict or args  # another class would be asked for it
        planned = tx.accepted is plan.accepted and tx.verdict is plan and not tx.is_check
        tells_ticks = not tx.number & self._ticks_mask
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
            tx.time_before if tells_ticks else None,
            *(chain(*self.hooks.texts(self._machine.id, args)) if has_args else ()),
        )

    # What others call, on any thread.

    def look_again(self, mach: am.Machine, *, quiet: bool = False) -> None:
        """Send where the machine stands, with its schema if that is another."""
        self._hand_on(self._seen(mach, Seen, quiet=quiet))

    def catch_up(self, mach: am.Machine) -> None:
        """Look again if another thread changed the schema since the last look."""
        if states_of(mach) != self._schema.states:
            self.look_again(mach)

    def pause(self, mach: am.Machine) -> None:
        """Bind a stand-in that records no transition; a second call changes nothing."""
        if self.stand_in is None:
            self.stand_in = PausedTracer(self)
            mach.bind_tracer(self.stand_in)
            mach.detach_tracer(self)
            self._hand_on(self._seen(mach, Paused))

    def begin_paused(self, mach: am.Machine) -> None:
        """Send nothing of the machine before it is resumed, not even that it is there."""
        self.stand_in = PausedTracer(self, self._seen(mach, Paused))
        mach.bind_tracer(self.stand_in)

    def resume(self, mach: am.Machine) -> None:
        """Take the place back; the first transition includes the ticks on which it builds.

        It may come before the event of the resumption, so it has to find the right schema.
        """
        stand_in, self.stand_in = self.stand_in, None
        if stand_in is not None:
            self._hand_on(stand_in.untold)
            self._look_at_schema(mach)
            self._ticks_mask = 0
            mach.bind_tracer(self)
            mach.detach_tracer(stand_in)
            self._hand_on(self._seen(mach, Resumed))
            self.wait_for_lines(mach)

    def _seen(self, mach: am.Machine, kind: type[Seen], *, quiet: bool = False) -> Seen | None:
        """Where the machine stands; None when it is just about to stand elsewhere."""
        self._look_at_schema(mach)
        running = mach.transition()
        if running is None or running.completed:
            ticks, row = mach.time(), mach.tx_number
        else:
            ticks, row = running.time_before, running.number - 1
        if len(ticks) != len(self._schema.states):
            return None
        return kind(self._schema, ticks, row, quiet=quiet)

    def _look_at_schema(self, mach: am.Machine) -> None:
        states = states_of(mach)
        if states != self._schema.states:
            self._schema = TracedSchema(self._machine, states)

    def wait_for_lines(self, mach: am.Machine) -> None:
        """Send lines that are there already, for which no hook was called."""
        self._hand_on_lines(mach.waiting_lines())

    def _hand_on_lines(self, lines: Sequence[am.LogEntry]) -> None:
        """Lines wait for a transition; the sender looks after them from now on."""
        if lines:
            self._hand_on(Waiting(self._schema, cast(WaitingLines, lines)))

    def _hand_on(self, event: Event | None) -> None:
        """Append it, if there is one; a quiet look waits for what comes next."""
        if event is None:
            return
        self._append(event)
        if self.sender.asleep and not (type(event) is Seen and event.quiet):
            self.sender.wake()


class PausedTracer(am.Tracer):
    """Stands in for a tracer that is paused.

    It has no hook of transitions, so the machine only counts them. `untold` is where the
    machine stood when it was attached in a pause, which is sent when the pause ends.
    """

    def __init__(self, tracer: MachineTracer, untold: Seen | None = None) -> None:
        self.tracer = tracer
        self.untold = untold

    def inheritable(self) -> bool:
        return True

    def new_submachine(self, parent: am.Machine, machine: am.Machine) -> None:
        self.tracer.new_submachine(parent, machine)

    def mutation_refused(self, machine: am.Machine, mutation: am.Mutation) -> None:
        """Only counted: it is sent with what comes after the pause."""
        self.tracer._machine.queue_refused = machine.queue_refused

    def machine_dispose(self, machine_id: str) -> None:
        self.tracer.machine_dispose(machine_id)


def tracers_of(mach: am.Machine) -> Iterator[MachineTracer]:
    """The tracers of this package that a machine has, paused or not."""
    for bound in mach.tracers():
        if type(bound) is MachineTracer:  # `isinstance` would ask those of the program
            yield bound
        elif type(bound) is PausedTracer:
            yield bound.tracer


def bind(
    mach: am.Machine, sender: Sender, hooks: RedactionHooks, above: MachineTracer | None = None
) -> None:
    """Have a machine recorded for a sender; if it already is, only the hooks count."""
    with watched.lock:
        for bound in tracers_of(mach):
            if bound.sender is sender:
                bound.use(hooks.over(bound.hooks))
                return
        tracer = MachineTracer(mach, sender, hooks, above)
        if watched.all_paused if above is None else above.stand_in is not None:
            tracer.begin_paused(mach)
        else:
            tracer.look_again(mach)
            mach.bind_tracer(tracer)
            tracer.catch_up(mach)
            tracer.wait_for_lines(mach)


def _go_on_in_child() -> None:
    """In a forked child: machines go on from where they stand, when they do something."""
    watched.reborn()
    for mach in watched.machines():
        for tracer in tracers_of(mach):
            if tracer.stand_in is None:
                tracer.look_again(mach, quiet=True)


after_fork.append(_go_on_in_child)
