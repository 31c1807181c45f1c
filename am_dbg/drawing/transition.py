"""Draws the transition bar: the current transition at the left, the next one at the right."""

from __future__ import annotations

from am_dbg.drawing.layout import WIDE
from am_dbg.drawing.log import KIND_ROLES
from am_dbg.projection.log.entries import AUTO_FLAG, TransitionEntry
from am_dbg.projection.times import clock_time, count, duration, signed_duration
from am_dbg.projection.transition import TransitionView
from am_dbg.spans import GAP, WIDE_GAP, Role, Span, SpanLine, line, spread, width_of_spans


def draw_transition(view: TransitionView, width: int) -> SpanLine:
    """The transition on show at the left, the next one at the right, each as far as it fits."""
    if view.entry is None:
        return line(spread(_no_transition(view), _next(view, width), width), width)
    row = [
        Span(" "),
        *_place(view),
        _mutation(view, width),
        Span(_called(view.entry), bold=True),
    ]
    used = width_of_spans(row)
    for part in _details(view, width):
        size = width_of_spans(part)
        if used + size < width:
            row += part
            used += size
    tail = _next(view, width)
    if used + width_of_spans(tail) + 2 > width:
        tail = []
    return line(spread(row, tail, width), width)


def _place(view: TransitionView) -> list[Span]:
    """The number and the total, in a width that only the total changes."""
    number, total = str(view.number), count(view.total)
    missing = max(0, len(str(view.total)) - len(number))
    return [
        Span(f"tx {number}", bold=True),
        Span(f"/{total}{' ' * missing}", Role.QUIET),
        GAP,
    ]


def _details(view: TransitionView, width: int) -> list[list[Span]]:
    """The further details of a transition, in the order of the row."""
    is_wide = width >= WIDE
    entry = view.entry
    since = f" since {view.since}" if is_wide else ""
    return [
        [Span(" auto", Role.FLAG)] if entry and AUTO_FLAG in entry.flags else [],
        [GAP, Span("✗ canceled", Role.CANCELED)] if entry and entry.note else [],
        [WIDE_GAP, *_changes(view)] if is_wide else [],
        [WIDE_GAP, Span(f"t{view.time_sum}")],
        [WIDE_GAP, Span(clock_time(view.time_ns))],
        [WIDE_GAP, Span(signed_duration(view.since_ns) + since, Role.QUIET)] if view.since else [],
        [WIDE_GAP, Span(f"took {duration(view.duration_ns)}", Role.QUIET)]
        if is_wide and view.duration_ns
        else [],
        [WIDE_GAP, Span(f"queue {view.queue_len}", Role.QUIET)] if is_wide else [],
    ]


def _no_transition(view: TransitionView) -> list[Span]:
    head = [Span(" "), *_place(view)]
    if view.waits_on and not view.total:
        return [*head, Span(f"listening for connections on {view.waits_on}", Role.QUIET)]
    text = "initial structure" if view.total else "no transitions yet"
    return [*head, Span(text, Role.QUIET)]


def _mutation(view: TransitionView, width: int) -> Span:
    role = KIND_ROLES[view.kind]
    if width < WIDE:
        return Span(f"{view.kind.value} ", role, bold=True)
    return Span(f"{view.type_name} [multi] " if view.is_multi else f"{view.type_name} ", role)


def _called(entry: TransitionEntry) -> str:
    return " ".join(word.name for word in entry.called) or "nothing"


def _changes(view: TransitionView) -> list[Span]:
    return [
        Span(f"+{view.added}", Role.ADDED if view.added else Role.QUIET),
        Span(" "),
        Span(f"-{view.removed}", Role.REMOVED if view.removed else Role.QUIET),
        Span(" "),
        Span(f"~{view.other}", Role.QUIET),
    ]


def _next(view: TransitionView, width: int) -> list[Span]:
    if view.next is None or width < WIDE:
        return []
    multi = " [multi]" if view.next_multi else ""
    return [
        Span("next  ", Role.QUIET),
        Span(f"{view.next_type} ", Role.QUIET),
        Span(_called(view.next) + multi, Role.QUIET, link="action:next_transition"),
        Span(" "),
    ]
