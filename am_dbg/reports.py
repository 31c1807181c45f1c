"""Reports without a screen: values for JSON and lines of text for people.

JSON holds every text as it is; its writer escapes whatever is not ASCII. Lines for people
go through `am_dbg.safe_text`. Wall times are UTC, with nanoseconds.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from am_dbg.projection.addresses.write import write_address
from am_dbg.projection.excerpt import Excerpt
from am_dbg.projection.note_texts import hanging_text, noted_at, notes_between, refused_text
from am_dbg.projection.subscriptions import is_task
from am_dbg.projection.times import counted, totals
from am_dbg.safe_text import lines, one_line
from am_dbg.spans import width_of
from am_dbg.store import Gap, GapKind, OpenWorkReport, Store, Track, TransitionRecord
from am_dbg.store.facts import ShapeFacts, groups_of
from amtracer.wire.messages import StateDef, StepDef
from amtracer.wire.vocabulary import (
    ShapeFlag,
    StepFlag,
    handler_name,
    mutation_word,
    relation_word,
    step_word,
)

Value = dict[str, Any]

BUSIEST_MAX = 10
"""Machines that the statistics name."""

_NS = 10**9


# Values for JSON.


def session_value(store: Store) -> Value:
    """All machines in order of arrival, and how many transitions they made."""
    return {
        "machines": [machine_value(track) for track in store.tracks],
        "transitions": store.transitions,
    }


def machine_value(track: Track) -> Value:
    """One machine: `states` and `transitions` are counts, `time_sum` its ticks together.

    `groups` are only there if it has some.
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


def _notes(track: Track) -> Value:
    """The notes about a machine, if any: `hanging` are handlers that have not returned."""
    refused, hanging = track.notes.refused, track.hanging
    value: Value = {"refused": refused} if refused else {}
    if hanging:
        value["hanging"] = [
            {"handler": one.handler, "after_ns": one.duration_ns, "place": one.place}
            for one in hanging
        ]
    return value


def rest_value(track: Track, excerpt: Excerpt | None = None) -> Value:
    """Data of a machine beside transitions: log lines after the last one, open work."""
    texts = Excerpt() if excerpt is None else excerpt
    texts.begin()
    return {
        "later_log": _lines(track.later.lines, texts),
        "later_missing": track.later.missing,
        "open": open_value(track.open.newest, track.identity.unit_ns),
    }


def open_value(report: OpenWorkReport | None, unit_ns: int) -> list[Value] | None:
    """Waiters, contexts, deadlines and tasks that are open; null if they are not known."""
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


def gap_value(gap: Gap) -> Value:
    """One break in a history; `lost` is null when nobody knows.

    `before` counts what came before the recording began there, which is not lost.
    """
    before = _before(gap)
    return {
        "after": gap.after_number,
        "kind": gap.kind.name.lower(),
        "lost": gap.lost - before if gap.lost >= 0 else None,
        "before": before,
        "reason": gap.reason,
    }


def _before(gap: Gap) -> int:
    """How many transitions came before the recording began there."""
    return gap.lost if gap.kind is GapKind.LATE else 0


