"""The pane of states: ticks, marks of the steps, relations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from am_dbg.projection.clean import clean_name
from am_dbg.projection.machines import clamped_top, top_showing
from am_dbg.projection.reasons.why_not_rows import ReasonRow
from am_dbg.projection.states_tree import (
    REASON,
    STATE,
    Tree,
    TreeSpot,
    reference_of,
    references_of,
    touched_states,
)
from am_dbg.projection.steps import Moment, marks_of, name_at, state_of
from am_dbg.store.facts import is_error_state
from amtracer.wire.vocabulary import RELATION_WORDS, StepKind


@dataclass(frozen=True, slots=True)
class StateRow:
    """One state at this moment."""

    name: str
    tick: int
    is_active: bool
    is_error: bool
    marks: str = ""
    is_multi: bool = False
    is_auto: bool = False
    is_called: bool = False
    is_touched: bool = False
    is_selected: bool = False
    is_related: bool = False
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class ReferenceRow:
    """A relation of the state above it; `is_step` when a step has used it."""

    owner: str
    relation: str
    target: str
    is_last: bool
    is_step: bool = False
    is_current: bool = False
    is_selected: bool = False
    is_related: bool = False


@dataclass(frozen=True, slots=True)
class WhyNotRow:
    """A reason for which the state above it is not active."""

    reason: ReasonRow
    is_selected: bool = False


TreeRow = StateRow | ReferenceRow | WhyNotRow


@dataclass(frozen=True, slots=True)
class Arc:
    """A relation step between two rows of the window; -1 and the height lie outside it."""

    start: int
    end: int
    is_current: bool


@dataclass(frozen=True, slots=True)
class StatesView:
    """The visible window of the tree."""

    rows: tuple[TreeRow, ...] = ()
    top: int = 0
    total_rows: int = 0
    states: int = 0
    active: int = 0
    arcs: tuple[Arc, ...] = ()
    needle: str = ""


def project_states(
    tree: Tree, spot: TreeSpot | None, top: int, height: int, *, follow: bool = True
) -> StatesView:
    """The rows from `top` on, moved as little as shows the reader's spot."""
    position = tree.position_of(spot) if spot else -1
    if follow and tree.moment.is_stepping:
        top = 0
    elif follow and position >= 0:
        top = top_showing(position, top, len(tree.rows), height)
    top = clamped_top(top, len(tree.rows), height)
    clock = tree.moment.track.clock_at(tree.moment.settled)
    rows = _Rows(tree, clock, spot)
    return StatesView(
        rows=tuple(rows.row(place) for place in range(top, min(top + height, len(tree.rows)))),
        top=top,
        total_rows=len(tree.rows),
        states=len(tree.states),
        active=sum(tick % 2 for tick in clock),
        arcs=_arcs(tree, top, height) if tree.moment.is_stepping else (),
    )


class _Rows:
    """Makes rows from pairs of numbers."""

    def __init__(self, tree: Tree, clock: Sequence[int], spot: TreeSpot | None) -> None:
        self.tree = tree
        self.clock = clock
        self.spot = spot
        moment = tree.moment
        shape = moment.shape
        self.marks = marks_of(moment.done)
        self.called = set(shape.called) if shape else set()
        self.touched = set(touched_states(moment.done))
        last = moment.done[-1] if moment.is_stepping and moment.done else None
        self.current = reference_of(last, tree.states) if last else (-1, -1)
        self.stepped = {
            reference_of(step, tree.states) for step in (moment.done if moment.is_stepping else ())
        }
        self.current_state = state_of(last) if last else -1

    def row(self, position: int) -> TreeRow:
        index, reference = self.tree.rows[position]
        state = self.tree.states[index]
        if reference <= REASON:
            reason = self.tree.reasons[index][REASON - reference]
            return WhyNotRow(reason, self.spot == TreeSpot(state.name, reference))
        if reference != STATE:
            return self._reference_row(position, index, reference)
        tick = self.clock[index] if index < len(self.clock) else 0
        selected = self.spot is not None and self.spot == TreeSpot(state.name)
        following = position + 1 < len(self.tree.rows) and self.tree.rows[position + 1]
        return StateRow(
            name=clean_name(state.name),
            tick=tick,
            is_active=tick % 2 == 1,
            is_error=is_error_state(state.name),
            marks=self.marks.get(index, ""),
            is_multi=state.multi,
            is_auto=state.auto,
            is_called=index in self.called,
            is_touched=index in self.touched,
            is_selected=selected,
            is_related=self._is_related(state.name),
            is_open=bool(following) and following[1] != STATE if following else False,
        )

    def _reference_row(self, position: int, index: int, reference: int) -> ReferenceRow:
        state = self.tree.states[index]
        relation, target = references_of(state)[reference]
        following = self.tree.rows[position + 1 : position + 2]
        return ReferenceRow(
            owner=clean_name(state.name),
            relation=RELATION_WORDS[relation],
            target=clean_name(target),
            is_last=not following or following[0][1] == STATE,
            is_step=(index, reference) in self.stepped,
            is_current=(index, reference) == self.current,
            is_selected=self.spot == TreeSpot(state.name, reference),
            is_related=self._is_related(target),
        )

    def _is_related(self, name: str) -> bool:
        """Whether the row is about the state that the reader has selected."""
        return self.spot is not None and self.spot.state == name


def _arcs(tree: Tree, top: int, height: int) -> tuple[Arc, ...]:
    """Relation steps as lines between the reference and the state it leads to."""
    done = tree.moment.done
    wanted = {reference_of(step, tree.states) for step in done if step.type == StepKind.RELATION}
    wanted.discard((-1, -1))
    if not wanted:
        return ()
    current = reference_of(done[-1], tree.states)
    rows: dict[tuple[int, int], int] = {}
    by_name: dict[str, int] = {}
    for position, (index, reference) in enumerate(tree.rows):
        if reference == STATE:
            by_name[tree.states[index].name] = position
        elif (index, reference) in wanted:
            rows[index, reference] = position
    arcs = []
    for (index, reference), start in rows.items():
        target = references_of(tree.states[index])[reference][1]
        end = by_name.get(target)
        if end is not None:
            arcs.append((start - top, end - top, (index, reference) == current))
    return tuple(
        Arc(max(-1, min(start, height)), max(-1, min(end, height)), is_current)
        for start, end, is_current in arcs
        if not (start < 0 and end < 0) and not (start >= height and end >= height)
    )


def state_names(moment: Moment) -> tuple[str, ...]:
    """The names of the states at this moment, in order of the schema."""
    states = moment.track.schema_at(moment.number)
    return tuple(name_at(states, index) for index in range(len(states)))
