"""The command `am-dbg record`: writes what programs send into a session file."""

from __future__ import annotations

import logging

from am_dbg.egress.export import ExportResult, export_session
from am_dbg.egress.live_recording import LiveRecording
from am_dbg.ingest.golang.protocol import GoProtocol
from am_dbg.ingest.listen import notice_of
from am_dbg.ingest.memory import MEGABYTE, MEMORY_MB_MAX_DEFAULT
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
) -> ExportResult:
    """Listen until `wait` returns and write everything that came.

    OUT grows during the recording. If this command is killed, OUT is cut but readable. To
    let a program record itself, set AM_DBG_FILE in its environment.
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

    with until_asked_to_end() as wait:
        written = collect(
            listen_address(listen_on),
            target,
            wait,
            listening,
            token=asked,
            warned=write_message,
            bytes_max=max_mem * MEGABYTE,
        )
    report_written(target, written)
    return Exit.DONE
