"""The export dialog: asks for a name, and again before it replaces a file."""

from __future__ import annotations

import os
from collections.abc import Callable

from am_dbg.control import ExportTarget
from am_dbg.options import SESSION_ENDING
from am_dbg.projection.clean import clean
from am_dbg.views.dialogs import TextDialog

NAME_DEFAULT = f"am-dbg{SESSION_ENDING}"


class ExportDialog(TextDialog):
    """Asks for a name; an existing file is replaced only after a second Enter."""

    def __init__(self, target_of: Callable[[str], ExportTarget]) -> None:
        hint = (
            f"all machines, into {clean(os.getcwd())} if you give no path\n"
            "mach://ID or mach://ID/5-20 writes only that, to a file named after it"
        )
        super().__init__("Export", hint, NAME_DEFAULT, accept="write", check=self._why_not)
        self._target_of = target_of
        self._confirmed_path = ""

    def _why_not(self, value: str) -> str:
        """What is wrong with a name, empty for nothing; asks once about a file that exists."""
        target = self._target_of(value)
        if not target.trouble and target.exists and self._confirmed_path != target.path:
            self._confirmed_path = target.path
            return f"the file exists; ⏎ again replaces it: {clean(target.path)}"
        return target.trouble
