"""Draws the single rows: address, tabs, footer, status."""

from __future__ import annotations

from am_dbg.drawing.layout import WIDE
from am_dbg.keys import Hint
from am_dbg.projection.bars import (
    AddressView,
    FooterView,
    Playback,
    ReturnedNotice,
    StatusView,
    TabsView,
)
from am_dbg.projection.times import (
    count,
    counted,
)
from am_dbg.spans import (
    GAP,
    SPACE,
    WIDE_GAP,
    Role,
    Span,
    SpanLine,
    fit,
    line,
    spread,
    width_of_spans,
)

NARROW = 60
"""Below this width a long message has more of the footer."""

_PLAYBACK = {
    Playback.PAUSED: Span("║ paused", Role.CANCELED, link="action:toggle_play"),
    Playback.PLAYING: Span("▶ playing", Role.ADDED, link="action:toggle_play"),
    Playback.TAIL: Span("● tail", Role.ADDED, link="action:tail"),
}


def draw_address(view: AddressView, width: int) -> SpanLine:
    """Where the reader is at the left, how much there is at the right.

    Without room for all, the tags go first, those at the end before the others, then the counts.
    """
    head, tail = _place(view, width), _playback(view)
    counts = [Span(counted(view.machines, "machine"), Role.QUIET), GAP]
    if width >= WIDE:
        counts += [Span(f"{count(view.transitions)} tx", Role.QUIET), GAP]
    if width_of_spans([*head, *counts, *tail]) < width:
        tail = [*counts, *tail]
    gap = WIDE_GAP
    for tag in view.tags:
        words = [gap, Span(f"#{tag}", Role.QUIET)]
        if width_of_spans([*head, *words, GAP, *tail]) > width:
            break
        head += words
        gap = SPACE
    return line(spread(head, tail, width), width)


def _place(view: AddressView, width: int) -> list[Span]:
    """The arrows of the history if there is room, and the address."""
    spans: list[Span] = [Span(" ")]
    if width >= WIDE:
        spans += [
            Span("◀", Role.FOCUS if view.can_go_back else Role.FUTURE, link="action:back"),
            Span(" "),
            Span("▶", Role.FOCUS if view.can_go_forward else Role.FUTURE, link="action:forward"),
            Span(" "),
        ]
    if not view.machine:
        return [*spans, Span("am-dbg", bold=True)]
    return [
        *spans,
        Span(view.scheme, Role.ADDED if view.is_connected else Role.QUIET),
        Span(view.machine, bold=True),
        Span(view.place),
    ]


def _playback(view: AddressView) -> list[Span]:
    """Whether something plays, and how fast."""
    speed = [Span(f" {view.speed}", Role.QUIET, link="action:faster")] if view.speed else []
    return [_PLAYBACK[view.playback], *speed, Span(" ")]


def draw_tabs(view: TabsView, width: int) -> SpanLine:
    """The panes of a narrow screen; the open one is underlined and has a mark.

    Without room for both, the names of the panes are shown and the note is not.
    """
    spans: list[Span] = [Span(" ")]
    for name, title in view.tabs:
        is_open = name == view.open
        link = f"pane:{name}"
        spans += [
            Span("▸" if is_open else " ", Role.FOCUS),
            Span(
                title,
                Role.FOCUS if is_open else Role.QUIET,
                bold=is_open,
                underline=is_open,
                link=link,
            ),
            Span("  "),
        ]
    note = [Span(view.note, Role.QUIET), Span(" ")]
    has_room = width_of_spans(spans) + width_of_spans(note) < width
    return line(spread(spans, note, width) if has_room else spans, width)


def draw_rule(width: int) -> SpanLine:
    """A thin line across the screen."""
    return line([Span("─" * width, Role.FRAME)], width)


def draw_footer(view: FooterView, width: int) -> SpanLine:
    """Keys with what they do, as many as fit, or a message; the ends are always there.

    On a narrow screen, a long message leaves them no words.
    """
    message = [Span(" "), Span(view.message, Role.CANCELED)] if view.message else []
    ends = _joined([_hint(hint) for hint in view.ends])
    if width < NARROW and width_of_spans([*message, *ends]) + 3 > width:
        ends = _joined([_hint(hint)[:1] for hint in view.ends])
    room = max(0, width - width_of_spans(ends) - 3) if ends else width
    left = message or _as_many_as_fit(view, room)
    return line([*fit(left, room), Span("  "), *ends, Span(" ")] if ends else left, width)


def _as_many_as_fit(view: FooterView, width: int) -> list[Span]:
    extras = {"next_error": view.errors, "next_canceled": view.canceled, "scope": view.scope}
    groups = [_hint(hint, extras.get(hint[2], "")) for hint in view.hints]
    groups = [*_returned(view.returned), *groups]
    space = 3 if sum(width_of_spans(group) + 3 for group in groups) <= width else 2
    spans: list[Span] = [Span(" ")]
    for group in groups:
        if len(spans) > 1 and width_of_spans(spans) + width_of_spans(group) > width:
            break
        spans += [*group, Span(" " * space)]
    return spans


def _hint(hint: Hint, extra: str = "") -> list[Span]:
    keys, text, action = hint
    return [
        Span(keys, Role.FOCUS, bold=True, link=f"action:{action}"),
        Span(f" {text}", Role.QUIET, link=f"action:{action}"),
        Span(f" {extra}" if extra else "", Role.QUIET),
    ]


def _joined(groups: list[list[Span]]) -> list[Span]:
    """The groups with a gap between each two."""
    return [span for at, group in enumerate(groups) for span in ([WIDE_GAP] * bool(at) + group)]


def _returned(view: ReturnedNotice) -> list[list[Span]]:
    """The notice that a program came back, and the keys that it offers."""
    if not view.text:
        return []
    return [
        [Span(view.text, Role.ADDED, bold=True)],
        *(
            [
                Span(sign, Role.FOCUS, bold=True, link=f"action:{action}"),
                Span(f" {word}", Role.QUIET, link=f"action:{action}"),
            ]
            for sign, word, action in view.hints
        ),
    ]


def draw_status(view: StatusView, width: int) -> SpanLine:
    """Where data comes from, then the version and the memory; on tall screens."""
    spans = [Span(" ")]
    for group in _returned(view.returned):
        spans += [*group, WIDE_GAP]
    if view.listening:
        spans += [Span("● ", Role.ADDED), Span(f"listening on {view.listening}", Role.QUIET)]
    else:
        spans += [Span("○ not listening", Role.QUIET)]
    if view.live:
        spans += [WIDE_GAP, Span(f"{count(view.live)} live", Role.QUIET)]
    if view.recorded:
        spans += [WIDE_GAP, Span(f"{count(view.recorded)} recorded", Role.QUIET)]
    spans += [WIDE_GAP, Span(f"T {count(view.time_sum)}", Role.QUIET)]
    if view.scope:
        spans += [WIDE_GAP, Span(f"scope: {view.scope}", Role.QUIET, link="action:scope")]
    if view.source:
        spans += [WIDE_GAP, Span(view.source, Role.QUIET)]
    if view.progress:
        spans += [WIDE_GAP, Span(view.progress, Role.FOCUS)]
    if view.warning:
        spans += [WIDE_GAP, Span(view.warning, Role.CANCELED)]
    about = [Span(view.about, Role.QUIET), Span(" ")] if view.about else []
    return SpanLine(tuple(fit(spread(spans, about, width), width)))
