"""The table of keys, and what is made from it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from am_dbg.control import Control
from am_dbg.drawing.help import draw_help
from am_dbg.keys import KEYS, by_action, footer_hints, help_rows, markdown, sign_of
from am_dbg.store import Store
from am_dbg.views.debugger import bindings

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
    """Nothing can be done that help does not tell."""
    listed = {text for _, rows in help_rows() for _, text in rows}

    assert listed == {key.help for key in KEYS if key.all_keys}
    drawn = "\n".join(line.text for line in draw_help(140))
    assert all(key.help in drawn for key in KEYS if key.all_keys)


def test_the_footer_begins_with_what_is_needed_most() -> None:
    """On any screen the first hint is moving."""
    assert [hint[1] for hint in footer_hints()][:3] == ["tx", "state", "error"]
    assert footer_hints(narrow=True)[-1][1] == "quit"


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
