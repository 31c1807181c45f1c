"""The definitions of a segment: shapes, texts, sets of log lines, sets of arguments.

The counts of the definitions are always there. The definitions themselves are two tables. An open
segment owns them. A segment that was read from a file, or was moved to one, has a loader instead,
and a table exists while a reader needs it. Decoded shapes are only
in the cache of the store.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple, Protocol
from weakref import ref

from am_dbg.store.definitions.blank_tables import BLANK_FACTS, BLANK_SHAPE, BlankTables
from am_dbg.store.definitions.column_facts import column_facts
from am_dbg.store.definitions.loaded_shape import decode_shape
from am_dbg.store.definitions.lost_numbers import NONE_LOST, LostNumbers
from am_dbg.store.definitions.shape_cache import ShapeCache
from am_dbg.store.definitions.shape_table import ShapeTable
from am_dbg.store.definitions.text_table import TextTable
from am_dbg.store.facts import IndexedSchema, ShapeFacts, shape_facts
from am_dbg.store.values import LogLine
from am_dbg.store.weights import ACTIVITY_BYTES, DICTIONARY_BYTES, texts_bytes
from amtracer.errors import WireError
from amtracer.wire.messages import Pairs, Shape, ShapesMessage

if TYPE_CHECKING:
    from am_dbg.store.chunk import Chunk
    from am_dbg.store.track import Track

CACHED_SHAPES_MAX = 4_096
"""Shapes of a segment whose activity is cached."""
_SERIAL_SHIFT = 32
_MASKS = 3
_DAMAGED = WireError("their definitions are damaged")


class TableLoader(Protocol):
    """Gives the tables of a complete segment, from memory or from a file."""

    def shapes(self) -> ShapeTable:
        """The shapes; any thread may ask, and a caller keeps them only while it reads."""

    def texts(self) -> TextTable:
        """The texts and their sets."""

    def check_again(self) -> None:
        """Check rows again that were checked when less was known of the texts."""


class CheckedTableLoader(TableLoader, Protocol):
    """Gives the tables of a segment of a file, which may be wrong."""

    @property
    def lacks_parts(self) -> bool:
        """Whether some of the definitions are known to be lost."""

    def checked_by(self, check: Callable[[ShapeTable], None]) -> None:
        """Check the shapes from now on whenever they were loaded."""


class DefinitionCounts(NamedTuple):
    """How many definitions of each kind a segment has."""

    shapes: int
    texts: int
    line_sets: int
    arg_sets: int


OnDamage = Callable[["SegmentDictionary", WireError, Callable[["Chunk"], bool]], None]
"""Called with the definitions, what is wrong, and a test for the chunks that it costs."""


class Activity(dict[int, tuple[int, int, int]]):
    """For each shape the masks of states that it flips, changes and activates; filled on demand."""

    def __init__(self, dictionary: SegmentDictionary) -> None:
        super().__init__()
        self._dictionary = ref(dictionary)  # a cycle would keep both until the next collection
        self.bytes = 0

    def __missing__(self, shape: int) -> tuple[int, int, int]:
        dictionary = self._dictionary()
        assert dictionary is not None  # the caller holds it
        self.keep(shape, [dictionary.shape_table.activity(shape)])
        return self[shape]

    def keep(self, first: int, masks: Sequence[tuple[int, int, int]]) -> None:
        """Cache the masks of some shapes, from the first one on."""
        if len(self) + len(masks) > CACHED_SHAPES_MAX:
            self.forget()
        self.update(zip(range(first, first + len(masks)), masks, strict=True))
        bits = sum([changed.bit_length() for _, changed, _ in masks])
        self.bytes += ACTIVITY_BYTES * len(masks) + _MASKS * bits // 8

    def forget(self) -> None:
        """Free everything; it is computed again on demand."""
        self.clear()
        self.bytes = 0


class SegmentDictionary:
    """The definitions of one segment, by number; its caller has checked them.

    `holders` are the tracks whose transitions need them. Once it is closed and no track holds
    it, it can be dropped. `lost_texts` has the numbers of the texts that are known to be damaged.
    """

    __slots__ = (
        "__weakref__",
        "_blank",
        "_cache",
        "_counts",
        "_head_bytes",
        "_loader",
        "_lost_sets",
        "_lost_shapes",
        "_on_damage",
        "_own_shapes",
        "_own_texts",
        "activity",
        "heads",
        "holders",
        "is_closed",
        "lost_texts",
        "schemas",
        "serial",
        "stream",
        "weight",
    )

    def __init__(
        self,
        serial: int,
        schemas: Sequence[IndexedSchema],
        cache: ShapeCache,
        stream: int,
        on_damage: OnDamage,
    ) -> None:
        self.serial = serial
        self.stream = stream
        self.is_closed = False
        self.holders: set[Track] = set()
        self.weight = 0
        self.heads: list[str] = []
        self.schemas = schemas
        self.activity = Activity(self)
        self._own_shapes: ShapeTable | None = ShapeTable()
        self._own_texts: TextTable | None = TextTable()
        self._loader: TableLoader | None = None
        self._counts = DefinitionCounts(0, 0, 0, 0)
        self._head_bytes = 0
        self._cache = cache
        self._on_damage = on_damage
        self._blank: SegmentDictionary | None = None
        self._lost_shapes = self._lost_sets = self.lost_texts = NONE_LOST

    # Defining.

    def define_shape(self, schema: int, shape: Shape, lines: int = 0) -> None:
        """Give the next number to a shape, and its usual line set plus 1."""
        table = self.shape_table
        facts = shape_facts(shape, self.schemas[schema])
        table.define(schema, shape, facts, lines)

    def define_shapes(self, message: ShapesMessage) -> None:
        """Give the next numbers to shapes that came as columns."""
        facts = column_facts(message, self.schemas[message.schema])
        self.shape_table.define_columns(message, facts)
        self.activity.keep(message.first, facts.activity)

    def define_texts(self, texts: Sequence[bytes], heads: Sequence[str] = ()) -> None:
        """Give the next numbers to texts, and to heads of later texts."""
        self.text_table.texts.extend(texts)
        self.heads += heads
        self._head_bytes += texts_bytes(heads)

    def define_line_sets(self, sets: Sequence[Sequence[tuple[int, int]]]) -> None:
        """Give the next numbers to sets of log lines."""
        self.text_table.define_line_sets(sets)

    def define_args(self, texts: Sequence[int]) -> None:
        """Give the next number to a set of arguments: keys and texts in turns."""
        self.text_table.define_args(texts)

    def close(self) -> None:
        """End the definitions and free the memory that only they need."""
        self.is_closed = True
        self.heads, self._head_bytes = [], 0
        self.activity.forget()

    def replace_texts(self, table: TextTable) -> None:
        """Have another table of texts, with the same numbers."""
        self._own_texts = table

    def load_from(self, loader: TableLoader, counts: DefinitionCounts) -> None:
        """Let go of the tables of a closed dictionary: from now on a loader gives them."""
        self._counts, self._loader = counts, loader
        self._own_shapes = self._own_texts = None

    # Damage.

    def blank(self) -> SegmentDictionary:
        """A dictionary with as many definitions, all of them blank."""
        serial = -1 - self.serial
        made = self._blank
        if made is None:
            made = self._blank = SegmentDictionary(
                serial, self.schemas, self._cache, self.stream, self._on_damage
            )
            made.load_from(BlankTables(self.counts), self.counts)
            made.is_closed = True
        return made

    def report_damage(self, error: WireError, damaged: Chunk) -> None:
        """Make one chunk damaged; the definitions are good."""
        self._on_damage(self, error, lambda chunk: chunk is damaged)

    def learn_lost(self) -> None:
        """Load the tables once, so that it is known which definitions are damaged."""
        self.shape_table  # noqa: B018  # what is lost shows when they are loaded
        self.text_table  # noqa: B018

    def has_lost(self, shapes: Iterable[int], lines: Iterable[int]) -> bool:
        """Whether one of these shapes, or of these sets of lines plus 1, was damaged.

        Those of which no table was loaded yet are not known to be damaged.
        """
        return self._lost_shapes.has_any(shapes) or self._lost_sets.has_any(
            number - 1 for number in lines
        )

    def _lose_shapes(self, lost: LostNumbers) -> None:
        """Note which shapes are damaged; the chunks that use them are damaged too."""
        self._lost_shapes = lost
        self.activity.forget()
        self._on_damage(self, _DAMAGED, self._uses_lost)

    def _lose_texts(self, table: TextTable) -> None:
        """Note which texts are damaged; the chunks whose lines use them are damaged too.

        Arguments are found damaged when their rows are loaded.
        """
        assert self._loader is not None  # tables in memory have lost nothing
        self.lost_texts, self._lost_sets = table.lost_texts, table.lost_sets
        self._loader.check_again()
        self._on_damage(self, _DAMAGED, self._uses_lost)

    def _uses_lost(self, chunk: Chunk) -> bool:
        return self.has_lost(chunk.shapes.palette, chunk.lines.palette)

    # Looking up.

    @property
    def is_loaded(self) -> bool:
        """Whether a loader gives its tables."""
        return self._own_shapes is None

    @property
    def loader(self) -> TableLoader | None:
        """What gives the tables, if they are not in memory."""
        return self._loader

    @property
    def shape_table(self) -> ShapeTable:
        """The table of shapes; loaded if it is not in memory."""
        own = self._own_shapes
        if own is not None:
            return own
        assert self._loader is not None  # a dictionary has tables or a loader
        table = self._loader.shapes()
        if table.lost and not self._lost_shapes:
            self._lose_shapes(table.lost)
        return table

    @property
    def text_table(self) -> TextTable:
        """The table of texts; loaded if it is not in memory."""
        own = self._own_texts
        if own is not None:
            return own
        assert self._loader is not None  # a dictionary has tables or a loader
        table = self._loader.texts()
        if (table.lost_texts or table.lost_sets) and not (self.lost_texts or self._lost_sets):
            self._lose_texts(table)
        return table

    @property
    def counts(self) -> DefinitionCounts:
        """How many definitions there are."""
        return DefinitionCounts(
            self.shape_count, self.text_count, self.line_set_count, self.arg_set_count
        )

    @property
    def shape_count(self) -> int:
        own = self._own_shapes
        return self._counts.shapes if own is None else len(own)

    @property
    def text_count(self) -> int:
        own = self._own_texts
        return self._counts.texts if own is None else len(own.texts)

    @property
    def line_set_count(self) -> int:
        own = self._own_texts
        return self._counts.line_sets if own is None else len(own.line_ends) - 1

    @property
    def arg_set_count(self) -> int:
        own = self._own_texts
        return self._counts.arg_sets if own is None else len(own.arg_ends) - 1

    @property
    def text_bytes(self) -> int:
        """Bytes of all texts together."""
        return self.text_table.texts.total

    @property
    def shape_bytes(self) -> int:
        """Bytes of all packed shapes together."""
        return self.shape_table.packed.total

    @property
    def growth_max(self) -> int:
        """The most that a shape adds to a tick."""
        return self.shape_table.growth_max

    def shape(self, number: int) -> Shape:
        return self._decoded(number)[0]

    def facts(self, number: int) -> ShapeFacts:
        return self._decoded(number)[1]

    def grow(self, ticks: list[int], counts: Mapping[int, int], sign: int) -> None:
        """Add the growth of shapes that occur so often to the ticks, or subtract it."""
        self.shape_table.grow(ticks, counts, sign)

    def text(self, number: int) -> str:
        """A defined text."""
        return self.text_table.text(number)

    def lines(self, number: int) -> tuple[LogLine, ...]:
        """The log lines of a set, in order."""
        return self.text_table.lines(number)

    def arg_texts(self, value: int | Pairs) -> Sequence[int]:
        """The texts of a set of arguments, or of pairs, keys and texts in turns."""
        if isinstance(value, tuple):
            return tuple(chain.from_iterable(value))
        return self.text_table.args(value)

    def schema(self, shape: int) -> IndexedSchema:
        """The schema of a shape."""
        return self.schemas[self.shape_table.schema_of[shape]]

    # Searching. Each call returns a part of a table, from `start` up to `stop`.

    def texts_containing(self, needle: bytes, start: int, stop: int, *, folded: bool) -> bytes:
        """A table over the texts: 1 where the needle occurs."""
        return self.text_table.containing(needle, start, stop, folded=folded)

    def line_sets_containing(self, texts: bytes, start: int, stop: int, level: int) -> bytes:
        """A table over the line sets: 1 where a line up to `level` is one of `texts`."""
        return self.text_table.line_sets_containing(texts, start, stop, level)

    def size(self) -> int:
        """Bytes in memory, about, without tables that a loader gives."""
        tables = [
            table.size() for table in (self._own_shapes, self._own_texts) if table is not None
        ]
        ready = sys.getsizeof(self.heads) + self._head_bytes + self.activity.bytes
        return DICTIONARY_BYTES + ready + sys.getsizeof(self.holders) + sum(tables)

    def weigh(self) -> int:
        """By how much the weight has changed since the last call."""
        before, self.weight = self.weight, self.size()
        return self.weight - before

    def _decoded(self, number: int) -> tuple[Shape, ShapeFacts]:
        key = self.serial << _SERIAL_SHIFT | number
        found = self._cache.get(key)
        if found is None:
            found = self._cache.keep(key, *self._read(number))
        return found

    def _read(self, number: int) -> tuple[Shape, ShapeFacts]:
        table = self.shape_table
        if self._own_shapes is not None:
            shape = table.shape(number)
            return shape, shape_facts(shape, self.schemas[table.schema_of[number]])
        try:
            return decode_shape(table, number, self.schemas)
        except WireError as error:
            self._on_damage(self, error, lambda chunk: number in chunk.shapes.palette)
            return BLANK_SHAPE, BLANK_FACTS
