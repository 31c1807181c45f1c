"""Draws the log: a row for each transition, with its log lines below."""

from __future__ import annotations

from am_dbg.drawing.marking import marked
from am_dbg.projection.line_parts import LinePart, PartKind
from am_dbg.projection.log import Change, Entry, LogRow, LogView, RowKind, Sign, StateWord
from am_dbg.projection.times import axis_time, count, second_time
from am_dbg.spans import (
    BLANK,
    HERE,
    SPACE,
    Ground,
    Ink,
    Line,
    Run,
    fit,
    line,
    right,
    spread,
    width_of,
    width_of_runs,
)

NARROW = 60
TIME_WIDTH = 10
_SIGN_INKS = {
    Sign.ADD: Ink.ADDED,
    Sign.REMOVE: Ink.REMOVED,
    Sign.SET: Ink.PLACE,
    Sign.CHECK: Ink.QUIET,
    Sign.EVAL: Ink.QUIET,
    Sign.CANCELED: Ink.CANCELED,
    Sign.ERROR: Ink.ERROR,
}
_CHANGE_INKS = {Change.ADDED: Ink.ADDED, Change.REMOVED: Ink.REMOVED, Change.NONE: Ink.QUIET}
_PART_INKS = {
    PartKind.PREFIX: Ink.PLAIN,
    PartKind.HANDLER_PREFIX: Ink.HANDLER,
    PartKind.ERROR_PREFIX: Ink.ERROR,
    PartKind.QUIET_PREFIX: Ink.QUIET,
    PartKind.TEXT: Ink.PLAIN,
    PartKind.ADDED: Ink.ADDED,
    PartKind.REMOVED: Ink.REMOVED,
    PartKind.KEY: Ink.QUIET,
    PartKind.TRACE: Ink.QUIET,
}


def log_title_note(view: LogView) -> str:
    """The note at the right of the log's title."""
    if view.hints:
        return ""
    hidden = f" · {count(view.hidden)} hidden" if view.hidden else ""
    return f"{view.level} · f filters{hidden}"


def draw_log(view: LogView, width: int, *, lit: bool = False) -> list[Line]:
    """One line per row of the view; without a machine, how to get one."""
    if view.hints:
        return [BLANK, *(line([Run(f"  {hint}", Ink.QUIET)], width) for hint in view.hints)]
    return [_row(row, view, width, lit) for row in view.rows]


def _row(row: LogRow, view: LogView, width: int, lit: bool) -> Line:
    if row.kind is RowKind.ENTRY and row.entry is not None:
        return _entry_line(row, row.entry, view, width, lit)
    if row.kind is RowKind.LINE:
        runs = marked(_parts(row.parts), view.needle)
        return line([Run(" " * _text_column(view)), *runs], width)
    if row.kind is RowKind.GAP:
        return line(_rule(row.text, Ink.CANCELED, width), width)
    if row.kind is RowKind.SECOND:
        return line(_rule(axis_time(int(row.text))[:8], Ink.QUIET, width), width)
    ground = _ground(row.is_current, lit)
    runs = [
        HERE if row.is_current else SPACE,
        Run(right("0", view.number_digits + 1), Ink.PLAIN if row.is_current else Ink.QUIET),
        Run(" " * (TIME_WIDTH + 5)),
        Run("initial structure", Ink.QUIET, bold=row.is_current),
    ]
    return line(runs, width, ground)


def _ground(is_current: bool, lit: bool) -> Ground:
    if not is_current:
        return Ground.NONE
    return Ground.CURSOR if lit else Ground.MARKED


def _text_column(view: LogView) -> int:
    return view.number_digits + 2 + 2 + TIME_WIDTH + 2 + 2


def _entry_line(row: LogRow, entry: Entry, view: LogView, width: int, lit: bool) -> Line:
    current = row.is_current
    number = right(str(entry.number), view.number_digits + 1)
    head = [
        HERE if current else SPACE,
        Run(number, Ink.PLAIN if current else Ink.QUIET, bold=current),
        Run(row.mark or " ", Ink.FLAG, bold=True),
        SPACE,
        Run(second_time(entry.time_ns), Ink.QUIET),
        Run("  "),
        Run(entry.sign.value, _SIGN_INKS[entry.sign], bold=True),
        Run(" "),
        *_words(entry, bold=current),
    ]
    if entry.note:
        head += [Run("  "), Run(entry.note, Ink.QUIET)]
    if entry.args:
        head += [Run("  "), Run(entry.args, Ink.QUIET)]
    head = marked(head, view.needle)
    tail = [Run(entry.flags, Ink.FLAG), Run(" ")] if entry.flags and width >= NARROW else []
    if width_of_runs(head) > width and width < NARROW:
        return Line(tuple(fit(head, width)), _ground(current, lit))
    return line(spread(head, tail, width), width, _ground(current, lit))


def _words(entry: Entry, *, bold: bool) -> list[Run]:
    runs: list[Run] = []
    for word in entry.called:
        if runs:
            runs.append(Run(" "))
        runs.append(Run(word.name, _called_ink(entry, word), bold=bold))
    for word in entry.implied:
        if runs:
            runs.append(Run(" "))
        runs.append(Run(word.change.value + word.name, _CHANGE_INKS[word.change]))
    return runs or [Run("nothing", Ink.QUIET)]


def _called_ink(entry: Entry, word: StateWord) -> Ink:
    if entry.sign is Sign.CANCELED:
        return Ink.CANCELED
    if entry.sign is Sign.ERROR and word.change is not Change.REMOVED:
        return Ink.ERROR
    return _CHANGE_INKS[word.change]


def _parts(parts: tuple[LinePart, ...]) -> list[Run]:
    return [
        Run(("  " if part.kind is PartKind.TRACE else "") + part.text, _PART_INKS[part.kind])
        for part in parts
    ]


def _rule(text: str, ink: Ink, width: int) -> list[Run]:
    head = f" ── {text} "
    return [Run(head, ink), Run("─" * max(0, width - width_of(head) - 1), ink), Run(" ")]
