"""With the scope of all machines, the rain has a group of columns for each of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from am_dbg.control import Control
from am_dbg.drawing.layout import Pane
from am_dbg.drawing.rain import BEFORE_CELLS, CELL, draw_rain, merged_head_rows
from am_dbg.projection.grids.merged_rain import NOT_THERE, project_merged_rain, rain_page
from am_dbg.projection.grids.rain import RainView, rain_cells
from am_dbg.query import Filters
from am_dbg.query.across import Across
from am_dbg.query.across_queries import AcrossQueries
from am_dbg.query.cursor import Cursor
from am_dbg.store import Store
from tests.screens.driving import do
from tests.screens.stories import FILES, MILLISECOND, Story
from tests.screens.test_across_machines import pool_story
from tests.screens.test_screen import WIDE, running, screen_text

SIZE = (160, 45)
EVERYTHING = Filters(empty=True, health=True)
STATES = len(FILES)


@pytest.fixture
def pool() -> Control:
    """A control at the start of the pool, with the rain of all machines."""
    control = Control(pool_story().store())
    control.data_arrived()
    control.open_address("mach://pool/1")
    control.project(*SIZE)
    return do(control, "scope", "rain")


def rain_of(control: Control) -> RainView:
    return control.project(*SIZE).rain


def merged_of(store: Store) -> Across:
    return AcrossQueries(store).visible(EVERYTHING, frozenset())


def place(control: Control) -> str:
    cursor = control.workspace.cursor
    assert cursor is not None
    return f"{cursor.track.key}/{cursor.number}"


def test_a_row_is_a_transition_of_any_machine(pool: Control) -> None:
    """Rows are in order of time, each with the name of its machine; one is the cursor's."""
    view = rain_of(pool)

    assert [f"{row.machine}/{row.number}" for row in view.rows[:4]] == [
        "pool/1",
        "worker-1/1",
        "worker-2/1",
        "worker-1/2",
    ]
    assert [row.number for row in view.rows if row.is_current] == [1]
    assert view.scope == "all 3 machines"


def test_each_machine_has_a_group_of_columns(pool: Control) -> None:
    """The groups stand side by side, in the order in which the machines arrived."""
    view = rain_of(pool)

    assert [(group.name, group.column, group.size) for group in view.groups] == [
        ("pool", 0, STATES),
        ("worker-1", STATES, STATES),
        ("worker-2", 2 * STATES, STATES),
    ]
    assert len(view.names) == 3 * STATES


def test_chosen_machines_alone_have_columns(pool: Control) -> None:
    """The scope of chosen machines has rows and groups of these only."""
    do(pool, "choose_machine")

    assert {row.machine for row in rain_of(pool).rows} == {"pool"}
    assert [group.name for group in rain_of(pool).groups] == ["pool"]


@st.composite
def stores(draw: st.DrawFn) -> Store:
    """A few machines whose transitions come in any order, some at the same time."""
    story = Story()
    tellers = [story.machine(f"worker-{number}") for number in range(3)]
    active: set[tuple[int, str]] = set()
    for at, name, is_late in draw(
        st.lists(
            st.tuples(st.integers(0, 2), st.sampled_from(["Ping", "Ready"]), st.booleans()),
            min_size=1,
            max_size=20,
        )
    ):
        change = tellers[at].remove if (at, name) in active else tellers[at].add
        change(name, after_ns=is_late * MILLISECOND)
        active ^= {(at, name)}
    return story.store()


@pytest.mark.slow
@given(stores(), st.integers(1, 25), st.booleans(), st.data())
def test_other_machines_show_what_was_active_then(
    store: Store, height: int, tail: bool, data: st.DataObject
) -> None:
    """In each row, the machine of the transition has its rain, the others their active states."""
    merged = merged_of(store)
    first = merged.first()
    assert first is not None
    order = [first, *merged.after(first)]
    here = data.draw(st.sampled_from(order))
    view = project_merged_rain(merged, here, height, 100, tail=tail)

    places = [row.place for row in view.rows]
    begin = order.index(places[0]) if places[0] else 0
    assert places == order[begin : begin + len(places)]
    assert len(places) == min(height, len(order))
    assert here in places
    for index, row in enumerate(view.rows):
        before = order[: begin + index + 1]
        for group in view.groups:
            cells = row.cells[group.column : group.column + group.size]
            numbers = [at.number for at in before if at.track is group.track]
            if row.place is not None and group.track is row.place.track:
                assert cells == rain_cells(group.track, row.number)
            elif not numbers:
                assert cells == NOT_THERE * group.size
            else:
                clock = group.track.clock_at(numbers[-1])
                assert cells == "".join("1" if tick % 2 else "." for tick in clock)


@pytest.mark.parametrize("columns", [1, 5, STATES, 2 * STATES, 2 * STATES + 1, 100])
def test_machines_that_do_not_fit_are_on_further_pages(columns: int) -> None:
    """Each machine is on one page; the page of the selected one is shown, and it fits."""
    story = Story()
    for number in range(7):
        story.machine(f"worker-{number}").add("Start")
    store = story.store()
    merged = merged_of(store)
    pages = [rain_page(merged, track, columns) for track in store.tracks]

    for track, page in zip(store.tracks, pages, strict=True):
        view = project_merged_rain(merged, Cursor(track, 1), 10, columns, "Exception", tail=False)
        assert track in page
        assert all(page == pages[store.tracks.index(other)] for other in page)
        assert len(view.names) + len(view.groups) - 1 <= max(columns, 1)
        assert view.names[view.selected] == "Exception"


def test_a_click_selects_the_transition_and_a_state_of_its_machine(pool: Control) -> None:
    """The row leads to another machine; its columns stand behind those of the first one."""
    view = rain_of(pool)
    head = merged_head_rows(view.names, pool.workspace.height_of(Pane.RAIN))
    names = view.name_width + 1 + view.number_digits + BEFORE_CELLS
    pool.click(Pane.RAIN, head + 3, names + (STATES + 1 + 6) * CELL)

    assert place(pool) == "worker-1/2"
    assert pool.workspace.selected_state is not None
    assert pool.workspace.selected_state.state == FILES[6].name
    selected = rain_of(pool).selected
    pool.click(Pane.RAIN, head + 3, names + 2 * CELL)
    assert (place(pool), rain_of(pool).selected) == ("worker-1/2", selected)


@pytest.mark.parametrize("width", [40, 59, 60, 80, 122])
def test_every_column_of_a_page_is_drawn(pool: Control, width: int) -> None:
    """Rows fit, and the cells of all groups stand in them."""
    view = rain_of(pool)
    for line in draw_rain(view, width, 30):
        assert sum(len(span.text) for span in line.spans) <= width


@pytest.mark.slow
async def test_the_titles_name_the_scope() -> None:
    """Of the rain it is the machines, of the matrix the machine of its transition."""
    async with running(pool_story().store(), number=1, size=WIDE) as (app, pilot):
        await pilot.press("A", "m")
        assert "Rain · all 3 machines" in screen_text(app)
        await pilot.press("m", "right")

        assert f"Matrix · {place(app.control).split('/')[0]}" in screen_text(app)
