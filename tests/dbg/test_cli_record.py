"""A debugger without a screen that only records."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from am_dbg.cli.collect import collect, until_asked_to_end
from am_dbg.ingest.importing import import_session
from am_dbg.store import Store
from amtracer.address import listen_address
from amtracer.wire.codec import WIRE, encode, magic_frame
from tests.dbg.histories import HistoryPlayer

ROOT = Path(__file__).resolve().parents[2]


def test_everything_that_was_sent_is_in_the_file(tmp_path: Path) -> None:
    """All messages up to the end make a session."""
    player = HistoryPlayer("s")
    machine = player.enter(0)
    for at in range(20):
        player.transit(machine, (at % 8, at, at, at % 7, 4))
    player.writer.flush()
    path = tmp_path / "out.msgpack.br"
    addresses: list[str] = []

    def send() -> None:
        host, _, port = addresses[0].rpartition(":")
        with socket.create_connection((host, int(port))) as peer:
            frames = [encode(message, WIRE) for message in player.messages]
            peer.sendall(b"".join([magic_frame(WIRE), *frames]))
            peer.shutdown(socket.SHUT_WR)
            while peer.recv(1_024):
                continue

    written = collect(listen_address(":0"), str(path), send, addresses.append)

    assert written.transitions == 20
    assert import_session(Store(), str(path)) == 20


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupt_ends_the_recording_regularly(tmp_path: Path, number: int) -> None:
    """SIGINT, SIGTERM and a closed terminal end it with exit code 0."""
    path = tmp_path / "out.msgpack.br"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "am_dbg", "record", str(path), "-l", ":0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        found = re.search(r"listening at (\S+),", line)
        assert found, line
        process.send_signal(number)
        _, words = process.communicate(timeout=30)

    assert process.returncode == 0
    assert words.startswith(f"am-dbg: {path}: 0 machines, 0 transitions")
    assert import_session(Store(), str(path)) == 0


def test_a_recording_may_outlive_its_terminal() -> None:
    """A hangup that is ignored, as with `nohup`, stays ignored."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with until_asked_to_end():
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
