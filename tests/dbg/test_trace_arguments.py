"""The wrapped log shows an argument that is a stack trace as rows below its transition."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from am_dbg.projection.clean import clean_name
from am_dbg.projection.log.line_parts import PartKind
from am_dbg.projection.log.lines import ROWS_PER_TRANSITION_MAX
from am_dbg.projection.log.trace_arguments import without_traces
from am_dbg.projection.log.window import LogOptions, LogWindow, RowKind, entry_text, line_text
from am_dbg.projection.steps import moment_of
from am_dbg.query import Filters, Visible
from am_dbg.query.cursor import Cursor
from am_dbg.store import LogLine
from tests.screens.stories import Story, track_of

TRACE = 'Traceback (most recent call last):\n  File "a/io.py", line 7, in go\nValueError: no file'
WIDE = 80


def log_of(
    args: list[tuple[str, str]], lines: tuple[LogLine, ...] = (), width: int = WIDE
) -> tuple[str, list[str]]:
    """The texts of the row of a transition and of the rows below it."""
    story = Story()
    story.machine("worker").add("Ping", args=tuple(args), lines=lines)
    track = track_of(story)
    seen = Visible(track, Filters(level=1))
    moment = moment_of(Cursor(track).at(1), seen)
    rows = LogWindow(moment, seen, 10, LogOptions(width=width)).rows_of(1)
    entry = next(row for row in rows if row.kind is RowKind.ENTRY)
    return entry_text(entry).strip(), [line_text(row) for row in rows if row.kind is RowKind.LINE]


def test_a_trace_is_shown_as_rows_below_its_transition() -> None:
    """The name of the argument is above the rows of the trace; other arguments stay beside."""
    entry, lines = log_of([("id", "7"), ("trace", repr(TRACE))])

    assert "id=7" in entry
    assert "Traceback" not in entry
    assert lines == ["trace", *TRACE.split("\n")]


def test_a_log_without_wrapping_shows_a_trace_in_its_row() -> None:
    """Rows below a transition are for the log that breaks long rows."""
    entry, lines = log_of([("trace", repr(TRACE))], width=0)

    assert "Traceback" in entry
    assert lines == []


def test_a_trace_of_a_log_line_is_not_repeated() -> None:
    """An argument that says what a log line shows already has no rows."""
    entry, lines = log_of([("trace", repr(TRACE))], ((1, f"[error] no file\n{TRACE}"),))

    assert "Traceback" not in entry
    assert lines.count("Traceback (most recent call last):") == 1


def test_an_argument_that_is_no_trace_stays_beside_the_states() -> None:
    """A text of several rows that names no place in a program is an argument like others."""
    entry, lines = log_of([("body", repr("one\ntwo"))])

    assert entry == "Ping  body='one\\ntwo'"
    assert lines == []


def test_the_rows_of_a_trace_have_a_limit() -> None:
    """One row past the limit, the last one says how many there are and where they are shown."""
    frames = "".join(f'  File "a.py", line {n}, in go\n' for n in range(ROWS_PER_TRANSITION_MAX))
    _, rows = without_traces([("trace", repr(f"Traceback (most recent call last):\n{frames}"))], ())

    assert len(rows) == ROWS_PER_TRANSITION_MAX + 1
    assert rows[-1][0].text == f"… of {ROWS_PER_TRANSITION_MAX + 2} rows in all; v shows them"


@given(st.text(), st.text(st.characters(categories=("Cc", "Cf", "Lu", "Zs")), min_size=1))
def test_no_row_of_a_trace_is_obeyed_by_a_terminal(name: str, text: str) -> None:
    """Whatever a program sends, names and rows are made safe after they are split."""
    words, rows = without_traces([(name, repr(f"{TRACE}\n{text}")), ("tail", text)], ())
    shown = [part.text for parts in rows for part in parts]

    assert all(piece == clean_name(piece) for piece in (*shown, words) if piece.strip(" "))
    assert all(character.isprintable() for piece in (*shown, words) for character in piece)
    assert not rows or rows[0][0].kind is PartKind.KEY
