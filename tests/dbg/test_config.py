"""The configuration of the user: start options, theme, keys."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from am_dbg.app import with_known_theme
from am_dbg.cli.commands import command
from am_dbg.cli.start_options import start_defaults
from am_dbg.keymap import read_keymap
from am_dbg.keys import by_action
from am_dbg.options import RunOptions
from am_dbg.settings.config import FILE_BYTES_MAX, KEYS, Config, config_path, read_config


def config_of(tmp_path: Path, text: str) -> Config:
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    return read_config(path)


def checked(tmp_path: Path, text: str) -> tuple[dict[str, object], list[str]]:
    """The start options of a file, and its faults without the folder."""
    values, config = start_defaults(config_of(tmp_path, text), command.params)
    return values, [trouble.replace(f"{tmp_path}/", "") for trouble in config.troubles]


def test_the_configuration_lies_in_the_users_folder() -> None:
    """An environment variable may name another file."""
    assert config_path({"XDG_CONFIG_HOME": "/c"}) == Path("/c/am-dbg/config.toml")
    assert config_path({"AM_DBG_CONFIG": "/k.toml", "XDG_CONFIG_HOME": "/c"}) == Path("/k.toml")


def test_no_file_is_no_fault(tmp_path: Path) -> None:
    """Without a file everything is as it is by default."""
    assert read_config(tmp_path / "none.toml") == Config()


def test_start_options_have_the_names_of_the_command_line(tmp_path: Path) -> None:
    """Dashes and underscores mean the same."""
    text = '[start]\nview = "tree-rain"\nreader = true\nmax-mem = 50\nlisten_on = "-1"\n'

    assert checked(tmp_path, text) == (
        {"view": "tree-rain", "reader": True, "max_mem": 50, "listen_on": "-1"},
        [],
    )


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('[start]\n\nview = "rain"\n', "config.toml:3: view is wrong: 'rain' is not one of"),
        ("[start]\nreader = 1\n", "config.toml:2: reader is true or false"),
        ("[start]\nmax-mem = true\n", "config.toml:2: max-mem is a number"),
        ("[start]\nmax-mem = 0\n", "config.toml:2: max-mem is wrong: 0 is not in the range"),
        ("[start]\nfwd-data = [1]\n", "config.toml:2: fwd-data is a list of texts"),
        ('[start]\nveiw = "x"\n', "config.toml:2: there is no 'veiw' here, did you mean view;"),
        ('[start]\ntoken = "x"\n', "config.toml:2: there is no 'token' here"),
        ("[startt]\n", "config.toml:1: there is no 'startt' here, did you mean start;"),
        ("start = 5\n", "config.toml:1: start is a table: [start]"),
        ("= broken", "the configuration is not used: Invalid"),
    ],
)
def test_a_fault_names_the_line_and_what_is_allowed(tmp_path: Path, text: str, fault: str) -> None:
    """The debugger starts with the rest of the file."""
    values, faults = checked(tmp_path, text)

    assert values == {}
    assert [one[: len(fault)] for one in faults] == [fault]


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    """A configuration is short; a wrong file would fill the memory."""
    assert "more than 100,000 bytes" in config_of(tmp_path, "#" * (FILE_BYTES_MAX + 1)).troubles[0]
    assert config_of(tmp_path, "#" * FILE_BYTES_MAX).troubles == ()


def test_the_command_line_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A value of the file is the default of the option."""
    config_of(tmp_path, '[start]\nview = "tree-rain"\nmax-mem = 7\n')
    monkeypatch.setenv("AM_DBG_CONFIG", str(tmp_path / "config.toml"))
    values, _ = start_defaults(read_config(config_path()), command.params)
    context = click.Context(command, default_map=values)
    command.parse_args(context, ["--view", "matrix"])

    assert (context.params["view"], context.params["max_mem"]) == ("matrix", 7)


def test_keys_of_the_configuration_count_like_those_of_their_own_file(tmp_path: Path) -> None:
    """Where both give keys to an action, the file of the keys wins; faults name their lines."""
    config = config_of(tmp_path, '[keys]\ntail = "T"\nrain = "f5"\nrian = "x"\n')
    (tmp_path / "keys.toml").write_text('tail = "f6"\n', encoding="utf-8")

    keymap = read_keymap(tmp_path / "keys.toml", config.keys, lambda name: config.place(name, KEYS))
    table = by_action(keymap.table)

    assert (table["tail"].all_keys, table["rain"].all_keys) == (("f6",), ("f5",))
    assert keymap.trouble == f"{config.path}:4: no action rian, did you mean rain"
    alone = read_keymap(tmp_path / "none.toml", config.keys)
    assert by_action(alone.table)["tail"].all_keys == ("T",)


def test_a_theme_that_does_not_exist_is_a_fault_of_the_file(tmp_path: Path) -> None:
    """The screen opens with the theme that fits the terminal; a flag is refused instead."""
    config = config_of(tmp_path, '\ntheme = "am-lihgt"\n')
    options = with_known_theme(RunOptions(config=config, theme="am-lihgt"))

    assert options.theme == "auto"
    assert (
        f"{config.path}:2: there is no 'am-lihgt' here, did you mean am-light"
        in (options.config.troubles[0])
    )
    for theme in ("am-light", "Light", "auto"):
        known = RunOptions(config=config_of(tmp_path, f'theme = "{theme}"'), theme=theme)
        assert with_known_theme(known) is known
    flag = RunOptions(config=config, theme="nonsense")
    assert with_known_theme(flag) is flag
