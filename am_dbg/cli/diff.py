"""The command `am-dbg diff`: where two sessions part."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from am_dbg.cli.exit_codes import Exit
from am_dbg.cli.options import json_option, session_memory_option
from am_dbg.cli.output import fail, json_lines, write_lines
from am_dbg.cli.session import read_session
from am_dbg.cli.terminal import is_terminal, why_no_screen
from am_dbg.errors import MachineNotFoundError, NoTerminalError

if TYPE_CHECKING:
    from am_dbg.projection.comparison.sessions import SessionComparison
    from am_dbg.store import Store


@click.command("diff")
@click.argument("a")
@click.argument("b")
@click.option("--machine", metavar="ID", default="", help="Compare only this machine.")
@click.option(
    "--screen/--text",
    "on_screen",
    default=None,
    help="Open the screen, or print text. On a terminal, differences open the screen.",
)
@json_option
@session_memory_option
def diff_command(
    a: str, b: str, machine: str, on_screen: bool | None, as_json: bool, max_mem: int
) -> int:
    """Compare two sessions: the first difference of every machine.

    Transitions are compared by what they called and what came of it; times, arguments and
    health checks do not count. The machine that differs first comes first. The exit code is 1
    if the sessions differ.
    """
    if sys.stdout is None:
        return fail("standard output is closed")
    one, error = read_session(a, max_mem)
    other, other_error = read_session(b, max_mem)
    comparison = _compared(one, other, machine)
    if _opens_screen(comparison, on_screen, as_json=as_json):
        from am_dbg.cli.diff_screen import open_diff_screen

        open_diff_screen(comparison, (a, b))
    else:
        _print(comparison, (a, b), as_json=as_json)
    for trouble in filter(None, (error, other_error)):
        fail(str(trouble))
    if error or other_error:
        return Exit.BAD_INPUT
    return Exit.DONE if comparison.is_same else Exit.DIFFERENT


def _compared(one: Store, other: Store, machine: str) -> SessionComparison:
    from am_dbg.projection.addresses.machine_names import near
    from am_dbg.projection.addresses.write import SCHEME
    from am_dbg.projection.comparison.sessions import compare_sessions

    key = machine.removeprefix(SCHEME)
    if key and one.find(key) is None and other.find(key) is None:
        raise MachineNotFoundError(machine, near(one, key) or near(other, key))
    return compare_sessions(one, other, key)


def _opens_screen(comparison: SessionComparison, on_screen: bool | None, *, as_json: bool) -> bool:
    """Whether the screen opens; without being asked only to show a difference."""
    if on_screen is None:
        can_open = is_terminal(sys.stdout) and not why_no_screen()
        return can_open and not as_json and bool(comparison.differing)
    reason = why_no_screen()
    if on_screen and reason:
        raise NoTerminalError(reason)
    return on_screen


def _print(comparison: SessionComparison, files: tuple[str, str], *, as_json: bool) -> None:
    from am_dbg.reports.comparison import comparison_lines, comparison_value

    if as_json:
        write_lines(json_lines(comparison_value(comparison, files)))
    else:
        write_lines(comparison_lines(comparison, files))
