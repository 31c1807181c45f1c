"""Spool for events that wait, stored so that they do not make the garbage collector slow.

The garbage collector visits every tuple that holds an object it tracks, and the program's
threads wait meanwhile: sixty thousand events in a queue take fifty milliseconds. It visits a
tuple of numbers and texts only once. So the sender spools what it cannot send soon: objects
that many events share become numbers, others become plain tuples. That takes a tenth of the
time that sending takes.

The spool is bounded in number and in text. It drops the oldest event first, uncounted, because
the numbers of transitions show what is missing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

from amtracer.send.backlog import BACKLOG_CHARS_MAX
from amtracer.send.events import (
    ARGS,
    LINES,
    PLAIN_LENGTH,
    PRE_LINES,
    LogLineLike,
    TracerEvent,
    TransitionEvent,
)
from amtracer.wire import limits

_SHARED_MAX = 65_536
"""Objects that events share by number; further objects stay in their events."""


class _Line(NamedTuple):
    level: int
    text: str


class _Source(NamedTuple):
    mach_id: str
    tx_id: str
    mach_time: int


class Spool:
    """A queue of events, oldest first, for the sender's thread only.

    `on_dropped` is called with dropped events other than transitions.
    """

    def __init__(
        self,
        on_dropped: Callable[[TracerEvent], object],
        events_max: int = limits.SENDER_QUEUE_MAX,
        chars_max: int = BACKLOG_CHARS_MAX,
    ) -> None:
        self._on_dropped = on_dropped
        self._events_max = events_max
        self._chars_max = chars_max
        self.clear()

    def __len__(self) -> int:
        return len(self._events)

    def clear(self) -> None:
        """Drop all."""
        self._events: deque[Any] = deque()
        self._chars = 0
        self._numbers: dict[object, int] = {}
        self._shared: list[Any] = []

    def keep(self, events_max: int) -> None:
        """Drop the oldest until only so many are left."""
        while len(self._events) > events_max:
            self._drop()
        if not self._events:
            self.clear()

    def put(self, event: TracerEvent) -> None:
        """Add the newest event, and drop the oldest if there are too many."""
        if type(event) is tuple:
            event = self._packed(event)
            self._chars += _chars(event)
        self._events.append(event)
        while len(self._events) > self._events_max or self._chars > self._chars_max:
            self._drop()

    def put_all(self, queue: deque[TracerEvent]) -> None:
        """Put the events that are in a queue now; plain transitions take a short way."""
        number_of, append = self._numbers.get, self._events.append
        for _ in range(len(queue)):
            event = queue.popleft()
            if type(event) is tuple and len(event) == PLAIN_LENGTH:
                schema, plan, number, started_ns, ended_ns = event
                first, second = number_of(id(schema)), number_of(id(plan))
                if first is not None and second is not None:
                    append((first, second, number, started_ns, ended_ns))
                    continue
            self.put(event)
        self.keep(self._events_max)

    def take(self) -> TracerEvent:
        """The oldest event, as it was put; IndexError if there is none."""
        event: Any = self._events.popleft()
        if type(event) is tuple:
            self._chars -= _chars(event)
            event = self._unpacked(event)
        if not self._events:
            self.clear()
        return event  # type: ignore[no-any-return]  # an event was put

    def _drop(self) -> None:
        event = self._events.popleft()
        if type(event) is tuple:
            self._chars -= _chars(event)
        else:
            self._on_dropped(event)

    def _packed(self, event: TransitionEvent) -> TransitionEvent:
        schema, plan, number, started_ns, ended_ns, *rest = event
        first = self._number_of(schema, id(schema))
        second = self._number_of(plan, id(plan)) if plan.is_remembered else plan
        head = (first, second, number, started_ns, ended_ns)
        if not rest:
            return head
        steps, handler_ns, lines, pre_lines, queue_len, source, outcome, ticks, *texts = rest
        if steps and second is not plan:
            steps = self._number_of(steps, tuple(map(id, steps)))
        return (
            *head,
            steps,
            tuple(handler_ns),
            tuple(map(_plain_line, lines)),
            tuple(map(_plain_line, pre_lines)),
            queue_len,
            None if source is None else (source.mach_id, source.tx_id, source.mach_time),
            outcome,
            None if ticks is None else tuple(ticks),
            *texts,
        )

    def _unpacked(self, event: TransitionEvent) -> TransitionEvent:
        schema, plan, number, started_ns, ended_ns, *rest = event
        head = (self._object_of(schema), self._object_of(plan), number, started_ns, ended_ns)
        if not rest:
            return head
        steps, handler_ns, lines, pre_lines, queue_len, source, outcome, ticks, *texts = rest
        return (
            *head,
            self._object_of(steps),
            handler_ns,
            [_Line(*line) for line in lines],
            [_Line(*line) for line in pre_lines],
            queue_len,
            None if source is None else _Source(*source),
            outcome,
            None if ticks is None else list(ticks),
            *texts,
        )

    def _number_of(self, shared: object, key: object) -> object:
        """The number of a shared object, or the object if there are too many."""
        number = self._numbers.get(key)
        if number is None:
            number = len(self._shared)
            if number >= _SHARED_MAX:
                return shared
            self._numbers[key] = number
            self._shared.append(shared)
        return number

    def _object_of(self, number: Any) -> Any:
        return self._shared[number] if type(number) is int else number


def _plain_line(line: LogLineLike) -> tuple[int, str]:
    return int(line.level), line.text  # a level is an object that the collector tracks


def _chars(event: TransitionEvent) -> int:
    """How much text a packed event keeps."""
    if len(event) == PLAIN_LENGTH:
        return 0
    lines = sum([len(text) for _, text in (*event[LINES], *event[PRE_LINES])])
    return lines + sum(map(len, event[ARGS:]))
