"""Why a state is not active at a moment: what it lacks, what keeps it out, who refused it.

The answer follows from the schema and the clock, so it needs no log level:

- *Relations.* Whether a call of the state would be accepted is decided as a machine decides it
  (see `outcome`). For an auto state it is the call that all auto states make together.
- *Requirements.* A state needs each state of its `require`. One that comes along with it is only
  missing if it does not stay. One that it removes never stays.
- *Blockers.* An active state that removes this one keeps it out, unless it gives way to a call,
  or one that would come along with it.
- *Held back.* An auto state that a failure holds back is not tried until something else changes
  (see `held_back`).
- *Calls.* The last transition that called the state and did not activate it, since the state was
  last active, with the handler or the relation that refused it. Or nothing called it at all.

A missing requirement is explained in the same way, some levels deep. States that were explained
already are not explained again, so cycles end.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from am_dbg.projection.denial import Denial, denial_of
from am_dbg.projection.reasons.causes import Cause, cause_at, owner_of, requirement_of
from am_dbg.projection.reasons.held_back import held_since
from am_dbg.projection.reasons.outcome import CallOutcome, Drop, Relations, outcome_of
from am_dbg.projection.steps import handler_name, has_steps, name_at
from am_dbg.query.of_state import activations_of, calls_of, refusals_of, removals_of
from am_dbg.store import Gap, Track
from amtracer.wire.messages import Shape, StateDef
from amtracer.wire.vocabulary import RelationKind, ShapeFlag, StepFlag

LEVELS_MAX = 4
"""How deep missing requirements are explained, the state itself included."""
LISTED_MAX = 8
"""The most requirements, blockers and adders that are listed for a state."""


@dataclass(frozen=True, slots=True)
class Since:
    """The transition that made a state active or inactive.

    Without a cause it happened before the first held transition (number 0) or in the gap
    after the transition with this number. `requested_by` is another machine that requested the
    transition; empty if none did.
    """

    number: int
    cause: Cause | None = None
    requested_by: str = ""


@dataclass(frozen=True, slots=True)
class Requirement:
    """A required state that is not active, or that would not stay.

    `is_brought` is set if the state adds it, `is_missing` if it would be missing if the state was
    called now. `dropped` is why it would not stay. `why_not` is None if it is active or is not
    explained further.
    """

    name: str
    is_defined: bool = True
    is_brought: bool = False
    is_removed: bool = False
    is_active: bool = False
    is_missing: bool = True
    dropped: Drop | None = None
    why_not: WhyNotView | None = None


@dataclass(frozen=True, slots=True)
class Blocker:
    """An active state that removes the state, or an inactive one that would come along.

    It `gives_way` if a call would deactivate it. `is_added` is set if it is not active; it comes
    because `added_by` adds it, or as an auto state if that is empty.
    """

    name: str
    since: Since | None
    gives_way: bool = False
    is_added: bool = False
    added_by: str = ""


@dataclass(frozen=True, slots=True)
class Adder:
    """A state whose `add` names the state."""

    name: str
    is_active: bool


@dataclass(frozen=True, slots=True)
class Refusal:
    """The last transition that called the state without effect; `count` are all such."""

    number: int
    count: int
    denial: Denial


@dataclass(frozen=True, slots=True)
class WhyNotView:
    """Why a state is not active; all names are as the program has them.

    `since` is None if it was never active. `last_call` is the last transition that called it, 0
    if none did. `adders` are the states that bring it along. `more` counts what is not listed.
    It `is_blocked` if relations keep it out, an auto state if it does not activate by itself;
    `refuses_call` is set if they keep it out when it is called now. `held_since` is the transition
    of the failure that holds back an auto state which relations let in, 0 if none does.
    """

    name: str
    tick: int
    is_auto: bool
    since: Since | None
    requirements: tuple[Requirement, ...] = ()
    blockers: tuple[Blocker, ...] = ()
    refusal: Refusal | None = None
    last_call: int = 0
    adders: tuple[Adder, ...] = ()
    more: int = 0
    is_blocked: bool = False
    refuses_call: bool = False
    held_since: int = 0

    @property
    def is_missing(self) -> bool:
        """Whether a required state is missing that does not come along."""
        return any(one.is_missing for one in self.requirements)

    @property
    def is_kept_out(self) -> bool:
        """Whether an active state keeps it out."""
        return any(not one.gives_way for one in self.blockers)


def why_not(track: Track, number: int, name: str) -> WhyNotView | None:
    """Why a state is not active after a transition; None if it is, or if there is no such state."""
    return _cached(track, (track.first, number < track.count), number, name)


def blocked_autos(track: Track, number: int) -> tuple[WhyNotView, ...]:
    """The auto states that do not activate after a transition: they are blocked or held back."""
    clock = track.clock_at(number)
    answers = (
        why_not(track, number, state.name)
        for index, state in enumerate(track.schema_at(number))
        if state.auto and clock[index] % 2 == 0
    )
    return tuple(one for one in answers if one and (one.is_blocked or one.held_since))


def since_of(track: Track, number: int, name: str) -> Since | None:
    """When a state became what it is after a transition; None if it was never active."""
    index = track.index_at(number, name)
    tick = track.clock_at(number)[index]
    found = (activations_of if tick % 2 else removals_of)(track, name).previous(number + 1)
    gap = _gap_between(track, found or 0, number, name)
    if gap is not None:
        return Since(gap.after_number)
    if found is None:
        return Since(0) if tick else None
    at = track.index_at(found, name)
    cause = cause_at(track, found, at, is_added=tick % 2 == 1)
    source = track.transition(found).source
    is_other = source is not None and source.machine != track.id
    return Since(found, cause, source.machine if source and is_other else "")


def _gap_between(track: Track, low: int, number: int, name: str) -> Gap | None:
    """The last gap between two transitions over which the tick of a state changed."""
    gaps = track.gaps
    at = bisect_left(gaps, number, key=_after)
    while at and gaps[at - 1].after_number >= max(low, 1):
        at -= 1
        before, after = gaps[at].after_number, gaps[at].after_number + 1
        if _tick(track, before, name) != _tick_before(track, after, name):
            return gaps[at]
    return None


def _after(gap: Gap) -> int:
    return gap.after_number


def _tick(track: Track, number: int, name: str) -> int:
    index = track.index_at(number, name)
    return track.clock_at(number)[index] if index >= 0 else 0


def _tick_before(track: Track, number: int, name: str) -> int:
    index = track.index_at(number, name)
    return track.clock_before(number)[index] if index >= 0 else 0


@lru_cache(maxsize=256)
def _cached(track: Track, held: tuple[int, bool], number: int, name: str) -> WhyNotView | None:
    """`held` is the first transition that the track holds, and whether one follows."""
    index = track.index_at(number, name)
    if index < 0 or track.clock_at(number)[index] % 2:
        return None
    return _Explanation(track, number, _moment(track, held[0], number)).of(index, LEVELS_MAX)


@lru_cache(maxsize=16)
def _moment(track: Track, _first: int, number: int) -> _Moment:
    states, clock = track.schema_at(number), track.clock_at(number)
    relations = Relations(states)
    active = [state.name for state, tick in zip(states, clock, strict=True) if tick % 2]
    return _Moment(relations, active, relations.auto_called(active))


@dataclass(slots=True)
class _Moment:
    """What relations make of the calls of one moment."""

    relations: Relations
    active: list[str]
    autos: list[str]
    of_autos: CallOutcome = field(init=False)

    def __post_init__(self) -> None:
        self.of_autos = self.of_call(*self.autos)
        if self.of_autos.active.isdisjoint(self.autos):  # then the call is refused as a whole
            self.of_autos.active = frozenset(self.active)

    def of_call(self, *called: str) -> CallOutcome:
        return outcome_of(self.relations, self.active, called)


@dataclass(slots=True)
class _Explanation:
    """Explains states of one moment; each state once."""

    track: Track
    number: int
    moment: _Moment
    states: Sequence[StateDef] = field(init=False)
    clock: Sequence[int] = field(init=False)
    seen: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.states = self.track.schema_at(self.number)
        self.clock = self.track.clock_at(self.number)

    def of(self, index: int, levels: int) -> WhyNotView:
        self.seen.add(index)
        state = self.states[index]
        since = since_of(self.track, self.number, state.name)
        of_call = self.moment.of_call(state.name)
        outcome = self.moment.of_autos if state.auto else of_call
        drop = self._drop(state, outcome)
        missing = list(self._missing(state, drop))
        active = list(self._blocking(state, drop))
        adders = list(self._adding(state.name))
        is_blocked = state.name not in outcome.active
        is_tried = state.name in self.moment.autos and not is_blocked
        more = sum(max(0, len(each) - LISTED_MAX) for each in (missing, active, adders))
        return WhyNotView(
            name=state.name,
            tick=self.clock[index],
            is_auto=state.auto,
            since=since,
            requirements=tuple(
                self._requirement(
                    state, required, levels, outcome, is_lacking=required in drop.missing
                )
                for required in missing[:LISTED_MAX]
            ),
            blockers=tuple(self._blocker(state, by, outcome) for by in active[:LISTED_MAX]),
            refusal=self._refusal(state.name, since),
            last_call=calls_of(self.track, state.name).previous(self.number + 1) or 0,
            adders=tuple(adders[:LISTED_MAX]),
            more=more,
            is_blocked=is_blocked,
            refuses_call=state.name not in of_call.active,
            held_since=held_since(self.track, self.number, state.name) if is_tried else 0,
        )

    def _drop(self, state: StateDef, outcome: CallOutcome) -> Drop:
        """Why a state does not stay; empty if it does."""
        if state.name in outcome.active:
            return Drop()
        return outcome.drops.get(state.name) or Drop(
            removers=tuple(self._removing(state.name, self.moment.active))
        )

    def _removing(self, name: str, others: Iterable[str]) -> Iterator[str]:
        remove = self.moment.relations.remove
        return (other for other in others if name in remove[other])

    def _is_active(self, index: int) -> bool:
        return self.clock[index] % 2 == 1

    def _missing(self, state: StateDef, drop: Drop) -> Iterator[str]:
        """What it lacks if it is called, first; then what comes along with it."""
        yield from drop.missing
        for name in state.require or ():
            index = self.track.index_at(self.number, name)
            is_here = index >= 0 and self._is_active(index) and name not in (state.remove or ())
            if not is_here and name not in drop.missing:
                yield name

    def _requirement(
        self, state: StateDef, name: str, levels: int, outcome: CallOutcome, *, is_lacking: bool
    ) -> Requirement:
        """One that `is_lacking` was not there when it was needed, even if it comes later."""
        index = self.track.index_at(self.number, name)
        if index < 0:
            return Requirement(name, is_defined=False)
        is_active = self._is_active(index)
        is_new = levels > 1 and index not in self.seen and not is_active
        is_missing = is_lacking or name not in outcome.active
        return Requirement(
            name,
            is_brought=name in (state.add or ()),
            is_removed=name in (state.remove or ()),
            is_active=is_active,
            is_missing=is_missing,
            dropped=outcome.drops.get(name) if is_missing else None,
            why_not=self.of(index, levels - 1) if is_new else None,
        )

    def _blocking(self, state: StateDef, drop: Drop) -> Iterator[str]:
        """The states that keep it out, first; then the active ones that remove it otherwise."""
        yield from drop.removers
        for name in self._removing(state.name, self.moment.active):
            if name not in drop.removers:
                yield name

    def _blocker(self, state: StateDef, name: str, outcome: CallOutcome) -> Blocker:
        if name not in self.moment.active:
            return Blocker(name, None, is_added=True, added_by=outcome.adders.get(name, ""))
        since = since_of(self.track, self.number, name)
        is_stronger = name in self._drop(state, outcome).removers
        wins = name in self.moment.relations.remove[state.name] and not is_stronger
        gives_way = wins and not state.auto and name not in (state.require or ())
        return Blocker(name, since, gives_way=gives_way)

    def _adding(self, name: str) -> Iterator[Adder]:
        for index, other in enumerate(self.states):
            if name in (other.add or ()):
                yield Adder(other.name, self._is_active(index))

    def _refusal(self, name: str, since: Since | None) -> Refusal | None:
        """The last refusal since the state was last active."""
        refusals = refusals_of(self.track, name)
        number = refusals.previous(self.number + 1)
        began = since.number if since else 0
        if number is None or number < began:
            return None
        count = refusals.position_of(number) - refusals.position_of(max(0, began - 1))
        return Refusal(number, count, refusal_at(self.track, number, name))


def refusal_at(track: Track, number: int, name: str) -> Denial:
    """The handler or the relation that refused a state in a transition.

    An auto transition refuses each state for a reason of its own; any other is canceled as a
    whole.
    """
    transition, states = track.transition(number), track.schema_at(number)
    shape, index = transition.shape, track.index_at(number, name)
    own = _own_refusal(shape, states, index) if shape.flags & ShapeFlag.AUTO else None
    sends_steps = has_steps(track, shape)
    return own or denial_of(shape, states, transition.lines, has_steps=sends_steps)


def _own_refusal(shape: Shape, states: Sequence[StateDef], index: int) -> Denial | None:
    """What refused one state of an auto transition."""
    for step in shape.steps:
        if step.flags & (StepFlag.DENIED | StepFlag.FAILED) and step.target == index:
            failed = bool(step.flags & StepFlag.FAILED)
            return Denial(handler=handler_name(step, states), failed=failed)
    name = name_at(states, index)
    if (owner := owner_of(shape, RelationKind.REMOVE, index)) >= 0:
        return Denial(state=name, blocked_by=name_at(states, owner))
    if (needed := requirement_of(shape, index)) >= 0:
        return Denial(state=name, requires=name_at(states, needed))
    return None
