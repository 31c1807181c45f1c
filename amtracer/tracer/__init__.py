"""The tracer inside a program: records what the program's machines do and queues it for a sender.

On the thread that runs a machine it appends one small tuple to a queue, nothing else;
arguments become short texts there, since they may change afterwards. It keeps no transition
and no machine alive. A tracer belongs to one machine and one destination.

From the program's calls to the thread of a machine:

- `preparing`: applies the environment to one machine, or to every new one.
- `attaching`: gives a machine a tracer for a debugger or for a session file.
- `pausing`: stops the recording of machines for a while, then resumes it.
- `looking`: returns what is open in machines, at the request of the sender.
- `machine_tracer`: the tracer itself. Its hooks are all that runs in a traced machine.
- `watched`, `hooks`, `copies`: the modules on which the tracer builds.

The public functions are in `amtracer`, of which no other part imports `machine`.
"""

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
