"""Addresses as users write them; server and tracer read them alike."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amtracer.address import Address, listen_address, peer_address
from amtracer.errors import AddressError

GOOD = {
    "1": Address("127.0.0.1", 6831),
    "6831": Address("127.0.0.1", 6831),
    ":7000": Address("127.0.0.1", 7000),
    "127.0.0.1:7000": Address("127.0.0.1", 7000),
    "localhost": Address("localhost", 6831),
    "localhost:7000": Address("localhost", 7000),
    "my-host.example:7000": Address("my-host.example", 7000),
    "0.0.0.0:6831": Address("0.0.0.0", 6831),
    "::1": Address("::1", 6831),
    "[::1]": Address("::1", 6831),
    "[::1]:7000": Address("::1", 7000),
    "[fe80::1%lo]:7000": Address("fe80::1%lo", 7000),
    "::": Address("::", 6831),
    " :7000 ": Address("127.0.0.1", 7000),
    "65535": Address("127.0.0.1", 65_535),
}
BAD = {
    "": "it is empty",
    "   ": "it is empty",
    "99999": "not a port from 0 to 65535",
    "65536": "not a port",
    "9" * 5_000: "not a port",
    ":": "'' is not a port",
    "host:": "'' is not a port",
    "host:port": "'port' is not a port",
    ":-1": "'-1' is not a port",
    ":٣": "not a port",
    "[::1": "brackets",
    "[::1]7000": "brackets",
    "[host]:7000": "not an IPv6 address",
    "a:b:c": "not an IPv6 address",
    "http://host:1": "not an IPv6 address",
    "my host:7000": "not a host name",
    "-x:7000": "not a host name",
    "tcp/host": "not a host name",
}


@pytest.mark.parametrize("text", GOOD)
def test_an_address_is_read_alike_by_both_sides(text: str) -> None:
    """What names a place to listen at names the same place to connect to."""
    assert peer_address(text) == listen_address(text) == GOOD[text]


@pytest.mark.parametrize("text", BAD)
def test_a_wrong_address_names_the_reason_and_the_valid_forms(text: str) -> None:
    """One text names the input, the reason and the forms that are read."""
    with pytest.raises(AddressError, match="give 1, :PORT, HOST:PORT") as caught:
        peer_address(text)
    assert BAD[text] in str(caught.value)
    with pytest.raises(AddressError):
        listen_address(text)


@pytest.mark.parametrize("text", ["0", ":0", "localhost:0"])
def test_port_zero_is_only_for_listening(text: str) -> None:
    """Any free port can be listened at, but not connected to."""
    assert listen_address(text).port == 0
    with pytest.raises(AddressError, match="nobody can connect to port 0"):
        peer_address(text)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.0.1", False),
        ("fe80::1%lo", False),
        ("example", False),
    ],
)
def test_loopback_is_known(host: str, loopback: bool) -> None:
    """The host of an address decides whether other hosts can reach it."""
    assert Address(host, 1).is_loopback is loopback


@given(st.builds(Address, st.sampled_from(["::1", "host", "10.0.0.1"]), st.integers(0, 65_535)))
def test_an_address_is_shown_as_it_is_read(address: Address) -> None:
    """What is shown can be given again."""
    assert listen_address(str(address)) == address


@given(st.text())
def test_any_text_is_an_address_or_an_address_error(text: str) -> None:
    """No text raises anything else."""
    with suppress(AddressError):
        listen_address(text)
    with suppress(AddressError):
        listen_address("9" * 5_000 + text)
