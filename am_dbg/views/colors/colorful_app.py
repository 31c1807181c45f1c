"""The base of our applications: their theme and their depth of colours are a choice.

Textual decides on its own what a terminal shows, and turns everything grey under `NO_COLOR`.
Here the choice decides: Textual's filter is removed and ours comes last. If the choice depends
on the ground of the terminal, the theme changes when the terminal has answered.
"""

from __future__ import annotations

from typing import Any

from rich.color import ColorSystem
from textual import on
from textual.app import App, ReturnType
from textual.driver import Driver
from textual.filter import ANSIToTruecolor, Monochrome, NoColor

from am_dbg.views.colors.choice import ColorChoice
from am_dbg.views.colors.depth import ColorDepth
from am_dbg.views.colors.line_filter import DepthFilter
from am_dbg.views.colors.themes import DARK, LIGHT, themes_at
from am_dbg.views.messages import GroundReported
from am_dbg.views.theme import palette_of

STYLES = """
CommandPalette { background: transparent; color: $am-dialog-text; }
CommandPalette > Vertical { background: $am-dialog; }
CommandPalette #--input { border: none; height: 2; }
CommandPalette #--input SearchIcon { color: $am-dialog-quiet; }
CommandPalette > .command-palette--help-text { color: $am-list-quiet; text-style: none; }
CommandList { border-bottom: none; }
CommandList > .option-list--option { color: $am-dialog-text; }
Input, Input:focus, OptionList, OptionList:focus { background-tint: transparent; }
Input { color: $am-input-text; }
Input > .input--placeholder, Input > .input--suggestion { color: $am-input-quiet; }
OptionList { color: $am-dialog-text; }
OptionList > .option-list--option-disabled { color: $am-dialog-quiet; }
OptionList > .option-list--option-hover { background: $am-hover; color: $am-dialog-text; }
OptionList > .option-list--option-highlighted,
OptionList:focus > .option-list--option-highlighted {
    color: $block-cursor-foreground; background: $block-cursor-background; text-style: bold;
}
Input:nocolor > .input--cursor, Input:nocolor > .input--selection { text-style: reverse; }
"""
"""Rules for Textual's widgets, with the variables of `Palette.css`.

The panes behind a dialog are not dimmed: they can be read while it is open.
"""

_SYSTEMS = {
    ColorDepth.TRUECOLOR: ColorSystem.TRUECOLOR,
    ColorDepth.INDEXED: ColorSystem.EIGHT_BIT,
    ColorDepth.BASIC: ColorSystem.STANDARD,
    ColorDepth.NONE: ColorSystem.STANDARD,
}


_FILTERS_OF_TEXTUAL = (Monochrome, NoColor)
_FILTERS_FOR_TRUECOLOR = (ANSIToTruecolor,)
"""They turn numbers back into colours of their own choice, behind a dialog for example."""


class ColorfulApp(App[ReturnType], inherit_bindings=False):
    """An application that draws with the colours of a choice."""

    CSS = STYLES

    def __init__(self, colors: ColorChoice | None, driver_class: type[Driver] | None) -> None:
        super().__init__(driver_class=driver_class)
        self.color_choice = colors or ColorChoice()
        for theme in themes_at(self.color_choice.depth):
            self.register_theme(theme)
        _use_depth(self, self.color_choice.depth)

    def start_theme(self) -> None:
        """Use the theme of the choice, once the application runs."""
        self.theme = self.color_choice.theme

    def get_css_variables(self) -> dict[str, str]:
        """The variables of the theme, with readable colours for dialogs."""
        return {**super().get_css_variables(), **palette_of(self.current_theme).css()}

    @property
    def asks_terminal(self) -> bool:
        """Whether the driver has to ask the terminal for its ground."""
        return self.color_choice.asks_terminal

    @on(GroundReported)
    def _ground_reported(self, message: GroundReported) -> None:
        """Use the theme that fits the terminal, unless the user chose one in the meantime."""
        if self.theme == self.color_choice.theme:
            self.theme = (LIGHT if message.is_light else DARK).name


def _use_depth(app: App[Any], depth: ColorDepth) -> None:
    """Let an application draw with the colours of a depth, whatever the environment says."""
    is_full = depth is ColorDepth.TRUECOLOR
    unwanted = _FILTERS_OF_TEXTUAL if is_full else (*_FILTERS_OF_TEXTUAL, *_FILTERS_FOR_TRUECOLOR)
    app.no_color = depth is ColorDepth.NONE
    app._filters = [one for one in app._filters if not isinstance(one, unwanted)]
    if not is_full:
        app._filters.append(DepthFilter(depth))
    app.console._color_system = _SYSTEMS[depth]
