"""The token: programs without it are refused, and it is never shown or kept."""

from __future__ import annotations

import hmac
import logging
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

import machine as am
from am_dbg.egress import forward as forwarding
from am_dbg.egress.export import export_session
from am_dbg.egress.forward import RouteForwarder
from am_dbg.ingest.golang.protocol import GoProtocol
from am_dbg.ingest.protocols import Peer
from am_dbg.store import GapKind
from am_dbg.store.packed.definitions import unpack_part_head
from amtracer.address import Address
from amtracer.encode.stream_writer import StreamWriter
from amtracer.env import token_from_env, token_of
from amtracer.errors import TokenError
from amtracer.files.record_walk import MemoryBytes, Record, RecordWalk
from amtracer.files.records import RecordKind, content_of
from amtracer.send import sender as sender_module
from amtracer.send.sender import Sender
from amtracer.send.sinks import SinkError, SocketSink
from amtracer.tracer import MachineTracer
from amtracer.wire import limits
from amtracer.wire.codec import FILE, WIRE, encode, magic_frame
from amtracer.wire.messages import GoneMessage, Message
from tests.transitions import RecordedTransition, write_transition
from tests.wire.serving import WAIT_S, Debugger, connect, run
from tests.wire.streams import HELLO, SHAPE, STATES, decoded, stream_bytes

TOKEN = "Öffne dich, 42"
SAID = TOKEN.encode()
VARIABLE = "AM_DBG_TOKEN"

