"""The tree of states before its rows are made: states in order, relations below them.

Without steps it is a list in the order of the schema. While steps are walked through, the
states they touched come first, and their relation steps hang below them. Rows are pairs of
numbers until they are in the window, so a schema of thousands of states with ten times as
many relations costs its window, not its size.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from am_dbg.projection.reasons.why_not_rows import ReasonRow, reason_rows
from am_dbg.projection.steps import Moment
from amtracer.wire.messages import StateDef, StepDef
from amtracer.wire.vocabulary import StepKind

STATE = -1
"""As the reference of a `TreeSpot`: the state's own row."""
REASON = -2
"""As the reference of a `TreeSpot`: the first reason; the next ones count down from it."""
EXPLAINED_MAX = 8
"""The most unfolded states whose reasons are shown, since each moment has its own."""


@dataclass(frozen=True, slots=True)
class TreeSpot:
    """A row of the tree that a reader can stand on: a state or one of its references."""

    state: str
    reference: int = STATE


@dataclass(frozen=True, slots=True)
class Tree:
    """All rows of the tree as pairs of state index and reference, in order.

    `reasons` are those of the unfolded states that are not active, by index.
    """

    moment: Moment
    states: tuple[StateDef, ...]
    rows: tuple[tuple[int, int], ...]
    reasons: Mapping[int, tuple[ReasonRow, ...]] = field(default_factory=dict)

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

    def reason_at(self, spot: TreeSpot) -> ReasonRow | None:
        """The reason at a spot; None for a state or a reference."""
        for index, rows in self.reasons.items():
            at = REASON - spot.reference
            if self.states[index].name == spot.state and 0 <= at < len(rows):
                return rows[at]
        return None

    def target_of(self, spot: TreeSpot) -> str:
        """The state that a reference leads to; empty for a state's own row."""
        for state in self.states:
            if state.name == spot.state and spot.reference > STATE:
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
    touched = list(dict.fromkeys(i for i in touched_states(done) if i < len(states)))
    first = set(touched)
    order = [*sorted(touched), *(i for i in range(len(states)) if i not in first)]
    used = _used_references(done, states)
    rows: list[tuple[int, int]] = []
    reasons: dict[int, tuple[ReasonRow, ...]] = {}
    for index in order:
        rows.append((index, STATE))
        state = states[index]
        if state.name in opened and len(reasons) < EXPLAINED_MAX:
            if found := _reasons(moment, state):
                reasons[index] = found
            rows.extend((index, REASON - at) for at in range(len(found)))
        if all_open or state.name in opened:
            rows.extend((index, reference) for reference in range(len(references_of(state))))
        elif index in used:
            rows.extend((index, reference) for reference in sorted(used[index]))
    return Tree(moment, states, tuple(rows), reasons)


def _reasons(moment: Moment, state: StateDef) -> tuple[ReasonRow, ...]:
    """Why a state is not active; its relations follow below."""
    is_last = not references_of(state)
    return reason_rows(moment.track, moment.settled, state.name, is_last=is_last)


def touched_states(steps: Iterable[StepDef]) -> Iterable[int]:
    """The states that steps are about, in order, with repeats."""
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
