"""The watchdog: reports the line of code at which a late handler is stuck.

Handlers run in the thread that mutates, so nothing can stop one that hangs, and the machine
notices a late handler only when it returns, if it ever does. Meanwhile `event.is_valid()`
turns False at the timeout by itself, because the event looks at the clock. But only another
thread can report where the handler is. `Machine(..., watchdog=True)` turns that on, and so
does a tracer with the hook `handler_late`: one thread for all watched machines checks each
of them several times in a timeout. For each handler call that exceeds it, the thread writes
one warning to the logger "asyncmachine" (with `watchdog`) and calls the tracers. It names
the program's own innermost line, followed by the call in which that line waits.

It costs the machine nothing: the thread reads the current transition, the handler's name
and its start time, which the machine keeps anyway. Each handler call has its own time,
so the time of one never counts for the next. The thread looks twice and reads the clock in
between, so a call that it reports was really still running then.

The thread is a daemon, starts with the first machine and ends when there is none left;
machines are held weakly. A forked child starts its own.
"""

from __future__ import annotations

import os
import sys
import threading
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Protocol
from weakref import ref

from machine._calling.frames import Place, innermost, is_library, place_text
from machine._calling.thread import Job
from machine._logging.report import warn
from machine._waiting.stack import walks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from machine._transition.tracing import TracerHooks
    from machine._transition.transition import Transition

LOOKS_PER_TIMEOUT = 4
PAUSE_MIN_S = 0.01
PAUSE_MAX_S = 1.0


class Watched(Protocol):
    """What the watchdog reads of a machine."""

    _disposed: bool
    _handler: str
    _handler_limit: float
    _hooks: TracerHooks | None
    _tx: Transition | None

    @property
    def id(self) -> str: ...


class Watchdog:
    """The watched machines and the thread that looks at them."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()  # a plain one: a `with` block always gives it back
        self._changed = threading.Condition(self._lock)
        self._machines = _Machines()
        self._thread: threading.Thread | None = None
        self._pause = inf

    def watch(self, mach: Watched, *, warns: bool = True) -> None:
        """Look at this machine from now on, until it is disposed or gone.

        Its tracers are called, and if it `warns` a warning is logged. The thread is woken
        only if it would look at this machine too late.
        """
        with self._lock:
            watched = self._machines.of(mach)
            watched.warns = watched.warns or warns
            if self._thread is None or not self._thread.is_alive():
                try:
                    self._start()
                except RuntimeError:  # the interpreter is shutting down and starts no threads
                    return
            elif mach._handler_limit / LOOKS_PER_TIMEOUT < self._pause:
                self._changed.notify()

    def _start(self) -> None:
        thread = threading.Thread(target=self._run, name="am-watchdog", daemon=True)
        thread.start()
        self._thread = thread

    def look(self) -> float:
        """Look at all machines once; returns the seconds until the next look."""
        pause = PAUSE_MAX_S
        for watched in self._living():
            mach = watched.mach()
            if mach is not None:
                limit = mach._handler_limit
                pause = min(pause, limit / LOOKS_PER_TIMEOUT)
                self._look_at(watched, mach, limit)
        return max(pause, PAUSE_MIN_S)

    def _living(self) -> list[_Entry]:
        """Those that are neither disposed nor gone; the others are forgotten."""
        with self._lock:
            return self._machines.sift()

    def _look_at(self, watched: _Entry, mach: Watched, limit: float) -> None:
        tx, name = mach._tx, mach._handler
        if tx is None or not name:
            return
        began = tx.clock
        if watched.reported == began or self._clock() - began <= limit:
            return
        if mach._tx is tx and mach._handler == name and tx.clock == began:
            watched.reported = began
            _report(mach, tx, name, limit, warns=watched.warns)

    def _run(self) -> None:
        while True:
            pause = self.look()
            with self._lock:
                if not len(self._machines):
                    self._thread = None
                    return
                self._pause = pause
                self._changed.wait(pause)
                self._pause = inf

    def forked(self) -> None:
        """Go on in a forked child, where the thread is gone."""
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._thread = None
        self._pause = inf
        for one in self._machines.sift():
            mach = one.mach()
            if mach is not None:
                self.watch(mach, warns=one.warns)


class _Machines:
    """The watched machines by identity, as a machine need not have a hash; held weakly."""

    __slots__ = ("_by_id",)

    def __init__(self) -> None:
        self._by_id: dict[int, _Entry] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Watched]:
        machines = [one.mach() for one in list(self._by_id.values())]
        return iter([mach for mach in machines if mach is not None])

    def of(self, mach: Watched) -> _Entry:
        """The entry of a machine, made if it has none."""
        found = self._by_id.get(id(mach))
        if found is None or found.mach() is not mach:  # another one was at its place in memory
            found = self._by_id[id(mach)] = _Entry(mach)
        return found

    def sift(self) -> list[_Entry]:
        """Forget those that are disposed or gone, and return the others."""
        for key, one in self._by_id.copy().items():
            mach = one.mach()
            if mach is None or mach._disposed:
                del self._by_id[key]
        return list(self._by_id.values())


class _Entry:
    """One machine: when the call began that was reported last, and whether it warns."""

    __slots__ = ("mach", "reported", "warns")

    def __init__(self, mach: Watched) -> None:
        self.mach = ref(mach)
        self.reported = -inf
        self.warns = False


def _report(mach: Watched, tx: Transition, name: str, limit: float, *, warns: bool) -> None:
    """Report a late handler to the tracers, and as a warning if wanted."""
    frame = _running(tx)
    if warns:
        where = "" if frame is None else f", now at {_where(frame)}"
        text = "handler %s of machine %s runs for more than %g s%s"
        warn(text, name, mach.id, limit, where)
    hooks = mach._hooks
    if hooks is not None and hooks.handler_late:
        where = "" if frame is None else place_text(innermost(frame))
        hooks.fire(hooks.handler_late, tx, name, where)


def _running(tx: Transition) -> FrameType | None:
    """The innermost frame of the thread in which a transition's handler runs."""
    frames = sys._current_frames()
    frames.pop(threading.get_ident(), None)  # or this frame would keep all of them
    for runs in (_runs_job, _carries_out):
        for frame in frames.values():
            if any(runs(caller, tx) for caller in _callers(frame)):
                return frame
    return None


def _callers(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _runs_job(frame: FrameType, tx: Transition) -> bool:
    """Whether it runs a handler of this transition in a thread for handlers."""
    return frame.f_code is Job.run.__code__ and frame.f_locals["self"].event._tx is tx


def _carries_out(frame: FrameType, tx: Transition) -> bool:
    """Whether it is the function that carries out this transition."""
    return walks(frame.f_code) and frame.f_locals.get("tx") is tx


def _where(frame: FrameType) -> str:
    """The program's own innermost line, and the call in it if that is not of this library."""
    own, inner = innermost(frame), (frame.f_code, frame.f_lineno)
    if inner == own or is_library(frame.f_code.co_filename):
        return _line(own)
    return f"{_line(own)}, in {_line(inner)}"


def _line(place: Place) -> str:
    import linecache  # needed only when something hangs

    code, line = place
    return f"{place_text(place)}: {linecache.getline(code.co_filename, line).strip()}"


watchdog = Watchdog()
"""The watchdog of this process."""

watch = watchdog.watch

if hasattr(os, "register_at_fork"):  # pragma: no branch - there is no fork on Windows
    os.register_at_fork(after_in_child=watchdog.forked)
