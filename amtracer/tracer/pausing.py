"""Pauses the recording of machines, and resumes it.

A pause applies to a machine with its submachines, or to the process, which includes machines
that are attached later. Pauses are not counted: the last call that applies to a machine
decides. The sender counts the transitions of a pause by their numbers.
"""

from __future__ import annotations

import machine as am
from amtracer.tracer.machine_tracer import MachineTracer, tracers_of
from amtracer.tracer.traced_machines import traced_machines


def pause(mach: am.Machine | None = None) -> None:
    """Stop recording a machine and its submachines, or all machines of the process.

    During a pause transitions are only counted. When the recording resumes, one gap reports
    their number. Submachines that are made in the pause are paused too; if no machine is given,
    machines that are attached later too. The last call for a machine counts. Any thread, and
    handlers, may call this function.
    """
    _switch(mach, paused=True)


def resume(mach: am.Machine | None = None) -> None:
    """Resume the recording of a machine and its submachines, or of all machines of the process."""
    _switch(mach, paused=False)


def _switch(mach: am.Machine | None, *, paused: bool) -> None:
    with traced_machines.lock:
        if mach is None:
            traced_machines.all_paused = paused
        top = None if mach is None else set(tracers_of(mach))
        for one in traced_machines.machines():
            for tracer in tracers_of(one):
                if top is None or _is_under(tracer, top):
                    (tracer.pause if paused else tracer.resume)(one)


def _is_under(tracer: MachineTracer | None, top: set[MachineTracer]) -> bool:
    """Whether a tracer is one of `top`, or was made for a submachine below one of them."""
    while tracer is not None and tracer not in top:
        tracer = tracer.parent
    return tracer is not None
