"""The sender thread: outages, stuck peers, exits; the program is never disturbed."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

import machine as am
from amtracer.errors import WireError
from amtracer.send import sender as sender_module
from amtracer.send.backlog import trim
from amtracer.send.events import TICKS_MASK
from amtracer.send.sender import Sender, program_name, program_path_hash
from amtracer.send.sinks import SinkError
from amtracer.tracer import MachineTracer
from amtracer.wire import limits
from amtracer.wire.codec import encode
from amtracer.wire.messages import BatchMessage, HelloMessage, Message, StringsMessage
from tests.wire.streams import StreamReader, read_back
from tests.wire.tracing import FakeSender

WAIT_S = 20


class Sink:
    """A destination that does what a test wants."""

    trouble = "cannot reach"
    idle_s: float | None = 0.01
    batch_s = 0.03

    def __init__(self) -> None:
        self.name = "nowhere"
        self.sent = 0
        self.refusal: SinkError | None = None
        self.stuck = False
        self.streams: list[list[Message]] = []
        self.unsent: list[Message] = []
        self.attempts = 0
        self.closed = 0
        self.threads: set[str] = set()
        self._changed = threading.Condition()

    def open(self) -> None:
        with self._noticed():
            self.attempts += 1
            if self.refusal is not None:
                raise self.refusal
            self.streams.append([])
            self.unsent.clear()

    def write(self, message: Message) -> None:
        encode(message)
        self.unsent.append(message)

    @property
    def has_room(self) -> bool:
        return len(self.unsent) < 100

    def push(self) -> bool:
        with self._noticed():
            if self.refusal is not None:
                raise self.refusal
            if self.stuck:
                return False
            self.streams[-1] += self.unsent
            self.sent += len(self.unsent)
            self.unsent.clear()
            return True

    def renew(self) -> bool:
        if not self.push():
            return False
        self.close()
        self.open()
        return True

    def close(self) -> None:
        with self._noticed():
            self.push()
            self.closed += 1

    def drop(self) -> None:
        self.unsent.clear()

    def _noticed(self) -> Any:
        self.threads.add(threading.current_thread().name)
        sink = self

        class Noticed:
            def __enter__(self) -> None:
                sink._changed.acquire()

            def __exit__(self, *_: object) -> None:
                sink._changed.notify_all()
                sink._changed.release()

        return Noticed()

    def set(self, **values: object) -> None:
        """Change how it behaves."""
        with self._changed:
            for name, value in values.items():
                setattr(self, name, value)

    def wait_for(self, happened: Callable[[], object]) -> None:
        with self._changed:
            assert self._changed.wait_for(happened, WAIT_S)

    def read(self, stream: int = -1) -> StreamReader:
        return read_back(self.streams[stream])

    def count(self) -> int:
        """Transitions of the first machine in the newest stream."""
        return len(self.read().transitions.get(0, [])) if self.streams else 0


@pytest.fixture
def sink() -> Sink:
    return Sink()


@pytest.fixture
def sender(sink: Sink, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sender]:
    """A sender that tries again at once."""
    monkeypatch.setattr(sender_module, "RETRY_S_MIN", 0.001)
    monkeypatch.setattr(sender_module, "RETRY_S_MAX", 0.002)
    monkeypatch.setattr(sender_module, "_OFFLINE_POLL_S", 0.001)
    made = Sender(sink)
    yield made
    sink.set(refusal=None, stuck=False)
    made.close()


def test_a_full_stream_is_followed_by_another_when_all_of_it_is_out(
    sink: Sink, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the other side does not read, what belongs to the next stream waits."""
    monkeypatch.setattr(limits, "MACHINES_PER_CONNECTION_MAX", 3)
    machines = [traced(sender, str(at)) for at in range(3)]
    machines[0].add1("M")
    sink.wait_for(lambda: sink.count() == 1)
    for mach in machines[:2]:
        mach.dispose_force()
    sink.wait_for(lambda: not sink.unsent)
    sink.set(stuck=True)
    machines.append(traced(sender, "new"))
    machines[-1].add1("M")
    machines[2].add1("M")
    assert len(sink.streams) == 1
    sink.set(stuck=False)
    sink.wait_for(lambda: len(sink.streams) == 2 and len(sink.read().transitions) == 2)

    assert [one.id for one in sink.read(0).machines] == ["0", "1", "2"]
    assert [one.id for one in sink.read().machines] == ["2", "new"]
    assert sink.closed == 1


