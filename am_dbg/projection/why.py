"""Explains in one paragraph why a transition came about and how it ended.

The paragraph comes from the steps alone where they say enough: who asked, what the relations
made of it, which handlers ran, who canceled it. It never guesses: what the steps leave open is
left out, and if the program sent no steps, the paragraph says so.

The growth of each tick shows what a transition changed: odd growth activated or deactivated a
state, even growth called an active state again or took back what was done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from am_dbg.projection.clean import clean, clean_name
from am_dbg.projection.denial import Denial, denial_of
from am_dbg.projection.steps import HOW_TO_SEND_STEPS, handler_name, has_steps, name_at
from am_dbg.projection.trouble import noted_at
from am_dbg.spans import Ink, Run
from am_dbg.store import GapKind, Track, Transition
from am_dbg.store.facts import ShapeFacts, indexes_of
from amtracer.wire.messages import Shape, StateDef
from amtracer.wire.vocabulary import MutationKind, RelationKind, StepFlag, StepKind

NAMES_MAX = 8


def why(track: Track, transition: Transition, asked_by: Sequence[Run]) -> tuple[Run, ...]:
    """The paragraph; `asked_by` is the sentence that says who asked, if that is known."""
    states = track.schema_at(transition.number)
    facts = track.facts_at(transition.number)
    runs: list[Run] = [*asked_by]
    if facts.is_check:
        runs.append(Run("Only asked: nothing changes. "))
    if facts.is_canceled:
        runs += _canceled(track, transition, states)
    elif facts.is_check:
        runs.append(Run("It would be accepted. "))
        runs += _handlers(track, transition, states)
    else:
        if has_steps(track, transition.shape) or not _began_late(track, transition.number):
            runs += _accepted(transition, states, facts)
        else:
            runs.append(Run("Tracing began with it, so what it changed is not known. "))
        runs += _handlers(track, transition, states)
    for text in noted_at(track, transition.number):
        runs.append(Run(f"{text[0].upper()}{text[1:]}. ", Ink.CANCELED))
    return tuple(runs)


def _accepted(
    transition: Transition, states: Sequence[StateDef], facts: ShapeFacts
) -> Iterable[Run]:
    shape = transition.shape
    called = set(shape.called)
    implied_added = [i for i in indexes_of(facts.added) if i not in called]
    implied_removed = [i for i in indexes_of(facts.removed) if i not in called]
    changes = [change for change in shape.changes if change[0] in called]
    yield from _changed(changes, states, back="went on and off again", again="called again")
    rest = sorted(called - {index for index, _ in changes})
    if rest and facts.is_auto:
        yield from _names(rest, states, Ink.CANCELED)
        yield Run(" did not come. ")
    elif called and not changes:
        yield from _names(rest, states, Ink.PLAIN)
        state_word = "active" if shape.type == MutationKind.ADD else "inactive"
        known = shape.type in (MutationKind.ADD, MutationKind.REMOVE)
        yield Run(f" {_was(rest)} {state_word} already. " if known else " changed nothing. ")
    yield from _implied(shape, states, implied_added, implied_removed)


def _began_late(track: Track, number: int) -> bool:
    """Whether the clock before a transition is only known as far as its steps show."""
    return any(gap.kind is GapKind.DROPPED for gap in track.gaps_after(number - 1))


def _changed(
    changes: Sequence[tuple[int, int]], states: Sequence[StateDef], *, back: str, again: str
) -> Iterable[Run]:
    """The changed states, grouped by what their ticks show, each group in one sentence."""
    groups: tuple[tuple[Ink, str, Callable[[int], bool]], ...] = (
        (Ink.ADDED, "activated", lambda growth: growth > 0 and growth % 2 == 1),
        (Ink.ADDED, again, lambda growth: growth > 0 and growth % 2 == 0),
        (Ink.REMOVED, "deactivated", lambda growth: growth < 0 and growth % 2 == 1),
        (Ink.REMOVED, back, lambda growth: growth < 0 and growth % 2 == 0),
    )
    for ink, words, belongs in groups:
        indexes = sorted(index for index, growth in changes if belongs(growth))
        if indexes:
            yield from _names(indexes, states, ink)
            yield Run(f" {words}. " if words == back else f" {_was(indexes)} {words}. ")


def _handlers(track: Track, transition: Transition, states: Sequence[StateDef]) -> Iterable[Run]:
    """What the handlers of an accepted transition did."""
    steps = enumerate(transition.shape.steps)
    handlers = [(at, step) for at, step in steps if step.type == StepKind.HANDLER]
    against = [one for one in handlers if one[1].flags & (StepFlag.DENIED | StepFlag.FAILED)]
    for at, step in against:
        failed = step.flags & StepFlag.FAILED
        yield Run("But " if failed else "")
        yield Run(handler_name(step, states), Ink.HANDLER)
        if failed:
            yield Run(f" failed{_origin(track.raised_at(transition.number, at))}. ")
        else:
            yield Run(" said no. ")
    if not has_steps(track, transition.shape):
        yield Run(f"No steps were sent, so no handlers are known ({HOW_TO_SEND_STEPS}). ")
    elif not handlers:
        yield Run("Nothing blocked it. ")
    elif not against:
        yield Run(f"{len(handlers)} handler{_s(handlers)} ran, none objected. ")


def _implied(
    shape: Shape, states: Sequence[StateDef], added: Sequence[int], removed: Sequence[int]
) -> Iterable[Run]:
    """The states that relations added or removed, each with the state whose relation it was."""
    for indexes, relation, ink, verb in (
        (added, RelationKind.ADD, Ink.ADDED, "came along"),
        (removed, RelationKind.REMOVE, Ink.REMOVED, "had to go"),
    ):
        for index in indexes[:NAMES_MAX]:
            yield Run(name_at(states, index), ink)
            owner = _owner(shape, relation, index)
            if owner >= 0:
                names = {RelationKind.ADD: "adds it", RelationKind.REMOVE: "removes it"}
                yield Run(f" {verb}: {name_at(states, owner)} {names[relation]}. ")
            elif (needed := _missing(shape, index)) >= 0:
                yield Run(f" {verb}: it requires {name_at(states, needed)}. ")
            else:
                yield Run(f" {verb}. ")
        if len(indexes) > NAMES_MAX:
            yield Run(f"{len(indexes) - NAMES_MAX} more {verb}. ")


def _owner(shape: Shape, relation: int, target: int) -> int:
    for step in shape.steps:
        if step.type == StepKind.RELATION and step.relation == relation and step.target == target:
            return step.source
    return -1


def _missing(shape: Shape, owner: int) -> int:
    for step in shape.steps:
        if (
            step.type == StepKind.RELATION
            and step.relation == RelationKind.REQUIRE
            and step.source == owner
        ):
            return step.target
    return -1


def _origin(place: str) -> str:
    """Where an error was raised, at the end of a sentence."""
    return f", raised at {clean(place)}" if place else ""


def _first_raised(track: Track, number: int) -> str:
    """Where the first handler of a transition that failed did so."""
    raised = [one for one in track.troubles_at(number) if not one.is_late]
    return min(raised, key=lambda one: one.step).place if raised else ""


def _canceled(track: Track, transition: Transition, states: Sequence[StateDef]) -> Iterable[Run]:
    shape = transition.shape
    are_sent = has_steps(track, shape)
    denial = denial_of(shape, states, transition.lines, has_steps=are_sent)
    yield Run("Canceled", Ink.CANCELED, bold=True)
    yield Run(": ")
    yield from _denied(denial, _first_raised(track, transition.number))
    if shape.changes:
        yield from _changed(
            shape.changes, states, back="came and had to go again", again="gone for a moment"
        )
        return
    if shape.called:
        yield from _names(shape.called, states, Ink.CANCELED)
        yield Run(f" did not {'go' if shape.type == MutationKind.REMOVE else 'come'}; ")
    yield Run("no tick changed. ")


def _denied(denial: Denial, raised_at: str) -> Iterable[Run]:
    if denial.handler:
        yield Run(denial.handler, Ink.HANDLER)
        words = "took too long" if denial.late else "failed" if denial.failed else "said no"
        origin = _origin(raised_at) if denial.failed and not denial.late else ""
        yield Run(f" {words}{origin}. ")
    elif denial.blocked_by:
        yield Run(denial.state, Ink.CANCELED)
        yield Run(f" is blocked by {denial.blocked_by}, which removes it. ")
    elif denial.requires:
        yield Run(denial.state, Ink.CANCELED)
        yield Run(f" requires {denial.requires}, which is not there. ")
    elif denial.is_known:
        yield Run("the relations left it out. ")
    else:
        yield Run(f"what stopped it is not known, as no steps were sent ({HOW_TO_SEND_STEPS}). ")


def _names(indexes: Iterable[int], states: Sequence[StateDef], ink: Ink) -> Iterable[Run]:
    listed = list(indexes)
    for place, index in enumerate(listed[:NAMES_MAX]):
        if place:
            yield Run(" and " if place == len(listed) - 1 else ", ")
        yield Run(name_at(states, index), ink)
    if len(listed) > NAMES_MAX:
        yield Run(f" and {len(listed) - NAMES_MAX} more")


def _was(items: Sequence[int]) -> str:
    return "was" if len(items) == 1 else "were"


def _s(items: Sequence[object]) -> str:
    return "" if len(items) == 1 else "s"


def who_asked(transition: Transition, source_link: str, is_auto: bool) -> tuple[Run, ...]:
    """The sentence that says where a mutation came from."""
    if is_auto:
        return (Run("Tried by itself, as "), Run("auto", Ink.FLAG), Run(" states are. "))
    source = transition.source
    if source is None:
        return ()
    name = clean_name(source.machine)
    return (
        Run(name, underline=bool(source_link), link=source_link),
        Run(f" asked for it at its t{source.time}. "),
    )
