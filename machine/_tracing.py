"""Tracers: synchronous observers of a machine.

A tracer is a guest: one that raises is logged once and detached, the transition and the
other tracers go on. Tracers are called in binding order, in the thread that runs the
machine; they must not block, and a mutation of the same machine made by one is queued.

Hooks are indexed by name, and only those that a tracer's class really overrides are
called, so an unused hook costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from machine._report import failed

if TYPE_CHECKING:
    from machine._context import Context
    from machine._machine import Machine
    from machine._mutation import Mutation
    from machine._state import State
    from machine._transition import Transition


class Tracer:
    """Base of all tracers; every method does nothing.

    The order for one mutation: `transition_init`, `transition_start`, `handler_start` and
    `handler_end` for each handler that is called, `transition_end`; when the queue is
    empty, `queue_end`. No event comes after `machine_dispose`.
    """

    def inheritable(self) -> bool:
        """Should it be told of submachines; False unless overridden."""
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

    def transition_init(self, tx: Transition) -> None:
        """A transition was created; its targets are not to be relied on yet."""

    def transition_start(self, tx: Transition) -> None:
        """Relations are resolved, accepted or not; no handler was called yet."""

    def handler_start(self, tx: Transition, emitter: str, handler: str) -> None:
        """A handler is about to be called; `emitter` is the class it is bound with."""

    def handler_end(self, tx: Transition, emitter: str, handler: str) -> None:
        """A handler returned, raised or came late."""

    def transition_end(self, tx: Transition) -> None:
        """Everything about the transition is final; waiters are not released yet."""

    def queue_end(self, machine: Machine) -> None:
        """The queue was worked off; there is no current transition."""

    def machine_dispose(self, machine_id: str) -> None:
        """The machine is disposed."""


HOOKS = tuple(
    name for name in vars(Tracer) if not name.startswith("_") and name != "inheritable"
)


class Hooks:
    """The tracers of one machine, indexed by the hooks they use; it never changes."""

    __slots__ = ("_by_hook", "_detach", "tracers")

    def __init__(self, tracers: tuple[Tracer, ...], detach: Callable[[Tracer], object]) -> None:
        self.tracers = tracers
        self._detach = detach
        self._by_hook = {hook: _users(tracers, hook) for hook in HOOKS}

    def fire(self, hook: str, *args: Any) -> None:
        """Call this hook of every tracer that uses it."""
        for tracer in self._by_hook[hook]:
            self.fire_one(tracer, hook, *args)

    def fire_one(self, tracer: Tracer, hook: str, *args: Any) -> Any:
        """Call this hook of one tracer."""
        try:
            return getattr(tracer, hook)(*args)
        except Exception as error:  # protects the host: a guest must not stop the house
            failed("tracer %r failed in %s and was detached", tracer, hook, error=error)
            self._detach(tracer)
            return None


def _users(tracers: tuple[Tracer, ...], hook: str) -> tuple[Tracer, ...]:
    base = getattr(Tracer, hook)
    return tuple(t for t in tracers if getattr(type(t), hook, None) not in (base, None))
