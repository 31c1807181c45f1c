"""Records what programs send into a session file, without a screen.

The file grows while programs send, so a kill loses only the last moment of the session. At the
end the file is written again from the store, which keeps the streams of the programs apart. The
grown file stays if this fails, or if the store dropped data to keep its limits.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from am_dbg.egress.export import ExportResult, export_session
from am_dbg.egress.live_recording import LiveRecording
from am_dbg.ingest.golang.protocol import GoProtocol
from am_dbg.ingest.listen import notice_of
from am_dbg.ingest.memory import (
    DISK_MB_MAX_DEFAULT,
    MEGABYTE,
    MEMORY_MB_MAX_DEFAULT,
    use_disk,
)
from am_dbg.ingest.server import Server
from am_dbg.store import Store
from amtracer.address import Address


def collect(
    address: Address,
    path: str,
    wait: Callable[[], None],
    listening: Callable[[str], None] = lambda _: None,
    *,
    token: bytes = b"",
    warned: Callable[[str], None] = lambda _: None,
    bytes_max: int = MEMORY_MB_MAX_DEFAULT * MEGABYTE,
    disk_max: int = DISK_MB_MAX_DEFAULT * MEGABYTE,
) -> ExportResult:
    """Listen until `wait` returns, and write everything that was received.

    `listening` is called with the address once the file exists and programs can connect.
    `warned` is called with lines for the user, also from the ingest thread. Raises
    `ListenError` if the address is taken, and a `SessionError` if the file cannot be written.
    """
    store = Store(bytes_max)
    recording = LiveRecording(store, warned)
    server = Server(
        store, recording.write_new, protocols=(GoProtocol(),), token=token, warned=warned
    )

    def make_room() -> None:
        recording.write_new()
        server.free_memory(store)

    store.on_overflow = make_room
    use_disk(store, disk_max, before_drop=recording.write_new, warned=warned)
    server.start(address)
    try:
        server.call(lambda: recording.open(path)).result()
        listening(", ".join(dict.fromkeys(map(str, server.addresses))))
        notice = notice_of(server.addresses, has_token=bool(token))
        if notice:
            warned(notice)
        wait()
    finally:
        server.stop()
        recording.close()
    if store.is_whole:
        return export_session(store, path)
    return ExportResult(store.arrived, store.taken, os.stat(path).st_size)


@contextmanager
def until_asked_to_end() -> Iterator[Callable[[], None]]:
    """A wait that ends with an interrupt, a request to terminate or the end of the terminal.

    For the main thread.
    """
    asked = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        asked.set()

    before = {number: signal.signal(number, end) for number in _ending()}
    try:
        yield lambda: _wait(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _ending() -> list[signal.Signals]:
    """The signals that end the wait; SIGHUP is one unless it was ignored, as by `nohup`."""
    hangup = getattr(signal, "SIGHUP", None)
    is_heeded = hangup is not None and signal.getsignal(hangup) is not signal.SIG_IGN
    return [signal.SIGINT, signal.SIGTERM, *([hangup] if hangup and is_heeded else [])]


def _wait(asked: threading.Event) -> None:
    """Wait in steps, because on some systems a wait without a limit delays signal handlers."""
    while not asked.wait(1.0):
        continue
