"""Spool for events that have to wait, stored so that they do not hold up the program.

The garbage collector looks at every tuple that holds an object it tracks, and the program's
threads wait meanwhile: sixty thousand events in a queue are fifty milliseconds. It looks at
a tuple of numbers and texts only once and never again. So the sender spools what it cannot
send soon: objects that many events share become numbers, others become plain tuples. That
takes a tenth of the time that sending them would.

The spool is bounded in number and in text; the oldest event is dropped first, uncounted, as
the numbers of transitions show what is missing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

from amtracer.send.backlog import BACKLOG_CHARS_MAX
from amtracer.send.events import ARGS, LINES, PLAIN_LENGTH, PRE_LINES, Event, Line, TransitionEvent
from amtracer.wire import limits

_SHARED_MAX = 65_536
"""Objects kept for events to share; what comes then stays with its event."""


class _Line(NamedTuple):
    level: int
    text: str


class _Source(NamedTuple):
    mach_id: str
    tx_id: str
    mach_time: int


class Stowed:
    """A queue of events for the sender's thread alone, oldest first.

    `let_go` is called with dropped events of machines that are no transitions.
    """

    def __init__(
        self,
        let_go: Callable[[Event], object],
        events_max: int = limits.SENDER_QUEUE_MAX,
        chars_max: int = BACKLOG_CHARS_MAX,
    ) -> None:
        self._let_go = let_go
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

    def put(self, event: Event) -> None:
        """Add the newest event, and drop the oldest if there are too many."""
        if type(event) is tuple:
            event = self._folded(event)
            self._chars += _chars(event)
        self._events.append(event)
        while len(self._events) > self._events_max or self._chars > self._chars_max:
            self._drop()

    def put_all(self, queue: deque[Event]) -> None:
        """Put what is in a queue now; what has nothing beside goes a short way."""
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

    def take(self) -> Event:
        """The oldest event, as it came; IndexError when there is none."""
        event: Any = self._events.popleft()
        if type(event) is tuple:
            self._chars -= _chars(event)
            event = self._unfolded(event)
        if not self._events:
            self.clear()
        return event  # type: ignore[no-any-return]  # an event was put

    def _drop(self) -> None:
        event = self._events.popleft()
        if type(event) is tuple:
            self._chars -= _chars(event)
        else:
            self._let_go(event)

    def _folded(self, event: TransitionEvent) -> TransitionEvent:
        schema, plan, number, started_ns, ended_ns, *rest = event
        first = self._folded_one(schema, id(schema))
        second = self._folded_one(plan, id(plan)) if plan.is_remembered else plan
        head = (first, second, number, started_ns, ended_ns)
        if not rest:
            return head
        steps, handler_ns, lines, pre_lines, queue_len, source, outcome, ticks, *texts = rest
        if steps and second is not plan:
            steps = self._folded_one(steps, tuple(map(id, steps)))
        return (
            *head,
            steps,
            tuple(handler_ns),
            tuple(map(_bare, lines)),
            tuple(map(_bare, pre_lines)),
            queue_len,
            None if source is None else (source.mach_id, source.tx_id, source.mach_time),
            outcome,
            None if ticks is None else tuple(ticks),
            *texts,
        )

    def _unfolded(self, event: TransitionEvent) -> TransitionEvent:
        schema, plan, number, started_ns, ended_ns, *rest = event
        head = (self._whole(schema), self._whole(plan), number, started_ns, ended_ns)
        if not rest:
            return head
        steps, handler_ns, lines, pre_lines, queue_len, source, outcome, ticks, *texts = rest
        return (
            *head,
            self._whole(steps),
            handler_ns,
            [_Line(*line) for line in lines],
            [_Line(*line) for line in pre_lines],
            queue_len,
            None if source is None else _Source(*source),
            outcome,
            None if ticks is None else list(ticks),
            *texts,
        )

    def _folded_one(self, shared: object, key: object) -> object:
        """The number of an object, by an identity that lasts while it is kept."""
        number = self._numbers.get(key)
        if number is None:
            number = len(self._shared)
            if number >= _SHARED_MAX:
                return shared
            self._numbers[key] = number
            self._shared.append(shared)
        return number

    def _whole(self, folded: Any) -> Any:
        return self._shared[folded] if type(folded) is int else folded


def _bare(line: Line) -> tuple[int, str]:
    return int(line.level), line.text  # a level is an object that is looked at


def _chars(event: TransitionEvent) -> int:
    """How much text a folded event keeps."""
    if len(event) == PLAIN_LENGTH:
        return 0
    lines = sum([len(text) for _, text in (*event[LINES], *event[PRE_LINES])])
    return lines + sum(map(len, event[ARGS:]))
