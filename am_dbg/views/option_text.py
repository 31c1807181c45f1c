"""The text of an entry in a list: a line of spans in colours."""

from __future__ import annotations

from rich.style import Style
from rich.text import Text

from am_dbg.spans import LineRole, SpanLine
from am_dbg.views.theme import Palette


def option_text(row: SpanLine, palette: Palette, *, wraps: bool = False) -> Text:
    """A line in colours, without a background, so that the chosen row has one of its own.

    Its colours can be read on the ground of the cursor, which is nearer to them than that of
    the dialog. It wraps, or is cut where the list ends.
    """
    parts = [(span.text, _front(palette.style(span, LineRole.CURSOR))) for span in row.spans]
    if wraps:
        return Text.assemble(*parts)
    return Text.assemble(*parts, no_wrap=True, overflow="ellipsis")


def _front(style: Style) -> Style:
    return Style(color=style.color, bold=style.bold, underline=style.underline)
