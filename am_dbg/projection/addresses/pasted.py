"""Finds the address in a pasted text."""

from __future__ import annotations

import re

from am_dbg.projection.addresses.write import SCHEME

PASTED_CHARS_MAX = 10_000
_ADDRESS = re.compile(re.escape(SCHEME) + r"[^\s<>\"'`]+")


def pasted_address(text: str) -> str:
    """The first address in a text, without the punctuation around it; empty if there is none."""
    text = text[:PASTED_CHARS_MAX].strip()
    if text.startswith(SCHEME) and "\n" not in text:
        return text
    found = _ADDRESS.search(text)
    return found[0].rstrip(".,;:!?)]}") if found else ""
