"""Conditions on transitions: finds the rows of a chunk that pass, by its palettes where possible.

Most conditions are about shapes. They become a table over the shapes of a dictionary,
one byte each, and a chunk needs only the entries of its palette. Conditions on texts
become a table over texts, and from it a table over line sets. A row is read only if no
table decides. Every result is a string of bytes 0 and 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import reduce
from itertools import compress

from am_dbg.query.filters import Filters
from am_dbg.query.terms import Terms, parse
from am_dbg.query.times import WrittenTime
from am_dbg.store import Fact, Track
from am_dbg.store.chunk import Chunk
from am_dbg.store.dictionary import Dictionary
from am_dbg.store.facts import Schema, groups_of, mask_of
from amtracer.wire.vocabulary import StepFlag, handler_name

ShapeTest = Callable[[Dictionary, int, int], bytes]
"""A condition on shapes: the table over some of a dictionary's shapes, from and up to."""
RowTest = Callable[[Chunk, int], bytes | None]
"""A condition on rows: the flags of the first rows of a chunk, None when all of them pass."""

_FLAG_VALUES = 256


class FlagTable:
    """A table of flags for each dictionary; it grows with the dictionary.

    The dictionary may grow meanwhile: a table covers what was defined before `of` was
    called, so a caller takes the numbers it looks up before it takes the table.
    """

    def __init__(self, count: Callable[[Dictionary], int], make: ShapeTest) -> None:
        self._count = count
        self._make = make
        self._tables: dict[int, bytes] = {}

    def of(self, dictionary: Dictionary) -> bytes:
        """The table of a dictionary as it is now."""
        table, count = self._tables.get(dictionary.serial, b""), self._count(dictionary)
        if len(table) < count:
            table += self._make(dictionary, len(table), count)
            self._tables[dictionary.serial] = table
        return table


class Conditions:
    """A set of conditions, all of which have to hold."""

    def __init__(
        self, shape_tests: Iterable[ShapeTest] = (), row_tests: Iterable[RowTest] = ()
    ) -> None:
        self.shape_tests = tuple(shape_tests)
        self.row_tests = tuple(row_tests)
        self._table = FlagTable(lambda dictionary: dictionary.shape_count, self._shapes)

    def __and__(self, other: Conditions) -> Conditions:
        return Conditions(
            (*self.shape_tests, *other.shape_tests), (*self.row_tests, *other.row_tests)
        )

    def count(self, chunk: Chunk, rows: int) -> int:
        """How many of the first rows pass; a whole chunk is counted by its palette."""
        by_row = self._by_row(chunk, rows)
        if by_row is None and chunk.is_sealed:
            return sum(compress(chunk.shapes.counts, self._local(chunk)))
        flags = self._joined(chunk, rows, by_row)
        return rows if flags is None else flags.count(1)

    def flags(self, chunk: Chunk, rows: int) -> bytes | None:
        """A byte for each of the first rows, 1 if it passes; None when all do."""
        return self._joined(chunk, rows, self._by_row(chunk, rows))

    def _by_row(self, chunk: Chunk, rows: int) -> bytes | None:
        """The flags of all conditions on rows together."""
        answers = [flags for test in self.row_tests if (flags := test(chunk, rows)) is not None]
        return reduce(both, answers) if answers else None

    def _joined(self, chunk: Chunk, rows: int, by_row: bytes | None) -> bytes | None:
        local = self._local(chunk)
        if 1 not in local:
            return bytes(rows)
        if 0 not in local:
            return by_row
        flags = chunk.shapes.spread(local, rows)
        return flags if by_row is None else both(flags, by_row)

    def _local(self, chunk: Chunk) -> bytes:
        palette = chunk.shapes.palette[:]
        if not self.shape_tests:
            return b"\1" * len(palette)
        return looked_up(self._table.of(chunk.dictionary), palette)

    def _shapes(self, dictionary: Dictionary, start: int, stop: int) -> bytes:
        tables = [test(dictionary, start, stop) for test in self.shape_tests]
        return reduce(both, tables)


