"""How the user arranges the screen: zoom, widths of panes, speed of playing."""

from __future__ import annotations

from dataclasses import dataclass

from am_dbg.control.modes import Modes
from am_dbg.control.workspace import Workspace
from am_dbg.drawing.layout import Pane
from am_dbg.drawing.resizing import Border, dragged, resized

WIDTH_STEP = 4
"""The columns that a key changes the width of a pane by."""


@dataclass(eq=False, slots=True)
class Arrangement:
    """Changes the sizes of panes; data and cursor stay as they are."""

    workspace: Workspace
    modes: Modes

    def zoom(self) -> None:
        """Give the focused pane all room, or end that."""
        self.workspace.is_zoomed = not self.workspace.is_zoomed

    def wider(self) -> None:
        """Make the focused pane wider."""
        self._resize(WIDTH_STEP)

    def narrower(self) -> None:
        """Make the focused pane narrower."""
        self._resize(-WIDTH_STEP)

    def _resize(self, by: int) -> None:
        layout, focus = self.workspace.layout, self._focus()
        if layout.is_narrow or self.workspace.is_zoomed:
            self.workspace.message = "one pane has all the width here"
            return
        sizes = resized(layout, self.workspace.sizes, focus, by)
        if sizes == self.workspace.sizes:
            self.workspace.message = f"this is the {'widest' if by > 0 else 'narrowest'} it gets"
        self.workspace.sizes = sizes

    def _focus(self) -> Pane:
        return self.workspace.visible_focus(self.modes.focus, self.modes.main)

    def drag(self, border: Border, x: int, y: int) -> None:
        """Move a border between panes to a place of the screen."""
        self.workspace.sizes = dragged(self.workspace.layout, self.workspace.sizes, border, x, y)

    def faster(self) -> None:
        """Play faster."""
        self._change_speed(1)

    def slower(self) -> None:
        """Play slower."""
        self._change_speed(-1)

    def _change_speed(self, by: int) -> None:
        before = self.workspace.play_speed
        self.workspace.play_speed = after = before.changed(by)
        is_end = "" if after != before else f", the {'fastest' if by > 0 else 'slowest'} there is"
        self.workspace.message = f"plays {after.text}{is_end}"
