"""Finds out whether an address, under any name, leads back to a port of this process."""

from __future__ import annotations

import socket
import threading
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TypeAlias

from amtracer.address import Address

LOOKUP_S_MAX = 2.0
"""Seconds to wait for the addresses of a name; a lookup itself has no limit."""

Number: TypeAlias = IPv4Address | IPv6Address


def leads_back(peer: Address, listening: Address) -> bool:
    """Whether a connection to `peer` arrives at `listening`, where this process listens.

    A name that cannot be resolved, or not soon enough, leads elsewhere.
    """
    if peer.port != listening.port:
        return False
    ours = _numbers(listening.host)
    return any(
        number in ours or (_every(number) in ours and _is_of_this_machine(number))
        for number in map(_reached, _numbers(peer.host))
    )


def _numbers(host: str) -> set[Number]:
    """The addresses that a host name or number stands for."""
    found: list[set[Number]] = []

    def look_up() -> None:
        try:
            places = socket.getaddrinfo(host.encode("ascii"), None, type=socket.SOCK_STREAM)
        except OSError:
            return
        found.append({_plain(str(place[0])) for *_, place in places})

    thread = threading.Thread(target=look_up, name="am-dbg lookup", daemon=True)
    thread.start()
    thread.join(LOOKUP_S_MAX)
    return found[0] if found else set()


def _plain(number: str) -> Number:
    """An address without its zone, and as IPv4 if it is a mapped one."""
    address = ip_address(number.partition("%")[0])
    return getattr(address, "ipv4_mapped", None) or address


def _every(number: Number) -> Number:
    """The address that stands for all addresses of this version."""
    return ip_address("0.0.0.0" if number.version == 4 else "::")  # noqa: S104 - only compared


def _reached(number: Number) -> Number:
    """The target of a connection; the address for all addresses leads to this machine."""
    if number != _every(number):
        return number
    return ip_address("127.0.0.1" if number.version == 4 else "::1")


def _is_of_this_machine(number: Number) -> bool:
    """Whether a socket of this machine can be bound to the address."""
    family = socket.AF_INET if number.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.bind((str(number), 0))
    except OSError:
        return False
    return True
