"""Actions of the user: they move the cursor and mutate the machine of the modes."""

from am_dbg.control.control import Control
from am_dbg.control.effects import CopyText, Effect, OpenDialog, OpenPalette, Quit, Suspend
from am_dbg.control.screen_projector import Look

__all__ = ["Control", "CopyText", "Effect", "Look", "OpenDialog", "OpenPalette", "Quit", "Suspend"]
