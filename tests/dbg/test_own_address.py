"""Addresses that lead back to this debugger."""

from __future__ import annotations

import socket
import threading

import pytest

from am_dbg.cli import own_address as own_address
from am_dbg.cli.own_address import leads_back
from amtracer.address import listen_address, peer_address

NAMES = {
    "localhost": ("127.0.0.1", "::1"),
    "my-machine": ("127.0.1.1", "192.0.2.7"),
    "elsewhere": ("192.0.2.9",),
}
IS_OF_THIS_MACHINE = own_address._is_of_this_machine
OWN = {"127.0.0.1", "127.0.1.1", "192.0.2.7", "::1"}


@pytest.fixture(autouse=True)
def _network(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with two names, whatever the one that runs the tests is called."""
    real = socket.getaddrinfo

    def look_up(host: bytes, port: None, **rest: int) -> list[object]:
        found: list[object] = []
        for number in NAMES.get(host.decode(), (host.decode(),)):
            found += real(number, port, flags=socket.AI_NUMERICHOST, **rest)
        return found

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(own_address, "_is_of_this_machine", lambda number: str(number) in OWN)


BACK = [
    ("localhost:7001", "localhost:7001"),
    ("localhost:6831", "1"),
    ("127.0.0.1:7001", "localhost:7001"),
    ("localhost:7001", "[::1]:7001"),
    ("0.0.0.0:7001", ":7001"),
    ("0.0.0.0:7001", "my-machine:7001"),
    ("[::]:7001", "localhost:7001"),
    ("127.0.0.1:7001", "0.0.0.0:7001"),
    ("[::1]:7001", "[::]:7001"),
    ("my-machine:7001", "192.0.2.7:7001"),
    ("[::ffff:127.0.0.1]:7001", "127.0.0.1:7001"),
]
ELSEWHERE = [
    ("localhost:7001", "localhost:7002"),
    ("localhost:0", "localhost:7001"),
    ("0.0.0.0:7001", "elsewhere:7001"),
    ("0.0.0.0:7001", "[::1]:7001"),
    ("127.0.0.1:7001", "my-machine:7001"),
    ("[::1]:7001", "127.0.0.1:7001"),
    ("localhost:7001", "nobody-knows:7001"),
]


@pytest.mark.parametrize(("listening", "peer"), BACK)
def test_an_address_that_leads_back_is_recognised(listening: str, peer: str) -> None:
    """Addresses count, not their written form; the address for all includes this machine."""
    assert leads_back(peer_address(peer), listen_address(listening))


@pytest.mark.parametrize(("listening", "peer"), ELSEWHERE)
def test_any_other_address_leads_elsewhere(listening: str, peer: str) -> None:
    """Another port, another machine, an unused address, an unknown name."""
    assert not leads_back(peer_address(peer), listen_address(listening))


def test_a_name_whose_lookup_hangs_leads_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The start waits for a limited time."""
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [over.wait(30)][:0])
    monkeypatch.setattr(own_address, "LOOKUP_S_MAX", 0.01)

    assert not leads_back(peer_address("slow:7001"), listen_address("slow:7001"))
    over.set()


def test_an_address_is_of_this_machine_if_a_socket_can_be_bound_to_it() -> None:
    """The loopback is one, an address for documentation is not."""
    own = [
        IS_OF_THIS_MACHINE(own_address._plain(number))
        for number in ("127.0.0.1", "192.0.2.1", "2001:db8::1")
    ]

    assert own == [True, False, False]
