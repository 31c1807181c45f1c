"""The screen of `am-dbg diff`: two sessions side by side, driven by keys."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from textual.pilot import Pilot

from am_dbg.control.comparison import ComparisonControl, ComparisonRequest, OpenSide
from am_dbg.drawing.comparison import draw_columns, draw_header, draw_keys, draw_machine_list
from am_dbg.keymap import remapped
from am_dbg.keys import KEYS, Key
from am_dbg.projection.comparison.sessions import compare_sessions
from am_dbg.views.comparison import ComparisonApp
from am_dbg.views.dialogs import LinesDialog
from tests.dbg.test_comparison import twin
from tests.screens.stories import Story
from tests.screens.test_snapshots import assert_accepted

FILES = ("good.msgpack.br", "bad.msgpack.br")
ROWS = 12


def control_of(one: Story, other: Story, keys: Sequence[Key] = KEYS) -> ComparisonControl:
    control = ComparisonControl(compare_sessions(one.store(), other.store()), FILES, keys)
    control.project(ROWS)
    return control


@pytest.fixture
def control() -> ComparisonControl:
    """A comparison in which the reader cancels a transition, and the printer fails after it."""
    return control_of(twin(), twin(fault="reader"))


def machine(control: ComparisonControl) -> str:
    return next(one.name for one in control.project(ROWS).machines if one.is_current)


def current(control: ComparisonControl) -> tuple[str, ...]:
    """The addresses of both sides."""
    return tuple(side.address for side in control.project(ROWS).sides)


def test_the_cursor_begins_at_the_first_difference(control: ComparisonControl) -> None:
    """Nobody has to search for the place where the sessions part."""
    view = control.project(ROWS)

    assert current(control) == ("mach://reader/8", "mach://reader/8")
    assert view.place == "difference 1 of 1"
    assert "".join(span.text for span in view.sides[1].why).startswith("Canceled")


def test_n_goes_on_to_the_next_machine(control: ComparisonControl) -> None:
    """After the last difference of a machine comes the first of the next; N goes back."""
    control.press("next_hit")
    assert (machine(control), current(control)) == ("printer", ("", "mach://printer/2"))

    control.press("next_hit")
    assert control.project(ROWS).message == "this is the last difference"

    control.press("previous_hit")
    assert machine(control) == "reader"
    control.press("previous_hit")
    assert control.project(ROWS).message == "this is the first difference"


def test_enter_opens_the_chosen_side(control: ComparisonControl) -> None:
    """Left and right choose the side; the debugger gets its address."""
    assert control.press("choose") == OpenSide(0, "mach://reader/8")

    control.press("next_transition")

    assert control.press("choose") == OpenSide(1, "mach://reader/8")


def test_enter_opens_the_other_side_where_one_is_empty(control: ComparisonControl) -> None:
    """A transition of one session only is opened whichever side is chosen."""
    control.press("next_hit")

    assert control.press("choose") == OpenSide(1, "mach://printer/2")


def test_rows_of_both_sides_stay_beside_each_other() -> None:
    """Below a transition of one side only, equal transitions are on one row again."""
    one, other = Story(), Story()
    for story, calls in ((one, "ABCDE"), (other, "ABxCDE")):
        teller = story.machine("m")
        for call in calls:
            teller.add("Ping", added=()) if call == "x" else teller.mutate(3, (), ())
    rows = control_of(one, other).project(ROWS).rows
    numbers = [tuple(side.number if side else 0 for side in row.sides) for row in rows]

    assert numbers == [(1, 1), (2, 2), (0, 3), (3, 4), (4, 5), (5, 6)]


def test_only_the_rows_on_show_are_read() -> None:
    """However long the histories are, a screen has as many rows as it has room for."""
    one = twin()
    for _ in range(500):
        one.tellers[0].add("Ping")
        one.tellers[0].remove("Ping")
    control = control_of(one, one)

    assert len(control.project(ROWS).rows) == ROWS
    control.press("last")
    view = control.project(ROWS)
    assert view.rows[-1].is_current
    assert current(control) == ("mach://reader/1008", "mach://reader/1008")


def test_equal_sessions_have_no_difference_to_go_to() -> None:
    """The screen shows the machines and both histories all the same."""
    control = control_of(twin(), twin())
    control.press("next_hit")
    view = control.project(ROWS)

    assert (view.differing, view.place) == (0, "no difference here")
    assert [one.name for one in view.machines] == ["reader", "printer"]


def test_sessions_without_machines_are_shown() -> None:
    """Every key works on an empty comparison."""
    control = control_of(Story(), Story())
    for action in control.actions:
        control.press(action)

    assert control.project(ROWS).machines == ()


def test_changed_keys_count_here_too(control: ComparisonControl) -> None:
    """The actions are those of the one table of keys."""
    keys = remapped({"next_hit": "f3"}).table
    changed = control_of(twin(), twin(fault="reader"), keys)

    assert ("f3 N", "difference") in changed.hints()


@pytest.mark.parametrize("width", [80, 100, 160])
def test_help_and_quit_stay_at_the_right_end(control: ComparisonControl, width: int) -> None:
    """However narrow the screen is, its last words are help and quit."""
    row = draw_keys(control.project(ROWS), control.hints(), width)

    assert row.width == width
    assert row.text.rstrip().endswith("? help   q quit")


@pytest.mark.parametrize("width", [40, 80, 120, 160])
def test_the_parts_fill_their_places(control: ComparisonControl, width: int) -> None:
    """Every row has exactly the width of the screen."""
    view = control.project(ROWS)
    rows = [draw_header(view, width), *draw_columns(view, width, ROWS + 2)]

    assert {row.width for row in rows} == {width}
    assert {row.width for row in draw_machine_list(view, 30, ROWS)} == {30}


def test_a_narrow_heading_has_the_names_of_both_files() -> None:
    """Totals go first, then folders, so that both names stay."""
    comparison = compare_sessions(twin().store(), twin(fault="reader").store())
    control = ComparisonControl(comparison, ("runs/monday/good.br", "runs/tuesday/bad.br"))
    view = control.project(ROWS)

    assert "runs/tuesday/bad.br  2 machines, 10 transitions" in draw_header(view, 160).text
    assert "A runs/monday/good.br   B runs/tuesday/bad.br" in draw_header(view, 90).text
    assert "A good.br   B bad.br" in draw_header(view, 50).text


def test_texts_of_programs_are_made_safe() -> None:
    """Names that a terminal would obey are shown as escapes."""
    one = Story()
    one.machine("\x1b]0;title\x07").add("Start")
    rows = draw_machine_list(control_of(one, Story()).project(ROWS), 30, ROWS)

    assert all(row.text.isprintable() for row in rows)


@asynccontextmanager
async def running(
    control: ComparisonControl, size: tuple[int, int]
) -> AsyncIterator[tuple[ComparisonApp, Pilot[OpenSide | None]]]:
    app = ComparisonApp(control)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        yield app, pilot


def screen_text(app: ComparisonApp) -> str:
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "size"), [("wide", (120, 30)), ("narrow", (80, 24))])
async def test_the_comparison_looks_as_it_was_accepted(
    control: ComparisonControl, name: str, size: tuple[int, int]
) -> None:
    """Both histories side by side, with both reasons below."""
    async with running(control, size) as (app, _):
        assert_accepted(f"comparison-{name}", screen_text(app))


@pytest.mark.slow
async def test_keys_work_on_the_screen(control: ComparisonControl) -> None:
    """N moves, Enter ends the screen with the place to open."""
    async with running(control, (120, 30)) as (app, pilot):
        await pilot.press("n", "right", "enter")

    assert app.return_value == OpenSide(1, "mach://printer/2")


@pytest.mark.slow
async def test_the_help_of_the_comparison_closes(control: ComparisonControl) -> None:
    """The help lies over the screen; q quits only below it."""
    async with running(control, (80, 24)) as (app, pilot):
        await pilot.press("question_mark")
        assert isinstance(app.screen, LinesDialog)
        await pilot.press("escape")
        assert not isinstance(app.screen, LinesDialog)
        await pilot.press("q")

    assert app.return_value is None


def test_q_asks_to_quit(control: ComparisonControl) -> None:
    """Quit is a request to the screen."""
    assert control.press("quit") is ComparisonRequest.QUIT