Serve = Callable[..., Debugger]
LogCaptured = pytest.LogCaptureFixture


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts debuggers; they are stopped after the test."""
    debuggers: list[Debugger] = []

    def start(address: str = ":0", *, token: bytes = SAID, **options: object) -> Debugger:
        debuggers.append(Debugger(address, token=token, **options))
        return debuggers[-1]

    yield start
    for debugger in debuggers:
        debugger.stop()


def program_bytes(count: int, token: bytes = b"") -> bytes:
    """The bytes of a program that sends a token and a machine `m`."""
    messages: list[Message] = []
    writer = StreamWriter(messages.append, replace(HELLO, token=token))
    number = writer.machine("m", writer.schema(STATES), tx_prefix="aa")
    flips = (SHAPE, SHAPE._replace(type=1, changes=((0, -1),)))
    for at in range(count):
        write_transition(writer, number, RecordedTransition(flips[at % 2], 1_000 + at))
    writer.flush()
    return stream_bytes(messages)


def ended(peer: socket.socket) -> bool:
    try:
        return peer.recv(1) == b""
    except ConnectionError:
        return True


def lines_of(caplog: LogCaptured, logger: str) -> list[tuple[str, str]]:
    return [(one.levelname, one.getMessage()) for one in caplog.records if one.name == logger]


@pytest.mark.parametrize(
    ("text", "token"),
    [
        ("", b""),
        (" \t\r\n", b""),
        ("\u00a0", b""),
        ("secret", b"secret"),
        (" a b \n", b"a b"),
        ("schlüssel", "schlüssel".encode()),
        ("\udcff", b"\xff"),
        ("x" * limits.TOKEN_BYTES_MAX, b"x" * limits.TOKEN_BYTES_MAX),
    ],
)
def test_a_token_is_the_bytes_without_white_space_around_them(text: str, token: bytes) -> None:
    """Nothing but white space is no token; bytes that are no text are one."""
    assert token_of(text) == token


def test_a_token_over_the_limit_is_refused_without_showing_it() -> None:
    """The limit counts bytes, and the error contains only their number."""
    text = "ü" * (limits.TOKEN_BYTES_MAX // 2 + 1)

    with pytest.raises(TokenError, match="1,026 bytes, the limit is 1,024") as refused:
        token_of(text)
    assert "ü" not in str(refused.value)


@given(st.binary(min_size=1, max_size=50))
def test_a_hello_brings_its_token_over_a_connection_but_into_no_file(token: bytes) -> None:
    """Whatever is said, a file is written as if there were none."""
    hello = replace(HELLO, token=token)

    assert decoded(stream_bytes([hello])) == [hello]
    assert encode(hello, FILE) == encode(HELLO, FILE) == encode(HELLO, WIRE)


def test_a_token_that_lies_in_a_file_is_not_read() -> None:
    """A file that was made by others brings none into memory."""
    hello = replace(HELLO, token=SAID)

    assert decoded(magic_frame(FILE) + encode(hello, WIRE), FILE) == [HELLO]


def test_no_value_shows_its_token() -> None:
    """What is printed by accident shows nothing."""
    values = (replace(HELLO, token=b"secret"), Peer("p", object(), print, b"secret"))  # type: ignore[arg-type]

    assert "secret" not in repr(values)


def test_the_environment_s_token_is_sent_to_a_debugger(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is what the variable says when the hello goes out."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        sink = SocketSink(place_of(listener))
        for token in (TOKEN, "other"):
            monkeypatch.setenv(VARIABLE, f" {token}\n")
            sink.open()
            sink.write(HELLO)
            sink.close()
            peer, _ = listener.accept()
            with peer:
                peer.settimeout(WAIT_S)
                hello = decoded(read_all(peer))[0]
            assert hello == replace(HELLO, token=token.encode())


def place_of(listener: socket.socket) -> Address:
    return Address("127.0.0.1", listener.getsockname()[1])


def read_all(peer: socket.socket) -> bytes:
    data = b""
    while chunk := peer.recv(1 << 16):
        data += chunk
    return data


def test_a_token_that_is_too_long_is_logged_once_and_not_sent(
    monkeypatch: pytest.MonkeyPatch, caplog: LogCaptured
) -> None:
    """A program is not stopped by its environment."""
    monkeypatch.setattr("amtracer.env._warnings", set())
    monkeypatch.setenv(VARIABLE, "x" * 2_000)

    assert (token_from_env(), token_from_env()) == (b"", b"")
    (line,) = lines_of(caplog, "amtracer")
    assert line == (
        "WARNING",
        "amtracer: AM_DBG_TOKEN: the token has 2,000 bytes, the limit is 1,024; none is sent",
    )


def test_a_program_with_the_token_is_accepted(serve: Serve) -> None:
    """Its messages arrive, and the token is not kept."""
    debugger = serve()
    with connect(debugger) as peer:
        peer.sendall(program_bytes(20, SAID))
        debugger.wait_for_count("m", 20)

    (stream,) = debugger.store.streams
    assert stream.hello == HELLO


STRANGERS = {
    "no token": b"",
    "another": b"secret",
    "its beginning": SAID[:-1],
    "more than it": SAID + b" ",
    "the most bytes": b"x" * limits.TOKEN_BYTES_MAX,
}


@pytest.mark.parametrize("kind", STRANGERS)
def test_a_program_without_it_is_refused_before_anything_is_kept(
    serve: Serve, kind: str, caplog: LogCaptured
) -> None:
    """One line, one closed connection; there was never a stream, the others go on."""
    caplog.set_level(logging.INFO)
    debugger = serve()
    with connect(debugger) as friend, connect(debugger) as stranger:
        data = program_bytes(20, SAID)
        friend.sendall(data[:-1])
        stranger.sendall(program_bytes(20, STRANGERS[kind]))
        assert ended(stranger)
        friend.sendall(data[-1:])
        debugger.wait_for_count("m", 20)

    assert [(track.key, track.count) for track in debugger.store.tracks] == [("m", 20)]
    assert debugger.streams == 1
    said = "another token" if STRANGERS[kind] else "no token"
    ((level, line),) = lines_of(caplog, "am_dbg.ingest.server")
    assert level == "WARNING"
    assert line.endswith(f"closed: refused, it sends {said}")


def test_a_token_too_long_is_refused_as_data(serve: Serve, caplog: LogCaptured) -> None:
    """A hello over the limit costs its connection, and is not shown."""
    caplog.set_level(logging.INFO)
    debugger = serve()
    with connect(debugger) as peer:
        peer.sendall(program_bytes(1, b"x" * (limits.TOKEN_BYTES_MAX + 1)))
        assert ended(peer)

    ((_, line),) = lines_of(caplog, "am_dbg.ingest.server")
    assert line.endswith("bytes of a token: 1,025 is over the limit of 1,024")
    assert debugger.streams == 0


@pytest.mark.parametrize("first", [GoneMessage(0), replace(HELLO, version=1, token=b"no")])
def test_a_first_message_without_the_token_is_refused(
    serve: Serve, first: Message, caplog: LogCaptured
) -> None:
    """Also one that is no hello."""
    caplog.set_level(logging.INFO)
    debugger = serve()
    with connect(debugger) as peer:
        peer.sendall(stream_bytes([first]))
        assert ended(peer)

    assert debugger.streams == 0
    assert "closed: refused, it sends " in caplog.text


def test_tokens_are_compared_in_constant_time(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The duration of a comparison does not depend on how much of a guess is right."""
    compared: list[tuple[object, object]] = []

    def compare(said: bytes, asked: bytes) -> bool:
        compared.append((said, asked))
        return said == asked

    monkeypatch.setattr(hmac, "compare_digest", compare)
    debugger = serve()
    with connect(debugger) as peer:
        peer.sendall(program_bytes(1, SAID))
        debugger.wait_for_count("m", 1)

    assert compared == [(SAID, SAID)]


