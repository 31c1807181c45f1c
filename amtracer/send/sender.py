"""The sender: a background thread that takes events from the program and sends them.

The program's threads only append to a bounded queue; the deque drops its oldest entry by
itself when it is full, and the numbers of transitions later show how many are missing.
Everything else happens on one daemon thread, started with the first event:

- Connected: every 20 ms, for a file every 250, the queue is emptied into the stream, in
  portions between which the interpreter's lock is offered to the program, and what is due is
  sent.
- Between transitions: several times a second the sender looks what is open in the machines,
  and which log lines wait for a transition that may never come; so a program that stands
  still has reported everything.
- More events come than can be sent: the queue is emptied into a spool where events do not
  make the garbage collector hold up the program (see `amtracer.send.spool`).
- The other side does not read: encoded data waits in a buffer, which holds far more
  than a queue of objects could; when that is full, only the newest few events are kept.
- A stream has no numbers left for machines: when all of it is sent another one begins, in
  the same file or over another connection.
- Not connected: only the newest few events are kept too, and the sender tries to connect
  with growing pauses, without end. Until the first attempt failed nothing is given up.

A program that ends waits until all is sent, for at most a second, or 0.2 s without progress.
When the interpreter shuts down no thread is started and nothing is sent any more. A
forked child starts again, as a session of its own, and never uses what it inherited.

At most one line goes to the log (by default to stderr) for each outage. An outage ends
when a connection has held for a while, so one that breaks again and again is one outage.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable
from time import monotonic, monotonic_ns, sleep, time_ns

from amtracer.encode.stream_writer import StreamFullError
from amtracer.errors import WireError
from amtracer.files.processes import is_worker
from amtracer.send.backlog import BACKLOG_MAX, trim
from amtracer.send.events import Event, Gone, Refused, Waiting
from amtracer.send.recording import Recording
from amtracer.send.sinks import Sink, SinkError
from amtracer.send.spool import Stowed
from amtracer.wire import limits
from amtracer.wire.messages import PROTOCOL_VERSION, HelloMessage

EXIT_S_MAX = 1.0
"""How long the program's exit may wait for the queue to be sent."""
STUCK_S_MAX = 0.2
"""How long it waits while nothing is sent at all."""
RETRY_S_MIN = 0.1
RETRY_S_MAX = 5.0
"""Pauses between two attempts to connect; they double from the least to the most."""
HELD_S = 5.0
"""How long a connection must hold to end an outage."""
_LOOK_EVERY_S = 0.2
"""How often the queue is checked while nothing can be sent and little comes."""
_STUCK_PAUSE_S = 0.005
"""How long it waits at the end before it tries again what the other side did not take."""
_LOOK_S = 0.12
"""How often the sender looks what is open in the machines; or"""
_LOOK_SHARE = 20
"""so many times as long as a look takes, if that is longer."""
_PORTION = 512
"""Events taken between two offers of the interpreter's lock to the program."""
_QUEUED_MAX = 1_024
"""Events in the queue beyond which they are spooled before they are sent."""

_log = logging.getLogger("amtracer")


