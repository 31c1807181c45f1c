"""Draws the single rows: address, transition, steps, filters, footer, status."""

from __future__ import annotations

from am_dbg.projection.bars import (
    LEVEL,
    AddressView,
    FilterBarView,
    FooterView,
    Playback,
    StatusView,
    TabsView,
)
from am_dbg.projection.log import LogEntry
from am_dbg.projection.steps import HOW_TO_SEND_STEPS, StepLook, StepsView, StepText
from am_dbg.projection.times import (
    clock_time,
    count,
    counted,
    duration,
    ordinal,
    signed_duration,
)
from am_dbg.projection.transition import TransitionView
from am_dbg.spans import Role, Span, SpanLine, fit, line, spread, width_of_spans
from amtracer.wire.vocabulary import MUTATION_WORDS

NARROW = 100
GAP = Span("  ")
WIDE_GAP = Span("   ")

_PLAYBACK = {
    Playback.PAUSED: Span("║ paused", Role.CANCELED, link="action:toggle_play"),
    Playback.PLAYING: Span("▶ playing", Role.ADDED, link="action:toggle_play"),
    Playback.TAIL: Span("● tail", Role.ADDED, link="action:tail"),
}
_TYPE_ROLES = dict(zip(MUTATION_WORDS, (Role.ADDED, Role.REMOVED, Role.FOCUS), strict=False))
_TYPE_SIGNS = dict(zip(MUTATION_WORDS, "+-=", strict=False))


def draw_address(view: AddressView, width: int) -> SpanLine:
    """Where the reader is at the left, how much there is at the right."""
    head: list[Span] = [Span(" ")]
    if width >= NARROW:
        head += [
            Span("◀", Role.FOCUS if view.can_go_back else Role.FRAME, link="action:back"),
            Span(" "),
            Span("▶", Role.FOCUS if view.can_go_forward else Role.FRAME, link="action:forward"),
            Span(" "),
        ]
    if view.machine:
        head += [
            Span(view.scheme, Role.ADDED if view.is_connected else Role.QUIET),
            Span(view.machine, bold=True),
            Span(view.place),
            WIDE_GAP,
            Span(" ".join(f"#{tag}" for tag in view.tags), Role.QUIET),
        ]
    else:
        head.append(Span("am-dbg", bold=True))
    tail = [
        Span(counted(view.machines, "machine"), Role.QUIET),
        GAP,
    ]
    if width >= NARROW:
        tail += [Span(f"{count(view.transitions)} tx", Role.QUIET), GAP]
    tail += [_PLAYBACK[view.playback], Span(" ")]
    return line(spread(head, tail, width), width)


