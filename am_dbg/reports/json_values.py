"""Values for JSON: sessions, machines, gaps and transitions.

JSON holds every text unchanged; its writer escapes everything that is not ASCII. Wall times are
UTC, with nanoseconds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from am_dbg.projection.denial import denial_of
from am_dbg.projection.excerpt import Excerpt
from am_dbg.projection.machine_order import MachineOrder
from am_dbg.projection.runs.program_runs import ProgramRun, are_several, program_runs, run_span
from am_dbg.projection.steps import has_steps
from am_dbg.store import Gap, GapKind, OpenWorkReport, Store, Track, TransitionRecord
from am_dbg.store.facts import groups_of
from amtracer.wire.messages import StateDef, StepDef
from amtracer.wire.vocabulary import (
    ShapeFlag,
    StepFlag,
    handler_name,
    mutation_word,
    relation_word,
    step_word,
)

JsonObject = dict[str, Any]

_NS = 10**9


def session_value(store: Store) -> JsonObject:
    """All machines in order of arrival, and the number of their transitions.

    `runs` are left out if there is only one program with one run.
    """
    value: JsonObject = {
        "machines": [machine_value(track) for track in store.tracks],
        "transitions": store.transitions,
    }
    runs = [run_value(store, run) for run in several_runs(store)]
    return value | ({"runs": runs} if runs else {})


def several_runs(store: Store) -> list[ProgramRun]:
    """The runs of the programs of a session, none if there is only one."""
    runs = program_runs(MachineOrder(store).machines)
    return [run for run in runs if not run.is_alone] if are_several(runs) else []


def run_value(store: Store, run: ProgramRun) -> JsonObject:
    """One run of a program; `ended` is left out while it goes on."""
    span = run_span(store, run)
    ended: JsonObject = {"ended": wall_time(span.end_ns)} if span.end_ns else {}
    return {
        "program": run.program,
        **({"pid": run.pid} if run.pid else {}),
        "run": run.number,
        "machines": [machine.track.key for machine in run.machines],
        "started": wall_time(span.start_ns),
        **ended,
        **({"reason": span.reason} if span.reason else {}),
    }


def machine_value(track: Track) -> JsonObject:
    """One machine: `states` and `transitions` are counts, `time_sum` its ticks together.

    `groups` are left out if it has none.
    """
    groups = {
        name: [track.states[index].name for index in members]
        for name, members in groups_of(track.states).items()
    }
    value = {
        "id": track.key,
        "parent": track.parent,
        "tags": list(track.tags),
        "states": len(track.states),
        "transitions": track.count,
        "time_sum": sum(track.ticks),
        **_notes(track),
    }
    return value | ({"groups": groups} if groups else {})


def _notes(track: Track) -> JsonObject:
    """The notes about a machine, if any: `hanging` are handlers that have not returned."""
    refused, hanging = track.notes.refused, track.hanging
    value: JsonObject = {"refused": refused} if refused else {}
    if hanging:
        value["hanging"] = [
            {"handler": one.handler, "after_ns": one.duration_ns, "place": one.place}
            for one in hanging
        ]
    return value


def rest_value(track: Track, excerpt: Excerpt | None = None) -> JsonObject:
    """Data of a machine beside transitions: log lines after the last one, open work."""
    texts = Excerpt() if excerpt is None else excerpt
    texts.begin()
    return {
        "later_log": _lines(track.later.lines, texts),
        "later_missing": track.later.missing,
        "open": open_value(track.open.newest, track.identity.unit_ns),
    }


def open_value(report: OpenWorkReport | None, unit_ns: int) -> list[JsonObject] | None:
    """Open waiters, contexts, deadlines and tasks; None if they are not known."""
    if report is None:
        return None
    return [
        {
            "kind": one.kind,
            "names": one.names,
            "condition": one.condition,
            "since": one.since,
            "deadline_ns": one.deadline * unit_ns or None,
        }
        for one in report.work
    ]


def gap_value(gap: Gap) -> JsonObject:
    """One gap in a history; `lost` is null if the number is not known.

    `before` counts transitions before the beginning of a recording, which are not lost.
    """
    before = lost_before(gap)
    return {
        "after": gap.after_number,
        "kind": gap.kind.name.lower(),
        "lost": gap.lost - before if gap.lost >= 0 else None,
        "before": before,
        "reason": gap.reason,
    }


def lost_before(gap: Gap) -> int:
    """How many transitions came before the beginning of the recording."""
    return gap.lost if gap.kind is GapKind.LATE else 0


def transition_value(track: Track, number: int, excerpt: Excerpt | None = None) -> JsonObject:
    """One whole transition, with states by name.

    Log lines and arguments are cut at the limits of the excerpt, with a mark. A history
    lists open work where it changed; a single transition always lists it. `queue_tick` is
    left out if it is not known, and so is the `reason` of a canceled transition.
    """
    report = track.open.at(number)
    if excerpt is not None and report is not None and report.number != number:
        report = None
    texts = Excerpt() if excerpt is None else excerpt
    texts.begin()
    transition, states = track.transition(number), track.schema_at(number)
    shape, source = transition.shape, transition.source
    return {
        "machine": track.key,
        "number": number,
        "id": transition.id,
        "type": mutation_word(shape.type),
        "called": [states[index].name for index in shape.called],
        "accepted": bool(shape.flags & ShapeFlag.ACCEPTED),
        **_reason(track, transition, states),
        "auto": bool(shape.flags & ShapeFlag.AUTO),
        "check": bool(shape.flags & ShapeFlag.CHECK),
        "time": wall_time(transition.time_ns),
        "time_ns": transition.time_ns,
        "duration_ns": transition.duration_ns,
        "queue_len": transition.queue_len,
        **({"queue_tick": transition.queue_tick} if transition.queue_tick else {}),
        "time_sum": track.time_sum(number),
        "before": _ticks(states, track.clock_before(number)),
        "after": _ticks(states, track.clock_at(number)),
        "steps": _steps(track, transition, states),
        "log": _lines(transition.lines, texts),
        "pre_log": _lines(transition.pre_lines, texts),
        "open": open_value(report, track.identity.unit_ns),
        "source": source and {"machine": source.machine, "id": source.tx, "time_sum": source.time},
        "args": dict(texts.of(transition.args, "argument")),
        **_notes_at(track, number),
    }


def _reason(track: Track, transition: TransitionRecord, states: Sequence[StateDef]) -> JsonObject:
    """What canceled a transition, if one of its steps or lines shows that."""
    shape = transition.shape
    if shape.flags & ShapeFlag.ACCEPTED:
        return {}
    denial = denial_of(shape, states, transition.lines, has_steps=has_steps(track, shape))
    return {"reason": denial.note} if denial.handler or denial.state else {}


def _lines(entries: Sequence[tuple[int, str]], texts: Excerpt) -> list[JsonObject]:
    return [{"level": level, "text": text} for level, text in texts.of(entries, "line")]


def _notes_at(track: Track, number: int) -> JsonObject:
    """The notes about one transition, if there are any."""
    late = [
        {"handler": one.handler, "after_ns": one.duration_ns, "place": one.place}
        for one in track.troubles_at(number)
        if one.is_late
    ]
    value: JsonObject = {"late": late} if late else {}
    refused = track.notes.refused_at(track.row_at(number))
    return {**value, "refused": refused} if refused else value


def start_value(track: Track) -> JsonObject:
    """The state of a machine before the first held transition."""
    number = track.first - 1
    ticks = _ticks(track.schema_at(number), track.clock_at(number))
    return {
        "machine": track.key,
        "number": number,
        "time": wall_time(track.time_at(number)),
        "time_ns": track.time_at(number),
        "time_sum": track.time_sum(number),
        "after": ticks,
    }


def _ticks(states: Sequence[StateDef], ticks: Sequence[int]) -> dict[str, int]:
    return {state.name: tick for state, tick in zip(states, ticks, strict=True)}


def _steps(
    track: Track, transition: TransitionRecord, states: Sequence[StateDef]
) -> list[JsonObject]:
    steps = [_step(step, states) for step in transition.shape.steps]
    for trouble in track.troubles_at(transition.number):
        if 0 <= trouble.step < len(steps) and not trouble.is_late:
            steps[trouble.step]["raised_at"] = trouble.place
    handlers = [step for step in steps if step["handler"]]
    for step, duration in zip(handlers, transition.handler_ns, strict=False):
        step["duration_ns"] = duration
    return steps


def _step(step: StepDef, states: Sequence[StateDef]) -> JsonObject:
    result = None
    if step.flags & StepFlag.FAILED:
        result = "failed"
    elif step.flags & StepFlag.DENIED:
        result = "denied"
    return {
        "type": step_word(step.type),
        "relation": relation_word(step.relation),
        "source": states[step.source].name if step.source >= 0 else None,
        "target": states[step.target].name if step.target >= 0 else None,
        "handler": handler_name(step, states) or None,
        "result": result,
    }


def wall_time(time_ns: int) -> str:
    """A wall time as ISO 8601 in UTC, with nanoseconds."""
    seconds, rest = divmod(time_ns, _NS)
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError):
        return f"{time_ns} ns"
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


def history_json(store: Store, track: Track) -> Iterator[str]:
    """A machine with all its transitions as one JSON object, a line for each of them."""
    excerpt = Excerpt(store)
    head = {
        **machine_value(track),
        **rest_value(track, excerpt),
        "gaps": [gap_value(gap) for gap in track.gaps],
    }
    yield json.dumps({"machine": head})[:-1] + ', "transitions": ['
    numbers = range(track.first, track.count + 1)
    for number in numbers:
        comma = "," if number != numbers[-1] else ""
        yield json.dumps(transition_value(track, number, excerpt)) + comma
    yield "]}"