def test_an_outage_while_a_stream_is_followed_by_another_counts_what_waits(
    sink: Sink, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine is sent in the next stream, with its ticks at that time."""
    monkeypatch.setattr(limits, "MACHINES_PER_CONNECTION_MAX", 1)
    first = traced(sender, "first")
    first.add1("M")
    sink.wait_for(lambda: sink.count() == 1)
    first.dispose_force()
    sink.set(stuck=True)
    second = traced(sender, "second")
    second.add1("M")
    sink.wait_for(lambda: sender._next_event is not None)
    sink.set(refusal=SinkError("gone"), stuck=False)
    sink.wait_for(lambda: sink.attempts > 2)
    sink.set(refusal=None)
    sink.wait_for(lambda: len(sink.streams) == 2 and sink.read().machines)

    assert sink.read().machines[0].id == "second"


def traced(sender: Sender, name: str = "m") -> am.Machine:
    """A machine that is traced from its start."""
    mach = am.Machine(None, {"M": am.State(multi=True)}, id=name)
    tracer = MachineTracer(mach, sender)
    tracer.send_snapshot(mach)
    mach.bind_tracer(tracer)
    return mach


@pytest.fixture
def mach(sender: Sender) -> am.Machine:
    return traced(sender)


def toggle(mach: am.Machine, times: int) -> None:
    for _ in range(times):
        mach.add1("M")


def fill(sink: Sink, sender: Sender, mach: am.Machine) -> None:
    """Bring out so much that there is no room for more."""
    while sink.has_room:
        toggle(mach, 200)
        sink.wait_for(lambda: not sender._queue or not sink.has_room)


def tried(sink: Sink, attempts: int) -> bool:
    return sink.attempts >= attempts


def reached(sink: Sink, row: int) -> bool:
    return bool(sink.streams) and sink.read().rows == [row]


def test_everything_goes_out_on_a_thread_of_its_own(mach: am.Machine, sink: Sink) -> None:
    """The program's thread never touches the sink."""
    toggle(mach, 1_000)
    sink.wait_for(lambda: sink.count() == 1_000)

    assert sink.threads == {"amtracer"}
    assert isinstance(sink.streams[0][0], HelloMessage)


def test_no_thread_runs_before_the_first_event(sender: Sender, sink: Sink) -> None:
    """A sender nobody uses costs nothing."""
    before = threading.active_count()
    assert sender.asleep
    sender.close()

    assert threading.active_count() == before
    assert sink.attempts == 0


def test_it_tries_again_until_somebody_listens(
    sender: Sender, sink: Sink, caplog: pytest.LogCaptureFixture
) -> None:
    """An outage is logged in one line, after any number of attempts."""
    sink.set(refusal=SinkError("refused"))
    mach = traced(sender)
    toggle(mach, 10)
    sink.wait_for(lambda: sink.attempts >= 5)
    sink.set(refusal=None)
    toggle(mach, 10)
    sink.wait_for(lambda: sink.count() == 20)

    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "cannot reach nowhere (refused); trying again in the background" in caplog.text


def test_after_an_outage_the_story_goes_on(mach: am.Machine, sink: Sink) -> None:
    """A new stream has everything defined again, and its rows follow."""
    toggle(mach, 10)
    sink.wait_for(lambda: sink.count() == 10)
    sink.set(refusal=SinkError("reset"))
    toggle(mach, 10)
    sink.wait_for(lambda: sink.attempts >= 2)
    sink.set(refusal=None)
    toggle(mach, 10)
    sink.wait_for(lambda: len(sink.streams) == 2 and sink.read().rows == [30])

    assert sink.read().machines[0].row in range(10, 31)
    sessions = {stream[0].session for stream in sink.streams if stream}  # type: ignore[union-attr]
    assert len(sessions) == 1


def test_outages_after_a_steady_connection_are_logged_again(
    mach: am.Machine,
    sink: Sink,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One line for each outage; a connection that breaks again and again is one."""
    for held_s, lines in ((1_000, 1), (0, 3)):
        monkeypatch.setattr(sender_module, "STABLE_S", held_s)
        for _ in range(2):
            sink.set(refusal=SinkError("reset"))
            toggle(mach, 1)
            sink.wait_for(partial(tried, sink, sink.attempts + 2))
            sink.set(refusal=None)
            rows = mach.tx_number
            toggle(mach, 1)
            sink.wait_for(partial(reached, sink, rows + 1))
        assert len(caplog.records) == lines


def test_who_does_not_read_is_waited_for(mach: am.Machine, sink: Sink) -> None:
    """A slow debugger gets everything once it reads, on the same connection."""
    sink.set(stuck=True)
    toggle(mach, 5_000)
    sink.wait_for(lambda: sink.unsent)
    sink.set(stuck=False)
    sink.wait_for(lambda: sink.count() == 5_000)

    assert len(sink.streams) == 1
    assert sink.read().dropped == []


@pytest.mark.parametrize("step", ["open", "write", "push"])
def test_a_sink_that_blocks_holds_up_no_mutation(
    sender: Sender, sink: Sink, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """The machine does all it wants while the sender is stuck in one call."""
    stuck, may_go_on = threading.Event(), threading.Event()
    real = getattr(sink, step)

    def blocking(*args: Any) -> Any:
        stuck.set()
        assert may_go_on.wait(WAIT_S)
        return real(*args)

    monkeypatch.setattr(sink, step, blocking)
    mach = traced(sender)
    assert stuck.wait(WAIT_S)
    toggle(mach, 20_000)

    assert mach.tick("M") == 2 * 20_000 - 1
    assert not may_go_on.is_set()
    may_go_on.set()
    sink.wait_for(lambda: reached(sink, 20_000))


class Waits:
    """In place of the event a sender waits on: notes how long, and lets something happen."""

    def __init__(self, *meanwhile: Callable[[], object]) -> None:
        self.limits: list[float | None] = []
        self._meanwhile = list(meanwhile)

    def wait(self, limit: float | None) -> None:
        self.limits.append(limit)
        if self._meanwhile:
            self._meanwhile.pop(0)()

    def clear(self) -> None:
        """It is never set."""

    set = clear


def rest(sender: Sender, *meanwhile: Callable[[], object]) -> list[float | None]:
    """For how long a sender waits before its next round, all that happens meanwhile done."""
    waits = Waits(*meanwhile)
    sender._wakeup = waits  # type: ignore[assignment]
    sender._thread = threading.current_thread()
    sender._wait()
    sender._thread = None
    return waits.limits


def test_the_first_event_waits_for_others(sender: Sender, sink: Sink) -> None:
    """An idle sender that is woken waits once more, so that what comes next goes out with it."""
    sender._thread = threading.current_thread()
    mach = traced(sender)
    sender._round()
    limits_s = rest(sender, lambda: toggle(mach, 1), lambda: toggle(mach, 9))
    sender._round()

    assert limits_s == [sink.idle_s, sink.batch_s]
    batches = [one for one in sink.streams[0] if isinstance(one, BatchMessage)]
    assert [len(one.shapes) for one in batches] == [10]


def test_what_came_during_a_round_waits_for_others_once(sender: Sender, sink: Sink) -> None:
    """A sender that is busy comes round every so often."""
    sender._thread = threading.current_thread()
    mach = traced(sender)
    sender._round()
    toggle(mach, 1)

    assert rest(sender, lambda: toggle(mach, 9)) == [sink.batch_s]


def test_nothing_is_waited_for_when_nothing_can_go_out(sender: Sender, sink: Sink) -> None:
    """Without a debugger there is no batch to fill; a sender that ends does not wait either."""
    sender._thread = threading.current_thread()
    mach = traced(sender)
    sender._queue.clear()
    assert len(rest(sender, lambda: toggle(mach, 1))) == 1

    sender._queue.clear()
    sender._open = sender._stopping = True
    assert rest(sender, lambda: toggle(mach, 1)) == []
    sender._open = sender._stopping = False


@pytest.mark.parametrize(
    ("sent_each_look", "expected"), [(0, sender_module.STUCK_S_MAX), (1, sender_module.EXIT_S_MAX)]
)
def test_the_end_of_a_program_waits_for_so_long(
    sink: Sink, monkeypatch: pytest.MonkeyPatch, sent_each_look: int, expected: float
) -> None:
    """A second while something goes out, less when nothing does, by whatever clock."""
    now = 0.0

    class Busy:
        """A thread that never ends."""

        def is_alive(self) -> bool:
            return True

        def join(self, wait_s: float) -> None:
            nonlocal now
            now += wait_s
            sink.sent += sent_each_look

    monkeypatch.setattr(sender_module, "monotonic", lambda: now)
    sender = Sender(sink)
    sender._thread = Busy()  # type: ignore[assignment]
    sender.close()

    assert expected <= now < expected + 0.02


def test_a_full_queue_loses_the_oldest_and_counts(sink: Sink) -> None:
    """What the program did beyond the limit is a gap of the right length."""
    sender = Sender(sink, queue_max=100)
    mach = am.Machine(None, {"M": am.State(multi=True)}, id="m")
    tracer = MachineTracer(mach, sender)
    mach.bind_tracer(tracer)
    sender.asleep = False
    toggle(mach, 1_000)
    sender.asleep = True
    tracer.send_snapshot(mach)
    sink.wait_for(lambda: sink.streams and sink.read().rows == [1_000])
    sender.close()

    assert sink.read().machines[0].row == 959
    assert len(sink.read().transitions[0]) == 41


def test_a_lasting_trouble_ends_the_recording(
    sender: Sender, sink: Sink, caplog: pytest.LogCaptureFixture
) -> None:
    """A file that cannot be written is logged once, and nothing is kept for it."""
    sink.set(refusal=SinkError("no space left", lasting=True))
    mach = traced(sender)
    sink.wait_for(lambda: sink.attempts)
    sink.set(refusal=None)
    toggle(mach, 10)
    sender.close()

    assert sink.attempts == 1
    assert "(no space left); nothing more is recorded" in caplog.text


def test_an_unforeseen_error_costs_the_stream_only(
    mach: am.Machine, sink: Sink, caplog: pytest.LogCaptureFixture
) -> None:
    """An error of the sender is logged in one line, and a new stream begins."""
    caplog.set_level(logging.WARNING)
    sink.wait_for(lambda: sink.streams)
    sink.set(refusal=ZeroDivisionError())
    toggle(mach, 1)
    sink.wait_for(lambda: sink.attempts >= 2)
    sink.set(refusal=None)
    toggle(mach, 1)
    sink.wait_for(lambda: len(sink.streams) >= 2 and sink.read().rows == [2])

    assert len(caplog.records) == 1


def test_closing_brings_everything_out(mach: am.Machine, sender: Sender, sink: Sink) -> None:
    """What was done before the end arrives, and the stream ends well."""
    toggle(mach, 5_000)
    sender.close()

    assert sink.count() == 5_000
    assert sink.closed == 1


def test_closing_does_not_wait_for_who_does_not_read(sender: Sender, sink: Sink) -> None:
    """Nothing goes out, so the end waits for a moment only; the thread may stay behind."""
    sink.set(stuck=True)
    traced(sender)
    sink.wait_for(lambda: sink.attempts)
    sender.close()

    assert sink.closed == 0


def test_closing_does_not_wait_for_a_debugger_that_is_not_there(sender: Sender, sink: Sink) -> None:
    """In an outage the end does not try again."""
    sink.set(refusal=SinkError("refused"))
    mach = traced(sender)
    sink.wait_for(lambda: sink.attempts >= 2)
    sender.close()
    attempts = sink.attempts

    toggle(mach, 10)
    assert sink.attempts == attempts


def test_after_the_end_nothing_is_sent(mach: am.Machine, sender: Sender, sink: Sink) -> None:
    """A program that goes on after the end does so unseen."""
    toggle(mach, 10)
    sender.close()
    toggle(mach, 10)

    assert sink.count() == 10
    assert len(sink.streams) == 1


def test_no_thread_is_started_at_shutdown(
    mach: am.Machine, sender: Sender, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where threads cannot start any more, the program goes on without a word."""
    sender.close()
    sender._begin()

    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread at interpreter shutdown")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    toggle(mach, 10)

    assert sender.ended
    assert len(sink.streams) <= 1


def test_a_restarted_sender_is_another_session(
    mach: am.Machine, sender: Sender, sink: Sink
) -> None:
    """As in a forked child: nothing of before is sent again, machines go on from now."""
    toggle(mach, 10)
    sender.close()
    sender.restart_in_child()
    tracer = next(iter(mach.tracers()))
    tracer.send_snapshot(mach, deferred=True)  # type: ignore[attr-defined]
    toggle(mach, 5)
    sink.wait_for(lambda: len(sink.streams) == 2 and sink.count() == 5)

    assert sink.read().machines[0].row == 10
    first, second = (stream[0] for stream in sink.streams)
    assert first.session != second.session  # type: ignore[union-attr]


def test_a_full_stream_is_followed_by_a_new_one(
    mach: am.Machine, sender: Sender, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that makes many machines gets another stream, and loses nothing."""
    monkeypatch.setattr(limits, "MACHINES_PER_CONNECTION_MAX", 3)
    for _ in range(4):
        other = traced(sender, "other")
        toggle(other, 5)
        other.dispose_force()
    sink.wait_for(lambda: sink.closed >= 1 and len(sink.read().gone) == 2)

    first, second = (read_back(stream) for stream in sink.streams)
    assert [one.id for one in first.machines] == ["m", "other", "other"]
    assert [one.id for one in second.machines] == ["m", "other", "other"]
    assert [len(reader.transitions[at]) for reader in (first, second) for at in (1, 2)] == [5] * 4


def test_what_cannot_be_sent_is_left_out(
    mach: am.Machine, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message no frame can hold costs itself, not the stream."""
    real = sink.write

    def picky(message: Message) -> None:
        if isinstance(message, StringsMessage):
            raise WireError("too large")
        real(message)

    monkeypatch.setattr(sink, "write", picky)
    mach.set_logger_empty(am.LogLevel.CHANGES)
    toggle(mach, 200)
    sink.wait_for(lambda: sink.sent)


def test_few_events_wait_while_the_other_side_does_not_read(
    mach: am.Machine, sender: Sender, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the buffer full only the newest are kept; what is missing then is counted exactly."""
    monkeypatch.setattr(sender_module, "trim", partial(trim, events_max=300))
    toggle(mach, 1)
    sink.wait_for(lambda: sink.count() == 1)
    sink.set(stuck=True)
    fill(sink, sender, mach)
    toggle(mach, 2_000)
    sink.wait_for(lambda: len(sender._queue) <= 300)
    sink.set(stuck=False)
    last = mach.tx_number
    sink.wait_for(lambda: sink.read().rows[0] == last)

    reader = sink.read()
    assert sum(one.count for one in reader.dropped) > 1_000
    assert len(reader.transitions[0]) + sum(one.count for one in reader.dropped) == last


def test_at_the_end_nothing_more_is_dropped(
    mach: am.Machine, sender: Sender, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that ends has made its last event; who reads again in time gets all that waits."""
    at_the_end: list[bool] = []
    monkeypatch.setattr(sender_module, "trim", lambda *_: at_the_end.append(sender._stopping))
    toggle(mach, 1)
    sink.wait_for(lambda: sink.count() == 1)
    sink.set(stuck=True)
    fill(sink, sender, mach)
    toggle(mach, 500)
    sink.wait_for(lambda: at_the_end)
    sender.close(0)
    sink.set(stuck=False)
    sink.wait_for(lambda: sink.closed)

    assert not any(at_the_end)
    assert sink.count() == mach.tx_number


def test_more_than_can_be_sent_is_spooled(
    mach: am.Machine, sender: Sender, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Waiting events are sent in their order, and none is lost."""
    monkeypatch.setattr(sender_module, "_QUEUED_MAX", 10)
    spooled: list[int] = []
    real = sender._spool.put_all
    monkeypatch.setattr(
        sender._spool, "put_all", lambda queue: (spooled.append(len(queue)), real(queue))
    )
    toggle(mach, 5_000)
    sink.wait_for(lambda: sink.count() == 5_000)

    assert max(spooled) > 10
    assert sink.read().dropped == []
    assert len(sender._spool) == 0


def test_a_queue_is_trimmed_by_number_and_by_text() -> None:
    """At its limits a queue stays, one past them the oldest events go."""
    caught = FakeSender()
    mach = am.Machine(None, {"M": am.State(multi=True)}, id="m")
    caught.trace(mach)
    toggle(mach, 5)
    mach.add1("M", {"text": "x" * 100})
    mach.add1("M", {"text": "y" * 100})
    chars = len("text") + 102
    queue = deque(caught.events)
    heard: list[object] = []

    trim(queue, heard.append, 8, 2 * chars)
    assert len(queue) == 8
    trim(queue, heard.append, 7, 2 * chars)
    assert len(queue) == 7
    trim(queue, heard.append, 7, 2 * chars - 1)
    assert [event[2] for event in queue] == [7]  # type: ignore[index]
    assert heard == caught.events[:-1]


@pytest.mark.parametrize("is_connected", [True, False])
def test_that_a_machine_is_gone_is_never_forgotten(
    sender: Sender,
    mach: am.Machine,
    sink: Sink,
    monkeypatch: pytest.MonkeyPatch,
    is_connected: bool,
) -> None:
    """However much comes after it while nothing goes out, nobody is shown as alive."""
    monkeypatch.setattr(sender_module, "trim", partial(trim, events_max=10))
    other = traced(sender, "other")
    toggle(other, 1)
    toggle(mach, 1)
    sink.wait_for(lambda: sink.count() == 1)
    sink.set(stuck=True)
    if is_connected:
        fill(sink, sender, mach)
    else:
        sink.set(refusal=SinkError("reset"))
    other.dispose_force()
    toggle(mach, 1_000)
    sink.wait_for(lambda: len(sender._queue) <= 10)
    sink.set(stuck=False, refusal=None)
    sink.wait_for(lambda: sender._open and not sink.unsent)
    toggle(mach, TICKS_MASK + 1)  # one of them says where it stands
    last = mach.tx_number
    sink.wait_for(lambda: sink.streams and last in sink.read().rows)

    reader = sink.read()
    others = [at for at, machine in enumerate(reader.machines) if machine.id == "other"]
    assert others == reader.gone


def test_a_full_stream_may_find_nobody_for_the_next(
    mach: am.Machine, sender: Sender, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the debugger is gone just then, it is an outage like any other."""
    sink.wait_for(lambda: sink.streams)
    monkeypatch.setattr(limits, "MACHINES_PER_CONNECTION_MAX", 2)
    ended = sink.close

    def close_and_go() -> None:
        ended()
        sink.set(refusal=SinkError("gone"))

    monkeypatch.setattr(sink, "close", close_and_go)
    for at in range(2):
        traced(sender, f"other{at}").dispose_force()
    other = traced(sender, "other2")
    sink.wait_for(lambda: sink.attempts >= 3)
    monkeypatch.setattr(sink, "close", ended)
    sink.set(refusal=None)
    toggle(other, 1)
    sink.wait_for(lambda: [one.id for one in sink.read().machines] == ["m", "other2"])


def test_two_threads_that_wake_a_sender_start_one_thread(sender: Sender, sink: Sink) -> None:
    """The second call finds it started."""
    sender._start()
    sender._start()
    sender.close()

    assert sink.attempts == 1
    assert sink.threads == {"amtracer"}


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/srv/worker_pool.py", "worker_pool.py"),
        ("/srv/shop/__main__.py", "shop"),
        ("__main__.py", "__main__.py"),
        ("", ""),
    ],
)
def test_a_program_sends_the_name_of_its_file_or_package(path: str, name: str) -> None:
    """A debugger groups the runs of a program by it."""
    assert program_name([path]) == name
    assert program_name([]) == ""


def test_the_path_hash_distinguishes_programs_of_one_name() -> None:
    """It is the same in each run, shows nothing of the path, and is empty without a file."""
    one, same, other = (SimpleNamespace(__file__=f"/{part}/app.py") for part in "aab")

    assert program_path_hash(one) == program_path_hash(same) != program_path_hash(other)
    assert len(program_path_hash(one)) == 8
    assert program_path_hash(SimpleNamespace()) == program_path_hash(None) == ""
