"""The command `am-dbg why`: why a transition ended as it did, or why a state is not active."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from am_dbg.cli.options import json_option, session_memory_option
from am_dbg.cli.output import json_lines
from am_dbg.cli.session import print_session

if TYPE_CHECKING:
    from am_dbg.store import Store, Track


@click.command("why")
@click.argument("file")
@click.argument("address")
@click.argument("state", required=False)
@json_option
@session_memory_option
def why_command(file: str, address: str, state: str | None, as_json: bool, max_mem: int) -> int:
    """Explain a transition (mach://ID/PLACE), or a STATE after it.

    Without PLACE the newest transition is meant. For a state that is not active, the command
    lists the states that it requires and lacks, the active states that keep it out, and the
    handler that refused it last.
    """

    def lines_of(store: Store) -> Iterable[str]:
        from am_dbg.projection.addresses.resolve import resolve

        place = resolve(store, address)
        number = place.track.count if place.number is None else place.number
        return (
            _of_state(place.track, number, state, as_json)
            if state
            else (_of_transition(store, place.track, number, as_json))
        )

    return print_session(file, max_mem, lines_of)


def _of_state(track: Track, number: int, state: str, as_json: bool) -> Iterable[str]:
    from am_dbg import reports

    if as_json:
        return json_lines(reports.state_value(track, number, state))
    return reports.state_lines(track, number, state)


def _of_transition(store: Store, track: Track, number: int, as_json: bool) -> Iterable[str]:
    """The lines of a transition; a number before the first one shows the start."""
    from am_dbg import reports

    if number < track.first:
        return json_lines(reports.start_value(track)) if as_json else reports.start_lines(track)
    if as_json:
        return json_lines(reports.why_value(store, track, number))
    return reports.why_lines(store, track, number)
