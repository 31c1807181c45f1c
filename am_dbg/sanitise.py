"""Text from other programs, made safe for a terminal that takes plain text.

Ids, state names and log lines are data, but a terminal would obey the escape sequences in
them, and direction marks would turn a line around. Everything without a picture of its own
becomes an escape as Python writes it: control characters (ESC and C1 among them), marks of
direction, characters without width, broken text. Nothing is dropped, so two different
texts stay different for the eye.
"""

from __future__ import annotations

__all__ = ["lines", "one_line"]


def one_line(text: str) -> str:
    """The text on one line, with line ends and tabs escaped too."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def lines(text: str) -> list[str]:
    """The text broken at its own line ends, each line safe; a tab becomes four spaces."""
    rows = text.replace("\r\n", "\n").split("\n")
    return [one_line(row.replace("\t", "    ")) for row in rows]
