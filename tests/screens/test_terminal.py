"""The debugger on a real terminal: what it leaves behind, and what it survives."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.color import Color

from am_dbg.views.colors.background import QUESTION
from am_dbg.views.colors.depth import ColorDepth
from am_dbg.views.colors.themes import LIGHT
from am_dbg.views.exit_signals import SIGNALS
from amtracer.files.session import SessionWriter
from amtracer.wire.messages import StateDef
from tests.screens.malformed import UNREADABLE
from tests.screens.stories import Story, files_story

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="there are no ptys"),
]

WAIT_S = 30.0
ALTERNATE_OFF, MOUSE_OFF, CURSOR_ON = b"\x1b[?1049l", b"\x1b[?1000l", b"\x1b[?25h"


class Terminal:
    """A program on a pty; `output` is everything it wrote.

    A `line` of bash may start it, as `$AM` with the arguments `$1`, `$2`.
    """

    def __init__(
        self, *arguments: str, line: str = "", size: tuple[int, int] = (100, 30), **env: str
    ) -> None:
        self.output = b""
        self.code: int | None = None
        program = [sys.executable, "-m", "am_dbg"]
        environment = {**os.environ, "TERM": "xterm-256color", "AM": " ".join(program), **env}
        command = ["/bin/bash", "-c", line, "bash"] if line else program
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.execve(command[0], [*command, *arguments], environment)
        self.resize(*size)

    def resize(self, width: int, height: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def type(self, data: bytes) -> None:
        os.write(self.master, data)

    def echoes(self) -> bool:
        """Whether the terminal shows what is typed, as it does for a shell."""
        return bool(termios.tcgetattr(self.master)[3] & termios.ECHO)

    def read(self, wait_s: float) -> bool:
        """Take what is there; False when the program closed its side or wrote nothing."""
        if not select.select([self.master], [], [], wait_s)[0]:
            return False
        try:
            data = os.read(self.master, 65_536)
        except OSError:
            return False
        self.output += data
        return bool(data)

    def until(self, wanted: bytes) -> None:
        """Read until something was written."""
        end = time.monotonic() + WAIT_S
        while wanted not in self.output:
            assert time.monotonic() < end, f"no {wanted!r} in {self.output[-2000:]!r}"
            self.read(0.2)

    def until_stopped(self) -> None:
        """Read until the program was stopped, and all it wrote before."""
        end = time.monotonic() + WAIT_S
        while not os.waitpid(self.pid, os.WNOHANG | os.WUNTRACED)[0]:
            assert time.monotonic() < end, "it does not stop"
            self.read(0.05)
        while self.read(0.05):
            pass

    def ended(self) -> int:
        """Read to the end and give the exit code."""
        end = time.monotonic() + WAIT_S
        while self.code is None:
            assert time.monotonic() < end, "it does not end"
            self.read(0.05)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.code = os.waitstatus_to_exitcode(status)
        while self.read(0.05):
            pass
        return self.code

    def close(self) -> None:
        if self.code is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.master)


def session_file(story: Story, folder: Path) -> str:
    path = folder / "run.msgpack.br"
    story.writer.flush()
    with SessionWriter(path) as writer:
        for message in story.messages:
            writer.write(message)
    return str(path)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """The debugger on the story, ready for keys."""
    opened = Terminal("-l", "-1", "-i", session_file(files_story(), tmp_path))
    try:
        opened.until(b"tx 14")
        yield opened
    finally:
        opened.close()


def test_quitting_restores_the_terminal(terminal: Terminal) -> None:
    """After q the screen, the mouse and the cursor are as they were."""
    terminal.type(b"q")

    assert terminal.ended() == 0
    assert all(code in terminal.output for code in (ALTERNATE_OFF, MOUSE_OFF, CURSOR_ON))


@pytest.mark.parametrize("name", [name for name in SIGNALS if hasattr(signal, name)])
def test_a_signal_restores_the_terminal(terminal: Terminal, name: str) -> None:
    """A signal ends it with the code shells expect, and nothing is left behind."""
    number = getattr(signal, name)
    assert not terminal.echoes()

    os.kill(terminal.pid, number)

    assert terminal.ended() == 128 + number
    assert all(code in terminal.output for code in (ALTERNATE_OFF, MOUSE_OFF, CURSOR_ON))
    assert terminal.echoes()


def test_no_signal_that_ends_a_process_is_forgotten() -> None:
    """Each signal is handled, or cannot be handled, or does not end a process."""
    harmless = {"SIGCHLD", "SIGCLD", "SIGCONT", "SIGURG", "SIGWINCH", "SIGPIPE", "SIGXFSZ"}
    stopping = {"SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU"}
    of_faults = {"SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL", "SIGKILL"}
    twice = {"SIGPOLL", "SIGIOT", "SIGINFO", "SIGEMT"}
    names = {n for n in dir(signal) if n.startswith("SIG") and n[3:4].isalpha()}
    known = {"SIG_DFL", "SIG_IGN", "SIGRTMIN", "SIGRTMAX"}

    assert names - known - harmless - stopping - of_faults - twice <= set(SIGNALS)


def test_a_suspension_gives_the_terminal_back_and_takes_it_again(terminal: Terminal) -> None:
    """While the program stands still the terminal is the shell's; then the screen goes on."""
    os.kill(terminal.pid, signal.SIGTSTP)
    terminal.until_stopped()
    assert all(code in terminal.output for code in (ALTERNATE_OFF, MOUSE_OFF, CURSOR_ON))
    assert terminal.echoes()

    terminal.output = b""
    os.kill(terminal.pid, signal.SIGCONT)
    terminal.until(b"tx 14")
    assert not terminal.echoes()
    terminal.type(b"q")

    assert terminal.ended() == 0


