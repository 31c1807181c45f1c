"""Draws the row of steps: a counter, a dot per step, the current step and its neighbours."""

from __future__ import annotations

from collections.abc import Sequence

from am_dbg.drawing.layout import WIDE
from am_dbg.projection.steps import HOW_TO_SEND_STEPS, StepLook, StepsView, StepText
from am_dbg.spans import GAP, Role, Span, SpanLine, line, spread, width_of, width_of_spans

_STEP_ROLES = {
    StepLook.SET: Role.ADDED,
    StepLook.REMOVE: Role.REMOVED,
    StepLook.HANDLER: Role.HANDLER,
    StepLook.CANCEL: Role.CANCELED,
    StepLook.RELATION: Role.FLAG,
}
_OUTCOME_ROLES = {"denied": Role.CANCELED, "failed": Role.ERROR, "accepted": Role.ADDED}
DOTS_MAX = 16
NARROW = 60
"""Below this width there are fewer dots, so that the current step can be read."""
NARROW_DOTS_MAX = 3
NARROW_BAR = 5
_ARROW = Span(" ▸ ", Role.FUTURE)


def draw_steps(view: StepsView, width: int, *, lit: bool = False) -> SpanLine:
    """Step counter, one dot per step, the current step, and those around it."""
    role = Role.FOCUS if lit else Role.PLAIN
    if not view.total:
        words = "no steps" if view.is_sent else f"no steps were sent; {HOW_TO_SEND_STEPS}"
        return line([Span(" "), Span("step 0/0", role), GAP, Span(words, Role.QUIET)], width)
    head = [
        Span(" "),
        Span(f"step {view.step}/{view.total}", role, bold=True, underline=lit),
        GAP,
        *_progress(view, width),
        GAP,
    ]
    if view.current:
        head += _step_spans(view.current, short=width < WIDE)
    room = width - width_of_spans(head) - 4
    tail = _trail(view, room) if width >= WIDE else []
    return line(spread(head, tail, width), width)


def _progress(view: StepsView, width: int) -> list[Span]:
    """A dot for each step; of many steps, a bar."""
    if width < NARROW:
        return _dots(view) if view.total <= NARROW_DOTS_MAX else _bar(view, NARROW_BAR)
    return _dots(view) if view.total <= DOTS_MAX else _bar(view, DOTS_MAX)


def _bar(view: StepsView, size: int) -> list[Span]:
    done = size * view.step // view.total
    marks = [("━", Role.FOCUS)] * done + [("─", Role.FRAME)] * (size - done)
    return [
        Span(mark, role, link=f"step:{max(1, view.total * place // size)}")
        for place, (mark, role) in enumerate(marks, 1)
    ]


def _dots(view: StepsView) -> list[Span]:
    spans = []
    for number in range(1, view.total + 1):
        is_done = number <= view.step
        last_denied = view.is_canceled and number == view.total
        role = Role.CANCELED if last_denied else Role.FOCUS if is_done else Role.QUIET
        if number > 1:
            spans.append(Span("─", Role.FOCUS if is_done else Role.FRAME))
        mark = "✗" if last_denied and is_done else "●" if is_done else "○"
        spans.append(Span(mark, role, link=f"step:{number}"))
    return spans


def _step_spans(step: StepText, *, short: bool = False) -> list[Span]:
    spans: list[Span] = []
    if step.look is not StepLook.RELATION and not (short and step.look is StepLook.HANDLER):
        spans.append(Span(f"{step.look.value} ", Role.QUIET))
    spans.append(Span(step.subject, _STEP_ROLES.get(step.look, Role.PLAIN)))
    if step.outcome:
        spans += [Span(" "), Span(step.outcome, _OUTCOME_ROLES.get(step.outcome, Role.QUIET))]
    return spans


def _trail(view: StepsView, room: int) -> list[Span]:
    """The current step and its neighbours, as many as fit around it."""
    chunks = [_neighbour(step, number, view) for number, step in enumerate(view.texts, view.first)]
    sizes = [width_of(chunk.text) + len(_ARROW.text) for chunk in chunks]
    at = min(max(0, view.step - view.first), len(chunks) - 1)
    spans: list[Span] = []
    for place in _fitting(sizes, at, room - 1 + len(_ARROW.text)):
        spans += [_ARROW, chunks[place]]
    return [*spans[1:], Span(" ")] if spans else []


def _neighbour(step: StepText, number: int, view: StepsView) -> Span:
    name = "" if step.look is StepLook.RELATION else f"{step.look.value} "
    is_current = number == view.step
    role = Role.PLAIN if is_current else Role.QUIET
    return Span(f"{name}{step.subject}", role, bold=is_current, link=f"step:{number}")


def _fitting(sizes: Sequence[int], at: int, room: int) -> range:
    """The places around one whose sizes fit together: one more at the right, then at the left."""
    if not sizes or sizes[at] > room:
        return range(0)
    low, high, room = at, at + 1, room - sizes[at]
    while True:
        grows_right = high < len(sizes) and sizes[high] <= room
        if grows_right:
            room -= sizes[high]
            high += 1
        if low > 0 and sizes[low - 1] <= room:
            room -= sizes[low - 1]
            low -= 1
        elif not grows_right:
            return range(low, high)
