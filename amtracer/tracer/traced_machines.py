"""The set of traced machines of this process, which keeps none of them alive.

A machine leaves the set when it is disposed. If it is collected without that, the garbage
collector calls a weak reference's callback, on any thread at any moment, inside any lock. So
the callback only removes the machine and appends to a queue; it wakes no thread. And no loop goes
through the set itself, not even to list its pairs: making a pair can start the collector. A copy of
a dictionary is made in one piece.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator

import machine as am
from amtracer.send.events import GoneEvent, TracedMachine
from amtracer.send.sender import Sender


class TracedMachines:
    """The traced machines, once for each of their tracers.

    `lock` is held to bind, pause and resume, so that two threads that attach one machine bind
    one tracer. `all_paused`: machines that are attached now begin paused.
    """

    def __init__(self) -> None:
        self.lock: threading.RLock = threading.RLock()
        self.all_paused = False
        self._machines: dict[TracedMachine, weakref.ref[am.Machine]] = {}
        self._senders: dict[TracedMachine, Sender] = {}

    def add(self, mach: am.Machine, machine: TracedMachine, sender: Sender) -> None:
        """Add a machine until it is gone; its collection without disposal queues a `GoneEvent`."""
        append = sender.append

        def collected(_: object) -> None:
            self.remove(machine)
            append(GoneEvent(machine))

        self._senders[machine] = sender
        self._machines[machine] = weakref.ref(mach, collected)

    def remove(self, machine: TracedMachine) -> None:
        """Remove a machine; a second call does nothing."""
        self._machines.pop(machine, None)
        self._senders.pop(machine, None)

    def machines(self) -> list[am.Machine]:
        """All machines, each once; compared by `id`, as a subclass may have no hash."""
        there = [mach for ref in self._machines.copy().values() if (mach := ref()) is not None]
        return list({id(mach): mach for mach in there}.values())

    def recorded_by(self, sender: Sender) -> Iterator[tuple[TracedMachine, am.Machine]]:
        """The machines that are recorded by a sender, each with its record in the sender."""
        for machine, one in self._senders.copy().items():
            if one is sender:
                mach = self._find(machine)
                if mach is not None:
                    yield machine, mach

    def _find(self, machine: TracedMachine) -> am.Machine | None:
        """The machine itself; None if it is gone."""
        found = self._machines.get(machine)
        return None if found is None else found()

    def restart_in_child(self) -> None:
        """In a forked child: another thread may have held the lock at the fork."""
        self.lock = threading.RLock()


traced_machines: TracedMachines = TracedMachines()
"""The traced machines of this process."""
