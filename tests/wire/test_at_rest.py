"""Log lines and open work of a machine after its last transition reach a reader."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest

import machine as am
from amtracer.send.events import OpenWorkEvent
from amtracer.send.sender import Sender
from amtracer.tracer import pausing
from amtracer.tracer.open_work import read_open_work
from amtracer.tracer.traced_machines import traced_machines
from amtracer.wire import limits
from amtracer.wire.messages import (
    LaterLinesMessage,
    LinesMessage,
    OpenWorkMessage,
    StringsMessage,
    TextWithNewHead,
)
from tests.wire.serving import Debugger
from tests.wire.tracing import FakeSender, StreamRecorder

STATES = {"A": am.State(), "M": am.State(multi=True)}


class PollingRecorder(StreamRecorder):
    """Takes events, and looks when a test wants it."""

    def __init__(self, caught: FakeSender) -> None:
        super().__init__()
        self.caught = caught
        self.begin()

    def record_caught(self) -> None:
        self.record(self.caught.events)
        self.caught.events.clear()

    def poll(self, *, last: bool = False) -> None:
        self.record_caught()
        self.writer.write_waiting_lines()
        for event in read_open_work(cast(Sender, self.caught), last):
            self.writer.write(event)

    def later(self) -> list[tuple[list[str], int]]:
        """The texts of each message about later lines, and how many are missing."""
        texts: list[str] = []
        heads: list[str] = []
        sets: list[Any] = []
        found = []
        for message in self.messages:
            if isinstance(message, StringsMessage):
                for text in message.texts:
                    if isinstance(text, TextWithNewHead):
                        heads.append(text.text[: text.chars])
                        texts.append(text.text)
                    else:
                        texts.append(
                            text if isinstance(text, str) else heads[text.head] + text.rest
                        )
            if isinstance(message, LinesMessage):
                sets += message.sets
            if isinstance(message, LaterLinesMessage):
                lines = [texts[number] for _, number in sets[message.lines]]
                found.append((lines, message.missing))
        return found

    def open(self) -> list[tuple[list[str], int]]:
        return [
            ([f"{one.kind} {one.names}".strip() for one in message.work], message.more)
            for message in self.messages
            if isinstance(message, OpenWorkMessage)
        ]


@pytest.fixture
def caught() -> FakeSender:
    return FakeSender()


@pytest.fixture
def mach(caught: FakeSender) -> am.Machine:
    made = am.Machine(None, STATES, id="m")
    made.set_logger_empty(am.LogLevel.CHANGES)
    caught.trace(made)
    return made


# Lines.


def test_lines_are_sent_that_no_transition_takes(mach: am.Machine, caught: FakeSender) -> None:
    """Each once, as they come; a transition that comes has all of them."""
    recorder = PollingRecorder(caught)
    mach.add1("M")
    mach.log("one")
    recorder.poll()
    mach.log("two")
    mach.log("three")
    recorder.poll()
    recorder.poll()

    assert recorder.later() == [(["[extern] one"], 0), (["[extern] two", "[extern] three"], 0)]
    mach.add1("M")
    recorder.poll()
    pre_lines = [text for _, text in recorder.read().transitions[0][1].pre_lines]
    assert pre_lines == ["[extern] one", "[extern] two", "[extern] three"]
    assert len(recorder.later()) == 2


def test_lines_that_a_transition_takes_are_sent_with_it_alone(
    mach: am.Machine, caught: FakeSender
) -> None:
    """Between two polls nothing is sent twice."""
    recorder = PollingRecorder(caught)
    mach.log("one")
    mach.add1("M")
    mach.log("two")
    mach.add1("M")
    recorder.poll()

    assert recorder.later() == []


def test_dropped_lines_are_counted(mach: am.Machine, caught: FakeSender) -> None:
    """Of 5,000 lines the newest are sent; the next poll counts the lines dropped since then."""
    recorder = PollingRecorder(caught)
    for number in range(5_000):
        mach.log("%d", number)
    recorder.poll()
    for number in range(1_500):
        mach.log("more %d", number)
    recorder.poll()

    (first, before), (second, between) = recorder.later()
    assert (len(first), before) == (1_000, 4_000)
    assert (len(second), between) == (1_000, 500)
    assert second[-1] == "[extern] more 1499"


def test_lines_of_a_machine_that_is_gone_are_sent(caught: FakeSender) -> None:
    """Whether it was disposed or nobody has it any more, before anyone looked."""
    recorder = PollingRecorder(caught)
    for way in ("disposed", "forgotten"):
        made = am.Machine(None, STATES, id=way)
        made.set_logger_empty(am.LogLevel.CHANGES)
        caught.trace(made)
        made.add1("M")
        made.log("last word of %s", way)
        if way == "disposed":
            made.dispose_force()
        del made
        gc.collect()
    recorder.record_caught()

    assert [lines for lines, _ in recorder.later()] == [
        ["[extern] last word of disposed"],
        ["[extern] last word of forgotten"],
    ]


def test_lines_are_there_before_a_machine_is_attached(caught: FakeSender) -> None:
    """They wait for its next transition like those that come."""
    made = am.Machine(None, STATES, id="m")
    made.set_logger_empty(am.LogLevel.CHANGES)
    made.log("early")
    caught.trace(made)
    recorder = PollingRecorder(caught)
    recorder.poll()

    assert recorder.later() == [(["[extern] early"], 0)]


def test_a_later_reader_gets_all_lines(mach: am.Machine, caught: FakeSender) -> None:
    """Waiting lines are sent again in each stream."""
    recorder = PollingRecorder(caught)
    mach.log("one")
    recorder.poll()
    recorder.begin()
    recorder.poll()

    assert recorder.later() == [(["[extern] one"], 0)]


def test_lines_are_redacted(caught: FakeSender) -> None:
    """By the same hook as those of transitions."""
    made = am.Machine(None, STATES, id="m")
    made.set_logger_empty(am.LogLevel.CHANGES)
    caught.trace(made, redact=lambda text: text.replace("secret", "***"))
    made.log("a secret")
    recorder = PollingRecorder(caught)
    recorder.poll()

    assert recorder.later() == [(["[extern] a ***"], 0)]


def test_lines_of_a_pause_are_sent_when_it_ends(mach: am.Machine, caught: FakeSender) -> None:
    """In a pause no lines are sent, neither those of the pause nor earlier ones."""
    recorder = PollingRecorder(caught)
    tracer = next(iter(mach.tracers()))
    mach.add1("M")
    mach.log("before")
    tracer.pause(mach)  # type: ignore[attr-defined]
    mach.log("within")
    recorder.poll()
    assert recorder.later() == []
    tracer.resume(mach)  # type: ignore[attr-defined]
    recorder.poll()

    assert recorder.later() == [(["[extern] before", "[extern] within"], 0)]
    assert pausing.pause is not None


# What is open.


def test_work_that_is_open_at_two_polls_is_sent_without_a_log_level(caught: FakeSender) -> None:
    """A waiter that only one poll finds is not sent; at the end all are sent."""
    made = am.Machine(None, STATES, id="m")
    caught.trace(made)
    made.add1("M")
    recorder = PollingRecorder(caught)
    handle = made.when1("A")
    recorder.poll()
    assert recorder.open() == []
    recorder.poll()
    recorder.poll()
    assert recorder.open() == [(["when A"], 0)]
    handle.cancel()
    again = made.when_not1("M")
    recorder.poll()
    recorder.poll(last=True)

    assert recorder.open()[1:] == [([], 0), (["whenNot M"], 0)]
    assert not again


def test_open_work_has_its_beginning_and_its_deadline(caught: FakeSender) -> None:
    """The ticks when it was seen first stay, and a deadline is a moment of the wall clock."""
    made = am.Machine(None, STATES, id="m")
    caught.trace(made)
    made.add1("M")
    recorder = PollingRecorder(caught)
    ctx = am.Context().with_timeout(3_600)
    handle = made.when1("A", ctx)
    for _ in range(3):
        recorder.poll()
        made.add1("M")
    recorder.poll(last=True)
    (message,) = [one for one in recorder.messages if isinstance(one, OpenWorkMessage)]

    assert message.work[0].since == 1
    assert message.work[0].deadline == int(made.open_work()[0].deadline * 1e6)
    assert not handle
    ctx.cancel()


def test_work_over_the_limit_is_counted(caught: FakeSender) -> None:
    """At the limit nothing is left out, two past it are two."""
    made = am.Machine(None, STATES, id="m")
    caught.trace(made)
    made.add1("M")
    recorder = PollingRecorder(caught)
    handles = [made.when1("A") for _ in range(limits.OPEN_WORK_MAX)]
    recorder.poll(last=True)
    handles += [made.when1("A"), made.when1("A")]
    recorder.poll(last=True)

    assert [(len(work), more) for work, more in recorder.open()] == [
        (limits.OPEN_WORK_MAX, 0),
        (limits.OPEN_WORK_MAX, 2),
    ]


def test_long_texts_of_what_is_open_are_cut(caught: FakeSender) -> None:
    """Many states that are waited for fit the limit of a reader, with a mark."""
    states = {f"State{at}": am.State() for at in range(200)}
    made = am.Machine(None, states, id="m")
    caught.trace(made)
    made.add1("State0")
    recorder = PollingRecorder(caught)
    handle = made.when(list(states))
    recorder.poll(last=True)

    ((work, _),) = recorder.open()
    assert work[0].endswith("more characters)")
    assert len(work[0]) <= limits.OPEN_TEXT_BYTES_MAX + len("when ")
    assert not handle


def test_a_poll_of_a_machine_that_is_gone_or_paused_sends_nothing(
    mach: am.Machine, caught: FakeSender
) -> None:
    """An event of a look may be older than what happened."""
    recorder = PollingRecorder(caught)
    mach.add1("M")
    handle = mach.when1("A")
    recorder.record_caught()
    (event,) = read_open_work(cast(Sender, caught), True)
    mach.dispose_force()
    recorder.record_caught()
    recorder.writer.write(event)

    assert recorder.open() == []
    assert handle.reason == "disposed"
    assert list(read_open_work(cast(Sender, caught), True)) == []
    assert isinstance(event, OpenWorkEvent)


# All the way.


@pytest.fixture
def debugger() -> Iterator[Debugger]:
    made = Debugger()
    yield made
    made.stop()


def test_an_idle_program_has_sent_everything(debugger: Debugger) -> None:
    """A debugger receives the lines and the open work, and their end."""
    import amtracer

    mach = am.Machine(None, STATES, id="still")
    mach.set_logger_empty(am.LogLevel.CHANGES)
    amtracer.attach(mach, debugger.address)
    mach.add1("M")
    debugger.wait_for_count("still", 1)
    track = debugger.track("still")
    mach.log("no more")
    handle = mach.when1("A")
    debugger.wait_for(lambda: track.later.lines and track.open.newest)

    assert track.later.lines == ((1, "[extern] no more"),)
    assert track.open.newest is not None
    assert track.open.newest.work[0][:2] == ("when", "A")
    mach.add1("A")
    debugger.wait_for(lambda: track.count == 2 and track.open.newest and not track.open.newest.work)
    assert track.later.lines == ()
    assert track.transition(2).pre_lines == ((1, "[extern] no more"),)
    assert handle.reason == "match"
    amtracer.close()


def test_a_machine_without_anything_open_is_not_listed(
    mach: am.Machine, caught: FakeSender
) -> None:
    """Nor is a machine of another sender."""
    other = cast(Sender, SimpleNamespace())
    handle = mach.when1("A")

    assert list(read_open_work(other, True)) == []
    handle.cancel()
    assert list(read_open_work(cast(Sender, caught), True)) == []


# The collector.


@pytest.fixture
def _collector() -> Iterator[None]:
    """A test may set when the garbage collector starts; afterwards all is as before."""
    thresholds = gc.get_threshold()
    gc.collect()
    gc.disable()
    yield
    gc.set_threshold(*thresholds)
    gc.enable()


@pytest.mark.usefixtures("_collector")
@pytest.mark.parametrize("allocations", range(0, 80, 2))
def test_machines_that_are_collected_during_a_look_do_not_stop_it(
    caught: FakeSender, allocations: int
) -> None:
    """Wherever in a look at the traced machines the collector starts, all that are left are seen.

    It starts after a number of allocations, and ends machines that nothing but itself can end.
    """
    kept = [am.Machine(None, STATES, id=f"kept{number}") for number in range(20)]
    for mach in kept:
        caught.trace(mach)
    for number in range(3):
        caught.trace(am.Machine(None, STATES, id=f"gone{number}"))
    gc.set_threshold(gc.get_count()[0] + allocations)
    gc.enable()
    seen = [mach for _, mach in traced_machines.recorded_by(cast(Sender, caught))]
    gc.disable()

    assert [mach.id for mach in seen if mach in kept] == [mach.id for mach in kept]
