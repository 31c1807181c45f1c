"""A line to type in, from which a pasted address goes to the application."""

from __future__ import annotations

from textual import events
from textual.widgets import Input

from am_dbg.projection.addresses.pasted import pasted_address


class TypedLine(Input):
    """An input without blinking; an address that is pasted is not typed but gone to."""

    cursor_blink = False

    def _on_paste(self, event: events.Paste) -> None:
        """Leave an address to the application; Textual then types other texts."""
        if pasted_address(event.text):
            event.prevent_default()
