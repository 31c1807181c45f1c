"""Parses addresses of debuggers as users write them, for the tracer and the server alike.

`1` is the default address. `:6831` and `6831` are a port of the local host, `HOST` is the default
port of a host, `HOST:PORT` names both. An IPv6 address is in brackets if a port follows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from amtracer.errors import AddressError

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 6831
_PORT_MAX = 65_535
_PORT = re.compile(r"[0-9]{1,5}")
_HOST_NAME = re.compile(r"(?!-)[A-Za-z0-9_.-]{1,253}")


@dataclass(frozen=True, slots=True)
class Address:
    """A host, by name or number, and a TCP port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether only programs on the same host can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host.partition("%")[0]).is_loopback
        except ValueError:
            return False


def peer_address(text: str) -> Address:
    """The address to connect to; AddressError if the text is no such address."""
    address = _parse(text.strip())
    if address.port == 0:
        raise AddressError(text, "nobody can connect to port 0")
    return address


def listen_address(text: str) -> Address:
    """The address to listen at; port 0 is any free port. AddressError if it is no address."""
    return _parse(text.strip())


def _parse(text: str) -> Address:
    if not text:
        raise AddressError(text, "it is empty")
    if text == "1":
        return Address(DEFAULT_HOST, DEFAULT_PORT)
    if text.isdecimal():
        return Address(DEFAULT_HOST, _port(text, text))
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise AddressError(text, "the brackets are not closed before the port")
        return Address(_ipv6(text, host), _port(text, rest[1:]) if rest else DEFAULT_PORT)
    if text.count(":") > 1:
        return Address(_ipv6(text, text), DEFAULT_PORT)
    host, colon, port = text.partition(":")
    if host and not _HOST_NAME.fullmatch(host):
        raise AddressError(text, f"{host!r} is not a host name")
    return Address(host or DEFAULT_HOST, _port(text, port) if colon else DEFAULT_PORT)


def _ipv6(text: str, host: str) -> str:
    try:
        IPv6Address(host)
    except ValueError:
        raise AddressError(text, f"{host!r} is not an IPv6 address") from None
    return host


def _port(text: str, port: str) -> int:
    if not _PORT.fullmatch(port) or int(port) > _PORT_MAX:
        raise AddressError(text, f"{port!r} is not a port from 0 to {_PORT_MAX}")
    return int(port)
