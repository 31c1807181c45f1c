"""What a machine says and waits for after its last transition reaches a reader."""

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
from amtracer.wire import limits
from amtracer.wire.messages import (
    LaterLinesMessage,
    LinesMessage,
    OpenWorkMessage,
    StringsMessage,
    TextWithNewHead,
)
from tests.wire.serving import Debugger
from tests.wire.tracing import Caught, Teller

STATES = {"A": am.State(), "M": am.State(multi=True)}


class Told(Teller):
    """Takes events, and looks when a test wants it."""

    def __init__(self, caught: Caught) -> None:
        super().__init__()
        self.caught = caught
        self.begin()

    def hear(self) -> None:
        self.take(self.caught.events)
        self.caught.events.clear()

    def look(self, *, last: bool = False) -> None:
        self.hear()
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
def caught() -> Caught:
    return Caught()


@pytest.fixture
def mach(caught: Caught) -> am.Machine:
    made = am.Machine(None, STATES, id="m")
    made.set_logger_empty(am.LogLevel.CHANGES)
    caught.trace(made)
    return made


# Lines.


def test_lines_are_told_that_no_transition_takes(mach: am.Machine, caught: Caught) -> None:
    """Each once, as they come; a transition that comes has all of them."""
    told = Told(caught)
    mach.add1("M")
    mach.log("one")
    told.look()
    mach.log("two")
    mach.log("three")
    told.look()
    told.look()

    assert told.later() == [(["[extern] one"], 0), (["[extern] two", "[extern] three"], 0)]
    mach.add1("M")
    told.look()
    pre_lines = [text for _, text in told.book().told[0][1].pre_lines]
    assert pre_lines == ["[extern] one", "[extern] two", "[extern] three"]
    assert len(told.later()) == 2


def test_lines_that_a_transition_takes_are_told_with_it_alone(
    mach: am.Machine, caught: Caught
) -> None:
    """Between two looks nothing has to be told twice."""
    told = Told(caught)
    mach.log("one")
    mach.add1("M")
    mach.log("two")
    mach.add1("M")
    told.look()

    assert told.later() == []


def test_lines_that_were_let_go_are_counted(mach: am.Machine, caught: Caught) -> None:
    """Of 5,000 at once the newest are told, of those after a look only what is missing since."""
    told = Told(caught)
    for number in range(5_000):
        mach.log("%d", number)
    told.look()
    for number in range(1_500):
        mach.log("more %d", number)
    told.look()

    (first, before), (second, between) = told.later()
    assert (len(first), before) == (1_000, 4_000)
    assert (len(second), between) == (1_000, 500)
    assert second[-1] == "[extern] more 1499"


def test_lines_of_a_machine_that_is_gone_are_told(caught: Caught) -> None:
    """Whether it was disposed or nobody has it any more, before anyone looked."""
    told = Told(caught)
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
    told.hear()

    assert [lines for lines, _ in told.later()] == [
        ["[extern] last word of disposed"],
        ["[extern] last word of forgotten"],
    ]


def test_lines_are_there_before_a_machine_is_attached(caught: Caught) -> None:
    """They wait for its next transition like those that come."""
    made = am.Machine(None, STATES, id="m")
    made.set_logger_empty(am.LogLevel.CHANGES)
    made.log("early")
    caught.trace(made)
    told = Told(caught)
    told.look()

    assert told.later() == [(["[extern] early"], 0)]


def test_a_reader_that_comes_later_hears_all_lines(mach: am.Machine, caught: Caught) -> None:
    """What waits is told again in each stream."""
    told = Told(caught)
    mach.log("one")
    told.look()
    told.begin()
    told.look()

    assert told.later() == [(["[extern] one"], 0)]


def test_lines_are_redacted(caught: Caught) -> None:
    """By the same hook as those of transitions."""
    made = am.Machine(None, STATES, id="m")
    made.set_logger_empty(am.LogLevel.CHANGES)
    caught.trace(made, redact=lambda text: text.replace("secret", "***"))
    made.log("a secret")
    told = Told(caught)
    told.look()

    assert told.later() == [(["[extern] a ***"], 0)]


