"""Answers to the calls of Go programs, as gob."""

from __future__ import annotations

from itertools import chain

_RESPONSE_TYPE = (
    b"\x39\x7f\x03\x01\x01\x08Response\x01\xff\x80\0\x01\x03"
    b"\x01\x0dServiceMethod\x01\x0c\0"  # a text
    b"\x01\x03Seq\x01\x06\0"  # an unsigned number
    b"\x01\x05Error\x01\x0c\0"  # a text
    b"\0\0"
)
_OF_TYPE_64 = b"\xff\x80"
_EMPTY_TEXT = b"\x03\x0c\0\0"


_METHODS_MAX = 16


class Replies:
    """The answers of a connection; the type of a response is defined once."""

    def __init__(self) -> None:
        self._definition = _RESPONSE_TYPE
        self._methods: dict[str, bytes] = {}

    def answer(self, method: str, number: int, error: str = "") -> bytes:
        """The response to a call, then its value, an empty text."""
        if number and method and not error:
            body = self._head(method) + uint(number) + b"\0"
        else:
            body = _OF_TYPE_64 + _fields(_text(method), uint(number), _text(error))
        answer = self._definition + uint(len(body)) + body + _EMPTY_TEXT
        self._definition = b""
        return answer

    def _head(self, method: str) -> bytes:
        """The bytes before the number of a call, cached: a program calls few methods."""
        head = self._methods.get(method)
        if head is None:
            head = _OF_TYPE_64 + b"\1" + _text(method) + b"\1"
            if len(self._methods) < _METHODS_MAX:
                self._methods[method] = head
        return head


def _fields(*values: bytes) -> bytes:
    """A struct: each field that is not zero after how many fields it is further on."""
    sent = [at for at, value in enumerate(values) if value != b"\0"]
    steps = (here - before for before, here in zip([-1, *sent], sent, strict=False))
    pairs = ((uint(step), values[at]) for step, at in zip(steps, sent, strict=True))
    return b"".join(chain.from_iterable(pairs)) + b"\0"


def uint(number: int) -> bytes:
    """An unsigned number."""
    if number < 128:
        return bytes((number,))
    raw = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return bytes((256 - len(raw),)) + raw


def _text(text: str) -> bytes:
    raw = text.encode("utf-8", "replace")
    return uint(len(raw)) + raw
