"""The rules that the head of a chunk must keep before anything of it is taken in.

Its rows are compared with it when they are read, and its sets of lines are checked then, because
they are very many (`am_dbg.store.loading.chunk_check`).
"""

from __future__ import annotations

from am_dbg.store.checking import TICK_MAX, TIME_NS_MAX
from am_dbg.store.dictionary import DefinitionCounts
from am_dbg.store.packed.heads import ChunkHead
from amtracer.errors import WireError
from amtracer.wire import limits


def check_head(head: ChunkHead, states: int, unit_ns: int, counts: DefinitionCounts) -> None:
    """Refuse values out of range, and numbers of definitions that the segment does not have."""
    if head.rows < 1 or head.first_row + head.rows > TICK_MAX:
        raise WireError("rows out of range")
    if len(head.ticks) != states or max(head.ticks_end, default=0) > TICK_MAX:
        raise WireError("ticks out of range")
    if head.touched >> states:
        raise WireError("touched states out of range")
    if max(head.facts[0]) > limits.SMALL_MAX:
        raise WireError("facts out of range")
    _check_times(head, TIME_NS_MAX // unit_ns)
    if max(head.shapes[0]) >= counts.shapes:
        raise WireError("rows with a shape that is not defined")


def _check_times(head: ChunkHead, most: int) -> None:
    is_ordered = head.time_min <= head.time_first <= head.time_max
    if not is_ordered or head.time_min < -most or head.time_max > most:
        raise WireError("times out of range")
