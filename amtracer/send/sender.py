"""The sender: a background thread that takes events from the program and sends them.

The program's threads only append to a bounded queue. A full queue drops its oldest entry, and
the numbers of transitions later show how many are missing. Everything else happens on one
daemon thread, which the first event starts:

- Connected: every 20 ms (for a file, every 250 ms) the sender empties the queue into the
  stream and sends what is due. Between two portions it releases the interpreter's lock.
- Between transitions: several times a second the sender polls the machines for open work, and
  for log lines that wait for a transition that may never come. So everything that an idle
  program has done is sent.
- More events come than can be sent: the sender moves the queue into a spool, in which events
  do not make the garbage collector stop the program for long (see `amtracer.send.spool`).
- The other side does not read: encoded data waits in a buffer, which holds far more
  transitions than a queue of objects. If the buffer is full, only the newest events are kept.
- A stream has no numbers left for machines: when all of it is sent, another stream begins, in
  the same file or over another connection.
- Not connected: only the newest events are kept, and the sender tries to connect again and
  again with growing pauses. Before the first attempt has failed, nothing is dropped.

A program that ends waits until all is sent, for at most a second, or 0.2 s without progress.
When the interpreter shuts down, no thread is started and nothing more is sent. A forked child
starts again as a session of its own and never uses what it inherited.

The sender logs at most one line (by default to stderr) for each outage. An outage ends when a
connection has held for a while, so a connection that breaks again and again is one outage.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from time import monotonic, monotonic_ns, sleep, time_ns
from zlib import crc32

from amtracer.encode.stream_writer import StreamFullError
from amtracer.errors import WireError
from amtracer.files.processes import is_worker
from amtracer.send.backlog import BACKLOG_MAX, trim
from amtracer.send.event_writer import EventWriter
from amtracer.send.events import GoneEvent, RefusedEvent, TracerEvent, WaitingLinesEvent
from amtracer.send.sinks import Sink, SinkError
from amtracer.send.spool import Spool
from amtracer.wire import limits
from amtracer.wire.messages import PROTOCOL_VERSION, HelloMessage

EXIT_S_MAX = 1.0
"""How long the program's exit may wait for the queue to be sent."""
STUCK_S_MAX = 0.2
"""How long it waits while nothing is sent at all."""
RETRY_S_MIN = 0.1
RETRY_S_MAX = 5.0
"""Pauses between two attempts to connect; each is twice as long as the one before."""
STABLE_S = 5.0
"""How long a connection must hold to end an outage."""
_OFFLINE_POLL_S = 0.2
"""How often the queue is checked while nothing can be sent and few events come."""
_EXIT_RETRY_S = 0.005
"""Pause at the program's exit before bytes that the other side did not take are sent again."""
_POLL_S = 0.12
"""Pause between two polls of the machines for open work and waiting lines; or"""
_POLL_FACTOR = 20
"""this many times the duration of a poll, if that is longer."""
_PORTION = 512
"""Events written before the interpreter's lock is released for the program."""
_QUEUED_MAX = 1_024
"""Events in the queue above which they are spooled before they are sent."""

_log = logging.getLogger("amtracer")


