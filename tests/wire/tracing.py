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
from tests.wire.streams import StreamReader, decoded, read_back, stream_bytes

HELLO = HelloMessage(1, "session", 0, 0)


class FakeSender:
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


class StreamRecorder:
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

    def record(self, events: Iterable[TracerEvent]) -> None:
        for event in events:
            self.writer.write(event)

    def read(self) -> StreamReader:
        """The stream so far, as a reader has it."""
        self.writer.flush()
        return read_back(decoded(stream_bytes(self.messages)))


def recorded(events: Iterable[TracerEvent]) -> StreamReader:
    """What a reader learns from these events."""
    recorder = StreamRecorder()
    recorder.begin()
    recorder.record(events)
    return recorder.read()


def ticks_after(reader: StreamReader, machine: int = 0) -> list[int]:
    """Where a machine stands at the end, by its beginning and its shapes alone."""
    known = reader.machines[machine]
    ticks = list(known.ticks) or [0] * len(reader.schemas[known.schema].states)
    for transition in reader.transitions[machine]:
        for state, growth in transition.shape.changes:
            ticks[state] += abs(growth)
    return ticks
