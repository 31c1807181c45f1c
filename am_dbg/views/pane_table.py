"""The table of all panes: what each shows and how it is drawn."""

from __future__ import annotations

from am_dbg.control import ScreenView
from am_dbg.drawing.bars import draw_address, draw_footer, draw_rule, draw_status, draw_tabs
from am_dbg.drawing.detail import draw_detail
from am_dbg.drawing.filters import draw_filters, query_note
from am_dbg.drawing.layout import HEIGHT_MIN, WIDTH_MIN, Pane
from am_dbg.drawing.log import draw_log, log_title_note
from am_dbg.drawing.machines import draw_machines, machines_title_note
from am_dbg.drawing.matrix import draw_matrix, matrix_window
from am_dbg.drawing.merged_log import draw_merged_log
from am_dbg.drawing.rain import draw_rain
from am_dbg.drawing.reader import draw_reader
from am_dbg.drawing.states import draw_states
from am_dbg.drawing.steps import draw_steps
from am_dbg.drawing.timeline import draw_timeline
from am_dbg.drawing.transition import draw_transition
from am_dbg.projection.times import count
from am_dbg.spans import Role, Span, SpanLine, line
from am_dbg.views.pane import Drawn, PaneKind

RAIN_LEGEND = ". inactive  1 active  2 touched  | removed  c canceled  * touched"


def _machines(screen: ScreenView, width: int, _: int, lit: bool) -> Drawn:
    view = screen.machines
    return Drawn(draw_machines(view, width, lit=lit), "Machines", machines_title_note(view, width))


def _states(screen: ScreenView, width: int, _: int, lit: bool) -> Drawn:
    view = screen.states
    note = f"{count(view.states)} · {view.active} active" if view.states else ""
    return Drawn(draw_states(view, width, lit=lit), "States", note)


def _log(screen: ScreenView, width: int, _: int, lit: bool) -> Drawn:
    view = screen.log
    note = log_title_note(view, screen.filter_line)
    if view.scope:
        return Drawn(draw_merged_log(view, width, lit=lit), f"Log · {view.scope}", note)
    return Drawn(draw_log(view, width, lit=lit), "Log", note)


def _rain(screen: ScreenView, width: int, height: int, lit: bool) -> Drawn:
    return Drawn(
        draw_rain(screen.rain, width, height, lit=lit),
        f"Rain · {screen.rain.scope}" if screen.rain.scope else "Rain",
        query_note(screen.filter_line) or RAIN_LEGEND,
    )


def _matrix(screen: ScreenView, width: int, height: int, lit: bool) -> Drawn:
    view = screen.matrix
    ticks = f"{view.tick_sum} ticks · t{view.time_sum}" if view.names else ""
    note = " · ".join(filter(None, (query_note(screen.filter_line), matrix_window(view), ticks)))
    title = f"Matrix · {view.machine}" if view.machine else "Matrix"
    return Drawn(draw_matrix(view, width, height, lit=lit), title, note)


def _reader(screen: ScreenView, width: int, height: int, lit: bool) -> Drawn:
    """The sections from the view's top on; the last row stays in sight."""
    view = screen.reader
    lines = draw_reader(view, width, lit=lit)
    top = max(0, min(view.top, len(lines) - height))
    more = len(lines) - top - height
    note = f"{view.title} · {more} more" if more > 0 else view.title
    return Drawn(lines[top:], "Reader", note)


def _detail(screen: ScreenView, width: int, _: int, __: bool) -> Drawn:
    view = screen.detail
    return Drawn(draw_detail(view, width), view.title, "Esc close · y copy · / search · W wrap")


def _notice(_: ScreenView, width: int, height: int, __: bool) -> Drawn:
    """A request for a larger screen, as much of it as fits, in the middle."""
    texts = ("am-dbg", f"needs {WIDTH_MIN}x{HEIGHT_MIN}")
    blank = [SpanLine()] * max(0, (height - len(texts)) // 2)
    rows = [
        line([Span(" " * max(0, (width - len(text)) // 2)), Span(text, Role.CANCELED)], width)
        for text in texts
    ]
    return Drawn([*blank, *rows])


PANES: tuple[PaneKind, ...] = (
    PaneKind(Pane.MACHINES, lambda screen: screen.machines, _machines),
    PaneKind(Pane.STATES, lambda screen: screen.states, _states),
    PaneKind(Pane.LOG, lambda screen: (screen.log, screen.filter_line), _log),
    PaneKind(Pane.RAIN, lambda screen: (screen.rain, screen.filter_line), _rain),
    PaneKind(Pane.MATRIX, lambda screen: (screen.matrix, screen.filter_line), _matrix),
    PaneKind(Pane.READER, lambda screen: screen.reader, _reader),
    PaneKind(Pane.DETAIL, lambda screen: screen.detail, _detail),
    PaneKind(
        Pane.ADDRESS,
        lambda screen: screen.address,
        lambda screen, width, _, __: Drawn([draw_address(screen.address, width)]),
    ),
    PaneKind(
        Pane.TABS,
        lambda screen: screen.tabs,
        lambda screen, width, _, __: Drawn([draw_tabs(screen.tabs, width)]),
    ),
    PaneKind(
        Pane.TRANSITION,
        lambda screen: screen.transition,
        lambda screen, width, _, __: Drawn([draw_transition(screen.transition, width)]),
    ),
    PaneKind(
        Pane.TIMELINE,
        lambda screen: screen.timeline,
        lambda screen, width, _, lit: Drawn(draw_timeline(screen.timeline, width, lit=lit)),
    ),
    PaneKind(
        Pane.STEPS,
        lambda screen: screen.steps,
        lambda screen, width, _, lit: Drawn([draw_steps(screen.steps, width, lit=lit)]),
    ),
    PaneKind(
        Pane.FILTERS,
        lambda screen: (screen.filters, screen.filter_line),
        lambda screen, width, _, lit: Drawn(
            [draw_filters(screen.filters, width, lit=lit, filter_line=screen.filter_line)]
        ),
    ),
    PaneKind(
        Pane.FOOTER,
        lambda screen: screen.footer,
        lambda screen, width, _, __: Drawn([draw_footer(screen.footer, width)]),
    ),
    PaneKind(
        Pane.RULE,
        lambda screen: None,
        lambda screen, width, _, __: Drawn([draw_rule(width)]),
    ),
    PaneKind(
        Pane.STATUS,
        lambda screen: screen.status,
        lambda screen, width, _, __: Drawn([draw_status(screen.status, width)]),
    ),
    PaneKind(Pane.NOTICE, lambda screen: None, _notice),
)
