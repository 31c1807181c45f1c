"""Numbers for what transitions called and what came of it, so that histories can be compared.

Two transitions call the same if their mutation has the same type and names the same states.
They are equal if, besides, they ended the same: accepted or canceled, with the same states
changed by as many ticks. Times, arguments, log lines and ids do not count, because they differ
between any two runs. States are compared by name, so the order of a schema does not count.
Health checks are left out: how many there are depends on time alone.

All tracks that are compared with each other need the same `Signatures`, which hands the
numbers out. A signature is computed once per shape, and the history becomes three packed
columns.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

from am_dbg.store import Track
from am_dbg.store.chunk import Chunk
from am_dbg.store.dictionary import SegmentDictionary
from am_dbg.store.facts import Fact
from amtracer.wire.vocabulary import ShapeFlag

LEFT_OUT = -1
_HEALTH = int(Fact.HEALTH)
_CALL_FLAGS = int(ShapeFlag.AUTO | ShapeFlag.CHECK)
_ENDED_FLAGS = int(ShapeFlag.ACCEPTED)


@dataclass(frozen=True, slots=True)
class SignedHistory:
    """A history without health checks: for each transition its number and its signatures."""

    numbers: array[int] = field(default_factory=lambda: array("I"))
    calls: array[int] = field(default_factory=lambda: array("I"))
    outcomes: array[int] = field(default_factory=lambda: array("I"))

    def __len__(self) -> int:
        return len(self.numbers)


class Signatures:
    """Hands out the numbers: equal numbers for equal calls, and for equal outcomes."""

    def __init__(self) -> None:
        self._calls: dict[object, int] = {}
        self._outcomes: dict[object, int] = {}
        self._call_of: list[int] = []
        self._known: dict[tuple[SegmentDictionary, int], int] = {}

    def of(self, track: Track) -> SignedHistory:
        """The history of a track."""
        history = SignedHistory()
        for chunk in track.chunks:
            low = max(0, track.first - chunk.first)
            self._add(history, chunk, low, min(chunk.rows, track.count - chunk.first + 1))
        history.calls.extend(map(self._call_of.__getitem__, history.outcomes))
        return history

    def _add(self, history: SignedHistory, chunk: Chunk, low: int, high: int) -> None:
        table = [self._outcome(chunk.dictionary, shape) for shape in chunk.shapes.palette]
        local = chunk.shapes.local.span(low, high)
        numbers = range(chunk.first + low, chunk.first + high)
        if LEFT_OUT not in table:
            history.numbers.extend(numbers)
            history.outcomes.extend(map(table.__getitem__, local))
            return
        for number, at in zip(numbers, local, strict=True):
            if table[at] != LEFT_OUT:
                history.numbers.append(number)
                history.outcomes.append(table[at])

    def _outcome(self, dictionary: SegmentDictionary, shape: int) -> int:
        """The number of a shape's outcome, `LEFT_OUT` for a health check."""
        if dictionary.shape_table.flags[shape] & _HEALTH:
            return LEFT_OUT
        key = (dictionary, shape)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._new_outcome(dictionary, shape)
        return known

    def _new_outcome(self, dictionary: SegmentDictionary, number: int) -> int:
        shape, states = dictionary.shape(number), dictionary.schema(number).states
        called = tuple(states[index].name for index in shape.called)
        call_key = (shape.type, shape.flags & _CALL_FLAGS, called)
        call = self._calls.setdefault(call_key, len(self._calls))
        changes = frozenset((states[index].name, growth) for index, growth in shape.changes)
        key = (call, shape.flags & _ENDED_FLAGS, changes)
        outcome = self._outcomes.setdefault(key, len(self._outcomes))
        if outcome == len(self._call_of):
            self._call_of.append(call)
        return outcome
