"""Writes data into a session file as it arrives.

Streams arrive mixed, and a file can hold streams only one after another, so all of them become
one stream in the file. If it has no numbers left for machines, another stream follows. So this
file has less than an export: the programs of the machines are missing. But if the debugger is
killed, the file exists: cut, with everything that was written before. It is of session format 3,
with whole chunks of the store as far as these are there.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from am_dbg.egress.live_record_stream import LiveRecordStream
from am_dbg.egress.live_replay import LiveReplay
from am_dbg.egress.record_stream import ChunkReplay
from am_dbg.egress.recording_file import RecordingFile
from am_dbg.store import Store
from amtracer.encode.stream_writer import StreamFullError
from amtracer.errors import SessionError, WireError
from amtracer.files.atomic import shown
from amtracer.wire.messages import PROTOCOL_VERSION, HelloMessage

ROWS_AT_ONCE_MAX = 10_000
"""Transitions that are written at once, if more follow."""


class LiveRecording:
    """A session file that grows with a store, from `open` to `close`.

    An error of the file while it grows is reported once to `warned` and ends the recording; the
    server continues. One thread at a time.
    """

    def __init__(self, store: Store, warned: Callable[[str], None]) -> None:
        self._replay: LiveReplay[LiveRecordStream] = LiveReplay(store, ChunkReplay)
        self._warned = warned
        self._writer: RecordingFile | None = None
        self._streams = 0

    def open(self, path: str) -> None:
        """Create the file; `SessionAccessError` if it cannot be written."""
        writer = RecordingFile(path)
        if writer.set_aside:
            self._warned(f"the earlier recording is kept as {shown(writer.set_aside)}")
        self._session = f"recorded-{os.urandom(8).hex()}"
        self._begin(writer, whole=True)
        self._stream.flush()
        self._writer = writer

    def _begin(self, writer: RecordingFile, *, whole: bool) -> None:
        """Begin the next stream of the file."""
        hello = HelloMessage(
            PROTOCOL_VERSION,
            self._session,
            time.time_ns(),
            time.monotonic_ns(),
            process={"program": "am-dbg", "pid": str(os.getpid())},
        )
        self._stream = LiveRecordStream(writer, self._streams, hello)
        self._streams += 1
        self._replay.begin(self._stream, whole=whole)

    def write_new(self) -> None:
        """Write what is new; it is in the file when this returns."""
        writer = self._writer
        if writer is None:
            return
        try:
            while self._write_some(writer):
                continue
        except (SessionError, WireError) as error:
            self._warned(f"the recording stops until the end: {error}")
            self._writer = None
            writer.release()

    def _write_some(self, writer: RecordingFile) -> bool:
        """Write a part of what is new; return whether there was any."""
        try:
            return self._replay.send(ROWS_AT_ONCE_MAX)
        except StreamFullError:
            self._stream.flush()
            self._stream.join()
            self._begin(writer, whole=False)
            return True

    def close(self) -> None:
        """Complete the file; a second call does nothing, and a full disk is no error."""
        writer, self._writer = self._writer, None
        if writer is None:
            return
        try:
            self._stream.flush()
            self._stream.join()
            writer.close()
        except (SessionError, WireError) as error:
            self._warned(f"the recording stays cut: {error}")
            writer.release()
