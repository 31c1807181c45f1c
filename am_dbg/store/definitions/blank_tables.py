"""Definitions in place of damaged ones: shapes without calls and changes, empty texts.

They have every number that the damaged ones had, so nothing that refers to a number can fail.
"""

from __future__ import annotations

from array import array
from functools import cached_property
from typing import TYPE_CHECKING

from am_dbg.store.definitions.shape_table import ShapeTable
from am_dbg.store.definitions.text_table import TextTable
from am_dbg.store.facts import IndexedSchema, shape_facts
from amtracer.wire.messages import Shape
from amtracer.wire.vocabulary import MutationKind, ShapeFlag

if TYPE_CHECKING:
    from am_dbg.store.dictionary import DefinitionCounts

BLANK_SHAPE = Shape(int(MutationKind.ADD), (), int(ShapeFlag.ACCEPTED), (), ())
BLANK_FACTS = shape_facts(BLANK_SHAPE, IndexedSchema(()))


class BlankTables:
    """Gives as many blank definitions as there were."""

    def __init__(self, counts: DefinitionCounts) -> None:
        self._counts = counts

    def shapes(self) -> ShapeTable:
        return self._shapes

    def texts(self) -> TextTable:
        return self._texts

    def check_again(self) -> None:
        """Blank rows are never damaged."""

    @cached_property
    def _shapes(self) -> ShapeTable:
        table = ShapeTable()
        add_blank_shapes(table, self._counts.shapes)
        return table

    @cached_property
    def _texts(self) -> TextTable:
        table = TextTable()
        add_blank_texts(table, self._counts.texts, self._counts.line_sets)
        return table


def add_blank_shapes(table: ShapeTable, count: int) -> None:
    """Define shapes without calls and changes."""
    for _ in range(count):
        table.define(0, BLANK_SHAPE, BLANK_FACTS, 0)


def add_blank_texts(table: TextTable, texts: int, sets: int) -> None:
    """Define empty texts, and sets without lines."""
    table.texts.extend([b""] * texts)
    table.line_ends.extend(array("I", [table.line_ends[-1]]) * sets)


def lose_shapes(table: ShapeTable, stop: int) -> None:
    """Define all shapes before this number that are not defined yet as lost and blank."""
    first = len(table)
    table.lost.add(first, stop)
    add_blank_shapes(table, stop - first)


def lose_texts(table: TextTable, texts_stop: int, sets_stop: int) -> None:
    """Define all texts and sets of lines before these numbers that are not defined yet as lost."""
    texts, sets = len(table.texts), len(table.line_ends) - 1
    table.lost_texts.add(texts, texts_stop)
    table.lost_sets.add(sets, sets_stop)
    add_blank_texts(table, texts_stop - texts, sets_stop - sets)


def lose_sets_of_lost_texts(table: TextTable, first: int) -> None:
    """Count sets of lines from this number on as lost if the text of one of their lines is."""
    ends = table.line_ends
    for number in range(first, len(ends) - 1):
        if table.lost_texts.has_any(table.line_texts[ends[number] : ends[number + 1]]):
            table.lost_sets.add(number, number + 1)
