"""A debugger that is down, stuck, gone or foreign: the program does not care."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator

import pytest

import amtracer
import machine as am
from amtracer.codec import Decoder
from amtracer.process import _senders
from amtracer.schema import Message
from tests.wire.serving import Debugger, run
from tests.wire.streams import read_back

pytestmark = pytest.mark.slow

STRUCT = {"A": am.State(), "M": am.State(multi=True)}

PROGRAM = """
import sys, time
started = time.perf_counter()
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
def nobody() -> Iterator[str]:
    """An address at which nothing listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{sock.getsockname()[1]}"


@pytest.fixture
def stuck() -> Iterator[str]:
    """An address that accepts and never reads."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


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


def seconds(program: str, **variables: object) -> tuple[float, int, str, str]:
    """How long a program takes from its first line to its end, and how it ends."""
    began = time.perf_counter()
    done = run(program, **variables)
    return time.perf_counter() - began, done.returncode, done.stdout, done.stderr


def test_without_a_debugger_a_program_does_the_same(nobody: str) -> None:
    """Same output, same exit code, one line on stderr."""
    _, code, out, err = seconds(PROGRAM, AM_DBG_ADDR=nobody)

    assert (code, out) == (0, "3999\n")
    assert err.count("\n") == 1
    assert f"cannot reach a debugger at {nobody} (connection refused)" in err


@pytest.mark.parametrize("where", ["nobody", "stuck", "black_hole"])
def test_the_end_of_a_program_is_not_held_up(where: str, request: pytest.FixtureRequest) -> None:
    """Its exit takes at most a second longer, whatever the debugger does."""
    plain, *_ = seconds(PROGRAM)
    took, code, out, err = seconds(PROGRAM, AM_DBG_ADDR=request.getfixturevalue(where))

    assert (code, out) == (0, "3999\n")
    assert "Traceback" not in err
    assert took - plain < 2


@pytest.mark.parametrize("where", ["black_hole", "no-such-host.invalid:6831"])
def test_nobody_waits_for_a_connection(where: str, request: pytest.FixtureRequest) -> None:
    """Construction and first mutations are over long before a connection could fail."""
    address = request.getfixturevalue(where) if where == "black_hole" else where
    began = time.perf_counter()
    mach = am.Machine(None, STRUCT)
    amtracer.attach(mach, address)
    mach.add1("M")

    assert time.perf_counter() - began < 0.5


def test_who_never_reads_blocks_no_mutation(stuck: str) -> None:
    """200,000 transitions: none waits for the socket, and memory does not grow with them."""
    mach = am.Machine(None, STRUCT, id="m")
    amtracer.attach(mach, stuck)
    slow = 0
    for _ in range(200_000):
        began = time.perf_counter()
        mach.add1("M")
        slow += time.perf_counter() - began > 0.05
    sender = _senders[f"tcp:{stuck}"]

    assert slow < 20  # each attempt to send waits twice as long
    assert len(sender._queue) <= 65_536
    assert len(sender._outlet._buffer) < 6_000_000  # type: ignore[attr-defined]


def test_a_change_of_schema_without_a_debugger_is_no_error(nobody: str) -> None:
    """The machine never learns of the debugger's absence."""
    mach = am.Machine(None, STRUCT, id="m")
    amtracer.attach(mach, nobody)
    mach.set_struct({**STRUCT, "New": am.State()}, [*mach.state_names(), "New"])
    mach.add1("New")

    assert mach.is1("New")
    assert not mach.is1("Exception")


def test_a_reset_in_the_middle_of_a_frame_is_one_line() -> None:
    """Whoever reads ten bytes and slams the door costs a line, not the program."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        stop = threading.Event()

        def slam() -> None:
            while not stop.is_set():
                peer, _ = server.accept()
                if not stop.is_set():
                    peer.recv(10)
                    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                peer.close()

        thread = threading.Thread(target=slam)
        thread.start()
        program = (
            "import signal; signal.signal(signal.SIGPIPE, signal.SIG_DFL)\n"
            + PROGRAM
            + "for _ in range(20):\n    time.sleep(0.02)\n    mach.add1('M')\n"
        )
        _, code, out, err = seconds(program, AM_DBG_ADDR=address)
        stop.set()
        socket.create_connection(server.getsockname()).close()
        thread.join()

    assert (code, out) == (0, "3999\n")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("end", "code"),
    [
        ("sys.exit(3)", 3),
        ("raise SystemExit('bye')", 1),
        ("raise ValueError('mine')", 1),
        ("import os; os._exit(4)", 4),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", -15),
    ],
)
def test_the_exit_code_is_the_program_s_own(end: str, code: int) -> None:
    """However it ends, being traced changes neither code nor words."""
    debugger = Debugger()
    try:
        plain = run(PROGRAM + end)
        traced = run(PROGRAM + end, AM_DBG_ADDR=debugger.address)
    finally:
        debugger.stop()

    assert traced.returncode == plain.returncode == code
    assert traced.stderr == plain.stderr
    assert "amtracer" not in traced.stderr


LATE = """
import atexit, sys
import amtracer, machine as am
mach = am.Machine(None, {"M": am.State(multi=True)}, id="m")
%s
class Last:
    def __del__(self): mach.add1("M")
last = Last()
"""


@pytest.mark.parametrize(
    "order",
    [
        "amtracer.attach(mach); atexit.register(lambda: mach.add1('M'))",
        "atexit.register(lambda: mach.add1('M')); amtracer.attach(mach)",
        "atexit.register(lambda: (amtracer.attach(mach), mach.add1('M')))",
    ],
)
def test_what_happens_at_the_very_end_raises_nothing(order: str, nobody: str) -> None:
    """A transition in an exit handler or a finalizer may be lost, but never loudly."""
    debugger = Debugger()
    try:
        for address in (debugger.address, nobody):
            done = run(LATE % order, AM_DBG_ADDR=address)
            assert done.returncode == 0
            assert "Traceback" not in done.stderr
            assert "thread" not in done.stderr
    finally:
        debugger.stop()


def test_a_slow_debugger_gets_everything(stuck: str) -> None:
    """What a peer does not read for a while waits, and nothing is lost."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        mach = am.Machine(None, STRUCT, id="m")
        amtracer.attach(mach, address)
        for _ in range(30_000):
            mach.add1("M", {"x": "y" * 100})
        peer, _ = server.accept()
        threading.Thread(target=amtracer.close).start()
        messages: list[Message] = []
        decoder = Decoder()
        while data := peer.recv(1 << 16):
            messages += decoder.feed(data)
        peer.close()
    book = read_back(messages)

    assert decoder.ended
    assert len(book.told[0]) == 30_000
