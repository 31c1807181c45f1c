"""The command `am-dbg list`: the machines of a session."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from am_dbg.cli.options import json_option, session_memory_option
from am_dbg.cli.output import json_lines
from am_dbg.cli.session import print_session

if TYPE_CHECKING:
    from am_dbg.store import Store


@click.command("list")
@click.argument("file")
@json_option
@session_memory_option
def list_command(file: str, as_json: bool, max_mem: int) -> int:
    """List the machines of a session."""
    return print_session(file, max_mem, lambda store: machines(store, as_json))


def machines(store: Store, as_json: bool) -> Iterable[str]:
    """The lines that list the machines of a store."""
    from am_dbg import reports

    return json_lines(reports.session_value(store)) if as_json else reports.machine_lines(store)
