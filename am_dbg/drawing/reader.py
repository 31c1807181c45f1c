"""Draws the reader: the sections with the details of one transition."""

from __future__ import annotations

from collections.abc import Sequence

from am_dbg.projection.addresses.write import write_address
from am_dbg.projection.reader import HandlerRow, ReaderView, SourceRow
from am_dbg.projection.subscriptions import PipeRow, TaskRow, WaitingRow
from am_dbg.projection.times import count, duration
from am_dbg.spans import BLANK, Role, Span, SpanLine, left, line, right, spread, wrap

_OUTCOME_ROLES = {"denied": Role.CANCELED, "failed": Role.ERROR}


def draw_reader(view: ReaderView, width: int) -> list[SpanLine]:
    """All lines of the reader; the pane shows them from the view's `top` on."""
    if not view.title:
        return []
    inner = width - 2
    blocks = [
        _section("Why", 0, [line(row, inner) for row in wrap(view.why, inner)], inner),
        _section(
            "Source", 0, [_source(row, i, inner) for i, row in enumerate(view.sources)], inner
        ),
        _section(
            "Executed", len(view.executed), [_handler(row, inner) for row in view.executed], inner
        ),
        _section("Waiting", len(view.waiting) + view.more, _all_waiting(view, inner), inner),
        _section("Pipes", len(view.pipes), [_pipe(row, inner) for row in view.pipes], inner),
        _section("Tasks", len(view.tasks), [_task(row, inner) for row in view.tasks], inner),
        _section("Queue", view.queue_len, _texts(_queue(view), inner), inner),
        _section("Args", len({key for key, _ in view.args}), _args(view.args, inner), inner),
        _section("Id", 0, _wrapped(_halved(view.id, inner), inner), inner),
    ]
    lines: list[SpanLine] = []
    for block in blocks:
        if block and lines:
            lines.append(BLANK)
        lines += block
    if view.is_history_cut:
        lines.append(line([Span("older subscriptions not read", Role.QUIET)], inner))
    return [SpanLine((Span(" "), *row.spans, Span(" ")), row.role) for row in lines]


def _queue(view: ReaderView) -> list[str]:
    """The tick of the queue if there is one, then what was queued."""
    return [*([f"queue tick {view.queue_tick}"] if view.queue_tick else []), *view.queue]


def _section(title: str, count: int, rows: Sequence[SpanLine], width: int) -> list[SpanLine]:
    """A heading over its rows; nothing if there are no rows."""
    if not rows and not count:
        return []
    head = f"{title} {count}" if count else title
    return [line([Span(head, Role.FOCUS, bold=True)], width), *rows]


def _source(row: SourceRow, depth: int, width: int) -> SpanLine:
    spans = [
        Span("└ " if depth else "", Role.QUIET),
        Span(row.machine, underline=bool(row.link), link=row.link),
        Span(f" t{row.time}", Role.QUIET),
        Span(f"  {row.what}" if row.what else "", Role.QUIET),
    ]
    return line(spans, width)


def _handler(row: HandlerRow, width: int) -> SpanLine:
    head = [Span(row.name, Role.HANDLER)]
    if row.outcome in _OUTCOME_ROLES:
        head += [Span(" "), Span(row.outcome, _OUTCOME_ROLES[row.outcome])]
    tail = [Span(duration(row.duration_ns), Role.QUIET)] if row.duration_ns else []
    return line(spread(head, tail, width), width)


def _all_waiting(view: ReaderView, width: int) -> list[SpanLine]:
    rows = [_waiting(row, width) for row in view.waiting]
    if view.more:
        rows.append(line([Span(f"… {count(view.more)} more", Role.QUIET)], width))
    return rows


def _waiting(row: WaitingRow, width: int) -> SpanLine:
    spans = [
        Span(f"{row.verb} ", Role.QUIET),
        Span(row.states, Role.ADDED),
        Span(f" {row.condition}" if row.condition else "", Role.PLAIN),
    ]
    return line(spread(spans, [Span(right(f"t{row.since}", 5), Role.QUIET)], width), width)


def _pipe(row: PipeRow, width: int) -> SpanLine:
    is_out = row.direction == "out"
    spans = [
        Span("→ " if is_out else "← ", Role.ADDED if is_out else Role.HANDLER),
        Span(row.machine, underline=True, link=write_address(row.machine)),
        Span(f" {row.state} ", Role.PLAIN),
        Span(row.mutation, Role.QUIET),
    ]
    return line(spread(spans, [Span(f"t{row.since}", Role.QUIET)], width), width)


def _task(row: TaskRow, width: int) -> SpanLine:
    since = Span(f"t{row.since}", Role.QUIET)
    return line(spread([Span(row.handler, Role.HANDLER)], [since], width), width)


def _texts(texts: Sequence[str], width: int) -> list[SpanLine]:
    return [line([Span(text, Role.QUIET)], width) for text in texts]


def _wrapped(text: str, width: int) -> list[SpanLine]:
    return [line(row, width) for row in wrap([Span(text, Role.QUIET)], width)] if text else []


def _halved(id: str, width: int) -> str:
    """An id with a space in its middle if it does not fit: the machine's part, the number."""
    middle = len(id) // 2
    return id if len(id) <= width else f"{id[:middle]} {id[middle:]}"


def _args(args: Sequence[tuple[str, str]], width: int) -> list[SpanLine]:
    key_width = min(max((len(key) for key, _ in args), default=0), width // 2)
    rows = []
    previous = ""
    for key, value in args:
        shown = "" if key == previous else key
        previous = key
        rows.append(
            line([Span(left(shown, key_width), Role.QUIET), Span("  "), Span(value)], width)
        )
    return rows


def reader_text(view: ReaderView, width: int = 100) -> str:
    """The reader as plain text, for copying and printing."""
    return "\n".join(row.text.rstrip() for row in draw_reader(view, width))
