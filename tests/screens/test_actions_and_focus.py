"""Keys depend on the focus, actions do not; and the mouse reaches what a pane shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from am_dbg.control import Control, OpenDialog, Quit, Suspend
from am_dbg.control.input_status import InputStatus, connect_hints
from am_dbg.drawing.filters import draw_filters, switches_that_fit
from am_dbg.drawing.layout import MAIN_PANES, WIDTH_MIN, Pane
from am_dbg.drawing.rain import header_height
from am_dbg.egress.export import selected
from am_dbg.keymap import read_keymap, remapped
from am_dbg.keys import KEYS, by_action
from am_dbg.projection.filters import LEVEL, SWITCHES
from am_dbg.projection.states_tree import TreeSpot
from am_dbg.store import Store
from amtracer.address import Address
from tests.screens.driving import at, do, number, on_state
from tests.screens.stories import files_story

OF_THE_FOCUS = {
    "next_pane",
    "previous_pane",
    "down",
    "up",
    "page_down",
    "page_up",
    "choose",
    "search",
    "escape",
    "filters",
    "reader",
    "wrap",
}
"""Actions on the pane with the focus, and actions that move the focus."""
FOCUSES = (Pane.STATES, Pane.LOG, Pane.READER, Pane.TIMELINE, Pane.STEPS, Pane.FILTERS)
NAMED = [key.action for key in KEYS if key.action not in OF_THE_FOCUS]


def outcome(action: str, focus: Pane, main: Pane) -> object:
    """Everything an action of that name changes, where a pane has the focus."""
    control = Control(files_story().store(), main=main, reader=True)
    control.data_arrived()
    control.project(160, 45)
    on_state(at(control, 8), "Ping")
    do(control, "bookmark", "first", "last")
    at(control, 8)
    control.focus_on(focus)
    control.project(160, 45)
    effect = control.do(action)
    workspace, modes = control.workspace, control.modes
    here = workspace.cursor and (
        workspace.cursor.track.key,
        workspace.cursor.number,
        workspace.cursor.step,
    )
    shown = (
        workspace.filters,
        workspace.shows_seconds,
        workspace.selected_state,
        workspace.all_unfolded,
        len(workspace.bookmarks.places),
    )
    return (
        here,
        shown,
        modes.playback,
        modes.main,
        modes.is_reader_shown,
        modes.dialog,
        workspace.message,
        effect,
    )


@pytest.mark.parametrize("main", [Pane.LOG, Pane.RAIN])
@pytest.mark.parametrize("action", NAMED)
def test_an_action_does_the_same_whatever_has_the_focus(action: str, main: Pane) -> None:
    """So a click on the footer, a word of the status or the palette does what it names."""
    expected = outcome(action, Pane.MACHINES, main)

    assert {focus for focus in FOCUSES if outcome(action, focus, main) != expected} == set()


def test_keys_depend_on_the_focus(control: Control) -> None:
    """Space in the filters switches one, and a machine is removed in the list only."""
    control.focus_on(Pane.FILTERS)
    do(control, "toggle_play", "remove_machine")

    assert not control.workspace.filters.canceled
    assert len(control.workspace.store.tracks) == 2
    assert "while the list of machines has the focus" in control.message


@pytest.mark.parametrize("width", range(20, 200, 9))
def test_a_switch_is_on_the_screen_or_cannot_be_picked(width: int) -> None:
    """Whatever the width: the keys reach what is drawn whole, and all of that."""
    control = Control(files_story().store())
    control.data_arrived()
    row = control.project(width, 45).filters
    if width < WIDTH_MIN:
        return
    drawn = draw_filters(row, width).text
    control.focus_on(Pane.FILTERS)
    picked = set()
    for _ in range(20):
        control.press("next_transition")
        picked.add(control.view_switches.picked)

    assert picked == {name for name in (*SWITCHES, LEVEL) if f"{name} " in drawn}


def test_where_the_filters_have_no_room_nothing_is_switched(control: Control) -> None:
    """On a low screen the row is not there; the keys go to the main view."""
    control.focus_on(Pane.FILTERS)
    before = control.project(80, 12).filters
    control.press("toggle_play")

    assert control.project(80, 12).filters.switches == before.switches
    control.focus_on(Pane.LOG)
    control.press("filters")
    assert "no room here" in control.message
    assert switches_that_fit(0) == ()


def test_a_hidden_switch_shows_its_result_in_the_footer(control: Control) -> None:
    """The palette reaches every filter; the footer shows the result."""
    control.project(80, 24)
    control.do("filter_checks")

    assert control.message == "checks hidden"


def test_a_click_in_the_rain_selects_transition_and_state(control: Control) -> None:
    """A row is a transition, a column a state; the names above are states too."""
    control.modes.show(Pane.RAIN)
    view = control.project(160, 45).rain
    height = control.workspace.height_of(Pane.RAIN)
    top = header_height(view.names, height)
    column = view.number_digits + 3 + 2 * view.names.index("Ready")
    control.click(Pane.RAIN, top + 2, column)

    assert number(control) == view.rows[2].number
    assert control.workspace.selected_state == TreeSpot("Ready")
    control.click(Pane.RAIN, 0, column + 2)
    assert control.workspace.selected_state == TreeSpot("ProcessingFile")


def test_a_click_in_the_matrix_selects_a_state(control: Control) -> None:
    """That of the row, or of the column in the rows above."""
    control.modes.show(Pane.MATRIX)
    view = control.project(160, 45).matrix
    control.click(Pane.MATRIX, 4 + view.names.index("Ping"), 2)

    assert control.workspace.selected_state == TreeSpot("Ping")


@pytest.mark.parametrize("pane", MAIN_PANES)
def test_a_double_click_does_what_enter_does(control: Control, pane: Pane) -> None:
    """In every view of transitions it leads to the reader."""
    control.modes.show(pane)
    control.project(160, 45)
    control.click(pane, 14, 20)
    control.click(pane, 14, 20, again=True)

    assert control.modes.focus == Pane.READER


def live() -> Control:
    store = Store()
    files_story().fill(store, live=True)
    control = Control(store)
    control.data_arrived()
    control.project(160, 45)
    return control


def test_unsaved_transitions_are_lost_only_after_a_confirmation() -> None:
    """The first time, the footer shows what would be lost; another action in between cancels."""
    control = live()

    assert control.press("quit") is None
    assert control.message == "q again loses 15 unsaved transitions of 2 machines; x exports"
    control.press("next_error")
    assert control.press("quit") is None
    assert isinstance(control.press("quit"), Quit)


def test_a_machine_with_unsaved_transitions_is_removed_after_a_confirmation() -> None:
    """The same holds for every action that loses data."""
    control = live()
    control.focus_on(Pane.MACHINES)
    control.project(160, 45)
    control.press("remove_machine")
    assert len(control.workspace.store.tracks) == 2
    assert "⌫ again loses 14 unsaved transitions of worker" in control.message

    control.press("remove_machine")

    assert len(control.workspace.store.tracks) == 1


def test_exported_and_imported_transitions_need_no_confirmation(control: Control) -> None:
    """It is not lost; a part that was exported is not lost either."""
    assert isinstance(control.press("quit"), Quit)

    other = live()
    parts = selected(other.workspace.store)
    other.unsaved.mark_exported(parts[:1])
    assert other.press("quit") is None
    assert "1 unsaved transition of worker-child" in other.workspace.message
    other.unsaved.mark_exported(parts)
    assert isinstance(other.press("quit"), Quit)


@pytest.mark.parametrize(
    ("address", "reached"),
    [
        (Address("127.0.0.1", 6860), "AM_DBG_ADDR=127.0.0.1:6860 python app.py"),
        (Address("::1", 6860), "AM_DBG_ADDR=[::1]:6860 python app.py"),
        (Address("0.0.0.0", 6860), "AM_DBG_ADDR=127.0.0.1:6860 python app.py"),
        (Address("::", 6860), "AM_DBG_ADDR=[::1]:6860 python app.py"),
        (Address("10.0.0.5", 1), "AM_DBG_ADDR=10.0.0.5:1 python app.py"),
    ],
)
def test_the_empty_screen_shows_how_a_program_connects(address: Address, reached: str) -> None:
    """The address it listens at, as a program reaches it, and the line the program needs."""
    hints = "\n".join(connect_hints(InputStatus(listening=str(address), address=address)))

    assert reached in hints
    assert "amtracer.attach(mach)" in hints


def test_the_empty_screen_shows_the_token_or_that_nothing_can_connect() -> None:
    """A token is quoted for a shell; a debugger that does not listen is reported."""
    address = Address("127.0.0.1", 6860)
    hints = "\n".join(connect_hints(InputStatus(address=address, token=b"it's me")))

    assert """AM_DBG_TOKEN='it'"'"'s me' \\""" in hints
    assert "does not listen" in "\n".join(connect_hints(InputStatus()))


@pytest.mark.parametrize(
    ("wishes", "trouble"),
    [
        ({"next_eror": "z"}, "no action next_eror, did you mean next_error"),
        ({"tail": "esc"}, "no key esc for tail, did you mean escape"),
        ({"tail": "Ctrl-E"}, "no key Ctrl-E for tail"),
        ({"tail": "z", "rain": ["z", "f5"]}, "z is given to tail and to rain"),
    ],
)
def test_a_wrong_line_of_a_keymap_gets_a_suggestion(
    wishes: dict[str, object], trouble: str
) -> None:
    """The rest of the file counts."""
    keymap = remapped({**wishes, "view": "f6"})

    assert trouble in keymap.trouble
    assert by_action(keymap.table)["view"].all_keys == ("f6",)


def test_the_first_of_two_actions_keeps_a_key() -> None:
    """The other one has what else it was given."""
    table = by_action(remapped({"tail": "z", "rain": ["z", "f5"]}).table)

    assert (table["tail"].all_keys, table["rain"].all_keys) == (("z",), ("f5",))


def test_a_keymap_that_cannot_be_read_is_reported_on_one_line(tmp_path: Path) -> None:
    """A folder, a file without an end and one that is nested too deep are each one line."""
    deep = tmp_path / "deep.toml"
    deep.write_text("a = " + "[" * 50_000, encoding="utf-8")

    for path in (tmp_path, deep):
        assert str(path) in read_keymap(path).trouble


def test_what_was_wrong_at_the_start_stays_until_a_key(control: Control) -> None:
    """Neither the end of an import nor data that arrives takes it away; the help keeps it."""
    control.notices.append("no action bogus (keys.toml)")
    control.show_message("")
    control.data_arrived()
    assert control.project(160, 45).footer.message == "no action bogus (keys.toml)"

    control.press("next_transition")

    assert control.project(160, 45).footer.message != "no action bogus (keys.toml)"


def test_dialogs_and_other_effects_are_values(control: Control) -> None:
    """What control requests from the screen beside painting."""
    effects = [control.do(action) for action in ("help", "command_palette", "suspend")]

    assert [type(one) for one in effects] == [OpenDialog, OpenDialog, Suspend]
