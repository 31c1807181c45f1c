"""Damage costs what is damaged: the rest of a session is shown, and the damage is reported."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from am_dbg.cli import commands as cli
from am_dbg.cli.exit_codes import Exit
from am_dbg.ingest.importing import import_session
from am_dbg.projection.excerpt import TRANSITION_CHARS_MAX, Excerpt
from am_dbg.store import GapKind, Store
from amtracer.errors import DamagedSessionError
from amtracer.files.session import SessionWriter
from amtracer.wire.messages import MachineMessage, Message
from tests.dbg.histories import HistoryPlayer, hello, stored

COMMANDS = (["list"], ["list", "--json"], ["stats"], ["stats", "--json"], ["show"])


def program(name: int, session: str) -> list[Message]:
    """A stream of one machine with ten transitions."""
    player = HistoryPlayer(session)
    machine = player.enter(0, (0, name, 0))
    for at in range(10):
        player.transit(machine, (at % 8, at, at, 0, 4))
    player.writer.flush()
    return player.messages


def written(path: Path, *messages: Message) -> Path:
    with SessionWriter(path) as writer:
        for message in messages:
            writer.write(message)
    return path


def broken(messages: list[Message]) -> list[Message]:
    """The stream with a machine in it whose schema was never defined."""
    return [*messages, MachineMessage(machine=7, id="nobody", schema=99), *messages[1:]]


def test_a_bad_stream_costs_only_itself(tmp_path: Path) -> None:
    """A stream that breaks a rule ends there; streams before and after it are whole."""
    streams = (program(0, "a"), broken(program(1, "b")), program(2, "c"))
    path = written(tmp_path / "mixed.msgpack.br", *(m for stream in streams for m in stream))
    store = Store()

    with pytest.raises(DamagedSessionError, match="damaged after 20 transitions"):
        import_session(store, str(path))

    assert [track.count for track in store.tracks] == [10, 10, 10]
    cut = [[gap.kind for gap in track.gaps if gap.kind is GapKind.CUT] for track in store.tracks]
    assert cut == [[], [GapKind.CUT], []]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_what_is_whole_is_printed_and_the_damage_reported(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Data goes to standard output, the damage to standard error, and the exit code is 2."""
    path = written(tmp_path / "bad.msgpack.br", *broken(program(0, "a")))

    code = cli.run([command[0], str(path), *command[1:]])

    out, words = capsys.readouterr()
    assert code == Exit.BAD_INPUT
    assert "10" in out
    assert words.count("\n") == 1
    assert "damaged after 10 transitions" in words


def test_what_is_whole_is_converted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A conversion of a damaged session holds what is whole; the exit code is 2."""
    path = written(tmp_path / "bad.msgpack.br", *broken(program(0, "a")))
    target = tmp_path / "whole.msgpack.br"

    assert cli.run(["convert", str(path), str(target)]) == Exit.BAD_INPUT
    assert cli.run(["list", "--json", str(target)]) == Exit.DONE
    assert json.loads(capsys.readouterr().out)["transitions"] == 10


def test_a_damaged_session_with_nothing_whole_shows_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before the first machine there is nothing to print."""
    path = written(tmp_path / "bad.msgpack.br", hello("a"), MachineMessage(0, "nobody", 99))

    assert cli.run(["list", str(path)]) == Exit.BAD_INPUT
    assert capsys.readouterr().out == ""


def cut_at(room: int, *texts: str) -> list[str]:
    excerpt = Excerpt()
    excerpt.begin()
    excerpt._room = room
    return [text for _, text in excerpt.of([(0, text) for text in texts], "line")]


def test_texts_are_whole_up_to_the_limit() -> None:
    """The limit itself is allowed, and nothing is marked as missing."""
    assert cut_at(6, "abc", "def") == ["abc", "def"]


def test_a_text_over_the_limit_reports_how_much_is_missing() -> None:
    """The text that does not fit is cut; what follows is counted, not shown."""
    assert cut_at(4, "abc", "def", "gh", "ijk") == [
        "abc",
        "d… 2 more characters left out",
        "… 2 more lines left out, 5 characters",
    ]


def test_each_transition_has_the_whole_limit() -> None:
    """Long texts of one transition take nothing from the next one."""
    excerpt = Excerpt()
    for _ in range(3):
        excerpt.begin()
        (text,) = (text for _, text in excerpt.of([(0, "x" * TRANSITION_CHARS_MAX)], "line"))
        assert len(text) == TRANSITION_CHARS_MAX


def test_a_small_file_makes_no_huge_output() -> None:
    """All that one command writes has a limit, however often a text is repeated."""
    store = stored(HistoryPlayer())
    excerpt = Excerpt(store)
    total = 0
    for _ in range(1_000):
        excerpt.begin()
        total += sum(len(t) for _, t in excerpt.of([(1, "x" * 60_000)] * 20, "line"))

    assert total < 17 * 1024 * 1024 + 64 * store.size()
