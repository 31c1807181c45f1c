"""Finds the run of a machine that is meant where only its id is known.

A program that is started again brings machines with the ids they had before, and each run
is a track of its own. Streams name parents and sources by id, so this module works out to
which run they belong:

- A track of the same session, which is the same process, comes before all others.
- A run that had ended before the other one entered, while the debugger listened to both,
  is another program's; nothing of the new one belongs to it.
- Of the rest those come first that were there at the same time, then those that began at
  about the same time: each machine of a Go program has a stream of its own, and a parent may
  enter after its child. Runs that are equal in all that come newest first.

A transition id is nearly always unique, so a source is looked for in all runs, in that order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from am_dbg.store.track import Track
from amtracer.wire.messages import Source

RUNS_MAX = 64
"""Runs that are weighed against each other, the newest."""

_NEVER = 2**63


def runs_for(track: Track, runs: Sequence[Track]) -> list[Track]:
    """The runs of a machine that may belong to a track, the likeliest first.

    `runs` are in order of arrival.
    """
    newest = [run for run in reversed(runs[-RUNS_MAX:]) if run is not track]
    return sorted(
        (run for run in newest if _may_belong(track, run)), key=lambda run: _rank(track, run)
    )


def parent_among(track: Track, runs: Sequence[Track]) -> Track | None:
    """The run that is the parent of a track."""
    found = runs_for(track, runs)
    return found[0] if found else None


def source_among(track: Track, runs: Sequence[Track], source: Source) -> tuple[Track, int] | None:
    """The run and the number of the transition that a source of this track names."""
    likely = [track] if track.id == source.machine else []
    likely += runs_for(track, runs)
    rest = (run for run in reversed(runs) if run not in likely)
    return number_among([*likely, *rest], source.tx)


def number_among(runs: Iterable[Track], tx_id: str) -> tuple[Track, int] | None:
    """The first of some runs that has a transition of this id, and its number."""
    for run in runs:
        number = run.number_of(tx_id)
        if number is not None:
            return run, number
    return None


def _may_belong(track: Track, run: Track) -> bool:
    if run.is_of_session(track):
        return True
    both_live = run.is_live and track.is_live
    return not (both_live and (run.left_at < track.entered_at or track.left_at < run.entered_at))


def _rank(track: Track, run: Track) -> tuple[bool, bool, int]:
    first, last = _span(track)
    begin, end = _span(run)
    together = begin <= last and first <= end
    return not run.is_of_session(track), not together, abs(begin - first)


def _span(track: Track) -> tuple[int, int]:
    """The times between which a track was there, as far as its transitions show."""
    if not track.count:
        began = track.time_at(0)
        return began, _NEVER if track.connected else began
    first = track.time_at(max(track.first, 1))
    return first, _NEVER if track.connected else track.time_at(track.count)