class Sender:
    """Sends the events of this process to one sink.

    Any thread may `append`, and must `wake` it afterwards if it is `asleep`.
    """

    def __init__(self, sink: Sink, *, queue_max: int = limits.SENDER_QUEUE_MAX) -> None:
        self._sink = sink
        self._queue: deque[Event] = deque(maxlen=queue_max)
        self.append = self._queue.append
        self.looks: Callable[[Sender, bool], Iterable[Event]] | None = None
        """What is open in the machines; whether it is the last look."""
        self._offset_ns = time_ns() - monotonic_ns()
        self._recording = Recording(self._offset_ns, self._warn)
        self._stowed = Stowed(self._let_go, queue_max)
        self._begin()

    def _begin(self) -> None:
        self.asleep = True
        self.ended = False
        self._session = os.urandom(8).hex()
        self._open = False
        self._given_up = False
        self._warned = False
        self._stopping = False
        self._busy = False
        self._untaken: Event | None = None  # it belongs to the next stream
        self._opened_at = 0.0
        self._retry_s = RETRY_S_MIN
        self._retry_at = 0.0
        self._look_at = 0.0
        self._thread: threading.Thread | None = None
        self._called = threading.Event()
        self._starting = threading.Lock()

    # On any thread.

    def wake(self) -> None:
        """Something was appended; start or wake the thread. Never raises, never waits."""
        self.asleep = False
        if self._thread is not None:
            self._called.set()
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
        """Send what is there and end; within `wait_s`, or sooner when it is stuck."""
        self.ended = True
        thread = self._thread
        if thread is None or not thread.is_alive():
            return
        self._stopping = True
        self._called.set()
        now = seen_at = monotonic()
        deadline, seen = now + wait_s, self._sink.sent
        while thread.is_alive() and now < deadline and now - seen_at < STUCK_S_MAX:
            thread.join(0.01)
            now = monotonic()
            if self._sink.sent != seen:
                seen, seen_at = self._sink.sent, now

    def reborn(self) -> None:
        """In a forked child: drop what belongs to the parent and start again."""
        self._sink.drop()
        self._queue.clear()
        self._stowed.clear()
        self._recording.forget()
        self._begin()

    # On the sender thread.

    def _run(self) -> None:
        while not self._stopping:
            self._guarded_round()
            self._rest()
        if not self._open and not self._warned:
            self._guarded_round()
        while self._open and not self._guarded_round():
            sleep(_STUCK_PAUSE_S)
        if self._open:
            self._recording.end()
            self._sink.close()

    def _guarded_round(self) -> bool:
        """One round; an unforeseen error is logged once and costs the stream, not the program."""
        try:
            return self._round()
        except Exception:  # noqa: BLE001  # protects the program: a tracer must not raise into it
            self._break_off("an unforeseen error", lasting=False)
            _log.debug("the sender failed", exc_info=True)
            return False

    def _round(self) -> bool:
        """Move events on; True when nothing is left to do."""
        if not self._open and not self._given_up and monotonic() >= self._retry_at:
            self._connect()
        try:
            if self._open:
                return self._tell()
        except SinkError as error:
            self._break_off(str(error), lasting=error.lasting)
        self._put_off()
        return False

    def _connect(self) -> None:
        try:
            self._sink.open()
            self._open = True
            self._opened_at = monotonic()
            self._recording.begin(self._sink.write, self._hello())
            self._sink.push()
        except SinkError as error:
            self._break_off(str(error), lasting=error.lasting)

    def _tell(self) -> bool:
        """Write everything that waits into the stream and send it."""
        flows = self._sink.push()
        queue, stowed = self._queue, self._stowed
        while (queue or stowed or self._untaken) and self._sink.has_room:
            if self._untaken is not None and not self._renewed():
                break
            if len(queue) > _QUEUED_MAX:
                stowed.put_all(queue)
            for _ in range(_PORTION):
                if self._untaken is not None:
                    break
                if stowed:
                    self._take(stowed.take())
                elif queue:
                    self._take(queue.popleft())
                else:
                    break
            flows = flows and self._sink.push()
            sleep(0)
        if self._untaken is not None or not self._sink.has_room:
            if not self._stopping:
                trim(queue, self._let_go)
            return False
        if self._stopping and not queue:
            self._look(last=True)
            self._recording.finish()
        elif monotonic() >= self._look_at:
            self._look(last=False)
        self._recording.flush()
        return flows and self._sink.push() and not queue

    def _look(self, *, last: bool) -> None:
        """Send what no transition contains: lines that wait for one, and what is open."""
        began = monotonic()
        self._recording.tell_waiting()
        for event in self.looks(self, last) if self.looks is not None else ():
            self._take(event)
        took = monotonic() - began
        self._look_at = began + max(_LOOK_S, _LOOK_SHARE * took)

    def _take(self, event: Event) -> None:
        try:
            self._recording.take(event)
        except StreamFullError:
            self._recording.flush()
            self._recording.end()
            self._untaken = event
        except WireError as error:
            self._warn(f"something cannot be sent: {error}")

    def _renewed(self) -> bool:
        """Begin the next stream with what has no room in this one, once that is sent."""
        if not self._sink.renew():
            return False
        self._recording.begin(self._sink.write, self._hello())
        event, self._untaken = self._untaken, None
        assert event is not None  # somebody asked for another stream
        self._take(event)
        return True

    def _put_off(self) -> None:
        """Keep what came, or drop it when nothing will ever be sent."""
        self._busy = len(self._queue) > BACKLOG_MAX
        self._stowed.keep(0 if self._given_up else BACKLOG_MAX)
        if self._given_up:
            self._queue.clear()
        else:
            trim(self._queue, self._let_go)

    def _let_go(self, event: Event) -> None:
        """Skip an event, but keep what no other has: an end, what waits or was refused."""
        if type(event) in (Gone, Refused, Waiting):
            self._recording.take(event)

    def _break_off(self, reason: str, *, lasting: bool) -> None:
        now = monotonic()
        if self._open and now - self._opened_at >= HELD_S:
            self._warned = False
            self._retry_s = RETRY_S_MIN
        self._open = False
        self._given_up = lasting
        self._recording.end()
        if self._untaken is not None:
            self._recording.take(self._untaken)
            self._untaken = None
        self._sink.drop()
        self._retry_at = now + self._retry_s
        self._retry_s = min(2 * self._retry_s, RETRY_S_MAX)
        what = "nothing more is recorded" if lasting else "trying again in the background"
        self._warn(f"{self._sink.trouble} {self._sink.name} ({reason}); {what}")

    def _rest(self) -> None:
        """Wait for the next events: together with others, or for the first one."""
        if self._queue or self._stowed:
            pause = self._sink.batch_s if self._open or self._busy else _LOOK_EVERY_S
            self._called.wait(pause)
            self._called.clear()
            return
        self.asleep = True
        if not self._queue and not self._stopping:
            self._called.wait(self._idle_s())
        self.asleep = False
        self._called.clear()
        if self._queue and self._open and not self._stopping:
            self._called.wait(self._sink.batch_s)  # the first of many

    def _idle_s(self) -> float | None:
        if self._open:
            until_look = max(0.0, self._look_at - monotonic())
            idle_s = self._sink.idle_s
            return until_look if idle_s is None else min(idle_s, until_look)
        return None if self._given_up else max(0.0, self._retry_at - monotonic())

    def _warn(self, text: str) -> None:
        if not self._warned:
            self._warned = True
            _log.warning("amtracer: %s", text)

    def _hello(self) -> HelloMessage:
        facts = {
            "pid": str(os.getpid()),
            "program": os.path.basename(sys.argv[0]) if sys.argv else "",
            "python": sys.version.partition(" ")[0],
        }
        mono_ns = monotonic_ns()
        return HelloMessage(
            PROTOCOL_VERSION, self._session, mono_ns + self._offset_ns, mono_ns, "py", facts
        )


def _close_with_multiprocessing(sender: Sender) -> None:
    """A child of `multiprocessing` ends without the usual exit, but does its own."""
    util = sys.modules.get("multiprocessing.util")
    if util is not None and is_worker():
        util.Finalize(None, sender.close, exitpriority=0)
