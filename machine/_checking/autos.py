"""Rules about auto states that keep each other out.

An active state that removes an auto state keeps it from trying, whatever its handlers would
answer. So if two auto states exclude each other, a guard such as `ColdEnter` is never asked while
Hot is active. Hot has to end first, and relations end it in three ways: it loses a state that it
requires and Cold does not; a third state removes it; or a time limit adds one of these. A state
whose name is in the code of the handlers may be ended or called there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from machine._checking.code import written
from machine._checking.finding import Finding, FindingKind
from machine._checking.relations import never_active
from machine._schema.contradictions import reach
from machine._schema.schema import Schema
from machine._schema.state import State


def stuck_autos(schema: Schema, named: Collection[str]) -> Iterator[Finding]:
    """Pairs of auto states of which one keeps out the other for as long as it is active."""
    never = never_active(schema)
    autos = [
        index for index in schema.autos if index not in never and schema.names[index] not in named
    ]
    for stays in autos:
        for other in autos:
            if other not in schema.remove[stays] or _has_end(schema, stays, other, never):
                continue
            if stays not in schema.remove[other]:
                yield _one_sided(schema, stays, other)
            elif _has_end(schema, other, stays, never):
                yield _no_swap(schema, stays, other, [stays])
            elif stays < other:
                yield _no_swap(schema, stays, other, [stays, other])


def _has_end(schema: Schema, stays: int, other: int, never: Collection[int]) -> bool:
    """Whether a relation can end an auto state so that the other one may activate."""
    known: dict[int, int] = {}
    own = reach(schema, stays, known) & ~reach(schema, other, known) & ~(1 << stays)
    if own:
        return True
    timed = {state.on_timeout for state in schema.states}
    return any(
        schema.remove_mask[third] >> stays & 1 and _can_come(schema, third, stays, timed)
        for third in range(len(schema.names))
        if third not in never and (third != other or schema.names[other] in timed)
    )


def _can_come(schema: Schema, third: int, stays: int, timed: Collection[str | None]) -> bool:
    """Whether a state that removes another one can activate while that is active."""
    called = not schema.states[third].auto or schema.names[third] in timed
    return called or not schema.remove_mask[stays] >> third & 1


def _no_swap(schema: Schema, stays: int, other: int, stuck: list[int]) -> Finding:
    first, second = schema.names[stays], schema.names[other]
    happens = (
        f"{first} and {second} are auto states that remove each other, so while {first} is active"
        f" {second} does not try, and nothing in the schema ends only {first}."
    )
    return Finding(FindingKind.NO_SWAP, (first, second), happens, _meant(schema, stuck))


def _one_sided(schema: Schema, stays: int, other: int) -> Finding:
    first, second = schema.names[stays], schema.names[other]
    happens = (
        f"{first} removes {second}, both are auto states, and nothing in the schema ends only"
        f" {first}, so once {first} is active, {second} does not activate by itself."
    )
    return Finding(FindingKind.ONE_SIDED, (first, second), happens, _meant(schema, [stays]))


def _meant(schema: Schema, stuck: list[int]) -> str:
    """Each state that stays with a condition, and the call that ends it."""
    code, calls = [], []
    for index in stuck:
        name, state = schema.names[index], schema.states[index]
        condition = f"{name}Wanted"
        code += [written(condition, State())]
        code += [written(name, state.replace(require=(*state.require, condition)))]
        calls.append(f'`mach.remove1("{name}")`')
    whom = "each" if len(stuck) > 1 else schema.names[stuck[0]]
    return (
        f"Give {whom} a condition of its own that can end: {', '.join(code)}; or end it in a"
        f" handler: {' or '.join(calls)}."
    )
