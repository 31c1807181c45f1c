"""Lines of text for people: tables of machines, histories, single transitions.

Texts of other programs are escaped (`am_dbg.safe_text`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator

from am_dbg.projection.addresses.write import write_address
from am_dbg.projection.note_texts import hanging_text, noted_at, notes_between, refused_text
from am_dbg.projection.runs.program_runs import ProgramRun, run_span
from am_dbg.projection.runs.run_rows import run_name
from am_dbg.projection.subscriptions import is_task
from am_dbg.projection.times import counted, full_time, totals
from am_dbg.reports.json_values import (
    JsonObject,
    machine_value,
    several_runs,
    start_value,
    transition_value,
    wall_time,
)
from am_dbg.safe_text import lines, one_line
from am_dbg.spans import width_of
from am_dbg.store import GapKind, Store, Track
from am_dbg.store.facts import ShapeFacts
from amtracer.wire.vocabulary import (
    ShapeFlag,
    mutation_word,
)

PADDED_MAX = 40
"""The most cells of padding; a longer text shifts its own row only."""


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
        yield from (f"{one_line(track.key)}: {one_line(text)}" for text in _warnings(track))
    yield from (_run_line(store, run) for run in several_runs(store))
    yield totals(len(store.tracks), store.transitions)


def _run_line(store: Store, run: ProgramRun) -> str:
    """A run of a program: its machines, when it began and how it ended."""
    span = run_span(store, run)
    ended = f", ended {full_time(span.end_ns)}" if span.end_ns else ""
    reason = f" ({one_line(span.reason)})" if span.reason else ""
    held = counted(len(run.machines), "machine")
    return f"{run_name(run)}: {held}, since {full_time(span.start_ns)}{ended}{reason}"


def _warnings(track: Track) -> Iterator[str]:
    """Warnings about a machine: refused mutations, handlers that have not returned."""
    refused = track.notes.refused
    if refused:
        yield refused_text(refused).removesuffix(" by here")
    yield from map(hanging_text, track.hanging)


def history_lines(
    track: Track, below: Callable[[int], Iterable[str]] = lambda _: ()
) -> Iterator[str]:
    """All transitions of a machine, a line for each, with the gaps between them.

    `below` returns lines that follow the line of a transition.
    """
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
            yield history_line(track, number)
            yield from below(number)
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


def history_line(track: Track, number: int) -> str:
    """One transition on one line: number, time, type, called states, changes."""
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
    """The state of a machine before the first held transition."""
    value = start_value(track)
    address = write_address(one_line(track.key), value["number"])
    yield f"{address}  of {track.count}  initial structure"
    yield f"time     {value['time']}  t{value['time_sum']}"
    for name, tick in value["after"].items():
        yield f"tick     {one_line(name)}  {tick}"


def transition_lines(track: Track, number: int) -> Iterator[str]:
    """One transition: what was called, what changed, what was logged, its source."""
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
        yield f"step     {step_text(step)}"
    yield from (f"note     {one_line(text)}" for text in noted_at(track, number))
    for label, name in (("earlier", "pre_log"), ("log", "log")):
        for entry in value[name]:
            first, *rest = lines(entry["text"])
            yield f"{label:8} {entry['level']} {first}"
            yield from (f"{'':10} {line}" for line in rest)
    yield from _rest_lines(track, number)


def _queue_tick(value: JsonObject) -> str:
    return f"  queue tick {value['queue_tick']}" if "queue_tick" in value else ""


def _headline(facts: ShapeFacts, value: JsonObject) -> Iterator[str]:
    yield f"{value['type']:8} {one_line(' '.join(value['called']))}"
    reason = one_line(value.get("reason", ""))
    yield "accepted" if value["accepted"] else "canceled" + f": {reason}" * bool(reason)
    for word in ("auto", "check", "empty", "error"):
        if getattr(facts, f"is_{word}"):
            yield word


def step_text(step: JsonObject) -> str:
    """One step on one line, from its value for JSON."""
    parts = [step["type"], step["relation"], step["handler"]]
    if not step["handler"]:
        ends = [one_line(name) for name in (step["source"], step["target"]) if name]
        parts.append(" -> ".join(ends))
    parts.append(step["result"])
    if step.get("raised_at"):
        parts.append(f"raised at {step['raised_at']}")
    return "  ".join(one_line(part) for part in parts if part)
