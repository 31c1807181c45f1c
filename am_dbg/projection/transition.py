"""The transition bar: the current transition on one row, and what comes next."""

from __future__ import annotations

from dataclasses import dataclass, replace

from am_dbg.projection.log.entries import EntryKind, TransitionEntry, entry_of, kind_of_mutation
from am_dbg.projection.steps import Moment, type_name
from am_dbg.query import Visible


@dataclass(frozen=True, slots=True)
class TransitionView:
    """What the transition bar shows.

    `since_ns` is the time since the visible transition before, `since` its number. `other`
    counts states that were called or touched by a step but not changed.
    """

    number: int = 0
    total: int = 0
    kind: EntryKind = EntryKind.EVAL
    type_name: str = ""
    entry: TransitionEntry | None = None
    added: int = 0
    removed: int = 0
    other: int = 0
    time_sum: int = 0
    time_ns: int = 0
    since: int = 0
    since_ns: int = 0
    duration_ns: int = 0
    queue_len: int = 0
    is_multi: bool = False
    next: TransitionEntry | None = None
    next_type: str = ""
    next_multi: bool = False
    waits_on: str = ""


def project_transition(moment: Moment, visible: Visible, waits_on: str = "") -> TransitionView:
    """The bar at a moment; `waits_on` is where a live session is expected from."""
    track = moment.track
    view = TransitionView(
        number=max(moment.number, 0),
        total=track.count,
        time_sum=track.time_sum(moment.settled),
        time_ns=moment.time_ns,
        waits_on=waits_on,
    )
    if not moment.is_start:
        view = _with_current(view, moment, visible)
    following = visible.next(moment.number)
    if following is None:
        return view
    return replace(
        view,
        next=entry_of(track, track.transition(following)),
        next_type=type_name(track.shape_at(following).type),
        next_multi=_is_multi(moment, following),
    )


def _with_current(view: TransitionView, moment: Moment, visible: Visible) -> TransitionView:
    track = moment.track
    transition = track.transition(moment.number)
    facts = track.facts_at(moment.number)
    previous = visible.previous(moment.number)
    touched = {i for step in transition.shape.steps for i in (step.source, step.target) if i >= 0}
    touched.update(transition.shape.called)
    return replace(
        view,
        kind=kind_of_mutation(transition.shape.type),
        type_name=type_name(transition.shape.type),
        entry=entry_of(track, transition),
        added=facts.added.bit_count(),
        removed=facts.removed.bit_count(),
        other=sum(1 for index in touched if not facts.changed >> index & 1),
        since=previous or 0,
        since_ns=transition.time_ns - track.time_at(previous) if previous else 0,
        duration_ns=transition.duration_ns,
        queue_len=transition.queue_len,
        is_multi=_is_multi(moment, moment.number),
    )


def _is_multi(moment: Moment, number: int) -> bool:
    states = moment.track.schema_at(number)
    called = moment.track.shape_at(number).called
    return any(index < len(states) and states[index].multi for index in called)
