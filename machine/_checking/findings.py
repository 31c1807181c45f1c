"""Collects the findings of all rules about a schema, or about several machines.

The rules report only what follows from the relations, whatever a program calls and whatever its
handlers answer. Where code can do what relations do not (remove an auto state that stays), the
rules look for the names of the states in the code of the handlers: a state that is named there
gives no finding. So silence is no proof, but a finding is true.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import TYPE_CHECKING

from machine._checking.autos import stuck_autos
from machine._checking.handlers import ambiguous_names, named_in_code, unused_states
from machine._checking.relations import (
    conflicting,
    long_adds,
    require_cycles,
    undefined_targets,
    unreachable,
)
from machine._checking.rings import rings
from machine._machine.machine import Machine
from machine._schema.schema import Schema, take_in
from machine._schema.sharing import struct_of

if TYPE_CHECKING:
    from machine._checking.finding import Finding
    from machine._schema.sharing import Definition


def findings(subject: Definition | Machine | Iterable[Machine], handlers: object) -> list[Finding]:
    """All findings; those that several machines have in common once, with all their ids."""
    given = _listed(handlers)
    machines = _machines(subject)
    if machines is None:
        struct = struct_of(subject)  # type: ignore[arg-type]
        states = take_in(struct)
        schema = Schema(states, tuple(states))
        found = [*undefined_targets(struct), *_of_schema(schema, given)]
        return [*found, *(unused_states(schema, given) if given else ())]
    ids: dict[Finding, list[str]] = {}
    for machine in machines:
        for finding in _of_schema(machine._schema, [*machine.handlers(), *given]):
            ids.setdefault(finding, []).append(machine.id)
    common = [finding._replace(machines=tuple(names)) for finding, names in ids.items()]
    return [*common, *rings(machines)]


def _of_schema(schema: Schema, handlers: list[object]) -> Iterator[Finding]:
    return chain(
        conflicting(schema),
        unreachable(schema),
        require_cycles(schema),
        long_adds(schema),
        stuck_autos(schema, named_in_code(handlers)),
        ambiguous_names(schema, handlers),
    )


def _listed(handlers: object) -> list[object]:
    if handlers is None:
        return []
    return list(handlers) if isinstance(handlers, list | tuple) else [handlers]


def _machines(subject: object) -> list[Machine] | None:
    """The machines to check; None for a schema."""
    if isinstance(subject, Machine):
        return [subject]
    if isinstance(subject, Mapping | type) or not isinstance(subject, Iterable):
        return None
    found = list(subject)
    for one in found:
        if not isinstance(one, Machine):
            raise TypeError(f"a schema or machines are checked, not {one!r:.60}")
    return found
