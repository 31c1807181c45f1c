"""Rules about relations: contradictions, states out of reach, circles of `require`, long chains.

Which states are never active: the last pass of every resolution drops each state that lacks a
required one, so an active state has all that it requires, directly or by way of others. If P
removes Q, the two are active together only if an `add` brings P after Q was judged (the second
pass of Add). So a state is never active if it requires an undefined state, or if it needs P
and Q and no state adds P. A state that merely could be canceled is not reported.
"""

from __future__ import annotations

from collections.abc import Iterator

from machine._checking.code import in_list, listed, without, written
from machine._checking.finding import Finding, FindingKind
from machine._schema.contradictions import conflicts, reach
from machine._schema.schema import Indexes, Schema
from machine._schema.sharing import undefined
from machine._schema.state import Struct
from machine.errors import did_you_mean


def undefined_targets(struct: Struct) -> Iterator[Finding]:
    """Relations, apart from `require`, to states that the schema does not have."""
    for name, relation, target in undefined(struct):
        if relation == "require":
            continue  # such a state is unreachable
        near = did_you_mean([target], struct)
        happens = (
            f"{name} names {target} in `{relation}`, which is not defined, so it has no effect."
        )
        meant = f'Define it, `"{target}": State()`, or leave it out{near}.'
        yield Finding(FindingKind.UNDEFINED, (name, target), happens, meant)


def conflicting(schema: Schema) -> Iterator[Finding]:
    """States that need others together that exclude each other, once for the first such state."""
    never = never_active(schema)
    for state, remover, removed in conflicts(schema):
        names = tuple(schema.names[index] for index in dict.fromkeys((state, remover, removed)))
        outcome = "is never active" if state in never else "is canceled whenever it is called"
        happens = f"{_conflict(schema, state, remover, removed)}, so {names[0]} {outcome}."
        yield Finding(FindingKind.CONTRADICTION, names, happens, _settled(schema, remover, removed))


def _conflict(schema: Schema, state: int, remover: int, removed: int) -> str:
    name, by, what = (schema.names[index] for index in (state, remover, removed))
    if remover == state:
        return f"{name} requires {what} and removes it"
    if removed == state:
        return f"{name} requires {by}, which removes {name}"
    return f"{name} requires {by} and {what}, of which {by} removes {what}"


def _settled(schema: Schema, remover: int, removed: int) -> str:
    by, what, state = schema.names[remover], schema.names[removed], schema.states[remover]
    if removed in schema.require[remover]:
        removing = written(by, state.replace(require=without(state.require, what)))
        requiring = written(by, state.replace(remove=without(state.remove, what)))
        return f"Keep one of the two relations: {requiring} or {removing}."
    return (
        f"If they go together, {by} does not remove {what}:"
        f" {written(by, state.replace(remove=without(state.remove, what)))}."
    )


def never_active(schema: Schema) -> set[int]:
    """States that no sequence of mutations activates."""
    added = {target for targets in schema.add for target in targets}
    known: dict[int, int] = {}
    never: set[int] = set()
    for state in range(len(schema.names)):
        wanted = reach(schema, state, known)
        needed = [index for index in range(len(schema.names)) if wanted >> index & 1]
        if any(
            any(other >= len(schema.names) for other in schema.require[index])
            or (index not in added and schema.remove_mask[index] & wanted)
            for index in needed
        ):
            never.add(state)
    return never


def unreachable(schema: Schema) -> Iterator[Finding]:
    """States that are never active, apart from those whose relations contradict each other."""
    never, contradicting = never_active(schema), {state for state, _, _ in conflicts(schema)}
    for state in sorted(never - contradicting):
        name = schema.names[state]
        why = next(
            other for other in schema.require[state] if other in never or other >= len(schema.names)
        )
        target = schema.all_names[why]
        if why in never:
            happens = f"{name} requires {target}, which is never active, so neither is {name}."
            meant = f"Correct {target} first, or leave it out of `require` of {name}."
        else:
            happens = f"{name} requires {target}, which is not defined, so {name} is never active."
            near = did_you_mean([target], schema.names)
            meant = f'Define it, `"{target}": State()`, or leave it out{near}.'
        yield Finding(FindingKind.UNREACHABLE, (name, target), happens, meant)


def require_cycles(schema: Schema) -> Iterator[Finding]:
    """States that require each other, and states that require themselves."""
    known: dict[int, int] = {}
    seen = 0
    for state, required in enumerate(schema.require):
        if seen >> state & 1:
            continue
        circle = [
            other
            for other in range(len(schema.names))
            if reach(schema, state, known) >> other & 1 and reach(schema, other, known) >> state & 1
        ]
        seen |= sum(1 << index for index in circle)
        if len(circle) > 1:
            yield _circle(schema, circle)
        elif state in required:
            yield _itself(schema, state)


def _circle(schema: Schema, circle: list[int]) -> Finding:
    names = tuple(schema.names[index] for index in circle)
    last = schema.states[circle[-1]]
    one_way = written(names[-1], last.replace(require=without(last.require, *names)))
    happens = (
        f"{listed(names)} require each other, so none of them activates without the others, and"
        " `require` gives no order to the handlers of this schema."
    )
    meant = (
        f"Call them together, `mach.add({in_list(names)})`, or require in one direction: {one_way}."
    )
    return Finding(FindingKind.REQUIRE_CYCLE, names, happens, meant)


def _itself(schema: Schema, index: int) -> Finding:
    name, state = schema.names[index], schema.states[index]
    happens = (
        f"{name} requires itself, which has no effect on {name}, and `require` gives no order to"
        " the handlers of this schema."
    )
    rest = written(name, state.replace(require=without(state.require, name)))
    return Finding(FindingKind.REQUIRE_CYCLE, (name,), happens, f"Leave it out: {rest}.")


def long_adds(schema: Schema) -> Iterator[Finding]:
    """The first chain of `add` from each state whose end one transition does not reach."""
    for first in range(len(schema.names)):
        chain = _long_chain(schema, first)
        if not chain:
            continue
        names = tuple(schema.names[index] for index in chain)
        state = schema.states[first]
        happens = (
            f"{names[0]} adds {names[1]}, and that adds {names[2]}, but {names[2]} does not add"
            f" {names[3]} in the same transition: `add` is followed two levels deep."
        )
        whole = written(names[0], state.replace(add=(*state.add, names[3])))
        meant = f"Let the first state name all states that it should add: {whole}."
        yield Finding(FindingKind.LONG_ADD, names, happens, meant)


def _long_chain(schema: Schema, first: int) -> Indexes:
    """Four states that add one another, if the last one comes in no shorter way."""
    second = {two: one for one in reversed(schema.add[first]) for two in schema.add[one]}
    near = {first, *schema.add[first], *second}
    for third, one in second.items():
        for last in schema.add[third]:
            if last not in near and not schema.states[last].auto:
                return (first, one, third, last)
    return ()
