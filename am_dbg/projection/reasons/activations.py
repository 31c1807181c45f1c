"""The activations of a state: when it was active, from which transition to which.

Ticks alone show them, so no log level and no steps are needed. An active multi state that is
called again begins a new activation. If a final handler fails, a state can be activated and
deactivated within one transition. Over a gap a state may change unseen: then the activation ends
or begins there, without a transition.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from am_dbg.projection.reasons.causes import Cause, cause_of
from am_dbg.query.of_state import changes_of
from am_dbg.store import Store, Track
from am_dbg.store.chunk import Chunk
from amtracer.wire.messages import Shape


@dataclass(frozen=True, slots=True)
class Edge:
    """The transition that begins or ends an activation, with the cause.

    Without a cause it happened unseen, after the transition with this number: in a gap, or
    before the first one held.
    """

    number: int
    time_ns: int
    cause: Cause | None = None


@dataclass(frozen=True, slots=True)
class Activation:
    """One time during which a state was active; `end` is None if it still is."""

    begin: Edge
    end: Edge | None

    @property
    def duration_ns(self) -> int:
        """How long it lasted, 0 if it has not ended."""
        return self.end.time_ns - self.begin.time_ns if self.end else 0


def activations(track: Track, name: str) -> Iterator[Activation]:
    """All activations of a state, in order."""
    begin: Edge | None = None
    for edge, is_active in _Edges(track, name):
        if begin is not None:
            yield Activation(begin, edge)
        begin = edge if is_active else None
    if begin is not None:
        yield Activation(begin, None)


class _Edges:
    """Where a state changes, and whether it is active from there on.

    Causes follow from shapes, of which there are few, so they are worked out once for each.
    """

    def __init__(self, track: Track, name: str) -> None:
        self._track = track
        self._name = name
        self._causes: dict[tuple[int, int], tuple[tuple[Cause, bool], ...]] = {}

    def __iter__(self) -> Iterator[tuple[Edge, bool]]:
        track, is_active = self._track, False
        numbers = self._numbers()
        number = next(numbers, 0)
        for chunk in list(track.chunks):
            index = chunk.schema.index.get(self._name, -1)
            starts_active = index >= 0 and chunk.ticks[index] % 2 == 1
            if starts_active != is_active:
                is_active = starts_active
                before = chunk.first - 1
                yield Edge(before, track.time_at(max(before, 0))), is_active
            while number and number <= min(chunk.last, track.count):
                for cause, is_active in self._changes(chunk, number):
                    yield Edge(number, chunk.time(number - chunk.first), cause), is_active
                number = next(numbers, 0)

    def _numbers(self) -> Iterator[int]:
        changes = changes_of(self._track, self._name)
        number = changes.next(0)
        while number is not None:
            yield number
            number = changes.next(number)

    def _changes(self, chunk: Chunk, number: int) -> tuple[tuple[Cause, bool], ...]:
        """What one transition does to the state: it begins, ends, or both."""
        shape = chunk.shapes[number - chunk.first]
        key = (chunk.dictionary.serial, shape)
        if key not in self._causes:
            self._causes[key] = tuple(self._changes_of(chunk, chunk.dictionary.shape(shape)))
        return self._causes[key]

    def _changes_of(self, chunk: Chunk, shape: Shape) -> Iterator[tuple[Cause, bool]]:
        states, index = chunk.schema.states, chunk.schema.index[self._name]
        growth = next(growth for at, growth in shape.changes if at == index)
        if growth < 0 and growth % 2 == 0:
            yield cause_of(shape, states, index, is_added=True), True
        yield cause_of(shape, states, index, is_added=growth > 0), growth > 0


def requested_by(store: Store, track: Track, number: int) -> tuple[Track, int] | None:
    """The transition, in any machine, whose handler requested this one; None if not recorded."""
    source = track.transition(number).source
    return store.source_of(track, source) if source else None
