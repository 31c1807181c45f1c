"""A debugger without a screen in a process of its own, and a peer that never reads.

`python -m benchmarks.serving` prints its port and answers each line on its standard input
with the number of transitions that it holds.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from am_dbg.ingest.server import Server
from am_dbg.store.store import Store
from amtracer.address import listen_address

ROOT = Path(__file__).parents[1]
ARRIVE_S_MAX = 60


class Debugger:
    """A debugger in another process, for as long as the context lasts."""

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "benchmarks.serving"]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.address = f"127.0.0.1:{self._answer()}"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._process.communicate(timeout=10)

    def _answer(self) -> int:
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())

    def transitions(self) -> int:
        """The number of transitions that the debugger holds."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self._answer()

    def wait_for(self, transitions: int) -> int:
        """Wait until so many arrived, or for `ARRIVE_S_MAX`; return the number held."""
        deadline = time.monotonic() + ARRIVE_S_MAX
        while (found := self.transitions()) < transitions and time.monotonic() < deadline:
            time.sleep(0.05)
        return found


class Deaf:
    """Accepts connections and never reads from them."""

    def __enter__(self) -> Self:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._socket.close()


def serve() -> None:
    """Run the debugger of that process until standard input ends."""
    store = Store()
    server = Server(store)
    server.start(listen_address("127.0.0.1:0"))
    print(server.addresses[0].port, flush=True)
    for _ in sys.stdin:
        print(store.transitions, flush=True)
    server.stop()


if __name__ == "__main__":
    serve()
