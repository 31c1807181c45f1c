"""Findings about a schema, as values with a kind, states and two sentences."""

from __future__ import annotations

import enum
from typing import NamedTuple


class FindingKind(enum.Enum):
    """What is most likely not meant.

    UNREACHABLE: a state that can never be active. CONTRADICTION: a state that needs others together
    that exclude each other. UNDEFINED: a relation to a state that the schema does not have.
    REQUIRE_CYCLE: states that require each other. LONG_ADD: a chain of `add` that one transition
    does not follow to its end. ONE_SIDED: an auto state that keeps out another one.
    NO_SWAP: two auto states that exclude each other, of which the first one stays. AMBIGUOUS: a
    handler's name that means two things. UNUSED: a state that nothing refers to. RING: pipes
    that lead in a circle and do not come to rest, or never begin.
    """

    UNREACHABLE = "unreachable"
    CONTRADICTION = "contradiction"
    UNDEFINED = "undefined"
    REQUIRE_CYCLE = "require cycle"
    LONG_ADD = "long add"
    ONE_SIDED = "one-sided"
    NO_SWAP = "no swap"
    AMBIGUOUS = "ambiguous"
    UNUSED = "unused"
    RING = "ring"

    def __str__(self) -> str:
        return str(self.value)


class Finding(NamedTuple):
    """One thing in a schema that is most likely not meant.

    `states` are the states that it concerns, the first one first. `happens` says what the machine
    does, `meant` how it is written if something else is meant, with the code. `machines` are the
    ids of the machines, if machines were checked.
    """

    kind: FindingKind
    states: tuple[str, ...]
    happens: str
    meant: str
    machines: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.kind}: {self.happens} {self.meant}"