def looked_up(table: bytes, numbers: Iterable[int]) -> bytes:
    """The flags of a table for these numbers."""
    return bytes(map(table.__getitem__, numbers))


def both(one: bytes, other: bytes) -> bytes:
    """1 where both have 1."""
    joined = int.from_bytes(one, "little") & int.from_bytes(other, "little")
    return joined.to_bytes(len(one), "little")


def either(one: bytes, other: bytes) -> bytes:
    """1 where at least one has 1."""
    joined = int.from_bytes(one, "little") | int.from_bytes(other, "little")
    return joined.to_bytes(len(one), "little")


def marked(rows: Iterable[int], count: int) -> bytes:
    """1 for each of these rows below `count`."""
    flags = bytearray(count)
    for row in rows:
        if row < count:
            flags[row] = 1
    return bytes(flags)


# Conditions on shapes.


def with_facts(facts: Fact) -> ShapeTest:
    """Shapes with at least one of these facts."""
    table = bytes(1 if value & facts else 0 for value in range(_FLAG_VALUES))
    return lambda dictionary, start, stop: bytes(dictionary.flags[start:stop]).translate(table)


def without_facts(facts: Fact) -> ShapeTest:
    """Shapes with none of these facts."""
    table = bytes(0 if value & facts else 1 for value in range(_FLAG_VALUES))
    return lambda dictionary, start, stop: bytes(dictionary.flags[start:stop]).translate(table)


def touching(state: str) -> ShapeTest:
    """Shapes that called or changed a state."""
    return _by_mask(lambda schema: 1 << schema.index[state] if state in schema.index else 0)


def touching_like(word: str) -> ShapeTest:
    """Shapes that called or changed a state with this text in its name."""
    folded = word == word.lower()

    def mask(schema: Schema) -> int:
        names = schema.index.items()
        return sum(1 << i for name, i in names if word in (name.lower() if folded else name))

    return _by_mask(mask)


def _in_group(group: str) -> ShapeTest:
    """Shapes that called or changed a state of a group."""
    return _by_mask(lambda schema: mask_of(groups_of(schema.states).get(group, ())))


def _in_group_if_any(group: str) -> ShapeTest:
    """Shapes of `_in_group`, and all shapes under a schema without that group."""
    inside = _in_group(group)

    def test(dictionary: Dictionary, start: int, stop: int) -> bytes:
        numbers = dictionary.schema_of[start:stop]
        has = {at: group in groups_of(dictionary.schemas[at].states) for at in set(numbers)}
        outside = bytes(not has[number] for number in numbers)
        return either(inside(dictionary, start, stop), outside)

    return test


def _by_mask(mask_of: Callable[[Schema], int]) -> ShapeTest:
    def test(dictionary: Dictionary, start: int, stop: int) -> bytes:
        numbers = dictionary.schema_of[start:stop]
        masks = {number: mask_of(dictionary.schemas[number]) for number in set(numbers)}
        touched = dictionary.touched[start:stop]
        return bytes(
            1 if mask & masks[number] else 0 for mask, number in zip(touched, numbers, strict=True)
        )

    return test


def named(key: str, name: str) -> ShapeTest:
    """Shapes that match the key of a term, or `changed`, with this name."""
    if key == "state":
        return touching(name)
    if key == "group":
        return _in_group(name)
    if key in ("handler", "failed"):
        failed = StepFlag.FAILED | StepFlag.DENIED if key == "failed" else 0
        return lambda dictionary, start, stop: bytes(
            _has_handler(dictionary, shape, name, failed) for shape in range(start, stop)
        )

    def test(dictionary: Dictionary, start: int, stop: int) -> bytes:
        table = bytearray(stop - start)
        for at, is_touched in enumerate(touching(name)(dictionary, start, stop)):
            if is_touched:
                mask: int = getattr(dictionary.facts(start + at), key)
                table[at] = mask >> dictionary.schema(start + at).index[name] & 1
        return bytes(table)

    return test


