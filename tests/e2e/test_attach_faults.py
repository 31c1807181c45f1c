"""A debugger that is down, stuck, gone or foreign does not affect the traced program."""

from __future__ import annotations

import re
import socket
import struct
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import amtracer
import machine as am
from amtracer.errors import CutSessionError
from amtracer.files.session import read_session
from amtracer.send.registry import _senders
from amtracer.wire.codec import FrameReader
from amtracer.wire.messages import BatchMessage, Message
from tests.wire.serving import WAIT_S, Debugger, run
from tests.wire.streams import StreamReader, read_back

pytestmark = pytest.mark.slow

STRUCT = {"A": am.State(), "M": am.State(multi=True)}

PROGRAM = """
import sys, time
import amtracer, machine as am
mach = am.Machine(None, {"M": am.State(multi=True)}, id="m")
amtracer.attach(mach)
for _ in range(2000): mach.add1("M")
print(mach.tick("M"))
"""


@pytest.fixture(autouse=True)
def _closed_senders() -> Iterator[None]:
    yield
    amtracer.close()
    _senders.clear()


@pytest.fixture
def no_listener() -> Iterator[str]:
    """An address at which nothing listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{sock.getsockname()[1]}"


@pytest.fixture
def peer() -> Iterator[socket.socket]:
    """Listens, and reads nothing unless the test does."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(WAIT_S)
        yield server


def address_of(server: socket.socket) -> str:
    return f"127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def stuck(peer: socket.socket) -> str:
    """An address that accepts and never reads."""
    return address_of(peer)


@pytest.fixture
def black_hole() -> Iterator[str]:
    """An address where connecting hangs: its backlog is full."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        fillers = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(server.getsockname())
            fillers.append(filler)
        yield f"127.0.0.1:{server.getsockname()[1]}"
        for filler in fillers:
            filler.close()


def read_to_the_end(server: socket.socket) -> StreamReader:
    """The messages of the next program that connects, up to its regular end."""
    threading.Thread(target=amtracer.close).start()
    messages: list[Message] = []
    decoder = FrameReader()
    peer, _ = server.accept()
    with peer:
        while data := peer.recv(1 << 16):
            messages += decoder.feed(data)
    assert decoder.ended
    return read_back(messages)


def test_without_a_debugger_a_program_does_the_same(no_listener: str) -> None:
    """Same output, same exit code, one line on stderr."""
    done = run(PROGRAM, AM_DBG_ADDR=no_listener)

    assert (done.returncode, done.stdout) == (0, "3999\n")
    assert done.stderr.count("\n") == 1
    assert f"cannot reach a debugger at {no_listener} (connection refused)" in done.stderr


@pytest.mark.parametrize(
    "where", ["no_listener", "stuck", "black_hole", "no-such-host.invalid:6831"]
)
def test_a_program_ends_whatever_its_debugger_does(
    where: str, request: pytest.FixtureRequest
) -> None:
    """The program does its work, does not hang, and prints at most one line more."""
    done = run(PROGRAM, AM_DBG_ADDR=where if ":" in where else request.getfixturevalue(where))

    assert (done.returncode, done.stdout) == (0, "3999\n")
    assert done.stderr.count("\n") <= 1
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("call", ["create_connection", "getaddrinfo"])
def test_a_program_never_waits_for_a_connection(
    stuck: str, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """A machine mutates while its tracer still connects or looks up a name."""
    connecting, may_go_on = threading.Event(), threading.Event()
    real = getattr(socket, call)

    def slow(*args: Any, **options: Any) -> Any:
        connecting.set()
        assert may_go_on.wait(WAIT_S)
        return real(*args, **options)

    monkeypatch.setattr(socket, call, slow)
    mach = am.Machine(None, STRUCT)
    amtracer.attach(mach, stuck)
    assert connecting.wait(WAIT_S)
    for _ in range(1_000):
        mach.add1("M")

    assert mach.tick("M") == 1_999
    assert not may_go_on.is_set()
    may_go_on.set()


def test_a_peer_that_never_reads_costs_a_bounded_memory(peer: socket.socket) -> None:
    """Of 200,000 transitions the lost ones are counted, and reported once the peer reads."""
    mach = am.Machine(None, STRUCT, id="m")
    amtracer.attach(mach, address_of(peer))
    for _ in range(200_000):
        mach.add1("M", {"text": "x" * 100})
    sender = _senders[f"tcp:{address_of(peer)}"]

    assert len(sender._queue) <= 65_536
    assert len(sender._sink._buffer) < 6_000_000  # type: ignore[attr-defined]
    reader = read_to_the_end(peer)
    lost = sum(gap.count for gap in reader.dropped) + reader.machines[0].row
    assert len(reader.transitions[0]) + lost == 200_000


def test_a_change_of_schema_without_a_debugger_is_no_error(no_listener: str) -> None:
    """A machine does not depend on a debugger."""
    mach = am.Machine(None, STRUCT, id="m")
    amtracer.attach(mach, no_listener)
    mach.set_struct({**STRUCT, "New": am.State()}, [*mach.state_names(), "New"])
    mach.add1("New")

    assert mach.is1("New")
    assert not mach.is1("Exception")


@pytest.mark.parametrize("manner", ["reset", "close", "half"])
def test_a_peer_that_closes_early_costs_one_line(peer: socket.socket, manner: str) -> None:
    """A peer that reads ten bytes and resets or half-closes the connection costs one line."""
    stop = threading.Event()
    half: list[socket.socket] = []

    def slam() -> None:
        while not stop.is_set():
            one, _ = peer.accept()
            if not stop.is_set():
                one.recv(10)
            if manner == "reset":
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            if manner == "half":
                one.shutdown(socket.SHUT_WR)
                half.append(one)
            else:
                one.close()

    thread = threading.Thread(target=slam)
    thread.start()
    program = (
        "import signal; signal.signal(signal.SIGPIPE, signal.SIG_DFL)\n"
        + PROGRAM
        + "for _ in range(20):\n    time.sleep(0.02)\n    mach.add1('M')\n"
    )
    done = run(program, AM_DBG_ADDR=address_of(peer))
    stop.set()
    socket.create_connection(peer.getsockname()).close()
    thread.join()
    for one in half:
        one.close()

    assert (done.returncode, done.stdout) == (0, "3999\n")
    assert done.stderr.count("\n") == 1


INTERRUPTED = """import os, signal
signal.signal(signal.SIGINT, signal.default_int_handler)
os.kill(os.getpid(), signal.SIGINT); time.sleep(60)"""
ENDS = [
    ("sys.exit(3)", 3),
    ("raise SystemExit('bye')", 1),
    ("raise ValueError('mine')", 1),
    ("import os; os._exit(4)", 4),
    ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", -15),
    (INTERRUPTED, -2),
]


@pytest.mark.parametrize(("end", "code"), ENDS)
def test_the_exit_code_is_the_program_s_own(end: str, code: int) -> None:
    """A traced program has the same exit code and output, however it ends."""
    debugger = Debugger()
    try:
        plain = run(PROGRAM + end)
        traced = run(PROGRAM + end, AM_DBG_ADDR=debugger.address)
    finally:
        debugger.stop()

    assert traced.returncode == plain.returncode == code
    assert traced.stderr == plain.stderr
    assert "amtracer" not in traced.stderr


@pytest.mark.parametrize(("end", "code"), ENDS)
@pytest.mark.parametrize("where", ["no_listener", "stuck"])
def test_the_exit_code_is_its_own_without_a_debugger(
    where: str, end: str, code: int, request: pytest.FixtureRequest
) -> None:
    """At most one line more is said when no_listener listens or reads.

    It may come in the middle of a traceback, which is written bit by bit.
    """
    plain = run(PROGRAM + end)
    traced = run(PROGRAM + end, AM_DBG_ADDR=request.getfixturevalue(where))
    words, lines = re.subn(r"amtracer: [^\n]*\n", "", traced.stderr)

    assert traced.returncode == code
    assert words == plain.stderr
    assert lines <= 1


LATE = """
import atexit, sys
import amtracer, machine as am
mach = am.Machine(None, {"M": am.State(multi=True)}, id="m")
%s
class Last:
    def __del__(self): mach.add1("M")
