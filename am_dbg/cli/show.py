"""The command `am-dbg show`: the history of a machine, or one of its transitions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from am_dbg.cli.list import machines
from am_dbg.cli.options import json_option, session_memory_option
from am_dbg.cli.session import print_session
from am_dbg.cli.show_views import SHOWN_VIEWS, view_lines

if TYPE_CHECKING:
    from am_dbg.store import Store, Track


@click.command("show")
@click.argument("file")
@click.argument("address", required=False)
@click.option(
    "--view",
    type=click.Choice(SHOWN_VIEWS),
    help="Print what this pane shows; without it, a machine's history or one transition.",
)
@json_option
@session_memory_option
def show_command(
    file: str, address: str | None, view: str | None, as_json: bool, max_mem: int
) -> int:
    """Show a machine (mach://ID) or one transition (mach://ID/PLACE).

    PLACE is a number, a machine time (t20), a wall time (15:04:05) or the id of a
    transition. Every address and place that am-dbg prints is accepted. Without an address,
    the machines are listed. The views states, steps, reader and tx show the newest
    transition if there is no PLACE.
    """
    if view and address is None:
        raise click.UsageError("--view needs an address: mach://ID or mach://ID/PLACE")

    def lines_of(store: Store) -> Iterable[str]:
        from am_dbg.projection.addresses.resolve import resolve

        if address is None:
            return machines(store, as_json)
        place = resolve(store, address)
        if view:
            return view_lines(store, place, view, as_json)
        if place.number is None:
            return _history(store, place.track, as_json)
        return view_lines(store, place, "tx", as_json)

    return print_session(file, max_mem, lines_of)


def _history(store: Store, track: Track, as_json: bool) -> Iterable[str]:
    from am_dbg import reports

    return reports.history_json(store, track) if as_json else reports.history_lines(track)
