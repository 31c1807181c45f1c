"""What a full queue refused, which handler hangs and where handlers raised is recorded as facts."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest

import machine as am
from amtracer.safe_repr.arg_text import TRACE_CHARS_MAX, arg_texts
from amtracer.send.events import LateHandlerEvent, RefusedEvent
from amtracer.wire import limits
from amtracer.wire.messages import RefusedMessage, TroubleMessage
from amtracer.wire.vocabulary import TroubleKind
from tests.wire.tracing import FakeSender, StreamRecorder, recorded

FILE = Path(__file__).name


def full(limit: int = 3) -> am.Machine:
    """A machine with a small queue, which a transition of `Go` overfills."""
    mach = am.Machine(
        None, {"Go": am.State(multi=True), "Ev": am.State(multi=True)}, id="m", queue_limit=limit
    )
    mach.bind_handlers(
        {"GoState": lambda e: [mach.add1("Ev", {"i": i}) for i in range(10)] and None}
    )
    return mach


def test_refused_mutations_are_one_event_for_any_number_of_them() -> None:
    """A flood would drive transitions out of the queue; the sender reads the count."""
    mach, caught = full(), FakeSender()
    caught.trace(mach)

    mach.add1("Go")

    assert len([event for event in caught.events if type(event) is RefusedEvent]) == 1
    assert recorded(caught.events).notes == [RefusedMessage(0, 0, 7)]


def test_what_is_refused_later_is_recorded_again() -> None:
    """The count is that since the machine was made."""
    mach, caught, recorder = full(), FakeSender(), StreamRecorder()
    recorder.begin()
    caught.trace(mach)
    mach.add1("Go")
    recorder.record(caught.events)
    caught.events.clear()
    mach.add1("Go")
    recorder.record(caught.events)

    assert [note.count for note in recorder.read().notes] == [7, 14]  # type: ignore[union-attr]


def test_a_new_stream_begins_with_what_was_refused_before() -> None:
    """As with the ticks, nothing else would say it."""
    mach, caught, recorder = full(), FakeSender(), StreamRecorder()
    mach.add1("Go")
    caught.trace(mach)
    recorder.begin()
    recorder.record(caught.events)
    assert recorder.read().notes == [RefusedMessage(0, 1, 7)]

    recorder.begin()

    assert recorder.read().notes == [RefusedMessage(0, 1, 7)]


def test_a_dropped_refusal_is_counted_by_the_next_one() -> None:
    """Nothing is connected meanwhile."""
    mach, caught, recorder = full(), FakeSender(), StreamRecorder()
    caught.trace(mach)
    mach.add1("Go")
    recorder.record(caught.events)
    recorder.begin()

    assert recorder.read().notes[0].count == 7  # type: ignore[union-attr]


@pytest.mark.parametrize("state", ["AEnter", "AState"])
def test_the_place_where_a_handler_raised_is_recorded_with_its_step(state: str) -> None:
    """Without log lines and without a handler of errors."""
    mach, caught = am.Machine(None, {"A": am.State()}, id="m"), FakeSender()
    caught.trace(mach)

    def fail(event: am.Event) -> None:
        raise ValueError("boom")

    mach.bind_handlers({state: fail})
    mach.add1("A")
    reader = recorded(caught.events)

    (note,) = reader.notes
    assert isinstance(note, TroubleMessage)
    assert (note.row, note.what) == (0, TroubleKind.RAISED)
    assert re.fullmatch(rf".*{FILE}:{fail.__code__.co_firstlineno + 1} in test_.*fail", note.place)
    step = reader.transitions[0][0].shape.steps[note.step]
    assert step.flags & 16


def test_places_are_redacted() -> None:
    """A path may hold a name that is to be hidden."""
    mach, caught = am.Machine(None, {"A": am.State()}, id="m"), FakeSender()
    caught.trace(mach, redact=lambda text: text.replace(FILE, "FILE"))
    mach.bind_handlers({"AState": lambda e: 1 / 0})

    mach.add1("A")

    place = recorded(caught.events).notes[0].place  # type: ignore[union-attr]
    assert "FILE:" in place
    assert FILE not in place


def test_a_late_handler_is_recorded_while_it_hangs() -> None:
    """The tracer asks the watchdog for it; no option of the machine is needed."""
    mach = am.Machine(None, {"A": am.State(), "B": am.State()}, id="m", handler_timeout=0.02)
    received, go_on = threading.Event(), threading.Event()
    caught = FakeSender()

    class Hears(FakeSender):
        def __init__(self) -> None:
            super().__init__()
            self.append = self.keep

        def keep(self, event: object) -> None:
            caught.events.append(event)  # type: ignore[arg-type]
            if type(event) is LateHandlerEvent:
                received.set()

    Hears().trace(mach)
    mach.add1("B")
    mach.bind_handlers({"AState": lambda e: go_on.wait(10)})
    thread = threading.Thread(target=mach.add1, args=("A",))
    thread.start()
    assert received.wait(10)
    reader = recorded(list(caught.events))
    go_on.set()
    thread.join(10)

    (note,) = reader.notes
    assert isinstance(note, TroubleMessage)
    assert (note.row, note.what, note.handler) == (1, TroubleKind.LATE, "AState")
    assert note.duration_ns == 20_000_000
    assert FILE in note.place
    assert len(reader.transitions[0]) == 1


def test_a_long_trace_keeps_its_end() -> None:
    """Where the error comes from stands there; other arguments keep their begin."""
    trace = "x" * TRACE_CHARS_MAX + "the place"

    ((_, cut), (_, whole), (_, other)) = arg_texts(
        {"err.trace": trace, "err.trace ": "y", "other": trace}
    )

    assert cut.endswith("xthe place'")
    assert cut.startswith("…'")
    assert len(cut) == TRACE_CHARS_MAX + 3
    assert whole == "'y'"
    assert other.endswith(f"x… ({len(trace):,} characters)")


def test_a_long_place_is_cut_to_what_a_reader_takes() -> None:
    """As every text."""
    recorder = StreamRecorder()
    recorder.begin()
    caught = FakeSender()
    caught.trace(am.Machine(None, {"A": am.State()}, id="m"))
    recorder.record(caught.events)
    seen = caught.events[0].schema.machine  # type: ignore[union-attr]
    recorder.record([LateHandlerEvent(seen, 0, "AState", "x" * (limits.TEXT_BYTES_MAX + 1), 5)])

    place = recorder.read().notes[0].place  # type: ignore[union-attr]
    assert len(place) <= limits.TEXT_BYTES_MAX
