"""Columns of the timeline against a naive look at every transition."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from am_dbg.projection.steps import Moment
from am_dbg.projection.timeline import columns_of, project_timeline
from am_dbg.query import Filters, Visible, canceled, errors
from am_dbg.query.transition_set import TransitionSet
from tests.dbg.histories import SMALL_CHUNKS, HistoryPlayer, stored
from tests.dbg.model import histories


def naive(found: TransitionSet, visible: Visible, width: int) -> set[int]:
    """The columns of every transition of a set, one after another."""
    marked: set[int] = set()
    for number in found.numbers(1, found.count):
        first, last = columns_of(visible.position_of(number), visible.count, width)
        marked.update(range(first, last + 1))
    return marked


@given(histories, st.integers(1, 40), st.booleans())
def test_a_column_is_marked_exactly_if_it_stands_for_a_hit(
    history: list[tuple[int, ...]], width: int, hides: bool
) -> None:
    """Marks from the counts of chunks are those of the single transitions, filtered or not."""
    player = HistoryPlayer(batch_rows=4, segment_rows=9).play(history)
    tracks = stored(player, limits=SMALL_CHUNKS).tracks
    for track in tracks:
        visible = Visible(track, Filters(auto=not hides))
        columns = project_timeline(Moment(track, 0, 0, 0, 0), visible, width).columns
        for found, marks in (
            (errors(visible), [column.has_error for column in columns]),
            (canceled(visible), [column.has_canceled for column in columns]),
        ):
            expected = naive(found, visible, width) if columns else set()
            assert {at for at, is_marked in enumerate(marks) if is_marked} == expected


@given(histories)
def test_a_rough_time_is_within_the_time_of_its_chunk(history: list[tuple[int, ...]]) -> None:
    """Without rows the time of a transition is a guess between those of its chunk's ends."""
    player = HistoryPlayer(batch_rows=4, segment_rows=9).play(history)
    tracks = stored(player, limits=SMALL_CHUNKS).tracks
    for track in tracks:
        for number in range(track.first, track.count + 1):
            chunk = track.chunk_of(number)
            assert chunk.time_min <= track.rough_time_at(number) <= chunk.time_max
