"""The command `am-dbg when`: when a state was active."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from am_dbg.cli.options import json_option, session_memory_option
from am_dbg.cli.session import print_session

if TYPE_CHECKING:
    from am_dbg.store import Store


@click.command("when")
@click.argument("file")
@click.argument("address")
@click.argument("state")
@json_option
@session_memory_option
def when_command(file: str, address: str, state: str, as_json: bool, max_mem: int) -> int:
    """List the activations of a STATE of a machine (mach://ID).

    Each line has the transition that activated the state and the one that deactivated it, the
    time, how long the state was active, and by which cause both happened.
    """

    def lines_of(store: Store) -> Iterable[str]:
        from am_dbg.projection.addresses.resolve import resolve
        from am_dbg.reports.activations import when_json, when_lines

        track = resolve(store, address).track
        return (when_json if as_json else when_lines)(store, track, state)

    return print_session(file, max_mem, lines_of)
