"""Options: repeated ones, ones before a command's name, files and addresses."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from am_dbg import app
from am_dbg.cli import collect as collecting
from am_dbg.cli import commands as cli
from am_dbg.cli.exit_codes import Exit
from am_dbg.egress.export import ExportResult
from am_dbg.options import LOG_LEVEL_WORDS, RunOptions
from amtracer.address import Address

pytestmark = pytest.mark.usefixtures("log_as_before")

Opened = Callable[..., RunOptions]
Words = pytest.CaptureFixture[str]


def refused(words: Words, *arguments: str) -> str:
    """The one line with which these arguments are refused."""
    assert cli.run(list(arguments)) == Exit.BAD_INPUT
    out, said = words.readouterr()
    assert (out, said.count("\n")) == ("", 1)
    return said


@pytest.mark.parametrize(
    "given",
    [
        ("-f", "7001", "-f", "host:7002"),
        ("-f", "7001,host:7002"),
        ("--fwd-data", " 7001 ,, host:7002, ", "-f", "", "-f", "7001"),
    ],
)
def test_debuggers_to_forward_to_are_a_list_or_repeated_options(
    opened: Opened, given: tuple[str, ...]
) -> None:
    """Both forms combine, and each address counts once."""
    assert opened(*given).forward_to == (Address("127.0.0.1", 7001), Address("host", 7002))


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (("-f", "1"), "--fwd-data 1 is this debugger itself, at localhost:6831"),
        (("-l", "7001", "-f", "7002", "-f", "localhost:7001"), "--fwd-data localhost:7001 is"),
        (("-l", "0.0.0.0:7001", "-f", "7002,127.0.0.1:7001"), "--fwd-data 127.0.0.1:7001 is"),
        (("-l", "7001", "--am-dbg-addr", "localhost:7001"), "--am-dbg-addr localhost:7001 is"),
    ],
)
def test_a_debugger_does_not_forward_to_itself(
    given: tuple[str, ...], named: str, capsys: Words
) -> None:
    """The error names the option and the address, in any form of the address."""
    assert named in refused(capsys, *given)


def test_a_debugger_that_does_not_listen_may_forward_anywhere(opened: Opened) -> None:
    """Nothing could come back to it."""
    given = opened("-l", "-1", "-f", "1", "--am-dbg-addr", ":6831")

    assert given.listen_on == ""
    assert given.forward_to == (given.am_dbg_addr,) == (Address("127.0.0.1", 6831),)


@pytest.mark.parametrize("option", ["-f", "--am-dbg-addr", "-l"])
def test_an_invalid_address_is_refused_before_the_screen_opens(option: str, capsys: Words) -> None:
    """The error shows the address."""
    assert "'host:port' is not an address" in refused(capsys, option, "host:port")


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Address]:
    """Runs a recording with these words before and after its name; gives where it listens."""

    def ask(before: tuple[str, ...], after: tuple[str, ...] = ()) -> Address:
        asked: list[Address] = []

        def collect(address: Address, *_: object, **__: object) -> ExportResult:
            asked.append(address)
            return ExportResult(0, 0, 0)

        monkeypatch.setattr(collecting, "collect", collect)
        out = str(tmp_path / "out.msgpack.br")
        assert cli.run([*before, "record", out, *after]) == Exit.DONE
        return asked[0]

    return ask


def test_an_option_of_a_command_may_stand_before_its_name(
    recorded: Callable[..., Address],
) -> None:
    """It counts, unless it is given again after the name."""
    assert recorded(("-l", "7005")).port == 7005
    assert recorded(("-l", "7005"), ("-l", "7006")).port == 7006
    assert recorded(()).port == 6831


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (("-f", "7009", "record", "o.msgpack.br"), "record has no option --fwd-data"),
        (("--log-file", "lg", "record", "o.msgpack.br"), "record has no option --log-file"),
        (("-l", "7005", "list", "s"), "list has no option --listen-on"),
        (("-m", "worker", "show", "s"), "show has no option --select-machine"),
        (("-t", "0", "stats", "s"), "stats has no option --select-transition"),
        (("--disable-mouse", "convert", "a", "b"), "convert has no option --enable-mouse"),
    ],
)
def test_an_option_that_a_command_does_not_have_is_refused(
    given: tuple[str, ...],
    named: str,
    capsys: Words,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No given option is ignored, even if it has its default value."""
    monkeypatch.chdir(tmp_path)

    assert named in refused(capsys, *given)
    assert list(tmp_path.iterdir()) == []


def test_the_version_option_prints_only_the_version(capsys: Words) -> None:
    """A command after it does not run."""
    assert cli.run(["--version", "list", "none"]) == Exit.DONE
    assert capsys.readouterr().out.startswith("am-dbg ")


def test_the_help_lists_the_log_levels(capsys: Words, opened: Opened) -> None:
    """Each level has a number and a description, and the default is shown."""
    assert cli.run(["--help"]) == Exit.DONE
    text = " ".join(capsys.readouterr().out.split())

    assert all(f"{level} {word}" in text for level, word in enumerate(LOG_LEVEL_WORDS))
    assert len(LOG_LEVEL_WORDS) == len(app.LOG_LEVELS)
    assert app.LOG_LEVELS[opened().log_level] == logging.WARNING


@pytest.mark.parametrize("option", ["--log-file", "--client-list"])
@pytest.mark.parametrize(
    ("name", "reason"),
    [("no/file", "no such file or directory"), ("folder", "a folder|is a directory")],
)
def test_a_file_that_cannot_be_written_is_reported_with_its_option(
    option: str,
    name: str,
    reason: str,
    capsys: Words,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The error shows option, path and reason, and no screen opens."""
    (tmp_path / "folder").mkdir()
    monkeypatch.setattr("am_dbg.cli.screen.why_no_screen", lambda: "")
    monkeypatch.setattr(
        "am_dbg.views.debugger.Debugger.run", lambda *_, **__: pytest.fail("opened")
    )
    said = refused(capsys, "-l", "-1", option, str(tmp_path / name))

    assert said.startswith(f"am-dbg: {option} {tmp_path / name}: it cannot be written, ")
    assert any(word in said for word in reason.split("|"))
