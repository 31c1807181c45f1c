"""The transition under the cursor on one row, and what comes next."""

from __future__ import annotations

from dataclasses import dataclass

from am_dbg.projection.log import Entry, entry_of
from am_dbg.projection.steps import TYPE_NAMES, Moment
from am_dbg.query import Visible


@dataclass(frozen=True, slots=True)
class TransitionView:
    """What the transition bar shows.

    `position` and `visible` count what the filters let through. `since_ns` is the time
    since the visible transition before, `since` its number. `other` counts states that
    were called or touched by a step but not changed.
    """

    number: int = 0
    total: int = 0
    position: int = 0
    visible: int = 0
    type_name: str = ""
    entry: Entry | None = None
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
    is_stepping: bool = False
    next: Entry | None = None
    next_type: str = ""
    next_multi: bool = False
    waits_on: str = ""


def project_transition(moment: Moment, visible: Visible, waits_on: str = "") -> TransitionView:
    """The bar at a moment; `waits_on` tells where a live session is expected from."""
    track = moment.track
    following = visible.next(moment.number)
    base = {"number": max(moment.number, 0), "total": track.count, "visible": visible.count}
    next_entry = entry_of(track, track.transition(following)) if following else None
    next_type = _type_name(track.shape_at(following).type) if following else ""
    next_multi = _is_multi(moment, following) if following else False
    if moment.is_start:
        return TransitionView(
            **base,
            time_sum=track.time_sum(moment.number),
            time_ns=moment.time_ns,
            next=next_entry,
            next_type=next_type,
            next_multi=next_multi,
            waits_on=waits_on,
        )
    transition = track.transition(moment.number)
    facts = track.facts_at(moment.number)
    previous = visible.previous(moment.number)
    touched = {i for step in transition.shape.steps for i in (step.source, step.target) if i >= 0}
    changed = facts.changed
    return TransitionView(
        **base,
        position=visible.position_of(moment.number),
        type_name=_type_name(transition.shape.type),
        entry=entry_of(track, transition),
        added=facts.added.bit_count(),
        removed=facts.removed.bit_count(),
        other=sum(1 for index in touched if not changed >> index & 1),
        time_sum=track.time_sum(moment.settled),
        time_ns=transition.time_ns,
        since=previous or 0,
        since_ns=transition.time_ns - track.time_at(previous) if previous else 0,
        duration_ns=transition.duration_ns,
        queue_len=transition.queue_len,
        is_multi=_is_multi(moment, moment.number),
        is_stepping=moment.is_stepping,
        next=next_entry,
        next_type=next_type,
        next_multi=next_multi,
        waits_on=waits_on,
    )


def _type_name(type_: int) -> str:
    return TYPE_NAMES[type_] if 0 <= type_ < len(TYPE_NAMES) else "mutation"


def _is_multi(moment: Moment, number: int) -> bool:
    states = moment.track.schema_at(number)
    called = moment.track.shape_at(number).called
    return any(index < len(states) and states[index].multi for index in called)
