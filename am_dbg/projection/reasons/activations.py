"""The activations of a state: when it was active, from which transition to which.

Ticks alone show them, so no log level and no steps are needed. An active multi state that is
called again begins a new activation. If a final handler fails, a state can be activated and
deactivated within one transition. Over a gap a state may change unseen: then the activation ends
or begins there, without a transition.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from am_dbg.projection.reasons.causes import Cause, cause_at
from am_dbg.query.of_state import changes_of
from am_dbg.store import Store, Track
from am_dbg.store.chunk import Chunk


@dataclass(frozen=True, slots=True)
class Edge:
    """The transition that begins or ends an activation, why, and the one that requested it.

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
    for edge, is_active in _edges(track, name):
        if begin is not None:
            yield Activation(begin, edge)
        begin = edge if is_active else None
    if begin is not None:
        yield Activation(begin, None)


def _edges(track: Track, name: str) -> Iterator[tuple[Edge, bool]]:
    """Where the state changes, and whether it is active from there on."""
    is_active = False
    numbers = _numbers(track, name)
    number = next(numbers, 0)
    for chunk in list(track.chunks):
        index = chunk.schema.index.get(name, -1)
        starts_active = index >= 0 and chunk.ticks[index] % 2 == 1
        if starts_active != is_active:
            is_active = starts_active
            yield Edge(chunk.first - 1, track.time_at(max(chunk.first - 1, 0))), is_active
        while number and number <= min(chunk.last, track.count):
            for edge, is_active in _changes(track, chunk, number, index):
                yield edge, is_active
            number = next(numbers, 0)


def _numbers(track: Track, name: str) -> Iterator[int]:
    changes = changes_of(track, name)
    number = changes.next(0)
    while number is not None:
        yield number
        number = changes.next(number)


def _changes(track: Track, chunk: Chunk, number: int, index: int) -> Iterator[tuple[Edge, bool]]:
    """What one transition does to a state: it ends, begins, or both."""
    shape = chunk.dictionary.shape(chunk.shapes[number - chunk.first])
    growth = next(growth for at, growth in shape.changes if at == index)
    time_ns = chunk.time(number - chunk.first)
    is_added = growth > 0
    edge = Edge(number, time_ns, cause_at(track, number, index, is_added=is_added))
    if not is_added and growth % 2 == 0:
        yield Edge(number, time_ns, cause_at(track, number, index, is_added=True)), True
    yield edge, is_added


def requested_by(store: Store, track: Track, number: int) -> tuple[Track, int] | None:
    """The transition, in any machine, whose handler requested this one; None if not recorded."""
    source = track.transition(number).source
    return store.source_of(track, source) if source else None
