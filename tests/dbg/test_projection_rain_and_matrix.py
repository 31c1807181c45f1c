"""The rain has a character per state, the matrix a number per pair of states."""

from __future__ import annotations

import pytest

from am_dbg.projection.grids.matrix import project_matrix
from am_dbg.projection.grids.rain import project_rain
from am_dbg.projection.steps import Moment, moment_of
from am_dbg.query import Filters, Visible
from am_dbg.query.cursor import Cursor
from am_dbg.store import Track
from tests.screens.stories import FILES, files_story, long_track, track_of

EVERYTHING = Filters(empty=True, health=True)
NAMES = [state.name for state in FILES]


@pytest.fixture(scope="module")
def worker() -> Track:
    """The main machine of the story of the processed file."""
    return track_of(files_story())


def moment_at(track: Track, number: int) -> tuple[Moment, Visible]:
    visible = Visible(track, EVERYTHING)
    return moment_of(Cursor(track).at(number), visible), visible


def cells(track: Track, number: int) -> dict[str, str]:
    """The characters of a transition, by state."""
    view = project_rain(*moment_at(track, number), height=20, columns=20, tail=False)
    row = next(row for row in view.rows if row.number == number)
    return dict(zip(NAMES, row.cells, strict=True))


@pytest.mark.parametrize(
    ("number", "state", "cell"),
    [
        (1, "Ready", "."),
        (2, "Start", "1"),
        (2, "ProcessingFile", "2"),
        (4, "Ping", "c"),
        (7, "Ping", "|"),
        (12, "ProcessingFile", "|"),
    ],
)
def test_each_character_of_the_rain_has_one_meaning(
    worker: Track, number: int, state: str, cell: str
) -> None:
    """Inactive, active, active and touched, canceled, removed."""
    assert cells(worker, number)[state] == cell


def test_the_rain_marks_the_row_of_the_cursor_and_what_was_called(worker: Track) -> None:
    """One row is current; the columns of its called states are underlined."""
    view = project_rain(*moment_at(worker, 12), height=20, columns=20, tail=False)

    assert [row.number for row in view.rows if row.is_current] == [12]
    assert next(row for row in view.rows if row.is_current).called == {NAMES.index("FileProcessed")}


def test_half_of_the_rain_is_ahead_of_the_cursor() -> None:
    """While the newest transition is followed, no row is kept free for later ones."""
    track = long_track(100)
    paused = project_rain(*moment_at(track, 50), height=20, columns=2, tail=False)
    followed = project_rain(*moment_at(track, 50), height=20, columns=2, tail=True)

    assert [paused.rows[0].number, paused.rows[-1].number] == [41, 60]
    assert [followed.rows[0].number, followed.rows[-1].number] == [31, 50]


def test_errors_have_columns_of_their_own_in_the_rain(worker: Track) -> None:
    """The columns of error states are known, so that they can stand out."""
    view = project_rain(*moment_at(worker, 13), height=5, columns=20, tail=False)

    assert view.errors == {NAMES.index("Exception")}


def test_the_rain_scrolls_to_the_selected_state(worker: Track) -> None:
    """With fewer columns than states, the selected state is among those on show."""
    view = project_rain(*moment_at(worker, 13), 5, 3, "Exception", tail=False)

    assert view.names[view.selected] == "Exception"
    assert len(view.names) == 3


def test_the_matrix_sums_the_steps_between_two_states(worker: Track) -> None:
    """A cell has the sum of the step types from the state of its column to that of its row."""
    view = project_matrix(moment_at(worker, 2)[0], columns=20, rows=20)
    table = {
        (NAMES[row], NAMES[column]): value
        for row, values in enumerate(view.cells)
        for column, value in enumerate(values)
        if value
    }

    assert table == {
        ("ProcessingFile", "ProcessingFile"): 32 + 4 + 2 + 2,
        ("Start", "ProcessingFile"): 1,
    }
    assert [NAMES[at] for at, called in enumerate(view.called) if called] == ["ProcessingFile"]
    assert [NAMES[at] for at, growth in enumerate(view.growth) if growth] == ["ProcessingFile"]
    assert (view.tick_sum, view.time_sum) == (1, worker.time_sum(2))
