"""Fuzzy search: whether a text has the typed letters in their order, and how well it does.

A text that has the typed letters in one piece is better than one that has them apart, and one
that has them at the beginning of words is better than one that has them inside. Each word that
is typed has to be found on its own; capitals do not count.
"""

from __future__ import annotations

NEEDLE_CHARS_MAX = 60
TEXT_CHARS_MAX = 200
"""Letters of a text that are searched."""
WHOLE, AT_START, WORD_START, NEXT = 40, 30, 8, 4
"""Points for a piece, for a piece at the beginning, and for letters."""


def words_of(needle: str) -> list[str]:
    """The words that are typed, as `points` needs them."""
    return needle[:NEEDLE_CHARS_MAX].lower().split()


def points(words: list[str], text: str) -> int:
    """How well a text has the words, from 1; 0 if it lacks a letter of one of them."""
    text = text[:TEXT_CHARS_MAX].lower()
    total = 0
    for word in words:
        found = _score_of(word, text)
        if not found:
            return 0
        total += found
    return total


def score(needle: str, text: str) -> int:
    """How well a text has the letters, from 1; 0 if it lacks one of them."""
    return points(words_of(needle), text)


def _score_of(word: str, text: str) -> int:
    at = text.find(word)
    if at >= 0:
        starts = _is_start(text, at)
        return len(word) * NEXT + WHOLE + AT_START * (at == 0) + WORD_START * starts
    total, before, at = 0, -2, -1
    for char in word:
        at = text.find(char, at + 1)
        if at < 0:
            return 0
        total += NEXT * (at == before + 1) + WORD_START * _is_start(text, at)
        before = at
    return max(1, total)


def _is_start(text: str, at: int) -> bool:
    """Whether a word begins at a place."""
    return at == 0 or not text[at - 1].isalnum()
