"""Draws the single rows: address, transition, steps, filters, footer, status."""

from __future__ import annotations

from am_dbg.projection.bars import (
    LEVEL,
    AddressView,
    FilterBarView,
    Flow,
    FooterView,
    StatusView,
    TabsView,
)
from am_dbg.projection.log import Entry
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
from am_dbg.spans import Ink, Line, Run, fit, line, spread, width_of_runs

NARROW = 100
GAP = Run("  ")
WIDE_GAP = Run("   ")

_FLOW = {
    Flow.PAUSED: Run("║ paused", Ink.CANCELED, link="action:toggle_play"),
    Flow.PLAYING: Run("▶ playing", Ink.ADDED, link="action:toggle_play"),
    Flow.TAIL: Run("● tail", Ink.ADDED, link="action:tail"),
}
_TYPE_INKS = {"add": Ink.ADDED, "remove": Ink.REMOVED, "set": Ink.PLACE}


def draw_address(view: AddressView, width: int) -> Line:
    """Where the reader is at the left, how much there is at the right."""
    head: list[Run] = [Run(" ")]
    if width >= NARROW:
        head += [
            Run("◀", Ink.PLACE if view.can_go_back else Ink.LINE, link="action:back"),
            Run(" "),
            Run("▶", Ink.PLACE if view.can_go_forward else Ink.LINE, link="action:forward"),
            Run(" "),
        ]
    if view.machine:
        head += [
            Run(view.scheme, Ink.ADDED if view.is_connected else Ink.QUIET),
            Run(view.machine, bold=True),
            Run(view.place),
            WIDE_GAP,
            Run(" ".join(f"#{tag}" for tag in view.tags), Ink.QUIET),
        ]
    else:
        head.append(Run("am-dbg", bold=True))
    tail = [
        Run(counted(view.machines, "machine"), Ink.QUIET),
        GAP,
    ]
    if width >= NARROW:
        tail += [Run(f"{count(view.transitions)} tx", Ink.QUIET), GAP]
    tail += [_FLOW[view.flow], Run(" ")]
    return line(spread(head, tail, width), width)


def draw_transition(view: TransitionView, width: int) -> Line:
    """The transition on show at the left, the next one at the right, each as far as it fits."""
    if view.entry is None:
        return line(spread(_no_transition(view), _next(view, width), width), width)
    row = [
        Run(" "),
        Run(f"tx {view.number}", bold=True),
        Run(f"/{count(view.total)}", Ink.QUIET),
        GAP,
        *_mutation(view.type_name, view.is_multi, width),
        *(run._replace(bold=True) for run in _called(view.entry)),
    ]
    used = width_of_runs(row)
    for part in _details(view, width):
        size = width_of_runs(part)
        if used + size < width:
            row += part
            used += size
    tail = _next(view, width)
    if used + width_of_runs(tail) + 2 > width:
        tail = []
    return line(spread(row, tail, width), width)


def _details(view: TransitionView, width: int) -> list[list[Run]]:
    """The further details of a transition, in the order of the row."""
    is_wide = width >= NARROW
    entry = view.entry
    since = f" since {view.since}" if is_wide else ""
    return [
        [Run(" auto", Ink.FLAG)] if entry and "a" in entry.flags else [],
        [GAP, Run("✗ canceled", Ink.CANCELED)] if entry and entry.note else [],
        [WIDE_GAP, *_changes(view)] if is_wide else [],
        [WIDE_GAP, Run(f"t{view.time_sum}")],
        [WIDE_GAP, Run(clock_time(view.time_ns))],
        [WIDE_GAP, Run(signed_duration(view.since_ns) + since, Ink.QUIET)] if view.since else [],
        [WIDE_GAP, Run(f"took {duration(view.duration_ns)}", Ink.QUIET)]
        if is_wide and view.duration_ns
        else [],
        [WIDE_GAP, Run(f"queue {view.queue_len}", Ink.QUIET)] if is_wide else [],
    ]


def _no_transition(view: TransitionView) -> list[Run]:
    head = [Run(" "), Run("tx 0", bold=True), Run(f"/{count(view.total)}", Ink.QUIET), GAP]
    if view.waits_on and not view.total:
        return [*head, Run(f"listening for connections on {view.waits_on}", Ink.QUIET)]
    text = "initial structure" if view.total else "no transitions yet"
    return [*head, Run(text, Ink.QUIET)]


def _mutation(name: str, multi: bool, width: int) -> list[Run]:
    if width < NARROW:
        sign = {"add": "+", "remove": "-", "set": "="}.get(name, "·")
        return [Run(f"{sign} ", _TYPE_INKS.get(name, Ink.QUIET), bold=True)]
    text = f"{name} [multi] " if multi else f"{name} "
    return [Run(text, _TYPE_INKS.get(name, Ink.QUIET))]


def _called(entry: Entry) -> list[Run]:
    names = " ".join(word.name for word in entry.called)
    return [Run(names or "nothing")]


