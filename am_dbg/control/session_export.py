"""Exports from the screen: which file a name or an address means, and how writing it goes."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from am_dbg.egress.convert import addressed
from am_dbg.egress.export import ExportResult, Selection, export_session, selected
from am_dbg.errors import DebuggerError
from am_dbg.options import SESSION_ENDING
from am_dbg.projection.addresses.write import SCHEME
from am_dbg.projection.clean import clean
from am_dbg.projection.faults import Failed, attempt
from am_dbg.projection.times import count
from am_dbg.store import Store
from amtracer.errors import SessionError


@dataclass(frozen=True, slots=True)
class ExportTarget:
    """The file that an export would write, or why there is none."""

    path: str = ""
    exists: bool = False
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class ExportReport:
    """How an export goes; `written` is what the file holds when it is complete."""

    text: str
    written: Sequence[Selection] = ()


def export_target(store: Store, name: str) -> ExportTarget:
    """The file that a name or an address means."""
    try:
        path, _ = _resolved(store, name)
    except DebuggerError as error:
        return ExportTarget(trouble=_reason_first(error))
    folder = os.path.dirname(path)
    if not name.strip():
        trouble = "type a file name"
    elif os.path.isdir(path):
        trouble = f"a folder, not a file: {clean(path)}"
    elif not os.path.isdir(folder):
        trouble = f"no such folder: {clean(folder)}"
    else:
        trouble = ""
    return ExportTarget(path, os.path.exists(path), trouble)


def _resolved(store: Store, name: str) -> tuple[str, list[Selection]]:
    """The file that a name or an address means, and what goes into it."""
    if name.strip().startswith(SCHEME):
        parts, own_name = addressed(store, name.strip())
        return os.path.abspath(own_name), parts
    return _path_of(name), selected(store)


def _path_of(name: str) -> str:
    """The path of a name; one without an ending gets the default ending."""
    name = os.path.expanduser(name.strip())
    if name and "." not in os.path.basename(name):
        name += SESSION_ENDING
    return os.path.abspath(name)


def _reason_first(error: Exception) -> str:
    """What is wrong, then the path, which may be too long for the row."""
    if isinstance(error, SessionError):
        return clean(f"{error.reason}: {error.path}")
    return clean(str(error))


def export(store: Store, name: str, report: Callable[[ExportReport], None]) -> None:
    """Write the session and report how it goes; not on the thread of the screen."""

    def progress(done: int, total: int) -> None:
        report(ExportReport(f"exporting {done * 100 // total if total else 100} %"))

    def write() -> ExportReport:
        path, parts = _resolved(store, name)
        return _report_of(path, export_session(store, path, parts, progress), parts)

    outcome = attempt("the export", write)
    if not isinstance(outcome, Failed):
        report(outcome)
    elif isinstance(outcome.error, DebuggerError | SessionError):
        report(ExportReport(f"not exported: {_reason_first(outcome.error)}"))
    else:
        outcome.log()
        report(ExportReport(f"not exported: {outcome.reason}"))


def _report_of(path: str, written: ExportResult, parts: Sequence[Selection]) -> ExportReport:
    return ExportReport(
        f"{clean(path)}: {count(written.machines)} machines, "
        f"{count(written.transitions)} transitions, {count(written.size)} bytes",
        parts,
    )
