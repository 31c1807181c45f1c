"""Counts over a whole session, as a value for JSON and as lines of text."""

from __future__ import annotations

from collections.abc import Iterator

from am_dbg.reports.json_values import JsonObject, lost_before, wall_time
from am_dbg.safe_text import one_line
from am_dbg.store import Store

BUSIEST_MAX = 10
"""Machines that the statistics name."""

_NS = 10**9


def stats_value(store: Store) -> JsonObject:
    """Counts over the whole session."""
    counts = dict.fromkeys(("canceled", "auto", "empty", "error"), 0)
    for track in store.tracks:
        for chunk in track.chunks:
            for shape, count in chunk.shapes.counted(0, chunk.rows).items():
                facts = chunk.dictionary.facts(shape)
                for name in counts:
                    counts[name] += count * getattr(facts, f"is_{name}")
    held = [track for track in store.tracks if track.count]
    gaps = [gap for track in store.tracks for gap in track.gaps]
    busiest = sorted(store.tracks, key=lambda track: -track.count)[:BUSIEST_MAX]
    refused = sum(track.notes.refused for track in store.tracks)
    return {
        "machines": len(store.tracks),
        "transitions": store.transitions,
        "states": sum(len(track.states) for track in store.tracks),
        "schemas": len({track.states for track in store.tracks}),
        "time_sum": sum(sum(track.ticks) for track in store.tracks),
        **counts,
        "gaps": len(gaps),
        "lost": sum(max(0, gap.lost - lost_before(gap)) for gap in gaps),
        "before": sum(map(lost_before, gaps)),
        "first": min((track.time_at(track.first) for track in held), default=None),
        "last": max((track.time_at(track.count) for track in held), default=None),
        "memory": store.size(),
        **({"refused": refused} if refused else {}),
        "busiest": {track.key: track.count for track in busiest if track.count},
    }


def stats_lines(store: Store) -> Iterator[str]:
    """The statistics as a table."""
    value = stats_value(store)
    busiest = value.pop("busiest")
    first, last = value.pop("first"), value.pop("last")
    for name, count in value.items():
        unit = " bytes" if name == "memory" else ""
        yield f"{name:12} {count:>14,}{unit}"
    if first is not None:
        yield f"{'first':12} {wall_time(first)}"
        yield f"{'last':12} {wall_time(last)}"
        yield f"{'span':12} {(last - first) / _NS:,.3f} s"
    for key, count in busiest.items():
        yield f"{'busiest':12} {count:>14,}  {one_line(key)}"
