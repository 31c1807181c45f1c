"""The table of keys, and what is made from it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from am_dbg.control import Control
from am_dbg.drawing.help import draw_help
from am_dbg.drawing.layout import Pane
from am_dbg.drawing.pane_keys import PANE_KEYS, footer_ends, footer_hints
from am_dbg.keymap import Keymap, keymap_path, read_keymap, remapped
from am_dbg.keys import KEYS, by_action, help_rows, markdown, sign_of
from am_dbg.store import Store
from am_dbg.views.debugger import Debugger, bindings

ROOT = Path(__file__).parents[2]
PROMISED = (
    "left",
    "right",
    "shift+left",
    "shift+right",
    "alt+h",
    "alt+l",
    "alt+left",
    "alt+right",
    "home",
    "end",
    "space",
    "t",
    "e",
    "E",
    "c",
    "C",
    "w",
    "s",
    "b",
    "apostrophe",
    "d",
    "f",
    "r",
    "m",
    "g",
    "left_square_bracket",
    "right_square_bracket",
    "x",
    "y",
    "question_mark",
    "ctrl+p",
    "q",
    "slash",
    "n",
    "N",
    "tab",
    "shift+tab",
    "alt+e",
    "alt+o",
    "alt+v",
    "alt+m",
    "alt+r",
    "alt+f",
    "alt+s",
    "alt+j",
    "alt+k",
    "backspace",
    "escape",
    "enter",
)


def test_no_key_has_two_meanings() -> None:
    """Each key stands in the table once."""
    counts = Counter(name for key in KEYS for name in key.all_keys)

    assert [name for name, count in counts.items() if count > 1] == []


def test_every_action_is_known_to_control() -> None:
    """A key without an action could not be pressed."""
    control = Control(Store())

    assert set(by_action()) == set(control._actions)


def test_every_key_is_bound_under_the_name_of_its_action() -> None:
    """The id is what users map to other keys."""
    bound = {binding.id: binding.key for binding in bindings()}  # type: ignore[union-attr]

    assert bound == {key.action: ",".join(key.all_keys) for key in KEYS if key.all_keys}


def test_the_keys_that_were_promised_are_there() -> None:
    """Single letters, arrows and the aliases of the reference."""
    assert set(PROMISED) <= {name for key in KEYS for name in key.all_keys}


def test_help_lists_every_key() -> None:
    """The help has every action that has a key."""
    listed = {text for _, rows in help_rows() for _, text in rows}

    assert listed == {key.help for key in KEYS if key.all_keys}
    drawn = "\n".join(line.text for line in draw_help(140))
    assert all(key.help in drawn for key in KEYS if key.all_keys)


def test_the_footer_begins_with_what_is_needed_most() -> None:
    """On any screen the first hint is moving."""
    assert [hint[1] for hint in footer_hints()][:3] == ["tx", "state", "error"]
    assert [hint[1] for hint in footer_ends()] == ["help", "quit"]


def test_the_footer_begins_with_the_keys_of_the_focused_pane() -> None:
    """A key that means something else in a pane has its word of that pane, once."""
    hints = footer_hints(pane="rain", narrow=True)

    assert hints[:2] == (("←→", "state", "next_transition"), ("↑↓", "tx", "down"))
    assert len({action for _, _, action in hints}) == len(hints)


def test_the_keys_of_panes_are_keys_of_the_table() -> None:
    """A pane that is not in the layout, or an action that is not in the table, is a mistake."""
    assert set(PANE_KEYS) <= {str(pane) for pane in Pane}
    assert {action for own in PANE_KEYS.values() for action, _ in own} <= set(by_action())


def test_keys_are_written_as_people_know_them() -> None:
    """Names of Textual never reach the screen."""
    assert [sign_of(key) for key in ("shift+left", "alt+h", "ctrl+p", "question_mark")] == [
        "⇧←",
        "Alt+h",
        "^p",
        "?",
    ]


def test_the_manual_has_the_table_of_keys() -> None:
    """`docs/keys.md` is made from the table."""
    assert markdown() in (ROOT / "docs" / "keys.md").read_text(encoding="utf-8")


def test_an_action_can_have_other_keys() -> None:
    """A key that is given to one action is taken from the other."""
    keymap = remapped({"next_error": "ctrl+e", "tail": ["t", "r"], "rain": []})
    table = by_action(keymap.table)

    assert keymap.trouble == ""
    assert table["next_error"].all_keys == ("ctrl+e",)
    assert table["tail"].all_keys == ("t", "r")
    assert table["reader"].all_keys == ("alt+o",)
    assert table["rain"].all_keys == ()


def test_footer_and_help_show_the_keys_as_they_are_now() -> None:
    """What a user changed is what a user reads."""
    table = remapped({"next_error": "ctrl+e", "next_transition": "l"}).table

    hints = {action: sign for sign, _, action in footer_hints(table)}
    assert (hints["next_error"], hints["next_transition"]) == ("^e", "l")
    assert "^e" in "\n".join(line.text for line in draw_help(140, table))


@pytest.mark.parametrize(
    "text", ["next_error = 5", "nothing_like_it = 'x'", "tail = [1]", "= broken", "\x00"]
)
def test_faults_of_a_keymap_are_reported(text: str, tmp_path: Path) -> None:
    """The debugger starts with the keys it has, and says what it could not do."""
    path = tmp_path / "keys.toml"
    path.write_text(text, encoding="utf-8")

    keymap = read_keymap(path)

    assert keymap.table == KEYS
    assert str(path) in keymap.trouble


def test_without_a_keymap_the_table_is_as_it_is(tmp_path: Path) -> None:
    """No file is no trouble."""
    assert read_keymap(tmp_path / "none.toml") == Keymap()


def test_the_keymap_lies_in_the_users_configuration() -> None:
    """An environment variable may name another file."""
    assert keymap_path({"XDG_CONFIG_HOME": "/c"}) == Path("/c/am-dbg/keys.toml")
    assert keymap_path({"AM_DBG_KEYS": "/k.toml", "XDG_CONFIG_HOME": "/c"}) == Path("/k.toml")


@pytest.mark.slow
async def test_a_remapped_key_works(store: Store) -> None:
    """The new key does what the old one did, the old one nothing."""
    control = Control(store, keys=remapped({"next_error": "ctrl+e"}).table)
    app = Debugger(control)
    async with app.run_test() as pilot:
        await pilot.press("home", "e")
        assert control.workspace.cursor is not None
        assert control.workspace.cursor.number == 0

        await pilot.press("ctrl+e")

        assert control.workspace.cursor.number == 13
