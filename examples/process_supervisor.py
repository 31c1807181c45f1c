"""A supervisor of processes: starts them, starts crashed ones again, and stops all in time.

One machine for each process, and one for all of them, connected by pipes. Coroutine handlers
start a process and wait for its end, and time limits of states do the rest: a pause before a
new start, and a kill if a process does not stop.

    python examples/process_supervisor.py 'python -m http.server 8000' 'sleep 1000'

Ctrl+C stops all. The program ends with 1 if a process was given up.
"""

from __future__ import annotations

import asyncio
import shlex
import signal
import sys
from collections.abc import Sequence

import amtracer
import machine as am
from machine import pipes

STARTS_MAX = 3
PAUSE_S = 0.1
STOP_S = 5.0

PROCESS = {
    "Starting": am.State(initial=True, remove=["Pausing"]),
    "Alive": am.State(remove=["Starting"]),
    "Stopping": am.State(require=["Alive"], timeout=STOP_S, on_timeout="Killing"),
    "Killing": am.State(require=["Alive"], remove=["Stopping"]),
    "Crashed": am.State(multi=True, remove=["Alive", "Starting"]),
    "Pausing": am.State(remove=["Crashed"], timeout=PAUSE_S, on_timeout="Starting"),
    "Exited": am.State(add=["Ended"], remove=["Alive", "Starting", "Pausing"]),
    "GivenUp": am.State(add=["Ended"], remove=["Crashed"]),
    "Ended": am.State(),
    "Exception": am.State(multi=True),
}
SUPERVISOR = {
    "AnyGivenUp": am.State(),
    "AllEnded": am.State(),
    "Interrupted": am.State(),
}


class Process(am.ExceptionHandler):
    """Handlers of one process."""

    def __init__(self, supervisor: am.Machine, number: int, command: Sequence[str]) -> None:
        self.command = command
        self.process: asyncio.subprocess.Process | None = None
        self.starts = 0
        self.mach = am.Machine(
            None,
            PROCESS,
            id=f"process-{number}",
            parent=supervisor,
            executor=asyncio.get_running_loop(),
            handlers=self,
        )

    async def StartingState(self, e: am.Event) -> None:
        """Start the process; a command that does not exist is a crash."""
        self.starts += 1
        try:
            self.process = await asyncio.create_subprocess_exec(*self.command)
        except OSError as error:
            self.mach.add1("Crashed", {"why": str(error)})
        else:
            self.mach.add1("Alive", {"pid": self.process.pid})

    async def AliveState(self, e: am.Event) -> None:
        """Wait for the end of the process."""
        assert self.process is not None
        code = await self.process.wait()
        is_asked = self.mach.any1("Stopping", "Killing")
        self.mach.add1("Exited" if is_asked or code == 0 else "Crashed", {"code": code})

    def StoppingState(self, e: am.Event) -> None:
        assert self.process is not None
        self.process.terminate()

    def KillingState(self, e: am.Event) -> None:
        assert self.process is not None
        self.process.kill()

    def CrashedState(self, e: am.Event) -> None:
        self.mach.ev_add1(e, "Pausing" if self.starts < STARTS_MAX else "GivenUp")

    def ExceptionState(self, e: am.Event) -> None:
        super().ExceptionState(e)
        self.mach.ev_add1(e, "GivenUp")

    async def stop(self) -> None:
        """End the process, however far it is."""
        if self.mach.is1("Starting"):
            states = ["Alive", "Pausing", "Ended"]
            await am.first_async(*map(self.mach.when1, states))
        if self.mach.is1("Alive"):
            self.mach.add1("Stopping")
        elif not self.mach.is1("Ended"):
            self.mach.add1("Exited")
        await self.mach.when1("Ended")


class Supervisor:
    """All processes, with a machine that follows them."""

    def __init__(self, commands: Sequence[Sequence[str]]) -> None:
        self.mach = am.Machine(
            None, SUPERVISOR, id="supervisor", executor=asyncio.get_running_loop()
        )
        amtracer.attach(self.mach)
        self.processes = [Process(self.mach, *one) for one in enumerate(commands, 1)]
        each = [one.mach for one in self.processes]
        pipes.bind_all([(mach, "Ended") for mach in each], self.mach, "AllEnded")
        pipes.bind_any([(mach, "GivenUp") for mach in each], self.mach, "AnyGivenUp")

    async def stop(self) -> None:
        await asyncio.gather(*(one.stop() for one in self.processes))


async def main(commands: Sequence[Sequence[str]]) -> int:
    """Run the commands until all have ended, or until Ctrl+C."""
    supervisor = Supervisor(commands)
    mach = supervisor.mach
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, mach.add1, "Interrupted")
    await am.first_async(mach.when1("AllEnded"), mach.when1("Interrupted"))
    await supervisor.stop()
    for one in supervisor.processes:
        print(f"{shlex.join(one.command)}: {one.mach} after {one.starts} starts")
    return 1 if mach.is1("AnyGivenUp") else 0


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main([shlex.split(one) for one in sys.argv[1:]])))
