"""Definitions in place of damaged ones: shapes without calls and changes, empty texts.

They have every number that the damaged ones had, so nothing that refers to a number can fail.
"""

from __future__ import annotations

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
    for _ in range(sets):
        table.define_lines(())
