"""The terminal driver, made to survive what terminals really send.

After a detach or a reset some terminals report the mouse in an old form whose bytes are no
valid UTF-8, and a terminal that went away reads as empty for ever. Textual's own driver
dies of the first and spins on the second.
"""

from __future__ import annotations

import os
import re
import selectors
import sys
from codecs import getincrementaldecoder
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.driver import Driver

_OLD_MOUSE = re.compile(rb"\x1b\[M[\x20-\xff]{3}")
_READ_BYTES = 4096
_WAIT_S = 0.1


def without_old_mouse(data: bytes) -> bytes:
    """What was read, less the mouse reports of the old form."""
    return _OLD_MOUSE.sub(b"", data)


def driver_class() -> type[Driver] | None:
    """The driver for this system; Textual's own where ours does not apply."""
    if sys.platform == "win32":
        return None
    from textual._xterm_parser import XTermParser
    from textual.drivers.linux_driver import LinuxDriver

    class TolerantDriver(LinuxDriver):
        """Textual's driver with another way of reading."""

        def run_input_thread(self) -> None:
            """Read keys and mouse until told to stop or the terminal is gone."""
            parser = XTermParser(self._debug)
            decode = getincrementaldecoder("utf-8")(errors="replace").decode
            with selectors.DefaultSelector() as selector:
                selector.register(self.fileno, selectors.EVENT_READ)
                while not self.exit_event.is_set():
                    if selector.select(_WAIT_S):
                        data = self._read()
                        if not data:
                            self._app.call_from_thread(self._app.exit, return_code=129)
                            return
                        for message in parser.feed(decode(without_old_mouse(data))):
                            self.process_message(message)
                    for message in parser.tick():
                        self.process_message(message)

        def _read(self) -> bytes:
            """What was typed; nothing when the terminal went away."""
            try:
                return os.read(self.fileno, _READ_BYTES)
            except OSError:
                return b""

    return TolerantDriver
