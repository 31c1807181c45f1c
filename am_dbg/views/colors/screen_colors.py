"""Puts a depth of colours into effect on a Textual application.

Textual decides on its own what a terminal shows, and turns everything grey under `NO_COLOR`.
Here the depth decides: Textual's filter is removed and ours comes last.
"""

from __future__ import annotations

from typing import Any

from rich.color import ColorSystem
from textual.app import App
from textual.filter import ANSIToTruecolor, Monochrome, NoColor

from am_dbg.views.colors.depth import ColorDepth
from am_dbg.views.colors.line_filter import DepthFilter

STYLES = """
CommandPalette { background: $am-veil; color: $am-dialog-text; }
CommandPalette > Vertical { background: $am-dialog; }
CommandPalette #--input { border: none; height: 2; }
CommandPalette #--input SearchIcon { color: $am-dialog-quiet; }
CommandPalette > .command-palette--help-text { color: $am-list-quiet; text-style: none; }
CommandList > .option-list--option { color: $am-dialog-text; }
Input, Input:focus, OptionList, OptionList:focus { background-tint: transparent; }
Input { color: $am-input-text; }
Input > .input--placeholder, Input > .input--suggestion { color: $am-input-quiet; }
OptionList { color: $am-dialog-text; }
OptionList > .option-list--option-hover { background: $am-hover; color: $am-dialog-text; }
OptionList > .option-list--option-highlighted,
OptionList:focus > .option-list--option-highlighted {
    color: $block-cursor-foreground; background: $block-cursor-background; text-style: bold;
}
OptionList:nocolor > .option-list--option-highlighted,
Input:nocolor > .input--cursor, Input:nocolor > .input--selection { text-style: reverse; }
"""
"""Rules for Textual's widgets, with the variables of `Palette.css`."""

_SYSTEMS = {
    ColorDepth.TRUECOLOR: ColorSystem.TRUECOLOR,
    ColorDepth.INDEXED: ColorSystem.EIGHT_BIT,
    ColorDepth.BASIC: ColorSystem.STANDARD,
    ColorDepth.NONE: ColorSystem.STANDARD,
}


_FILTERS_OF_TEXTUAL = (Monochrome, NoColor)
_FILTERS_FOR_TRUECOLOR = (ANSIToTruecolor,)
"""They turn numbers back into colours of their own choice, behind a dialog for example."""


def use_depth(app: App[Any], depth: ColorDepth) -> None:
    """Let an application draw with the colours of a depth, whatever the environment says."""
    is_full = depth is ColorDepth.TRUECOLOR
    unwanted = _FILTERS_OF_TEXTUAL if is_full else (*_FILTERS_OF_TEXTUAL, *_FILTERS_FOR_TRUECOLOR)
    app.no_color = depth is ColorDepth.NONE
    app._filters = [one for one in app._filters if not isinstance(one, unwanted)]
    if not is_full:
        app._filters.append(DepthFilter(depth))
    app.console._color_system = _SYSTEMS[depth]
