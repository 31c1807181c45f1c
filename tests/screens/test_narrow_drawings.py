"""What narrow drawings leave out, and what they keep whole."""

from __future__ import annotations

import re

import pytest

from am_dbg.drawing.bars import draw_address
from am_dbg.drawing.comparison import draw_comparison_help
from am_dbg.drawing.detail import DetailView, draw_detail
from am_dbg.drawing.filters import draw_filters
from am_dbg.drawing.help import draw_help
from am_dbg.drawing.layout import Layout, Pane, lay_out
from am_dbg.drawing.log import draw_log
from am_dbg.drawing.merged_log import draw_merged_log
from am_dbg.drawing.occurrences import draw_occurrences
from am_dbg.drawing.rain import draw_rain, rain_columns
from am_dbg.drawing.steps import draw_steps
from am_dbg.keys import KEYS
from am_dbg.projection.bars import AddressView
from am_dbg.projection.detail.tabs import DetailTab
from am_dbg.projection.filtering.filter_line import FilterLineView
from am_dbg.projection.filters import FilterBarView
from am_dbg.projection.grids.rain import RainRow, RainView
from am_dbg.projection.log.entries import EntryKind, StateChange, StateWord, TransitionEntry
from am_dbg.projection.log.view import LogView
from am_dbg.projection.log.window import LogRow, RowKind
from am_dbg.projection.occurrences import Occurrence, OccurrenceKind, OccurrencesView
from am_dbg.projection.steps import StepLook, StepsView, StepText
from am_dbg.query.cursor import Cursor
from am_dbg.spans import SpanLine
from am_dbg.store import Track

NARROW_WIDTHS = [40, 47, 59]
ALL_WIDTHS = [*NARROW_WIDTHS, 60, 74, 99, 100, 160]


def words(rows: list[SpanLine]) -> str:
    """The words of a drawing, whatever the rows."""
    return " ".join(" ".join(row.text for row in rows).split())


@pytest.mark.parametrize("width", [27, 32, 35, 59, 60, 72, 92, 130])
def test_every_description_of_the_help_can_be_read(width: int) -> None:
    """A description wraps; its sign has less room on narrow screens."""
    rows = draw_help(width)
    shown = words([SpanLine(row.spans) for row in rows])

    assert max(row.width for row in rows) <= width
    assert "…" not in shown
    if width < 119:  # in two columns, rows of both sides alternate
        assert [key.help for key in KEYS if key.all_keys and key.help not in shown] == []


@pytest.mark.parametrize("width", [30, 60, 120])
def test_the_help_of_a_comparison_can_be_read(width: int) -> None:
    """Its descriptions wrap too."""
    text = "the transition of the side that has the focus, in the debugger"
    rows = draw_comparison_help([("enter", text)], width)

    assert text in words(rows)
    assert max(row.width for row in rows) <= width


@pytest.mark.parametrize("width", ALL_WIDTHS)
def test_the_address_bar_shows_whether_something_plays(width: int) -> None:
    """Tags go first, then the counts; a tag is shown whole or not at all."""
    tags = ("worker", "large", "supervisor")
    view = AddressView("mach://", "worker-15", "/11", tags=tags, machines=21, transitions=2_696)
    text = draw_address(view, width).text

    assert text.endswith("║ paused ")
    assert "mach://worker-15/11" in text
    assert not re.search(r"#\w+ ?\d", text)
    assert "…" not in text


@pytest.mark.parametrize("width", NARROW_WIDTHS)
def test_log_lines_have_most_of_a_narrow_screen(width: int) -> None:
    """They begin below the number of their transition, and times have no microseconds."""
    entry = TransitionEntry(7, 1_500_000_000, EntryKind.ADD, (word("Ready"),), ())
    rows = (
        LogRow(RowKind.ENTRY, 7, entry),
        LogRow(RowKind.LINE, 7, parts=()),
    )
    text = draw_log(LogView(rows=rows, number_digits=4), width)[0].text

    assert "01.500 + Ready" in text
    assert "500 000" not in text


def word(name: str, change: StateChange = StateChange.ADDED) -> StateWord:
    return StateWord(name, change)


def test_in_the_narrow_log_of_all_machines_states_come_before_causes() -> None:
    """A cause is shown only if the states beside it are whole."""
    rows = [
        LogRow(
            RowKind.ENTRY,
            7,
            TransitionEntry(7, 0, EntryKind.ADD, (word(name),), ()),
            machine="pool",
            cause="worker-15/11",
        )
        for name in ("A", "AStateWithAName")
    ]
    view = LogView(rows=tuple(rows), number_digits=2, name_width=4, scope="all")
    short, long = (row.text for row in draw_merged_log(view, 40))

    assert "◂ worker-15/11" in short
    assert "AStateWithAName" in long


