"""Recordings that are held in memory, and written into a file only if they are wanted.

The tracers queue events for a sender as always. The sender has neither a thread nor a file
until `write`, so a recording that is thrown away costs what its tracers cost. Its queue keeps
the newest `SENDER_QUEUE_MAX` events; what was dropped is a gap in the file.

A forked child has a copy that only the child could write.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable

import machine as am
from amtracer.files.atomic import PathLike
from amtracer.files.processes import is_child
from amtracer.send.sender import Sender
from amtracer.send.sinks import FileSink, path_of_process
from amtracer.tracer.machine_tracer import bind, tracers_of
from amtracer.tracer.redaction_hooks import RedactionHooks
from amtracer.tracer.traced_machines import traced_machines

CLOSES_MAX = 20
"""How often a sender that is still writing is waited for; each time has its own limit."""

Listener = Callable[[am.Machine], object]

_listener: Listener | None = None


class HeldRecording:
    """What some machines do from now on, held in memory. One thread writes and ends it."""

    def __init__(self, path: PathLike) -> None:
        self._path = os.fsdecode(path)
        self._sender = Sender(FileSink(path))
        self._sender.asleep = False  # nobody wakes it before `write`
        self.count: int = 0
        """How many machines were added; submachines of theirs come in addition."""

    def add(self, mach: am.Machine) -> None:
        """Record a machine and its submachines; in any thread."""
        self.count += 1
        bind(mach, self._sender, RedactionHooks.of(None, None))

    @property
    def file(self) -> str:
        """The file that `write` writes in this process."""
        return path_of_process(self._path) if is_child() else self._path

    def write(self) -> None:
        """Write the file, and the folder that it is in. Trouble is a line in the log."""
        os.makedirs(os.path.dirname(self._path), exist_ok=True)
        self._sender.wake()
        for _ in range(CLOSES_MAX):
            self._sender.close()

    def end(self) -> None:
        """Record no more, and forget what was not written."""
        sender = self._sender
        sender.ended = True
        for machine, mach in list(traced_machines.recorded_by(sender)):
            traced_machines.remove(machine)
            for tracer in tracers_of(mach):
                if tracer.sender is sender:
                    mach.detach_tracer(tracer)


class LongLived:
    """Machines that live longer than one recording, kept by weak references."""

    def __init__(self) -> None:
        self._refs: list[weakref.ref[am.Machine]] = []

    def add(self, mach: am.Machine) -> None:
        self._refs.append(weakref.ref(mach))

    def add_to(self, recording: HeldRecording) -> None:
        """Let a recording have those that still live."""
        there = [(ref, mach) for ref in self._refs if (mach := ref()) is not None]
        living = [(ref, mach) for ref, mach in there if not mach.is_disposed()]
        self._refs = [ref for ref, _ in living]
        for _, mach in living:
            recording.add(mach)


def listen(listener: Listener | None) -> Listener | None:
    """Call this for every new machine, instead of the listener before, which is returned."""
    global _listener
    before, _listener = _listener, listener
    am.on_machine(_hear)
    return before


def _hear(mach: am.Machine) -> None:
    if _listener is not None:
        _listener(mach)
