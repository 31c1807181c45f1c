"""The difference between two moments of one machine, as a value for JSON and as lines of text."""

from __future__ import annotations

from collections.abc import Iterator

from am_dbg.projection.addresses.write import write_address
from am_dbg.projection.difference import DifferenceView, StateDifference
from am_dbg.projection.times import signed_duration
from am_dbg.reports.json_values import JsonObject


def difference_value(view: DifferenceView) -> JsonObject:
    """Both moments, and the ticks of every state that differs; None where it does not exist."""
    return {
        "same": not view.states,
        "machine": view.machine,
        "a": view.first,
        "b": view.second,
        "span_ns": view.span_ns,
        "time_sum": view.time_sum,
        "states": {state.name: {"a": state.before, "b": state.after} for state in view.states},
        "same_states": view.same,
    }


def difference_lines(view: DifferenceView) -> Iterator[str]:
    """The two moments, a line for each state that differs, then how many do not."""
    one, other = (write_address(view.machine, number) for number in (view.first, view.second))
    yield f"A  {one}"
    yield f"B  {other}  {signed_duration(view.span_ns)}  {view.time_sum:+,} ticks"
    for state in view.states:
        yield f"{_sign(state)}  {state.name}  {_tick(state.before)} -> {_tick(state.after)}"
    yield f"states that differ: {len(view.states):,}; the same: {view.same:,}"


def _sign(state: StateDifference) -> str:
    """`+` for a state that became active, `-` for one that ended, `~` for another tick."""
    if state.is_active == state.was_active:
        return "~"
    return "+" if state.is_active else "-"


def _tick(tick: int | None) -> str:
    return "none" if tick is None else f"{tick:,}"
