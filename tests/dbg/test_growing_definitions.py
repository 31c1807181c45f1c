"""Definitions that are written while more of them come."""

from __future__ import annotations

import pytest

from am_dbg.store.definitions.shape_table import ShapeTable
from am_dbg.store.definitions.text_table import TextTable
from am_dbg.store.facts import IndexedSchema, shape_facts
from am_dbg.store.packed import definitions
from am_dbg.store.packed.definitions import PartHead, part_ends, parts_of
from amtracer.wire.messages import Shape, StateDef

SCHEMA = IndexedSchema((StateDef("Start"),))
SHAPE = Shape(type=0, called=(0,), flags=1, changes=((0, 1),), steps=())


def define(shapes: ShapeTable, texts: TextTable, count: int) -> None:
    for _ in range(count):
        shapes.define(0, SHAPE, shape_facts(SHAPE, SCHEMA), 0)
        texts.texts.append(b"text")
        texts.define_lines([(1, len(texts.texts) - 1)])


@pytest.mark.parametrize("more", [1, 5, 12])
def test_parts_end_with_what_there_was_at_their_beginning(
    more: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Entries that come between two parts belong to a later call, which goes on behind them."""
    monkeypatch.setattr(definitions, "PART_ENTRIES_MAX", 4)
    shapes, texts = ShapeTable(), TextTable()
    define(shapes, texts, 10)
    last = PartHead(0, 0, 0, 0, 0, 0, 0, 0, 0)
    for part in parts_of(shapes, texts, last):
        define(shapes, texts, more)
        assert max(part.shapes, part.texts, part.sets) <= 4
        last = part

    assert part_ends(last) == (10, 10, 10)
    *_, rest = parts_of(shapes, texts, last)
    assert part_ends(rest) == (len(shapes), len(texts.texts), len(texts.line_ends) - 1)
