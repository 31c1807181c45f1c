"""The command palette: what it finds, in which order, and what a choice does."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual import events

from am_dbg.control import Control, UseTheme, keep_state, restore_state
from am_dbg.control.palette.palette import RECENT_MAX, SHOWN_MAX
from am_dbg.control.palette.ranking import score
from am_dbg.control.palette.recent_files import FILES_MAX
from am_dbg.drawing.layout import Pane
from am_dbg.ingest.importing import ImportSource
from am_dbg.keys import KEYS
from am_dbg.projection.addresses.pasted import pasted_address
from am_dbg.settings.state_directory import StateDirectory
from am_dbg.store import Store
from am_dbg.views.palette_dialog import PaletteDialog, row_of
from tests.screens.driving import at, do, number
from tests.screens.stories import Story
from tests.screens.test_screen import NARROW, running, screen_text

EXPORT = Path(__file__).parents[2] / "exports" / "worker-pool.msgpack.br"


def titles(control: Control, needle: str) -> list[str]:
    return [entry.title for entry in control.palette_entries(needle)]


def choose(control: Control, needle: str) -> object:
    """Choose the first entry that is found."""
    return control.choose_entry(control.palette_entries(needle)[0].name)


def test_every_action_can_be_found_with_its_keys(control: Control) -> None:
    """The palette can do what keys can, and shows the keys."""
    for key in KEYS:
        if key.action != "command_palette":
            title = key.action.replace("_", " ").capitalize()
            assert title in titles(control, title)
    entry = control.palette_entries("next error")[0]
    assert (entry.title, entry.keys) == ("Next error", "e")


@pytest.mark.parametrize(
    ("needle", "text"), [("nxer", "next error"), ("err nex", "next error"), ("W-C", "worker-child")]
)
def test_letters_find_a_text_that_has_them_in_their_order(needle: str, text: str) -> None:
    """Words may come in any order, and capitals do not count."""
    assert score(needle, text) > 0


def test_a_text_without_one_of_the_letters_is_not_found() -> None:
    """Every word that is typed has to be there."""
    assert score("next x", "next error") > 0
    assert score("next q", "next error") == score("rorre", "error") == 0


def test_a_better_text_comes_first() -> None:
    """One piece is better than letters apart, the beginning of a word better than its inside."""
    best = [score("err", text) for text in ("error", "next error", "terror", "enter here")]

    assert best == sorted(best, reverse=True)
    assert len(set(best)) == 4


def test_the_palette_finds_machines_states_bookmarks_and_themes(control: Control) -> None:
    """Their kind is written before them, and is found too."""
    do(at(control, 4), "bookmark")
    control.offer_themes(["am-dark", "am-light"])
    needles = ("machine worker", "state logged", "bookmark worker", "theme dark", "filter auto")
    for needle in needles:
        assert control.palette_entries(needle)[0].kind == needle.split()[0]
    assert titles(control, "machine child")[0] == "worker-child"
    assert titles(control, "state logged")[0] == "Logged"


def test_a_choice_does_what_the_entry_names(control: Control) -> None:
    """A machine is selected, a state gets the focus, a bookmark is gone to, a command runs."""
    do(at(control, 4), "bookmark", "last")
    choose(control, "bookmark worker")
    assert number(control) == 4

    choose(control, "state FileProcessed")
    assert control.focus is Pane.STATES
    assert control.workspace.selected_state is not None
    assert control.workspace.selected_state.state == "FileProcessed"

    choose(control, "filter empty")
    assert control.workspace.filters.empty

    choose(control, "worker-child")
    assert control.workspace.track is not None
    assert control.workspace.track.key == "worker-child"

    control.offer_themes(["am-light"])
    assert choose(control, "am-light") == UseTheme("am-light")


@pytest.mark.parametrize("name", ["machine:gone", "bookmark:7", "state:Nothing", "nonsense"])
def test_an_entry_that_is_gone_does_nothing(control: Control, name: str) -> None:
    """An entry may be removed between the search and the choice."""
    before = number(control)

    assert control.choose_entry(name) is None
    assert number(control) == before


def test_what_was_used_last_comes_first(control: Control) -> None:
    """Without letters it is on top, with letters it wins over equals."""
    control.choose_entry("command:previous_error")
    control.choose_entry("command:level")

    assert titles(control, "")[:2] == ["Level", "Previous error"]
    assert titles(control, "error")[0] == "Previous error"


def test_the_list_of_what_was_used_does_not_grow_without_end(control: Control) -> None:
    """The oldest are forgotten."""
    for at_ in range(RECENT_MAX + 5):
        control.choose_entry(f"machine:{at_}")

    assert len(control.recent_entries()) == RECENT_MAX
    assert control.recent_entries()[0] == f"machine:{RECENT_MAX + 4}"


def test_the_palette_shows_a_limited_number_of_entries() -> None:
    """More letters find what is missing."""
    story = Story()
    for at_ in range(100):
        story.machine(f"worker-{at_}")
    control = Control(story.store())

    assert len(control.palette_entries("worker")) == SHOWN_MAX
    assert "worker-99" in titles(control, "worker 99")


def test_names_from_programs_are_made_safe() -> None:
    """No control character reaches the terminal."""
    story = Story()
    story.machine("a\x1b[2Jb").add("Start")
    control = Control(story.store())

    assert "\x1b" not in "".join(titles(control, ""))
    assert "\x1b" not in row_of(control.palette_entries("machine")[0], 60)


def test_recent_files_are_offered_and_open_beside(control: Control, tmp_path: Path) -> None:
    """The state directory keeps their paths; a file that is gone is reported."""
    state, read = StateDirectory(tmp_path), list[ImportSource]()
    files = restore_state(control, state, "", read.append)
    files.opened(str(EXPORT))
    keep_state(control, state, "", files, "am-light")

    again = restore_state(control, state, "", read.append)
    assert again.paths == [str(EXPORT)]
    assert state.settings()["theme"] == "am-light"
    choose(control, "worker-pool")
    assert [source.label for source in read] == [str(EXPORT)]
    assert control.message == f"opens {EXPORT}"
    read[0].close()

    assert "no such file" in again.open(str(tmp_path / "gone"))
    for at_ in range(FILES_MAX + 1):
        again.opened(f"/{at_}")
    assert len(again.paths) == FILES_MAX


def test_a_row_shows_kind_title_and_keys(control: Control) -> None:
    """Keys stand at the right end at every width."""
    entry = control.palette_entries("next error")[0]

    for width in (20, 40, 86):
        assert len(row_of(entry, width)) == width
        assert row_of(entry, width).endswith(" e")


@pytest.mark.slow
async def test_the_palette_is_used_with_keys(store: Store) -> None:
    """Letters narrow it, arrows move, Enter carries out, and the panes get no key."""
    async with running(store, NARROW) as (app, pilot):
        await pilot.press("ctrl+p", *"go to")
        assert isinstance(app.screen, PaletteDialog)
        await pilot.press(*"qqq", "enter")
        assert "nothing has these letters" in screen_text(app)
        await pilot.press(*["backspace"] * 8, *"next error")
        assert "Next error" in screen_text(app)
        assert number(app.control) == 12

        await pilot.press("down", "up", "enter")

        assert number(app.control) == 13
        assert app.control.modes.dialog == ""


@pytest.mark.slow
async def test_a_theme_of_the_palette_is_used_and_kept(store: Store) -> None:
    """The application reports it when it ends."""
    async with running(store) as (app, pilot):
        await pilot.press("ctrl+p", *"theme nord", "enter")
        await pilot.pause()

        assert app.theme == app.chosen_theme == "nord"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("mach://worker/4", "mach://worker/4"),
        ("  mach://a b/4\n", "mach://a b/4"),
        ("see <mach://worker/4>, please", "mach://worker/4"),
        ("it is mach://worker/4.", "mach://worker/4"),
        ("worker", ""),
        ("x" * 20_000 + " mach://worker", ""),
    ],
)
def test_an_address_is_found_in_a_pasted_text(text: str, address: str) -> None:
    """People paste sentences."""
    assert pasted_address(text) == address


@pytest.mark.slow
@pytest.mark.parametrize(
    "keys", [[], ["slash", "P"], ["question_mark"], ["ctrl+p"], ["apostrophe"]]
)
async def test_a_pasted_address_is_gone_to_from_anywhere(store: Store, keys: list[str]) -> None:
    """What is open closes; nothing is typed."""
    async with running(store) as (app, pilot):
        await pilot.press(*keys)
        app.post_message(events.Paste("mach://worker/4"))
        await pilot.pause()

        assert number(app.control) == 4
        assert app.control.modes.dialog == ""
        assert len(app.screen_stack) == 1
