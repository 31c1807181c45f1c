"""Reads a text back from what `repr` shows of it, without evaluating anything."""

from __future__ import annotations

import re

_ESCAPE = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|([\\'\"nrt]))")
_SINGLE = re.compile(r"'(?:[^'\\\n]|\\.)*'")
_DOUBLE = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_LETTERS = {"n": "\n", "r": "\r", "t": "\t"}
_CODE_MAX = 0x10FFFF


def text_of_repr(text: str) -> str | None:
    """The text that `repr` shows so; None if it is no whole representation of a text."""
    pattern = _SINGLE if text.startswith("'") else _DOUBLE
    return _ESCAPE.sub(_character, text[1:-1]) if pattern.fullmatch(text) else None


def _character(escape: re.Match[str]) -> str:
    if letter := escape[4]:
        return _LETTERS.get(letter, letter)
    code = int(escape[1] or escape[2] or escape[3], 16)
    return chr(code) if code <= _CODE_MAX else escape[0]
