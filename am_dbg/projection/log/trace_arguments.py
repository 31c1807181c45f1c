"""Arguments that are stack traces: the wrapped log shows them as rows below the transition.

A program sends such an argument as one text, in which line ends are escaped. Its rows are made
safe after they are split, so nothing in them is obeyed by a terminal. A trace that a log line of
the transition shows already is left out.
"""

from __future__ import annotations

from collections.abc import Sequence

from am_dbg.projection.clean import clean, clean_lines, clean_name
from am_dbg.projection.log.line_parts import LinePart, PartKind, parts_of
from am_dbg.projection.log.lines import ROWS_PER_TRANSITION_MAX
from am_dbg.projection.text.quoted import unquoted
from am_dbg.projection.text.traces import CUT_MARK, is_trace
from am_dbg.projection.times import counted

Rows = tuple[tuple[LinePart, ...], ...]


def without_traces(args: Sequence[tuple[str, str]], lines: Rows) -> tuple[str, Rows]:
    """The arguments as `key=value` words without traces, and the rows of the traces.

    `lines` are the log lines that are shown below the transition.
    """
    words: list[str] = []
    rows: list[tuple[LinePart, ...]] = []
    shown = "\n".join("".join(part.text for part in parts) for parts in lines)
    for key, value in args:
        trace = _rows_of_trace(value)
        if not trace:
            words.append(f"{key}={value}")
        elif not _is_in(trace, shown):
            rows.append((LinePart(PartKind.KEY, clean_name(key)),))
            rows.extend(parts_of(row, 1) for row in trace)
    return clean(" ".join(words)), _limited(rows)


def _rows_of_trace(value: str) -> list[str]:
    """The rows of a value that is a trace of several rows; none for any other value."""
    rows = clean_lines(unquoted(value))
    return rows if len(rows) > 1 and is_trace(rows) else []


def _is_in(trace: Sequence[str], shown: str) -> bool:
    """Whether a trace, whose first row may be cut, is among rows that are shown."""
    whole = trace[1:] if trace[0].startswith(CUT_MARK) else trace
    return "\n".join(whole) in shown


def _limited(rows: Sequence[tuple[LinePart, ...]]) -> Rows:
    if len(rows) <= ROWS_PER_TRANSITION_MAX:
        return tuple(rows)
    mark = parts_of(f"… of {counted(len(rows), 'row')} in all; v shows them", 1)
    return (*rows[:ROWS_PER_TRANSITION_MAX], mark)