def _has_handler(dictionary: Dictionary, shape: int, name: str, flags: int) -> bool:
    states = dictionary.schema(shape).states
    return any(
        (not flags or step.flags & flags) and handler_name(step, states) == name
        for step in dictionary.shape(shape).steps
    )


# Conditions on rows.


def not_asked_by(machine: str) -> RowTest:
    """Rows that no transition of this machine asked for."""

    def test(chunk: Chunk, rows: int) -> bytes | None:
        by_machine = chunk.rows_asked_by(machine)
        if not by_machine:
            return None
        asked = marked(by_machine, rows)
        return asked.translate(bytes((1, 0)) + bytes(_FLAG_VALUES - 2))

    return test


def between(track: Track, after: WrittenTime | None, before: WrittenTime | None) -> RowTest:
    """Rows whose wall time lies between two moments, both included."""

    def test(chunk: Chunk, rows: int) -> bytes | None:
        started = track.time_at(track.first)
        low = after.at(started) if after else chunk.time_min
        high = before.at(started) if before else chunk.time_max
        if low <= chunk.time_min and chunk.time_max <= high:
            return None
        return bytes(low <= chunk.time(row) <= high for row in range(rows))

    return test


def longer(duration_ns: int) -> RowTest:
    """Rows that took at least this long."""
    return lambda chunk, rows: bytes(chunk.duration(row) >= duration_ns for row in range(rows))


def containing(word: str, level: int) -> RowTest:
    """Rows with a text in a log line up to a level, an argument or the name of a state."""
    folded = word == word.lower()
    needle = word.encode("utf-8", "surrogatepass")
    names = FlagTable(lambda dictionary: dictionary.shape_count, touching_like(word))
    texts = FlagTable(
        lambda dictionary: dictionary.text_count,
        lambda dictionary, *bounds: dictionary.texts_containing(needle, *bounds, folded=folded),
    )
    sets = FlagTable(
        lambda dictionary: dictionary.line_set_count,
        lambda dictionary, *bounds: dictionary.line_sets_containing(
            texts.of(dictionary), *bounds, level
        ),
    )

    def test(chunk: Chunk, rows: int) -> bytes:
        dictionary = chunk.dictionary
        shape_palette, line_palette = chunk.shapes.palette[:], chunk.lines.palette[:]
        line_sets = b"\0" + sets.of(dictionary)
        shapes = looked_up(names.of(dictionary), shape_palette)
        lines = looked_up(line_sets, line_palette)
        flags = marked(chunk.rows_with_texts(texts.of(dictionary), line_sets), rows)
        if 1 in shapes:
            flags = either(flags, chunk.shapes.spread(shapes, rows))
        if 1 in lines:
            flags = either(flags, chunk.lines.spread(lines, rows))
        return flags

    return test


# Conditions together.


def conditions_of(track: Track, filters: Filters) -> Conditions:
    """The conditions that filters stand for."""
    conditions = conditions_of_terms(track, parse(filters.text), filters.level)
    if filters.hidden:
        conditions &= Conditions([without_facts(filters.hidden)])
    if filters.group:
        conditions &= Conditions([_in_group_if_any(filters.group)])
    if not filters.queued:
        conditions &= Conditions(row_tests=[not_asked_by(track.id)])
    return conditions


def conditions_of_terms(track: Track, terms: Terms, level: int) -> Conditions:
    """The conditions that a query stands for."""
    shape_tests = [named(key, name) for key, name in terms.names]
    shape_tests += [with_facts(fact) for fact in terms.with_facts]
    if terms.without_facts:
        shape_tests.append(without_facts(terms.without_facts))
    row_tests = [containing(word, level) for word in terms.words]
    if terms.after or terms.before:
        row_tests.append(between(track, terms.after, terms.before))
    if terms.longer_ns:
        row_tests.append(longer(terms.longer_ns))
    return Conditions(shape_tests, row_tests)
