"""Escapes text from other programs for terminals and plain text outputs.

Ids, state names and log lines are data, but a terminal executes escape sequences in them, and
direction marks reverse a line. So every invisible character becomes an escape as Python writes
it: control characters (also ESC and C1), direction marks, characters without width, letters
that show nothing, broken text. Nothing is dropped, so different texts look different.
"""

from __future__ import annotations

import re

_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u3164\ufe00-\ufe0d\uffa0\U000e0100-\U000e01ef]"
)
"""Letters and marks that count as printable and show nothing, except the two selectors that emoji
need."""


def one_line(text: str) -> str:
    """The text on one line, with line ends and tabs escaped too."""
    if not text.isprintable():
        text = "".join(char if char.isprintable() else _escaped(char) for char in text)
    return text if text.isascii() else _UNSEEN.sub(lambda match: _escaped(match[0]), text)


def _escaped(char: str) -> str:
    return ascii(char)[1:-1]


def lines(text: str) -> list[str]:
    """The text broken at its own line ends, each line safe; a tab becomes four spaces."""
    rows = text.replace("\r\n", "\n").split("\n")
    return [one_line(row.replace("\t", "    ")) for row in rows]
