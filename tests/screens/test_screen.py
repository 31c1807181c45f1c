"""The screen as a whole, driven by keys and clicks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from am_dbg.control import Control
from am_dbg.drawing.layout import Pane
from am_dbg.projection.bars import Playback
from am_dbg.store import Store
from am_dbg.views.colors.choice import ColorChoice
from am_dbg.views.colors.themes import LIGHT
from am_dbg.views.debugger import Debugger
from am_dbg.views.dialogs import LinesDialog, ListDialog, TextDialog
from am_dbg.views.messages import DataArrived, Scrolled
from am_dbg.views.pane import PaneWidget
from amtracer.wire.messages import StateDef
from tests.screens.stories import Story, files_story

pytestmark = pytest.mark.slow

WIDE = (160, 45)
NARROW = (80, 24)


@asynccontextmanager
async def running(
    store: Store,
    size: tuple[int, int] = WIDE,
    *,
    reader: bool = False,
    number: int = 12,
    colors: ColorChoice | None = None,
) -> AsyncIterator[tuple[Debugger, Pilot[int]]]:
    """The screen over a store, at a transition."""
    app = Debugger(Control(store, reader=reader), colors)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        if app.control.workspace.cursor is not None:
            app.control.navigation.to_number(number)
            app.control.show_message("")
            app.paint()
            await pilot.pause()
        yield app, pilot


def text_of(app: Debugger, pane: Pane) -> str:
    return app.query_one(f"#{pane}", PaneWidget).text()


def screen_text(app: Debugger) -> str:
    """Everything on the screen, as a terminal would show it."""
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)


def number(app: Debugger) -> int:
    assert app.control.workspace.cursor is not None
    return app.control.workspace.cursor.number


async def test_a_key_moves_and_every_pane_follows(store: Store) -> None:
    """After Right the log, the bar and the address are at the next transition."""
    async with running(store) as (app, pilot):
        await pilot.press("right")

        assert number(app) == 13
        assert "tx 13/14" in text_of(app, Pane.TRANSITION)
        assert "mach://worker/13" in text_of(app, Pane.ADDRESS)
        assert "▸   13" in text_of(app, Pane.LOG)


@pytest.mark.parametrize(
    ("key", "result"), [("e", 13), ("E", 12), ("c", 12), ("C", 4), ("home", 0), ("end", 14)]
)
async def test_letters_are_commands(store: Store, key: str, result: int) -> None:
    """Single letters jump, capitals jump back."""
    async with running(store) as (app, pilot):
        await pilot.press(key)

        assert number(app) == result


async def test_what_is_typed_into_the_search_is_no_command(store: Store) -> None:
    """While a search is typed, letters belong to it; Enter ends it, n goes on."""
    async with running(store, number=1) as (app, pilot):
        await pilot.press("slash", *"exce")
        assert number(app) == 13
        assert "2 hits, 1st" in text_of(app, Pane.FILTERS)

        await pilot.press("enter", "n")

        assert number(app) == 14
        assert "/ exce" in text_of(app, Pane.FILTERS)


async def test_escape_gives_a_search_up(store: Store) -> None:
    """The cursor returns, and letters are commands again."""
    async with running(store, number=1) as (app, pilot):
        await pilot.press("slash", *"exce", "escape")
        assert (number(app), app.control.modes.is_searching) == (1, False)

        await pilot.press("e")

        assert number(app) == 13


async def test_tab_lights_one_pane(store: Store) -> None:
    """Only the pane with the focus is lit."""
    async with running(store) as (app, pilot):
        await pilot.press("tab", "tab", "tab", "tab")

        assert app.control.modes.focus == Pane.MACHINES


async def test_a_dialog_keeps_keys_from_the_panes(store: Store) -> None:
    """Keys pressed in a dialog change nothing below it; Esc closes it."""
    async with running(store) as (app, pilot):
        await pilot.press("question_mark")
        assert isinstance(app.screen, LinesDialog)
        await pilot.press("right", "e")
        assert number(app) == 12

        await pilot.press("escape")

        assert app.control.modes.dialog == ""
        await pilot.press("right")
        assert number(app) == 13


async def test_the_help_scrolls_by_keys(store: Store) -> None:
    """What does not fit is reached without a mouse."""
    async with running(store, NARROW) as (app, pilot):
        await pilot.press("question_mark", "end")
        await pilot.pause(0.5)

        assert "something is missing here" in screen_text(app)


async def test_panes_stay_visible_behind_a_dialog(store: Store) -> None:
    """A dialog covers what it needs, not the whole screen."""
    async with running(store) as (app, pilot):
        await pilot.press("g")

        assert "mach://worker/12" in screen_text(app)


async def test_a_fault_of_the_screen_is_written_down(
    store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The user gets one line that names a file, the file has the details."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    app = Debugger(Control(store))
    monkeypatch.setattr(app, "attempt", lambda *_: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        await pressed(app, "right")

    trouble = app.trouble
    assert trouble is not None
    assert str(trouble).startswith("the screen failed (ZeroDivisionError")
    assert "ZeroDivisionError" in content_of(trouble.path)


async def pressed(app: Debugger, key: str) -> None:
    async with app.run_test() as pilot:
        await pilot.press(key)


def content_of(path: str) -> str:
    return Path(path).read_text(encoding="utf-8")


async def test_go_to_leads_to_a_place(store: Store) -> None:
    """The text of the dialog is a place."""
    async with running(store) as (app, pilot):
        await pilot.press("g", *"t2", "enter")

        assert number(app) == 2


async def test_an_empty_answer_keeps_the_dialog_open(store: Store) -> None:
    """A dialog stays open until it has an answer."""
    async with running(store) as (app, pilot):
        await pilot.press("g", "enter")

        assert isinstance(app.screen, TextDialog)
        assert "type a place to go to" in screen_text(app)


async def test_bookmarks_are_listed_and_lead_back(store: Store) -> None:
    """Enter in the list goes to the place."""
    async with running(store) as (app, pilot):
        await pilot.press("b", "home", "apostrophe")
        assert isinstance(app.screen, ListDialog)

        await pilot.press("enter")

        assert number(app) == 12


async def test_the_difference_shows_states_that_changed(store: Store) -> None:
    """A bookmark and this place, side by side."""
    async with running(store, number=11) as (app, pilot):
        await pilot.press("b", "right", "d")

        shown = screen_text(app)
        assert "tx 11 → tx 12" in shown
        assert "+ FileProcessed" in shown
        assert "- ProcessingFile" in shown


async def test_an_export_replaces_a_file_only_after_a_confirmation(
    store: Store, tmp_path: Path
) -> None:
    """The dialog shows that the file exists; a second Enter replaces it."""
    taken = tmp_path / "run.msgpack.br"
    taken.write_bytes(b"mine")
    async with running(store) as (app, pilot):
        await pilot.press("x")
        app.screen.query_one("#line").value = str(taken)  # type: ignore[attr-defined]
        await pilot.press("enter")
        assert "again replaces it" in screen_text(app)
        assert taken.read_bytes() == b"mine"

        await pilot.press("enter")
        await app.workers.wait_for_complete()
        await pilot.pause()

        assert taken.read_bytes() != b"mine"
        assert "2 machines, 15 transitions" in text_of(app, Pane.FOOTER)


async def test_an_export_into_a_missing_folder_is_refused(store: Store, tmp_path: Path) -> None:
    """A folder that is not there is found before anything is written."""
    async with running(store) as (app, pilot):
        await pilot.press("x")
        app.screen.query_one("#line").value = str(tmp_path / "no" / "x")  # type: ignore[attr-defined]
        await pilot.press("enter")

        assert "no such folder" in screen_text(app)


async def test_copying_goes_through_the_terminal(store: Store) -> None:
    """The clipboard gets the transition, and the footer confirms it."""
    async with running(store) as (app, pilot):
        await pilot.press("y")

        assert app.clipboard.startswith("mach://worker/")
        assert "transition copied" in text_of(app, Pane.FOOTER)


async def test_clicks_go_where_they_point(store: Store) -> None:
    """Rows, links, filters and keys of the footer answer to the mouse."""
    async with running(store, reader=True) as (app, pilot):
        await pilot.click(f"#{Pane.LOG}", offset=(20, 1 + 4))
        assert number(app) == 4

        app.control.navigation.to_number(12)
        app.paint()
        await pilot.click(f"#{Pane.READER}", offset=(3, 2))
        assert app.control.workspace.track is not None
        assert app.control.workspace.track.key == "worker-child"

        await pilot.click(f"#{Pane.FILTERS}", offset=(12, 0))
        assert not app.control.workspace.filters.canceled


async def test_the_wheel_scrolls_without_moving(store: Store) -> None:
    """The cursor stays where it is."""
    async with running(store, (120, 24)) as (app, pilot):
        log = app.query_one(f"#{Pane.LOG}", PaneWidget)
        before = log.text()
        log.post_message(Scrolled(Pane.LOG, -3))
        await pilot.pause()

        assert number(app) == 12
        assert log.text() != before


async def test_a_narrow_screen_has_one_pane_behind_tabs(store: Store) -> None:
    """At 80x24 Tab opens the next pane."""
    async with running(store, NARROW) as (app, pilot):
        assert "▸Log" in text_of(app, Pane.TABS)
        assert app.query_one(f"#{Pane.LOG}").size == (80, 16)

        await pilot.press("tab")

        assert "▸Reader" in text_of(app, Pane.TABS)
        assert not app.query_one(f"#{Pane.LOG}").display


@pytest.mark.parametrize("size", [(60, 20), (40, 10), (39, 9), (20, 5), (1, 1), (500, 200)])
async def test_no_size_is_too_much(store: Store, size: tuple[int, int]) -> None:
    """From one cell to a wall, keys work and nothing breaks."""
    async with running(store, size) as (app, pilot):
        await pilot.press("right", "m", "tab", "r", "left")

        assert number(app) in (12, 13)


async def test_the_screen_comes_back_after_having_been_too_small(store: Store) -> None:
    """Below 40x10 a text asks for room; with room everything is there again."""
    async with running(store) as (app, pilot):
        await pilot.resize_terminal(30, 8)
        await pilot.pause()
        assert "needs 40x10" in screen_text(app)

        await pilot.resize_terminal(*WIDE)
        await pilot.pause()

        assert "needs" not in screen_text(app)
        assert "▸   12" in text_of(app, Pane.LOG)


async def test_a_resize_with_a_dialog_open_keeps_it(store: Store) -> None:
    """The dialog stays, the panes below have the new layout."""
    async with running(store) as (app, pilot):
        await pilot.press("question_mark")
        await pilot.resize_terminal(*NARROW)
        await pilot.pause()
        assert isinstance(app.screen, LinesDialog)

        await pilot.press("escape")

        assert "▸Log" in text_of(app, Pane.TABS)


async def test_text_from_outside_is_shown_literally() -> None:
    """Names, tags and lines with markup or escapes are data in every pane and dialog."""
    names = ("[red]A[/]", "B\x1b[2J", "C\x9b6n", "D\u202e", "漢字[/x]")
    story = Story()
    states = tuple(StateDef(name) for name in names)
    teller = story.machine("[@click=app.quit]m", states, tags=("[b]", "\x1b]52;c;aGk=\x07"))
    for name in names:
        teller.add(name, lines=((1, f"[error] {name} [link=http://a]b[/link]"),))
        teller.remove(name, args=((name, name),))
    async with running(story.store(), reader=True) as (app, pilot):
        for keys in ("b", "apostrophe", "escape", "m", "m", "m", "d", "escape", "question_mark"):
            await pilot.press(keys)
        await pilot.press("escape", "slash", "[", "r", "enter")
        shown = screen_text(app)

        assert "[@click=app.quit]m" in shown
        assert not any(char in shown for char in "\x1b\x9b\x07\u202e")


async def test_data_that_arrives_is_shown(store: Store) -> None:
    """A machine that connects appears in the list and is followed."""
    empty = Store()
    async with running(empty) as (app, pilot):
        assert "There is no data" in text_of(app, Pane.LOG)
        files_story().fill(empty, live=True)
        app.post_message(DataArrived())
        await pilot.pause()

        assert "worker-child" in text_of(app, Pane.MACHINES)
        assert app.control.modes.playback is Playback.TAIL


async def test_the_light_theme_is_as_readable(store: Store) -> None:
    """Changing the theme changes colours and nothing else."""
    async with running(store) as (app, pilot):
        before = screen_text(app)
        app.theme = LIGHT.name
        await pilot.pause()

        assert screen_text(app) == before


async def test_textuals_own_themes_can_be_chosen(store: Store) -> None:
    """Every theme there is gives a palette."""
    async with running(store) as (app, pilot):
        for name in app.available_themes:
            app.theme = name
            await pilot.pause()

        assert "tx 12/14" in text_of(app, Pane.TRANSITION)


async def test_without_colour_the_marks_remain(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With NO_COLOR, characters show the cursor, states and outcomes."""
    monkeypatch.setenv("NO_COLOR", "1")
    async with running(store, number=6) as (app, _):
        shown = screen_text(app)

        for mark in ("▸    6", "✗ Ping", "E Exception", "● Start", "○ Ready", "┊2.00 s"):
            assert mark in shown


async def test_quit_ends_with_zero(store: Store) -> None:
    """Leaving is no error."""
    async with running(store) as (app, pilot):
        await pilot.press("q")

    assert app.return_code == 0
