"""Events that wait: they come back as they came, bounded, out of the collector's sight."""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Iterator
from typing import Any

import pytest

import machine as am
from amtracer.send.events import GoneEvent, TracerEvent, chars_of
from amtracer.send.spool import Spool
from tests.wire.tracing import FakeSender, recorded

STRUCT = {
    "A": am.State(add=["B"]),
    "B": am.State(),
    "C": am.State(auto=True, require=["B"]),
    "M": am.State(multi=True),
}


def ignore(_: TracerEvent) -> None:
    """What goes is of no interest."""


class Handlers:
    """Some pass, one denies, one fails."""

    def AEnter(self, e: am.Event) -> None:
        e.machine.ev_add1(e, "M", {"from": "A"})

    def AState(self, e: am.Event) -> None:
        e.machine.log("at work")

    def CEnter(self, e: am.Event) -> bool:
        return False

    def MState(self, e: am.Event) -> None:
        if e.args and e.args.get("fails"):
            raise ValueError("no")


def events(cache: int = 4_096) -> list[TracerEvent]:
    """Transitions of every kind, and words of a machine between them."""
    caught = FakeSender()
    mach = am.Machine(None, STRUCT, id="m", cache=cache)
    mach.set_logger_empty(am.LogLevel.OPS)
    caught.trace(mach)
    mach.bind_handlers(Handlers())
    for number in range(100):
        mach.add1("A")
        mach.remove(["A", "B"])
        mach.add1("M", {"number": number, "fails": number % 7 == 3})
    mach.set_log_level(am.LogLevel.NOTHING)
    for _ in range(100):
        mach.toggle1("B")
    mach.dispose_force()
    return caught.events


@pytest.fixture(params=[4_096, 0], ids=["plans", "no plans"])
def happened(request: pytest.FixtureRequest) -> list[TracerEvent]:
    return events(request.param)


def emptied(spool: Spool) -> Iterator[TracerEvent]:
    while spool:
        yield spool.take()


def content(event: TracerEvent) -> Any:
    """All values of an event, to compare them."""
    if type(event) is not tuple:
        return event
    head, rest = event[:5], event[5:]
    if not rest:
        return head
    steps, handler_ns, lines, pre_lines, queue_len, source, outcome, ticks, *texts = rest
    return (
        head,
        tuple(steps),
        tuple(handler_ns),
        [[(line.level, line.text) for line in entries] for entries in (lines, pre_lines)],
        queue_len,
        source and (source.mach_id, source.tx_id, source.mach_time),
        outcome,
        ticks and list(ticks),
        texts,
    )


def test_spooled_events_are_taken_unchanged(happened: list[TracerEvent]) -> None:
    """In its order, to the last field, whether it was put alone or with all."""
    spool = Spool(ignore)
    for event in happened[:50]:
        spool.put(event)
    spool.put_all(deque(happened[50:]))
    assert len(spool) == len(happened) > 300

    assert [content(event) for event in emptied(spool)] == [content(one) for one in happened]


def test_spooled_events_make_a_whole_stream() -> None:
    """No event is missing, so no loss is sent."""
    spool = Spool(ignore)
    for event in events():
        spool.put(event)
    reader = recorded(list(emptied(spool)))

    assert len(reader.transitions[0]) > 300
    assert (reader.dropped, reader.gone) == ([], [0])


def test_the_collector_does_not_visit_spooled_events() -> None:
    """After it has seen it: a packed event holds only numbers and texts."""
    gc.freeze()  # or the collector would look at all there is
    try:
        spool = Spool(ignore)
        for event in events():
            if type(event) is tuple:
                spool.put(event)
        for _ in range(4):  # a tuple within a tuple is let go first
            gc.collect()
    finally:
        gc.unfreeze()

    tracked = [event for event in spool._events if gc.is_tracked(event)]
    assert len(spool) > 300
    assert tracked == []


def test_the_oldest_goes_when_there_are_too_many(happened: list[TracerEvent]) -> None:
    """At the limit all stay, one past it the first one is gone."""
    transitions = [event for event in happened if type(event) is tuple]
    spool = Spool(ignore, len(transitions))
    for event in transitions:
        spool.put(event)
    assert len(spool) == len(transitions)

    spool.put(transitions[0])
    assert len(spool) == len(transitions)
    assert spool.take()[2] == transitions[1][2]  # type: ignore[index]
    spool.put_all(deque(transitions[1:]))
    assert len(spool) == len(transitions)
    spool.put_all(deque([transitions[-1], transitions[0]]))
    spool.keep(2)
    assert [event[2] for event in emptied(spool)] == [  # type: ignore[index]
        transitions[-1][2],
        transitions[0][2],
    ]


def test_dropped_events_keep_nothing_alive(happened: list[TracerEvent]) -> None:
    """Emptied either way, it forgets what its events shared."""
    for empty in (lambda one: one.keep(0), lambda one: list(emptied(one))):
        spool = Spool(ignore)
        spool.put_all(deque(happened))
        assert spool._shared
        empty(spool)

        assert (spool._shared, spool._numbers, spool._chars) == ([], {}, 0)


def test_the_oldest_goes_when_there_is_too_much_text(happened: list[TracerEvent]) -> None:
    """Log lines and arguments count; what is gone or taken counts no more."""
    transitions = [event for event in happened if chars_of(event)]
    chars = sum(map(chars_of, transitions))
    spool = Spool(ignore, chars_max=chars)
    for event in transitions:
        spool.put(event)
    assert len(spool) == len(transitions)

    first = spool.take()
    spool.put(first)
    assert len(spool) == len(transitions)
    spool.put(first)
    assert len(spool) < len(transitions) + 1


def test_other_events_are_kept_as_they_are(happened: list[TracerEvent]) -> None:
    """That it came into view, or is gone, holds nothing that many share."""
    words: list[Any] = [event for event in happened if type(event) is not tuple]
    spool = Spool(ignore)
    for event in words:
        spool.put(event)

    assert isinstance(words[-1], GoneEvent)
    assert list(emptied(spool)) == words


def test_what_events_share_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the limit each event keeps its own, and all come back the same."""
    monkeypatch.setattr("amtracer.send.spool._SHARED_MAX", 2)
    happened = events()
    spool = Spool(ignore)
    for event in happened:
        spool.put(event)

    assert len(spool._shared) == 2
    assert [content(event) for event in emptied(spool)] == [content(one) for one in happened]
    assert spool._shared == []


def test_dropped_events_other_than_transitions_are_passed_on(happened: list[TracerEvent]) -> None:
    """Missing transitions are found by their numbers; the end of a machine has only its event."""
    heard: list[TracerEvent] = []
    spool = Spool(heard.append)
    spool.put_all(deque(happened))
    spool.keep(0)

    assert heard == [event for event in happened if type(event) is not tuple]
