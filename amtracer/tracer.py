"""A guest in somebody's program: watches machines and hands on what they did.

On the thread that runs the machine it appends one small tuple to a queue and does nothing
else; arguments become short texts there, since they may change afterwards. It keeps no
transition and no machine alive. A tracer belongs to one machine and one destination.

The public functions are in `amtracer`.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import machine as am
from amtracer.address import Address, peer_address
from amtracer.arg_text import arg_texts
from amtracer.atomic import PathLike
from amtracer.env import Destinations, destinations_from_env
from amtracer.events import (
    TICKS_MASK,
    Gone,
    Paused,
    Rest,
    Resumed,
    Seen,
    TracedMachine,
    TracedSchema,
)
from amtracer.healthcheck import STATE, health_checks
from amtracer.outlets import FileOutlet, SocketOutlet
from amtracer.process import after_fork, close_senders, sender_to
from amtracer.redacting import ArgsFilter, ArgsFiltering, Redact, Redacting
from amtracer.schema import StateDef
from amtracer.sender import Sender

__all__ = [
    "ArgsFilter",
    "MachineTracer",
    "PausedTracer",
    "Redact",
    "attach",
    "attach_from_env",
    "close",
    "dbg_env",
    "pause",
    "record",
    "resume",
]


@dataclass(frozen=True, slots=True)
class Hooks:
    """What the host gave to decide what is shown; None for all of it."""

    args_filter: ArgsFiltering | None = None
    redact: Redacting | None = None


def _hooks(args_filter: ArgsFilter | None, redact: Redact | None) -> Hooks:
    return Hooks(
        None if args_filter is None else ArgsFiltering(args_filter),
        None if redact is None else Redacting(redact),
    )


class MachineTracer(am.Tracer):
    """Hands the transitions of one machine to one sender.

    Submachines are traced along, to the same place. `above` is the tracer for which this
    one was made in that way, `stand_in` what is bound in its place while it is paused.
    """

    def __init__(
        self,
        mach: am.Machine,
        sender: Sender,
        hooks: Hooks | None = None,
        above: MachineTracer | None = None,
    ) -> None:
        self.sender = sender
        self.above = above
        self.stand_in: PausedTracer | None = None
        self._append = sender.append
        self._ticks_mask = 0
        self._machine = TracedMachine(mach.id, mach.parent_id, tuple(mach.tags), mach.tx_prefix)
        self._schema = TracedSchema(self._machine, ())
        self.use(hooks or Hooks())
        _watch(mach, self, self._machine)

    def use(self, hooks: Hooks) -> None:
        """Let these decide from now on what is shown."""
        self.hooks = hooks
        self._machine.redact = hooks.redact

    def inheritable(self) -> bool:
        return True

    def new_submachine(self, parent: am.Machine, machine: am.Machine) -> None:
        _bind(machine, self.sender, self.hooks, self)

    def verify_states(self, machine: am.Machine) -> None:
        self.look_again(machine)

    def struct_change(self, machine: am.Machine, old_struct: Mapping[str, am.State]) -> None:
        self.look_again(machine)

    def machine_dispose(self, machine_id: str) -> None:
        _watched.pop(self._machine, None)
        self._hand_on(Gone(self._machine))

    def transition_end(self, tx: am.Transition) -> None:
        """Hand on what the plan and the times do not tell only when there is something."""
        number = tx.number
        rest = None if tx.is_plain and number & self._ticks_mask else self._rest(tx)
        self._append((self._schema, tx.plan, number, tx.started_ns, tx.ended_ns, rest))
        if self.sender.asleep:
            self.sender.wake()

    def _rest(self, tx: am.Transition) -> Rest:
        plan, args, handler_ns = tx.plan, tx.args(), tx.handler_ns
        planned = tx.accepted is plan.accepted and tx.verdict is plan and not tx.is_check
        tells_ticks = not tx.number & self._ticks_mask
        self._ticks_mask = TICKS_MASK
        return (
            tx.handler_steps if handler_ns else (),
            handler_ns,
            tx.log_entries,
            tx.pre_log_entries,
            self._texts(args) if args else (),
            tx.queue_len,
            tx.source,
            None if planned else (tx.accepted, tx.is_check, _changes(tx)),
            tx.time_before if tells_ticks else None,
        )

    def _texts(self, args: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
        args_filter = self.hooks.args_filter
        if args_filter is not None:
            return args_filter.texts(self._machine.id, args)
        return arg_texts(args)

    def look_again(self, mach: am.Machine, *, quiet: bool = False) -> None:
        """Tell the sender where the machine stands, and its schema if that is another."""
        self._hand_on(self._seen(mach, Seen, quiet=quiet))

    def catch_up(self, mach: am.Machine) -> None:
        """Look again if another thread changed the schema since the last look."""
        if _states_of(mach) != self._schema.states:
            self.look_again(mach)

    def pause(self, mach: am.Machine) -> None:
        """Let another stand in, which is told of no transition; again is no matter."""
        if self.stand_in is None:
            self.stand_in = PausedTracer(self)
            mach.bind_tracer(self.stand_in)
            mach.detach_tracer(self)
            self._hand_on(self._seen(mach, Paused))

    def begin_paused(self, mach: am.Machine) -> None:
        """Nothing is told of the machine before it is resumed, not even that it is there."""
        self.stand_in = PausedTracer(self, self._seen(mach, Paused))
        mach.bind_tracer(self.stand_in)

    def resume(self, mach: am.Machine) -> None:
        """Take the place back; the first transition tells the ticks on which it builds.

        The schema is looked at before, or that transition would mean the states of another.
        """
        stand_in, self.stand_in = self.stand_in, None
        if stand_in is not None:
            self._hand_on(stand_in.untold)
            self._look_at_schema(mach)
            self._ticks_mask = 0
            mach.bind_tracer(self)
            mach.detach_tracer(stand_in)
            self._hand_on(self._seen(mach, Resumed))

    def _seen(self, mach: am.Machine, kind: type[Seen], *, quiet: bool = False) -> Seen | None:
        """Where the machine stands now; None when it is being disposed."""
        self._look_at_schema(mach)
        running = mach.transition()
        if running is None or running.completed:
            ticks, row = mach.time(), mach.tx_count
        else:
            ticks, row = running.time_before, running.number - 1
        if len(ticks) != len(self._schema.states):
            return None
        return kind(self._schema, ticks, row, quiet=quiet)

    def _look_at_schema(self, mach: am.Machine) -> None:
        states = _states_of(mach)
        if states != self._schema.states:
            self._schema = TracedSchema(self._machine, states)

    def _hand_on(self, event: Seen | Gone | None) -> None:
        if event is None:
            return
        self._append(event)
        if self.sender.asleep and not (type(event) is Seen and event.quiet):
            self.sender.wake()


class PausedTracer(am.Tracer):
    """Stands in for a tracer that is paused.

    It has no hook of transitions, so the machine carries them out as if nobody watched and
    only counts them. `untold` is where the machine stood when the tracer was made, unless
    that was told.
    """

    def __init__(self, tracer: MachineTracer, untold: Seen | None = None) -> None:
        self.tracer = tracer
        self.untold = untold

    def inheritable(self) -> bool:
        return True

    def new_submachine(self, parent: am.Machine, machine: am.Machine) -> None:
        self.tracer.new_submachine(parent, machine)

    def machine_dispose(self, machine_id: str) -> None:
        self.tracer.machine_dispose(machine_id)


def _changes(tx: am.Transition) -> tuple[tuple[int, int], ...]:
    """What really changed, signed as in a shape; denied before anything moved is nothing."""
    if not tx.accepted and not any(step.is_final for step in tx.handler_steps):
        return ()
    pairs = zip(tx.time_before, tx.time_after, strict=True)
    return tuple(
        (index, after - before if am.is_active_tick(after) else before - after)
        for index, (before, after) in enumerate(pairs)
        if before != after
    )


def _states_of(mach: am.Machine) -> tuple[StateDef, ...]:
    """The states of a machine in order, all of one schema, whatever other threads do."""
    return tuple(
        StateDef(
            name,
            state.auto,
            state.multi,
            state.require,
            state.add,
            state.remove,
            state.after,
            state.tags,
        )
        for name, state in mach.get_struct().items()
    )


_watched: dict[TracedMachine, weakref.ref[am.Machine]] = {}


def _watch(mach: am.Machine, tracer: MachineTracer, machine: TracedMachine) -> None:
    """Tell when a machine is collected that nobody disposed; the collector only appends."""
    append = tracer.sender.append

    def collected(_: object) -> None:
        _watched.pop(machine, None)
        append(Gone(machine))

    _watched[machine] = weakref.ref(mach, collected)


def _tracers_of(mach: am.Machine) -> Iterator[MachineTracer]:
    """Those of this package, paused or not."""
    for bound in mach.tracers():
        if isinstance(bound, MachineTracer):
            yield bound
        elif isinstance(bound, PausedTracer):
            yield bound.tracer


def _look_again_quietly() -> None:
    """In a forked child: machines go on from where they stand, when they do something."""
    global _binding  # noqa: PLW0603  # another thread may have held it at the fork
    _binding = threading.RLock()
    for mach in _machines():
        for tracer in _tracers_of(mach):
            if tracer.stand_in is None:
                tracer.look_again(mach, quiet=True)


after_fork.append(_look_again_quietly)
after_fork.append(health_checks.reborn)

_binding = threading.RLock()
"""Held to bind, pause and resume; two threads that attach one machine bind one tracer."""

_all_paused = False
"""Whether a machine that is attached is paused from its beginning."""


def _machines() -> set[am.Machine]:
    """All that are traced."""
    return {mach for ref in list(_watched.values()) if (mach := ref()) is not None}


def _bind(
    mach: am.Machine,
    sender: Sender,
    hooks: Hooks,
    above: MachineTracer | None = None,
) -> None:
    with _binding:
        for bound in _tracers_of(mach):
            if bound.sender is sender:
                _replace_hooks(bound, hooks)
                return
        tracer = MachineTracer(mach, sender, hooks, above)
        if _all_paused if above is None else above.stand_in is not None:
            tracer.begin_paused(mach)
        else:
            tracer.look_again(mach)
            mach.bind_tracer(tracer)
            tracer.catch_up(mach)


def _replace_hooks(tracer: MachineTracer, hooks: Hooks) -> None:
    """Those that are given; or what was to be hidden would be shown by whoever came first."""
    bound = tracer.hooks
    tracer.use(Hooks(hooks.args_filter or bound.args_filter, hooks.redact or bound.redact))


def pause(mach: am.Machine | None = None) -> None:
    """Stop telling what a machine and its submachines do, or all machines of the process.

    Meanwhile transitions are only counted. When it goes on, one gap tells how many there
    were. Submachines made meanwhile are paused too; without a machine also those that are
    attached later. The last call for a machine counts. Any thread, and handlers, may call it.
    """
    _switch(mach, paused=True)


def resume(mach: am.Machine | None = None) -> None:
    """Tell again what a machine and its submachines do, or all machines of the process."""
    _switch(mach, paused=False)


def _switch(mach: am.Machine | None, *, paused: bool) -> None:
    global _all_paused  # noqa: PLW0603  # it is of the process
    with _binding:
        if mach is None:
            _all_paused = paused
        top = None if mach is None else set(_tracers_of(mach))
        for one in _machines():
            for tracer in list(_tracers_of(one)):
                if top is None or _is_under(tracer, top):
                    (tracer.pause if paused else tracer.resume)(one)


def _is_under(tracer: MachineTracer | None, top: set[MachineTracer]) -> bool:
    """Whether it is one of these, or was made for a submachine of theirs."""
    while tracer is not None and tracer not in top:
        tracer = tracer.above
    return tracer is not None


def attach(
    mach: am.Machine,
    addr: str | Address | None = None,
    *,
    args_filter: ArgsFilter | None = None,
    redact: Redact | None = None,
) -> None:
    """Send what a machine does from now on to a debugger, its submachines' doings too.

    Without an address it goes where `AM_DBG_ADDR` and `AM_DBG_FILE` say, nowhere when
    neither is set. It returns at once, whether a debugger is there or not; again is no
    matter, but hooks that are given replace those before. Raises AddressError for an
    address that is none.

    `args_filter` chooses and changes the arguments that are shown, in the thread that runs
    the machine. `redact` makes the text that is shown of every log line and every argument,
    in the thread that sends. If one fails a fixed text is shown instead.
    """
    if addr is None:
        where = destinations_from_env()
        address, path = where.address, where.path
    else:
        address, path = (addr if isinstance(addr, Address) else peer_address(addr)), None
    hooks = _hooks(args_filter, redact)
    if address is not None:
        place = address
        _bind(mach, sender_to(f"tcp:{place}", lambda: SocketOutlet(place)), hooks)
    if path is not None:
        _bind_to_file(mach, path, hooks)


def record(
    mach: am.Machine,
    path: PathLike,
    *,
    args_filter: ArgsFilter | None = None,
    redact: Redact | None = None,
) -> None:
    """Record what a machine does from now on in a session file, its submachines' too.

    All machines recorded to one path share the file. It can be read while it grows and
    after a crash; `close` or the program's end makes it whole. For the hooks see `attach`.
    """
    _bind_to_file(mach, path, _hooks(args_filter, redact))


def _bind_to_file(mach: am.Machine, path: PathLike, hooks: Hooks) -> None:
    full = os.path.abspath(os.fsdecode(path))
    _bind(mach, sender_to(f"file:{full}", lambda: FileOutlet(full)), hooks)


def dbg_env(
    mach: am.Machine, *, args_filter: ArgsFilter | None = None, redact: Redact | None = None
) -> None:
    """Prepare a machine for debugging as the environment says.

    Attaches it (see `attach`) and sets its log level to `AM_LOG`, so that log lines reach
    the debugger; they are printed only with `AM_DEBUG=2`. With `AM_HEALTHCHECK` the state
    `Healthcheck`, if the machine has it, is added every few seconds. Under a test runner,
    which `AM_TEST_RUNNER` tells, it does nothing.
    """
    if os.environ.get("AM_TEST_RUNNER"):
        return
    attach(mach, args_filter=args_filter, redact=redact)
    level = am.log_level_from_env()
    if os.environ.get("AM_DEBUG") == "2":
        mach.set_log_level(level)
    elif level:
        mach.set_logger_empty(level)
    if os.environ.get("AM_HEALTHCHECK") and mach.has1(STATE):
        health_checks.add(mach)


_for_new: tuple[ArgsFilter | None, Redact | None] | None = None
"""What new machines are prepared with; None when they are left alone."""


def attach_from_env(*, args_filter: ArgsFilter | None = None, redact: Redact | None = None) -> None:
    """From now on prepare every new machine as `dbg_env` does; the last call counts.

    Nothing changes when the environment names neither a debugger nor a file nor a level.
    """
    global _for_new  # noqa: PLW0603  # it is of the process
    if destinations_from_env() != Destinations(None, None) or am.log_level_from_env():
        _for_new = (args_filter, redact)
        am.on_machine(_prepare)


def _prepare(mach: am.Machine) -> None:
    if _for_new is not None:
        args_filter, redact = _for_new
        dbg_env(mach, args_filter=args_filter, redact=redact)


def close() -> None:
    """End all sending and recording now, as at the program's end."""
    close_senders()
