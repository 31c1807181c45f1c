"""The tracer inside a program: records what the program's machines do and queues it for a sender.

On the thread that runs a machine, the tracer only appends one small tuple to a queue. Arguments
become short texts there, because they may change afterwards. It keeps no transition and no
machine alive. A tracer belongs to one machine and one destination.

From the program's calls to the thread of a machine:

- `attaching_from_env`: applies the environment to one machine, or to every new one.
- `attaching`: binds a tracer to a machine, for a debugger or for a session file.
- `pausing`: pauses the recording of machines and resumes it.
- `open_work`: reads the open work of machines when the sender polls.
- `machine_tracer`: the tracer itself. Its hooks are all that runs in a traced machine.
- `traced_machines`, `redaction_hooks`, `copies`: the modules that the tracer uses.

The public functions are in `amtracer`. No other part of that package imports `machine`.
"""

import asyncmachine  # noqa: F401 - finds the right `machine`, whatever has its name
from amtracer.safe_repr.redacting import ArgsFilter, Redact
from amtracer.tracer.attaching import attach, close, record
from amtracer.tracer.attaching_from_env import attach_from_env, dbg_env
from amtracer.tracer.machine_tracer import MachineTracer, PausedTracer
from amtracer.tracer.pausing import pause, resume

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
