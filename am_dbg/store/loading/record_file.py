"""Reads the rows and definitions of a file of records when a reader needs them.

A file is shared by all chunks and dictionaries that came from it, or were moved to it. Each of them
has a loader: the place of its record and its place within. Loaded values stay in the cache of
the store.
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping, Sequence
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from am_dbg.store.chunk_columns import ChunkColumns, ColumnCheck, TextColumns, TextNumbers
from am_dbg.store.columns import Integers
from am_dbg.store.definitions.blank_tables import (
    lose_sets_of_lost_texts,
    lose_shapes,
    lose_texts,
)
from am_dbg.store.definitions.shape_table import ShapeTable
from am_dbg.store.definitions.text_table import TextTable
from am_dbg.store.dictionary import DefinitionCounts
from am_dbg.store.loading.column_cache import ColumnCache
from am_dbg.store.packed.body_reader import RowsBody
from am_dbg.store.packed.definitions import PartHead, add_texts, part_ends, unpack_shapes
from am_dbg.store.packed.heads import RowsHead, unpack_rows_head
from am_dbg.store.packed.text_lists import TextLists, text_numbers, unpack_text_lists
from amtracer.errors import WireError
from amtracer.files.record_walk import ByteSource, Record
from amtracer.files.records import RecordKind, content_of

if TYPE_CHECKING:
    from am_dbg.store.track import Track

_files = count()
_segments = count()


class RecordFile:
    """A source of records, with the cache for what is loaded from it."""

    def __init__(self, source: ByteSource, cache: ColumnCache) -> None:
        self.source = source
        self.cache = cache
        self.serial = next(_files)


class RowsRecord:
    """A record of rows: its place and its head; loaders of its chunks share it."""

    __slots__ = ("_file", "_record", "head", "units_ns")

    def __init__(
        self, file: RecordFile, record: Record, head: RowsHead, units_ns: Sequence[int]
    ) -> None:
        self._file = file
        self._record = record
        self.head = head
        self.units_ns = units_ns

    @property
    def offset(self) -> int:
        """Where it is in the file."""
        return self._record.offset

    def stored(self) -> tuple[bytes, bytes]:
        """Its head and its body as they are in the file."""
        return self._record.stored(self._file.source)

    def loaded(self) -> RowsBody:
        """The body, from the cache or from the file."""
        key = (self._file.serial, self._record.offset)
        return self._file.cache.get(key, self._load)

    def text_lists(self) -> TextLists:
        """The texts of its chunks as its head lists them."""
        key = (self._file.serial, self._record.offset, "texts")
        return self._file.cache.get(key, self._unpack_lists)

    def packed_lists(self) -> bytes:
        """The packed lists, from the head or from the file."""
        return self.head.texts

    def _unpack_lists(self) -> TextLists:
        return unpack_text_lists(self.packed_lists(), len(self.head.chunks))

    def _load(self) -> RowsBody:
        data = self._record.body(self._file.source)
        return RowsBody(self.head, data, self.units_ns)


class MovedRecord(RowsRecord):
    """A record of a temporary file: its head has only the lists, chunks in memory keep the rest."""

    __slots__ = ()

    def packed_lists(self) -> bytes:
        """The packed lists, read from the file when a search or an export asks for them."""
        return self._record.head(self._file.source) if self._record.header.head_bytes else b""


class ReceivedRecord(RowsRecord):
    """A record that another debugger sent: its lists of texts stay on the disk.

    The units of its chunks are set as machines take them.
    """

    __slots__ = ()

    def packed_lists(self) -> bytes:
        """The packed lists, read from the file when a search or an export asks for them."""
        return unpack_rows_head(self._record.head(self._file.source)).texts


class KeptRecord(NamedTuple):
    """A record that was received, and where it is now.

    `lasts` has for each track the newest transition that is in the same file, `memory` the bytes
    that it takes in memory because the disk refused it.
    """

    file: RecordFile
    record: Record
    lasts: MutableMapping[Track, int]
    memory: int = 0


KeepRecord = Callable[[RecordKind, bytes, bytes], KeptRecord]
"""Keeps a record by its kind, its stored head and its stored body."""


class ChunkLoader:
    """Loads the columns of one chunk of a record."""

    __slots__ = ("_check", "index", "record")

    def __init__(self, record: RowsRecord, index: int) -> None:
        self.record = record
        self.index = index
        self._check = ColumnCheck()

    def checked_by(self, check: ColumnCheck) -> None:
        """Check each column from now on whenever it was loaded, texts by their list too."""
        self._check = ListedCheck(self.record, self.index, check)

    def columns(self) -> ChunkColumns:
        """All columns, from the cache or from the file."""
        return self.record.loaded().columns(self.index, self._check)

    def shapes(self) -> Integers:
        """The local numbers of shapes; nothing else is made."""
        return self.record.loaded().shapes(self.index, self._check)

    def lines(self) -> Integers:
        """The local numbers of sets of lines; nothing else is made."""
        return self.record.loaded().lines(self.index, self._check)

    def texts(self) -> TextColumns:
        """The numbers of texts; nothing else is made."""
        return self.record.loaded().texts(self.index, self._check)

    def text_numbers(self) -> TextNumbers | None:
        """The numbers of the texts as the head lists them."""
        return self.record.text_lists()[self.index]


class ListedCheck(ColumnCheck):
    """A check that also refuses texts which are not those of the list in the head."""

    __slots__ = ("_check", "_index", "_record")

    def __init__(self, record: RowsRecord, index: int, check: ColumnCheck) -> None:
        self._record = record
        self._index = index
        self._check = check

    def shapes(self, shapes: Integers) -> None:
        self._check.shapes(shapes)

    def lines(self, lines: Integers) -> None:
        self._check.lines(lines)

    def texts(self, texts: TextColumns) -> None:
        listed = self._record.text_lists()[self._index]
        if listed is not None and listed != text_numbers(texts):
            raise WireError("rows whose texts are not those of their head")
        self._check.texts(texts)

    def rest(self, columns: ChunkColumns) -> None:
        self._check.rest(columns)


def _accept(_: object) -> None:
    """Take what was loaded as it is."""


class Part(NamedTuple):
    """A part of the definitions of a segment, its record, and where that is."""

    head: PartHead
    record: Record
    source: ByteSource


class SegmentLoader:
    """Loads the tables of a segment from the parts that define it, in order.

    A damaged part costs the definitions that it had, and sets of lines whose texts it had: their
    numbers are lost, and the tables have blank entries for them.
    """

    def __init__(self, file: RecordFile) -> None:
        self.parts: list[Part] = []
        self._file = file
        self._serial = next(_segments)
        self._check: Callable[[ShapeTable], None] = _accept

    def add(self, part: Part) -> None:
        """Add another part; tables that were loaded before it are not used any longer."""
        self.parts.append(part)
        self._serial = next(_segments)

    def checked_by(self, check: Callable[[ShapeTable], None]) -> None:
        """Check the shapes from now on whenever they were loaded."""
        self._check = check

    def shapes(self) -> ShapeTable:
        """The shapes, from the cache or from the file."""
        return self._file.cache.get((self._key, "shapes"), self._load_shapes)

    def texts(self) -> TextTable:
        """The texts, from the cache or from the file."""
        return self._file.cache.get((self._key, "texts"), self._load_texts)

    def check_again(self) -> None:
        """Load all rows again when a reader needs them: they were checked without the texts."""
        self._file.cache.clear()

    @property
    def _key(self) -> tuple[int, int]:
        return self._file.serial, self._serial

    def stored(self, part: Part) -> tuple[bytes, bytes]:
        """The head and the body of a part as they are in the file."""
        return part.record.stored(part.source)

    @property
    def counts(self) -> DefinitionCounts:
        """How many definitions there are, with those that are lost."""
        return DefinitionCounts(*part_ends(self.parts[-1].head), 0)

    @property
    def lacks_parts(self) -> bool:
        """Whether parts are missing before others."""
        ends = ((0, 0, 0), *(part_ends(part.head) for part in self.parts))
        return any(_starts(part.head) != end for part, end in zip(self.parts, ends, strict=False))

    def _load_shapes(self) -> ShapeTable:
        table = ShapeTable()
        for part in self.parts:
            head = part.head
            lose_shapes(table, head.shape_first)
            if head.shapes:
                with suppress(WireError):  # what is not defined after it is lost
                    self._add_shapes(table, part)
            lose_shapes(table, head.shape_first + head.shapes)
        return table

    def _add_shapes(self, table: ShapeTable, part: Part) -> None:
        content = content_of(self.stored(part)[1][: part.head.shapes_bytes])
        alone = unpack_shapes(part.head, content)
        self._check(alone)
        table.extend(alone)

    def _load_texts(self) -> TextTable:
        table = TextTable()
        for part in self.parts:
            head = part.head
            lose_texts(table, head.text_first, head.set_first)
            if head.texts or head.sets:
                with suppress(WireError):  # what is not defined after it is lost
                    content = content_of(self.stored(part)[1][head.shapes_bytes :])
                    add_texts(table, head, content)
            lose_texts(table, head.text_first + head.texts, head.set_first + head.sets)
            if table.lost_texts:
                lose_sets_of_lost_texts(table, head.set_first)
        return table


def check_order(parts: Sequence[Part], head: PartHead) -> None:
    """Refuse a part that begins before the last one ended; between them some can be lost."""
    ends = part_ends(parts[-1].head) if parts else (0, 0, 0)
    if any(map(int.__gt__, ends, _starts(head))):
        raise WireError("definitions that do not go on where the ones before ended")


def _starts(head: PartHead) -> tuple[int, int, int]:
    return head.shape_first, head.text_first, head.set_first
