"""Draws two sessions side by side: machines, both histories, both reasons, the keys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from am_dbg.drawing.frame import SIDES, framed
from am_dbg.drawing.help import explained
from am_dbg.drawing.log import KIND_ROLES, entry_words
from am_dbg.projection.comparison.view import (
    ComparedMachine,
    ComparedRow,
    ComparisonView,
    SideView,
)
from am_dbg.projection.log.entries import TransitionEntry
from am_dbg.projection.times import count, counted, totals
from am_dbg.query.alignment import BlockKind
from am_dbg.spans import (
    BLANK,
    CURSOR_MARK,
    SPACE,
    WIDE_GAP,
    LineRole,
    Role,
    Span,
    SpanLine,
    line,
    right,
    spread,
    width_of,
    width_of_spans,
    wrap,
)

HELP_KEYS_WIDTH = 12
_MARKS = {
    BlockKind.SAME: Span(" "),
    BlockKind.CHANGED: Span("≠", Role.CANCELED, bold=True),
    BlockKind.OTHER: Span("*", Role.CANCELED, bold=True),
    BlockKind.REST: Span("?", Role.QUIET),
}


def draw_header(view: ComparisonView, width: int) -> SpanLine:
    """The two files at the left, how many machines differ at the right."""
    tail = _differing(view)
    room = width - width_of_spans(tail) - 1
    head = _files(view, totals_too=True, folders_too=True)
    if width_of_spans(head) > room:
        head = _files(view, totals_too=False, folders_too=True)
    if width_of_spans(head) > room:
        head = _files(view, totals_too=False, folders_too=False)
    return line(spread(head, tail, width), width)


def _files(view: ComparisonView, *, totals_too: bool, folders_too: bool) -> list[Span]:
    spans = [Span(" am-dbg diff", bold=True)] if folders_too else []
    for side in view.sides:
        file = side.file if folders_too else side.file.rpartition("/")[2]
        spans += [WIDE_GAP, Span(side.label, Role.FOCUS, bold=True), Span(f" {file}")]
        if totals_too:
            spans.append(Span(f"  {totals(side.machines, side.transitions)}", Role.QUIET))
    return spans


def _differing(view: ComparisonView) -> list[Span]:
    words = f"{counted(view.differing, 'machine')} differ{'s' * (view.differing == 1)} "
    return [Span(words, Role.CANCELED if view.differing else Role.ADDED)]


def draw_machine_list(view: ComparisonView, width: int, height: int) -> list[SpanLine]:
    """The machines in a frame, those that differ first; the selected one stays in sight."""
    inner = width - SIDES
    rows = [_machine(machine, inner) for machine in view.machines]
    current = next((at for at, one in enumerate(view.machines) if one.is_current), 0)
    top = max(0, min(current - (height - SIDES) // 2, len(rows) - (height - SIDES)))
    note = count(len(view.machines))
    return framed(rows[top:], "Machines", note, width, height, lit=False)


def _machine(machine: ComparedMachine, width: int) -> SpanLine:
    differs = machine.places or not machine.has_same_schema
    if machine.only:
        tail = Span(f"only {machine.only} ", Role.CANCELED)
    elif machine.places:
        tail = Span(f"≠ {count(machine.places)} ", Role.CANCELED)
    else:
        tail = Span("schema " if differs else "same ", Role.CANCELED if differs else Role.QUIET)
    name = Span(
        machine.name,
        Role.PLAIN if differs or machine.only else Role.QUIET,
        bold=machine.is_current,
    )
    head = [CURSOR_MARK if machine.is_current else SPACE, name]
    role = LineRole.MARKED if machine.is_current else LineRole.PLAIN
    return line(spread(head, [tail], width), width, role)


def draw_columns(view: ComparisonView, width: int, height: int) -> list[SpanLine]:
    """Both histories in frames; equal transitions are quiet."""
    first = width // 2
    columns = []
    for at, size in enumerate((first, width - first)):
        side = view.sides[at]
        title = f"{side.label} · {side.machine or side.file}"
        note = f"{side.schema}{count(side.count)} tx" if side.machine else ""
        digits = len(str(max((one.number for one in entries_of(view, at)), default=1)))
        rows = [_row(row, at, digits, size - SIDES) for row in view.rows]
        columns.append(framed(rows, title, note, size, height, lit=side.is_chosen))
    return beside(*columns)


def entries_of(view: ComparisonView, side: int) -> Iterator[TransitionEntry]:
    """The entries of a side that are on show."""
    for row in view.rows:
        entry = row.sides[side]
        if entry is not None:
            yield entry


def _row(row: ComparedRow, side: int, digits: int, width: int) -> SpanLine:
    role = LineRole.CURSOR if row.is_current else LineRole.PLAIN
    mark = CURSOR_MARK if row.is_current else SPACE
    entry = row.sides[side]
    if entry is None:
        return line([mark, SPACE, Span(right("·", digits + 1), Role.QUIET)], width, role)
    spans = [
        Span(right(str(entry.number), digits + 1), Role.QUIET),
        SPACE,
        *_entry(entry, bold=row.is_current),
    ]
    if row.kind is BlockKind.SAME:
        spans = [span._replace(role=Role.QUIET, bold=False) for span in spans]
    return line([mark, _MARKS[row.kind], *spans], width, role)


def _entry(entry: TransitionEntry, *, bold: bool) -> list[Span]:
    spans = [Span(entry.kind.value, KIND_ROLES[entry.kind], bold=True), SPACE]
    spans += entry_words(entry, bold=bold)
    for text in filter(None, (entry.note, entry.args)):
        spans += [Span("  "), Span(text, Role.QUIET)]
    return spans


def draw_moments(view: ComparisonView, width: int, height: int) -> list[SpanLine]:
    """The transition at the cursor on both sides: its address, its arguments, its reason."""
    first = width // 2
    boxes = []
    for side, size in zip(view.sides, (first, width - first), strict=True):
        rows = _moment(side, size - SIDES - 2)
        title = f"{side.label} · {side.address}" if side.address else f"{side.label} · nothing here"
        padded = [SpanLine((SPACE, *row.spans, SPACE)) for row in rows]
        boxes.append(framed(padded, title, "", size, height, lit=side.is_chosen))
    return beside(*boxes)


def _moment(side: SideView, width: int) -> list[SpanLine]:
    spans = [*side.why]
    rows = [line(row, width) for row in wrap(spans, width)] if spans else []
    if side.args:
        rows += [line(row, width) for row in wrap([Span(side.args, Role.QUIET)], width)]
    return rows


def draw_keys(view: ComparisonView, hints: Sequence[tuple[str, str]], width: int) -> SpanLine:
    """The keys, or a message in their place; help and quit are always at the right end."""
    *most, help_, quit_ = hints
    tail = [*_hint(help_), WIDE_GAP, *_hint(quit_), SPACE]
    if view.message:
        return line(spread([SPACE, Span(view.message, Role.CANCELED)], tail, width), width)
    head = [SPACE]
    room = width - width_of_spans(tail) - len(view.place) - 4
    for hint in most:
        spans = [*_hint(hint), WIDE_GAP]
        if width_of_spans([*head, *spans]) > room:
            break
        head += spans
    return line(spread(head, [Span(view.place, Role.QUIET), WIDE_GAP, *tail], width), width)


def _hint(hint: tuple[str, str]) -> list[Span]:
    sign, word = hint
    return [Span(sign, Role.FOCUS, bold=True), Span(f" {word}", Role.QUIET)]


def draw_comparison_help(rows: Sequence[tuple[str, str]], width: int) -> list[SpanLine]:
    """What each key does, and what the marks mean."""
    marks = (("≠", "the same call ended differently"), ("*", "only this session did this"))
    longest = max(width_of(text) for _, text in (*rows, *marks))
    room = min(width, HELP_KEYS_WIDTH + longest)
    lines: list[SpanLine] = []
    for role, listed in ((Role.FOCUS, rows), (Role.CANCELED, marks)):
        lines += [BLANK] * bool(lines)
        for sign, text in listed:
            lines += explained(Span(sign, role, bold=True), Span(text), HELP_KEYS_WIDTH, room)
    return lines


def beside(one: Sequence[SpanLine], other: Sequence[SpanLine]) -> list[SpanLine]:
    """Two blocks of lines of the same height next to each other."""
    return [
        SpanLine((*_with_edges(first), *_with_edges(second)), first.role)
        for first, second in zip(one, other, strict=True)
    ]


def _with_edges(row: SpanLine) -> tuple[Span, ...]:
    return (row.edge, *row.spans, row.edge) if row.edge else row.spans