def test_without_a_token_everybody_is_let_in(serve: Serve) -> None:
    """A token that nobody asked for is dropped as well."""
    debugger = serve(token=b"")
    for count, token in enumerate((b"", b"unasked"), 1):
        with connect(debugger) as peer:
            peer.sendall(program_bytes(5, token))
            debugger.wait_for(lambda count=count: debugger.store.transitions == 5 * count)

    assert [stream.hello for stream in debugger.store.streams] == [HELLO, HELLO]


def test_go_programs_are_refused_by_a_debugger_with_a_token(
    serve: Serve, caplog: LogCaptured
) -> None:
    """Their protocol cannot say one, and the line says so."""
    caplog.set_level(logging.INFO)
    debugger = serve(protocols=(GoProtocol(),))
    with connect(debugger) as peer:
        peer.sendall(b"\x30\x7f\x03\x01\x01\x07Request\x01\xff\x80\0")
        assert ended(peer)

    ((_, line),) = lines_of(caplog, "am_dbg.ingest.server")
    assert line.endswith("closed: refused, Go programs cannot send the token that is required")
    assert debugger.streams == 0


@pytest.mark.parametrize("sent", [b"", magic_frame(), magic_frame() + encode(HELLO)[:-1]])
def test_a_connection_without_a_hello_in_time_is_ended(serve: Serve, sent: bytes) -> None:
    """A stranger cannot keep a place with half a hello."""
    debugger = serve(first_bytes_s_max=0.05)
    with connect(debugger) as peer:
        peer.sendall(sent)
        assert ended(peer)

    assert debugger.streams == 0


class Refusals(logging.Handler):
    """Counts what a debugger refused."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.count += "refused" in record.getMessage()


@pytest.fixture
def refusals(caplog: LogCaptured) -> Iterator[Refusals]:
    caplog.set_level(logging.INFO, "am_dbg")
    counted = Refusals()
    logger = logging.getLogger("am_dbg.ingest.server")
    logger.addHandler(counted)
    yield counted
    logger.removeHandler(counted)


@pytest.mark.slow
def test_a_program_that_was_refused_goes_on_trying(
    serve: Serve,
    refusals: Refusals,
    monkeypatch: pytest.MonkeyPatch,
    caplog: LogCaptured,
) -> None:
    """It is one outage, logged in one line, and ends when the token is right."""
    monkeypatch.setattr(sender_module, "RETRY_S_MIN", 0.001)
    monkeypatch.setattr(sender_module, "RETRY_S_MAX", 0.002)
    monkeypatch.setenv(VARIABLE, "wrong")
    debugger = serve()
    sender = Sender(SocketSink(debugger.address))
    mach = am.Machine(None, {"M": am.State(multi=True)}, id="m")
    tracer = MachineTracer(mach, sender, None)
    tracer.send_snapshot(mach)
    mach.bind_tracer(tracer)
    pause = debugger.stopped
    while refusals.count < 3:
        mach.add1("M")
        pause.wait(0.005)
    monkeypatch.setenv(VARIABLE, TOKEN)
    while debugger.streams == 0:
        mach.add1("M")
        pause.wait(0.005)
    mach.add1("M")
    last = mach.time_sum()
    debugger.wait_for(lambda: (one := debugger.store.find("m")) and sum(one.ticks) == last)
    sender.close()

    (line,) = lines_of(caplog, "amtracer")
    assert line[0] == "WARNING"
    assert line[1].endswith("trying again in the background")
    assert not any(secret in caplog.text for secret in ("wrong", TOKEN))


def test_a_forwarder_sends_its_own_token(
    serve: Serve, refusals: Refusals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The token of its environment goes to the other side, not the one it asks for itself."""
    monkeypatch.setenv(VARIABLE, "outer")
    inner, outer = serve(), serve(token=b"outer")
    forwarder = RouteForwarder(inner.store, outer.address, round_s=0.005)
    forwarder.start()
    with connect(inner) as peer:
        peer.sendall(program_bytes(20, SAID))
        outer.wait_for_count("m", 20)
    forwarder.stop()

    assert refusals.count == 0


