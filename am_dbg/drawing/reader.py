"""Draws the reader: the sections with the details of one transition.

Below the headings stand items: a source, a handler, an argument. An item takes several rows if it
is wider than the reader. The cursor of the reader stands on an item, and most of them lead
somewhere: the item has a link.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from am_dbg.projection.addresses.write import SCHEME, write_address
from am_dbg.projection.reader import HandlerRow, ReaderView, SourceRow
from am_dbg.projection.subscriptions import PipeRow, TaskRow, WaitingRow
from am_dbg.projection.text.line_breaks import broken
from am_dbg.projection.times import count, duration
from am_dbg.spans import (
    BLANK,
    CURSOR_MARK,
    SPACE,
    LineRole,
    Role,
    Span,
    SpanLine,
    left,
    line,
    right,
    spread,
    width_of_spans,
    wrap,
)

_OUTCOME_ROLES = {"denied": Role.CANCELED, "failed": Role.ERROR}
_ADDRESS = re.compile(re.escape(SCHEME) + r"[^\s'\",)\]]+")
_INDENT = 2
_MARGIN = 2
"""The empty columns at both sides together."""


@dataclass(frozen=True, slots=True)
class ReaderItem:
    """An item: its first row in the drawing, how many rows it takes, and where it leads."""

    first: int
    rows: int
    link: str = ""


_Rows = list[SpanLine]


def draw_reader(view: ReaderView, width: int, *, lit: bool = False) -> list[SpanLine]:
    """All rows of the reader; the pane shows them from the view's `top` on."""
    lines, items = _drawn(view, width - _MARGIN)
    marked = items[view.row] if lit and 0 <= view.row < len(items) else ReaderItem(-1, 0)
    places = range(marked.first, marked.first + marked.rows)
    return [
        SpanLine(
            (CURSOR_MARK if at == marked.first else SPACE, *row.spans, SPACE),
            LineRole.CURSOR if at in places else row.role,
        )
        for at, row in enumerate(lines)
    ]


def reader_items(view: ReaderView, width: int) -> list[ReaderItem]:
    """The items of the reader, in order."""
    return _drawn(view, width - _MARGIN)[1]


def _drawn(view: ReaderView, width: int) -> tuple[list[SpanLine], list[ReaderItem]]:
    lines: list[SpanLine] = []
    items: list[ReaderItem] = []
    if not view.title:
        return lines, items
    for title, number, rows in _sections(view, width):
        if not rows and not number:
            continue
        head = f"{title} {number}" if number else title
        lines += [BLANK] * bool(lines)
        lines.append(line([Span(head, Role.FOCUS, bold=True)], width))
        for row in rows:
            items.append(ReaderItem(len(lines), len(row), _link_of(row)))
            lines += row
    if view.is_history_cut:
        lines.append(line([Span("older subscriptions not read", Role.QUIET)], width))
    return lines, items


def _link_of(rows: Sequence[SpanLine]) -> str:
    return next((span.link for row in rows for span in row.spans if span.link), "")


def _sections(view: ReaderView, width: int) -> list[tuple[str, int, list[_Rows]]]:
    """Title, count and items of all sections."""
    why = [line(row, width) for row in wrap(view.why, width)]
    ids = [line(row, width) for row in wrap([Span(_halved(view.id, width), Role.QUIET)], width)]
    queue = [_row([Span(text, Role.QUIET)], [], view, width) for text in _queue(view)]
    return [
        ("Why", 0, [why] if view.why else []),
        ("Source", 0, [_source(row, at, view, width) for at, row in enumerate(view.sources)]),
        ("Executed", len(view.executed), [_handler(row, view, width) for row in view.executed]),
        ("Waiting", len(view.waiting) + view.more, _all_waiting(view, width)),
        ("Pipes", len(view.pipes), [_pipe(row, view, width) for row in view.pipes]),
        ("Tasks", len(view.tasks), [_task(row, view, width) for row in view.tasks]),
        ("Queue", view.queue_len, queue),
        ("Args", len({key for key, _ in view.args}), _args(view, width)),
        ("Id", 0, [ids] if view.id else []),
    ]


