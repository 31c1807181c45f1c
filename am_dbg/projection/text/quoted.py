"""Reads a text back from what `repr` shows of it, without evaluating anything."""

from __future__ import annotations

import re

from am_dbg.projection.text.traces import CUT_MARK

_ESCAPE = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|([\\'\"nrt]))")
_SINGLE = re.compile(r"'(?:[^'\\\n]|\\.)*'")
_DOUBLE = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_LETTERS = {"n": "\n", "r": "\r", "t": "\t"}
_CODE_MAX = 0x10FFFF


def text_of_repr(text: str) -> str | None:
    """The text that `repr` shows so; None if it is no whole representation of a text."""
    pattern = _SINGLE if text.startswith("'") else _DOUBLE
    return _ESCAPE.sub(_character, text[1:-1]) if pattern.fullmatch(text) else None


def unquoted(value: str) -> str:
    """The text behind the representation of a text that has several rows, else the value."""
    if value.startswith(CUT_MARK):
        return CUT_MARK + unquoted(value[1:])
    if len(value) < 2 or value[0] not in "'\"" or value[-1] != value[0] or "\\n" not in value:
        return value
    text = text_of_repr(value)
    return value if text is None else text


def _character(escape: re.Match[str]) -> str:
    if letter := escape[4]:
        return _LETTERS.get(letter, letter)
    code = int(escape[1] or escape[2] or escape[3], 16)
    return chr(code) if code <= _CODE_MAX else escape[0]
