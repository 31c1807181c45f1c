"""The tabs of the detail view: what each of them holds of a transition.

A tab holds its texts whole, whatever the log level and the filters are. Only the limits of
`am_dbg.projection.excerpt` apply, with a mark where something was left out, and a limit of rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import Enum

from am_dbg.projection.clean import clean, clean_name, clean_text_rows
from am_dbg.projection.detail.rows import (
    BLANK_ROW,
    DetailRow,
    heading,
    joined,
    quiet,
    text_rows,
    trace_rows,
    value_rows,
)
from am_dbg.projection.excerpt import Excerpt
from am_dbg.projection.log.line_parts import parts_of, spans_of
from am_dbg.projection.reader import project_reader
from am_dbg.projection.reasons.error_source import error_at
from am_dbg.projection.steps import HOW_TO_SEND_STEPS, Moment, StepLook, StepText, step_text
from am_dbg.projection.text.quoted import unquoted
from am_dbg.projection.text.traces import CUT_MARK, is_trace
from am_dbg.projection.times import counted, duration, full_time
from am_dbg.spans import Role, Span
from am_dbg.store import Store, TransitionRecord
from amtracer.safe_repr.arg_text import TRACE_KEY
from amtracer.wire.vocabulary import LEVEL_WORDS

ROWS_MAX = 20_000
"""The most rows of a tab."""
KEY_WIDTH_MAX = 16
"""The widest key beside which its value is indented."""
_STEP_ROLES = {
    StepLook.SET: Role.ADDED,
    StepLook.REMOVE: Role.REMOVED,
    StepLook.HANDLER: Role.HANDLER,
    StepLook.CANCEL: Role.CANCELED,
}
_OUTCOME_ROLES = {"denied": Role.CANCELED, "failed": Role.ERROR}


class DetailTab(Enum):
    """The tabs, in order, by their titles."""

    WHY = "Why"
    ARGS = "Args"
    LOG = "Log"
    TRACE = "Trace"
    STEPS = "Steps"


def tab_rows(store: Store, moment: Moment, tab: DetailTab) -> tuple[DetailRow, ...]:
    """All rows of a tab."""
    transition = moment.track.transition(moment.number)
    rows = tuple(_MAKERS[tab](store, moment, transition))
    if len(rows) <= ROWS_MAX:
        return rows
    return (*rows[:ROWS_MAX], quiet(f"… {counted(len(rows) - ROWS_MAX, 'more row')} left out"))


def tab_counts(moment: Moment) -> dict[DetailTab, int]:
    """How many things there are in the tabs that hold many."""
    transition = moment.track.transition(moment.number)
    return {
        DetailTab.ARGS: len(transition.args),
        DetailTab.LOG: len(transition.pre_lines) + len(transition.lines),
        DetailTab.TRACE: len(_traces(transition)),
        DetailTab.STEPS: len(transition.shape.steps),
    }


def _why(store: Store, moment: Moment, transition: TransitionRecord) -> Iterable[DetailRow]:
    view = project_reader(store, moment)
    took = f"  took {duration(transition.duration_ns)}" if transition.duration_ns else ""
    yield quiet(f"{full_time(transition.time_ns)}  t{moment.track.time_sum(moment.number)}{took}")
    yield from (BLANK_ROW, DetailRow(view.why))
    sources = [
        DetailRow(
            (
                Span("  " * depth + "└ " * bool(depth), Role.QUIET),
                Span(row.machine, underline=bool(row.link), link=row.link),
                Span(f" t{row.time}  {row.what}", Role.QUIET),
            ),
            4 + 2 * depth,
        )
        for depth, row in enumerate(view.sources)
    ]
    executed = [
        DetailRow(
            (
                Span(row.name, Role.HANDLER),
                Span(f" {row.outcome}", _OUTCOME_ROLES.get(row.outcome, Role.QUIET)),
                Span(f"  {duration(row.duration_ns)}" if row.duration_ns else "", Role.QUIET),
            ),
            2,
        )
        for row in view.executed
    ]
    for title, rows in (
        ("Error", _error_rows(moment)),
        ("Source", sources),
        ("Executed", executed),
        ("Id", [quiet(view.id)]),
    ):
        if rows:
            yield from (BLANK_ROW, heading(title), *rows)


def _error_rows(moment: Moment) -> list[DetailRow]:
    """The text of the error and the place that raised it."""
    error = error_at(moment.track, moment.number)
    rows = [DetailRow((Span(error.text, Role.ERROR, bold=True),), 2)] if error.text else []
    return rows + ([DetailRow((Span(f"at {error.place}"),), 2)] if error.place else [])


def _args(store: Store, moment: Moment, transition: TransitionRecord) -> Iterable[DetailRow]:
    texts = Excerpt()
    texts.begin()
    if not transition.args:
        yield quiet("this transition has no arguments")
    for key, value in texts.of(transition.args, "argument"):
        name, rows = clean_name(key), value_rows(value)
        if len(rows) > 1 or len(name) > KEY_WIDTH_MAX:
            yield DetailRow((Span(name, Role.FOCUS),))
            yield from text_rows(rows, indent=2)
        else:
            first = Span(name.ljust(KEY_WIDTH_MAX) + "  ", Role.FOCUS)
            yield from text_rows(rows, [first], KEY_WIDTH_MAX + 2)


def _log(store: Store, moment: Moment, transition: TransitionRecord) -> Iterable[DetailRow]:
    texts = Excerpt()
    texts.begin()
    entries = (*transition.pre_lines, *transition.lines)
    if not entries:
        yield quiet("this transition has no log lines")
    width = max(map(len, LEVEL_WORDS)) + 2
    for level, text in texts.of(entries, "line"):
        rows = clean_text_rows(text)
        word = LEVEL_WORDS[min(max(level, 0), len(LEVEL_WORDS) - 1)].ljust(width)
        yield DetailRow((Span(word, Role.QUIET), *spans_of(parts_of(rows[0]))), width + 2)
        yield from text_rows(rows[1:], indent=width)


def _trace(store: Store, moment: Moment, transition: TransitionRecord) -> Iterable[DetailRow]:
    places = [
        DetailRow(
            (
                Span(clean(one.handler), Role.HANDLER),
                Span(f" {'was late' if one.is_late else 'raised'} at ", Role.QUIET),
                Span(clean(one.place), bold=True),
            ),
            2,
        )
        for one in moment.track.troubles_at(moment.number)
        if one.place
    ]
    traces = [trace_rows(rows) for rows in _traces(transition)]
    if not places and not traces:
        return [quiet("no stack trace was recorded with this transition")]
    return joined([places, *traces])


def _traces(transition: TransitionRecord) -> list[list[str]]:
    """The stack traces of a transition, each once: a tracer may have cut one in the arguments."""
    texts = [unquoted(value) for key, value in transition.args if key == TRACE_KEY]
    texts += [text for _, text in (*transition.pre_lines, *transition.lines) if "\n" in text]
    found: list[list[str]] = []
    for text in sorted(texts, key=len, reverse=True):
        rows = clean_text_rows(text)
        is_known = any(_ends_with(other, rows) for other in found)
        if is_trace(rows) and not is_known:
            found.append(rows)
    return found


def _ends_with(rows: Sequence[str], other: Sequence[str]) -> bool:
    """Whether a trace ends with another one, whose first row may be cut."""
    whole = other[1:] if other[0].startswith(CUT_MARK) else other
    return list(rows[-len(whole) :]) == list(whole)


def _steps(store: Store, moment: Moment, transition: TransitionRecord) -> Iterable[DetailRow]:
    states, steps = moment.track.schema_at(moment.number), transition.shape.steps
    if not steps:
        yield quiet(f"no steps were sent ({HOW_TO_SEND_STEPS})")
    width = len(str(len(steps)))
    looks = max(len(look.value) for look in StepLook)
    for number, step in enumerate(steps, 1):
        row = step_text(step, states)
        place = clean(moment.track.raised_at(moment.number, number - 1))
        yield _step_row(row, number, width, looks, f", raised at {place}" if place else "")


def _step_row(row: StepText, number: int, width: int, looks: int, where: str) -> DetailRow:
    spans = (
        Span(f"{number:>{width}}  ", Role.QUIET, link=f"step:{number}"),
        Span(f"{row.look.value:<{looks}}  ", Role.QUIET),
        Span(row.subject, _STEP_ROLES.get(row.look, Role.PLAIN), link=f"step:{number}"),
        Span(f" {row.outcome}", _OUTCOME_ROLES.get(row.outcome, Role.QUIET)),
        Span(where, Role.ERROR),
    )
    return DetailRow(tuple(span for span in spans if span.text.strip()), width + looks + 4)


_MAKERS: dict[DetailTab, Callable[[Store, Moment, TransitionRecord], Iterable[DetailRow]]] = {
    DetailTab.WHY: _why,
    DetailTab.ARGS: _args,
    DetailTab.LOG: _log,
    DetailTab.TRACE: _trace,
    DetailTab.STEPS: _steps,
}
