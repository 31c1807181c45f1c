"""Rules about pipes between machines that lead in a circle.

A ring ends at a mutation that changes nothing, so machines that mirror one state in each other
are no finding. A ring is one

- if all of its states are multi: each call counts, so it never ends;
- if a pipe of it begins at several states. With `bind_any`, the states of the ring hold each
  other up when the others have ended; with `bind_all`, they wait for each other.

Pipes are known that a `bind...` call made; a handler of `pipes.add` that was bound by hand is like
any other handler. Error states are left out, since an error that comes back is not added again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from machine._checking.code import listed
from machine._checking.finding import Finding, FindingKind
from machine._machine.piping import JoinedPipe, Pipe
from machine._schema.state import is_error_state

if TYPE_CHECKING:
    from machine._machine.machine import Machine

    End = tuple[Machine, str]


class PipeEdge(NamedTuple):
    """A way from a state of one machine to a state of another."""

    source: End
    target: End
    pipe: Pipe


def rings(machines: Iterable[Machine]) -> Iterator[Finding]:
    """Rings of pipes that begin at these machines, and do not come to rest or never begin."""
    edges = _edges(machines)
    multi = [edge for edge in edges if _is_multi(*edge.target)]
    endless = _circles(multi)
    for circle in endless:
        yield _finding(circle, "each call of a multi state counts, so the ring never ends")
    for circle in _circles(edges):
        if circle in endless:
            continue
        inner = [edge for edge in edges if edge.source in circle and edge.target in circle]
        joined = [edge.pipe for edge in inner if _begins_at_several(edge.pipe)]
        if joined:
            yield _finding(circle, _what_joins(joined))


def _edges(machines: Iterable[Machine]) -> list[PipeEdge]:
    """All pipes from these machines and from those to which they lead."""
    found: list[PipeEdge] = []
    left = list(machines)
    known = set(left)
    for machine in left:  # grows meanwhile
        for pipe in [one for one in list(machine._pipes or ()) if isinstance(one, Pipe)]:
            found += _edges_of(pipe, machine)
            if pipe.target not in known:
                known.add(pipe.target)
                left.append(pipe.target)
    return found


def _edges_of(pipe: Pipe, machine: Machine) -> Iterator[PipeEdge]:
    for part in pipe._parts:
        target = part.target_states[0]
        if part.source() is machine and not is_error_state(target):
            yield PipeEdge((machine, part.state), (pipe.target, target), pipe)


def _is_multi(machine: Machine, state: str) -> bool:
    """Whether each call of a state counts; not if a change of the schema dropped it."""
    schema = machine._schema
    return state in schema.index and bool(schema.multi_mask >> schema.index[state] & 1)


def _begins_at_several(pipe: Pipe) -> bool:
    return isinstance(pipe, JoinedPipe) and len(pipe.sources()) > 1


def _what_joins(joined: list[Pipe]) -> str:
    if any(isinstance(pipe, JoinedPipe) and pipe._wants is all for pipe in joined):
        return "a pipe of the ring waits for a state that the ring itself adds, so it never begins"
    return "the ring holds itself up, so its states stay when what began them has ended"


def _circles(edges: Iterable[PipeEdge]) -> list[list[End]]:
    """States from which a way leads back, those of one circle together."""
    after: dict[End, list[End]] = {}
    for edge in edges:
        after.setdefault(edge.source, []).append(edge.target)
    ways = {end: _reached(end, after) for end in after}
    found: list[list[End]] = []
    for end, reached in ways.items():
        if end in reached and not any(end in circle for circle in found):
            found.append([one for one in ways if one in reached and end in ways[one]])
    return found


def _reached(end: End, after: dict[End, list[End]]) -> set[End]:
    found: set[End] = set()
    left = [end]
    while left:
        for then in after.get(left.pop(), ()):
            if then not in found:
                found.add(then)
                left.append(then)
    return found


def _finding(circle: list[End], outcome: str) -> Finding:
    names = tuple(f"{machine.id}.{state}" for machine, state in circle)
    first, last = circle[0], circle[-1]
    happens = f"Pipes lead from {listed(names)} back to {names[0]}: {outcome}."
    meant = (
        f"Leave out one direction, `pipes.unbind({last[0].id}, {first[0].id})`, or ask in a handler"
        f' before the call: `if not target.is1("{first[1]}")`.'
    )
    ids = tuple(dict.fromkeys(machine.id for machine, _ in circle))
    return Finding(FindingKind.RING, names, happens, meant, ids)
