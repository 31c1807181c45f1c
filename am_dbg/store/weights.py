"""Memory accounting: how many bytes the parts of a store take, counted as they are taken in.

Peers decide what fills the store, so everything they can make it keep has a weight here:
texts, facts, schemas, clocks, breaks, and the objects around them. The weights are what
`sys.getsizeof` says of the objects, added up without walking over them. A test compares
the total with such a walk.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from am_dbg.store.values import Gap
from amtracer.wire.messages import HelloMessage, StateDef

ENTRY_BYTES = 100
"""An entry of a dictionary of numbers: its slot, its key, its value."""
STREAM_BYTES = 800
DICTIONARY_BYTES = 2_000
SCHEMA_BYTES = 450
STEP_BYTES = 190
"""A step that a schema knows to fit."""
TRACK_BYTES = 1_350
"""A track without its texts, clocks and chunks, and what the store finds it by."""
CHUNK_BYTES = 1_000
ACTIVITY_BYTES = 230
"""The masks that are cached for a shape, without their length."""

_GAP_BYTES = 80
_STATE_BYTES = 104
_INDEX_BYTES = 40
_TICK_BYTES = 32
_SMALL_MAX = 256
"""Integers up to this one exist only once in a process."""


def texts_bytes(texts: Iterable[str]) -> int:
    """Texts that are kept."""
    return sum(map(sys.getsizeof, texts))


def ticks_bytes(ticks: Sequence[int]) -> int:
    """A clock."""
    large = sum(tick > _SMALL_MAX for tick in ticks)
    return sys.getsizeof(ticks) + _TICK_BYTES * large


def gap_bytes(gap: Gap) -> int:
    """A break in a history."""
    return _GAP_BYTES + sys.getsizeof(gap.reason)


def hello_bytes(hello: HelloMessage) -> int:
    """The facts of a program's hello."""
    facts = hello.process
    texts = (hello.session, hello.origin, *facts, *facts.values())
    return texts_bytes(texts) + sys.getsizeof(facts) + ENTRY_BYTES


def states_bytes(states: Sequence[StateDef]) -> int:
    """The states of a schema, with the table that finds them by name."""
    total = len(states) * (_STATE_BYTES + _INDEX_BYTES)
    for state in states:
        total += sys.getsizeof(state.name)
        for names in (state.require, state.add, state.remove, state.after, state.tags):
            if names:
                total += sys.getsizeof(names) + texts_bytes(names)
    return total
