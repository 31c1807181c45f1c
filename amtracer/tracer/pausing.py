"""Pauses the recording of machines, and resumes it.

A pause concerns a machine with all below it, or the process: then also machines that come
later. There is no count of pauses; the last call that concerns a machine decides.
The sender works out how much a pause left out from the numbers of transitions.
"""

from __future__ import annotations

import machine as am
from amtracer.tracer.machine_tracer import MachineTracer, tracers_of
from amtracer.tracer.traced_machines import watched


def pause(mach: am.Machine | None = None) -> None:
    """Stop recording a machine and its submachines, or all machines of the process.

    Meanwhile transitions are only counted. When it goes on, one gap says how many there
    were. Submachines made meanwhile are paused too; without a machine also those that are
    attached later. The last call for a machine counts. Any thread, and handlers, may call it.
    """
    _switch(mach, paused=True)


def resume(mach: am.Machine | None = None) -> None:
    """Resume the recording of a machine and its submachines, or of all machines of the process."""
    _switch(mach, paused=False)


def _switch(mach: am.Machine | None, *, paused: bool) -> None:
    with watched.lock:
        if mach is None:
            watched.all_paused = paused
        top = None if mach is None else set(tracers_of(mach))
        for one in watched.machines():
            for tracer in tracers_of(one):
                if top is None or _is_under(tracer, top):
                    (tracer.pause if paused else tracer.resume)(one)


def _is_under(tracer: MachineTracer | None, top: set[MachineTracer]) -> bool:
    """Whether it is one of these, or was made for a submachine of theirs."""
    while tracer is not None and tracer not in top:
        tracer = tracer.above
    return tracer is not None
