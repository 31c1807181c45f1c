"""What the relations make of a call: which states stay, and why the others do not.

This repeats the rule by which a machine decides, since a recording holds no machine to ask. A
call of states passes through these steps:

- *Add*: what the states in the list add comes along. An active state adds again only if it is
  a multi state.
- *Require*: states that lack a required state are dropped, until none lacks one.
- *Remove*: from the last state to the first, a state is dropped if another one removes it that
  was not dropped before. Called states come first in the list, so they are decided last and win
  against active states which they remove in turn.
- *Add* and *require* once more for the states that are left. So two levels of adding are
  followed. What comes in the second one removes nothing, and states that are removed by those
  left in the list do not come.

Auto states are called together: those that are inactive and that no active state removes. The
order in which active states came is not recorded, so they stand in the order of the schema.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from amtracer.wire.messages import StateDef


@dataclass(frozen=True, slots=True)
class Drop:
    """Why a state does not stay: the required states it lacks, or the states that remove it."""

    missing: tuple[str, ...] = ()
    removers: tuple[str, ...] = ()


@dataclass(slots=True)
class CallOutcome:
    """The result of a call: the active states, the reasons of the others, and who added states."""

    active: frozenset[str] = frozenset()
    drops: dict[str, Drop] = field(default_factory=dict)
    adders: dict[str, str] = field(default_factory=dict)


class Relations:
    """The relations of a schema by name, as a machine takes them in."""

    def __init__(self, states: Sequence[StateDef]) -> None:
        defined = {state.name for state in states}
        self.names = tuple(state.name for state in states)
        self.multi = frozenset(state.name for state in states if state.multi)
        self.autos = tuple(state.name for state in states if state.auto)
        self.require = {state.name: state.require or () for state in states}
        self.add = {
            state.name: tuple(name for name in state.add or () if name in defined)
            for state in states
        }
        self.remove = {state.name: _removed_by(state) for state in states}

    def auto_called(self, active: Iterable[str]) -> list[str]:
        """The auto states that try to activate while these states are active."""
        kept_out = set(active).union(*(self.remove[name] for name in active))
        return [name for name in self.autos if name not in kept_out]


def _removed_by(state: StateDef) -> frozenset[str]:
    return frozenset(state.remove or ()) - {state.name, *(state.add or ())}


def outcome_of(relations: Relations, active: Sequence[str], called: Sequence[str]) -> CallOutcome:
    """What a call of these states results in while others are active."""
    passes = _Passes(relations, frozenset(active) - relations.multi)
    rest = [name for name in active if name not in called]
    return passes.run([*called, *rest])


@dataclass(slots=True)
class _Passes:
    """The steps of one call; `idle` states are active and do not add again."""

    relations: Relations
    idle: frozenset[str]
    outcome: CallOutcome = field(default_factory=CallOutcome)

    def run(self, states: list[str]) -> CallOutcome:
        remove = self.relations.remove
        states = self._unblocked(self._required(self._added(states)))
        removers: dict[str, list[str]] = {}
        for state in states:
            for name in remove[state]:
                removers.setdefault(name, []).append(state)
        added = self._added(states[::-1])
        for name in (one for one in added if one in removers):
            self.outcome.drops[name] = Drop(removers=tuple(removers[name]))
        kept = [name for name in added if name not in removers]
        self.outcome.active = frozenset(self._required(kept[::-1]))
        return self.outcome

    def _added(self, states: list[str]) -> list[str]:
        """The list with what its states add."""
        present = dict.fromkeys(states)
        for state in states:
            for name in () if state in self.idle else self.relations.add[state]:
                if name not in present:
                    present[name] = None
                    self.outcome.adders[name] = state
        return list(present)

    def _required(self, states: list[str]) -> list[str]:
        """The list without the states that lack a required one."""
        require: Mapping[str, Sequence[str]] = self.relations.require
        while True:
            present = set(states)
            lacking = [name for name in states if not present.issuperset(require[name])]
            if not lacking:
                return states
            for name in lacking:
                missing = tuple(one for one in require[name] if one not in present)
                self.outcome.drops[name] = Drop(missing=missing)
            states = [name for name in states if name not in lacking]

    def _unblocked(self, states: list[str]) -> list[str]:
        """The list without the states that another one removes."""
        removing = [name for name in states if self.relations.remove[name]]
        blocked: set[str] = set()
        for state in reversed(states):
            by = [one for one in removing if state in self.relations.remove[one]]
            if by := [one for one in by if one not in blocked]:
                blocked.add(state)
                self.outcome.drops[state] = Drop(removers=tuple(by))
        return [name for name in states if name not in blocked]
