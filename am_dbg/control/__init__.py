"""What views and the app use of control: `Control`, and the values that it takes and returns."""

from am_dbg.control.control import Control
from am_dbg.control.effects import (
    CopyText,
    DialogKind,
    Effect,
    OpenDialog,
    OpenPalette,
    Quit,
    Suspend,
)
from am_dbg.control.input_status import InputStatus
from am_dbg.control.screen_view import ScreenView
from am_dbg.control.search import SEARCH_CHARS_MAX
from am_dbg.control.session_export import ExportReport, ExportTarget
from am_dbg.control.start import StartOptions

__all__ = [
    "SEARCH_CHARS_MAX",
    "Control",
    "CopyText",
    "DialogKind",
    "Effect",
    "ExportReport",
    "ExportTarget",
    "InputStatus",
    "OpenDialog",
    "OpenPalette",
    "Quit",
    "ScreenView",
    "StartOptions",
    "Suspend",
]
