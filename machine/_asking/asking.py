"""The calls of `Machine.ask`: every mutating call, with an outcome in place of a result."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from machine._asking.asked import ask
from machine._asking.outcome import Outcome, refused_outcome
from machine._enums import ADD, REMOVE, SET, MutationType, Result
from machine._given import A, Names, checked_args, checked_name
from machine._reasons.refused import last_of
from machine._schema.state import EXCEPTION

if TYPE_CHECKING:
    from machine._resolution.mutation import MutSource
    from machine._schema.schema import Call
    from machine._transition.event import Event
    from machine._transition.owner import Machine

Mutate = Callable[["Call", A | None, "MutSource | None"], Result]


class Asking:
    """Makes mutations of one machine whose outcomes can be waited for.

    Each call is that of the machine with the same name, and raises the same errors at once. It
    returns an `Outcome`. The mutation is never skipped: neither as a duplicate nor as a removal
    of inactive states.
    """

    __slots__ = ("_mach",)

    def __init__(self, mach: Machine) -> None:
        self._mach = mach

    def add1(self, state: str, args: A | None = None) -> Outcome:
        """Activate a state, keep the others."""
        return self._ask(ADD, (checked_name(state),), args)

    def add(self, states: Names, args: A | None = None) -> Outcome:
        """Activate these states, keep the others."""
        return self._ask(ADD, states, args)

    def remove1(self, state: str, args: A | None = None) -> Outcome:
        """Deactivate a state, keep the others."""
        return self._ask(REMOVE, (checked_name(state),), args)

    def remove(self, states: Names, args: A | None = None) -> Outcome:
        """Deactivate these states, keep the others."""
        return self._ask(REMOVE, states, args)

    def set(self, states: Names, args: A | None = None) -> Outcome:
        """Make exactly these states active, with those they imply."""
        return self._ask(SET, states, args)

    def toggle1(self, state: str, args: A | None = None) -> Outcome:
        """Deactivate a state if it is active, else activate it; decided at the call."""
        return self.toggle((checked_name(state),), args)

    def toggle(self, states: Names, args: A | None = None) -> Outcome:
        """Deactivate these states if all are active, else activate them; decided at the call."""
        return self._made(lambda mutate: self._mach._toggle(states, args, None, mutate))

    def add_err(self, err: BaseException | None, args: A | None = None) -> Outcome:
        """Store an error and add the `Exception` state; None does nothing, CANCELED."""
        return self.add_err_state(EXCEPTION, err, args)

    def add_err_state(
        self, state: str, err: BaseException | None, args: A | None = None
    ) -> Outcome:
        """Store an error and add an error state along with `Exception`."""
        return self._made(lambda mutate: self._mach._add_err(state, err, args, None, mutate))

    def ev_add1(self, event: Event, state: str, args: A | None = None) -> Outcome:
        """`add1` with an event's transition as its source."""
        return self._ask(ADD, (checked_name(state),), args, event)

    def ev_add(self, event: Event, states: Names, args: A | None = None) -> Outcome:
        """`add` with an event's transition as its source."""
        return self._ask(ADD, states, args, event)

    def ev_remove1(self, event: Event, state: str, args: A | None = None) -> Outcome:
        """`remove1` with an event's transition as its source."""
        return self._ask(REMOVE, (checked_name(state),), args, event)

    def ev_remove(self, event: Event, states: Names, args: A | None = None) -> Outcome:
        """`remove` with an event's transition as its source."""
        return self._ask(REMOVE, states, args, event)

    def ev_toggle1(self, event: Event, state: str, args: A | None = None) -> Outcome:
        """`toggle1` with an event's transition as its source."""
        return self.ev_toggle(event, (checked_name(state),), args)

    def ev_toggle(self, event: Event, states: Names, args: A | None = None) -> Outcome:
        """`toggle` with an event's transition as its source."""
        source = source_of(event)
        return self._made(lambda mutate: self._mach._toggle(states, args, source, mutate))

    def ev_add_err(self, event: Event, err: BaseException | None, args: A | None = None) -> Outcome:
        """`add_err` with an event's transition as its source."""
        return self.ev_add_err_state(event, EXCEPTION, err, args)

    def ev_add_err_state(
        self, event: Event, state: str, err: BaseException | None, args: A | None = None
    ) -> Outcome:
        """`add_err_state` with an event's transition as its source."""
        source = source_of(event)
        return self._made(lambda mutate: self._mach._add_err(state, err, args, source, mutate))

    def _ask(
        self, kind: MutationType, states: Names, args: A | None, event: Event | None = None
    ) -> Outcome:
        mach = self._mach
        call = mach._call(kind, states)
        return self._outcome(call, checked_args(args), source_of(event))

    def _outcome(self, call: Call, args: A | None, source: MutSource | None) -> Outcome:
        self._mach._check_breakpoints(call)
        return ask(self._mach, call, args, source)

    def _made(self, call: Callable[[Mutate], Result]) -> Outcome:
        """The outcome of the mutation that a call makes; it may be canceled before it makes one."""
        made: list[Outcome] = []

        def mutate(call: Call, args: A | None, source: MutSource | None) -> Result:
            made.append(self._outcome(call, args, source))
            return made[0].result

        call(mutate)
        return made[0] if made else refused_outcome(self._mach, last_of(self._mach))


def source_of(event: Event | None) -> MutSource | None:
    """The transition of an event, as the source of a mutation; raises for anything else."""
    if event is None:
        return None
    source = getattr(event, "source", None)
    if not callable(source):
        raise TypeError(f"the source of a mutation is an event or None, not {event!r:.60}")
    found: MutSource = source()
    return found
