"""The reader: all details of one transition, in sections."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from am_dbg.projection.addresses.write import address_of
from am_dbg.projection.clean import clean, clean_lines, clean_name
from am_dbg.projection.note_texts import hanging_text
from am_dbg.projection.steps import Moment, handler_name, name_at, step_text, type_name
from am_dbg.projection.subscriptions import (
    PipeRow,
    Subscriptions,
    TaskRow,
    WaitingRow,
    subscriptions_at,
)
from am_dbg.projection.why import requested_by, why
from am_dbg.spans import Role, Span
from am_dbg.store import Store, Track, TransitionRecord
from amtracer.wire.messages import StateDef
from amtracer.wire.vocabulary import StepKind

SOURCES_MAX = 8
HANDLERS_MAX = 200
ARGS_MAX = 200
QUEUED_MAX = 50
_QUEUED = re.compile(r"\[(?:queue|prepend):(add|remove|set)\] (.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One link of the chain of transitions that led here."""

    machine: str
    time: int
    what: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class HandlerRow:
    """One handler call, and the number of its step; the duration is 0 if it was not recorded."""

    name: str
    outcome: str
    duration_ns: int = 0
    step: int = 0


@dataclass(frozen=True, slots=True)
class ReaderView:
    """What the reader pane shows; `top` is its first row, `row` the item that the cursor is on.

    `machine` is the key of the machine. Long rows wrap, or are cut.
    """

    title: str = ""
    why: tuple[Span, ...] = ()
    sources: tuple[SourceRow, ...] = ()
    executed: tuple[HandlerRow, ...] = ()
    waiting: tuple[WaitingRow, ...] = ()
    pipes: tuple[PipeRow, ...] = ()
    tasks: tuple[TaskRow, ...] = ()
    is_history_cut: bool = False
    more: int = 0
    queue_len: int = 0
    queue: tuple[str, ...] = ()
    queue_tick: int = 0
    args: tuple[tuple[str, str], ...] = ()
    id: str = ""
    machine: str = ""
    top: int = 0
    row: int = 0
    wraps: bool = True


def project_reader(
    store: Store, moment: Moment, top: int = 0, row: int = 0, *, wraps: bool = True
) -> ReaderView:
    """The sections for the transition on show."""
    track = moment.track
    if moment.is_start:
        begin = (Span("Before the first transition."), *_hanging_at_start(track))
        opened = subscriptions_at(track, 0) if track.open.at(0) else Subscriptions()
        return ReaderView(
            title="initial",
            why=begin,
            waiting=opened.waiting,
            tasks=opened.tasks,
            more=opened.more,
            machine=track.key,
            top=top,
            row=row,
            wraps=wraps,
        )
    transition = track.transition(moment.number)
    states = track.schema_at(moment.number)
    sources = source_chain(store, track, transition)
    link = sources[0].link if sources else ""
    request = requested_by(transition, link, track.facts_at(moment.number).is_auto)
    subscriptions = subscriptions_at(track, moment.number)
    return ReaderView(
        title=f"tx {moment.number}",
        why=why(track, transition, request),
        sources=sources,
        executed=_executed(track, transition),
        waiting=subscriptions.waiting,
        pipes=subscriptions.pipes,
        tasks=subscriptions.tasks,
        is_history_cut=subscriptions.is_cut,
        more=subscriptions.more,
        queue_len=transition.queue_len,
        queue=_queued(transition, [states[index] for index in transition.shape.called]),
        queue_tick=transition.queue_tick,
        args=tuple(
            (clean_name(key), row)
            for key, value in transition.args[:ARGS_MAX]
            for row in clean_lines(value, 20)
        ),
        id=clean(transition.id),
        machine=track.key,
        top=top,
        row=row,
        wraps=wraps,
    )


def _hanging_at_start(track: Track) -> tuple[Span, ...]:
    """Handlers that have not returned, if there is no transition to show them with."""
    hanging = track.hanging if track.first > track.count else ()
    return tuple(Span(f" Since then {hanging_text(one)}.", Role.CANCELED) for one in hanging)


def source_chain(store: Store, track: Track, transition: TransitionRecord) -> tuple[SourceRow, ...]:
    """The transition that requested this one, the one before it, and so on, as far as recorded."""
    rows: list[SourceRow] = []
    source = transition.source
    seen = {(track.key, transition.number)}
    while source is not None and len(rows) < SOURCES_MAX:
        found = store.source_of(track, source)
        if found is None or (found[0].key, found[1]) in seen:
            rows.append(SourceRow(clean_name(source.machine), source.time))
            break
        owner, number = found
        seen.add((owner.key, number))
        parent = owner.transition(number)
        rows.append(
            SourceRow(
                machine=clean_name(owner.key),
                time=source.time,
                what=_what(owner, parent),
                link=address_of(store, owner, number),
            )
        )
        track, source = owner, parent.source
    return tuple(rows)


def _what(track: Track, transition: TransitionRecord) -> str:
    """A transition in two words: its type and its called states."""
    states = track.schema_at(transition.number)
    names = ", ".join(name_at(states, index) for index in transition.shape.called[:4])
    return f"{type_name(transition.shape.type)} {names}"


def _executed(track: Track, transition: TransitionRecord) -> tuple[HandlerRow, ...]:
    states = track.schema_at(transition.number)
    numbered = enumerate(transition.shape.steps, 1)
    steps = [(number, step) for number, step in numbered if step.type == StepKind.HANDLER]
    durations = transition.handler_ns if len(transition.handler_ns) >= len(steps) else ()
    return tuple(
        HandlerRow(
            name=handler_name(step, states),
            outcome=step_text(step, states).outcome,
            duration_ns=durations[place] if durations else 0,
            step=number,
        )
        for place, (number, step) in enumerate(steps[:HANDLERS_MAX])
    )


def _queued(transition: TransitionRecord, called: Sequence[StateDef]) -> tuple[str, ...]:
    """What was put into the queue while it ran, as far as its log lines show.

    Its own entry in the queue is left out.
    """
    texts = [text for _, text in (*transition.pre_lines, *transition.lines)]
    found = [f"{match[1]} {match[2]}" for text in texts if (match := _QUEUED.match(text))]
    names = " ".join(state.name for state in called)
    own = f"{type_name(transition.shape.type)} {names}"
    at = next((at for at, one in enumerate(found) if one == own or one.startswith(f"{own} (")), -1)
    before = sum(bool(_QUEUED.match(text)) for _, text in transition.pre_lines)
    if 0 <= at < before:
        del found[at]
    return tuple(map(clean, found[:QUEUED_MAX]))
