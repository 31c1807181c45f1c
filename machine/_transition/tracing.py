"""Tracers: synchronous observers of a machine.

If a tracer raises, the error is logged once and the tracer is detached; the transition and
the other tracers go on. Tracers are called in binding order, in the thread that runs the
machine (but see `mutation_refused` and `handler_late`); they must not block, and a mutation
of the same machine made by one is queued.

Only the hooks that a tracer's class really overrides are called, so an unused hook costs
nothing. The four that every mutation passes are called right where that happens, in
`_engine.walk` and `_engine.draining`; the others by `fire`. While no tracer uses a hook of
transitions or handlers, transitions are carried out as if there were no tracer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from machine._logging.report import log_error

if TYPE_CHECKING:
    from machine._logging.log import LogEntry
    from machine._resolution.mutation import Mutation
    from machine._schema.state import State
    from machine._transition.owner import Machine
    from machine._transition.transition import Transition
    from machine._waiting.context import Context


class Tracer:
    """Base of all tracers; every method does nothing.

    The order for one mutation: `transition_init`, `transition_start`, `handler_start` and
    `handler_end` for each handler that is called, `transition_end`; when the queue is
    empty, `queue_end`. No event comes after `machine_dispose`.
    """

    def inheritable(self) -> bool:
        """Whether submachines get this tracer too; False unless overridden."""
        return False

    def machine_init(self, machine: Machine) -> Context | None:
        """A machine was made with this tracer in its options.

        A returned context replaces the machine's.
        """

    def new_submachine(self, parent: Machine, machine: Machine) -> None:
        """A machine was made with a parent that has this tracer; only if inheritable."""

    def verify_states(self, machine: Machine) -> None:
        """The order of states was verified."""

    def struct_change(self, machine: Machine, old_struct: Mapping[str, State]) -> None:
        """The machine has another schema."""

    def mutation_queued(self, machine: Machine, mutation: Mutation) -> None:
        """A mutation has to wait for others."""

    def mutation_refused(self, machine: Machine, mutation: Mutation) -> None:
        """The queue is full and refused a mutation; in the thread that made it."""

    def transition_init(self, tx: Transition) -> None:
        """A transition was created; its targets may still change."""

    def transition_start(self, tx: Transition) -> None:
        """Relations are resolved, accepted or not; no handler was called yet."""

    def handler_start(self, tx: Transition, emitter: str, handler: str) -> None:
        """A handler is about to be called; `emitter` is the class it is bound with."""

    def handler_end(self, tx: Transition, emitter: str, handler: str) -> None:
        """A handler returned, raised or was late."""

    def handler_late(self, tx: Transition, handler: str, place: str) -> None:
        """A handler has been running longer than `handler_timeout`; once for each call.

        Called in the thread of the watchdog, as the machine's own waits for the handler.
        `place` is its innermost line, "FILE:LINE in FUNCTION", empty if that is not known.
        """

    def transition_end(self, tx: Transition) -> None:
        """Everything about the transition is final; waiters are not released yet."""

    def lines_waiting(self, machine: Machine, lines: Sequence[LogEntry]) -> None:
        """A log line was written outside of a transition, the first since the last one.

        The next transition has it, and those that follow, as `pre_log_entries`; until then
        they are in `lines`, which grows and loses its oldest. It may be called in any thread.
        """

    def queue_end(self, machine: Machine) -> None:
        """The queue is empty; there is no current transition."""

    def machine_dispose(self, machine_id: str) -> None:
        """The machine is disposed."""


HOOKS = tuple(name for name in vars(Tracer) if not name.startswith("_") and name != "inheritable")

_OF_TRANSITIONS = {
    "transition_init",
    "transition_start",
    "handler_start",
    "handler_end",
    "transition_end",
}

Hook = Callable[..., Any]


class TracerHooks:
    """The tracers of one machine, by the hooks they use; it never changes.

    Each hook is a tuple of bound methods of those tracers whose class overrides it.
    `of_transitions` is True if any of them is a hook of transitions or handlers, `of_starts` if
    one is of the start of transitions.
    """

    __slots__ = ("_detach", *HOOKS, "of_starts", "of_transitions", "tracers")

    of_transitions: bool
    of_starts: bool

    machine_init: tuple[Hook, ...]
    new_submachine: tuple[Hook, ...]
    verify_states: tuple[Hook, ...]
    struct_change: tuple[Hook, ...]
    mutation_queued: tuple[Hook, ...]
    mutation_refused: tuple[Hook, ...]
    transition_init: tuple[Hook, ...]
    transition_start: tuple[Hook, ...]
    handler_start: tuple[Hook, ...]
    handler_end: tuple[Hook, ...]
    handler_late: tuple[Hook, ...]
    transition_end: tuple[Hook, ...]
    lines_waiting: tuple[Hook, ...]
    queue_end: tuple[Hook, ...]
    machine_dispose: tuple[Hook, ...]

    def __init__(self, tracers: tuple[Tracer, ...], detach: Callable[[Tracer], object]) -> None:
        self.tracers = tracers
        self._detach = detach
        for hook in HOOKS:
            setattr(self, hook, _users(tracers, hook))
        self.of_starts = bool(self.transition_init or self.transition_start)
        self.of_transitions = any(getattr(self, hook) for hook in _OF_TRANSITIONS)

    def fire(self, calls: Iterable[Hook], *args: Any) -> None:
        """Call a hook of every tracer that uses it.

        After an interrupt the same iterator can be passed again: no interrupt comes between
        taking a hook out of it and calling the hook.
        """
        for call in calls:
            try:
                call(*args)
            except Exception as error:  # noqa: BLE001 - protects the program from a tracer
                self.failed(call, error)

    def fire_one(self, call: Hook, *args: Any) -> Any:
        """Call a hook of one tracer."""
        try:
            return call(*args)
        except Exception as error:  # noqa: BLE001 - protects the program from a tracer
            self.failed(call, error)
            return None

    def failed(self, call: Hook, error: Exception) -> None:
        """Log a tracer that raised, once, and detach it."""
        tracer = self._owner(call)
        name = getattr(call, "__name__", "a hook")
        log_error(error, "tracer %r failed in %s and was detached", tracer, name)
        self._detach(tracer)

    def _owner(self, call: Hook) -> Tracer:
        """The tracer of a hook; a static method has no reference to it."""
        own, names = getattr(call, "__self__", None), (*HOOKS, "inheritable")
        return next(t for t in self.tracers if t is own or call in [getattr(t, n) for n in names])


def _users(tracers: tuple[Tracer, ...], hook: str) -> tuple[Hook, ...]:
    base = getattr(Tracer, hook)
    return tuple(getattr(t, hook) for t in tracers if getattr(type(t), hook) is not base)
