"""Rows of the detail view: texts from other programs as spans, whole and not yet broken."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from am_dbg.projection.clean import clean_text_rows
from am_dbg.projection.text.quoted import unquoted
from am_dbg.projection.text.traces import RowOf, TraceRow, is_trace, read_trace
from am_dbg.spans import Role, Span

_TRACE_ROLES = {
    RowOf.TEXT: (Role.QUIET, False),
    RowOf.ERROR: (Role.ERROR, True),
    RowOf.OWN: (Role.PLAIN, True),
    RowOf.LIBRARY: (Role.QUIET, False),
}


@dataclass(frozen=True, slots=True)
class DetailRow:
    """One row as it was written; where it is broken, the rest is indented by `indent`.

    `path` is the index of the span that is cut from the left if the row does not fit, -1 for
    none.
    """

    spans: tuple[Span, ...] = ()
    indent: int = 0
    path: int = -1

    @property
    def text(self) -> str:
        """The row as plain text."""
        return "".join(span.text for span in self.spans)


BLANK_ROW = DetailRow()


def heading(text: str) -> DetailRow:
    """A row above others."""
    return DetailRow((Span(text, Role.FOCUS, bold=True),))


def quiet(text: str) -> DetailRow:
    """A remark of the debugger."""
    return DetailRow((Span(text, Role.QUIET),))


def text_rows(rows: Sequence[str], first: Sequence[Span] = (), indent: int = 0) -> list[DetailRow]:
    """Rows of one text; the first one stands behind some spans, the others are indented as far."""
    if is_trace(rows):
        made = [_trace_row(row, indent) for row in read_trace(rows)]
    else:
        margin = (Span(" " * indent),) if indent else ()
        made = [DetailRow((*margin, Span(row)), indent) for row in rows]
    if first and made:
        made[0] = DetailRow((*first, *made[0].spans[bool(indent) :]), indent)
    return made


def trace_rows(rows: Sequence[str], indent: int = 0) -> list[DetailRow]:
    """The rows of a stack trace: own frames bright, those of libraries dim."""
    return [_trace_row(row, indent) for row in read_trace(rows)]


def _trace_row(row: TraceRow, indent: int) -> DetailRow:
    role, bold = _TRACE_ROLES[row.owner]
    margin = (Span(" " * indent),) if indent else ()
    pieces = tuple(Span(text, role, bold) for text in (row.before, row.path, row.after))
    kept = pieces if row.path else pieces[:1]
    inner = len(row.before) - len(row.before.lstrip(" "))
    return DetailRow((*margin, *kept), indent + inner + 2, len(margin) + 1 if row.path else -1)


def value_rows(value: str) -> list[str]:
    """The rows of an argument; a text of several rows is shown without its quotes."""
    return clean_text_rows(unquoted(value))


def joined(blocks: Sequence[Sequence[DetailRow]]) -> Iterator[DetailRow]:
    """Blocks with an empty row between them."""
    is_first = True
    for block in blocks:
        if block and not is_first:
            yield BLANK_ROW
        is_first = is_first and not block
        yield from block
