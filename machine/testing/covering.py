"""Coverage of a schema: which states were ever active, and which relations ever decided.

A relation has decided when a transition used it: an `add` that brought a state along, a
`require` that kept one out, a `remove` that blocked or removed one. `after` only orders
handlers and is not counted.
"""

from __future__ import annotations

from collections.abc import Iterator

import machine as am

Used = tuple[str, am.Relation, str]
"""A relation: the state that has it, its kind, the state that it names."""


class Coverage(am.Tracer):
    """Watches machines of one schema, from any threads; the answers are of all of them.

    Machines run slower while they are watched.
    """

    def __init__(self, *machines: am.Machine) -> None:
        self._states: dict[str, am.State] = {}
        self._active: set[str] = set()
        self._used: set[Used] = set()
        for mach in machines:
            self.watch(mach)

    def watch(self, mach: am.Machine) -> None:
        """Count this machine too, from now on; the states that are active now are counted."""
        self._states.update(mach.get_struct())
        self._active.update(mach.active_states())
        mach.bind_tracer(self)

    def never_active(self) -> list[str]:
        """The states that were never active, in the order of the schema; without `Exception`."""
        return [name for name in self._states if name != am.EXCEPTION and name not in self._active]

    def never_decided(self) -> list[str]:
        """The relations that never decided, such as `A requires B`, in the order of the schema.

        Of a state `add` comes first, then `require`, then `remove`.
        """
        return [
            f"{owner} {kind}s {other}"
            for owner, kind, other in self._relations()
            if (owner, kind, other) not in self._used
        ]

    def report(self) -> str:
        """Both in words, with the numbers of all; one line for each that is missing."""
        idle, unused = self.never_active(), self.never_decided()
        states = len(self._states.keys() - {am.EXCEPTION})
        relations = len(list(self._relations()))
        return "\n".join(
            [
                f"states that were active: {states - len(idle)} of {states}",
                *(f"  never: {name}" for name in idle),
                f"relations that decided: {relations - len(unused)} of {relations}",
                *(f"  never: {text}" for text in unused),
            ]
        )

    def transition_end(self, tx: am.Transition) -> None:
        """Count what this transition activated and used."""
        before, after = set(tx.states_before()), set(tx.target_states())
        for step in tx.steps:
            if step.rel_type is not None and _decides(step, before, after):
                self._used.add((step.from_state, step.rel_type, step.to_state))
        if tx.accepted and not tx.is_check:
            self._active.update(name for name, tick in tx.clock_after().items() if tick % 2)

    def struct_change(self, machine: am.Machine, old_struct: object) -> None:
        """Count the states and relations of the new schema."""
        self._states.update(machine.get_struct())

    def _relations(self) -> Iterator[Used]:
        for owner, definition in self._states.items():
            named = {
                am.Relation.ADD: definition.add,
                am.Relation.REQUIRE: definition.require,
                am.Relation.REMOVE: definition.remove,
            }
            for kind, others in named.items():
                yield from ((owner, kind, other) for other in dict.fromkeys(others))


def _decides(step: am.Step, before: set[str], after: set[str]) -> bool:
    """Whether a relation made a difference; a step is there too where it only was looked at."""
    if step.rel_type is am.Relation.ADD:
        return step.to_state not in before
    if step.rel_type is am.Relation.REQUIRE:
        return not {step.from_state, step.to_state} & after
    return step.rel_type is am.Relation.REMOVE