def transition_value(track: Track, number: int, excerpt: Excerpt | None = None) -> Value:
    """One whole transition, with states by name.

    Log lines and arguments are cut at the limits of the excerpt, which says where. A history
    lists open work where it changed; a single transition always lists it. `queue_tick` is
    only there if it is known.
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


def _lines(entries: Sequence[tuple[int, str]], texts: Excerpt) -> list[Value]:
    return [{"level": level, "text": text} for level, text in texts.of(entries, "line")]


def _notes_at(track: Track, number: int) -> Value:
    """The notes about one transition, if there are any."""
    late = [
        {"handler": one.handler, "after_ns": one.duration_ns, "place": one.place}
        for one in track.troubles_at(number)
        if one.is_late
    ]
    value: Value = {"late": late} if late else {}
    refused = track.notes.refused_at(track.row_at(number))
    return {**value, "refused": refused} if refused else value


def start_value(track: Track) -> Value:
    """How a machine stood before the first transition that is held."""
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


def _steps(track: Track, transition: TransitionRecord, states: Sequence[StateDef]) -> list[Value]:
    steps = [_step(step, states) for step in transition.shape.steps]
    for trouble in track.troubles_at(transition.number):
        if 0 <= trouble.step < len(steps) and not trouble.is_late:
            steps[trouble.step]["raised_at"] = trouble.place
    handlers = [step for step in steps if step["handler"]]
    for step, duration in zip(handlers, transition.handler_ns, strict=False):
        step["duration_ns"] = duration
    return steps


def _step(step: StepDef, states: Sequence[StateDef]) -> Value:
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


# Lines for people.


PADDED_MAX = 40
"""Cells to which a column is padded; a longer text shifts its own row, not all others."""


def machine_lines(store: Store) -> Iterator[str]:
    """A table of all machines, then the totals."""
    rows = [["machine", "states", "transitions", "time", "parent", "tags"]]
    for track in store.tracks:
        value = machine_value(track)
        numbers = (f"{value[name]:,}" for name in ("states", "transitions", "time_sum"))
        tags = " ".join(f"#{one_line(tag)}" for tag in track.tags)
        rows.append([one_line(track.key), *numbers, one_line(track.parent), tags])
    columns = list(zip(*rows, strict=True))
    widths = [min(PADDED_MAX, max(map(width_of, column))) for column in columns]
    for row in rows:
        spaces = [" " * (width - width_of(cell)) for cell, width in zip(row, widths, strict=True)]
        cells = [cell + space for cell, space in zip(row, spaces, strict=True)]
        cells[1:4] = [space + cell for cell, space in zip(row[1:4], spaces[1:4], strict=True)]
        yield "  ".join(cells).rstrip()
    for track in store.tracks:
        yield from (f"{one_line(track.key)}: {one_line(text)}" for text in _news(track))
    yield totals(len(store.tracks), store.transitions)


def _news(track: Track) -> Iterator[str]:
    """What a user has to know about a machine at once."""
    refused = track.notes.refused
    if refused:
        yield refused_text(refused).removesuffix(" by here")
    yield from map(hanging_text, track.hanging)


def history_lines(track: Track) -> Iterator[str]:
    """All transitions of a machine, a line for each, with the breaks between them."""
    gaps = deque(track.gaps)
    notes = deque(notes_between(track, track.first - 1, track.count + 1))
    for number in range(track.first, track.count + 2):
        while gaps and gaps[0].after_number < number:
            gap = gaps.popleft()
            what = "before" if gap.kind is GapKind.LATE else "missing"
            count = f", {counted(gap.lost, 'transition')} {what}" if gap.lost > 0 else ""
            yield f"{'':>8}  -- {one_line(gap.reason)}{count}"
        while notes and notes[0][0] <= number:
            yield f"{'':>8}  -- {one_line(notes.popleft()[1])}"
        if number <= track.count:
            yield _history_line(track, number)
    yield from _rest_lines(track, track.count)


def _rest_lines(track: Track, number: int) -> Iterator[str]:
    """The open work after a transition; after the last one, also what was logged since."""
    later = track.later
    if number == track.count and later.lines:
        if later.missing:
            yield f"later    … ({counted(later.missing, 'earlier line')} missing)"
        for level, text in later.lines:
            first, *rest = lines(text)
            yield f"later    {level} {first}"
            yield from (f"{'':10} {line}" for line in rest)
    report = track.open.at(number)
    if report is None:
        return
    for one in report.work:
        label = "task" if is_task(one) else "waits"
        words = [one.names, one.condition] if is_task(one) else [one.kind, one.names, one.condition]
        until = wall_time(one.deadline * track.identity.unit_ns) if one.deadline else ""
        ends = f"  until {until}" if until else ""
        yield f"{label:8} {one_line(' '.join(filter(None, words)))}  since t{one.since}{ends}"
    if report.more:
        yield f"waits    … {report.more:,} more"


def _history_line(track: Track, number: int) -> str:
    shape, states = track.shape_at(number), track.schema_at(number)
    called = one_line(" ".join(states[index].name for index in shape.called))
    changes = " ".join(
        ("+" if growth > 0 else "-") + one_line(states[index].name)
        for index, growth in shape.changes
    )
    sign = "" if shape.flags & ShapeFlag.ACCEPTED else "canceled  "
    time = wall_time(track.time_at(number))
    return f"{number:>8}  {time}  {mutation_word(shape.type):6} {called}  {sign}{changes}".rstrip()


def start_lines(track: Track) -> Iterator[str]:
    """How a machine stood before the first transition that is held."""
    value = start_value(track)
    address = write_address(one_line(track.key), value["number"])
    yield f"{address}  of {track.count}  initial structure"
    yield f"time     {value['time']}  t{value['time_sum']}"
    for name, tick in value["after"].items():
        yield f"tick     {one_line(name)}  {tick}"


def transition_lines(track: Track, number: int) -> Iterator[str]:
    """One transition: what was asked, what changed, what was logged, who asked."""
    value = transition_value(track, number)
    address = write_address(one_line(track.key), number)
    yield f"{address}  of {track.count}  {one_line(value['id'])}"
    yield "  ".join(_headline(track.facts_at(number), value))
    queue = f"queue {value['queue_len']}{_queue_tick(value)}"
    yield f"time     {value['time']}  t{value['time_sum']}  {queue}"
    if value["duration_ns"]:
        yield f"took     {value['duration_ns'] / 1e6:,.3f} ms"
    if value["source"]:
        source = value["source"]
        asked = one_line(write_address(source["machine"], source["id"]))
        yield f"source   {asked}  t{source['time_sum']}"
    for key, text in value["args"].items():
        yield f"arg      {one_line(key)} = {one_line(text)}"
    for name, tick in value["after"].items():
        before = value["before"][name]
        if before != tick:
            yield f"tick     {one_line(name)}  {before} -> {tick}"
    for step in value["steps"]:
        yield f"step     {_step_text(step)}"
    yield from (f"note     {one_line(text)}" for text in noted_at(track, number))
    for label, name in (("earlier", "pre_log"), ("log", "log")):
        for entry in value[name]:
            first, *rest = lines(entry["text"])
            yield f"{label:8} {entry['level']} {first}"
            yield from (f"{'':10} {line}" for line in rest)
    yield from _rest_lines(track, number)


def _queue_tick(value: Value) -> str:
    return f"  queue tick {value['queue_tick']}" if "queue_tick" in value else ""


def _headline(facts: ShapeFacts, value: Value) -> Iterator[str]:
    yield f"{value['type']:8} {one_line(' '.join(value['called']))}"
    yield "accepted" if value["accepted"] else "canceled"
    for word in ("auto", "check", "empty", "error"):
        if getattr(facts, f"is_{word}"):
            yield word


def _step_text(step: Value) -> str:
    parts = [step["type"], step["relation"], step["handler"]]
    if not step["handler"]:
        ends = [one_line(name) for name in (step["source"], step["target"]) if name]
        parts.append(" -> ".join(ends))
    parts.append(step["result"])
    if step.get("raised_at"):
        parts.append(f"raised at {step['raised_at']}")
    return "  ".join(one_line(part) for part in parts if part)


# Statistics.


def stats_value(store: Store) -> Value:
    """Counts over the whole session."""
    counts = dict.fromkeys(("canceled", "auto", "empty", "error"), 0)
    for track in store.tracks:
        for chunk in track.chunks:
            for shape, count in chunk.shapes.counted(0, chunk.rows).items():
                facts = chunk.dictionary.facts(shape)
                for name in counts:
                    counts[name] += count * getattr(facts, f"is_{name}")
    held = [track for track in store.tracks if track.count]
    gaps = [gap for track in store.tracks for gap in track.gaps]
    busiest = sorted(store.tracks, key=lambda track: -track.count)[:BUSIEST_MAX]
    refused = sum(track.notes.refused for track in store.tracks)
    return {
        "machines": len(store.tracks),
        "transitions": store.transitions,
        "states": sum(len(track.states) for track in store.tracks),
        "schemas": len({track.states for track in store.tracks}),
        "time_sum": sum(sum(track.ticks) for track in store.tracks),
        **counts,
        "gaps": len(gaps),
        "lost": sum(max(0, gap.lost - _before(gap)) for gap in gaps),
        "before": sum(map(_before, gaps)),
        "first": min((track.time_at(track.first) for track in held), default=None),
        "last": max((track.time_at(track.count) for track in held), default=None),
        "memory": store.size(),
        **({"refused": refused} if refused else {}),
        "busiest": {track.key: track.count for track in busiest if track.count},
    }


def stats_lines(store: Store) -> Iterator[str]:
    """The statistics as a table."""
    value = stats_value(store)
    busiest = value.pop("busiest")
    first, last = value.pop("first"), value.pop("last")
    for name, count in value.items():
        unit = " bytes" if name == "memory" else ""
        yield f"{name:12} {count:>14,}{unit}"
    if first is not None:
        yield f"{'first':12} {wall_time(first)}"
        yield f"{'last':12} {wall_time(last)}"
        yield f"{'span':12} {(last - first) / _NS:,.3f} s"
    for key, count in busiest.items():
        yield f"{'busiest':12} {count:>14,}  {one_line(key)}"
