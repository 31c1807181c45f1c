"""The command `am-dbg find`: the transitions of all machines that a query finds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from am_dbg.cli.options import json_option, session_memory_option
from am_dbg.cli.session import print_session

if TYPE_CHECKING:
    from am_dbg.store import Store


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
    """List the transitions of all machines that QUERY finds, in order of time."""

    def lines_of(store: Store) -> Iterable[str]:
        from am_dbg import reports

        if as_json:
            return reports.found_json(store, query, limit)
        return reports.found_lines(store, query, limit)

    return print_session(file, max_mem, lines_of)
