"""The command as a process: descriptors, pipes, environment, interrupts."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from am_dbg.cli.exit_codes import Exit
from am_dbg.egress.export import export_session
from tests.dbg.histories import HistoryPlayer, stored

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_S = 30
MACHINES = 600


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A session whose list is longer than what a pipe holds."""
    player = HistoryPlayer()
    for _ in range(MACHINES):
        machine = player.enter(0)
        for _ in range(10):
            player.transit(machine, (1, 0, 1, 0, 4))
    player.writer.flush()
    path = tmp_path_factory.mktemp("session") / "s.msgpack.br"
    export_session(stored(player), path)
    return path


def shell(
    line: str, *arguments: object, env: Mapping[str, str] | None = None, **more: object
) -> subprocess.CompletedProcess[bytes]:
    """Run a line of bash in which `$AM` is the command and `$1`, `$2` are the arguments."""
    base = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "TERM": "xterm", "HOME": "/"}
    return subprocess.run(
        ["bash", "-c", f"AM='{sys.executable} -m am_dbg'; {line}", "bash", *map(str, arguments)],
        env=base if env is None else {**env, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=TIMEOUT_S,
        check=False,
        **more,  # type: ignore[call-overload]
    )


@pytest.mark.parametrize(
    "line",
    [
        "$AM",
        "$AM | cat; exit ${PIPESTATUS[0]}",
        "$AM 0<&-",
        "$AM 1>&-",
        "TERM=dumb $AM",
        "$AM -i $1",
    ],
)
def test_without_a_terminal_the_screen_is_refused(session: Path, line: str) -> None:
    """Nothing hangs, no escape is written, and one line points to the commands."""
    done = shell(line, session)

    assert done.returncode == Exit.BAD_INPUT
    assert done.stdout == b""
    assert done.stderr.count(b"\n") == 1
    assert b"am-dbg list FILE" in done.stderr


@pytest.mark.parametrize(
    "line",
    [
        "$AM list $1 0<&-",
        "$AM list $1 2>&-",
        "$AM list $1 0<&- 2>&-",
        "$AM list <(cat $1)",
        "$AM list - < $1",
        "cat $1 | $AM list -",
        "cat $1 | $AM list /dev/stdin",
    ],
)
def test_a_session_is_listed_from_any_kind_of_file(session: Path, line: str) -> None:
    """Closed descriptors do no harm; pipes and substitutions are read like a file."""
    done = shell(line, session)

    assert done.returncode == Exit.DONE, done.stderr
    assert done.stdout.splitlines()[-1] == b"600 machines, 6,000 transitions"


def test_closed_standard_output_is_an_error(session: Path) -> None:
    """Nothing is written into a file that has the number of standard output."""
    done = shell("$AM list $1 1>&-", session)

    assert done.returncode == Exit.BAD_INPUT
    assert done.stderr == b"am-dbg: standard output is closed\n"


def test_a_converted_file_never_gets_messages(session: Path, tmp_path: Path) -> None:
    """With all descriptors closed the file holds only the session."""
    target = tmp_path / "copy.msgpack.br"
    done = shell("$AM convert $1 $2 0<&- 1>&- 2>&-", session, target)

    assert done.returncode == Exit.DONE
    assert shell("$AM list $1", target).returncode == Exit.DONE


@pytest.mark.parametrize(
    "line", ["$AM list $1 --json", "$AM show $1 mach://m0 --json", "$AM --help"]
)
def test_a_reader_may_close_the_pipe(session: Path, line: str) -> None:
    """The command then ends without a message."""
    done = shell(f"{line} > >(true)", session)

    assert done.returncode in (Exit.DONE, Exit.OUTPUT_CLOSED)
    assert done.stderr == b""


def test_a_reader_may_read_only_one_line(session: Path) -> None:
    """`head -1` ends the command quietly."""
    done = shell("$AM list $1 --json | head -1; exit ${PIPESTATUS[0]}", session)

    assert (done.returncode, done.stdout, done.stderr) == (Exit.OUTPUT_CLOSED, b"{\n", b"")


@pytest.mark.parametrize(
    "env",
    [{}, {"LANG": "C"}, {"LC_ALL": "POSIX"}, {"LC_ALL": "C", "PYTHONUTF8": "0"}],
    ids=["bare", "C", "POSIX", "no UTF-8"],
)
def test_an_empty_environment_is_enough(session: Path, env: dict[str, str]) -> None:
    """No home, no locale, no terminal name; text is UTF-8 by rule."""
    done = shell("$AM show $1 mach://m0/1", session, env={"PATH": "/usr/bin:/bin", **env})

    assert (done.returncode, done.stderr) == (Exit.DONE, b"")
    assert "log" in done.stdout.decode("utf-8")


def test_output_to_a_pipe_has_no_colour(session: Path) -> None:
    """Neither data nor messages contain an escape when they go to a pipe."""
    done = shell("$AM --help; $AM list $1; $AM list none; $AM convert $1 /dev/full", session)

    assert b"\x1b" not in done.stdout + done.stderr


def test_a_full_disk_leaves_the_old_file_alone(session: Path, tmp_path: Path) -> None:
    """An export that does not fit is reported, and no part of it stays."""
    target = tmp_path / "copy.msgpack.br"
    target.write_bytes(b"old")
    limits = (100, 100)
    done = shell(
        "$AM convert $1 $2",
        session,
        target,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limits),
    )

    assert done.returncode == Exit.BAD_INPUT
    assert b"file too large" in done.stderr
    assert target.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["copy.msgpack.br"]


def test_a_bomb_is_refused_with_little_memory(tmp_path: Path) -> None:
    """A gigabyte of zeros in a kilobyte is refused within a small limit of memory."""
    import brotli

    compressor = brotli.Compressor(quality=5)
    bomb = tmp_path / "bomb.msgpack.br"
    pieces = [compressor.process(bytes(1 << 24)) for _ in range(64)]
    bomb.write_bytes(b"".join([*pieces, compressor.finish()]))
    done = shell("ulimit -v 600000; $AM list $1", bomb)

    assert done.returncode == Exit.BAD_INPUT
    assert done.stderr.count(b"\n") == 1


def test_light_commands_load_nothing_heavy() -> None:
    """Version and help need neither the screen nor the codecs."""
    program = (
        "import sys; from am_dbg.cli import commands as cli; cli.run(['--help']);"
        "print(sorted({'textual', 'rich', 'msgpack', 'brotli', 'asyncio', 'urllib.request'}"
        " & set(sys.modules)), file=sys.stderr)"
    )
    done = shell(f'{sys.executable} -c "{program}"')

    assert done.stderr == b"[]\n"
