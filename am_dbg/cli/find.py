"""The command `am-dbg find`: the transitions of all machines that a query finds."""

from __future__ import annotations

import sys

import click

from am_dbg.cli.exit_codes import Exit
from am_dbg.cli.options import json_option, session_memory_option
from am_dbg.cli.output import fail, write_lines
from am_dbg.cli.session import read_session, with_damage


class _FindCommand(click.Command):
    """The command with the forms of a query at the end of its help."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from am_dbg.query.query_keys import FORMS

        with formatter.section("Queries, whose terms all have to hold"):
            formatter.write_dl(FORMS)


@click.command("find", cls=_FindCommand, context_settings={"ignore_unknown_options": True})
@click.argument("file")
@click.argument("query")
@click.option(
    "--limit", metavar="N", type=click.IntRange(0), default=0, help="Print at most N; 0 prints all."
)
@json_option
@session_memory_option
def find_command(file: str, query: str, limit: int, as_json: bool, max_mem: int) -> int:
    """List the transitions of all machines that QUERY finds, in order of time.

    The exit code is 1 if it finds none.
    """
    from am_dbg import reports

    if sys.stdout is None:
        return fail("standard output is closed")
    store, damage = read_session(file, max_mem)
    found = reports.found_by(store, query)
    if as_json:
        write_lines(reports.found_json(store, query, found, limit))
    else:
        write_lines(reports.found_lines(found, limit))
    code = with_damage(Exit.DONE, (store, damage))
    if found.count or code:
        return code
    return fail("no transition found", Exit.NOT_FOUND)
