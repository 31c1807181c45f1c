"""The command `am-dbg check`: what is damaged in a session, or most likely wrong in a schema."""

from __future__ import annotations

import shutil
import sys

import click

from am_dbg.cli.check_schema import check_schema, is_place
from am_dbg.cli.exit_codes import Exit
from am_dbg.cli.options import json_option, session_memory_option
from am_dbg.cli.output import ProgressBar, fail, json_lines, write_lines
from am_dbg.cli.session import store_of_command
from am_dbg.ingest.memory import MEGABYTE


@click.command("check")
@click.argument("target", metavar="FILE|MODULE:NAME")
@click.option(
    "--handlers",
    metavar="MODULE:NAME",
    default="",
    help="Of a schema: the class of its handlers, or an object that is bound.",
)
@json_option
@session_memory_option
def check_command(target: str, handlers: str, as_json: bool, max_mem: int) -> int:
    """Read everything in a session and list what is damaged, or check a schema.

    FILE is a session; the exit code is 2 if anything is damaged or the session is cut. Each line
    has the place: the record, or the machine and its transitions as it counts them. An id that is
    too long for the terminal is cut in the middle; with --json it is whole.

    MODULE:NAME is a states class, a dictionary of states, a machine, or a list of machines; the
    exit code is 1 if there are findings. The module is imported, so its code runs; the current
    directory comes first in the path of modules. If there is a file of this name, the file is
    read and nothing is imported.
    """
    if is_place(target):
        return check_schema(target, handlers, as_json=as_json)
    if handlers:
        raise click.UsageError(f"--handlers is for a schema, MODULE:NAME, not for {target}")
    return _check_session(target, as_json=as_json, max_mem=max_mem)


def _check_session(file: str, *, as_json: bool, max_mem: int) -> int:
    """Print what is damaged in a session, and return the exit code."""
    from am_dbg import reports
    from am_dbg.ingest.importing import open_source
    from am_dbg.ingest.session_check import check_session

    if sys.stdout is None:
        return fail("standard output is closed")
    store, source = store_of_command(max_mem), open_source(file)
    with ProgressBar("checking") as bar:
        damage = check_session(store, source, max_mem * MEGABYTE, bar.moved)
    width = shutil.get_terminal_size().columns
    if as_json:
        write_lines(json_lines(reports.check_value(store, damage)))
    else:
        write_lines(reports.check_lines(store, damage, width))
    if not damage:
        return Exit.DONE
    return fail(f"{source.label}: {reports.damage_line(damage[0], width)}")
