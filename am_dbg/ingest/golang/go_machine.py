"""The state of a Go machine in the middle of its stream.

Programs repeat themselves, and a list of structs that came before is the same object when
it comes again (`am_dbg.ingest.golang.gob_types`). So steps, log lines and whole shapes are made
once for each such object and found by its identity. Each cache keeps its keys alive, so that
no identity is used twice, and is emptied when it is full.
"""

from __future__ import annotations

from am_dbg.ingest.golang.clock import Ticks
from am_dbg.ingest.golang.go_queue import GoQueue
from am_dbg.ingest.golang.log import LevelScale, canceled_by, without_prefix
from am_dbg.ingest.golang.records import GoLines, GoTransition, Records, lines_of
from am_dbg.ingest.golang.steps import Steps, marked, steps_of
from amtracer.wire.messages import Shape, StateDef
from amtracer.wire.vocabulary import ShapeFlag

REMEMBERED_MAX = 512
"""The most entries of each cache."""

Changes = tuple[tuple[int, int], ...]


class GoMachine:
    """Its states, ticks, and how its transitions read.

    `number` is the one in the stream, `seen` says whether the ticks are known, `queue`
    holds its mutations that wait, `early` the lines from before the next transition.
    """

    def __init__(self, id: str, states: tuple[StateDef, ...], scale: LevelScale) -> None:
        self.id = id
        self.number = 0
        self.seen = False
        self.last_ns = 0
        self.queue = GoQueue()
        self.early: list[tuple[int, str]] = []
        self.ticks: Ticks = (0,) * len(states)
        self._scale = scale
        self._lines: dict[int, tuple[Records, GoLines]] = {}
        self.take(states)

    def take(self, states: tuple[StateDef, ...]) -> None:
        """Set its states."""
        self.states = states
        self.names = tuple(state.name for state in states)
        self.index = {name: at for at, name in enumerate(self.names)}
        self._steps: dict[int, tuple[Records, Steps]] = {}
        self._shapes: dict[object, tuple[Steps, Shape]] = {}

    def steps(self, records: Records) -> Steps:
        """The steps of a transition."""
        found = self._steps.get(id(records))
        if found is None:
            if len(self._steps) >= REMEMBERED_MAX:
                self._steps.clear()
            found = self._steps[id(records)] = records, steps_of(records, self.index)
        return found[1]

    def lines(self, *several: Records) -> tuple[GoLines, ...]:
        """Log lines without prefixes, at our levels."""
        read = [self._read(entries) for entries in several]
        self._scale.learn(*read)
        return tuple(map(self._scale.ours, read))

    def _read(self, entries: Records) -> GoLines:
        if not entries:
            return ()
        found = self._lines.get(id(entries))
        if found is None:
            if len(self._lines) >= REMEMBERED_MAX:
                self._lines.clear()
            lines = without_prefix(lines_of(entries), self.id)
            found = self._lines[id(entries)] = entries, lines
        return found[1]

    def shape(
        self,
        go: GoTransition,
        called: tuple[int, ...],
        changes: Changes,
        steps: Steps,
        lines: GoLines,
    ) -> Shape:
        """The shape of a transition, with a mark at the handler that canceled it."""
        canceled = not go.accepted and not go.auto
        by = canceled_by(lines) if canceled or go.auto else frozenset()
        flags = _flags(go)
        key = (id(steps), go.type, called, flags, changes, by)
        found = self._shapes.get(key)
        if found is None:
            if len(self._shapes) >= REMEMBERED_MAX:
                self._shapes.clear()
            final = marked(steps, self.states, by, canceled)
            found = self._shapes[key] = steps, Shape(go.type, called, flags, changes, final)
        return found[1]


def _flags(go: GoTransition) -> int:
    return ShapeFlag.ACCEPTED * go.accepted | ShapeFlag.AUTO * go.auto | ShapeFlag.CHECK * go.check
