"""Moves the oldest history of a store to temporary files when it takes half of the memory limit.

What no longer changes can be moved: the columns of sealed chunks, and the definitions of segments
that ended. The heads of chunks stay in memory, so a moved chunk has the same numbers and answers
the same; its columns are loaded again when a reader needs them. Small chunks share a record. The
head of a record on the disk has only the lists of texts, so that a search skips it as in a file.

Rows and definitions have files of their own, so that old log lines can be given back (see
`am_dbg.store.spilling.old_lines_on_disk`). All files together take at most `disk_max` bytes. Each
has a part of that, and the oldest history is in the oldest file. If there is no room for more, the
transitions of the oldest file are dropped, which frees the file; a store that must not lose
anything keeps the rest in memory instead. If the disk refuses, what it has taken is the limit from
then on. Either is reported once.

Bodies and definitions are written in the format of session files, on the thread that feeds the
store.
"""

from __future__ import annotations

import tempfile
from array import array
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter
from weakref import ref

from am_dbg.store.chunk import Chunk
from am_dbg.store.definitions.text_table import TextTable
from am_dbg.store.dictionary import SegmentDictionary
from am_dbg.store.loading.record_file import (
    ChunkLoader,
    KeptRecord,
    MovedRecord,
    Part,
    SegmentLoader,
)
from am_dbg.store.packed.bodies import PackedChunk, pack_rows_body
from am_dbg.store.packed.definitions import (
    PartHead,
    pack_part_head,
    pack_shapes,
    pack_texts,
    parts_of,
)
from am_dbg.store.packed.heads import RECORD_CHUNKS_MAX, ChunkHead, RowsHead
from am_dbg.store.packed.text_lists import pack_text_lists
from am_dbg.store.spilling.old_lines_on_disk import OldLinesOnDisk
from am_dbg.store.spilling.spill_file import SpillFile, kept_in_memory
from am_dbg.store.store import Store
from am_dbg.store.track import Track
from amtracer.errors import WireError
from amtracer.files.atomic import reason_of
from amtracer.files.records import RecordKind, compressed

FILES_PER_DISK = 32
"""Files that share the disk limit; dropping history frees one of them at a time."""
OWN_RECORD_ROWS = 1_024
"""A chunk with so many rows has a record of its own; smaller ones share records of so many."""
GROWN_ROWS = 256
"""A chunk that grows is ended if it has so many rows and nothing else can be moved."""
ROWS_PER_CALL = 16_384
"""Rows that are moved at once while there is room for more."""
LIMIT_PER_CACHE = 8
"""The memory limit in caches of what is loaded again, if that is less than a cache has else."""
_SEARCHES_PER_LIMIT = 64
"""How often a store is searched for what can be moved while it fills its limit."""
_NO_COUNTS = (array("B"), array("B"))

Moved = tuple[Track, Chunk]
_Movable = tuple[ref[Track], ref[Chunk]] | ref[SegmentDictionary]


