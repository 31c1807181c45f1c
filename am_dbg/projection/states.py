"""The tree of states: ticks, marks of the steps, relations.

Without steps it is a list in the order of the schema. While steps are walked through, the
states they touched come first, and their relation steps hang below them. Rows are kept as
pairs of numbers until they are in the window, so a schema of thousands of states with ten
times as many relations costs its window, not its size.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from am_dbg.projection.clean import clean_name
from am_dbg.projection.machines import clamped_top, top_showing
from am_dbg.projection.steps import Moment, marks_of, name_at, state_of
from am_dbg.store.facts import is_error_state
from amtracer.wire.messages import StateDef, StepDef
from amtracer.wire.vocabulary import RELATION_WORDS, StepKind

STATE = -1
"""As the reference of a `TreeSpot`: the state's own row."""


@dataclass(frozen=True, slots=True)
class TreeSpot:
    """A row of the tree that a reader can stand on: a state or one of its references."""

    state: str
    reference: int = STATE


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


TreeRow = StateRow | ReferenceRow


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


@dataclass(frozen=True, slots=True)
class Tree:
    """All rows of the tree as pairs of state index and reference, in order."""

    moment: Moment
    states: tuple[StateDef, ...]
    rows: tuple[tuple[int, int], ...]

    def position_of(self, spot: TreeSpot) -> int:
        """The row of a spot, of its state when the reference is folded away, or -1."""
        fallback = -1
        for position, (index, reference) in enumerate(self.rows):
            if self.states[index].name == spot.state:
                if reference == spot.reference:
                    return position
                fallback = position if reference == STATE else fallback
        return fallback

    def spot_at(self, position: int) -> TreeSpot:
        index, reference = self.rows[position]
        return TreeSpot(self.states[index].name, reference)

    def target_of(self, spot: TreeSpot) -> str:
        """The state that a reference leads to; empty for a state's own row."""
        for state in self.states:
            if state.name == spot.state and spot.reference != STATE:
                references = references_of(state)
                if spot.reference < len(references):
                    return references[spot.reference][1]
        return ""


def references_of(state: StateDef) -> list[tuple[int, str]]:
    """The relations of a state as pairs of relation number and target, in fixed order."""
    lists = ((1, state.add), (2, state.require), (3, state.remove), (0, state.after))
    return [(relation, target) for relation, targets in lists for target in targets or ()]


def tree_of(moment: Moment, opened: frozenset[str], *, all_open: bool = False) -> Tree:
    """Lay the tree out."""
    states = moment.track.schema_at(moment.number)
    done = moment.done if moment.is_stepping else ()
    touched = list(dict.fromkeys(i for i in _touched(done) if i < len(states)))
    first = set(touched)
    order = [*sorted(touched), *(i for i in range(len(states)) if i not in first)]
    used = _used_references(done, states)
    rows: list[tuple[int, int]] = []
    for index in order:
        rows.append((index, STATE))
        state = states[index]
        if all_open or state.name in opened:
            rows.extend((index, reference) for reference in range(len(references_of(state))))
        elif index in used:
            rows.extend((index, reference) for reference in sorted(used[index]))
    return Tree(moment, states, tuple(rows))


def _touched(steps: Iterable[StepDef]) -> Iterable[int]:
    for step in steps:
        yield from (index for index in (step.source, step.target) if index >= 0)


def _used_references(steps: Iterable[StepDef], states: Sequence[StateDef]) -> dict[int, set[int]]:
    """Per state the references that its relation steps went along."""
    used: dict[int, set[int]] = {}
    for step in steps:
        owner, reference = reference_of(step, states)
        if owner >= 0:
            used.setdefault(owner, set()).add(reference)
    return used


def reference_of(step: StepDef, states: Sequence[StateDef]) -> tuple[int, int]:
    """The owner and the reference that a relation step went along; -1 for none."""
    if step.type != StepKind.RELATION:
        return -1, -1
    pairs = ((step.source, step.target), (step.target, step.source))
    for owner, target in pairs:
        if 0 <= owner < len(states) and 0 <= target < len(states):
            wanted = (step.relation, states[target].name)
            references = references_of(states[owner])
            if wanted in references:
                return owner, references.index(wanted)
    return -1, -1


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
        self.touched = set(_touched(moment.done))
        last = moment.done[-1] if moment.is_stepping and moment.done else None
        self.current = reference_of(last, tree.states) if last else (-1, -1)
        self.stepped = {
            reference_of(step, tree.states) for step in (moment.done if moment.is_stepping else ())
        }
        self.current_state = state_of(last) if last else -1

    def row(self, position: int) -> TreeRow:
        index, reference = self.tree.rows[position]
        state = self.tree.states[index]
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
