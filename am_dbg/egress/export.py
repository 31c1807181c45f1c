"""Writes what the store holds as a session file: all of it, some machines, or a range.

An import of the file restores what was exported: machines in the same order, numbers, clocks,
gaps, every field of every transition. Transitions that were trimmed before, or that a range
leaves out, become a number of transitions before the first one.

Ids that follow no rule, such as the random ids of Go programs, cannot be compressed: with them a
file is about four times as large. So an export keeps the ids that a transition refers to, and
keeps all ids only on request (`convert --ids`). A recording keeps all ids, because a later
transition can refer to them.

The store can grow during an export: the export writes what was there at its beginning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby

from am_dbg.egress.record_stream import ChunkReplay, RecordStream
from am_dbg.egress.track_replay import TrackReplay
from am_dbg.ingest.memory import DISK_MB_MAX_DEFAULT, MEGABYTE, use_disk
from am_dbg.store import Store, Track
from am_dbg.store.stream import Stream
from amtracer.encode.stream_writer import StreamWriter
from amtracer.files.atomic import AtomicFile, PathLike
from amtracer.files.records import RecordWriter
from amtracer.wire import limits
from amtracer.wire.messages import HelloMessage, Message

FILE_NAME_BYTES_MAX = 200
"""Bytes of a file name made of an id, in UTF-8; most file systems allow 255 with the ending."""
PROGRESS_TRANSITIONS = 1_000
PART_MEMORY_BYTES_MAX = 32 * MEGABYTE
"""Memory for the history of an export of a part, which is gathered before it is written."""

OnWritten = Callable[[int, int], None]
"""Called now and then with written and all transitions; an exception of it ends the export."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Consecutive transitions of one machine; none if `last` is below `first`."""

    track: Track
    first: int
    last: int

    @property
    def count(self) -> int:
        return max(0, self.last - self.first + 1)


@dataclass(frozen=True, slots=True)
class ExportResult:
    """What an export wrote: machines, transitions, bytes."""

    machines: int
    transitions: int
    size: int


def selected(
    store: Store, track: Track | None = None, numbers: tuple[int, int] | None = None
) -> list[Selection]:
    """The whole store, one machine, or a range of numbers, as they are now."""
    tracks = store.tracks if track is None else [track]
    low, high = numbers or (1, 2**63)
    return [Selection(one, max(low, one.first), min(high, one.count)) for one in list(tracks)]


def export_session(
    store: Store,
    path: PathLike,
    selection: Sequence[Selection] | None = None,
    progress: OnWritten | None = None,
    *,
    all_ids: bool = False,
) -> ExportResult:
    """Write a session file; it appears whole or not at all. Errors are a SessionError."""
    chosen = selected(store) if selection is None else selection
    file = AtomicFile(path)
    try:
        records = RecordWriter(file.write)
        records.begin()
        _write_records(store, chosen, records, progress, all_ids=all_ids)
        records.end()
        file.commit()
    finally:
        file.abort()
    return ExportResult(len(chosen), sum(part.count for part in chosen), records.position)


def _write_records(
    store: Store,
    selection: Sequence[Selection],
    records: RecordWriter,
    progress: OnWritten | None,
    *,
    all_ids: bool,
) -> None:
    """Write a stream for consecutive machines of the same stream."""
    keeps_id = bool if all_ids else ReferredIds(selection).__contains__
    count = _Counting(progress, sum(part.count for part in selection))
    groups = groupby(selection, key=lambda part: part.track.stream)
    for number, (stream, group) in enumerate(groups):
        parts = list(group)
        hello = store.streams[stream].hello or _NO_HELLO
        if not _are_whole(parts):
            parts = _in_own_store(hello, parts, keeps_id)
        into = RecordStream(records, number, hello, keeps_id)
        _keep_schema_numbers(into, store.streams[stream], parts)
        replays = [ChunkReplay(into, part.track, part.first) for part in parts]
        into.plan_copies((replay.machine, replay.track) for replay in replays)
        for replay, part in zip(replays, parts, strict=True):
            for rows in replay.replay_to(part.last):
                count.add(rows)
            if part.last == part.track.count:
                replay.finish()
        into.finish()