def test_a_forwarder_that_is_refused_is_one_outage(
    serve: Serve, refusals: Refusals, monkeypatch: pytest.MonkeyPatch, caplog: LogCaptured
) -> None:
    """It tries again and again, and logs one line."""
    monkeypatch.setattr(forwarding, "PAUSE_S_MAX", 0.005)
    outer = serve()
    forwarder = RouteForwarder(serve(token=b"").store, outer.address, round_s=0.005)
    forwarder.start()
    while refusals.count < 3:
        outer.stopped.wait(0.005)
    forwarder.stop()

    assert [level for level, _ in lines_of(caplog, "am_dbg.egress.forward")] == ["WARNING"]


def test_a_refused_forwarder_loses_nothing(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says hello first and waits a round, so all is there once the token is right."""
    inner, outer = serve(token=b""), serve()
    with connect(inner) as peer:
        peer.sendall(program_bytes(20))
        inner.wait_for_count("m", 20)
    forwarder = RouteForwarder(inner.store, outer.address)
    for _ in range(3):
        forwarder._round()
        sock = forwarder._sink._socket
        assert sock is not None
        sock.settimeout(WAIT_S)
        assert ended(sock)
        with pytest.raises(SinkError):
            forwarder._round()
        forwarder._writer = None
    monkeypatch.setenv(VARIABLE, TOKEN)
    forwarder.start()
    outer.wait_for(lambda: outer.store.find("m") and outer.track("m").gaps)
    forwarder.stop()

    assert outer.track("m").count == 20
    assert list(outer.track("m").gaps) == list(inner.track("m").gaps)
    assert [gap.kind for gap in outer.track("m").gaps] == [GapKind.CUT]


@pytest.mark.slow
def test_a_recorded_file_never_holds_the_token(tmp_path: Path) -> None:
    """Neither a recording of the program, nor an export of a debugger that received it."""
    program = (
        "import amtracer, machine as am\n"
        "mach = am.Machine(None, {'A': am.State()}, id='m')\n"
        "amtracer.attach(mach)\n"
        "mach.add1('A')\n"
    )
    debugger = Debugger(token=SAID)
    recorded, exported = tmp_path / "a.msgpack.br", tmp_path / "b.msgpack.br"
    variables = {VARIABLE: TOKEN, "AM_DBG_ADDR": debugger.address, "AM_DBG_FILE": recorded}
    done = run(program, **variables)
    debugger.wait_for_count("m", 1)
    debugger.stop()
    export_session(debugger.store, exported)

    assert (done.returncode, done.stderr) == (0, "")
    assert b"amsf" in brotli.decompress(recorded.read_bytes())
    assert SAID not in brotli.decompress(recorded.read_bytes())
    source = MemoryBytes(exported.read_bytes())
    records = [record for record in RecordWalk(source) if isinstance(record, Record)]
    assert len(records) > 2
    for record in records:
        head, stored = record.head(source), record.stored(source)[1]
        cut = 0
        if record.header.kind == RecordKind.DEFINITIONS:
            cut = unpack_part_head(head).shapes_bytes
            assert SAID not in content_of(stored[:cut])
        assert SAID not in head
        assert SAID not in content_of(stored[cut:])
