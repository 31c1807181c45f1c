"""The headings in the list of machines: one for each run of a program."""

from __future__ import annotations

from dataclasses import dataclass

from am_dbg.projection.clean import clean
from am_dbg.projection.runs.program_runs import ProgramRun, RunSpan
from am_dbg.projection.runs.run_list import RunList
from am_dbg.projection.times import axis_time, counted


@dataclass(frozen=True, slots=True)
class RunRow:
    """A heading; `notes` say the same at greater and smaller length, the longest first."""

    key: str
    title: str
    notes: tuple[str, ...]
    is_newest: bool
    is_connected: bool
    is_open: bool
    is_selected: bool


def run_row(machines: RunList, run: ProgramRun, is_selected: bool) -> RunRow:
    """The heading of a run."""
    is_open = machines.is_open(run)
    return RunRow(
        key=run.key,
        title=run_title(run),
        notes=_notes(run, machines.span_of(run), is_open),
        is_newest=run.is_newest,
        is_connected=run.is_connected,
        is_open=is_open,
        is_selected=is_selected,
    )


def run_title(run: ProgramRun) -> str:
    """The program and its run; older runs stand below the newest one, which names the program."""
    if run.runs == 1:
        return run.name
    return f"{run.name}  run {run.number}" if run.is_newest else f"run {run.number}"


def run_name(run: ProgramRun) -> str:
    """A run by its program, wherever it stands."""
    return run.name if run.runs == 1 else f"{run.name} run {run.number}"


def returned_text(run: ProgramRun) -> str:
    """A text for a program that came back."""
    held = counted(len(run.machines), "machine")
    return f"{run.name} came back (run {run.number}): {held}"


def _notes(run: ProgramRun, span: RunSpan, is_open: bool) -> tuple[str, ...]:
    held = "" if is_open else f" · {counted(len(run.machines), 'machine')}"
    if run.is_connected:
        since = _second(span.start_ns)
        return f"since {since}{held}", f"since {since}", since
    ended = f"ended {_second(span.end_ns)}" if span.end_ns else "ended"
    reason = f", {clean(span.reason)}" if span.reason else ""
    return f"{ended}{reason}{held}", f"{ended}{held}", ended, ended.removeprefix("ended ")


def _second(time_ns: int) -> str:
    """Wall time down to the second: 04:05:16."""
    return axis_time(time_ns)[:8]
