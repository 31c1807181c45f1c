"""Resolves relations: which states a mutation targets, and in what order.

This is a pure function of the schema, the ordered active states and the call. It works
on state indexes and bit masks; nothing here uses a machine.

The order of things, all lists keeping the order in which states came in:

1. *Start.* add: the called states, then the active ones. set: the called ones. remove:
   the active ones without the called.
2. *Add.* Each state of the list that was not active before, or is multi, appends what
   its `add` names, except what is barred (in a removal, what is being removed). Only
   states that were in the list at the start of the pass do so.
3. *Require.* In rounds, until a round drops nothing: a state that misses a required state
   at the start of the round is dropped.
4. *Remove.* From the end of the list to its start: a state is blocked when some state of
   the list names it in `remove` and is not blocked itself by then. So implied states are
   decided first, then active ones, then called ones from the last to the first, and of
   two called states that remove each other the earlier survives.
5. *Second Add and Require.* The survivors, from the last to the first, add once more;
   whatever a survivor removes goes out; reversed again, the newly implied come first; then
   the Require rounds. With the first pass an Add chain is followed two levels.
6. *Sort.* First by Require rank, a stable sort; then by After: take, again and again, the
   first state whose present `after` states were all taken, and the first of all where a
   cycle leaves none. After wins over Require.

A removal is always accepted; anything else only when every called state is a target. For an
auto mutation one of them is enough.

When handlers refused states of an auto mutation, it is resolved again from the same active
states: with the called states that are left, and with Add passes that bring no refused state.
The outcome is the one without the refused states. So what only they removed stays, what only
they implied is no target, and what only they kept out may activate. Auto states that are held
back (`_calling.held_back`) are barred in the same way.

The decision is a `Verdict`. How it was decided (steps, log lines) is written only if the
caller passes a `Trail`: since the function is pure, a reader that needs it later resolves
again, and a mutation that nothing observes costs nothing more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from machine._enums import DECISIONS, OPS, REMOVE, SET, LogLevel, Relation, StepType
from machine._resolution.step import Step
from machine._schema.schema import Call, Indexes, Schema

_MISSING = max(StepType) + 1


class Verdict:
    """What resolution decided; `targets` are in handler order."""

    __slots__ = ("accepted", "enters", "exits", "targets")

    def __init__(
        self, accepted: bool, targets: Indexes, exits: Indexes = (), enters: Indexes = ()
    ) -> None:
        self.accepted: bool = accepted
        self.targets: Indexes = targets
        self.exits: Indexes = exits
        self.enters: Indexes = enters


class Explanation(NamedTuple):
    """How a call was decided; the result of a trail."""

    steps: tuple[Step, ...]
    lines: tuple[tuple[LogLevel, str], ...]


class Trail:
    """Records how a call is decided: steps and log lines, in order.

    The same few steps occur in all trails of a schema, so each is made once and kept with
    the schema. They are found by a number: that of a step on a state is made of its type
    and the state, numbers above these are of the other kinds.
    """

    __slots__ = ("_active", "_called", "_known", "_numbers", "auto", "lines", "names", "steps")

    def __init__(self, schema: Schema, active: Iterable[int], call: Call) -> None:
        self.names = schema.all_names
        self._numbers = len(schema.names)
        self._known = schema.steps
        self._active = mask_of(active)
        self._called = call.mask
        self.auto = call.auto
        self.steps: list[Step] = []
        self.lines: list[tuple[LogLevel, str]] = []

    def explanation(self) -> Explanation:
        """What was recorded, in half the memory."""
        return Explanation(tuple(self.steps), tuple(self.lines))

    def state(self, type: StepType, index: int) -> None:
        """A step on one state."""
        key = type * len(self.names) + index
        step = self._known.get(key)
        if step is None:
            step = Step(type, "", -1, self.names[index], self._number(index))
            self._known[key] = step
        self.steps.append(step)

    def relation(self, relation: Relation, source: int, target: int) -> None:
        """A relation that was checked."""
        names, number = self.names, self._number
        count = len(names)
        key = ((_MISSING + 1 + relation * count) + source) * count + target
        step = self._known.get(key)
        if step is None:
            step = self._known[key] = Step(
                StepType.RELATION,
                names[source],
                number(source),
                names[target],
                number(target),
                rel_type=relation,
            )
        self.steps.append(step)

    def _number(self, index: int) -> int:
        """The index of a state; -1 for a ghost."""
        return index if index < self._numbers else -1

    def missing(self, owner: int, required: int) -> None:
        """A requirement of `owner` is not among the targets."""
        key = _MISSING * len(self.names) + owner
        step = self._known.get(key)
        if step is None:
            step = self._known[key] = Step(StepType.REMOVE_NOT_ACTIVE, self.names[owner], owner)
        self.steps.append(step)
        if self._called >> owner & 1:
            self.state(StepType.CANCEL, required)

    def rejected(self, dropped: dict[int, list[int]]) -> None:
        """States were dropped because they miss required states."""
        reasons = [
            f"{self.names[state]}({' '.join(f'-{self.names[m]}' for m in missing)})"
            for state, missing in dropped.items()
        ]
        level = DECISIONS if self.auto else OPS
        self.lines.append((level, f"[reject{':auto' * self.auto}] {' '.join(reasons)}"))

    def against(self, state: int, removers: Sequence[int], blockers: Sequence[int]) -> None:
        """These states remove a state; those that are not removed themselves block it."""
        for remover in removers:
            self.relation(Relation.REMOVE, remover, state)
        if not blockers:
            return
        active = self._active >> state & 1
        self.state(StepType.REMOVE if active else StepType.REMOVE_NOT_ACTIVE, state)
        by = " ".join(self.names[blocker] for blocker in blockers)
        level = OPS if active else DECISIONS
        self.lines.append((level, f"[rel:remove] {self.names[state]} by {by}"))

    def removed_again(self, states: Iterable[int], survivors: Iterable[int]) -> None:
        """What survivors remove goes out of these states; it is not recorded."""

    def line(self, tag: str, states: Iterable[int]) -> None:
        """A line that lists states, if there are any."""
        names = " ".join(self.names[state] for state in states)
        if names:
            self.lines.append((OPS, f"[{tag}] {names}"))


Order = Callable[[Schema, list[int], Trail | None], list[int]]
"""Puts states into handler order."""


def mask_of(states: Iterable[int]) -> int:
    """The set of these states as bits."""
    mask = 0
    for state in states:
        mask |= 1 << state
    return mask


def indexes_of(mask: int) -> list[int]:
    """The states of a mask, in index order."""
    return [index for index in range(mask.bit_length()) if mask >> index & 1]


def resolve(schema: Schema, active: Indexes, call: Call, trail: Trail | None = None) -> Verdict:
    """Decide about a call while these states are active, in this order."""
    before = mask_of(active)
    if trail is not None and not call.again:
        request(active, before, call, trail)
    targets = targets_of(schema, start(active, call), before, call, trail)
    if trail is not None:
        trail.line("implied", [t for t in targets if not (before | call.mask) >> t & 1])
    return judge(schema, active, call, targets, trail)


def judge(
    schema: Schema,
    active: Indexes,
    call: Call,
    targets: Sequence[int],
    trail: Trail | None,
    order: Order | None = None,
) -> Verdict:
    """Accept or reject the targets; list states that leave, in handler order, and enter."""
    before, after = mask_of(active), mask_of(targets)
    if not _accepts(call, after):
        if trail is not None:
            _reject(call, after, trail)
        return Verdict(False, tuple(targets))
    left = [state for state in active if not after >> state & 1]
    exits = (order or sort)(schema, left, trail)
    entering = ~before | (schema.multi_mask & call.mask)
    enters = [state for state in targets if entering >> state & 1]
    return Verdict(True, tuple(targets), tuple(exits), tuple(enters))


def _accepts(call: Call, after: int) -> bool:
    if call.type is REMOVE:
        return True
    if call.auto:
        return bool(call.mask & after)
    return not call.mask & ~after


def _reject(call: Call, after: int, trail: Trail) -> None:
    missing = [state for state in call.called if not after >> state & 1]
    trail.line("cancel:reject", missing)
    for state in missing:
        trail.state(StepType.CANCEL, state)


def request(active: Indexes, before: int, call: Call, trail: Trail) -> None:
    """Record the request itself."""
    for state in call.called:
        trail.state(StepType.REQUESTED, state)
    if call.type is REMOVE:
        for state in call.called:
            trail.state(StepType.REMOVE, state)
        return
    for state in call.called:
        if not before >> state & 1:
            trail.state(StepType.SET, state)
    if call.type is SET:
        for state in active:
            if not call.mask >> state & 1:
                trail.state(StepType.REMOVE, state)


def start(active: Indexes, call: Call) -> list[int]:
    """The list with which the passes begin."""
    if call.type is SET:
        return list(call.called)
    rest = [state for state in active if not call.mask >> state & 1]
    return rest if call.type is REMOVE else [*call.called, *rest]


def targets_of(
    schema: Schema, states: list[int], before: int, call: Call, trail: Trail | None
) -> list[int]:
    """The five passes and the sort."""
    idle = before & ~schema.multi_mask  # active, so its add is not applied again
    states = _add(schema, states, idle, call.barred, trail)
    states = require(schema, states, trail)
    states = _unblocked(schema, states, trail)
    removed = 0
    for state in states:
        removed |= schema.remove_mask[state]
    survivors, states = states, _add(schema, states[::-1], idle, call.barred, trail)
    if removed:
        if trail is not None:
            trail.removed_again(states, survivors)
        states = [state for state in states if not removed >> state & 1]
    return sort(schema, require(schema, states[::-1], trail), trail)


def _add(
    schema: Schema, states: list[int], idle: int, barred: int, trail: Trail | None
) -> list[int]:
    """One pass of Add over the list as it is when it starts."""
    adds, present = schema.add, mask_of(states)
    implied: list[int] = []
    for state in states:
        if not adds[state] or idle >> state & 1:
            continue
        wanted = [target for target in adds[state] if not barred >> target & 1]
        for target in wanted:
            if trail is not None:
                trail.relation(Relation.ADD, state, target)
            if not present >> target & 1:
                present |= 1 << target
                implied.append(target)
        if trail is not None:
            for target in wanted:
                trail.state(StepType.SET, target)
    return states + implied if implied else states


def require(schema: Schema, states: list[int], trail: Trail | None) -> list[int]:
    """Drop, round by round, the states that miss a required state."""
    needs, present = schema.require_mask, mask_of(states)
    dropped: dict[int, list[int]] = {}
    while True:
        if trail is not None:
            _record_require(schema, states, present, dropped, trail)
        kept = [state for state in states if not needs[state] & ~present]
        if len(kept) == len(states):
            break
        states, present = kept, mask_of(kept)
    if trail is not None and dropped:
        trail.rejected(dropped)
    return states


def _record_require(
    schema: Schema,
    states: Iterable[int],
    present: int,
    dropped: dict[int, list[int]],
    trail: Trail,
) -> None:
    """Record one round of Require."""
    for state in states:
        for required in schema.require[state]:
            trail.relation(Relation.REQUIRE, state, required)
            if not present >> required & 1:
                trail.missing(state, required)
                dropped.setdefault(state, []).append(required)


def _unblocked(schema: Schema, states: list[int], trail: Trail | None) -> list[int]:
    """The survivors of Remove, in the order of the list."""
    removes = schema.remove_mask
    blockers = [state for state in states if removes[state]]
    if not blockers:
        return states
    blocked = 0
    for state in reversed(states):
        against = [b for b in blockers if removes[b] >> state & 1]
        if not against:
            continue
        by = [b for b in against if not blocked >> b & 1]
        if by:
            blocked |= 1 << state
        if trail is not None:
            trail.against(state, against, by)
    return [state for state in states if not blocked >> state & 1] if blocked else states


def sort(schema: Schema, states: list[int], trail: Trail | None = None) -> list[int]:
    """Handler order: by Require, then by After."""
    rank = schema.rank
    if rank is not None and len(states) > 1:
        states = sorted(states, key=rank.__getitem__)
    present = mask_of(states)
    waits = [schema.after_mask[state] & present for state in states]
    return _by_after(schema, list(zip(states, waits, strict=True)), trail) if any(waits) else states


def _by_after(schema: Schema, waiting: list[tuple[int, int]], trail: Trail | None) -> list[int]:
    taken: list[int] = []
    done = 0
    while waiting:
        ready = next((i for i, (_, waits) in enumerate(waiting) if not waits & ~done), 0)
        state, _ = waiting.pop(ready)
        if trail is not None:
            for earlier in schema.after[state]:
                if done >> earlier & 1:
                    trail.relation(Relation.AFTER, earlier, state)
        taken.append(state)
        done |= 1 << state
    return taken


def growth_of(before: int, enters: Indexes, exits: Indexes) -> tuple[tuple[int, int], ...]:
    """Pairs of a state and how much its tick grows; a re-entered multi state grows by 2."""
    entered = [(state, 2 if before >> state & 1 else 1) for state in enters]
    return tuple(entered + [(state, 1) for state in exits])


def auto_states(schema: Schema, active: Indexes, held: int = 0) -> Indexes:
    """The auto states that may try to activate.

    They are inactive, not held back, and not removed by an active state.
    """
    taken = mask_of(active) | held
    for state in active:
        taken |= schema.remove_mask[state]
    return tuple(state for state in schema.autos if not taken >> state & 1)


def auto_blockers(schema: Schema, active: Indexes) -> list[tuple[int, int]]:
    """Pairs of an inactive auto state and the active state that removes it."""
    before = mask_of(active)
    return [
        (state, by)
        for state in schema.autos
        if not before >> state & 1
        for by in active
        if schema.remove_mask[by] >> state & 1
    ]
