"""Memory accounting: how many bytes the parts of a store take, counted as they are taken in.

Peers decide what fills the store, so everything that they can make it keep has a weight here:
texts, facts, schemas, clocks, gaps, and the objects around them. The weights are the sizes that
`sys.getsizeof` returns, added up without a walk over the objects. A test compares the total
with such a walk.
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
"""A step that was checked against its schema."""
TRACK_BYTES = 1_350
"""A track without texts, clocks and chunks, and its entries in the indexes of the store."""
CHUNK_BYTES = 1_000
FACT_BYTES = 100
"""A pair of facts and the number of rows that have them."""
ACTIVITY_BYTES = 230
"""The cached masks of a shape, without their length."""

_GAP_BYTES = 80
_STATE_BYTES = 104
_INDEX_BYTES = 40
_TICK_BYTES = 32
_SMALL_MAX = 256
"""Integers up to this one exist only once in a process."""


def texts_bytes(texts: Iterable[str]) -> int:
    """Bytes of some texts."""
    return sum(map(sys.getsizeof, texts))


def ticks_bytes(ticks: Sequence[int]) -> int:
    """Bytes of a clock."""
    has_large = max(ticks, default=0) > _SMALL_MAX
    large = sum(tick > _SMALL_MAX for tick in ticks) if has_large else 0
    return sys.getsizeof(ticks) + _TICK_BYTES * large


def gap_bytes(gap: Gap) -> int:
    """Bytes of a gap in a history."""
    return _GAP_BYTES + sys.getsizeof(gap.reason)


def hello_bytes(hello: HelloMessage) -> int:
    """Bytes of the facts in the hello of a program."""
    facts = hello.process
    texts = (hello.session, hello.origin, *facts, *facts.values())
    return texts_bytes(texts) + sys.getsizeof(facts) + ENTRY_BYTES


def states_bytes(states: Sequence[StateDef]) -> int:
    """Bytes of the states of a schema and of their index by name."""
    total = len(states) * (_STATE_BYTES + _INDEX_BYTES)
    for state in states:
        total += sys.getsizeof(state.name)
        for names in (state.require, state.add, state.remove, state.after, state.tags):
            if names:
                total += sys.getsizeof(names) + texts_bytes(names)
    return total
