"""What the user asks for becomes moves of the cursor and mutations of the modes."""

from am_dbg.control.control import Control
from am_dbg.control.effects import CopyText, Effect, OpenDialog, OpenPalette, Quit, Suspend
from am_dbg.control.looking import Look

__all__ = ["Control", "CopyText", "Effect", "Look", "OpenDialog", "OpenPalette", "Quit", "Suspend"]
