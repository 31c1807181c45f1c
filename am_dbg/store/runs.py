"""Finds the run of a machine that a bare id refers to.

If a program is started again, its machines have the same ids as before, and each run is a
track of its own. Streams name parents and sources by id, so this module finds the run that they
belong to:

- A track of the same process comes first.
- If the debugger listened to both runs, a run that ended before the other one began belongs to
  another program, and is left out.
- Then come runs that were there at the same time, then those that began at about the same
  time: each machine of a Go program has a stream of its own, and a parent may enter after its
  child. Otherwise the newest run comes first.

A transition id is nearly always unique, so a source is looked for in all runs, in this order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from am_dbg.store.track import Track
from amtracer.wire.messages import HelloMessage, MachineMessage, Source

RUNS_MAX = 64
"""The newest runs of a machine, which are compared."""

DEBUGGER = "am-dbg"
"""The name under which a debugger records and forwards the machines of other programs."""
_NEVER = 2**63


class Process(NamedTuple):
    """What a stream reports on the process that made a machine; texts are empty if unknown."""

    program: str
    process: str
    pid: str = ""
    path_hash: str = ""


def process_of(message: MachineMessage, hello: HelloMessage) -> Process:
    """The process that made a machine.

    A debugger that records or forwards names it for each machine, as its hello is its own.
    """
    if message.process:
        return Process(message.program, message.process, message.pid, message.path_hash)
    facts = hello.process
    name = facts.get("program", "") if hello.origin == "py" else ""
    if name in ("", DEBUGGER):
        return Process("", hello.session)
    return Process(name, hello.session, facts.get("pid", ""), facts.get("path hash", ""))


def runs_for(track: Track, runs: Sequence[Track]) -> list[Track]:
    """The runs of a machine that may belong to a track, the most likely one first.

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
    if run.is_of_process(track):
        return True
    both_live = run.is_live and track.is_live
    return not (both_live and (run.left_at < track.entered_at or track.left_at < run.entered_at))


def _rank(track: Track, run: Track) -> tuple[bool, bool, int]:
    first, last = _span(track)
    begin, end = _span(run)
    together = begin <= last and first <= end
    return not run.is_of_process(track), not together, abs(begin - first)


def _span(track: Track) -> tuple[int, int]:
    """The first and last time of a track, as far as its transitions show."""
    if not track.count:
        began = track.time_at(0)
        return began, _NEVER if track.connected else began
    first = track.time_at(max(track.first, 1))
    return first, _NEVER if track.connected else track.time_at(track.count)