class Spill:
    """Keeps a store at half of its memory limit as long as the disk has room.

    If `disk_max` is reached, the oldest history is dropped for new after a call of `before_drop`;
    without it nothing is dropped. `warned` is called with lines for the user. Everything happens
    on the thread that feeds the store.
    """

    def __init__(
        self,
        store: Store,
        disk_max: int,
        *,
        before_drop: Callable[[], None] | None = None,
        warned: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.disk_max = disk_max
        self._store = store
        self._before_drop = before_drop
        self._warned = warned
        self._files: list[SpillFile] = []
        self._texts_files: list[SpillFile] = []
        self._old_lines = OldLinesOnDisk(store, self._write_definitions)
        self._queue: deque[_Movable] = deque()
        self._searched_at = self._moved_rows = 0
        self._is_off = False
        self._has_warned = False
        store.on_pressure = self.make_room
        loaded = store.loaded
        if store.bytes_max:
            loaded.bytes_max = min(loaded.bytes_max, store.bytes_max // LIMIT_PER_CACHE)

    @property
    def disk_bytes(self) -> int:
        """Bytes of all files whose history is still needed."""
        return sum(file.size for file in (*self._files, *self._texts_files))

    def make_room(self) -> None:
        """Move the oldest history until half of the limit is free, or nothing more can be moved.

        One call moves only so much that nobody waits for it, unless there is not much room left.
        """
        limit, store = self._store.bytes_max, self._store
        self._moved_rows = 0
        try:
            while not self._is_off and store.size() > limit // 2:
                is_enough = self._moved_rows >= ROWS_PER_CALL and store.size() < limit * 3 // 4
                if is_enough or not self._move_next():
                    break
        except OSError as error:
            self._warn(f"{tempfile.gettempdir()} takes no more history: {reason_of(error)}")
            self._is_off = self._before_drop is None or not self.disk_bytes
            self.disk_max = self.disk_bytes

    # What is received as records.

    def keep(self, kind: RecordKind, head: bytes, body: bytes) -> KeptRecord:
        """Write a record that was received; it stays in memory if there is no room for it."""
        try:
            if not self._is_off and self._has_room():
                is_rows = kind is RecordKind.ROWS
                file = self._open_file() if is_rows else self._texts_file()
                return KeptRecord(file.records, file.add(kind, head, body), file.lasts)
        except OSError as error:
            self._warn(f"{tempfile.gettempdir()} takes no more history: {reason_of(error)}")
        return kept_in_memory(self._store.loaded, kind, head, body)

    # What is moved.

    def _move_next(self) -> bool:
        """Move what is oldest; False if there is nothing, or no room."""
        if not self._queue and not self._search():
            return False
        if not self._has_room():
            return False
        first = self._queue[0]
        if isinstance(first, ref):
            self._queue.popleft()
            dictionary = first()
            if dictionary is not None and dictionary.holders:
                self._move_definitions(dictionary)
            return True
        chunks = list(self._taken())
        if chunks:
            self._move_chunks(chunks)
        return True

    def _search(self) -> bool:
        """Queue everything that can be moved, the oldest first; now and then only."""
        store = self._store
        step = store.bytes_max // _SEARCHES_PER_LIMIT
        if abs(store.size() - self._searched_at) < step:
            return False
        self._searched_at = store.size()
        self._old_lines.drop()
        found = self._movable()
        if not found:
            store.end_grown_chunks(GROWN_ROWS)
            found = self._movable()
        found.sort(key=itemgetter(0))
        self._queue.extend(one for _, one in found)
        return bool(found)

    def _movable(self) -> list[tuple[tuple[int, int, int], _Movable]]:
        """Ended segments and sealed chunks, with the order in which they are moved."""
        store = self._store
        found: list[tuple[tuple[int, int, int], _Movable]] = []
        for dictionary in store.ended_segments():
            store.end_chunks_of(dictionary)
            found.append(((dictionary.serial, 1, 0), ref(dictionary)))
        for track in store.tracks:
            found += [
                ((chunk.dictionary.serial, 0, chunk.time_first), (ref(track), ref(chunk)))
                for chunk in track.sealed_in_memory()
            ]
        return found

    def _taken(self) -> Iterator[Moved]:
        """Take the chunks of the next record out of the queue."""
        rows = chunks = 0
        while self._queue and rows < OWN_RECORD_ROWS and chunks < RECORD_CHUNKS_MAX:
            first = self._queue[0]
            if isinstance(first, ref):
                return
            self._queue.popleft()
            track, chunk = first[0](), first[1]()
            if track is None or chunk is None or not self._store.holds(track):
                continue
            if chunk.first >= track.first and not chunk.is_loaded:
                rows += chunk.rows
                chunks += 1
                yield track, chunk

    # Moving.

    def _move_chunks(self, moved: Sequence[Moved]) -> None:
        """Move chunks to one record; one that does not fit a record stays in memory."""
        file = self._open_file()
        self._moved_rows += sum(chunk.rows for _, chunk in moved)
        units = [track.identity.unit_ns for track, _ in moved]
        heads = tuple(_short_head(chunk) for _, chunk in moved)
        packed = [
            PackedChunk(head, chunk.columns, unit)
            for head, (_, chunk), unit in zip(heads, moved, units, strict=True)
        ]
        try:
            body = compressed(pack_rows_body(packed))
            lists = pack_text_lists([(head.rows, columns) for head, columns, _ in packed])
            head = compressed(lists) if lists else b""
        except WireError:
            if len(moved) > 1:
                for one in moved:
                    self._move_chunks([one])
            return
        place = file.add(RecordKind.ROWS, head, body)
        record = MovedRecord(file.records, place, RowsHead(0, 0, heads, b""), units)
        for index, (track, chunk) in enumerate(moved):
            track.load_chunk_from(chunk, ChunkLoader(record, index))
            file.lasts[track] = max(chunk.last, file.lasts.get(track, 0))
        for track in {track for track, _ in moved}:
            self._store.weigh_again(track)

    def _move_definitions(self, dictionary: SegmentDictionary) -> None:
        """Move the tables of a segment that ended."""
        texts = dictionary.text_table
        self._write_definitions(dictionary, texts)
        if dictionary.is_loaded:
            self._old_lines.add(dictionary, texts)

    def _write_definitions(self, dictionary: SegmentDictionary, texts: TextTable) -> None:
        """Write the tables of a segment with these texts, and read them from there from now on."""
        file = self._texts_file()
        shapes, counts = dictionary.shape_table, dictionary.counts
        loader = SegmentLoader(file.records)
        schemas = {schema: schema for schema in set(shapes.schema_of)}
        try:
            for head in parts_of(shapes, texts, PartHead(0, 0, 0, 0, 0, 0, 0, 0, 0)):
                stop = head.shape_first + head.shapes
                shape_part = compressed(pack_shapes(shapes, head.shape_first, stop, schemas))
                text_range = range(head.text_first, head.text_first + head.texts)
                set_range = range(head.set_first, head.set_first + head.sets)
                text_part = compressed(pack_texts(texts, text_range, set_range))
                whole = head._replace(shapes_bytes=len(shape_part))
                stored_head = compressed(pack_part_head(whole))
                place = file.add(RecordKind.DEFINITIONS, stored_head, shape_part + text_part)
                loader.add(Part(whole, place, file.records.source))
        except WireError:
            return
        self._store.load_definitions_from(dictionary, loader, counts)

    # Files.

    def _has_room(self) -> bool:
        """Whether more can be written; drops the oldest file for that if it may."""
        if self.disk_bytes < self.disk_max:
            return True
        limit = f"--max-disk allows {self.disk_max // 1_000_000:,} MB"
        if self._before_drop is None:
            self._warn(f"no more history is moved to {tempfile.gettempdir()} ({limit})")
            return False
        self._warn(f"the oldest history is dropped ({limit})")
        self._before_drop()
        while self._files and self.disk_bytes >= self.disk_max:
            oldest = self._files.pop(0)
            oldest.end()
            self._store.trim_through(dict(oldest.lasts))
        return True

    def _open_file(self) -> SpillFile:
        """The file to which rows are written now."""
        return self._last_of(self._files)

    def _texts_file(self) -> SpillFile:
        """The file to which definitions are written now."""
        return self._last_of(self._texts_files)

    def _last_of(self, files: list[SpillFile]) -> SpillFile:
        """The last one of these files; the next one if it has its part of the limit."""
        if files and files[-1].size < self.disk_max // FILES_PER_DISK:
            return files[-1]
        file = SpillFile(self._store.loaded)
        if files:
            files[-1].end()
        files[:] = [*(one for one in files if one.is_needed), file]
        return file

    def _warn(self, words: str) -> None:
        if not self._has_warned:
            self._has_warned = True
            self._warned(words)


def _short_head(chunk: Chunk) -> ChunkHead:
    """What a body needs of the head of its chunk; the chunk itself keeps the rest."""
    shapes, lines = chunk.shapes, chunk.lines
    return ChunkHead(
        machine=0,
        schema=0,
        segment=0,
        first_row=0,
        rows=chunk.rows,
        flags=chunk.flags,
        time_first=0,
        time_min=0,
        time_max=0,
        ticks=(),
        ticks_end=(),
        touched=0,
        shapes=(shapes.palette, shapes.counts),
        lines=(lines.palette, lines.counts),
        facts=_NO_COUNTS,
    )
