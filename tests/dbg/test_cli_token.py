"""Access: the token as an option and in the environment, and addresses that others reach."""

from __future__ import annotations

import logging
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from am_dbg import log_once as outages
from am_dbg.cli import collect as collecting
from am_dbg.cli import commands as cli
from am_dbg.cli.exit_codes import Exit
from am_dbg.egress.export import ExportResult
from am_dbg.ingest.importing import import_session
from am_dbg.ingest.intake import Intake
from am_dbg.ingest.listen import ListenError, notice_of
from am_dbg.store import Store
from am_dbg.store.packed.definitions import unpack_part_head
from amtracer.address import Address, listen_address
from amtracer.files.record_walk import MemoryBytes, Record, RecordWalk
from amtracer.files.records import RecordKind, content_of
from amtracer.wire.codec import encode, magic_frame
from tests.dbg.histories import HistoryPlayer, hello
from tests.wire.serving import Debugger

ROOT = Path(__file__).resolve().parents[2]
WAIT_S = 30

Asked = Callable[..., Any]


pytestmark = pytest.mark.usefixtures("log_as_before")


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Asked:
    """Runs a recording with these words; gives what it would ask programs for."""

    def ask(*words: str, env: str = "") -> bytes:
        asked: list[bytes] = []

        def collect(*_: object, token: bytes, **__: object) -> ExportResult:
            asked.append(token)
            return ExportResult(0, 0, 0)

        monkeypatch.setattr(collecting, "collect", collect)
        monkeypatch.setenv("AM_DBG_TOKEN", env)
        before = words.index("record") if "record" in words else 0
        rest = list(words[before + 1 :]) if "record" in words else list(words)
        out = str(tmp_path / "out.msgpack.br")
        assert cli.run([*words[:before], "record", out, *rest]) == Exit.DONE
        return asked[0]

    return ask


TABLE: dict[str, tuple[tuple[str, ...], str, bytes]] = {
    "nothing": ((), "", b""),
    "environment": ((), "env", b"env"),
    "option": (("--token", "given"), "", b"given"),
    "option and environment": (("--token", "given"), "env", b"given"),
    "option before the command": (("--token", "given", "record"), "", b"given"),
    "both options": (("--token", "first", "record", "--token", "second"), "env", b"second"),
    "an empty option": (("--token", ""), "env", b"env"),
    "white space": (("--token", " \t"), " \n", b""),
    "white space around it": ((), " env\n", b"env"),
    "beyond ASCII": (("--token", "Schlüssel"), "", "Schlüssel".encode()),
    "no text": ((), "\udcfe", b"\xfe"),
}


@pytest.mark.parametrize("case", TABLE)
def test_the_token_is_the_option_or_that_of_the_environment(recorded: Asked, case: str) -> None:
    """The option counts if both are given; white space alone counts as none."""
    words, env, token = TABLE[case]

    assert recorded(*words, env=env) == token


