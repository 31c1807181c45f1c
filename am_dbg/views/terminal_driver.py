"""A terminal driver for Textual that survives bad input, lost terminals and signals.

Terminals send sequences that are no keys (`am_dbg.views.terminal_tokens`). Textual's own driver
types them or fails. A terminal that is gone returns empty reads for ever, fails every write
and sends an unexpected signal to go on. Textual's driver loops on the empty reads, and waits
for ever for a writer that is gone. If the second of two size signals comes while it reads the
size, it may report the first size last. In this driver, every signal that ends a process ends
the screen first, as long as the screen uses the terminal. If the application wants to know
whether the ground of the terminal is light, the driver asks before it reads the first key.
"""

from __future__ import annotations

import asyncio
import os
import selectors
import signal
import time
from collections.abc import Iterable
from functools import partial
from typing import IO, Any

from textual import events
from textual.drivers.linux_driver import LinuxDriver
from textual.geometry import Size
from textual.message import Message

from am_dbg.projection.faults import Failed, attempt
from am_dbg.views.colors.background import QUESTION
from am_dbg.views.exit_signals import end_on_signals
from am_dbg.views.terminal_events import InputReader

_READ_BYTES = 4096
_WAIT_S = 0.1


class TerminalOutput:
    """Writes to a terminal until it is gone, and drops everything after that."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self.is_gone = False

    def write(self, text: str) -> int:
        """Write; an error means that the terminal is gone."""
        if not self.is_gone:
            try:
                self._file.write(text)
            except (OSError, ValueError):
                self.is_gone = True
        return len(text)

    def flush(self) -> None:
        """Send what was written."""
        if not self.is_gone:
            try:
                self._file.flush()
            except (OSError, ValueError):
                self.is_gone = True

    def fileno(self) -> int:
        return self._file.fileno()


class TerminalDriver(LinuxDriver):
    """Textual's driver with its own way of reading, writing and resuming."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        assert self._file is not None
        self._file: Any = TerminalOutput(self._file)

    def start_application_mode(self) -> None:
        """Take the terminal; the loop handles signals one after another."""
        end_on_signals(lambda code: self._app.exit(return_code=code))
        super().start_application_mode()  # type: ignore[no-untyped-call]
        asyncio.get_running_loop().add_signal_handler(signal.SIGWINCH, self._resized)

    def _resized(self) -> None:
        if not self._in_band_window_resize:
            size = Size(*self._get_terminal_size())
            self._app.post_message(events.Resize(size, size))

    def _sigcont_application(self, *args: Any) -> None:
        """Resume after a suspension, and only then."""
        if self._must_signal_resume:
            super()._sigcont_application(*args)

    def run_input_thread(self) -> None:
        """Read keys and mouse until the driver stops or the terminal is gone."""
        reader = InputReader(debug=self._debug)
        if getattr(self._app, "asks_terminal", False):
            self.write(QUESTION)
            self.flush()
            reader.asked(time.monotonic())
        with selectors.DefaultSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                if selector.select(_WAIT_S):
                    data = self._read()
                    if not data:
                        self._lost()
                        return
                    self._process(reader.feed(data, time.monotonic()))
                self._process(reader.tick(time.monotonic()))

    def _process(self, messages: Iterable[Message]) -> None:
        for message in messages:
            done = attempt("an event of the terminal", partial(self.process_message, message))
            if isinstance(done, Failed):
                done.log()

    def _lost(self) -> None:
        """End the screen without waiting, because the end waits for this thread."""
        self._loop.call_soon_threadsafe(partial(self._app.exit, return_code=129))

    def _read(self) -> bytes:
        """Read what was typed; nothing when the terminal is gone."""
        try:
            return os.read(self.fileno, _READ_BYTES)
        except OSError:
            return b""
