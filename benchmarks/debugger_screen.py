"""The debugger as a user runs it: a process of its own on a pseudo-terminal.

Times are those of the user. The program is started, or a key is pressed, and the time ends with
the last byte that the program writes before it is quiet. It is not asked anything, so a figure has
the drawing of the terminal's text in it, but not that of a terminal.
"""

from __future__ import annotations

import compileall
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import tempfile
import termios
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

WIDTH, HEIGHT = 120, 40
SETTLED_AFTER_S = 0.5
"""A screen that writes nothing for so long is settled."""
DRAWN_AFTER_S = 0.05
"""The same after a key."""
OPENED_S_MAX = 60.0
"""The longest wait for the first byte of a program."""
DRAWN_S_MAX = 10.0
"""The longest wait for the first byte after a key."""
LEFT, RIGHT = b"\x1b[D", b"\x1b[C"
JUMP_ON, JUMP_BACK = b"\x1b[1;2C", b"\x1b[1;2D"
UP, DOWN, ESCAPE, END = b"\x1b[A", b"\x1b[B", b"\x1b", b"\x1b[F"
ROOT = Path(__file__).parents[1]
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class ScreenDiedError(RuntimeError):
    """The program ended, or wrote nothing for a long time."""


class Screen:
    """A running debugger; `open_s` is from its start to the first settled screen.

    A screen is not settled before it has shown `shown`, however long the program writes nothing.
    """

    def __init__(self, *arguments: str, shown: str = "") -> None:
        self._arguments = arguments
        self._awaited = shown.encode()
        self._output = b""
        self.open_s = 0.0

    def __enter__(self) -> Self:
        self._home = tempfile.TemporaryDirectory()
        command = [sys.executable, "-m", "am_dbg", *self._arguments]
        environment = _environment(self._home.name)
        begin = time.perf_counter()
        self._pid, self._terminal = pty.fork()
        if not self._pid:
            os.chdir(ROOT)
            os.execve(command[0], command, environment)
        size = struct.pack("HHHH", HEIGHT, WIDTH, 0, 0)
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, size)
        try:
            self.open_s = self._quiet_at(SETTLED_AFTER_S, OPENED_S_MAX) - begin
        except ScreenDiedError:
            self._end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._end()

    def _end(self) -> None:
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self._terminal)
        self._home.cleanup()

    def press(self, key: bytes) -> float:
        """Seconds from a key to the last byte that it makes the program write."""
        begin = time.perf_counter()
        os.write(self._terminal, key)
        return self._quiet_at(DRAWN_AFTER_S, DRAWN_S_MAX) - begin

    def go_to_machines(self) -> None:
        """Let the list of machines have the keys; nothing is drawn if it has them already."""
        os.write(self._terminal, ESCAPE)
        self.settle()

    def presses(self, keys: Sequence[bytes]) -> list[float]:
        """The seconds of each of some keys."""
        return [self.press(key) for key in keys]

    def press_until(self, key: bytes, shown: bytes) -> float:
        """Seconds from a key to this text on the screen, while other things are drawn."""
        self._output = b""
        begin = time.perf_counter()
        os.write(self._terminal, key)
        while shown not in self._output:
            if not self._read(DRAWN_S_MAX):
                raise ScreenDiedError(self._output[-500:].decode(errors="replace"))
        return time.perf_counter() - begin

    def settle(self, seconds_max: float = OPENED_S_MAX, quiet_s: float = SETTLED_AFTER_S) -> float:
        """Take what is drawn until it is quiet, or for so long; seconds to the last byte."""
        begin = last = time.perf_counter()
        while (left_s := begin + seconds_max - time.perf_counter()) > 0:
            if not self._read(min(quiet_s, left_s)):
                break
            last = time.perf_counter()
        return last - begin

    def end(self, key: bytes) -> str:
        """Press a key until the program ends; its last words."""
        try:
            while True:
                os.write(self._terminal, key)
                self.settle()
        except (ScreenDiedError, OSError):
            return self._output.decode(errors="replace")

    def rss_mb(self) -> float:
        """Memory of the process, as the system counts it."""
        status = Path(f"/proc/{self._pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        return int(found[1]) / 1_000 if found else 0.0

    def cpu_s(self) -> float:
        """Seconds of processor that the process has used so far."""
        fields = Path(f"/proc/{self._pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S

    def _quiet_at(self, quiet_s: float, wait_s: float) -> float:
        """When the last byte came, once there was at least one and it is quiet."""
        if not self._read(wait_s):
            raise ScreenDiedError(self._output[-500:].decode(errors="replace"))
        last = time.perf_counter()
        while self._read(OPENED_S_MAX if self._awaited else quiet_s):
            last = time.perf_counter()
        if self._awaited:
            raise ScreenDiedError(f"{self._awaited.decode()} was never shown")
        return last

    def _read(self, wait_s: float) -> bool:
        """Take what is there; False if nothing comes."""
        if not select.select([self._terminal], [], [], wait_s)[0]:
            return False
        try:
            data = os.read(self._terminal, 65_536)
        except OSError:
            raise ScreenDiedError(self._output[-500:].decode(errors="replace")) from None
        written = self._output + data
        if self._awaited in written:
            self._awaited = b""
        self._output = written[-4_096:]
        return True


def compile_packages() -> None:
    """Write the bytecode of the debugger, which a user has from the second start on."""
    for package in ("machine", "amtracer", "am_dbg"):
        compileall.compile_dir(ROOT / package, quiet=1)


def _environment(home: str) -> dict[str, str]:
    """An environment in which no settings or state of the user count."""
    return {
        **os.environ,
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "PYTHONPATH": str(ROOT),
        "HOME": home,
        "XDG_CONFIG_HOME": home,
        "XDG_STATE_HOME": home,
    }
