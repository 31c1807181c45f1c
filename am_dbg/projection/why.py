"""Explains in one paragraph why a transition came about and how it ended.

The paragraph is made from the steps: what requested the transition, what the relations added
and removed, which handlers ran, what canceled it. It never guesses: what does not follow from
the steps is left out, and if the program sent no steps, the paragraph states that.

The growth of each tick shows what a transition changed: odd growth activated or deactivated a
state, even growth called an active state again or undid a change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from am_dbg.projection.addresses.write import write_address
from am_dbg.projection.clean import clean, clean_name
from am_dbg.projection.denial import Denial, denial_of
from am_dbg.projection.note_texts import noted_at
from am_dbg.projection.reasons.causes import owner_of, requirement_of
from am_dbg.projection.reasons.error_source import error_added, error_raised, failed_before
from am_dbg.projection.steps import HOW_TO_SEND_STEPS, handler_name, has_steps, name_at
from am_dbg.spans import Role, Span
from am_dbg.store import GapKind, Track, TransitionRecord
from am_dbg.store.facts import ShapeFacts, indexes_of
from amtracer.wire.messages import Shape, StateDef
from amtracer.wire.vocabulary import MutationKind, RelationKind, StepFlag, StepKind

NAMES_MAX = 8


def why(track: Track, transition: TransitionRecord, request: Sequence[Span]) -> tuple[Span, ...]:
    """The paragraph; it begins with `request`, the sentence on what requested the transition."""
    states = track.schema_at(transition.number)
    facts = track.facts_at(transition.number)
    spans: list[Span] = [*request, *_error_added(track, transition.number)]
    if facts.is_check:
        spans.append(Span("A check: nothing changes. "))
    if facts.is_canceled:
        spans += _canceled(track, transition, states)
    elif facts.is_check:
        spans.append(Span("It would be accepted. "))
        spans += _handlers(track, transition, states)
    else:
        if has_steps(track, transition.shape) or not _began_late(track, transition.number):
            spans += _accepted(transition, states, facts)
        else:
            spans.append(Span("Tracing began with it, so its changes are unknown. "))
        spans += _handlers(track, transition, states)
    for text in noted_at(track, transition.number):
        spans.append(Span(f"{text[0].upper()}{text[1:]}. ", Role.CANCELED))
    return tuple(spans)


def _accepted(
    transition: TransitionRecord, states: Sequence[StateDef], facts: ShapeFacts
) -> Iterable[Span]:
    shape = transition.shape
    called = set(shape.called)
    implied_added = [i for i in indexes_of(facts.added) if i not in called]
    implied_removed = [i for i in indexes_of(facts.removed) if i not in called]
    changes = [change for change in shape.changes if change[0] in called]
    yield from _changed(changes, states, again="called again")
    rest = sorted(called - {index for index, _ in changes})
    if rest and facts.is_auto:
        yield from _names(rest, states, Role.CANCELED)
        yield Span(f" {_was(rest)} not activated. ")
    elif called and not changes:
        yield from _names(rest, states, Role.PLAIN)
        state_word = "active" if shape.type == MutationKind.ADD else "inactive"
        known = shape.type in (MutationKind.ADD, MutationKind.REMOVE)
        yield Span(f" {_was(rest)} {state_word} already. " if known else " changed nothing. ")
    yield from _implied(shape, states, implied_added, implied_removed)


def _began_late(track: Track, number: int) -> bool:
    """Whether the clock before a transition is unknown beyond what its steps show."""
    return any(gap.kind is GapKind.DROPPED for gap in track.gaps_after(number - 1))


def _changed(
    changes: Sequence[tuple[int, int]], states: Sequence[StateDef], *, again: str
) -> Iterable[Span]:
    """The changed states, grouped by what their ticks show, each group in one sentence."""
    undone = "activated and deactivated again"
    groups: tuple[tuple[Role, str, Callable[[int], bool]], ...] = (
        (Role.ADDED, "activated", lambda growth: growth > 0 and growth % 2 == 1),
        (Role.ADDED, again, lambda growth: growth > 0 and growth % 2 == 0),
        (Role.REMOVED, "deactivated", lambda growth: growth < 0 and growth % 2 == 1),
        (Role.REMOVED, undone, lambda growth: growth < 0 and growth % 2 == 0),
    )
    for role, words, belongs in groups:
        indexes = sorted(index for index, growth in changes if belongs(growth))
        if indexes:
            yield from _names(indexes, states, role)
            yield Span(f" {_was(indexes)} {words}. ")


def _handlers(
    track: Track, transition: TransitionRecord, states: Sequence[StateDef]
) -> Iterable[Span]:
    """What the handlers of an accepted transition did."""
    steps = enumerate(transition.shape.steps)
    handlers = [(at, step) for at, step in steps if step.type == StepKind.HANDLER]
    against = [one for one in handlers if one[1].flags & (StepFlag.DENIED | StepFlag.FAILED)]
    for at, step in against:
        failed = step.flags & StepFlag.FAILED
        yield Span("But " if failed else "")
        yield Span(handler_name(step, states), Role.HANDLER)
        if failed:
            yield Span(" failed")
            yield from _error_of(track, transition.number, track.raised_at(transition.number, at))
            yield Span(". ")
        else:
            yield Span(" denied it. ")
    if not has_steps(track, transition.shape):
        yield Span(f"No steps were sent, so its handlers are unknown ({HOW_TO_SEND_STEPS}). ")
    elif not handlers:
        yield Span("Nothing blocked it. ")
    elif not against:
        yield Span(f"{len(handlers)} handler{_s(handlers)} ran, none denied it. ")


def _implied(
    shape: Shape, states: Sequence[StateDef], added: Sequence[int], removed: Sequence[int]
) -> Iterable[Span]:
    """The states that relations added or removed, each with the state whose relation it was."""
    for indexes, relation, role, words in (
        (added, RelationKind.ADD, Role.ADDED, "activated"),
        (removed, RelationKind.REMOVE, Role.REMOVED, "deactivated"),
    ):
        for index in indexes[:NAMES_MAX]:
            yield Span(name_at(states, index), role)
            owner = owner_of(shape, relation, index)
            if owner >= 0:
                names = {RelationKind.ADD: "adds it", RelationKind.REMOVE: "removes it"}
                yield Span(f" was {words} because {name_at(states, owner)} {names[relation]}. ")
            elif (needed := requirement_of(shape, index)) >= 0:
                yield Span(f" was {words} because it requires {name_at(states, needed)}. ")
            else:
                yield Span(f" was {words}. ")
        if rest := indexes[NAMES_MAX:]:
            yield Span(f"{len(rest)} more {_was(rest)} {words}. ")


def _error_of(track: Track, number: int, place: str = "") -> Iterable[Span]:
    """The error of a transition and the place that raised it, at the end of a sentence."""
    error = error_raised(track, number)
    if error.text:
        yield Span(": ")
        yield Span(error.text, Role.ERROR)
    if where := clean(place) or error.place:
        yield Span(f", raised at {where}")


def _error_added(track: Track, number: int) -> Iterable[Span]:
    """The error that a transition adds, and the handler that raised it."""
    error = error_added(track, number)
    if error.text:
        yield Span(error.text, Role.ERROR)
        yield Span(f", raised at {error.place}. " if error.place else ". ")
    if not (before := failed_before(track, number)):
        return
    address = write_address(track.key, track.tx_id_at(before))
    yield Span("It was raised in ")
    yield Span(f"transition {before}", underline=True, link=address)
    yield Span(" by ")
    yield Span(_failed_handler(track, before), Role.HANDLER)
    yield Span(". ")


def _failed_handler(track: Track, number: int) -> str:
    """The first handler of a transition that failed."""
    states, steps = track.schema_at(number), track.shape_at(number).steps
    return next(handler_name(step, states) for step in steps if step.flags & StepFlag.FAILED)


def _first_raised(track: Track, number: int) -> str:
    """Where the first handler of a transition that failed did so."""
    raised = [one for one in track.troubles_at(number) if not one.is_late]
    return min(raised, key=lambda one: one.step).place if raised else ""


def _canceled(
    track: Track, transition: TransitionRecord, states: Sequence[StateDef]
) -> Iterable[Span]:
    shape = transition.shape
    are_sent = has_steps(track, shape)
    denial = denial_of(shape, states, transition.lines, has_steps=are_sent)
    yield Span("Canceled", Role.CANCELED, bold=True)
    yield Span(": ")
    yield from _denied(denial, track, transition.number)
    if shape.changes:
        yield from _changed(shape.changes, states, again="deactivated and activated again")
        return
    if shape.called:
        yield from _names(shape.called, states, Role.CANCELED)
        words = "deactivated" if shape.type == MutationKind.REMOVE else "activated"
        yield Span(f" {_was(shape.called)} not {words}; ")
    yield Span("no tick changed. ")


def _denied(denial: Denial, track: Track, number: int) -> Iterable[Span]:
    if denial.handler:
        yield Span(denial.handler, Role.HANDLER)
        words = "took too long" if denial.late else "failed" if denial.failed else "denied it"
        yield Span(f" {words}")
        if denial.failed and not denial.late:
            yield from _error_of(track, number, _first_raised(track, number))
        yield Span(". ")
    elif denial.blocked_by:
        yield Span(denial.state, Role.CANCELED)
        yield Span(f" is blocked by {denial.blocked_by}, which removes it. ")
    elif denial.requires:
        yield Span(denial.state, Role.CANCELED)
        yield Span(f" requires {denial.requires}, which is not active. ")
    elif denial.is_known:
        yield Span("the relations rejected it. ")
    else:
        yield Span(f"the reason is unknown, because no steps were sent ({HOW_TO_SEND_STEPS}). ")


def _names(indexes: Iterable[int], states: Sequence[StateDef], role: Role) -> Iterable[Span]:
    listed = list(indexes)
    for place, index in enumerate(listed[:NAMES_MAX]):
        if place:
            yield Span(" and " if place == len(listed) - 1 else ", ")
        yield Span(name_at(states, index), role)
    if len(listed) > NAMES_MAX:
        yield Span(f" and {len(listed) - NAMES_MAX} more")


def _was(items: Sequence[int]) -> str:
    return "was" if len(items) == 1 else "were"


def _s(items: Sequence[object]) -> str:
    return "" if len(items) == 1 else "s"


def requested_by(transition: TransitionRecord, source_link: str, is_auto: bool) -> tuple[Span, ...]:
    """The sentence on what requested a transition; empty if that is unknown."""
    if is_auto:
        return (Span("Started by "), Span("auto", Role.FLAG), Span(" states. "))
    source = transition.source
    if source is None:
        return ()
    name = clean_name(source.machine)
    return (
        Span(name, underline=bool(source_link), link=source_link),
        Span(f" requested it at its t{source.time}. "),
    )
