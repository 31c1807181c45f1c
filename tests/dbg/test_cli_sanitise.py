"""Text from programs on a terminal: visible, harmless and distinct."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from am_dbg.safe_text import lines, one_line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain Größe 漢字 e\u0301", "plain Größe 漢字 e\u0301"),
        ("\x1b[2J", "\\x1b[2J"),
        ("\x1b]52;c;aGk=\x07", "\\x1b]52;c;aGk=\\x07"),
        ("\x9b31m\x9d", "\\x9b31m\\x9d"),
        ("a\u202eb\u2066c", "a\\u202eb\\u2066c"),
        ("zero\u200bwidth\ufeff\u00ad", "zero\\u200bwidth\\ufeff\\xad"),
        ("a\r\n\tb\b\x00", "a\\r\\n\\tb\\x08\\x00"),
        ("\ud800", "\\ud800"),
        ("\u2028\u0085", "\\u2028\\x85"),
        ("[red]x[/]", "[red]x[/]"),
        ("a\u3164b\u115f\uffa0", "a\\u3164b\\u115f\\uffa0"),
        ("a\ufe00\U000e0100\u034f", "a\\ufe00\\U000e0100\\u034f"),
    ],
)
def test_control_characters_become_visible(text: str, shown: str) -> None:
    """Control characters, direction marks and broken text become escapes."""
    assert one_line(text) == shown


def test_lines_of_a_text_stay_lines() -> None:
    """A text is broken only at its own line ends; tabs become spaces."""
    assert lines("a\r\nb\n\tc\rd\x1b") == ["a", "b", "    c\\rd\\x1b"]
    assert lines("") == [""]


@given(st.text())
def test_no_invisible_character_is_printed(text: str) -> None:
    """Output never has control, format or broken characters."""
    for shown in [one_line(text), *lines(text)]:
        assert shown.isprintable()
        assert not {unicodedata.category(char) for char in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