@pytest.mark.parametrize("width", ALL_WIDTHS)
def test_the_open_tab_is_in_sight_and_the_place_too(width: int) -> None:
    """Without room beside the tabs, the place has the row below them."""
    counts = tuple((tab, 100) for tab in DetailTab)
    for tab in DetailTab:
        view = DetailView("a/1", tab, counts, rows=((),) * 8, total=100, needle="x", hits=70)
        rows = draw_detail(view, width)

        assert f"▸{tab.value}" in rows[0].text
        assert "rows 1–8 of 100" in words(rows[:2])
        assert len(rows) == 10


@pytest.mark.parametrize("width", ALL_WIDTHS)
def test_the_rows_of_lists_have_columns_and_whole_numbers(width: int, worker: Track) -> None:
    """A long name is cut; texts and places of all rows begin at the same columns."""
    rows = tuple(
        Occurrence(Cursor(worker, 1), 0, machine, number, text, where)
        for machine, number, text, where in (
            ("shop", 5, "an error", "shop.py:1 in sell"),
            ("a-machine-with-a-long-name", 12_345, "another error", "shop.py:1"),
            ("shop", 6, "no place " + "long " * 3, ""),
        )
    )
    view = OccurrencesView(OccurrenceKind.ERROR, rows, total=3, machines=2)
    first, second, third = (row.text for row in draw_occurrences(view, width - 5))

    assert "/12345 " in second
    assert first.index("an error") == second.index("another")
    assert first.find("shop.py") == second.find("shop.py")
    assert width < 70 or "long long long" in third


@pytest.mark.parametrize("pane", [Pane.LOG, Pane.MACHINES])
@pytest.mark.parametrize("height", [12, 20, 45])
@pytest.mark.parametrize("zoomed", [False, True])
def test_what_is_typed_on_a_narrow_screen_has_a_row_of_its_own(
    pane: Pane, height: int, zoomed: bool
) -> None:
    """What it finds, or what is wrong with it, stands above it."""
    for width in (40, 79):
        assert_two_rows(lay_out(width, height, focus=pane, searching=True, zoomed=zoomed))


def assert_two_rows(plan: Layout) -> None:
    boxes = plan.boxes
    typed, found = boxes[Pane.SEARCH], boxes[Pane.FILTERS]

    assert (typed.width, found.width) == (plan.width, plan.width)
    assert found.y == typed.y - 1
    assert all(box.y != found.y for name, box in boxes.items() if name is not Pane.FILTERS)


@pytest.mark.parametrize("width", [80, 100, 120, 160])
def test_what_a_search_found_is_shown_beside_the_filters(width: int) -> None:
    """It is shown nowhere else, so it stands before the query."""
    view = FilterBarView(search="job", hits=33, hit=4, level="changes")
    row = draw_filters(view, width, filter_line=FilterLineView(query="error:yes", hidden=64))

    assert "/ job  33 h" in row.text


@pytest.mark.parametrize("width", NARROW_WIDTHS)
def test_the_current_step_is_readable_on_a_narrow_screen(width: int) -> None:
    """The steps beside it take less room there."""
    step = StepText(StepLook.HANDLER, "ReadyState")
    for total in (3, 13, 200):
        view = StepsView(step=3, total=total, current=step, texts=(step,), first=3)
        assert "ReadyState" in draw_steps(view, width).text


@pytest.mark.parametrize("width", ALL_WIDTHS)
def test_the_rain_uses_the_width_for_states(width: int) -> None:
    """Narrow rows have no time, and nothing of a row is cut."""
    names = tuple(f"State{at}" for at in range(rain_columns(width)))
    rows = (RainRow(7, 0, "1" * len(names)),)
    drawn = draw_rain(RainView(names=names, rows=rows), width, 8)

    assert "…" not in drawn[-1].text
    assert len(names) > width // 4
    assert drawn[0].text.count("S") == len(names)


def test_what_an_empty_screen_advises_can_be_read_on_a_narrow_one() -> None:
    """The lines wrap, and what is indented stays so."""
    view = LogView(hints=("There is no data, and no program can connect.", "    import amtracer"))
    rows = draw_log(view, 40)

    assert "There is no data, and no program can connect." in words(rows)
    assert rows[-1].text.startswith("      import")
