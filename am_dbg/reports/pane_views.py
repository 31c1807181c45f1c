"""What the panes of the screen show, without a screen: log, states, steps, rain.

Each has lines of text, in which names and log lines of other programs are escaped, and those that
no other report has yet also have a value for JSON, which holds every text unchanged.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from am_dbg.projection.excerpt import Excerpt
from am_dbg.projection.grids.rain import rain_cells
from am_dbg.reports.json_values import JsonObject, transition_value, wall_time
from am_dbg.reports.text_lines import history_line, history_lines, start_lines, step_text
from am_dbg.safe_text import lines, one_line
from am_dbg.spans import width_of
from am_dbg.store import Store, Track

RAIN_LEGEND = ". inactive  1 active  2 touched  | removed  c canceled  * touched"
NAME_WIDTH_MAX = 40
"""The most cells of padding after a name; a longer one shifts its own row only."""


def log_lines(store: Store, track: Track, number: int | None = None) -> Iterator[str]:
    """A machine's transitions with arguments and all log lines, or only one of them."""
    excerpt = Excerpt(store)
    if number is None:
        return history_lines(track, lambda at: _lines_below(track, at, excerpt))
    return _entry_lines(track, number, excerpt)


def _entry_lines(track: Track, number: int, excerpt: Excerpt) -> Iterator[str]:
    if number < track.first:
        yield from start_lines(track)
    else:
        yield history_line(track, number)
        yield from _lines_below(track, number, excerpt)


def _lines_below(track: Track, number: int, excerpt: Excerpt) -> Iterator[str]:
    """The arguments and the log lines of a transition."""
    excerpt.begin()
    transition = track.transition(number)
    for key, value in excerpt.of(transition.args, "argument"):
        yield f"{'':10}arg {one_line(key)} = {one_line(value)}"
    for level, text in excerpt.of((*transition.pre_lines, *transition.lines), "line"):
        first, *rest = lines(text)
        yield f"{'':10}{level} {first}"
        yield from (f"{'':12}{line}" for line in rest)


def states_value(track: Track, number: int) -> JsonObject:
    """The states after a transition, in order of the schema; before the first, at the start."""
    is_held = number >= track.first
    facts = track.facts_at(number) if is_held else None
    called, added, removed = (facts.called, facts.added, facts.removed) if facts else (0, 0, 0)
    clock = track.clock_at(max(number, track.first - 1))
    states = [
        {
            "name": state.name,
            "active": tick % 2 == 1,
            "tick": tick,
            "called": bool(called >> index & 1),
            "added": bool(added >> index & 1),
            "removed": bool(removed >> index & 1),
            "auto": state.auto,
            "multi": state.multi,
            "groups": list(state.groups or ()),
            **{
                word: list(getattr(state, word) or ())
                for word in ("require", "add", "remove", "after")
            },
        }
        for index, (state, tick) in enumerate(zip(track.schema_at(number), clock, strict=False))
    ]
    return {"machine": track.key, "number": number, "states": states}


def states_lines(track: Track, number: int) -> Iterator[str]:
    """A row for each state: whether it is active, its tick, what the transition did to it."""
    rows = states_value(track, number)["states"]
    widths = [width_of(one_line(row["name"])) for row in rows]
    width = min(NAME_WIDTH_MAX, max(widths, default=0))
    digits = max((len(str(row["tick"])) for row in rows), default=1)
    for row, name_width in zip(rows, widths, strict=True):
        name = one_line(row["name"]) + " " * (width - name_width)
        words = " ".join(_state_words(row))
        yield f"{'●' if row['active'] else '○'} {name}  {row['tick']:>{digits}}  {words}".rstrip()


def _state_words(row: JsonObject) -> Iterator[str]:
    yield from (word for word in ("called", "added", "removed", "auto", "multi") if row[word])
    for word, verb in (("require", "requires"), ("add", "adds"), ("remove", "removes")):
        if row[word]:
            yield f" {verb} {one_line(' '.join(row[word]))}"


def steps_value(track: Track, number: int) -> JsonObject:
    """The steps of a transition in their order."""
    steps = transition_value(track, number)["steps"] if number >= track.first else []
    return {"machine": track.key, "number": number, "steps": steps}


def steps_lines(track: Track, number: int) -> Iterator[str]:
    """A row for each step, counted from 1."""
    for place, step in enumerate(steps_value(track, number)["steps"], 1):
        took = f"  {step['duration_ns'] / 1e6:,.3f} ms" if step.get("duration_ns") else ""
        yield f"{place:>4}  {step_text(step)}{took}"


def rain_lines(track: Track) -> Iterator[str]:
    """The names of the states, then a row for each transition with a character for each state."""
    yield RAIN_LEGEND
    for index, state in enumerate(track.states, 1):
        yield f"{index:>8}  {one_line(state.name)}"
    for number in range(track.first, track.count + 1):
        yield f"{number:>8}  {wall_time(track.time_at(number))}  {rain_cells(track, number)}"


def rain_json(track: Track) -> Iterator[str]:
    """The rain as one JSON object, a line for each transition."""
    head = {"machine": track.key, "states": [state.name for state in track.states]}
    yield json.dumps(head)[:-1] + ', "rows": ['
    for number in range(track.first, track.count + 1):
        row = {"number": number, "cells": rain_cells(track, number)}
        yield json.dumps(row) + ("," if number < track.count else "")
    yield "]}"
