"""What one debugger receives is sent on to others, and they cannot disturb it."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

import amtracer
import machine as am
from am_dbg.forwarding import ForwardingSink, Relay
from am_dbg.server import Server
from am_dbg.store.store import Store
from amtracer.address import Address, listen_address
from amtracer.process import _senders
from amtracer.schema import GoneMessage
from tests.wire.serving import Debugger

STRUCT = {"M": am.State(multi=True)}


@pytest.fixture
def second() -> Iterator[Debugger]:
    made = Debugger()
    yield made
    made.stop()


def first(*addresses: Address) -> tuple[Server, ForwardingSink, Store]:
    store = Store()
    sink = ForwardingSink(store, addresses)
    server = Server(sink)
    server.start(listen_address(":0"))
    return server, sink, store


@pytest.fixture(autouse=True)
def _closed_senders() -> Iterator[None]:
    yield
    amtracer.close()
    _senders.clear()


def attached(server: Server, name: str) -> am.Machine:
    mach = am.Machine(None, STRUCT, id=name)
    amtracer.attach(mach, str(server.addresses[0]))
    return mach


def test_everything_is_sent_on(second: Debugger) -> None:
    """Both debuggers hold the same machines with the same transitions."""
    server, sink, store = first(second.address)
    mach = attached(server, "m")
    for _ in range(500):
        mach.add1("M")
    second.wait_for_count("m", 500)

    assert second.track("m").clock_at(500) == tuple(mach.time())
    track = store.find("m")
    assert track is not None
    assert track.transition(500) == second.track("m").transition(500)
    amtracer.close()
    second.wait_for(lambda: not second.track("m").connected)
    server.stop()
    sink.stop()


def test_a_debugger_that_is_not_there_disturbs_nobody(second: Debugger) -> None:
    """One of two is down: the other one and the first go on."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        down = Address("127.0.0.1", nobody.getsockname()[1])
        server, sink, store = first(down, second.address)
        mach = attached(server, "m")
        mach.add1("M")
        second.wait_for_count("m", 1)

    assert store.transitions == 1
    server.stop()
    sink.stop()


def test_who_does_not_keep_up_misses_the_rest() -> None:
    """The queue for one debugger is bounded: at the limit all waits, one past it all ends."""
    with socket.create_server(("127.0.0.1", 0)) as slow:
        relay = Relay(Address("127.0.0.1", slow.getsockname()[1]), waiting_max=3)
        relay.stop()
        for at in range(3):
            relay.put(0, GoneMessage(at))
        assert len(relay._waiting) == 3
        assert not relay._overrun

        relay.put(0, GoneMessage(3))
        assert len(relay._waiting) == 3
        assert relay._overrun


def test_a_file_is_not_sent_on(second: Debugger) -> None:
    """Only what arrives live goes on."""
    sink = ForwardingSink(Store(), [second.address])
    sink.open_stream("file", live=False)
    sink.stop()

    assert second.streams == 0