def test_lines_of_a_pause_are_told_when_it_ends(mach: am.Machine, caught: Caught) -> None:
    """In a pause nothing is told, whether they were written in it or before."""
    told = Told(caught)
    tracer = next(iter(mach.tracers()))
    mach.add1("M")
    mach.log("before")
    tracer.pause(mach)  # type: ignore[attr-defined]
    mach.log("within")
    told.look()
    assert told.later() == []
    tracer.resume(mach)  # type: ignore[attr-defined]
    told.look()

    assert told.later() == [(["[extern] before", "[extern] within"], 0)]
    assert pausing.pause is not None


# What is open.


def test_what_is_open_twice_is_told_without_a_log_level(caught: Caught) -> None:
    """A waiter that is seen by one look only is over; at the end all are told."""
    made = am.Machine(None, STATES, id="m")
    caught.trace(made)
    made.add1("M")
    told = Told(caught)
    handle = made.when1("A")
    told.look()
    assert told.open() == []
    told.look()
    told.look()
    assert told.open() == [(["when A"], 0)]
    handle.cancel()
    again = made.when_not1("M")
    told.look()
    told.look(last=True)

    assert told.open()[1:] == [([], 0), (["whenNot M"], 0)]
    assert not again


def test_what_is_open_tells_since_when_and_until_when(caught: Caught) -> None:
    """The ticks when it was seen first stay, and a deadline is a moment of the wall clock."""
    made = am.Machine(None, STATES, id="m")
    caught.trace(made)
    made.add1("M")
    told = Told(caught)
    ctx = am.Context().with_timeout(3_600)
    handle = made.when1("A", ctx)
    for _ in range(3):
        told.look()
        made.add1("M")
    told.look(last=True)
    (message,) = [one for one in told.messages if isinstance(one, OpenWorkMessage)]

    assert message.work[0].since == 1
    assert message.work[0].deadline == int(made.open_work()[0].deadline * 1e6)
    assert not handle
    ctx.cancel()


def test_more_than_is_told_is_counted(caught: Caught) -> None:
    """At the limit nothing is left out, two past it are two."""
    made = am.Machine(None, STATES, id="m")
    caught.trace(made)
    made.add1("M")
    told = Told(caught)
    handles = [made.when1("A") for _ in range(limits.OPEN_WORK_MAX)]
    told.look(last=True)
    handles += [made.when1("A"), made.when1("A")]
    told.look(last=True)

    assert [(len(work), more) for work, more in told.open()] == [
        (limits.OPEN_WORK_MAX, 0),
        (limits.OPEN_WORK_MAX, 2),
    ]


def test_long_texts_of_what_is_open_are_cut(caught: Caught) -> None:
    """Many states that are waited for fit the limit of a reader, with a mark."""
    states = {f"State{at}": am.State() for at in range(200)}
    made = am.Machine(None, states, id="m")
    caught.trace(made)
    made.add1("State0")
    told = Told(caught)
    handle = made.when(list(states))
    told.look(last=True)

    ((work, _),) = told.open()
    assert work[0].endswith("more characters)")
    assert len(work[0]) <= limits.OPEN_TEXT_BYTES_MAX + len("when ")
    assert not handle


def test_a_look_at_a_machine_that_is_gone_or_paused_tells_nothing(
    mach: am.Machine, caught: Caught
) -> None:
    """An event of a look may be older than what happened."""
    told = Told(caught)
    mach.add1("M")
    handle = mach.when1("A")
    told.hear()
    (event,) = read_open_work(cast(Sender, caught), True)
    mach.dispose_force()
    told.hear()
    told.writer.write(event)

    assert told.open() == []
    assert handle.reason == "disposed"
    assert list(read_open_work(cast(Sender, caught), True)) == []
    assert isinstance(event, OpenWorkEvent)


# All the way.


@pytest.fixture
def debugger() -> Iterator[Debugger]:
    made = Debugger()
    yield made
    made.stop()


def test_a_program_that_stands_still_has_told_everything(debugger: Debugger) -> None:
    """A debugger that listens hears of the lines and of what is waited for, and of their end."""
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


def test_a_machine_without_anything_open_is_not_listed(mach: am.Machine, caught: Caught) -> None:
    """Nor one that is told to another sender."""
    other = cast(Sender, SimpleNamespace())
    handle = mach.when1("A")

    assert list(read_open_work(other, True)) == []
    handle.cancel()
    assert list(read_open_work(cast(Sender, caught), True)) == []