class Sender:
    """Sends the events of this process to one sink.

    Any thread may `append`, and must `wake` it afterwards if it is `asleep`.
    """

    def __init__(self, sink: Sink, *, queue_max: int = limits.SENDER_QUEUE_MAX) -> None:
        self._sink = sink
        self._queue: deque[TracerEvent] = deque(maxlen=queue_max)
        self.append: Callable[[TracerEvent], object] = self._queue.append
        self.open_work_reader: Callable[[Sender, bool], Iterable[TracerEvent]] | None = None
        """Returns the open work of the machines; the flag says whether it is the last poll."""
        self._offset_ns = time_ns() - monotonic_ns()
        self._writer = EventWriter(self._offset_ns, self._warn)
        self._spool = Spool(self._on_dropped, queue_max)
        self._begin()

    def _begin(self) -> None:
        self.asleep: bool = True
        self.ended: bool = False
        self._session = os.urandom(8).hex()
        self._open = False
        self._given_up = False
        self._warned = False
        self._stopping = False
        self._busy = False
        self._next_event: TracerEvent | None = None  # the first of the next stream
        self._opened_at = 0.0
        self._retry_s = RETRY_S_MIN
        self._retry_at = 0.0
        self._poll_at = 0.0
        self._thread: threading.Thread | None = None
        self._wakeup = threading.Event()
        self._starting = threading.Lock()

    # On any thread.

    def wake(self) -> None:
        """Start or wake the thread after an append. Never raises, never waits."""
        self.asleep = False
        if self._thread is not None:
            self._wakeup.set()
        elif not self.ended:
            self._start()

    def _start(self) -> None:
        with self._starting:
            if self._thread is not None:
                return
            self._thread = threading.Thread(target=self._run, name="amtracer", daemon=True)
            try:
                self._thread.start()
            except RuntimeError:  # the interpreter shuts down, so no report is possible
                self.ended = True
                return
        _close_with_multiprocessing(self)

    def close(self, wait_s: float = EXIT_S_MAX) -> None:
        """Send what is queued and end, within `wait_s`, or sooner if nothing is sent."""
        self.ended = True
        thread = self._thread
        if thread is None or not thread.is_alive():
            return
        self._stopping = True
        self._wakeup.set()
        now = progress_at = monotonic()
        deadline, sent = now + wait_s, self._sink.sent
        while thread.is_alive() and now < deadline and now - progress_at < STUCK_S_MAX:
            thread.join(0.01)
            now = monotonic()
            if self._sink.sent != sent:
                sent, progress_at = self._sink.sent, now

    def restart_in_child(self) -> None:
        """In a forked child: drop what belongs to the parent and start again."""
        self._sink.drop()
        self._queue.clear()
        self._spool.clear()
        self._writer.forget()
        self._begin()

    # On the sender thread.

    def _run(self) -> None:
        while not self._stopping:
            self._guarded_round()
            self._wait()
        if not self._open and not self._warned:
            self._guarded_round()
        while self._open and not self._guarded_round():
            sleep(_EXIT_RETRY_S)
        if self._open:
            self._writer.end()
            self._sink.close()

    def _guarded_round(self) -> bool:
        """One round; an unforeseen error is logged once and costs the stream, not the program."""
        try:
            return self._round()
        except Exception:  # noqa: BLE001  # protects the program: a tracer must not raise into it
            self._disconnect("an unforeseen error", lasting=False)
            _log.debug("the sender failed", exc_info=True)
            return False

    def _round(self) -> bool:
        """Move events on; True when nothing is left to do."""
        if not self._open and not self._given_up and monotonic() >= self._retry_at:
            self._connect()
        try:
            if self._open:
                return self._send()
        except SinkError as error:
            self._disconnect(str(error), lasting=error.lasting)
        self._keep_newest()
        return False

    def _connect(self) -> None:
        try:
            self._sink.open()
            self._open = True
            self._opened_at = monotonic()
            self._writer.begin(self._sink.write, self._hello())
            self._sink.push()
        except SinkError as error:
            self._disconnect(str(error), lasting=error.lasting)

    def _send(self) -> bool:
        """Write all waiting events into the stream and send it."""
        flows = self._sink.push()
        queue, spool = self._queue, self._spool
        while (queue or spool or self._next_event) and self._sink.has_room:
            if self._next_event is not None and not self._begin_next_stream():
                break
            if len(queue) > _QUEUED_MAX:
                spool.put_all(queue)
            for _ in range(_PORTION):
                if self._next_event is not None:
                    break
                if spool:
                    self._write(spool.take())
                elif queue:
                    self._write(queue.popleft())
                else:
                    break
            flows = flows and self._sink.push()
            sleep(0)
        if self._next_event is not None or not self._sink.has_room:
            if not self._stopping:
                trim(queue, self._on_dropped)
            return False
        if self._stopping and not queue:
            self._poll(last=True)
            self._writer.finish()
        elif monotonic() >= self._poll_at:
            self._poll(last=False)
        self._writer.flush()
        return flows and self._sink.push() and not queue

    def _poll(self, *, last: bool) -> None:
        """Write what no transition contains: lines that wait for one, and open work."""
        began = monotonic()
        self._writer.write_waiting_lines()
        read = self.open_work_reader
        for event in read(self, last) if read is not None else ():
            self._write(event)
        took = monotonic() - began
        self._poll_at = began + max(_POLL_S, _POLL_FACTOR * took)

    def _write(self, event: TracerEvent) -> None:
        try:
            self._writer.write(event)
        except StreamFullError:
            self._writer.flush()
            self._writer.end()
            self._next_event = event
        except WireError as error:
            self._warn(f"an event cannot be sent: {error}")

    def _begin_next_stream(self) -> bool:
        """Begin the next stream with the event that had no room, once this one is sent."""
        if not self._sink.renew():
            return False
        self._writer.begin(self._sink.write, self._hello())
        event, self._next_event = self._next_event, None
        assert event is not None  # it made the next stream necessary
        self._write(event)
        return True

    def _keep_newest(self) -> None:
        """Keep the newest events, or none if nothing will ever be sent."""
        self._busy = len(self._queue) > BACKLOG_MAX
        self._spool.keep(0 if self._given_up else BACKLOG_MAX)
        if self._given_up:
            self._queue.clear()
        else:
            trim(self._queue, self._on_dropped)

    def _on_dropped(self, event: TracerEvent) -> None:
        """Drop an event; keep what no later event repeats: ends, waiting lines, refusals."""
        if type(event) in (GoneEvent, RefusedEvent, WaitingLinesEvent):
            self._writer.write(event)

    def _disconnect(self, reason: str, *, lasting: bool) -> None:
        now = monotonic()
        if self._open and now - self._opened_at >= STABLE_S:
            self._warned = False
            self._retry_s = RETRY_S_MIN
        self._open = False
        self._given_up = lasting
        self._writer.end()
        if self._next_event is not None:
            self._writer.write(self._next_event)
            self._next_event = None
        self._sink.drop()
        self._retry_at = now + self._retry_s
        self._retry_s = min(2 * self._retry_s, RETRY_S_MAX)
        what = "nothing more is recorded" if lasting else "trying again in the background"
        self._warn(f"{self._sink.trouble} {self._sink.name} ({reason}); {what}")

    def _wait(self) -> None:
        """Wait until more events have gathered, or for the first one."""
        if self._queue or self._spool:
            pause = self._sink.batch_s if self._open or self._busy else _OFFLINE_POLL_S
            self._wakeup.wait(pause)
            self._wakeup.clear()
            return
        self.asleep = True
        if not self._queue and not self._stopping:
            self._wakeup.wait(self._idle_s())
        self.asleep = False
        self._wakeup.clear()
        if self._queue and self._open and not self._stopping:
            self._wakeup.wait(self._sink.batch_s)  # more follow the first

    def _idle_s(self) -> float | None:
        if self._open:
            until_poll = max(0.0, self._poll_at - monotonic())
            idle_s = self._sink.idle_s
            return until_poll if idle_s is None else min(idle_s, until_poll)
        return None if self._given_up else max(0.0, self._retry_at - monotonic())

    def _warn(self, text: str) -> None:
        if not self._warned:
            self._warned = True
            _log.warning("amtracer: %s", text)

    def _hello(self) -> HelloMessage:
        facts = {
            "pid": str(os.getpid()),
            "program": program_name(sys.argv),
            "python": sys.version.partition(" ")[0],
        }
        if path_hash := program_path_hash(sys.modules.get("__main__")):
            facts["path hash"] = path_hash
        mono_ns = monotonic_ns()
        return HelloMessage(
            PROTOCOL_VERSION, self._session, mono_ns + self._offset_ns, mono_ns, "py", facts
        )


def program_name(argv: Sequence[str]) -> str:
    """The name of a program: its file, or its package if it was started with `python -m`."""
    folder, name = os.path.split(argv[0] if argv else "")
    return os.path.basename(folder) if name == "__main__.py" and folder else name


def program_path_hash(main: object) -> str:
    """A short hash of the path of a program; empty if it has no file.

    It distinguishes programs whose files have the same name, and does not show where they are.
    """
    path = getattr(main, "__file__", None)
    return f"{crc32(os.fsencode(path)):08x}" if path else ""


def _close_with_multiprocessing(sender: Sender) -> None:
    """Register the sender with `multiprocessing`, whose children skip the usual exit."""
    util = sys.modules.get("multiprocessing.util")
    if util is not None and is_worker():
        util.Finalize(None, sender.close, exitpriority=0)
