"""Debuggers that receive much data besides transitions stay near their memory limit."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from am_dbg.cli.exit_codes import Exit
from amtracer.wire.codec import encode, magic_frame
from amtracer.wire.messages import (
    BatchMessage,
    DroppedMessage,
    MachineMessage,
    Message,
    Run,
    SchemaMessage,
    Shape,
    ShapeMessage,
    StateDef,
    StringsMessage,
)
from tests.wire.serving import ROOT, WAIT_S
from tests.wire.streams import HELLO

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="no /proc here"),
]

RSS_MB_MAX = 250
LIMIT_MB = 50
ROUNDS = 120
"""Each round of an attack is about a megabyte, much more of it once it is in memory."""
MULTI = (StateDef("A", multi=True),)
OPENING = (SchemaMessage(0, MULTI), MachineMessage(0, "m", 0, ticks=(1,), tx_prefix="p"))

Send = Callable[..., None]


def facts(rounds: int) -> Iterator[tuple[int, list[Message]]]:
    for number in range(rounds):
        facts = {f"{number} {at}": "v" * 60_000 for at in range(16)}
        yield number, [replace(HELLO, session=f"s{number}", process=facts), *OPENING]


def schemas(rounds: int) -> Iterator[tuple[int, list[Message]]]:
    yield 0, [HELLO]
    for number in range(rounds):
        states = tuple(StateDef(f"{number} {at} {'x' * 150}") for at in range(4_000))
        yield 0, [SchemaMessage(number, states)]


def breaks(rounds: int) -> Iterator[tuple[int, list[Message]]]:
    yield 0, [HELLO, *OPENING, ShapeMessage(0, 0, Shape(0, (0,), 1, ((0, 2),)))]
    for number in range(16 * rounds):
        row = BatchMessage(runs=(Run(0, 2 * number, 1),), shapes=(0,), times=(number,))
        yield 0, [row, DroppedMessage(0, 1, (1,), f"{number} " + "r" * 60_000)]


def segments(rounds: int) -> Iterator[tuple[int, list[Message]]]:
    for number in range(rounds):
        texts = tuple(f"{number} {at} " + "t" * 60_000 for at in range(16))
        yield number, [replace(HELLO, session=f"s{number}"), *OPENING, StringsMessage(0, texts)]


def attacked(port: int, attack: Callable[[int], Iterator[tuple[int, list[Message]]]]) -> None:
    """Send everything; what follows a refusal is not read."""
    peers: dict[int, socket.socket] = {}
    try:
        for number, messages in attack(ROUNDS):
            peer, start = peers.get(number), b""
            if peer is None:
                peer = peers[number] = socket.create_connection(("127.0.0.1", port), WAIT_S)
                start = magic_frame()
            try:
                peer.sendall(start + b"".join(map(encode, messages)))
            except ConnectionError:
                continue
    finally:
        for peer in peers.values():
            peer.close()


def peak_mb(pid: int) -> int:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1]) // 1_000


def is_listening(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


@pytest.fixture
def port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


ATTACKS = [facts, schemas, breaks, segments]


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_recording_stays_near_its_memory_limit(
    attack: Callable[[int], Iterator[tuple[int, list[Message]]]], tmp_path: Path
) -> None:
    """Whatever it receives; at the end its file is whole."""
    out = tmp_path / "out.msgpack.br"
    command = [sys.executable, "-m", "am_dbg", "record", str(out), "-l", ":0"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [*command, "--max-mem", str(LIMIT_MB)], stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stderr is not None
        found = re.search(r"listening at \S+:(\d+),", process.stderr.readline())
        assert found
        attacked(int(found[1]), attack)
        peak = peak_mb(process.pid)
        process.send_signal(signal.SIGINT)
        _, words = process.communicate(timeout=WAIT_S)

    assert peak < RSS_MB_MAX
    assert process.returncode == 0
    assert len(words.splitlines()) < 30
    listed = [sys.executable, "-m", "am_dbg", "list", str(out)]
    assert subprocess.run(listed, env=environment, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_screen_stays_near_its_memory_limit(
    attack: Callable[[int], Iterator[tuple[int, list[Message]]]], port: int
) -> None:
    """Whatever it receives, and it still ends when it is terminated."""
    arguments = ["-m", "am_dbg", "-l", f"127.0.0.1:{port}", "--max-mem", str(LIMIT_MB)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color"}
    pid, master = pty.fork()
    if pid == 0:
        os.execve(sys.executable, [sys.executable, *arguments], environment)
    over = threading.Event()

    def read() -> None:
        while not over.is_set():
            if select.select([master], [], [], 0.1)[0]:
                try:
                    os.read(master, 65_536)
                except OSError:
                    return

    reader = threading.Thread(target=read)
    reader.start()
    try:
        while not is_listening(port):
            assert os.waitpid(pid, os.WNOHANG)[0] == 0
        attacked(port, attack)
        peak = peak_mb(pid)
        os.kill(pid, signal.SIGTERM)
        _, status = os.waitpid(pid, 0)
    finally:
        over.set()
        reader.join()
        os.close(master)

    assert peak < RSS_MB_MAX
    assert os.waitstatus_to_exitcode(status) == Exit.TERMINATED
