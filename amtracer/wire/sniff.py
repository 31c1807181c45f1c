"""Names the format of bytes that are no stream of this protocol, for an error text."""

from __future__ import annotations

_STARTS = (
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"PK\x03\x04", "a zip archive"),
    (b"\x7fELF", "a program"),
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a PNG picture"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"SSH-", "an ssh client"),
    (b"\x16\x03", "a TLS client"),
    (b"PRI * HTTP/2", "an HTTP/2 client"),
)
_HTTP_METHODS = (b"GET", b"POST", b"PUT", b"HEAD", b"DELETE", b"OPTIONS", b"CONNECT", b"PATCH")


def looks_like(head: bytes) -> str:
    """A short noun for the first bytes of a file or connection; never fails.

    Plain msgpack is recognised by a first byte that opens an array or a map. Text is anything
    else that is printable.
    """
    for start, name in _STARTS:
        if head.startswith(start):
            return name
    if head.split(b" ", 1)[0] in _HTTP_METHODS and b" " in head:
        return "an HTTP client"
    if head[4:8] != b"" and head[:3] == b"\0\0\0" and head[8:11] == b"\x93\x00\xa4":
        return "an uncompressed stream of frames"
    if _is_text(head):
        return "text"
    if head and (0x80 <= head[0] <= 0x9F or 0xDC <= head[0] <= 0xDF):
        return "plain msgpack"
    if head and not any(head):
        return "zeros"
    return "unknown data"


def _is_text(head: bytes) -> bool:
    """Whether it is printable UTF-8 with white space; its last character may be cut."""
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.reason != "unexpected end of data":
            return False
        text = head[: error.start].decode("utf-8")
    return bool(text) and all(c.isprintable() or c in "\t\n\r\f" for c in text)
