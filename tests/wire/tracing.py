"""Machines traced without a thread: their events are taken by hand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

import machine as am
from amtracer.send.event_writer import EventWriter
from amtracer.send.events import TracerEvent
from amtracer.send.sender import Sender
from amtracer.tracer.machine_tracer import bind
from amtracer.tracer.redaction_hooks import RedactionHooks
from amtracer.wire.codec import encode
from amtracer.wire.messages import HelloMessage, Message
from tests.wire.streams import Book, decoded, read_back, stream_bytes

HELLO = HelloMessage(1, "session", 0, 0)


class Caught:
    """Stands in for a sender; keeps the events."""

    def __init__(self) -> None:
        self.events: list[TracerEvent] = []
        self.append = self.events.append
        self.asleep = False
        self.ended = False

    def wake(self) -> None:
        """There is nobody to wake."""

    @property
    def sender(self) -> Sender:
        return cast(Sender, self)

    def transitions(self) -> list[Any]:
        return [event for event in self.events if type(event) is tuple]

    def trace(self, mach: am.Machine, **hooks: Any) -> None:
        """Watch a machine from now on."""
        bind(mach, self.sender, RedactionHooks.of(**hooks))


class Teller:
    """Takes events into one stream after another."""

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.writer = EventWriter(0, self.warnings.append)
        self.messages: list[Message] = []

    def begin(self) -> None:
        self.messages = []
        self.writer.begin(self.write, HELLO)

    def write(self, message: Message) -> None:
        encode(message)
        self.messages.append(message)

    def take(self, events: Iterable[TracerEvent]) -> None:
        for event in events:
            self.writer.write(event)

    def book(self) -> Book:
        """The stream so far, as a reader has it."""
        self.writer.flush()
        return read_back(decoded(stream_bytes(self.messages)))


def told(events: Iterable[TracerEvent]) -> Book:
    """What a reader learns from these events."""
    teller = Teller()
    teller.begin()
    teller.take(events)
    return teller.book()


def ticks_after(book: Book, machine: int = 0) -> list[int]:
    """Where a machine stands at the end, by its beginning and its shapes alone."""
    known = book.machines[machine]
    ticks = list(known.ticks) or [0] * len(book.schemas[known.schema].states)
    for occurrence in book.told[machine]:
        for state, growth in occurrence.shape.changes:
            ticks[state] += abs(growth)
    return ticks
