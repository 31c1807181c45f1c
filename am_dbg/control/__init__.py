"""What views and the app use of control: `Control`, and the values that it takes and returns."""

from am_dbg.control.control import Control
from am_dbg.control.effects import (
    CopyText,
    DialogKind,
    Effect,
    OpenDialog,
    Quit,
    Suspend,
    UseTheme,
)
from am_dbg.control.input_status import InputStatus
from am_dbg.control.palette.entries import PaletteEntry
from am_dbg.control.palette.ranking import NEEDLE_CHARS_MAX as PALETTE_CHARS_MAX
from am_dbg.control.palette.recent_files import keep_state, restore_state
from am_dbg.control.screen_view import ScreenView
from am_dbg.control.search import SEARCH_CHARS_MAX
from am_dbg.control.session_export import ExportReport, ExportTarget
from am_dbg.control.start import StartOptions

__all__ = [
    "PALETTE_CHARS_MAX",
    "SEARCH_CHARS_MAX",
    "Control",
    "CopyText",
    "DialogKind",
    "Effect",
    "ExportReport",
    "ExportTarget",
    "InputStatus",
    "OpenDialog",
    "PaletteEntry",
    "Quit",
    "ScreenView",
    "StartOptions",
    "Suspend",
    "UseTheme",
    "keep_state",
    "restore_state",
]
