"""Debuggers that send on to each other send each transition once, however they are joined."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from unittest import mock

import pytest

from am_dbg.control.modes import Modes
from am_dbg.control.send_modes import send_modes
from am_dbg.egress import forward as forwarding
from am_dbg.egress.forward import ROUTES_MAX, Forwarding
from am_dbg.hops import FACT, HOPS_MAX, is_too_long, route_of, with_route
from am_dbg.store import Store
from amtracer.send.registry import close_senders
from amtracer.wire.codec import encode, magic_frame
from tests.dbg.histories import HistoryPlayer, hello
from tests.wire.serving import Debugger, connect

ROUND_S = 0.005


class Joined:
    """Debuggers named by letters, each sending on to some of the others."""

    def __init__(self, *joints: str) -> None:
        letters = sorted(set("".join(joints)))
        self.debuggers = {name: Debugger(own_name=name) for name in letters}
        self.forwardings = [
            Forwarding(
                self.debuggers[one].store, self.debuggers[other].address, one, round_s=ROUND_S
            )
            for one, other in joints
        ]
        for one in self.forwardings:
            one.start()

    def send(self, name: str, id: str, facts: dict[str, str] | None = None) -> None:
        """A program sends one machine to this debugger."""
        sent = reported(id, facts or {})
        with connect(self.debuggers[name]) as peer:
            peer.sendall(sent)
            self.debuggers[name].wait_for_count(id, 3)

    def keys(self, name: str) -> list[str]:
        return sorted(track.key for track in self.debuggers[name].store.tracks)

    def stop(self) -> None:
        for one in self.forwardings:
            one.stop()
        for debugger in self.debuggers.values():
            debugger.stop()


Join = Callable[..., Joined]


@pytest.fixture
def join() -> Iterator[Join]:
    """Joins debuggers; an attempt to connect follows soon on one that failed."""
    with ExitStack() as stack:
        stack.enter_context(mock.patch.object(forwarding, "PAUSE_S_MAX", 4 * ROUND_S))

        def join(*joints: str) -> Joined:
            joined = Joined(*joints)
            stack.callback(joined.stop)
            return joined

        yield join


def reported(id: str, facts: dict[str, str]) -> bytes:
    """What a program sends of a machine with three transitions."""
    player = HistoryPlayer(f"session of {id}")
    player.messages[:] = [hello(f"session of {id}", process=facts)]
    machine = player.enter(0, (0, int(id[1:]), 0))
    for at in range(3):
        player.transit(machine, (at + 1, at, at, at, 4))
    player.writer.flush()
    return b"".join([magic_frame(), *map(encode, player.messages)])


@pytest.mark.parametrize(
    "joints",
    [("ab", "ba"), ("ab", "bc", "ca"), ("ab", "ba", "bc", "cb"), ("aa",)],
    ids=["two", "three", "a row", "itself"],
)
def test_a_circle_reports_everything_once(
    join: Join, joints: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    """Every debugger has each machine once, after what came back was refused."""
    caplog.set_level(logging.INFO, "am_dbg.ingest.server")
    joined = join(*joints)
    first, last = min(joined.debuggers), max(joined.debuggers)
    joined.send(first, "m0")
    joined.send(last, "m1") if last != first else joined.send(first, "m1")
    for debugger in joined.debuggers.values():
        debugger.wait_for_count("m0", 3)
        debugger.wait_for_count("m1", 3)
    while "was forwarded by this debugger" not in caplog.text:
        joined.forwardings[0]._thread.join(ROUND_S)
    joined.stop()

    assert all(joined.keys(name) == ["m0", "m1"] for name in joined.debuggers)


def test_what_comes_back_is_one_quiet_line(join: Join, caplog: pytest.LogCaptureFixture) -> None:
    """It is tried again and again, reported once, and what did not come from here goes on."""
    caplog.set_level(logging.DEBUG, "am_dbg.ingest.server")
    joined = join("aa", "ab")
    joined.send("a", "m0")
    while sum("was forwarded by this debugger" in line for line in caplog.messages) < 3:
        joined.forwardings[0]._thread.join(ROUND_S)
    joined.send("a", "m1")
    joined.debuggers["b"].wait_for_count("m1", 3)
    joined.stop()

    levels = [one.levelname for one in caplog.records if "forwarded by this" in one.message]
    assert levels[0] == "INFO"
    assert set(levels[1:]) == {"DEBUG"}


def test_a_stream_reports_through_which_debuggers_it_came(join: Join) -> None:
    """The names of all of them stand in the hello, the first one first."""
    joined = join("ab", "bc")
    joined.send("a", "m0")
    joined.debuggers["c"].wait_for_count("m0", 3)
    joined.stop()

    last = joined.debuggers["c"].track("m0")
    way = route_of(joined.debuggers["c"].store.streams[last.stream].hello)
    assert way == "a b"


def test_a_stream_that_came_far_is_not_sent_on(
    join: Join, caplog: pytest.LogCaptureFixture
) -> None:
    """One that came through one debugger less than the most goes on once more."""
    caplog.set_level(logging.WARNING, "am_dbg.egress.forward")
    far = " ".join(f"x{number}" for number in range(HOPS_MAX))
    nearly, _, _ = far.rpartition(" ")
    joined = join("ab")
    joined.send("a", "m0", {FACT: far})
    joined.send("a", "m1", {FACT: nearly})
    joined.debuggers["b"].wait_for_count("m1", 3)
    joined.stop()

    assert joined.keys("b") == ["m1"]
    assert is_too_long(far)
    assert not is_too_long(nearly)
    left_out = f"data that came through {HOPS_MAX} debuggers is not forwarded to"
    assert sum(line.startswith(left_out) for line in caplog.messages) == 1


def test_only_so_many_ways_are_sent_on(caplog: pytest.LogCaptureFixture) -> None:
    """Each is a connection; what is left out is reported once."""
    store = Store()
    sent = Forwarding(store, mock.sentinel.address, "own")
    with mock.patch.object(forwarding, "RouteForwarder") as forwarders:
        sent._add("")
        for number in range(ROUTES_MAX + 3):
            feed(store, {FACT: f"x{number}"})
        sent._look()
        sent._look()

    assert forwarders.call_count == ROUTES_MAX
    assert len(caplog.messages) == 1


def feed(store: Store, facts: dict[str, str]) -> None:
    stream = store.open_stream("program", live=True)
    store.feed(stream, hello(process=facts))


def test_a_stream_that_has_not_sent_hello_is_waited_for() -> None:
    """Its way is not known before; one that ends without a word is passed over."""
    store = Store()
    sent = Forwarding(store, mock.sentinel.address, "own")
    with mock.patch.object(forwarding, "RouteForwarder") as forwarders:
        silent = store.open_stream("program", live=True)
        feed(store, {FACT: "x"})
        sent._look()
        assert forwarders.call_count == 0
        store.close_stream(silent, "connection lost")
        sent._look()

    assert [call.args[-1] for call in forwarders.call_args_list] == ["", "x"]


def test_a_debugger_that_is_debugged_is_not_reported_of_itself(
    join: Join, caplog: pytest.LogCaptureFixture
) -> None:
    """What its modes do comes back by the one that debugs it, and is refused."""
    caplog.set_level(logging.INFO, "am_dbg.ingest.server")
    joined = join("ba")
    modes = Modes()
    send_modes(modes, joined.debuggers["b"].address, "a")
    modes.data_arrived()
    joined.debuggers["b"].wait_for_count("am-dbg", 1)
    while "was forwarded by this debugger" not in caplog.text:
        joined.forwardings[0]._thread.join(ROUND_S)
    close_senders()
    joined.stop()

    assert joined.keys("a") == []


def test_facts_stay_as_they_are_where_nothing_was_passed() -> None:
    """A debugger without a name adds none."""
    assert with_route({"pid": "1"}) == with_route({"pid": "1"}, "", "") == {"pid": "1"}
    assert with_route({"pid": "1"}, "a b", "c") == {"pid": "1", FACT: "a b c"}
