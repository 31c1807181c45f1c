"""The set of traced machines of this process, which keeps none of them alive.

A machine leaves when it is disposed. If it is collected without that, the collector itself
reports that it is gone, on any thread at any moment, inside of any lock. So that code only
takes the machine out and appends to a queue; it wakes no thread.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator

import machine as am
from amtracer.send.events import Gone, TracedMachine
from amtracer.send.sender import Sender


class Watched:
    """The traced machines, once for each of their tracers.

    `lock` is held to bind, pause and resume: two threads that attach one machine bind one
    tracer. `all_paused` says whether a machine that is attached begins paused.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.all_paused = False
        self._machines: dict[TracedMachine, weakref.ref[am.Machine]] = {}
        self._senders: dict[TracedMachine, Sender] = {}

    def add(self, mach: am.Machine, machine: TracedMachine, sender: Sender) -> None:
        """Watch a machine until it is gone; the sender is notified if nobody disposed it."""
        append = sender.append

        def collected(_: object) -> None:
            self.remove(machine)
            append(Gone(machine))

        self._senders[machine] = sender
        self._machines[machine] = weakref.ref(mach, collected)

    def remove(self, machine: TracedMachine) -> None:
        """Watch it no more; again is no matter."""
        self._machines.pop(machine, None)
        self._senders.pop(machine, None)

    def machines(self) -> list[am.Machine]:
        """All there are, each once; a class derived from `Machine` may have no hash."""
        there = [mach for ref in list(self._machines.values()) if (mach := ref()) is not None]
        return list({id(mach): mach for mach in there}.values())

    def told_to(self, sender: Sender) -> Iterator[tuple[TracedMachine, am.Machine]]:
        """The machines that are recorded for a sender, as it knows them and themselves."""
        for machine, one in list(self._senders.items()):
            if one is sender:
                mach = self.find(machine)
                if mach is not None:
                    yield machine, mach

    def find(self, machine: TracedMachine) -> am.Machine | None:
        """The machine itself, unless it is gone."""
        found = self._machines.get(machine)
        return None if found is None else found()

    def reborn(self) -> None:
        """In a forked child: another thread may have held the lock at the fork."""
        self.lock = threading.RLock()


watched = Watched()
"""Those of this process."""
