"""Frees memory when a store takes more than its limit.

First fine log lines of old segments are dropped (`am_dbg.store.definitions.old_lines`).
Then the oldest finished segments are dropped, of any stream: their transitions are the oldest
history. Everything else that peers make a store keep (facts, schemas, gaps, definitions of the
current segment) stays. If that is not enough, streams are removed: ended streams, the oldest
first. If one live stream takes more memory than all ended streams together, it loses its
finished transitions, also those of the current segment; if it still takes more, it is ended, and
becomes the next ended stream to be removed. So one stream that sends too much loses its own
data, and many small streams that come and go replace each other.
"""

from __future__ import annotations

from dataclasses import dataclass

from am_dbg.store.definitions.old_lines import drop_old_lines
from am_dbg.store.store import Store

_KEPT_PER_CENT = 95
"""How much of the limit stays in use, so that not every message has to free memory."""


@dataclass(frozen=True, slots=True)
class EvictedStream:
    """A live stream that ended because it took most of the memory."""

    stream: int
    label: str
    reason: str


def free_memory(store: Store, bytes_max: int) -> list[EvictedStream]:
    """Free what is above the limit; return the live streams that were ended for it.

    A file that is being read is not ended here: its reader raises if it does not fit. Only the
    thread that feeds the store may call this.
    """
    ended: list[EvictedStream] = []
    if store.size() <= bytes_max:
        return ended
    rest = bytes_max * _KEPT_PER_CENT // 100
    drop_old_lines(store, store.lines_ttl_ns)
    store.trim(rest)
    while store.size() > rest:
        one = _evict_some(store, rest)
        if one is None:
            break
        if isinstance(one, EvictedStream):
            ended.append(one)
        store.trim(rest)
    return ended


def _evict_some(store: Store, rest: int) -> EvictedStream | bool | None:
    """End the largest live stream or forget old ones; None if there is neither."""
    weights = store.weights()
    streams = store.streams
    live = [number for number in weights if streams[number].open and streams[number].live]
    closed = [number for number in weights if not streams[number].open]
    heaviest = max(live, key=weights.__getitem__, default=None)
    reading = sum(weights[one] for one in weights if streams[one].open and not streams[one].live)
    if heaviest is not None and weights[heaviest] < reading and not closed:
        return None  # the file that is being read does not fit
    if heaviest is not None and weights[heaviest] > sum(weights[one] for one in closed):
        if store.trim_open(heaviest):
            return True
        reason = f"it took {_megabytes(weights[heaviest])} of the memory that all streams share"
        store.close_stream(heaviest, reason)
        return EvictedStream(heaviest, streams[heaviest].label, reason)
    if not closed:
        return None
    for number in closed:
        if store.size() <= rest:
            break
        store.forget_stream(number)
    return True


def _megabytes(count: int) -> str:
    return f"{count / 1_000_000:,.1f} MB"
