"""Makes text from other programs safe and short enough for a row of the screen.

State names, ids, tags, args and log lines are data. What a terminal would obey or hide
becomes visible (`am_dbg.safe_text`). Length has a limit, because a row is short. Characters
that terminals draw in different widths would shift the columns: selectors that only change
the character before them are removed, and skin tones become visible, as the joiners of emoji
do. Nothing is ever read as markup.
"""

from __future__ import annotations

from functools import lru_cache

from am_dbg.safe_text import one_line

CHARS_MAX = 4096
"""The most characters of a text that are drawn; copying and export take it whole."""
ROWS_MAX = 200

_SELECTORS = {0xFE0E: None, 0xFE0F: None}
_SKIN_TONES = {tone: f"\\U{tone:08x}" for tone in range(0x1F3FB, 0x1F400)}
_WIDTHS_UNSURE = _SELECTORS | _SKIN_TONES


@lru_cache(maxsize=16384)
def _clean(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    return one_line(text.translate(_WIDTHS_UNSURE))


def clean(text: str) -> str:
    """The text on one row, without anything that a terminal would act upon."""
    return _clean(text if len(text) <= CHARS_MAX else text[:CHARS_MAX] + "…")


def clean_name(text: str) -> str:
    """A name on one row; a name of spaces alone is quoted, or it would be invisible."""
    return clean(text) if text.strip(" ") else f"'{clean(text)}'"


def clean_lines(text: str, rows_max: int = ROWS_MAX) -> list[str]:
    """The text broken at its own line ends, each row made safe; a tab becomes four spaces."""
    if text.isprintable():
        return [clean(text)]
    head = text if len(text) <= CHARS_MAX * 4 else text[: CHARS_MAX * 4] + "…"
    rows = head.replace("\r\n", "\n").rstrip("\n").split("\n")
    if len(rows) > rows_max:
        rows = [*rows[:rows_max], f"… {len(rows) - rows_max} more rows"]
    return [clean(row.replace("\t", "    ")) for row in rows]


def clean_text_rows(text: str) -> list[str]:
    """All rows of a text, whole and made safe, for places where length has no limit."""
    body = text.replace("\r\n", "\n").rstrip("\n").translate(_WIDTHS_UNSURE)
    return [one_line(row.replace("\t", "    ")) for row in body.split("\n")]
