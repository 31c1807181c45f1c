"""The command `am-dbg errors`: the errors of all machines of a session."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from am_dbg.cli.options import json_option, session_memory_option
from am_dbg.cli.session import print_session

if TYPE_CHECKING:
    from am_dbg.store import Store


@click.command("errors")
@click.argument("file")
@json_option
@session_memory_option
def errors_command(file: str, as_json: bool, max_mem: int) -> int:
    """List the errors of all machines in order of time.

    Each line has the time, the machine with the number of its transition, the text of the error
    and the place in the code.
    """

    def lines_of(store: Store) -> Iterable[str]:
        from am_dbg import reports

        return reports.error_json(store) if as_json else reports.error_lines(store)

    return print_session(file, max_mem, lines_of)
