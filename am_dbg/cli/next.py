"""The command `am-dbg next`: the next transition with an error, or the next canceled one."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from am_dbg.cli.exit_codes import Exit
from am_dbg.cli.options import json_option, session_memory_option
from am_dbg.cli.output import fail, json_lines, write_lines
from am_dbg.cli.session import read_session, with_damage

if TYPE_CHECKING:
    from am_dbg.projection.reasons.next_trouble import TroubleKinds
    from am_dbg.store import Store, Track


@click.command("next")
@click.argument("file")
@click.argument("address")
@click.option("--error", is_flag=True, help="Find a transition with an error.")
@click.option("--canceled", is_flag=True, help="Find a canceled transition.")
@click.option("--all", "in_all", is_flag=True, help="Look in all machines, in order of time.")
@json_option
@session_memory_option
def next_command(
    file: str,
    address: str,
    error: bool,
    canceled: bool,
    in_all: bool,
    as_json: bool,
    max_mem: int,
) -> int:
    """Find the next transition after mach://ID/PLACE that went wrong.

    Without PLACE the search begins at the first transition. With both --error and --canceled,
    either counts. The exit code is 1 if there is none.
    """
    from am_dbg.projection.addresses.resolve import resolve
    from am_dbg.projection.reasons.next_trouble import TroubleKinds, next_in, next_of_all

    if sys.stdout is None:
        return fail("standard output is closed")
    kinds = TroubleKinds(errors=error, canceled=canceled)
    if not (error or canceled):
        raise click.UsageError("give --error or --canceled, or both")
    store, damage = read_session(file, max_mem)
    place = resolve(store, address)
    track, number = place.track, place.number or 0
    found = next_of_all(store, track, number, kinds) if in_all else next_in(track, number, kinds)
    if found:
        write_lines(_report(store, *found, as_json=as_json))
    code = with_damage(Exit.DONE, (store, damage))
    if found or code:
        return code
    return _fail_with_rest(store, track, number, kinds, in_all=in_all)


def _report(store: Store, track: Track, number: int, *, as_json: bool) -> Sequence[str]:
    from am_dbg import reports

    if as_json:
        return list(json_lines(reports.why_value(store, track, number)))
    return list(reports.why_lines(store, track, number))


def _fail_with_rest(
    store: Store, track: Track, number: int, kinds: TroubleKinds, *, in_all: bool
) -> Exit:
    """Write a message that nothing was found, and where there is something."""
    from am_dbg.projection.addresses.write import write_address
    from am_dbg.projection.reasons.next_trouble import trouble_counts
    from am_dbg.projection.times import count, counted

    counts = trouble_counts(store, kinds)
    elsewhere = sum(counts.values()) - counts.get(track, 0)
    rest = []
    if counts.get(track):
        rest.append(f"{count(counts[track])} up to here")
    if elsewhere and not in_all:
        machines = counted(len(counts.keys() - {track}), "other machine")
        rest.append(f"{count(elsewhere)} in {machines}, see --all")
    where = f"after {write_address(track.key, number)}"
    return fail(f"no {kinds.noun} {where}{': ' * bool(rest)}{', '.join(rest)}", Exit.NOT_FOUND)
