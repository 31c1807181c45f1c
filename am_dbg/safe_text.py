"""Escapes text from other programs for terminals and plain text outputs.

Ids, state names and log lines are data, but a terminal would obey the escape sequences in
them, and direction marks would turn a line around. Everything without a picture of its own
becomes an escape as Python writes it: control characters (ESC and C1 among them), marks of
direction, characters without width, letters that show nothing, broken text. Nothing is
dropped, so two different texts stay different for the eye.
"""

from __future__ import annotations

import re

_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u3164\ufe00-\ufe0d\uffa0\U000e0100-\U000e01ef]"
)
"""Letters and marks that count as printable but show nothing, but for the two selectors that
emoji are written with."""


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
