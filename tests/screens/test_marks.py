"""What colours show, marks show too."""

from __future__ import annotations

import re
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from am_dbg.drawing.log import draw_log
from am_dbg.drawing.timeline import draw_timeline
from am_dbg.projection.log.entries import EntryKind, StateChange, StateWord, TransitionEntry
from am_dbg.projection.log.view import LogView
from am_dbg.projection.log.window import LogRow, RowKind
from am_dbg.projection.log.wrapping import wrapped_entry
from am_dbg.projection.timeline import Column, TimelineView

COLUMNS = st.builds(
    Column,
    level=st.integers(0, 7),
    has_error=st.booleans(),
    has_canceled=st.booleans(),
    has_gap=st.booleans(),
)


TIME = re.compile(r"\d\d:\d\d:\d\d\.\d\d")


def sign_of(column: Column) -> str:
    """The mark of a column; an error hides what was canceled."""
    return "E" if column.has_error else "✗" if column.has_canceled else ""


@given(st.data())
def test_the_axis_marks_all_that_the_timeline_shows_by_colours(data: st.DataObject) -> None:
    """Neighbours of one kind have one mark, wherever the cursor and bookmarks leave a place."""
    columns = tuple(data.draw(st.lists(COLUMNS, min_size=1, max_size=120)))
    cursor = data.draw(st.integers(-1, len(columns) - 1))
    bookmarks = tuple(data.draw(st.lists(st.integers(0, len(columns) - 1), max_size=3)))
    view = TimelineView(columns, cursor, 0, 9_000_000_000, bookmarks=bookmarks, is_empty=False)
    axis = draw_timeline(view, len(columns) + 2)[1].text[1:-1]

    covered = {cursor, *bookmarks}
    for sign, run in groupby(range(len(columns)), key=lambda at: sign_of(columns[at])):
        places = [at for at in run if at not in covered]
        if sign and places:
            assert axis[places[0]] == sign
        for at in places if not sign else ():
            assert axis[at] == "┆" or not columns[at].has_gap
    for at in covered - {-1}:
        assert axis[at] == ("▲" if at == cursor else "b")


@given(st.lists(COLUMNS, min_size=40, max_size=90), st.integers(-1, 39))
def test_a_time_that_is_not_at_its_end_points_there(columns: list[Column], cursor: int) -> None:
    """Otherwise it would read as the time of its place."""
    view = TimelineView(tuple(columns), cursor, 0, 9_000_000_000, is_empty=False)
    axis = draw_timeline(view, len(columns) + 2)[1].text[1:-1]

    for found in TIME.finditer(axis):
        is_at_end = found.start() == 0 or found.end() == len(axis)
        assert is_at_end or axis[found.start() - 1] == "◂" or axis[found.end()] == "▸"


def entry(kind: EntryKind, *called: StateWord) -> TransitionEntry:
    return TransitionEntry(1, 0, kind, called, (StateWord("Implied", StateChange.REMOVED),))


@pytest.mark.parametrize("kind", EntryKind)
def test_a_called_state_that_stayed_as_it_was_has_a_mark(kind: EntryKind) -> None:
    """Of an entry that changes nothing anyway, the sign of the entry shows it."""
    one = entry(kind, StateWord("Ready", StateChange.NONE), StateWord("Idle", StateChange.ADDED))
    row = draw_log(LogView(rows=(LogRow(RowKind.ENTRY, 1, one),)), 80)[0].text
    changes = kind in (EntryKind.ADD, EntryKind.REMOVE, EntryKind.SET)

    assert f"{kind.value} {'~' if changes else ''}Ready Idle -Implied" in row


@given(st.integers(10, 60))
def test_a_row_that_wraps_has_room_for_the_marks(width: int) -> None:
    """What does not fit beside the called states goes to the row below."""
    words = tuple(StateWord(f"S{at}", StateChange.NONE) for at in range(5))
    kept, _ = wrapped_entry(entry(EntryKind.ADD, *words), width)
    used = len(" ".join(map(kept.written, (*kept.called, *kept.implied))))

    assert used <= width or not kept.implied
