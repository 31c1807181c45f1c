"""Frees memory when a store takes more than its limit.

The oldest finished segments go first, of whatever stream; their transitions are the oldest
history. What peers can make a store keep beside them (facts, schemas, breaks, definitions of
the segment under way) stays. Then streams are removed: ended streams first, the oldest first,
unless one live stream alone takes more than all that have ended. That stream first loses its
finished transitions, also those of the segment under way; then it is ended, and what is left
of it is the next ended stream to be removed. So one stream that sends too much displaces
itself, and many small ones that come and go displace each other.
"""

from __future__ import annotations

from dataclasses import dataclass

from am_dbg.store.store import Store

_KEPT_PER_CENT = 95
"""How much of the limit may stay in use, so that not every message has to free memory."""


@dataclass(frozen=True, slots=True)
class EvictedStream:
    """A live stream that ended because it took most of the memory."""

    stream: int
    label: str
    reason: str


def free_memory(store: Store, bytes_max: int) -> list[EvictedStream]:
    """Free what is above the limit; return the live streams that ended for that.

    A file that is being read does not end here: its reader sees that it does not fit. For the
    thread that feeds.
    """
    ended: list[EvictedStream] = []
    if store.size() <= bytes_max:
        return ended
    rest = bytes_max * _KEPT_PER_CENT // 100
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
    """End the heaviest live stream or forget old ones; None when there is neither."""
    weights = store.weights()
    streams = store.streams
    live = [number for number in weights if streams[number].open and streams[number].live]
    closed = [number for number in weights if not streams[number].open]
    heaviest = max(live, key=weights.__getitem__, default=None)
    reading = sum(weights[one] for one in weights if streams[one].open and not streams[one].live)
    if heaviest is not None and weights[heaviest] < reading and not closed:
        return None  # what does not fit is the file that is being read
    if heaviest is not None and weights[heaviest] > sum(weights[one] for one in closed):
        if store.trim_open(heaviest):
            return True
        reason = f"it took {_megabytes(weights[heaviest])} of the memory for everything"
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
