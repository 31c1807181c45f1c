"""Draws the reader: the sections with the details of one transition."""

from __future__ import annotations

from collections.abc import Sequence

from am_dbg.projection.reader import HandlerRow, ReaderView, SourceRow
from am_dbg.projection.subscriptions import Pipe, Task, Waiting
from am_dbg.projection.times import duration
from am_dbg.spans import BLANK, Ink, Line, Run, left, line, right, spread, wrap

_OUTCOME_INKS = {"denied": Ink.CANCELED, "failed": Ink.ERROR}


def draw_reader(view: ReaderView, width: int) -> list[Line]:
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
        _section("Id", 0, _wrapped(view.id, inner), inner),
    ]
    lines: list[Line] = []
    for block in blocks:
        if block and lines:
            lines.append(BLANK)
        lines += block
    if view.is_history_cut:
        lines.append(line([Run("older subscriptions not read", Ink.QUIET)], inner))
    return [Line((Run(" "), *row.runs, Run(" ")), row.ground) for row in lines]


def _queue(view: ReaderView) -> list[str]:
    """What was queued, after the tick of the queue if that is known."""
    return [*([f"queue tick {view.queue_tick}"] if view.queue_tick else []), *view.queue]


def _section(title: str, count: int, rows: Sequence[Line], width: int) -> list[Line]:
    """A heading over its rows; nothing if there are no rows."""
    if not rows and not count:
        return []
    head = f"{title} {count}" if count else title
    return [line([Run(head, Ink.PLACE, bold=True)], width), *rows]


def _source(row: SourceRow, depth: int, width: int) -> Line:
    runs = [
        Run("└ " if depth else "", Ink.QUIET),
        Run(row.machine, underline=bool(row.link), link=row.link),
        Run(f" t{row.time}", Ink.QUIET),
        Run(f"  {row.what}" if row.what else "", Ink.QUIET),
    ]
    return line(runs, width)


def _handler(row: HandlerRow, width: int) -> Line:
    head = [Run(row.name, Ink.HANDLER)]
    if row.outcome in _OUTCOME_INKS:
        head += [Run(" "), Run(row.outcome, _OUTCOME_INKS[row.outcome])]
    tail = [Run(duration(row.duration_ns), Ink.QUIET)] if row.duration_ns else []
    return line(spread(head, tail, width), width)


def _all_waiting(view: ReaderView, width: int) -> list[Line]:
    rows = [_waiting(row, width) for row in view.waiting]
    if view.more:
        rows.append(line([Run(f"… {view.more:,} more", Ink.QUIET)], width))
    return rows


def _waiting(row: Waiting, width: int) -> Line:
    runs = [
        Run(f"{row.verb} ", Ink.QUIET),
        Run(row.states, Ink.ADDED),
        Run(f" {row.condition}" if row.condition else "", Ink.PLAIN),
    ]
    return line(spread(runs, [Run(right(f"t{row.since}", 5), Ink.QUIET)], width), width)


def _pipe(row: Pipe, width: int) -> Line:
    is_out = row.direction == "out"
    runs = [
        Run("→ " if is_out else "← ", Ink.ADDED if is_out else Ink.HANDLER),
        Run(row.machine, underline=True, link=f"mach://{row.machine}"),
        Run(f" {row.state} ", Ink.PLAIN),
        Run(row.mutation, Ink.QUIET),
    ]
    return line(spread(runs, [Run(f"t{row.since}", Ink.QUIET)], width), width)


def _task(row: Task, width: int) -> Line:
    since = Run(f"t{row.since}", Ink.QUIET)
    return line(spread([Run(row.handler, Ink.HANDLER)], [since], width), width)


def _texts(texts: Sequence[str], width: int) -> list[Line]:
    return [line([Run(text, Ink.QUIET)], width) for text in texts]


def _wrapped(text: str, width: int) -> list[Line]:
    return [line(row, width) for row in wrap([Run(text, Ink.QUIET)], width)] if text else []


def _args(args: Sequence[tuple[str, str]], width: int) -> list[Line]:
    key_width = min(max((len(key) for key, _ in args), default=0), width // 2)
    rows = []
    previous = ""
    for key, value in args:
        shown = "" if key == previous else key
        previous = key
        rows.append(line([Run(left(shown, key_width), Ink.QUIET), Run("  "), Run(value)], width))
    return rows


def reader_text(view: ReaderView, width: int = 100) -> str:
    """The reader as plain text, for copying and printing."""
    return "\n".join(row.text.rstrip() for row in draw_reader(view, width))