def _keep_schema_numbers(into: RecordStream, stream: Stream, parts: Sequence[Selection]) -> None:
    """Give the schemas their numbers in the store, if the machines are all of the stream.

    Then its definitions can be copied.
    """
    if stream.tracks and {part.track for part in parts}.issuperset(stream.tracks):
        for schema in stream.schemas:
            into.schema(schema.states)


def _are_whole(parts: Sequence[Selection]) -> bool:
    """Whether these are all transitions of their tracks, and of the segments of these.

    Definitions are written by segments. If others use a segment too, its texts are not all of the
    selection.
    """
    tracks = {part.track for part in parts}
    return all(
        part.first <= part.track.first
        and part.last >= part.track.count
        and all(chunk.dictionary.holders <= tracks for chunk in part.track.chunks)
        for part in parts
    )


def _in_own_store(
    hello: HelloMessage, parts: Sequence[Selection], keeps_id: Callable[[str], bool]
) -> list[Selection]:
    """The same history in a store of its own, with the definitions that it needs.

    Above half of the limit of memory its rows are on the disk; only the heads of chunks stay.
    """
    store = Store(PART_MEMORY_BYTES_MAX)
    use_disk(store, DISK_MB_MAX_DEFAULT * MEGABYTE)
    number = store.open_stream("", live=False)
    with store.gathering():
        for _ in emitted(hello, parts, partial(store.feed, number), keeps_id):
            pass
    store.close_stream(number)
    return [
        replace(part, track=track, first=track.first, last=track.count)
        for part, track in zip(parts, store.tracks, strict=True)
    ]


def emitted(
    hello: HelloMessage | None,
    parts: Sequence[Selection],
    emit: Callable[[Message], None],
    keeps_id: Callable[[str], bool],
) -> Iterator[int]:
    """Emit some history as the messages of one stream; yield how many transitions were emitted."""
    writer = StreamWriter(emit, hello or _NO_HELLO, batch_rows=limits.BATCH_ROWS_MAX)
    for part in parts:
        replay = TrackReplay(writer, part.track, part.first, keeps_id)
        yield from replay.replay_to(part.last)
        if part.last == part.track.count:
            replay.finish()
    writer.flush()


class _Counting:
    """Reports now and then how many transitions were written."""

    def __init__(self, progress: OnWritten | None, total: int) -> None:
        self._progress = progress
        self._total = total
        self._done = 0

    def add(self, rows: int) -> None:
        """Count written transitions."""
        before, self._done = self._done, self._done + rows
        reached = before // PROGRESS_TRANSITIONS < self._done // PROGRESS_TRANSITIONS
        if self._progress is not None and reached:
            self._progress(self._done, self._total)


class ReferredIds:
    """The ids that the sources of exported transitions refer to; found when the first is asked."""

    def __init__(self, selection: Sequence[Selection]) -> None:
        self._selection = selection
        self._ids: frozenset[str] | None = None

    def __contains__(self, tx_id: str) -> bool:
        if not tx_id:
            return False
        if self._ids is None:
            self._ids = _referred_ids(self._selection)
        return tx_id in self._ids


_NO_HELLO = HelloMessage(version=1, session="", wall_ns=0, mono_ns=0)


def file_name_for(id: str) -> str:
    """A file name made of a machine's id: never a path, never hidden, never too long."""
    kept = "".join(char if char.isalnum() or char in "-_." else "_" for char in id)
    cut = kept.lstrip(".").encode("utf-8", "replace")[:FILE_NAME_BYTES_MAX]
    return cut.decode("utf-8", "ignore") or "machine"


def _referred_ids(selection: Sequence[Selection]) -> frozenset[str]:
    """The ids that the sources of exported transitions refer to."""
    chunks = (chunk for part in selection for chunk in part.track.chunks)
    return frozenset(source.tx for chunk in chunks for _, source in chunk.sources())
