"""The colours that terminals show by number: 256 that are the same everywhere, and 16 that are not.

The numbers from 16 on have fixed colours: a cube of 6x6x6 and 24 greys. What the first 16 look
like is up to the terminal. VGA and xterm, whose tables most terminals follow, differ so much
that a pair of colours can be readable in one and not in the other. So a pair of the 16 counts
only with the lower of its two contrasts. Themes write the 16 as VGA shows them.

`readable` moves a colour towards a stronger one until it can be read on its ground. It never
leaves the colours of the depth, so what was computed is what the terminal shows.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from textual.color import Color

from am_dbg.views.colors.contrast import contrast
from am_dbg.views.colors.depth import ColorDepth

_CUBE_LEVELS = (0, 95, 135, 175, 215, 255)
_BLEND_STEPS = 10

VGA = tuple(
    Color(red, green, blue)
    for red, green, blue in (
        *((0, 0, 0), (170, 0, 0), (0, 170, 0), (170, 85, 0)),
        *((0, 0, 170), (170, 0, 170), (0, 170, 170), (170, 170, 170)),
        *((85, 85, 85), (255, 85, 85), (85, 255, 85), (255, 255, 85)),
        *((85, 85, 255), (255, 85, 255), (85, 255, 255), (255, 255, 255)),
    )
)
XTERM = tuple(
    Color(red, green, blue)
    for red, green, blue in (
        *((0, 0, 0), (205, 0, 0), (0, 205, 0), (205, 205, 0)),
        *((0, 0, 238), (205, 0, 205), (0, 205, 205), (229, 229, 229)),
        *((127, 127, 127), (255, 0, 0), (0, 255, 0), (255, 255, 0)),
        *((92, 92, 255), (255, 0, 255), (0, 255, 255), (255, 255, 255)),
    )
)
FIXED = (
    *(Color(r, g, b) for r in _CUBE_LEVELS for g in _CUBE_LEVELS for b in _CUBE_LEVELS),
    *(Color(level, level, level) for level in range(8, 248, 10)),
)
"""The colours of the numbers from `FIXED_FIRST` on."""
FIXED_FIRST = 16
BLACK, WHITE = Color(0, 0, 0), Color(255, 255, 255)


_TABLES = {
    ColorDepth.INDEXED: ([color.rgb for color in FIXED], FIXED_FIRST),
    ColorDepth.BASIC: ([color.rgb for color in VGA], 0),
}


@lru_cache(maxsize=4096)
def number_of(color: Color, depth: ColorDepth) -> int:
    """The number of the nearest colour at a depth that has numbers.

    The eye sees green best and blue least, so differences of colours have weights. A start looks
    up hundreds of colours, so this is one pass over plain numbers.
    """
    table, first = _TABLES[depth]
    red, green, blue = color.rgb
    distances = [
        (2 + (red + r) / 512) * (red - r) ** 2
        + 4 * (green - g) ** 2
        + (3 - (red + r) / 512) * (blue - b) ** 2
        for r, g, b in table
    ]
    return first + distances.index(min(distances))


def nearest(color: Color, depth: ColorDepth) -> Color:
    """The nearest colour that a depth has."""
    if depth is ColorDepth.INDEXED:
        return FIXED[number_of(color, depth) - FIXED_FIRST]
    return VGA[number_of(color, depth)] if depth is ColorDepth.BASIC else color


def contrast_at(first: Color, second: Color, depth: ColorDepth) -> float:
    """The contrast of two colours of a depth, on every terminal."""
    if depth is not ColorDepth.BASIC:
        return contrast(first, second)
    one, other = number_of(first, depth), number_of(second, depth)
    return min(contrast(table[one], table[other]) for table in (VGA, XTERM))


def readable(color: Color, ground: Color, strong: Color, depth: ColorDepth, least: float) -> Color:
    """The colour, as much stronger as it has to be for a contrast of `least` on the ground."""
    end = max(BLACK, WHITE, key=lambda one: contrast_at(one, ground, depth))
    for candidate in _stronger(nearest(color, depth), (strong, end), depth):
        if contrast_at(candidate, ground, depth) >= least:
            return candidate
    return end


def _stronger(color: Color, ends: tuple[Color, Color], depth: ColorDepth) -> Iterator[Color]:
    """The colour, then what lies between it and each of the ends."""
    yield color
    for end in ends:
        if depth is ColorDepth.BASIC:  # what lies between two of the 16 is another hue
            yield nearest(end, depth)
            continue
        for step in range(1, _BLEND_STEPS + 1):
            yield nearest(color.blend(end, step / _BLEND_STEPS), depth)
