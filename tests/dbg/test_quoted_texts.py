"""Representations of texts are read back without evaluating anything."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from am_dbg.projection.text.quoted import text_of_repr


@given(st.text())
def test_each_text_comes_back(text: str) -> None:
    """A text is read back from what `repr` writes."""
    assert text_of_repr(repr(text)) == text


@pytest.mark.parametrize(
    "text", ["", "'", "'a", "a", "1", "'a' 'b'", "'a'b'", "'a\"", "['a']", "'\\'", "f'{1}'"]
)
def test_other_values_are_no_texts(text: str) -> None:
    """Anything but one whole representation of a text is refused."""
    assert text_of_repr(text) is None


def test_an_impossible_character_stays_as_it_is_written() -> None:
    """A number above the last character of Unicode is no character."""
    assert text_of_repr(r"'\Uffffffff'") == r"\Uffffffff"
