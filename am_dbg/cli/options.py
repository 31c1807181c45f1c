"""Options that several commands of `am-dbg` share."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

import click

from am_dbg.ingest.memory import DISK_MB_MAX_DEFAULT, MEMORY_MB_MAX_DEFAULT
from am_dbg.options import AUTO, COLORS, LISTEN_ON_DEFAULT

_Command = TypeVar("_Command", bound=Callable[..., Any])


def json_option(command: _Command) -> _Command:
    """`--json`: print JSON instead of text."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command)


def listen_option(help_: str) -> Callable[[_Command], _Command]:
    """`--listen-on`: the address at which programs connect."""
    return click.option(
        "-l",
        "--listen-on",
        metavar="ADDR",
        default=LISTEN_ON_DEFAULT,
        show_default=True,
        help=help_,
    )


def token_option(command: _Command) -> _Command:
    """`--token`: the secret that programs have to send."""
    return click.option(
        "--token",
        metavar="TEXT",
        default="",
        help="Accept only programs that send this token. Other users can see command lines:"
        " AM_DBG_TOKEN in the environment is safer.",
    )(command)


def memory_option(help_: str) -> Callable[[_Command], _Command]:
    """`--max-mem`: the limit of memory in megabytes."""
    return click.option(
        "--max-mem",
        metavar="MB",
        type=click.IntRange(1),
        default=MEMORY_MB_MAX_DEFAULT,
        show_default=True,
        help=help_,
    )


def disk_option(command: _Command) -> _Command:
    """`--max-disk`: the limit of temporary files in megabytes."""
    return click.option(
        "--max-disk",
        metavar="MB",
        type=click.IntRange(0),
        default=DISK_MB_MAX_DEFAULT,
        show_default=True,
        help="Limit of the temporary files that hold history for which memory has no room; they"
        " have no names and are in TMPDIR. 0 keeps everything in memory.",
    )(command)


def _duration(_context: click.Context, _param: click.Parameter, text: str) -> int:
    from am_dbg.query.times import parse_duration

    found = parse_duration(text.strip())
    if found is None:
        raise click.BadParameter(f"{text!r} is not a duration such as 24h, 30m or 1.5s")
    return found


def log_ttl_option(command: _Command) -> _Command:
    """`--log-2-ttl`: the age from which fine log entries are dropped before anything else."""
    return click.option(
        "--log-2-ttl",
        "--log-ops-ttl",
        "lines_ttl_ns",
        metavar="DURATION",
        default="24h",
        show_default=True,
        callback=_duration,
        help="When memory has to be freed, first drop log entries above level 1 that are older"
        " than this.",
    )(command)


session_memory_option = memory_option("Memory limit; history above half of it is on the disk.")


def theme_option(command: _Command) -> _Command:
    """`--theme`: the colours of the screen by name."""
    return click.option(
        "--theme",
        metavar="NAME",
        default=AUTO,
        show_default=True,
        help="Theme: dark, light, a theme of the palette, or auto for what fits the terminal.",
    )(command)


def colors_option(command: _Command) -> _Command:
    """`--colors`: how many colours the terminal has."""
    return click.option(
        "--colors",
        type=click.Choice(COLORS),
        default=AUTO,
        show_default=True,
        help="How many colours to use; auto asks the environment, NO_COLOR included.",
    )(command)


def token_in_use(*given: str) -> bytes:
    """The first token that is not empty, otherwise the token of the environment."""
    from amtracer.env import TOKEN_VARIABLE, token_of

    texts = (*given, os.environ.get(TOKEN_VARIABLE, ""))
    return next(filter(None, map(token_of, texts)), b"")
