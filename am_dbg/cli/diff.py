"""The command `am-dbg diff`: where two sessions part, or two machines, or two moments."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NamedTuple

import click

from am_dbg.cli.exit_codes import Exit
from am_dbg.cli.options import (
    colors_option,
    json_option,
    session_memory_option,
    theme_option,
)
from am_dbg.cli.output import fail, json_lines, write_lines
from am_dbg.cli.session import read_session, with_damage
from am_dbg.cli.terminal import is_terminal, why_no_screen
from am_dbg.errors import MachineNotFoundError, NoTerminalError
from am_dbg.options import AUTO, RunOptions
from am_dbg.settings.config import THEME, Config

if TYPE_CHECKING:
    from am_dbg.projection.comparison.sessions import SessionComparison
    from am_dbg.store import Store

BETWEEN_ARGUMENTS, WITHIN_ARGUMENTS = 2, 3
"""The arguments of a comparison: two files, or a file and two addresses."""


@click.command("diff")
@click.argument("sessions", nargs=-1, metavar="A B | FILE ADDRESS ADDRESS")
@click.option("--machine", metavar="ID", default="", help="Compare only this machine.")
@click.option(
    "--screen/--text",
    "on_screen",
    default=None,
    help="Open the screen, or print text. On a terminal, differences open the screen.",
)
@theme_option
@colors_option
@json_option
@session_memory_option
@click.pass_obj
def diff_command(
    config: Config | None,
    sessions: tuple[str, ...],
    machine: str,
    on_screen: bool | None,
    theme: str,
    colors: str,
    as_json: bool,
    max_mem: int,
) -> int:
    """Compare two sessions: the first difference of every machine.

    Transitions are compared by what they called and what came of it; times, arguments and
    health checks do not count. The machine that differs first comes first. The exit code is 1
    if there is a difference.

    With one FILE and two addresses, two machines of it are compared in the same way, or two
    moments of one machine (mach://ID/PLACE) by their states.
    """
    if sys.stdout is None:
        return fail("standard output is closed")
    config = config or Config()
    theme = str(config.start.get(THEME, AUTO)) if theme == AUTO else theme
    show = Output(on_screen, as_json, RunOptions(theme=theme, colors=colors, config=config))
    if len(sessions) == WITHIN_ARGUMENTS and not machine:
        return _within(*sessions, show=show, max_mem=max_mem)
    if len(sessions) != BETWEEN_ARGUMENTS:
        raise click.UsageError("diff needs two sessions, or one session and two addresses")
    one, error = read_session(sessions[0], max_mem)
    other, other_error = read_session(sessions[1], max_mem)
    code = _show(_compared(one, other, machine), (sessions[0], sessions[1]), show)
    return with_damage(code, (one, error), (other, other_error))


class Output(NamedTuple):
    """How to show a comparison: on the screen, as text, or as JSON."""

    on_screen: bool | None
    as_json: bool
    options: RunOptions


def _show(comparison: SessionComparison, files: tuple[str, str], show: Output) -> Exit:
    if _opens_screen(comparison, show.on_screen, as_json=show.as_json):
        from am_dbg.cli.diff_screen import open_diff_screen

        open_diff_screen(comparison, files, show.options)
    else:
        _print(comparison, files, as_json=show.as_json)
    return Exit.DONE if comparison.is_same else Exit.DIFFERENT


def _within(file: str, *addresses: str, show: Output, max_mem: int) -> Exit:
    """Compare two machines of a session, or two moments of a machine."""
    from am_dbg.projection.addresses.resolve import resolve
    from am_dbg.projection.comparison.sessions import compare_two
    from am_dbg.projection.difference import project_difference
    from am_dbg.reports.difference import difference_lines, difference_value

    store, error = read_session(file, max_mem)
    one, other = (resolve(store, address) for address in addresses)
    if one.track is not other.track:
        code = _show(compare_two(store, one.track, other.track), (file, file), show)
        return with_damage(code, (store, error))
    if one.number is None or other.number is None:
        raise click.UsageError("two addresses of one machine need a place each: mach://ID/PLACE")
    if show.on_screen:
        raise click.UsageError("--screen compares sessions or machines, not moments")
    view = project_difference(one.track, one.number, other.number)
    write_lines(json_lines(difference_value(view)) if show.as_json else difference_lines(view))
    return with_damage(Exit.DIFFERENT if view.states else Exit.DONE, (store, error))


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
