"""Recognises a connection of a Go program by its first bytes.

The debugger asks this of every connection, and loads the rest of the
protocol only for a Go program.
"""

from __future__ import annotations

import re

FIRST_BYTES = 15
"""So many bytes always show whether a connection is one of a Go program."""

_START = re.compile(
    rb"[\x10-\x7f]"  # length of the message
    rb"(?:\x7f|\xff[\x81-\xff]|\xfe..)"  # it defines a type, of any number
    rb"\x03\x01\x01\x07Request",  # a struct of this name
    re.DOTALL,
)
_START_OF_NUMBER = (b"", b"\x7f", b"\xff", b"\xfe")


def looks_like_go(first_bytes: bytes) -> bool | None:
    """Whether a connection that begins so is one of a Go program; None for too few bytes."""
    if _START.match(first_bytes):
        return True
    if len(first_bytes) >= FIRST_BYTES or first_bytes[1:2] not in _START_OF_NUMBER:
        return False
    return None if b"\x10" <= first_bytes[:1] <= b"\x7f" or not first_bytes else False