def test_what_cannot_be_read_ends_nothing_and_types_nothing(terminal: Terminal) -> None:
    """Malformed sequences on a real terminal are dropped, and keys between them arrive."""
    terminal.type(b"\x1b[H")
    terminal.until(b"tx 0")
    for number in range(1, 5):
        terminal.output = b""
        terminal.type(b"".join(UNREADABLE[number - 1 :: 4]) + b"\x1b[C")
        terminal.until(b"tx %d\x1b" % number)
    terminal.type(b"q")

    assert terminal.ended() == 0


def test_ctrl_c_quits(terminal: Terminal) -> None:
    """The key people know ends it too."""
    terminal.type(b"\x03")

    assert terminal.ended() == 0


def test_a_terminal_that_goes_away_ends_the_debugger(terminal: Terminal) -> None:
    """Nobody is left to see it; it does not go on without a terminal."""
    os.close(terminal.master)
    terminal.master = os.open(os.devnull, os.O_RDWR)

    assert terminal.ended() == 129


def test_mouse_reports_of_the_old_form_do_no_harm(terminal: Terminal) -> None:
    """Bytes that are no valid text are passed over; keys after them work."""
    terminal.type(b"\x1b[M \xa0\x82\xff\xfe" + b"\x1b[M#\xe9\xe9" + b"E")
    terminal.until(b"tx 13")
    terminal.type(b"q")

    assert terminal.ended() == 0


def test_a_pasted_megabyte_does_no_harm(terminal: Terminal) -> None:
    """A paste into the search is bounded, a paste elsewhere is ignored."""
    paste = b"\x1b[200~" + b"x" * 1_000_000 + b"\x1b[201~"
    for start in range(0, len(paste), 4_096):
        terminal.type(paste[start : start + 4_096])
        terminal.read(0)
    terminal.type(b"q")

    assert terminal.ended() == 0


def test_resizing_ends_with_the_right_layout(terminal: Terminal) -> None:
    """After many resizes the last one counts."""
    for step in range(40):
        terminal.resize(60 + step, 20 + step % 10)
        terminal.read(0.005)
    terminal.resize(30, 8)
    terminal.until(b"needs 40x10")
    terminal.resize(120, 40)
    terminal.until(b"listening")
    terminal.type(b"q")

    assert terminal.ended() == 0


