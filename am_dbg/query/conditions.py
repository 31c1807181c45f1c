"""Conditions on transitions: finds the rows of a chunk that pass, by its palettes where possible.

Most conditions are about shapes. They become a table over the shapes of a dictionary,
one byte each, and a chunk needs only the entries of its palette. Conditions on texts
become a table over texts, and from it a table over line sets. A row is read only if no
table decides. Conditions on facts alone are one table of 256 bytes: a sealed chunk, which counts
its rows by their facts, needs neither rows nor definitions if all rows pass or none does, and
none to be counted. Every result is a string of bytes 0 and 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import reduce
from itertools import compress

from am_dbg.query.filters import Filters
from am_dbg.query.flags import FLAG_VALUES, FlagTable, both
from am_dbg.query.row_tests import (
    RowTest,
    between,
    containing,
    known_count,
    longer,
    none_of,
    not_requested_by,
    preparing,
    remembered,
)
from am_dbg.query.shape_tests import (
    FactTest,
    ShapeTest,
    every_or_none,
    in_group_if_any,
    named,
    opposite_of,
    with_facts,
    without_facts,
)
from am_dbg.query.terms import Terms, has_text, parse
from am_dbg.store import Track
from am_dbg.store.chunk import Chunk
from am_dbg.store.columns import looked_up
from am_dbg.store.dictionary import SegmentDictionary


class Conditions:
    """A set of conditions, all of which have to hold."""

    def __init__(
        self, shape_tests: Iterable[ShapeTest] = (), row_tests: Iterable[RowTest] = ()
    ) -> None:
        self.shape_tests = tuple(shape_tests)
        self.row_tests = tuple(row_tests)
        self._facts = _joined_facts(self.shape_tests)
        self._table = FlagTable(lambda dictionary: dictionary.shape_count, self._shapes)

    def __and__(self, other: Conditions) -> Conditions:
        return Conditions(
            (*self.shape_tests, *other.shape_tests), (*self.row_tests, *other.row_tests)
        )

    def opposite(self) -> Conditions:
        """What passes exactly where these do not; they are all about shapes, or all about rows."""
        assert not self.shape_tests or not self.row_tests
        if self.row_tests:
            return Conditions(row_tests=[none_of(self.row_tests)])
        return Conditions([opposite_of(test) for test in self.shape_tests])

    def with_rows(self, *row_tests: RowTest) -> Conditions:
        """The same conditions and some on rows; both share their table of shapes."""
        made = Conditions(self.shape_tests, (*self.row_tests, *row_tests))
        made._table = self._table
        return made

    def count(self, chunk: Chunk, rows: int) -> int:
        """How many of the first rows pass; a whole chunk is counted without rows if it can be."""
        known = self._count_of_whole(chunk) if chunk.is_sealed else None
        if known is not None:
            return known
        flags = self.flags(chunk, rows)
        return rows if flags is None else flags.count(1)

    def _count_of_whole(self, chunk: Chunk) -> int | None:
        """The count of a sealed chunk; None if two conditions refuse rows, or one reads them."""
        known = self._known_count(chunk)
        if known is None:
            known = sum(compress(chunk.shapes.counts, self._local(chunk)))
        if known == 0 or not self.row_tests:
            return known
        counts = [known, *(known_count(test, chunk) for test in self.row_tests)]
        refusing = [count for count in counts if count != chunk.rows]
        if 0 in refusing:
            return 0
        return None if len(refusing) > 1 else next(iter(refusing), chunk.rows)

    def preparing(self, chunk: Chunk) -> Iterator[int]:
        """Make what the flags of a chunk need, in steps that yield their size."""
        for test in self.row_tests:
            yield from preparing(test, chunk)

    def flags(self, chunk: Chunk, rows: int) -> bytes | None:
        """A byte for each of the first rows, 1 if it passes; None when all do."""
        known = self._known_count(chunk)
        if known == 0:
            return bytes(rows)
        if known == chunk.rows:
            return self._by_row(chunk, rows)
        local = self._local(chunk)
        by_row = self._by_row(chunk, rows) if 1 in local else None
        return _joined(chunk, rows, local, by_row)

    def _known_count(self, chunk: Chunk) -> int | None:
        """How many rows of a sealed chunk pass the conditions on shapes, if facts say it."""
        facts = self._facts
        if facts is None or not chunk.is_sealed:
            return None
        return sum(count for value, count in chunk.facts if facts[value])

    def _by_row(self, chunk: Chunk, rows: int) -> bytes | None:
        """The flags of all conditions on rows together."""
        answers = [flags for test in self.row_tests if (flags := test(chunk, rows)) is not None]
        return reduce(both, answers) if answers else None

    def _local(self, chunk: Chunk) -> bytes:
        palette = chunk.shapes.palette[:]
        if not self.shape_tests:
            return b"\1" * len(palette)
        return looked_up(self._table.of(chunk.dictionary), palette)

    def _shapes(self, dictionary: SegmentDictionary, start: int, stop: int) -> bytes:
        tables = [test(dictionary, start, stop) for test in self.shape_tests]
        return reduce(both, tables)


def _joined_facts(tests: Iterable[ShapeTest]) -> bytes | None:
    """One table for conditions on facts, None if a condition is about more."""
    passes = b"\1" * FLAG_VALUES
    for test in tests:
        if not isinstance(test, FactTest):
            return None
        passes = both(passes, test.passes)
    return passes


def _joined(chunk: Chunk, rows: int, local: bytes, by_row: bytes | None) -> bytes | None:
    """The flags of both kinds of conditions together."""
    if 1 not in local:
        return bytes(rows)
    if 0 not in local:
        return by_row
    flags = chunk.shapes.spread(local, rows)
    return flags if by_row is None else both(flags, by_row)


def conditions_of(track: Track, filters: Filters) -> Conditions:
    """The conditions that filters stand for."""
    conditions = conditions_of_terms(track, parse(filters.text), filters.level)
    if filters.hidden:
        conditions &= Conditions([without_facts(filters.hidden)])
    if filters.group:
        conditions &= Conditions([in_group_if_any(filters.group)])
    if not filters.queued:
        conditions &= Conditions(row_tests=[not_requested_by(track.id)])
    return conditions


def conditions_of_terms(track: Track, terms: Terms, level: int) -> Conditions:
    """The conditions that a query stands for."""
    shape_tests = [named(key, name) for key, name in terms.names]
    shape_tests += [with_facts(fact) for fact in terms.with_facts]
    shape_tests += [every_or_none(has_text(track.key, word)) for word in terms.machines]
    if terms.without_facts:
        shape_tests.append(without_facts(terms.without_facts))
    row_tests = [containing(word, level) for word in terms.words]
    if terms.after or terms.before:
        row_tests.append(between(track, terms.after, terms.before))
    if terms.longer_ns is not None:
        row_tests.append(remembered(longer(terms.longer_ns)))
    conditions = Conditions(shape_tests, row_tests)
    for term in terms.excluded:
        conditions &= conditions_of_terms(track, term, level).opposite()
    return conditions
