"""Keeps a text file with the list of machines, for scripts that watch a running debugger."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from am_dbg.reports import machine_lines
from am_dbg.store import Store
from amtracer.errors import SessionAccessError
from amtracer.files.atomic import AtomicFile

ROUND_S = 1.0
"""The shortest time between two writes."""
PAUSES = 20
"""The pause after a write lasts so many times as long as the write, so that many machines cost no
more time than a few."""

_log = logging.getLogger(__name__)


class ClientList:
    """Writes the list after changes, from `start` to `stop`, on its own thread.

    A reader of the file always sees a whole list. An error of the file ends the writing and is
    reported once, in the log and to `warned`, on that thread.
    """

    def __init__(
        self,
        store: Store,
        path: str,
        *,
        warned: Callable[[str], None] = lambda _: None,
        round_s: float = ROUND_S,
    ) -> None:
        self._store = store
        self._path = path
        self._warned = warned
        self._round_s = round_s
        self._written = -1
        self._took_s = 0.0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="am-dbg list", daemon=True)

    def start(self) -> None:
        """Write the first list and start; SessionAccessError if the file cannot be written."""
        self._write_if_new()
        self._thread.start()

    def stop(self) -> None:
        """Write the last list; a second call does nothing."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        is_over = False
        try:
            while not is_over:
                is_over = self._stopping.wait(max(self._round_s, PAUSES * self._took_s))
                self._write_if_new()
        except SessionAccessError as error:
            words = f"the list of machines is no longer written: {error}"
            _log.error("%s", words)
            self._warned(words)

    def _write_if_new(self) -> None:
        version = self._store.version
        if version != self._written:
            began_s = time.monotonic()
            self._write()
            self._written, self._took_s = version, time.monotonic() - began_s

    def _write(self) -> None:
        file = AtomicFile(self._path)
        try:
            lines = "\n".join(machine_lines(self._store))
            file.write(f"{lines}\n".encode())
            file.commit()
        finally:
            file.abort()