def test_no_sequence_of_a_log_reaches_the_terminal(tmp_path: Path) -> None:
    """Clipboard, title and clearing sequences in names and lines are shown, not obeyed."""
    bad = "\x1b]52;c;aGk=\x07 \x1b[2J \x9b6n \x1b]0;t\x07"
    story = Story()
    teller = story.machine(f"m{bad}", (StateDef(f"A{bad}"),), tags=(bad,))
    teller.add(f"A{bad}", lines=((1, f"[error] {bad}"),), args=((bad, bad),))
    terminal = Terminal("-l", "-1", "-r", "-i", session_file(story, tmp_path), size=(140, 40))
    try:
        terminal.until(b"tx 1")
        for key in (b"m", b"m", b"m", b"b", b"'", b"\x1b", b"/", b"A", b"\r", b"q"):
            terminal.type(key)
            while terminal.read(0.3):
                pass
        assert terminal.ended() == 0
    finally:
        terminal.close()

    assert b"\x1b]52" not in terminal.output
    assert b"\x1b]0;t" not in terminal.output
    assert b"\x1b[2J \\x9b" not in terminal.output
    assert b"\\x1b[2J" in terminal.output


def test_a_terminal_with_a_light_ground_gets_the_light_theme(tmp_path: Path) -> None:
    """The screen asks the terminal for its ground, and the answer is no key."""
    path = session_file(files_story(), tmp_path)
    terminal = Terminal("-l", "-1", "-i", path, COLORTERM="truecolor", COLORFGBG="")
    try:
        terminal.until(QUESTION.encode())
        terminal.type(b"\x1b]11;rgb:ffff/ffff/f0f0\x1b\\")
        terminal.until(b"48;2;%d;%d;%d" % Color.parse(LIGHT.background or "").rgb)
        terminal.type(b"q")
        assert terminal.ended() == 0
    finally:
        terminal.close()


@pytest.mark.parametrize("depth", ColorDepth)
def test_the_terminal_gets_only_colours_that_it_has(depth: ColorDepth, tmp_path: Path) -> None:
    """No sequence of another depth is written, and none at all without colours."""
    path = session_file(files_story(), tmp_path)
    terminal = Terminal("-l", "-1", "-i", path, "--colors", depth.value)
    try:
        terminal.until(b"tx 14")
        terminal.type(b"q")
        assert terminal.ended() == 0
    finally:
        terminal.close()

    assert depths_in(terminal.output) == {depth} - {ColorDepth.NONE}


def depths_in(output: bytes) -> set[ColorDepth]:
    """The depths whose sequences an output has."""
    styles = b";" + b";".join(re.findall(rb"\x1b\[([\d;]*)m", output)) + b";"
    rest = re.sub(rb";[34]8;2(;\d+){3}(?=;)", b";truecolor", styles)
    rest = re.sub(rb";[34]8;5;\d+(?=;)", b";indexed", rest)
    patterns = {
        ColorDepth.TRUECOLOR: rb"truecolor",
        ColorDepth.INDEXED: rb"indexed",
        ColorDepth.BASIC: rb";(?:[349]\d|10[0-7])(?=;)",
    }
    return {depth for depth, pattern in patterns.items() if re.search(pattern, rest)}


def test_a_damaged_session_is_reported_and_its_good_part_shown(tmp_path: Path) -> None:
    """A session that is cut opens as far as it goes."""
    story = Story()
    teller = story.machine("busy")
    for number in range(6_000):
        teller.add("Ping", lines=((1, f"[extern] {number * number:x}"),))
        teller.remove("Ping")
    path = Path(session_file(story, tmp_path))
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 3 // 4])
    terminal = Terminal("-l", "-1", "-i", str(path), size=(200, 45))
    try:
        terminal.until(b"the rest is missing")
        terminal.until(b"busy")
        terminal.type(b"q")
        assert terminal.ended() == 0
    finally:
        terminal.close()