def draw_transition(view: TransitionView, width: int) -> SpanLine:
    """The transition on show at the left, the next one at the right, each as far as it fits."""
    if view.entry is None:
        return line(spread(_no_transition(view), _next(view, width), width), width)
    row = [
        Span(" "),
        Span(f"tx {view.number}", bold=True),
        Span(f"/{count(view.total)}", Role.QUIET),
        GAP,
        *_mutation(view.type_name, view.is_multi, width),
        *(span._replace(bold=True) for span in _called(view.entry)),
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


def _details(view: TransitionView, width: int) -> list[list[Span]]:
    """The further details of a transition, in the order of the row."""
    is_wide = width >= NARROW
    entry = view.entry
    since = f" since {view.since}" if is_wide else ""
    return [
        [Span(" auto", Role.FLAG)] if entry and "a" in entry.flags else [],
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
    head = [Span(" "), Span("tx 0", bold=True), Span(f"/{count(view.total)}", Role.QUIET), GAP]
    if view.waits_on and not view.total:
        return [*head, Span(f"listening for connections on {view.waits_on}", Role.QUIET)]
    text = "initial structure" if view.total else "no transitions yet"
    return [*head, Span(text, Role.QUIET)]


def _mutation(name: str, multi: bool, width: int) -> list[Span]:
    if width < NARROW:
        sign = _TYPE_SIGNS.get(name, "·")
        return [Span(f"{sign} ", _TYPE_ROLES.get(name, Role.QUIET), bold=True)]
    text = f"{name} [multi] " if multi else f"{name} "
    return [Span(text, _TYPE_ROLES.get(name, Role.QUIET))]


def _called(entry: LogEntry) -> list[Span]:
    names = " ".join(word.name for word in entry.called)
    return [Span(names or "nothing")]


def _changes(view: TransitionView) -> list[Span]:
    return [
        Span(f"+{view.added}", Role.ADDED if view.added else Role.QUIET),
        Span(" "),
        Span(f"-{view.removed}", Role.REMOVED if view.removed else Role.QUIET),
        Span(" "),
        Span(f"~{view.other}", Role.QUIET),
    ]


def _next(view: TransitionView, width: int) -> list[Span]:
    if view.next is None or width < NARROW:
        return []
    names = " ".join(word.name for word in view.next.called)
    multi = " [multi]" if view.next_multi else ""
    return [
        Span("next  ", Role.QUIET),
        Span(f"{view.next_type} ", Role.QUIET),
        Span((names or "nothing") + multi, Role.QUIET, link="action:next_transition"),
        Span(" "),
    ]


_STEP_ROLES = {
    StepLook.SET: Role.ADDED,
    StepLook.REMOVE: Role.REMOVED,
    StepLook.HANDLER: Role.HANDLER,
    StepLook.CANCEL: Role.CANCELED,
    StepLook.RELATION: Role.FLAG,
}
_OUTCOME_ROLES = {"denied": Role.CANCELED, "failed": Role.ERROR, "accepted": Role.ADDED}
DOTS_MAX = 16


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
        *_dots(view),
        GAP,
    ]
    if view.current:
        head += _step_spans(view.current, short=width < NARROW)
    room = width - width_of_spans(head) - 4
    tail = _trail(view, room) if width >= NARROW else []
    return line(spread(head, tail, width), width)


def _dots(view: StepsView) -> list[Span]:
    if view.total > DOTS_MAX:
        done = DOTS_MAX * view.step // view.total
        marks = [("━", Role.FOCUS)] * done + [("─", Role.FRAME)] * (DOTS_MAX - done)
        return [
            Span(mark, role, link=f"step:{max(1, view.total * place // DOTS_MAX)}")
            for place, (mark, role) in enumerate(marks, 1)
        ]
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
    """The neighbours of the current step, as many as fit around it."""
    chunks: list[list[Span]] = []
    for place, step in enumerate(view.texts):
        is_current = view.first + place == view.step
        name = "" if step.look is StepLook.RELATION else f"{step.look.value} "
        role = Role.PLAIN if is_current else Role.QUIET
        text = f"{name}{step.subject}"
        chunks.append([Span(text, role, bold=is_current, link=f"step:{view.first + place}")])
    low = high = max(0, view.step - view.first)
    if not chunks:
        return []
    low = high = min(low, len(chunks) - 1)
    used = width_of_spans(chunks[low]) + 1
    grown = True
    while grown:
        grown = False
        if high + 1 < len(chunks) and used + width_of_spans(chunks[high + 1]) + 3 <= room:
            high += 1
            used += width_of_spans(chunks[high]) + 3
            grown = True
        if low > 0 and used + width_of_spans(chunks[low - 1]) + 3 <= room:
            low -= 1
            used += width_of_spans(chunks[low]) + 3
            grown = True
    if used > room:
        return []
    spans: list[Span] = []
    for place in range(low, high + 1):
        if spans:
            spans.append(Span(" ▸ ", Role.FRAME))
        spans += chunks[place]
    return [*spans, Span(" ")]


def draw_tabs(view: TabsView, width: int) -> SpanLine:
    """The panes of a narrow screen; the open one is underlined and has a mark."""
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
    return line(spread(spans, [Span(view.note, Role.QUIET), Span(" ")], width), width)


def draw_rule(width: int) -> SpanLine:
    """A thin line across the screen."""
    return line([Span("─" * width, Role.FRAME)], width)


def draw_filters(view: FilterBarView, width: int, *, lit: bool = False) -> SpanLine:
    """The filters with their marks, then the search with its hits."""
    if view.is_typing:
        return line([Span(" "), *_hits(view)], width)
    spans: list[Span] = [Span(" ")]
    if width >= NARROW:
        spans += [
            Span("filters", Role.FOCUS if lit else Role.QUIET, bold=lit, link="action:filters"),
            GAP,
        ]
    gap = GAP if width >= NARROW else Span(" ")
    for switch in view.switches:
        picked = lit and switch.name == view.selected
        role = Role.PLAIN if switch.is_on else Role.QUIET
        value = f" {switch.value}" if switch.value else ""
        text = f"{switch.name}{value} {'✓' if switch.is_on else '·'}"
        link = f"action:{switch.action}"
        spans += [
            Span(text, Role.FOCUS if picked else role, bold=picked, underline=picked, link=link),
            gap,
        ]
    if view.has_level:
        picked = lit and view.selected == LEVEL
        role = Role.FOCUS if picked else Role.PLAIN
        spans += [
            Span("level ", Role.QUIET, link="action:level"),
            Span(view.level, role, bold=picked, underline=picked, link="action:level"),
        ]
    if view.search:
        spans += [WIDE_GAP, *_search(view)]
    return line(spans, width)


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


def draw_footer(view: FooterView, width: int) -> SpanLine:
    """Keys with what they do, as many as fit; a message takes their place."""
    if view.message:
        return line([Span(" "), Span(view.message, Role.CANCELED)], width)
    extras = {"next_error": view.errors, "next_canceled": view.canceled}
    groups = [
        [
            Span(keys, Role.FOCUS, bold=True, link=f"action:{action}"),
            Span(f" {text}", Role.QUIET, link=f"action:{action}"),
            Span(f" {extras[action]}" if extras.get(action) else "", Role.QUIET),
        ]
        for keys, text, action in view.hints
    ]
    space = 3 if sum(width_of_spans(group) + 3 for group in groups) <= width else 2
    spans: list[Span] = [Span(" ")]
    for group in groups:
        if width_of_spans(spans) + width_of_spans(group) > width:
            break
        spans += [*group, Span(" " * space)]
    return line(spans, width)


def draw_status(view: StatusView, width: int) -> SpanLine:
    """Where data comes from, on tall screens."""
    spans = [Span(" ")]
    if view.listening:
        spans += [Span("● ", Role.ADDED), Span(f"listening on {view.listening}", Role.QUIET)]
    else:
        spans += [Span("○ not listening", Role.QUIET)]
    if view.live:
        spans += [WIDE_GAP, Span(f"{count(view.live)} live", Role.QUIET)]
    if view.recorded:
        spans += [WIDE_GAP, Span(f"{count(view.recorded)} recorded", Role.QUIET)]
    spans += [WIDE_GAP, Span(f"T {count(view.time_sum)}", Role.QUIET)]
    if view.source:
        spans += [WIDE_GAP, Span(view.source, Role.QUIET)]
    if view.progress:
        spans += [WIDE_GAP, Span(view.progress, Role.FOCUS)]
    if view.warning:
        spans += [WIDE_GAP, Span(view.warning, Role.CANCELED)]
    return SpanLine(tuple(fit(spans, width)))
