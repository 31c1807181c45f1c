"""Errors of the tracer and of readers: bad data, session files, addresses and tokens.

`WireError` is bad data: the peer or the file breaks a rule of the protocol. All such errors have
it as their base. `SessionError` is a file that cannot be read or written, described in one text
for a user. `AddressError` is a wrong address, `TokenError` a token that is too long.
"""

from __future__ import annotations

__all__ = [
    "AddressError",
    "ChecksumError",
    "CutSessionError",
    "DamagedRecordError",
    "DamagedSessionError",
    "EmptySessionError",
    "ForeignPeerError",
    "ForeignSessionError",
    "FrameTooLargeError",
    "LimitError",
    "SessionAccessError",
    "SessionBusyError",
    "SessionError",
    "SessionTooLargeError",
    "SessionVersionError",
    "TokenError",
    "TracingError",
    "TrailingBytesError",
    "VersionError",
    "WireError",
]


class TracingError(Exception):
    """Base of all errors of this package."""


class WireError(TracingError):
    """Data that breaks a rule of the protocol; `where` names the frame or message."""

    def __init__(self, what: str, *, where: str = "") -> None:
        super().__init__(f"{where}: {what}" if where else what)
        self.what = what
        self.where = where


class LimitError(WireError):
    """More of something than the named limit allows."""

    def __init__(self, what: str, found: int, limit: int, *, where: str = "") -> None:
        super().__init__(f"{what}: {found:,} is over the limit of {limit:,}", where=where)
        self.found = found
        self.limit = limit


class FrameTooLargeError(LimitError):
    """A frame announces, or a message needs, more bytes than the limit of a frame."""

    def __init__(self, found: int, limit: int, *, where: str = "") -> None:
        super().__init__("bytes in one frame", found, limit, where=where)


class ChecksumError(WireError):
    """The bytes of a frame, or of all frames, are not those that were written."""


class DamagedRecordError(WireError):
    """A record of a session file that was changed, or whose content breaks a rule."""


class VersionError(WireError):
    """A version outside the range that this reader supports."""

    def __init__(self, what: str, found: int, low: int, high: int) -> None:
        super().__init__(f"{what} {found} is not in the range {low} to {high} read here")
        self.found = found
        self.low = low
        self.high = high


class ForeignPeerError(WireError):
    """The first bytes are not those of a tracer; `looks_like` names their probable format."""

    def __init__(self, looks_like: str) -> None:
        super().__init__(f"not a tracer, but {looks_like}")
        self.looks_like = looks_like


class AddressError(TracingError, ValueError):
    """A text that is no address to listen at or to connect to."""

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(
            f"{text!r} is not an address: {reason}; give 1, :PORT, HOST:PORT or [IPv6]:PORT"
        )
        self.text = text
        self.reason = reason


class TokenError(TracingError, ValueError):
    """A token that is too long to be sent; the text does not show it."""

    def __init__(self, found: int, limit: int) -> None:
        super().__init__(f"the token has {found:,} bytes, the limit is {limit:,}")
        self.found = found
        self.limit = limit


class SessionError(TracingError):
    """A session file that cannot be used; `str()` is one line for a user."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class SessionAccessError(SessionError):
    """The file cannot be opened, read or written: missing, a folder, no permission, no space."""


class SessionBusyError(SessionAccessError):
    """Another process writes the file, or has written it since this process began."""

    def __init__(self, path: str, reason: str = "another process is writing it") -> None:
        super().__init__(path, reason)


class EmptySessionError(SessionError):
    """The file has no bytes."""

    def __init__(self, path: str) -> None:
        super().__init__(path, "empty file, no session in it")


class ForeignSessionError(SessionError):
    """The file is no session file; `looks_like` names its probable format."""

    def __init__(self, path: str, looks_like: str) -> None:
        super().__init__(path, f"not a session file, looks like {looks_like}")
        self.looks_like = looks_like


class CutSessionError(SessionError):
    """The file ends before its end message; the messages that were read are valid."""

    def __init__(self, path: str, transitions: int) -> None:
        super().__init__(path, f"cut: {transitions:,} transitions recovered, the rest is missing")
        self.transitions = transitions


class DamagedSessionError(SessionError):
    """Bytes were changed; `transitions` counts those that were read before the damage."""

    def __init__(self, path: str, what: str, transitions: int) -> None:
        super().__init__(path, f"damaged after {transitions:,} transitions ({what})")
        self.what = what
        self.transitions = transitions


class SessionVersionError(SessionError):
    """The file was written by a newer version, or by one that is too old."""

    def __init__(self, path: str, found: int, low: int, high: int) -> None:
        advice = "update this program to read it" if found > high else "it is too old to be read"
        super().__init__(path, f"session format {found}, this reads {low} to {high}: {advice}")
        self.found = found


class SessionTooLargeError(SessionError):
    """Decompressed, or in memory, it is larger than the reader allows."""

    def __init__(self, path: str, limit: int, where: str = "when decompressed") -> None:
        super().__init__(path, f"more than {limit:,} bytes {where}, refused")
        self.limit = limit


class TrailingBytesError(SessionError):
    """Other bytes follow the end of a whole session."""

    def __init__(self, path: str, transitions: int) -> None:
        super().__init__(
            path,
            f"whole session of {transitions:,} transitions followed by other bytes,"
            " perhaps two files joined",
        )
        self.transitions = transitions
