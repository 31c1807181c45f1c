"""Adds the state `Healthcheck` to machines every few seconds, on request.

Log lines that are written between two transitions are sent with the next one. The health check
of an idle machine makes such a transition, and its clock shows that the program is alive.

One daemon thread serves all machines. It starts with the first machine, keeps none alive and
ends with the last. Handlers of the mutation run on this thread, unless the machine has an
executor. An error that reaches this thread is logged and ends the health checks of the machine.
"""

from __future__ import annotations

import logging
import threading
import weakref
from typing import Protocol

PERIOD_S = 5.0
STATE = "Healthcheck"

_log = logging.getLogger("amtracer")


class MachineLike(Protocol):
    """The part of a machine that health checks use."""

    def add1(self, state: str, /) -> object: ...
    def is_disposed(self) -> bool: ...


class HealthChecks:
    """The machines that are checked; any thread may add one."""

    def __init__(self, period_s: float = PERIOD_S) -> None:
        self._period_s = period_s
        self._begin()

    def _begin(self) -> None:
        self._machines: dict[int, weakref.ref[MachineLike]] = {}  # by `id`: not all have a hash
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, mach: MachineLike) -> None:
        """Check this machine from now on; a second call changes nothing."""
        with self._lock:
            self._machines[id(mach)] = weakref.ref(mach)
            if self._thread is None:
                self._start()

    def _start(self) -> None:
        self._thread = threading.Thread(
            target=self._run, args=(self._stopped,), name="amtracer healthcheck", daemon=True
        )
        try:
            self._thread.start()
        except RuntimeError:  # the interpreter shuts down, so there is nothing to check
            self._thread = None

    def stop(self) -> None:
        """Stop all health checks; machines that are added later are checked again."""
        with self._lock:
            self._machines.clear()
            thread, self._thread = self._thread, None
            stopped, self._stopped = self._stopped, threading.Event()
        stopped.set()
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def restart_in_child(self) -> None:
        """In a forked child, which has no thread: start again with the same machines."""
        machines = [mach for ref in self._machines.values() if (mach := ref()) is not None]
        self._begin()
        for mach in machines:
            self.add(mach)

    def beat(self) -> bool:
        """Add the state to all machines once; False if none is left, and the thread ends."""
        refs = list(self._machines.values())
        over = {id(ref) for ref in refs if not _add_state(ref())}
        with self._lock:
            kept = {key: ref for key, ref in self._machines.items() if id(ref) not in over}
            self._machines = kept
            if not self._machines:
                self._thread = None
            return bool(self._machines)

    def _run(self, stopped: threading.Event) -> None:
        while not stopped.wait(self._period_s) and self.beat():
            pass


def _add_state(mach: MachineLike | None) -> bool:
    if mach is None or mach.is_disposed():
        return False
    try:
        mach.add1(STATE)
    except Exception as error:  # noqa: BLE001  # protects the others from one machine's handlers
        _log.warning("amtracer: no more health checks: %s: %s", type(error).__name__, error)
        return False
    return True


health_checks: HealthChecks = HealthChecks()
"""The health checks of this process."""
