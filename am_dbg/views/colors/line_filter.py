"""Turns the colours of everything on the screen into those that the terminal has.

Panes and Textual's own widgets draw with any colours. Textual's conversion to fewer colours
misses some of them by one, which costs contrast, so this filter does it with the same table
that the contrasts are computed from. Without colours, it leaves bold, underlined and reversed
text as the only emphasis; Textual's lists show their cursor by its ground alone, so that ground
is reversed.
"""

from __future__ import annotations

from functools import lru_cache

from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter

from am_dbg.views.colors.depth import ColorDepth
from am_dbg.views.colors.indexed import number_of
from am_dbg.views.colors.themes import REVERSED

_REVERSED = tuple(Color.parse(ground).rich_color for ground in REVERSED)


class DepthFilter(LineFilter):
    """Shows lines with the colours of a depth."""

    def __init__(self, depth: ColorDepth) -> None:
        super().__init__()
        self._depth = depth

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The segments with styles that the terminal can show."""
        return [
            segment
            if segment.style is None
            else Segment(segment.text, style_at(segment.style, self._depth), segment.control)
            for segment in segments
        ]


@lru_cache(maxsize=4096)
def style_at(style: Style, depth: ColorDepth) -> Style:
    """The style with the colours of a depth."""
    if depth is ColorDepth.NONE:
        is_reversed = style.bgcolor in _REVERSED
        return style.without_color + Style(reverse=True) if is_reversed else style.without_color
    color, ground = _numbered(style.color, depth), _numbered(style.bgcolor, depth)
    return style + Style.from_color(color, ground)


def _numbered(color: RichColor | None, depth: ColorDepth) -> RichColor | None:
    if color is None or color.triplet is None or depth is ColorDepth.TRUECOLOR:
        return color
    return RichColor.from_ansi(number_of(Color.from_rich_color(color), depth))
