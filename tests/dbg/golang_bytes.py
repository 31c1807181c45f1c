"""Writes gob by hand, so that tests can send what no recorded program sent."""

from __future__ import annotations

BOOL, INT, UINT, FLOAT, BYTES, TEXT, COMPLEX, INTERFACE = range(1, 9)


def uint(number: int) -> bytes:
    if number < 128:
        return bytes([number])
    raw = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return bytes([256 - len(raw)]) + raw


def int_(number: int) -> bytes:
    return uint(~number << 1 | 1 if number < 0 else number << 1)


def text(value: str) -> bytes:
    return uint(len(value.encode())) + value.encode()


def message(type_id: int, body: bytes) -> bytes:
    inner = int_(type_id) + body
    return uint(len(inner)) + inner


def slice_of(type_id: int, element: int) -> bytes:
    """Defines a list."""
    return message(-type_id, b"\x02\x01\x02" + int_(type_id) + b"\0\x01" + int_(element) + b"\0\0")


def array_of(type_id: int, element: int, length: int) -> bytes:
    common = b"\x01\x02" + int_(type_id) + b"\0"
    return message(
        -type_id, b"\x01" + common + b"\x01" + int_(element) + b"\x01" + int_(length) + b"\0\0"
    )


def map_of(type_id: int, key: int, element: int) -> bytes:
    common = b"\x01\x02" + int_(type_id) + b"\0"
    return message(
        -type_id, b"\x04" + common + b"\x01" + int_(key) + b"\x01" + int_(element) + b"\0\0"
    )


def struct_of(type_id: int, name: str, **fields: int) -> bytes:
    common = b"\x01\x01" + text(name) + b"\x01" + int_(type_id) + b"\0"
    listed = b"".join(b"\x01" + text(f) + b"\x01" + int_(t) + b"\0" for f, t in fields.items())
    body = b"\x03" + common + b"\x01" + uint(len(fields)) + listed + b"\0\0"
    return message(-type_id, body)
