"""A debugger without a screen, for tests of what reaches it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from am_dbg.ingest.server import Server
from am_dbg.store.store import Store
from am_dbg.store.track import Track
from amtracer.address import Address, listen_address

WAIT_S = 30
ROOT = Path(__file__).resolve().parents[2]


class Debugger:
    """A store behind a server at a free port, and a way to wait for what arrives."""

    def __init__(self, address: str = ":0", **options: Any) -> None:
        self.store = Store()
        self._changed = threading.Condition()
        self.stopped = threading.Event()
        self._server = Server(self.store, self._notify, publish_every_s=0.01, **options)
        self._server.start(listen_address(address))

    @property
    def address(self) -> Address:
        return self._server.addresses[0]

    @property
    def connections(self) -> int:
        return self._server.connections

    @property
    def streams(self) -> int:
        return len(self.store.streams)

    def track(self, key: str) -> Track:
        found = self.store.find(key)
        assert found is not None, [track.key for track in self.store.tracks]
        return found

    def wait_for(self, happened: Callable[[], object]) -> None:
        """Until it happened; the test fails when it takes long."""
        with self._changed:
            assert self._changed.wait_for(happened, WAIT_S), [
                (track.key, track.count, list(track.gaps)) for track in self.store.tracks[-20:]
            ]

    def wait_for_count(self, key: str, count: int) -> None:
        """Until a machine has so many transitions."""

        def arrived() -> bool:
            track = self.store.find(key)
            return track is not None and track.count >= count

        self.wait_for(arrived)

    def call(self, work: Callable[[], object]) -> Future[object]:
        """Do this on the thread that takes data in."""
        return self._server.call(work)

    def stop(self) -> None:
        self._server.stop()
        self.stopped.set()

    def _notify(self) -> None:
        with self._changed:
            self._changed.notify_all()


def connect(debugger: Debugger) -> socket.socket:
    """A peer of the debugger that has said nothing yet."""
    address = debugger.address
    return socket.create_connection((address.host, address.port), timeout=WAIT_S)


def run(
    program: str | Path, *words: object, **variables: object
) -> subprocess.CompletedProcess[str]:
    """Run a program, its text or its file, in a fresh interpreter; all warnings are errors."""
    how = [program] if isinstance(program, Path) else ["-c", program]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("AM_")}
    environment["PYTHONPATH"] = str(ROOT)
    environment |= {key: str(value) for key, value in variables.items()}
    return subprocess.run(
        [sys.executable, "-W", "error", *map(str, [*how, *words])],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