def _changes(view: TransitionView) -> list[Run]:
    return [
        Run(f"+{view.added}", Ink.ADDED if view.added else Ink.QUIET),
        Run(" "),
        Run(f"-{view.removed}", Ink.REMOVED if view.removed else Ink.QUIET),
        Run(" "),
        Run(f"~{view.other}", Ink.QUIET),
    ]


def _next(view: TransitionView, width: int) -> list[Run]:
    if view.next is None or width < NARROW:
        return []
    names = " ".join(word.name for word in view.next.called)
    multi = " [multi]" if view.next_multi else ""
    return [
        Run("next  ", Ink.QUIET),
        Run(f"{view.next_type} ", Ink.QUIET),
        Run((names or "nothing") + multi, Ink.QUIET, link="action:next_transition"),
        Run(" "),
    ]


_STEP_INKS = {
    StepLook.SET: Ink.ADDED,
    StepLook.REMOVE: Ink.REMOVED,
    StepLook.HANDLER: Ink.HANDLER,
    StepLook.CANCEL: Ink.CANCELED,
    StepLook.RELATION: Ink.FLAG,
}
_OUTCOME_INKS = {"denied": Ink.CANCELED, "failed": Ink.ERROR, "accepted": Ink.ADDED}
DOTS_MAX = 16


def draw_steps(view: StepsView, width: int, *, lit: bool = False) -> Line:
    """Step counter, one dot per step, the current step, and those around it."""
    ink = Ink.PLACE if lit else Ink.PLAIN
    if not view.total:
        words = "no steps" if view.is_sent else f"no steps were sent; {HOW_TO_SEND_STEPS}"
        return line([Run(" "), Run("step 0/0", ink), GAP, Run(words, Ink.QUIET)], width)
    head = [
        Run(" "),
        Run(f"step {view.step}/{view.total}", ink, bold=True, underline=lit),
        GAP,
        *_dots(view),
        GAP,
    ]
    if view.current:
        head += _step_runs(view.current, short=width < NARROW)
    room = width - width_of_runs(head) - 4
    tail = _trail(view, room) if width >= NARROW else []
    return line(spread(head, tail, width), width)


def _dots(view: StepsView) -> list[Run]:
    if view.total > DOTS_MAX:
        done = DOTS_MAX * view.step // view.total
        marks = [("━", Ink.PLACE)] * done + [("─", Ink.LINE)] * (DOTS_MAX - done)
        return [
            Run(mark, ink, link=f"step:{max(1, view.total * place // DOTS_MAX)}")
            for place, (mark, ink) in enumerate(marks, 1)
        ]
    runs = []
    for number in range(1, view.total + 1):
        is_done = number <= view.step
        last_denied = view.is_canceled and number == view.total
        ink = Ink.CANCELED if last_denied else Ink.PLACE if is_done else Ink.QUIET
        if number > 1:
            runs.append(Run("─", Ink.PLACE if is_done else Ink.LINE))
        mark = "✗" if last_denied and is_done else "●" if is_done else "○"
        runs.append(Run(mark, ink, link=f"step:{number}"))
    return runs


def _step_runs(step: StepText, *, short: bool = False) -> list[Run]:
    runs: list[Run] = []
    if step.look is not StepLook.RELATION and not (short and step.look is StepLook.HANDLER):
        runs.append(Run(f"{step.look.value} ", Ink.QUIET))
    runs.append(Run(step.subject, _STEP_INKS.get(step.look, Ink.PLAIN)))
    if step.outcome:
        runs += [Run(" "), Run(step.outcome, _OUTCOME_INKS.get(step.outcome, Ink.QUIET))]
    return runs


def _trail(view: StepsView, room: int) -> list[Run]:
    """The neighbours of the current step, as many as fit around it."""
    chunks: list[list[Run]] = []
    for place, step in enumerate(view.texts):
        is_current = view.first + place == view.step
        name = "" if step.look is StepLook.RELATION else f"{step.look.value} "
        ink = Ink.PLAIN if is_current else Ink.QUIET
        text = f"{name}{step.subject}"
        chunks.append([Run(text, ink, bold=is_current, link=f"step:{view.first + place}")])
    low = high = max(0, view.step - view.first)
    if not chunks:
        return []
    low = high = min(low, len(chunks) - 1)
    used = width_of_runs(chunks[low]) + 1
    grown = True
    while grown:
        grown = False
        if high + 1 < len(chunks) and used + width_of_runs(chunks[high + 1]) + 3 <= room:
            high += 1
            used += width_of_runs(chunks[high]) + 3
            grown = True
        if low > 0 and used + width_of_runs(chunks[low - 1]) + 3 <= room:
            low -= 1
            used += width_of_runs(chunks[low]) + 3
            grown = True
    if used > room:
        return []
    runs: list[Run] = []
    for place in range(low, high + 1):
        if runs:
            runs.append(Run(" ▸ ", Ink.LINE))
        runs += chunks[place]
    return [*runs, Run(" ")]


