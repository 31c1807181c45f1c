"""Text from other programs, made safe to show.

State names, ids, tags, args and log lines are data. A terminal would obey the escape
sequences in them, right-to-left overrides would turn rows around, and characters without
width would shift columns. So control characters become visible stand-ins, overrides become
the replacement sign and invisible characters go. Nothing here is ever read as markup.
"""

from __future__ import annotations

from functools import lru_cache

CHARS_MAX = 4096
"""More of one text is never drawn; a row is far shorter, copying and export take it whole."""

TAB = "  "
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

_INVISIBLE = (0x00AD, 0x061C, 0x180E, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF, 0xFE0F, 0xFE0E)
_OVERRIDES = (0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_BREAKS = {0x0A: "⏎", 0x0D: "␍", 0x0B: "␋", 0x0C: "␌", 0x85: "⏎", 0x2028: "⏎", 0x2029: "⏎"}


def _table() -> dict[int, str | None]:
    table: dict[int, str | None] = {code: chr(0x2400 + code) for code in range(0x20)}
    table[0x7F] = "␡"
    table.update({code: f"\\x{code:02x}" for code in range(0x80, 0xA0)})
    table.update(dict.fromkeys(_OVERRIDES, REPLACEMENT))
    table.update(dict.fromkeys(_INVISIBLE))
    table.update(_BREAKS)
    table[0x09] = TAB
    return table


_TABLE = _table()


@lru_cache(maxsize=16384)
def _clean_short(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    text = text.encode("utf-8", "replace").decode("utf-8") if _has_surrogate(text) else text
    return text.translate(_TABLE)


def _has_surrogate(text: str) -> bool:
    return any("\ud800" <= char <= "\udfff" for char in text)


def clean(text: str) -> str:
    """The text on one row, with nothing in it that a terminal would act upon."""
    return _clean_short(text if len(text) <= CHARS_MAX else text[:CHARS_MAX] + "…")


def clean_lines(text: str, rows_max: int = 200) -> list[str]:
    """The text broken at its own line ends, each row made safe."""
    if "\n" not in text and "\r" not in text:
        return [clean(text)]
    head = text if len(text) <= CHARS_MAX * 4 else text[: CHARS_MAX * 4] + "…"
    rows = head.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n").split("\n")
    if len(rows) > rows_max:
        rows = [*rows[:rows_max], f"… {len(rows) - rows_max} more rows"]
    return [clean(row) for row in rows]
