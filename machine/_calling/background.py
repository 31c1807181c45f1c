"""A background event loop in its own thread, for tasks of programs without a loop.

The thread is a daemon and starts with the first task that needs it. When the program ends,
what still runs there is canceled and gets `STOP_S` to end. `KeyboardInterrupt`
and `SystemExit`, which asyncio lets through, end one task here and not those of others.

A forked child has the loop but not its thread. It gets a new one when it needs one, and
keeps the inherited loop untouched: closing it would break the parent's loop, since both
processes wait on the same descriptor.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio

STOP_S = 1.0


class BackgroundLoop:
    """The loop of this process and the thread that runs it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Future[None] | None = None
        self._inherited: list[object] = []

    def loop(self) -> asyncio.AbstractEventLoop:
        """The running loop; RuntimeError when the program ends and starts no threads."""
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._start()
            assert self._loop is not None
            return self._loop

    def _start(self) -> None:
        import asyncio  # programs without tasks never load it

        runner = asyncio.Runner()
        loop = runner.get_loop()
        stop = loop.create_future()
        thread = threading.Thread(
            target=self._run, args=(runner, stop), name="am-tasks", daemon=True
        )
        self._thread, self._loop, self._stop = thread, loop, stop
        try:
            thread.start()
        except RuntimeError:
            self._thread = self._loop = self._stop = None
            runner.close()
            raise
        atexit.register(self.stop)

    def _run(self, runner: asyncio.Runner, stop: asyncio.Future[None]) -> None:
        with runner:
            while not stop.done():
                with contextlib.suppress(KeyboardInterrupt, SystemExit):
                    runner.get_loop().run_until_complete(stop)

    def stop(self, timeout: float = STOP_S) -> None:
        """Cancel what runs there and end the thread; the next task starts another."""
        with self._lock:
            loop, stop, thread = self._loop, self._stop, self._thread
            self._loop = self._stop = self._thread = None
        if loop is None or stop is None or thread is None:
            return
        atexit.unregister(self.stop)
        loop.call_soon_threadsafe(stop.set_result, None)
        thread.join(timeout)

    def forked(self) -> None:
        """Forget, in a forked child, what belongs to the parent."""
        self._lock = threading.Lock()
        self._inherited += [self._loop, self._stop]
        self._loop = self._stop = self._thread = None


background_loop = BackgroundLoop()
"""The loop for tasks of this process."""

if hasattr(os, "register_at_fork"):  # pragma: no branch - there is no fork on Windows
    os.register_at_fork(after_in_child=background_loop.forked)