def draw_tabs(view: TabsView, width: int) -> Line:
    """The panes of a narrow screen; the open one is underlined and has a mark."""
    runs: list[Run] = [Run(" ")]
    for name, title in view.tabs:
        is_open = name == view.open
        link = f"pane:{name}"
        runs += [
            Run("▸" if is_open else " ", Ink.PLACE),
            Run(
                title,
                Ink.PLACE if is_open else Ink.QUIET,
                bold=is_open,
                underline=is_open,
                link=link,
            ),
            Run("  "),
        ]
    return line(spread(runs, [Run(view.note, Ink.QUIET), Run(" ")], width), width)


def draw_rule(width: int) -> Line:
    """A thin line across the screen."""
    return line([Run("─" * width, Ink.LINE)], width)


def draw_filters(view: FilterBarView, width: int, *, lit: bool = False) -> Line:
    """The filters with their marks, then the search with its hits."""
    if view.is_typing:
        return line([Run(" "), *_hits(view)], width)
    runs: list[Run] = [Run(" ")]
    if width >= NARROW:
        runs += [
            Run("filters", Ink.PLACE if lit else Ink.QUIET, bold=lit, link="action:filters"),
            GAP,
        ]
    gap = GAP if width >= NARROW else Run(" ")
    for switch in view.switches:
        picked = lit and switch.name == view.selected
        ink = Ink.PLAIN if switch.is_on else Ink.QUIET
        value = f" {switch.value}" if switch.value else ""
        text = f"{switch.name}{value} {'✓' if switch.is_on else '·'}"
        link = f"action:{switch.action}"
        runs += [
            Run(text, Ink.PLACE if picked else ink, bold=picked, underline=picked, link=link),
            gap,
        ]
    if view.has_level:
        picked = lit and view.selected == LEVEL
        ink = Ink.PLACE if picked else Ink.PLAIN
        runs += [
            Run("level ", Ink.QUIET, link="action:level"),
            Run(view.level, ink, bold=picked, underline=picked, link="action:level"),
        ]
    if view.search:
        runs += [WIDE_GAP, *_search(view)]
    return line(runs, width)


def _search(view: FilterBarView) -> list[Run]:
    return [
        Run("/ ", Ink.QUIET),
        Run(view.search, Ink.CANCELED),
        *_hits(view),
        GAP,
        Run("n N", Ink.QUIET),
    ]


def _hits(view: FilterBarView) -> list[Run]:
    runs: list[Run] = []
    if view.hits >= 0:
        hits = "no hits" if not view.hits else counted(view.hits, "hit")
        which = f", {ordinal(view.hit)}" if view.hit else ""
        runs += [GAP, Run(hits + which, Ink.QUIET)]
    if view.where:
        runs += [GAP, Run(f"in {view.where}", Ink.QUIET)]
    return runs


def draw_footer(view: FooterView, width: int) -> Line:
    """Keys with what they do, as many as fit; a message takes their place."""
    if view.message:
        return line([Run(" "), Run(view.message, Ink.CANCELED)], width)
    extras = {"next_error": view.errors, "next_canceled": view.canceled}
    groups = [
        [
            Run(keys, Ink.PLACE, bold=True, link=f"action:{action}"),
            Run(f" {text}", Ink.QUIET, link=f"action:{action}"),
            Run(f" {extras[action]}" if extras.get(action) else "", Ink.QUIET),
        ]
        for keys, text, action in view.hints
    ]
    space = 3 if sum(width_of_runs(group) + 3 for group in groups) <= width else 2
    runs: list[Run] = [Run(" ")]
    for group in groups:
        if width_of_runs(runs) + width_of_runs(group) > width:
            break
        runs += [*group, Run(" " * space)]
    return line(runs, width)


def draw_status(view: StatusView, width: int) -> Line:
    """Where data comes from, on tall screens."""
    runs = [Run(" ")]
    if view.listening:
        runs += [Run("● ", Ink.ADDED), Run(f"listening on {view.listening}", Ink.QUIET)]
    else:
        runs += [Run("○ not listening", Ink.QUIET)]
    if view.live:
        runs += [WIDE_GAP, Run(f"{count(view.live)} live", Ink.QUIET)]
    if view.recorded:
        runs += [WIDE_GAP, Run(f"{count(view.recorded)} recorded", Ink.QUIET)]
    runs += [WIDE_GAP, Run(f"T {count(view.time_sum)}", Ink.QUIET)]
    if view.source:
        runs += [WIDE_GAP, Run(view.source, Ink.QUIET)]
    if view.progress:
        runs += [WIDE_GAP, Run(view.progress, Ink.PLACE)]
    if view.warning:
        runs += [WIDE_GAP, Run(view.warning, Ink.CANCELED)]
    return Line(tuple(fit(runs, width)))