def _row(head: Sequence[Span], tail: Sequence[Span], view: ReaderView, width: int) -> _Rows:
    """An item with something at the right edge; in several rows if they do not fit."""
    room = width - width_of_spans(tail) - bool(tail)
    if not view.wraps or width_of_spans(head) <= room:
        return [line(spread(head, tail, width), width)]
    spans = [*head, SPACE, *(span._replace(text=span.text.strip()) for span in tail)]
    return [line(row, width) for row in broken(spans, width, _INDENT)]


def _queue(view: ReaderView) -> list[str]:
    """The tick of the queue if there is one, then what was queued."""
    return [*([f"queue tick {view.queue_tick}"] if view.queue_tick else []), *view.queue]


def _source(row: SourceRow, depth: int, view: ReaderView, width: int) -> _Rows:
    spans = [
        Span("└ " if depth else "", Role.QUIET),
        Span(row.machine, underline=bool(row.link), link=row.link),
        Span(f" t{row.time}", Role.QUIET),
        Span(f"  {row.what}" if row.what else "", Role.QUIET),
    ]
    return _row(spans, [], view, width)


def _handler(row: HandlerRow, view: ReaderView, width: int) -> _Rows:
    head = [Span(row.name, Role.HANDLER, link=f"step:{row.step}" if row.step else "")]
    if row.outcome in _OUTCOME_ROLES:
        head += [Span(" "), Span(row.outcome, _OUTCOME_ROLES[row.outcome])]
    tail = [Span(duration(row.duration_ns), Role.QUIET)] if row.duration_ns else []
    return _row(head, tail, view, width)


def _all_waiting(view: ReaderView, width: int) -> list[_Rows]:
    rows = [_waiting(row, view, width) for row in view.waiting]
    if view.more:
        rows.append([line([Span(f"… {count(view.more)} more", Role.QUIET)], width)])
    return rows


def _waiting(row: WaitingRow, view: ReaderView, width: int) -> _Rows:
    spans = [
        Span(f"{row.verb} ", Role.QUIET),
        Span(row.states, Role.ADDED),
        Span(f" {row.condition}" if row.condition else "", Role.PLAIN),
    ]
    return _row(spans, [_since(right(f"t{row.since}", 5), row.since, view)], view, width)


def _since(text: str, since: int, view: ReaderView) -> Span:
    """A machine time, which leads to the transition that came to it."""
    link = write_address(view.machine, f"t{since}") if view.machine and since else ""
    return Span(text, Role.QUIET, link=link)


def _pipe(row: PipeRow, view: ReaderView, width: int) -> _Rows:
    is_out = row.direction == "out"
    spans = [
        Span("→ " if is_out else "← ", Role.ADDED if is_out else Role.HANDLER),
        Span(row.machine, underline=True, link=write_address(row.machine)),
        Span(f" {row.state} ", Role.PLAIN),
        Span(row.mutation, Role.QUIET),
    ]
    return _row(spans, [Span(f"t{row.since}", Role.QUIET)], view, width)


def _task(row: TaskRow, view: ReaderView, width: int) -> _Rows:
    since = _since(f"t{row.since}", row.since, view)
    return _row([Span(row.handler, Role.HANDLER)], [since], view, width)


def _halved(id: str, width: int) -> str:
    """An id with a space in its middle if it does not fit: the machine's part, the number."""
    middle = len(id) // 2
    return id if len(id) <= width else f"{id[:middle]} {id[middle:]}"


def _args(view: ReaderView, width: int) -> list[_Rows]:
    """The arguments, each an item; the rows of one text belong to one item."""
    key_width = min(max((len(key) for key, _ in view.args), default=0), width // 2)
    items: list[_Rows] = []
    previous = ""
    for key, value in view.args:
        shown = "" if key == previous else key
        head = [Span(left(shown, key_width), Role.QUIET), Span("  "), *_with_links(value)]
        rows = broken(head, width, key_width + _INDENT) if view.wraps else [head]
        if shown or not items:
            items.append([])
        items[-1] += [line(row, width) for row in rows]
        previous = key
    return items


def _with_links(text: str) -> list[Span]:
    """A text in which addresses of machines are links."""
    spans, at = [], 0
    for match in _ADDRESS.finditer(text):
        spans += [Span(text[at : match.start()]), Span(match[0], underline=True, link=match[0])]
        at = match.end()
    return [span for span in (*spans, Span(text[at:])) if span.text]


def reader_text(view: ReaderView, width: int = 100) -> str:
    """The reader as plain text, for copying and printing."""
    return "\n".join(row.text.rstrip() for row in draw_reader(view, width))
