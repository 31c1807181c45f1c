"""Draws the filter bar: as many switches as fit, the log level, and the hits of a search."""

from __future__ import annotations

from collections.abc import Sequence

from am_dbg.drawing.layout import WIDE
from am_dbg.projection.filters import GROUP, GROUP_NAME_MAX, LEVEL, SWITCHES, FilterBarView, Switch
from am_dbg.projection.times import counted, ordinal
from am_dbg.spans import GAP, SPACE, WIDE_GAP, Role, Span, SpanLine, line
from amtracer.wire.vocabulary import LEVEL_WORDS

SEARCH_ROOM = 18
"""Cells that narrow rows keep free for what a search found."""


def switches_that_fit(width: int, groups: Sequence[str] = ()) -> tuple[str, ...]:
    """The switches for which a row of this width has room, each with its mark.

    Keys and clicks reach only these. `groups` are those of the machine on show.
    """
    is_wide = width >= WIDE
    level_size = len(f"{LEVEL} ") + max(map(len, LEVEL_WORDS))
    room = width - (len(" filters  ") if is_wide else 1 + SEARCH_ROOM) - level_size
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


def draw_filters(view: FilterBarView, width: int, *, lit: bool = False) -> SpanLine:
    """The filters with their marks, then the search with its hits."""
    if view.is_typing:
        return line([Span(" "), *_hits(view)], width)
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
    return line(spans, width)


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
    if view.hits >= 0:
        hits = "no hits" if not view.hits else counted(view.hits, "hit")
        which = f", {ordinal(view.hit)}" if view.hit else ""
        spans += [GAP, Span(hits + which, Role.QUIET)]
    if view.where:
        spans += [GAP, Span(f"in {view.where}", Role.QUIET)]
    return spans
