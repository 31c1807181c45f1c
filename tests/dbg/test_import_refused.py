"""What is no session, or one made to do harm: reported in one line, whatever command reads it."""

from __future__ import annotations

import gzip
import os
import random
import resource
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import brotli
import msgpack
import pytest

from am_dbg.cli import commands as cli
from am_dbg.cli.exit_codes import Exit
from am_dbg.egress.export import export_session
from am_dbg.ingest.importing import import_session, open_source
from am_dbg.ingest.intake import ImportProgress, Intake
from am_dbg.store import GapKind, Store, Track, TransitionRecord
from amtracer.errors import DamagedSessionError, SessionError, SessionTooLargeError
from amtracer.wire.codec import FILE, StreamTotals, encode, magic_frame
from amtracer.wire.messages import (
    BatchMessage,
    MachineMessage,
    Message,
    Run,
    SchemaMessage,
    SegmentMessage,
    Shape,
    ShapeMessage,
    StateDef,
    StringsMessage,
)
from tests.dbg.histories import HistoryPlayer, hello, stored

ROOT = Path(__file__).resolve().parents[2]
NOBODY = 65_534


def session_of(*machines: int, session: str = "") -> HistoryPlayer:
    player = HistoryPlayer(session)
    for name in machines:
        machine = player.enter(0, (0, name, 0))
        for at in range(10):
            player.transit(machine, (at % 8, at, at, 0, 4))
    player.writer.flush()
    return player


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "good.msgpack.br"
    export_session(stored(session_of(0)), path)
    return path


