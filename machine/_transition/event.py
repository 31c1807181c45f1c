"""Events: what each handler of a transition receives."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from machine._given import A
from machine._resolution.mutation import Mutation, MutSource

if TYPE_CHECKING:
    from machine._transition.owner import Machine
    from machine._transition.transition import Transition


class EventRef:
    """What may be kept of an event: the handler's name and the ids."""

    __slots__ = ("machine_id", "name", "transition_id")

    def __init__(self, name: str, machine_id: str, transition_id: str) -> None:
        self.name: str = name
        self.machine_id: str = machine_id
        self.transition_id: str = transition_id


class Event:
    """Given to every handler of a transition."""

    __slots__ = ("_tx", "machine", "name")

    name: str
    machine: Machine
    _tx: Transition

    @property
    def args(self) -> A:
        """The arguments, shared by all handlers of the transition; never None."""
        return self._tx.args()

    @property
    def machine_id(self) -> str:
        """Id of the machine."""
        return self.machine.id

    @property
    def transition_id(self) -> str:
        """Id of the transition that this event belongs to."""
        return self._tx.id

    @property
    def is_check(self) -> bool:
        """Whether this only checks if the mutation would be accepted."""
        return self._tx.is_check

    def mutation(self) -> Mutation | None:
        """The mutation that the machine carries out now, if any."""
        tx = self.machine.transition()
        return None if tx is None else tx.mutation

    def transition(self) -> Transition | None:
        """The transition that the machine carries out now, if any."""
        return self.machine.transition()

    def is_valid(self) -> bool:
        """Whether this event's transition is still current, not completed and accepted.

        It also turns False, and stays so, while a handler runs longer than its limit.
        """
        tx, mach, name = self._tx, self.machine, self.name
        if mach._tx is not tx or tx.completed or not tx.accepted or name in tx.late:
            return False
        return mach._handler != name or monotonic() - tx.clock <= mach._handler_limit

    def source(self) -> MutSource:
        """This transition as the source of mutations made from it."""
        return MutSource(self.machine.id, self._tx.id, self._tx.time_sum_before())

    def clone(self) -> EventRef:
        """Only the name and the ids, safe to keep."""
        return EventRef(self.name, self.machine.id, self._tx.id)

    export = clone

    def __repr__(self) -> str:
        return f"<Event {self.name} of {self.machine.id}>"


def new_event(name: str, tx: Transition) -> Event:
    """The event for one handler call."""
    event = Event()
    event.name = name
    event.machine = tx.machine
    event._tx = tx
    return event
