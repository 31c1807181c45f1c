"""Draws the filter bar: as many switches as fit, the log level, and the hits of a search."""

from __future__ import annotations

from collections.abc import Sequence

from am_dbg.drawing.layout import WIDE
from am_dbg.projection.filtering.filter_line import NO_FILTER, FilterLineView
from am_dbg.projection.filters import GROUP, GROUP_NAME_MAX, LEVEL, SWITCHES, FilterBarView, Switch
from am_dbg.projection.times import count, counted, ordinal
from am_dbg.spans import GAP, SPACE, WIDE_GAP, Role, Span, SpanLine, cut, line
from amtracer.wire.vocabulary import LEVEL_WORDS

COUNTING = "counting…"
"""Stands for a number that is not known yet."""
QUERY_WIDTH = 40
"""The most cells of a query in the title of a pane."""
SEARCH_ROOM = 18
"""Cells that are kept free for the query, or for what a search found."""


def switches_that_fit(width: int, groups: Sequence[str] = ()) -> tuple[str, ...]:
    """The switches for which a row of this width has room, each with its mark.

    Keys and clicks reach only these. `groups` are those of the machine on show.
    """
    is_wide = width >= WIDE
    level_size = len(f"{LEVEL} ") + max(map(len, LEVEL_WORDS))
    room = width - (len(" filters  ") if is_wide else 1) - SEARCH_ROOM - level_size
    if room + SEARCH_ROOM < 0 or width <= 0:
        return ()
    shown = []
    value_size = 1 + min(GROUP_NAME_MAX, max(map(len, groups), default=0))
    for name in (*SWITCHES, GROUP) if groups else SWITCHES:
        room -= len(name) + len(" ✓") + (2 if is_wide else 1) + (name == GROUP) * value_size
        if room < 0:
            break
        shown.append(name)
    return (*shown, LEVEL)


def query_note(view: FilterLineView) -> str:
    """What a query hides, for the titles of panes; empty without a query."""
    if not view.query:
        return ""
    return f"{cut(view.query, QUERY_WIDTH)} hides {count(view.hidden)}"


def draw_filters(
    view: FilterBarView,
    width: int,
    *,
    lit: bool = False,
    filter_line: FilterLineView = NO_FILTER,
) -> SpanLine:
    """The filters with their marks, then the search with its hits, then the query.

    What a query hides is in the titles of panes too; what a search found is only here.
    """
    if filter_line.is_open:
        return line([Span(" "), *_typed_filter(filter_line)], width)
    if view.is_typing:
        return line([Span(" "), *_hits(view), *_troubles(view.troubles)], width)
    spans: list[Span] = [Span(" ")]
    if width >= WIDE:
        spans += [
            Span("filters", Role.FOCUS if lit else Role.QUIET, bold=lit, link="action:filters"),
            GAP,
        ]
    shown = switches_that_fit(width, view.groups)
    for switch in view.switches:
        if switch.name in shown:
            spans += [
                _switch(switch, picked=lit and switch.name == view.selected),
                GAP if width >= WIDE else SPACE,
            ]
    if LEVEL in shown:
        picked = lit and view.selected == LEVEL
        role = Role.FOCUS if picked else Role.PLAIN
        spans += [
            Span("level ", Role.QUIET, link="action:level"),
            Span(view.level, role, bold=picked, underline=picked, link="action:level"),
        ]
    if view.search:
        spans += [WIDE_GAP, *_search(view)]
    if filter_line.query or not view.search:
        spans += [WIDE_GAP, *_query(filter_line)]
    return line(spans, width)


def _query(view: FilterLineView) -> list[Span]:
    """The query of the filters; without one, the key that opens it."""
    link = "action:filter_query"
    if not view.query:
        return [Span("F query", Role.QUIET, link=link)]
    return [
        Span("F ", Role.QUIET, link=link),
        Span(view.query, Role.CANCELED, link=link),
        Span(f" hides {count(view.hidden)}", Role.QUIET),
    ]


def _typed_filter(view: FilterLineView) -> list[Span]:
    """The troubles of the filter that is typed, the counts of what it hides, and the hint."""
    hidden = f"hides {count(view.hidden)}, leaves {count(view.shown)}" if view.query else ""
    if view.is_counting:
        hidden = COUNTING
    return [
        *_troubles(view.troubles),
        *([GAP, Span(hidden)] if hidden else []),
        GAP,
        Span(view.hint, Role.QUIET),
    ]


def _troubles(troubles: Sequence[str]) -> list[Span]:
    return [GAP, Span("; ".join(troubles), Role.CANCELED)] if troubles else []


def _switch(switch: Switch, *, picked: bool) -> Span:
    value = f" {switch.value}" if switch.value else ""
    text = f"{switch.name}{value} {'✓' if switch.is_on else '·'}"
    role = Role.FOCUS if picked else Role.PLAIN if switch.is_on else Role.QUIET
    return Span(text, role, bold=picked, underline=picked, link=f"action:{switch.action}")


def _search(view: FilterBarView) -> list[Span]:
    return [
        Span("/ ", Role.QUIET),
        Span(view.search, Role.CANCELED),
        *_hits(view),
        GAP,
        Span("n N", Role.QUIET),
    ]


def _hits(view: FilterBarView) -> list[Span]:
    spans: list[Span] = []
    if view.is_counting:
        spans += [GAP, Span(COUNTING, Role.QUIET)]
    if view.hits >= 0:
        hits = "no hits" if not view.hits else counted(view.hits, "hit")
        which = f", {ordinal(view.hit)}" if view.hit else ""
        spans += [GAP, Span(hits + which, Role.QUIET)]
    if view.where:
        spans += [GAP, Span(f"in {view.where}", Role.QUIET)]
    return spans
