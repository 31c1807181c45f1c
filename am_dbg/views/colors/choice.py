"""The theme and the depth of the screen, from the options of the user and the environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from am_dbg.errors import UnknownThemeError
from am_dbg.options import AUTO
from am_dbg.views.colors.background import answers, is_light_in
from am_dbg.views.colors.depth import ColorDepth, color_depth
from am_dbg.views.colors.themes import DARK, LIGHT, themes_at

_SHORT_NAMES = {"dark": DARK.name, "light": LIGHT.name}


@dataclass(frozen=True, slots=True)
class ColorChoice:
    """The name of the theme to start with, the depth, and whether to ask the terminal."""

    theme: str = DARK.name
    depth: ColorDepth = ColorDepth.TRUECOLOR
    asks_terminal: bool = False


def color_choice(theme: str, colors: str, environ: Mapping[str, str]) -> ColorChoice:
    """What `--theme` and `--colors` mean here.

    Raises `UnknownThemeError` if there is no theme of that name.
    """
    depth = color_depth(colors, environ)
    if theme == AUTO:
        name = LIGHT.name if is_light_in(environ) else DARK.name
        return ColorChoice(name, depth, asks_terminal=answers(environ))
    return ColorChoice(_theme_named(theme), depth)


def theme_names() -> list[str]:
    """All themes by name."""
    return [*_SHORT_NAMES, *(theme.name for theme in themes_at(ColorDepth.TRUECOLOR))]


def _theme_named(text: str) -> str:
    name = text.strip().lower()
    names = theme_names()
    if name not in names:
        raise UnknownThemeError(text, tuple(names), tuple(get_close_matches(name, names)))
    return _SHORT_NAMES.get(name, name)
