"""Reading and writing at a terminal that misbehaves."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import sys
from typing import Any, cast

import pytest
from textual.drivers.linux_driver import LinuxDriver

if sys.platform == "win32":
    pytest.skip("there are no Unix terminals", allow_module_level=True)

from am_dbg.views.terminal_driver import TerminalDriver, TerminalOutput


class Gone(io.StringIO):
    """A terminal that went away."""

    def write(self, text: str) -> int:
        raise OSError(5, "gone")


def test_writing_to_a_terminal_that_is_gone_is_no_error() -> None:
    """The screen ends in its own time; nobody waits for a writer that died."""
    output = TerminalOutput(Gone())

    assert output.write("x") == 1
    assert output.is_gone
    output.flush()


def test_what_is_written_arrives_while_the_terminal_is_there() -> None:
    """Nothing is held back."""
    file = io.StringIO()
    output = TerminalOutput(file)

    output.write("x")
    output.flush()

    assert (file.getvalue(), output.is_gone) == ("x", False)


def test_a_closed_file_is_a_terminal_that_is_gone() -> None:
    """Writing after the end is no error either."""
    file = io.StringIO()
    file.close()
    output = TerminalOutput(file)

    output.write("x")

    assert output.is_gone


async def test_of_two_changes_of_size_the_later_is_posted_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A second signal that comes while the size is read waits until the first was handled."""
    posted: list[tuple[int, int]] = []
    sizes = [(99, 29), (30, 8)]
    both = asyncio.Event()

    class App:
        def post_message(self, event: Any) -> None:
            posted.append(tuple(event.size))
            if len(posted) == 2:
                both.set()

    def read(_: TerminalDriver) -> tuple[int, int]:
        size = sizes.pop(0)
        if sizes:
            os.kill(os.getpid(), signal.SIGWINCH)
        return size

    monkeypatch.setattr(LinuxDriver, "start_application_mode", lambda _: None)
    monkeypatch.setattr(TerminalDriver, "_get_terminal_size", read)
    driver = cast(Any, TerminalDriver.__new__(TerminalDriver))
    driver._app, driver._in_band_window_resize = App(), False
    driver.start_application_mode()
    try:
        os.kill(os.getpid(), signal.SIGWINCH)
        await asyncio.wait_for(both.wait(), 30)
    finally:
        asyncio.get_running_loop().remove_signal_handler(signal.SIGWINCH)

    assert posted == [(99, 29), (30, 8)]
