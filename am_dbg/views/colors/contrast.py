"""Contrast of two colours, as the accessibility guidelines of the web (WCAG 2) define it.

The luminance of a colour is the light that it gives, between 0 (black) and 1 (white). The
contrast of two colours is the ratio of their luminances, each with a little stray light added:
1 for equal colours, 21 for black on white. Text needs 4.5. Graphics need 3. Lines that only
divide the screen carry no meaning, so they may be fainter.
"""

from __future__ import annotations

from functools import lru_cache

from textual.color import Color

CONTRAST_TEXT = 4.5
CONTRAST_GRAPHICS = 3.0
CONTRAST_LINES = 1.5

_STRAY_LIGHT = 0.05
_LINEAR_UP_TO = 0.04045


@lru_cache(maxsize=4096)
def luminance(color: Color) -> float:
    """How much light a colour gives."""
    red, green, blue = (_linear(part / 255) for part in color.rgb)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    if part <= _LINEAR_UP_TO:
        return part / 12.92
    return float(((part + 0.055) / 1.055) ** 2.4)


def contrast(first: Color, second: Color) -> float:
    """The ratio of the luminances of two colours, in any order."""
    low, high = sorted((luminance(first), luminance(second)))
    return (high + _STRAY_LIGHT) / (low + _STRAY_LIGHT)
