"""The command `am-dbg check`: whether everything in a session can be read."""

from __future__ import annotations

import shutil
import sys

import click

from am_dbg.cli.exit_codes import Exit
from am_dbg.cli.options import json_option, session_memory_option
from am_dbg.cli.output import ProgressBar, fail, json_lines, write_lines
from am_dbg.cli.session import store_of_command
from am_dbg.ingest.memory import MEGABYTE


@click.command("check")
@click.argument("file")
@json_option
@session_memory_option
def check_command(file: str, as_json: bool, max_mem: int) -> int:
    """Read everything in a session, and list what is damaged.

    Each line has the place: the record, or the machine and its transitions as it counts them.
    An id that is too long for the terminal is cut in the middle; with --json it is whole.
    The exit code is 2 if anything is damaged or the session is cut.
    """
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