def framed(body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + zlib.crc32(body).to_bytes(4, "big") + body


def file_of(path: Path, *frames: bytes) -> Path:
    """A session file with a right end message, whatever the frames are."""
    totals, compressor = StreamTotals(), brotli.Compressor(quality=5, lgwin=24)
    data = b""
    for frame in (magic_frame(FILE), *frames):
        totals.add(frame)
        data += compressor.process(frame)
    path.write_bytes(
        data + compressor.process(encode(totals.message(), FILE)) + compressor.finish()
    )
    return path


def frames(*messages: Message) -> list[bytes]:
    return [encode(message, FILE) for message in messages]


# Every command prints the same about it.


def made(folder: Path, content: bytes) -> Path:
    path = folder / "bad"
    path.write_bytes(content)
    return path


def fifo(folder: Path, _: bytes) -> Path:
    os.mkfifo(folder / "fifo")
    return folder / "fifo"


BAD: dict[str, tuple[Callable[[Path, bytes], Path], str]] = {
    "missing": (lambda folder, _: folder / "none", "no such file or directory"),
    "folder": (lambda folder, _: folder, "looks like a folder"),
    "device": (lambda *_: Path("/dev/zero"), "looks like a device"),
    "pipe": (fifo, "empty file"),
    "empty": (lambda folder, _: made(folder, b""), "empty file"),
    "text": (lambda folder, _: made(folder, b"hello\n" * 9), "looks like text"),
    "gzip": (lambda folder, data: made(folder, gzip.compress(data)), "looks like gzip"),
    "zstd": (lambda folder, _: made(folder, b"\x28\xb5\x2f\xfd" * 9), "looks like zstd"),
    "msgpack": (lambda folder, _: made(folder, msgpack.packb([1, "x"] * 9)), "plain msgpack"),
}
SPOILED: dict[str, tuple[Callable[[Path, bytes], Path], str]] = {
    "trailing": (lambda folder, data: made(folder, data + b"\n"), "followed by other bytes"),
    "joined": (lambda folder, data: made(folder, data + data), "perhaps two files joined"),
    "damaged": (lambda folder, data: made(folder, _flipped(data)), ""),
}


def _flipped(data: bytes) -> bytes:
    at = len(data) // 2
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


@pytest.mark.parametrize("command", [["list"], ["stats"], ["show"], ["convert"], ["-i"]])
@pytest.mark.parametrize("what", BAD)
def test_every_command_reports_in_one_line_what_is_wrong(
    what: str, command: list[str], good: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The path and the reason go to standard error, nothing to standard output, the code is 2."""
    make, reason = BAD[what]
    path = make(good.parent, good.read_bytes())
    target = [str(good.parent / "out.jsonl")] * (command == ["convert"])
    code = cli.run([*command, str(path), *target])
    out, words = capsys.readouterr()

    assert (code, out) == (Exit.BAD_INPUT, "")
    assert words.startswith(f"am-dbg: {path}: ")
    assert words.count("\n") == 1
    assert reason in words
    assert not (good.parent / "out.jsonl").exists()


@contextmanager
def somebody_else() -> Iterator[None]:
    """As a user who may not read everything."""
    if os.geteuid():
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_file_without_permission_is_reported(
    good: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The system's word follows the path."""
    good.chmod(0)
    with somebody_else():
        code = cli.run(["list", str(good)])

    assert code == Exit.BAD_INPUT
    assert capsys.readouterr().err == f"am-dbg: {good}: permission denied\n"


@pytest.mark.parametrize(
    "name",
    [b"-x", b"--json", b"a\nb", b"\x1b[31m", b"\xff\xfe", "Größe".encode(), b"x" * 255, b" ", b"#"],
)
def test_any_name_that_names_a_session_will_do(
    name: bytes, good: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """After `--` even one that begins with a dash; nothing of it reaches the terminal raw."""
    monkeypatch.chdir(good.parent)
    os.rename(good, name)
    text = os.fsdecode(name)

    assert cli.run(["list", "--", text]) == Exit.DONE
    assert "10 transitions" in capsys.readouterr().out
    Path(text).write_bytes(b"")
    assert cli.run(["list", "--", text]) == Exit.BAD_INPUT
    words = capsys.readouterr().err
    assert words.endswith(": empty file, no session in it\n")
    assert words.count("\n") == 1
    assert "\x1b" not in words


# Content that is well compressed and has right checksums, and is wrong.

OPENING = (hello(), SchemaMessage(0, (StateDef("A"),)), MachineMessage(0, "m", 0))


def nested(depth: int) -> bytes:
    return b"\x91" * depth + b"\x90"


CONTENT: dict[str, bytes] = {
    "an array that announces more than there is": b"\xdd\xff\xff\xff\xff",
    "a map that announces more than there is": b"\xdf\xff\xff\xff\xff",
    "a text that announces more than there is": b"\x92\x07\xdb\xff\xff\xff\xff",
    "bytes that announce more than there are": b"\x92\x07\xc6\xff\xff\xff\xff",
    "arrays, a thousand deep": nested(1_000),
    "arrays, a million deep": nested(1_000_000),
    "a key that comes twice": b"\x92\x01\x82\xa1a\x01\xa1a\x02",
    "a text that is no UTF-8": b"\x93\x07\x00\x91\xa1\xff",
    "no array": b"\x01",
    "an empty array": b"\x90",
    "nothing": b"",
    "two values": b"\x91\x09\x91\x09",
    "the wrong shape": msgpack.packb([10, "m", {}, None]),
    "a number that is too large": msgpack.packb([5, 2**64 - 1]),
    "a negative length": msgpack.packb([10, 0, -1, [], []]),
    "not a number": msgpack.packb([5, float("nan")]),
    "a time": msgpack.packb([5, msgpack.Timestamp(1)]),
}


@pytest.mark.parametrize("what", CONTENT)
def test_wrong_content_is_damage(what: str, tmp_path: Path) -> None:
    """Nothing of it is kept, and what came before is there, marked as cut."""
    path = file_of(tmp_path / "bad", *frames(*OPENING), framed(CONTENT[what]))
    store = Store()

    with pytest.raises(DamagedSessionError) as raised:
        import_session(store, str(path))
    assert "\n" not in str(raised.value)
    assert [gap.kind for gap in store.tracks[0].gaps] == [GapKind.CUT]


MISFITS: dict[str, Message] = {
    "a machine of an unknown schema": MachineMessage(1, "n", 7),
    "a shape of an unknown state": ShapeMessage(0, 0, Shape(0, (5,), 1)),
    "a batch of an unknown machine": BatchMessage((Run(4, 0, 1),), (0,), (1,)),
    "a batch of an unknown shape": BatchMessage((Run(0, 0, 1),), (9,), (1,)),
    "a second hello's schema number": SchemaMessage(0, (StateDef("B"),)),
    "states of one name": SchemaMessage(1, (StateDef("B"), StateDef("B"))),
}


@pytest.mark.parametrize("what", MISFITS)
def test_messages_that_contradict_each_other_are_damage(what: str, tmp_path: Path) -> None:
    """Whatever does not fit to what came before ends the import there."""
    path = file_of(tmp_path / "bad", *frames(*OPENING, MISFITS[what]))

    with pytest.raises(DamagedSessionError):
        import_session(Store(), str(path))


# Little that becomes much.

TEXTS = StringsMessage(0, tuple(f"{number:x}" for number in range(60_000)))


def bomb_of_texts(path: Path, segments: int) -> Path:
    return file_of(path, *frames(*OPENING), *frames(TEXTS, SegmentMessage()) * segments)


def test_a_session_that_grows_in_memory_is_refused(tmp_path: Path) -> None:
    """A few kilobytes that would fill the memory end at the limit, not far behind it."""
    states = tuple(StateDef(f"S{at}") for at in range(1_000))
    path = file_of(
        tmp_path / "bomb", *frames(hello(), *[SchemaMessage(n, states) for n in range(90)])
    )
    assert path.stat().st_size < 20_000
    limit = 3_000_000
    store = Store()

    with pytest.raises(SessionTooLargeError, match="more than 3,000,000 bytes in memory, refused"):
        import_session(store, str(path), memory_max=limit)
    assert store.size() < 2 * limit
    assert import_session(Store(), str(path), memory_max=100 * limit) == 0


@pytest.mark.parametrize("command", ["list", "show", "stats", "convert"])
def test_every_command_that_reads_keeps_to_the_same_limit(
    tmp_path: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A session that takes more is refused with one line, and read when more is allowed."""
    states = tuple(StateDef(f"S{at}") for at in range(1_000))
    schemas = [SchemaMessage(number, states) for number in range(1, 10)]
    path = file_of(tmp_path / "large.msgpack.br", *frames(*OPENING, *schemas))
    rest = [str(tmp_path / "out.jsonl")] if command == "convert" else []

    assert cli.run([command, str(path), *rest, "--max-mem", "1"]) == 2
    words = capsys.readouterr().err
    assert words.count("in memory") == 1
    assert "more than 1,000,000 bytes in memory, refused" in words
    assert cli.run([command, str(path), *rest, "--max-mem", "10"]) in (0, 2)
    assert "in memory" not in capsys.readouterr().err


def test_a_screen_lets_the_oldest_go_while_it_imports(tmp_path: Path) -> None:
    """The memory it was given bounds what it holds, from the beginning on."""
    path = bomb_of_texts(tmp_path / "bomb", 20)
    store, over = Store(), threading.Event()
    sizes: list[int] = []
    fed: list[ImportProgress] = []

    def imported(progress: ImportProgress) -> None:
        sizes.append(store.size())
        fed.append(progress)
        if progress.is_over:
            over.set()

    intake = Intake(store, lambda: None, imported, bytes_max=1_000_000)
    intake.start(source=open_source(str(path)))
    assert over.wait(60)
    intake.stop()

    assert fed[-1].trouble == ""
    assert max(sizes) < 3_000_000


def _zeros(path: Path) -> Path:
    compressor = brotli.Compressor(quality=5)
    pieces = [compressor.process(bytes(1 << 24)) for _ in range(65)]
    path.write_bytes(b"".join([*pieces, compressor.finish()]))
    return path


def _unknown(path: Path) -> Path:
    """Frames that a reader skips, more of them than a session may be large."""
    frame = framed(msgpack.packb([999, *["x" * 65_000] * 100]))
    return file_of(path, *frames(hello()), *[frame] * 170)


BOMBS: dict[str, Callable[[Path], Path]] = {"zeros": _zeros, "unknown kinds": _unknown}


@pytest.mark.slow
@pytest.mark.parametrize("what", BOMBS)
def test_a_gigabyte_in_a_few_kilobytes_takes_little_memory(what: str, tmp_path: Path) -> None:
    """The command ends with one line under a limit of address space."""
    path = BOMBS[what](tmp_path / "bomb")
    assert path.stat().st_size < 100_000
    done = subprocess.run(
        [sys.executable, "-m", "am_dbg", "list", str(path)],
        cwd=ROOT,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (400 << 20, 400 << 20)),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.returncode, done.stdout) == (Exit.BAD_INPUT, "")
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
    assert "refused" in done.stderr or "looks like" in done.stderr


# Sessions beside each other.


def test_three_sessions_come_one_after_the_other(tmp_path: Path) -> None:
    """Each adds its machines with its own history; nothing is mixed."""
    store = Store()
    for machines in ((0, 1), (1, 2), (0,)):
        path = tmp_path / f"{machines}.msgpack.br"
        export_session(stored(session_of(*machines)), path)
        import_session(store, str(path))

    assert [track.key for track in store.tracks] == ["m0", "m1", "m1#2", "m2", "m0#2"]
    assert [track.count for track in store.tracks] == [10] * 5
    assert len({store.streams[track.stream].label for track in store.tracks}) == 3


def test_what_is_imported_is_kept_apart_from_what_is_live(tmp_path: Path) -> None:
    """The same machines of the same session, once from a file and once from a connection."""
    path = tmp_path / "same.msgpack.br"
    player = session_of(0, session="same")
    export_session(stored(player), path)
    store = Store()
    live = store.open_stream("127.0.0.1:1", live=True)
    half = len(player.messages) // 2
    for message in player.messages[:half]:
        store.feed(live, message)
    import_session(store, str(path))
    for message in player.messages[half:]:
        store.feed(live, message)

    assert [(track.key, track.connected, track.count) for track in store.tracks] == [
        ("m0", True, 10),
        ("m0#2", False, 10),
    ]


def reported(track: Track) -> list[TransitionRecord]:
    return [track.transition(number) for number in range(1, track.count + 1)]


def test_a_thousand_flipped_bits_show_no_wrong_history(tmp_path: Path) -> None:
    """A changed file is reported as such, or holds the very same session."""
    rng = random.Random(4)
    path = tmp_path / "s"
    original = stored(session_of(0, 1))
    export_session(original, path)
    data = path.read_bytes()
    for _ in range(1_000):
        at = rng.randrange(8 * len(data))
        flipped = bytearray(data)
        flipped[at // 8] ^= 1 << at % 8
        path.write_bytes(flipped)
        store = Store()
        try:
            import_session(store, str(path))
        except SessionError:
            for copy, track in zip(store.tracks, original.tracks, strict=False):
                assert reported(copy) == reported(track)[: copy.count]
        else:
            assert brotli.decompress(bytes(flipped)) == brotli.decompress(data)
