"""The command `am-dbg`: its options, its subcommands and its exit codes.

Data goes to standard output, messages go to standard error, one line each. Nothing heavy is
loaded before it is needed, so `--version` and a wrong option answer at once.
"""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING, Any

import click

from am_dbg.cli.check import check_command
from am_dbg.cli.convert import convert_command
from am_dbg.cli.diff import diff_command
from am_dbg.cli.errors import errors_command
from am_dbg.cli.exit_codes import Exit, exit_table
from am_dbg.cli.find import find_command
from am_dbg.cli.list import list_command
from am_dbg.cli.next import next_command
from am_dbg.cli.options import (
    colors_option,
    disk_option,
    listen_option,
    log_ttl_option,
    memory_option,
    theme_option,
    token_option,
)
from am_dbg.cli.output import PROGRAM, fail, flush, is_flushed, write_lines
from am_dbg.cli.record import record_command
from am_dbg.cli.screen import checked_place, open_screen
from am_dbg.cli.show import show_command
from am_dbg.cli.start_options import start_defaults
from am_dbg.cli.stats import stats_command
from am_dbg.cli.terminal import fill_standard_descriptors
from am_dbg.cli.when import when_command
from am_dbg.cli.why import why_command
from am_dbg.errors import DebuggerError
from am_dbg.ingest.collection import postpone_collection, resume_collection
from am_dbg.options import (
    LOG_LEVEL_DEFAULT,
    LOG_LEVEL_WORDS,
    NOT_LISTENING,
    VIEWS,
)
from am_dbg.settings.config import Config, config_path, read_config
from am_dbg.settings.program_version import program_version
from amtracer.errors import TracingError

if TYPE_CHECKING:
    from types import FrameType

_LEVELS = ", ".join(f"{level} {text}" for level, text in enumerate(LOG_LEVEL_WORDS))


class _TerminatedError(BaseException):
    """SIGTERM arrived; cleanup code runs while this error passes through."""


def main() -> None:
    """Run the command of this process, from start to exit."""
    signal.signal(signal.SIGTERM, _terminate)
    postpone_collection()
    fill_standard_descriptors()
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    code = run(sys.argv[1:])
    sys.exit(code if is_flushed() else Exit.OUTPUT_CLOSED)


def _terminate(_signal: int, _frame: FrameType | None) -> None:
    raise _TerminatedError


def run(arguments: list[str]) -> int:
    """Run the command with these arguments and return its exit code."""
    try:
        defaults, config = start_defaults(read_config(config_path()), command.params)
        code = command.main(
            arguments, PROGRAM, standalone_mode=False, default_map=defaults, obj=config
        )
        flush()
    except click.exceptions.Exit as asked:
        return asked.exit_code
    except click.ClickException as error:
        return fail(f"{error.format_message()} (see {PROGRAM} --help)")
    except (DebuggerError, TracingError) as error:
        return fail(str(error))
    except (click.Abort, KeyboardInterrupt):
        return fail("interrupted", Exit.INTERRUPTED)
    except _TerminatedError:
        return fail("terminated", Exit.TERMINATED)
    except (BrokenPipeError, SystemExit):  # click raises SystemExit when a pipe is closed
        return Exit.OUTPUT_CLOSED
    except OSError as error:
        return fail(f"cannot write the output: {(error.strerror or str(error)).lower()}")
    return code if isinstance(code, int) else Exit.DONE


@click.group(invoke_without_command=True, epilog=exit_table())
@click.option(
    "-i",
    "--import-data",
    metavar="FILE|URL|-",
    default="",
    help="Open a session: a file, a URL, or - for standard input.",
)
@listen_option(f"Address at which programs connect; {NOT_LISTENING} for none.")
@token_option
@click.option(
    "-m",
    "--select-machine",
    metavar="ID",
    default="",
    help="Select this machine: an id, a part of an id, or an address.",
)
@click.option(
    "-t",
    "--select-transition",
    metavar="PLACE",
    default="",
    callback=lambda _context, _option, text: checked_place(text),
    help="Select this transition: a number from 1, a machine time (t20), a wall time or an id.",
)
@click.option(
    "-v",
    "--view",
    type=click.Choice(VIEWS),
    default=VIEWS[0],
    show_default=True,
    help="Panes to show.",
)
@click.option(
    "-c",
    "--select-connected",
    is_flag=True,
    help="Follow a program that connects, if no other is connected.",
)
@click.option("-r", "--reader", is_flag=True, help="Show the reader.")
@click.option(
    "-f",
    "--fwd-data",
    metavar="ADDR,...",
    multiple=True,
    help="Forward received data to these debuggers; may be repeated.",
)
@click.option(
    "--clean-on-connect",
    is_flag=True,
    help="Remove disconnected machines when a new one connects.",
)
@click.option(
    "--client-list", metavar="FILE", default="", help="Keep a list of all machines in this file."
)
@memory_option("Memory limit for received data; history above half of it is on the disk.")
@disk_option
@log_ttl_option
@click.option(
    "--enable-mouse/--disable-mouse",
    default=True,
    show_default=True,
    help="Use the mouse, or leave it to the terminal.",
)
@theme_option
@colors_option
@click.option(
    "--am-dbg-addr",
    metavar="ADDR",
    default="",
    help="Trace this debugger itself, and send the traces to the debugger at ADDR.",
)
@click.option("--log-file", metavar="FILE", default="", help="Write a log of this debugger.")
@click.option(
    "--log-level",
    type=click.IntRange(0, len(LOG_LEVEL_WORDS) - 1),
    default=LOG_LEVEL_DEFAULT,
    show_default=True,
    help=f"How much the log contains: {_LEVELS}.",
)
@click.option("--version", is_flag=True, help="Show the version and exit.")
@click.pass_context
def command(context: click.Context, /, version: bool, **given: Any) -> int:
    """Shows step by step why a program is in the state it is in.

    Without a command the screen opens. The commands need no terminal.
    """
    if version:
        write_lines([program_version()])
        context.exit(Exit.DONE)
    if context.invoked_subcommand is None:
        return open_screen(**given, config=context.obj or Config())
    resume_collection()
    _hand_down(context, context.invoked_subcommand)
    return Exit.DONE


for _subcommand in (
    list_command,
    show_command,
    find_command,
    why_command,
    when_command,
    next_command,
    errors_command,
    stats_command,
    check_command,
    diff_command,
    convert_command,
    record_command,
):
    command.add_command(_subcommand)


def _hand_down(context: click.Context, name: str) -> None:
    """Give a command those of its options that stand before its name; refuse all others."""
    known = {option.name for option in command.commands[name].params}
    given: dict[str, object] = {}
    for option in context.command.params:
        if option.name is None or not _is_given(context, option.name):
            continue
        if option.name not in known:
            raise click.UsageError(f"{name} has no option {_spelled(option)}")
        given[option.name] = context.params[option.name]
    context.default_map = {name: given}


def _is_given(context: click.Context, name: str) -> bool:
    return context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE


def _spelled(option: click.Parameter) -> str:
    """An option by its long names."""
    return "/".join(name for name in (*option.opts, *option.secondary_opts) if name[:2] == "--")


if __name__ == "__main__":
    main()
