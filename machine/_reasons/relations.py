"""Why relations leave a state out: what it misses, or what removes it.

A call is resolved again with a trail that records only this. A state can be dropped, come
back by `add`, and be dropped once more; its last drop counts, and none if it stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from machine._enums import Relation, StepType
from machine._resolution.resolve import Trail, mask_of, start, targets_of

if TYPE_CHECKING:
    from machine._resolution.automaton import Node
    from machine._schema.schema import Call, Schema


class Dropped(NamedTuple):
    """Why a state does not stay: the required states that it misses, or those that remove it.

    They are indexes into `all_names` of the schema, since a required state need not exist.
    """

    missing: tuple[int, ...] = ()
    removers: tuple[int, ...] = ()


class Drops(Trail):
    """Records why states are dropped, and nothing else."""

    __slots__ = ("_schema", "found")

    def __init__(self, schema: Schema, active: Iterable[int], call: Call) -> None:
        super().__init__(schema, active, call)
        self._schema = schema
        self.found: dict[int, Dropped] = {}

    def state(self, type: StepType, index: int) -> None:
        """Steps are not recorded."""

    def relation(self, relation: Relation, source: int, target: int) -> None:
        """Steps are not recorded."""

    def missing(self, owner: int, required: int) -> None:
        """`rejected` gets all of these at once."""

    def rejected(self, dropped: dict[int, list[int]]) -> None:
        for state, missing in dropped.items():
            self.found[state] = Dropped(missing=tuple(missing))

    def against(self, state: int, removers: Sequence[int], blockers: Sequence[int]) -> None:
        if blockers:
            self.found[state] = Dropped(removers=tuple(blockers))

    def removed_again(self, states: Iterable[int], survivors: Iterable[int]) -> None:
        for state in states:
            bit = 1 << state
            removers = [one for one in survivors if self._schema.remove_mask[one] & bit]
            if removers:
                self.found[state] = Dropped(removers=tuple(removers))

    def line(self, tag: str, states: Iterable[int]) -> None:
        """Lines are not recorded."""


def drops_of(node: Node, call: Call) -> dict[int, Dropped]:
    """Why relations leave out states of a call at a node; states that stay are not listed."""
    schema = node.automaton.schema
    trail = Drops(schema, node.active, call)
    states = start(node.active, call)
    stays = mask_of(targets_of(schema, states, node.mask, call, trail))
    return {state: drop for state, drop in trail.found.items() if not stays >> state & 1}


def drop_text(node: Node, state: int, drop: Dropped) -> str:
    """One drop in words."""
    schema = node.automaton.schema
    name = schema.all_names[state]
    if drop.removers:
        by = " and ".join([schema.all_names[one] for one in drop.removers])
        return f"{by} removes {name}" if len(drop.removers) == 1 else f"{by} remove {name}"
    needed = [f"{schema.all_names[one]}, {_lack(node, state, one)}" for one in drop.missing]
    return f"{name} requires {', and '.join(needed)}"


def _lack(node: Node, state: int, required: int) -> str:
    """Why a required state is missing, in a few words."""
    schema = node.automaton.schema
    if required >= len(schema.names):
        return "which the schema does not define"
    if schema.remove_mask[state] >> required & 1:
        return "which it removes"
    return "which does not stay" if node.mask >> required & 1 else "which is not active"