last = Last()
"""


@pytest.mark.parametrize("development_mode", ["", "1"])
@pytest.mark.parametrize(
    "order",
    [
        "amtracer.attach(mach); atexit.register(lambda: mach.add1('M'))",
        "atexit.register(lambda: mach.add1('M')); amtracer.attach(mach)",
        "atexit.register(lambda: (amtracer.attach(mach), mach.add1('M')))",
        "amtracer.attach(mach); sys.modules['threading']._register_atexit(lambda: mach.add1('M'))",
    ],
)
def test_what_happens_at_the_very_end_raises_nothing(
    order: str, development_mode: str, no_listener: str
) -> None:
    """A transition in an exit handler or a finalizer may be lost, but prints no error."""
    debugger = Debugger()
    try:
        for address in (debugger.address, no_listener):
            done = run(LATE % order, AM_DBG_ADDR=address, PYTHONDEVMODE=development_mode)
            assert done.returncode == 0
            assert "Traceback" not in done.stderr
            assert "thread" not in done.stderr
            assert done.stderr.count("\n") <= 1
    finally:
        debugger.stop()


def test_a_slow_debugger_gets_everything(peer: socket.socket) -> None:
    """Data that a peer does not read for a while waits, and nothing is lost."""
    mach = am.Machine(None, STRUCT, id="m")
    amtracer.attach(mach, address_of(peer))
    for _ in range(30_000):
        mach.add1("M", {"x": "y" * 100})

    assert len(read_to_the_end(peer).transitions[0]) == 30_000


FULL = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
import amtracer, machine as am
mach = am.Machine(None, {"M": am.State(multi=True)}, id="m")
amtracer.attach(mach)
from amtracer.send.registry import _senders
(sender,) = _senders.values()
at = 0
while not sender._given_up:
    at += 1
    mach.add1("M", {"at": at * 7_919 * 7_919})
print(at, mach.tick("M"))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no limit to set")
def test_a_full_disk_ends_only_the_recording(tmp_path: Path) -> None:
    """The program continues and prints one line; everything before is readable."""
    path = tmp_path / "run.msgpack.br"
    done = run(FULL, AM_DBG_FILE=path)
    messages = read_session(path)
    received: list[int] = []
    with pytest.raises(CutSessionError):
        received.extend(len(one.shapes) for one in messages if isinstance(one, BatchMessage))
    made, tick = map(int, done.stdout.split())

    assert (done.returncode, tick) == (0, 2 * made - 1)
    assert done.stderr.count("\n") == 1
    assert "(file too large); nothing more is recorded" in done.stderr
    assert path.stat().st_size <= 20_000
    assert 1_024 <= sum(received) < made
