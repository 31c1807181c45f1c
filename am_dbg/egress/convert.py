"""Writes a session, or a part of it, in the format that the ending of a file names."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from am_dbg import reports
from am_dbg.egress.export import (
    PROGRESS_TRANSITIONS,
    ExportResult,
    OnWritten,
    Selection,
    export_session,
    file_name_for,
    selected,
)
from am_dbg.errors import (
    DebuggerError,
    EmptyRangeError,
    UnknownFormatError,
)
from am_dbg.options import SESSION_ENDING
from am_dbg.projection.addresses.places import parse_range
from am_dbg.projection.addresses.resolve import resolve, resolve_range
from am_dbg.projection.excerpt import Excerpt
from am_dbg.store import Store, Track
from amtracer.files.atomic import AtomicFile, shown

Writer = Callable[[Store, str, Sequence[Selection], OnWritten | None], ExportResult]


def writer_for(path: str, *, all_ids: bool = False) -> Writer:
    """The writer for the ending of a file name; lines of JSON have all ids in any case."""
    for ending, writer in _WRITERS.items():
        if path.endswith(ending):
            is_session = writer is export_session
            return partial(export_session, all_ids=True) if all_ids and is_session else writer
    raise UnknownFormatError(shown(path), tuple(_WRITERS))


def chosen(store: Store, machine: str, numbers: str) -> list[Selection]:
    """The transitions of a machine, or of all if it is empty, in a range such as `5-20`.

    `machine` is a key or an address. A range can begin or end outside of what is there, but
    must include a part of it.
    """
    track = None
    if machine:
        place = resolve(store, machine)
        track = place.track
        numbers = numbers or ("" if place.number is None else str(place.number))
    return _selection(store, track, numbers)


def _selection(store: Store, track: Track | None, numbers: str) -> list[Selection]:
    if not numbers:
        return selected(store, track)
    limits = parse_range(numbers)
    if limits is None:
        raise DebuggerError(f"{numbers!r} is no range of numbers: give 5, 5-20 or 5-")
    selection = selected(store, track, limits)
    if not any(part.count for part in selection):
        raise _nothing(store, track, numbers)
    return selection


def _nothing(store: Store, track: Track | None, numbers: str) -> EmptyRangeError:
    """The error for a range that is empty, with what there is."""
    tracks = [one for one in (store.tracks if track is None else [track]) if one.count >= one.first]
    first = min((one.first for one in tracks), default=1)
    last = max((one.count for one in tracks), default=0)
    whose = f"machine {track.key!r} has" if track else "the machines have"
    return EmptyRangeError(numbers, whose, first, last)


def addressed(store: Store, address: str) -> tuple[list[Selection], str]:
    """The selection of `mach://ID`, `mach://ID/5` or `mach://ID/5-20`, and a file name for it.

    The name is always safe for a session file.
    """
    track, numbers = resolve_range(store, address)
    selection = _selection(store, track, numbers)
    (part,) = selection
    name = file_name_for(f"{part.track.key}-{numbers}" if numbers else part.track.key)
    return selection, name + SESSION_ENDING


def write_json_lines(
    store: Store, path: str, selection: Sequence[Selection], progress: OnWritten | None = None
) -> ExportResult:
    """Write a line for each machine, gap and transition, `record` first; the file appears whole."""
    done, size = 0, 0
    total = sum(part.count for part in selection)
    excerpt = Excerpt(store)
    file = AtomicFile(path)
    try:
        for line in _json_lines(selection, excerpt):
            data = (json.dumps(line) + "\n").encode("ascii")
            file.write(data)
            size += len(data)
            done += line["record"] == "transition"
            if progress is not None and done % PROGRESS_TRANSITIONS == 0:
                progress(done, total)
        file.commit()
    finally:
        file.abort()
    return ExportResult(len(selection), total, size)


def _json_lines(selection: Sequence[Selection], excerpt: Excerpt) -> Iterator[reports.JsonObject]:
    for part in selection:
        track = part.track
        yield {
            "record": "machine",
            **reports.machine_value(track),
            **reports.rest_value(track, excerpt),
        }
        gaps = [gap for gap in track.gaps if part.first - 1 <= gap.after_number <= part.last]
        for number in range(part.first, part.last + 1):
            while gaps and gaps[0].after_number < number:
                yield {"record": "gap", "machine": track.key, **reports.gap_value(gaps.pop(0))}
            yield {"record": "transition", **reports.transition_value(track, number, excerpt)}
        for gap in gaps:
            yield {"record": "gap", "machine": track.key, **reports.gap_value(gap)}


_WRITERS: dict[str, Writer] = {SESSION_ENDING: export_session, ".jsonl": write_json_lines}
