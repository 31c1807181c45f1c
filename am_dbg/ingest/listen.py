"""Opens the sockets to listen on, for an address as the user wrote it."""

from __future__ import annotations

import errno
import os
import socket
import sys
from collections.abc import Iterable

from am_dbg.errors import DebuggerError
from amtracer.address import Address

BACKLOG = 512
"""The most connections that wait to be accepted."""
_NOT_HERE = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT}


class ListenError(DebuggerError):
    """An address where the server cannot listen; the text has advice."""

    def __init__(self, address: Address, reason: str, advice: str) -> None:
        super().__init__(f"cannot listen at {address}: {reason}; {advice}")
        self.address = address
        self.reason = reason


def notice_of(addresses: Iterable[Address], *, has_token: bool) -> str:
    """A line for the user if other machines can connect too, else empty."""
    reached = list(dict.fromkeys(str(one) for one in addresses if not one.is_loopback))
    if not reached:
        return ""
    places = f"{', '.join(reached)} is open to other machines"
    if has_token:
        return f"{places} that send the token"
    return f"{places}; set AM_DBG_TOKEN to refuse strangers"


def listening_sockets(address: Address) -> list[socket.socket]:
    """One socket for each number of the host, all with the same port.

    Numbers that this machine lacks are left out, such as ::1 without IPv6. Raises `ListenError`,
    also if none is left.
    """
    opened: list[socket.socket] = []
    missing: OSError | None = None
    port = address.port
    try:
        for family, place in _places(address):
            try:
                opened.append(_listening(family, (place[0], port, *place[2:])))
            except OSError as error:
                if error.errno not in _NOT_HERE:
                    raise
                missing = error
            else:
                port = opened[-1].getsockname()[1]
        if missing is not None and not opened:
            raise missing
    except OSError as error:
        for one in opened:
            one.close()
        raise _listen_error(address, error) from error
    return opened


def all_listening_sockets(addresses: Iterable[Address]) -> list[socket.socket]:
    """The sockets of all addresses; `ListenError` if one is not free, and none stays open."""
    opened: list[socket.socket] = []
    try:
        for address in addresses:
            opened += listening_sockets(address)
    except ListenError:
        for one in opened:
            one.close()
        raise
    return opened


def _places(address: Address) -> list[tuple[int, tuple[str, int, *tuple[int, ...]]]]:
    flags = socket.AI_PASSIVE
    host = address.host.encode("ascii")  # a text would have to follow the rules for domain names
    found = socket.getaddrinfo(host, address.port, type=socket.SOCK_STREAM, flags=flags)
    places = [(int(family), place) for family, _, _, _, place in found]
    places = sorted(places, key=lambda item: item[0])
    return list(dict.fromkeys(places))  # type: ignore[arg-type]  # only INET and INET6 were asked


def _listening(family: int, place: tuple[str, int, *tuple[int, ...]]) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        if sys.platform != "win32":  # there the option lets two programs share a port
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(place)
        sock.listen(BACKLOG)
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return sock


def _listen_error(address: Address, error: OSError) -> ListenError:
    if isinstance(error, socket.gaierror):
        return ListenError(
            address, "the host is not known", "give a name or number of this machine"
        )
    if error.errno == errno.EADDRINUSE:
        return ListenError(
            address,
            "the port is in use, perhaps by another am-dbg",
            "stop that one or give another port",
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return ListenError(address, "not permitted", "give a port above 1023")
    if error.errno in _NOT_HERE:
        return ListenError(
            address, "this machine has no such address", "give a name or number of this machine"
        )
    return ListenError(address, os.strerror(error.errno or 0).lower(), "give another address")