def test_the_screen_gets_the_token_and_never_shows_it(
    opened: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is an option like the others, but never printed."""
    monkeypatch.setenv("AM_DBG_TOKEN", "of-the-environment")
    by_env, by_option = opened(), opened("--token", "of-the-option")

    assert (by_env.token, by_option.token) == (b"of-the-environment", b"of-the-option")
    assert "of-the" not in repr((by_env, by_option))


@pytest.mark.parametrize("words", [(), ("record", "out.msgpack.br")])
@pytest.mark.parametrize("by_option", [True, False])
def test_a_token_that_is_too_long_is_refused(
    words: tuple[str, ...],
    by_option: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A debugger that should ask for a token never opens without one; no message shows it."""
    if by_option:
        words = ("--token", "x" * 1_025, *words)
    else:
        monkeypatch.setenv("AM_DBG_TOKEN", "x" * 1_025)

    assert cli.run(list(words)) == Exit.BAD_INPUT
    assert capsys.readouterr() == ("", "am-dbg: the token has 1,025 bytes, the limit is 1,024\n")


def test_the_help_recommends_the_environment(capsys: pytest.CaptureFixture[str]) -> None:
    """Both commands name the variable, and do not show its value."""
    for words in (["--help"], ["record", "--help"]):
        assert cli.run(words) == Exit.DONE
        text = " ".join(capsys.readouterr().out.split())
        assert "--token TEXT" in text
        assert "AM_DBG_TOKEN in the environment is safer" in text


LOOPBACK = ("1", "6831", ":6831", "127.0.0.1", "localhost", "localhost:7000", "[::1]:6831", "::1")
ELSEWHERE = ("0.0.0.0:6831", "[::]:6831", "::", "192.0.2.7", "debugger.example:6831", "10.0.0.1:1")


@pytest.mark.parametrize("text", LOOPBACK)
def test_a_port_alone_is_reached_from_this_machine_only(text: str) -> None:
    """Without a host, and with one that names this machine, no notice is needed."""
    address = listen_address(text)

    assert address.is_loopback
    assert notice_of([address], has_token=False) == ""


@pytest.mark.parametrize("text", ELSEWHERE)
@pytest.mark.parametrize("has_token", [True, False])
def test_an_address_that_other_machines_reach_gives_a_notice(text: str, has_token: bool) -> None:
    """It names the address and the token, in one line."""
    address = listen_address(text)
    more = " that send the token" if has_token else "; set AM_DBG_TOKEN to refuse strangers"

    notice = notice_of([address, address, Address("127.0.0.1", 1)], has_token=has_token)
    assert notice == f"{address} is open to other machines{more}"


@pytest.mark.parametrize(
    ("text", "is_open"), [(":0", False), ("0", False), ("localhost:0", False), ("0.0.0.0:0", True)]
)
def test_the_notice_is_about_the_real_addresses(text: str, is_open: bool) -> None:
    """The addresses of the sockets count, not their written form."""
    intake = Intake(Store(), lambda: None, lambda _: None)
    intake.start(listen_address(text))
    notice = intake.notice
    intake.stop()

    assert bool(notice) is is_open


def test_a_host_name_is_judged_by_its_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that stands only for this machine is not open to others."""
    found = socket.getaddrinfo("127.0.0.1", 0, type=socket.SOCK_STREAM)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    intake = Intake(Store(), lambda: None, lambda _: None)
    intake.start(listen_address("my-machine:0"))
    notice = intake.notice
    intake.stop()

    assert notice == ""


def test_a_port_in_use_is_one_line_for_both_commands(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The error names the address and what to do; nothing is written."""
    out = tmp_path / "out.msgpack.br"
    monkeypatch.setattr("am_dbg.cli.screen.why_no_screen", lambda: "")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        for words in (["record", str(out), "-l", place], ["-l", place]):
            assert cli.run(words) == Exit.BAD_INPUT
            data, line = capsys.readouterr()
            assert data == ""
            assert line == (
                f"am-dbg: cannot listen at {place}: the port is in use, perhaps by another am-dbg;"
                " stop that one or give another port\n"
            )
    assert not out.exists()


def test_an_invalid_address_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same holds for an address that this machine does not have."""
    monkeypatch.setattr("am_dbg.cli.screen.why_no_screen", lambda: "")
    for place in ("localhost:99999", "", "a b:1", "[::1:5", "203.0.113.7:0"):
        assert cli.run(["-l", place]) == Exit.BAD_INPUT
        data, line = capsys.readouterr()
        assert (data, line.count("\n")) == ("", 1)
        assert line.startswith("am-dbg: ")


def test_stop_and_start_at_one_port_works_every_time() -> None:
    """Twenty times in a row, each with a program connected."""
    place = listen_address(":0")
    for _ in range(20):
        intake = Intake(Store(), lambda: None, lambda _: None)
        intake.start(place)
        place = listen_address(intake.listening)
        with socket.create_connection((place.host, place.port), timeout=WAIT_S) as program:
            program.sendall(magic_frame())
            with pytest.raises(ListenError):
                Intake(Store(), lambda: None, lambda _: None).start(place)
            intake.stop()


def bytes_of(token: bytes, transitions: int) -> bytes:
    player = HistoryPlayer("s")
    machine = player.enter(0)
    for at in range(transitions):
        player.transit(machine, (at % 8, at, at, at % 7, 4))
    player.writer.flush()
    hello, *rest = player.messages
    messages = [replace(hello, token=token), *rest]  # type: ignore[call-arg]
    return b"".join([magic_frame(), *map(encode, messages)])


def sent(place: str, data: bytes) -> None:
    """Send as a program does that then leaves, or is sent away."""
    host, _, port = place.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=WAIT_S) as peer:
        try:
            peer.sendall(data)
            peer.shutdown(socket.SHUT_WR)
            while peer.recv(1_024):
                continue
        except ConnectionError:
            return


@pytest.fixture
def guarded() -> Iterator[tuple[str, list[str]]]:
    """A debugger with a token: its address, and its messages to the user."""
    told: list[str] = []
    debugger = Debugger(token=b"secret", warned=told.append)
    yield str(debugger.address), told
    debugger.stop()


def test_a_refused_program_is_reported_once(
    guarded: tuple[str, list[str]], caplog: pytest.LogCaptureFixture
) -> None:
    """It tries again and again; the user and the log at its default level get one line."""
    caplog.set_level(logging.INFO, "am_dbg.ingest.server")
    place, told = guarded
    for token in (b"other", b"another", b"", b"", b"other"):
        sent(place, bytes_of(token, 1))

    assert told == [
        f"a program at 127.0.0.1 was refused: it sends {said}"
        for said in ("another token", "no token")
    ]
    levels = [one.levelname for one in caplog.records]
    assert levels == ["WARNING", "INFO", "WARNING", "INFO", "INFO"]


def test_a_program_that_was_quiet_for_long_is_reported_again(
    guarded: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """This is another outage."""
    monkeypatch.setattr(outages, "QUIET_S", -1)
    place, told = guarded
    for _ in range(2):
        sent(place, bytes_of(b"other", 1))

    assert len(told) == 2


def test_a_program_of_another_version_is_reported_like_a_refused_one(
    guarded: tuple[str, list[str]],
) -> None:
    """Its user has to fix this too, and it also tries again."""
    place, told = guarded
    strange = replace(hello(), version=99, token=b"secret")
    for _ in range(2):
        sent(place, magic_frame() + encode(strange))

    (line,) = told
    assert line.startswith("a program at 127.0.0.1 was refused: ")
    assert "protocol version 99 is not in the range" in line


def contents(record: Record, source: MemoryBytes) -> Iterator[bytes]:
    """The content of a head, and of the one or two parts of a body."""
    yield record.head(source)
    _, body = record.stored(source)
    if record.header.kind == RecordKind.DEFINITIONS:
        size = unpack_part_head(record.head(source)).shapes_bytes
        yield content_of(body[:size])
        body = body[size:]
    yield content_of(body)


@pytest.mark.slow
def test_a_recording_with_a_token_holds_only_accepted_programs(tmp_path: Path) -> None:
    """Messages and file show the notice and the transitions, and never the token."""
    path = tmp_path / "out.msgpack.br"
    secret = "Sesam-öffne-dich"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "AM_DBG_TOKEN": f" {secret} "}
    command = [sys.executable, "-m", "am_dbg", "record", str(path), "-l", "0.0.0.0:0"]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, encoding="utf-8", env=environment
    ) as process:
        assert process.stderr is not None
        found = re.search(r"listening at \S+:(\d+),", process.stderr.readline())
        assert found
        notice = process.stderr.readline()
        for token, transitions in ((b"", 3), (b"Sesam", 4), (b"x", 1), (secret.encode(), 5)):
            sent(f"127.0.0.1:{found[1]}", bytes_of(token, transitions))
        process.send_signal(signal.SIGINT)
        _, words = process.communicate(timeout=WAIT_S)

    assert process.returncode == 0
    assert f"0.0.0.0:{found[1]} is open to other machines that send the token\n" in notice
    *refusals, written = words.splitlines(keepends=True)
    assert refusals == [
        f"am-dbg: a program at 127.0.0.1 was refused: it sends {said}\n"
        for said in ("no token", "another token")
    ]
    assert re.fullmatch(r"am-dbg: \S+: 1 machine, 5 transitions, \d+ bytes\n", written)
    assert import_session(Store(), str(path)) == 5
    source = MemoryBytes(path.read_bytes())
    records = [found for found in RecordWalk(source) if isinstance(found, Record)]
    content = b"".join(part for one in records for part in contents(one, source))
    assert records
    assert secret.encode() not in content + words.encode()
