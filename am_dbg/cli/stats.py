"""The command `am-dbg stats`: counts of a session."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from am_dbg.cli.options import json_option, session_memory_option
from am_dbg.cli.output import json_lines
from am_dbg.cli.session import print_session

if TYPE_CHECKING:
    from am_dbg.store import Store


@click.command("stats")
@click.argument("file")
@json_option
@session_memory_option
def stats_command(file: str, as_json: bool, max_mem: int) -> int:
    """Count the machines, transitions, errors and gaps of a session."""

    def lines_of(store: Store) -> Iterable[str]:
        from am_dbg import reports

        return json_lines(reports.stats_value(store)) if as_json else reports.stats_lines(store)

    return print_session(file, max_mem, lines_of)
