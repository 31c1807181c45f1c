"""What happens when a machine changes during a subscription."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import pytest

import machine as am
from machine import LogLevel, State
from machine._resolution.automaton import Node, automaton_of
from machine._schema.schema import Schema
from machine._schema.sharing import schema_of
from machine._waiting.context import Context
from machine._waiting.state_contexts import StateContexts
from machine._waiting.waiters import Waiters


class Host:
    """The part of a machine that waiting looks at, with a hook at each look at its ticks."""

    id = "host"

    def __init__(self, *names: str) -> None:
        self._schema: Schema = schema_of({name: State() for name in names})
        self._node: Node = automaton_of(self._schema).node(())
        self.idle = True
        self._disposed = False
        self._log_level = LogLevel.OPS
        self._now = [0] * len(self._schema.names)
        self.ctx = Context()
        self.lines: list[str] = []
        self.looks: dict[int, Callable[[], object]] = {}
        """What happens right before the ticks are looked at for the n-th time."""
        self._looked = 0

    @property
    def _ticks(self) -> list[int]:
        self._looked += 1
        self.looks.pop(self._looked, lambda: None)()
        return self._now

    @_ticks.setter
    def _ticks(self, ticks: list[int]) -> None:
        self._now = ticks

    def _is_idle(self) -> bool:
        return self.idle

    def log_lvl(self, level: LogLevel, msg: str, *args: Any) -> None:
        self.lines.append(msg)

    def _missing(self, names: Sequence[str]) -> NoReturn:
        raise KeyError(names)

    def toggle(self, name: str) -> None:
        """Publish a change as the engine does: ticks, then the node."""
        index = self._schema.index[name]
        ticks = self._now.copy()
        ticks[index] += 1
        self._now = ticks
        active = [one for one in self._node.active if one != index]
        if ticks[index] % 2:
            active.insert(0, index)
        self._node = self._node.automaton.node(tuple(active))


@pytest.fixture
def host() -> Host:
    """A host with two inactive states."""
    return Host("A", "B")


@pytest.fixture
def waiters(host: Host) -> Waiters:
    """The index of the host."""
    return Waiters(host)


# A subscription looks at the ticks before it enters the index (1) and afterwards (2).


def test_a_change_before_the_subscription_is_in_the_index_releases_it(
    host: Host, waiters: Waiters
) -> None:
    """The engine looked too early to find it, so the registrar finds the change."""
    host.looks[2] = lambda: host.toggle("A")
    handle = waiters.when("A")

    assert handle.reason == "match"
    assert len(waiters) == 0
    assert host.lines == []


def test_a_change_that_both_find_releases_once(host: Host, waiters: Waiters) -> None:
    """When engine and registrar meet, one of them claims the subscription."""
    calls: list[am.WaitHandle] = []

    def change() -> None:
        host.toggle("A")
        waiters.ticks_changed((0,))

    host.looks[2] = change
    handle = waiters.when("A")
    handle.add_done_callback(calls.append)

    assert handle.reason == "match"
    assert calls == [handle]


def test_a_change_that_does_not_satisfy_leaves_it_waiting(host: Host, waiters: Waiters) -> None:
    """The registrar looks again, and goes on to wait."""
    host.looks[2] = lambda: host.toggle("B")
    handle = waiters.when("A")
    assert not handle.done
    host.toggle("A")
    waiters.ticks_changed((0,))

    assert handle.reason == "match"
    assert host.lines == ["[when:new] A", "[when:match] A"]


def test_a_disposal_before_the_subscription_is_in_the_index_releases_it(
    host: Host, waiters: Waiters
) -> None:
    """The disposal released all waiters before; who comes in between is released by itself."""

    def dispose() -> None:
        host._now = []
        waiters.dispose()

    host.looks[2] = dispose
    handle = waiters.when("A")

    assert handle.reason == "disposed"
    assert len(waiters) == 0


def test_a_disposed_host_satisfies_no_waiter(host: Host, waiters: Waiters) -> None:
    """Between the last tick and the release of all, new waiters wait for that release."""
    host._now = []
    early = waiters.when_not("A")
    ticks = waiters.when_ticks("A", 2)
    host.looks[host._looked + 2] = lambda: setattr(host, "_now", [])
    late = waiters.when_not("A")
    waiters.ticks_changed((0,))
    assert not early.done
    waiters.dispose()

    assert early.reason == late.reason == ticks.reason == "disposed"


def test_an_index_made_on_a_disposed_host_is_closed(host: Host) -> None:
    """A first waiter during the disposal is released, one for its end when it ends."""
    host._disposed = True
    waiters = Waiters(host)

    assert waiters.when("A").reason == "disposed"
    assert waiters.when_queue_ends().reason == "disposed"
    handle = waiters.when_disposed()
    assert not handle.done
    waiters.dispose()
    waiters.end_disposal()
    assert handle.reason == "match"
    assert waiters.when_disposed().reason == "match"


def test_the_end_of_the_disposal_is_after_that_of_all_waiters(waiters: Waiters) -> None:
    """A waiter for it that comes while the others are released is released after them."""
    seen: list[bool] = []
    asked: list[am.WaitHandle] = []
    first = waiters.when("A")

    def ask(_: object) -> None:
        asked.append(waiters.when_disposed())
        seen.append(asked[0].done)

    first.add_done_callback(ask)
    waiters.dispose()
    waiters.end_disposal()

    assert seen == [False]
    assert asked[0].reason == "match"


def test_an_end_of_the_drain_while_subscribing_is_not_missed(host: Host, waiters: Waiters) -> None:
    """The drainer gives its token back, then looks; the registrar looks for the token."""
    host.idle = False
    host.looks[2] = lambda: setattr(host, "idle", True)
    handle = waiters.when_queue_ends()

    assert handle.reason == "match"
    assert len(waiters) == 0


def test_a_context_that_ends_while_subscribing_is_noticed(host: Host, waiters: Waiters) -> None:
    """Between entering the index and listening to the context, the context may end."""
    ctx = Context()
    host.looks[2] = ctx.cancel
    handle = waiters.when("A", ctx)

    assert handle.reason == "ctx"
    assert len(waiters) == 0


def test_a_match_while_listening_to_the_context_is_not_kept_there(
    host: Host, waiters: Waiters
) -> None:
    """A handle released before its context knew of it is forgotten by the context."""
    ctx = Context()

    def log_lvl(level: LogLevel, msg: str, *args: Any) -> None:
        if msg == "[when:new] A":
            host.toggle("A")
            waiters.ticks_changed((0,))

    host.log_lvl = log_lvl  # type: ignore[method-assign]
    handle = waiters.when("A", ctx)

    assert handle.reason == "match"
    assert ctx._callbacks == {}


def test_a_half_published_schema_satisfies_no_waiter(host: Host, waiters: Waiters) -> None:
    """Node and ticks of one schema with another one are no moment of the machine."""
    other = schema_of({name: State() for name in ("B", "A")})
    host._node = automaton_of(other).node((0,))
    handle = waiters.when("B")
    assert not handle.done
    ticks = waiters.when_ticks("B", 1)
    host._schema, host._now = other, [1, 0, 0]
    waiters.schema_changed()

    assert handle.reason == "match"
    assert ticks.reason == "match"


def test_a_change_of_schema_while_subscribing_is_looked_at_by_that_change(
    host: Host, waiters: Waiters
) -> None:
    """The registrar leaves a subscription alone when what it sees does not fit together."""
    other = schema_of({name: State() for name in ("B", "A")})

    def publish_half() -> None:
        host._node = automaton_of(other).node((0,))
        host._now = [1, 0, 0]

    host.looks[2] = publish_half
    handle = waiters.when("B")
    assert not handle.done
    host._schema = other
    waiters.schema_changed()

    assert handle.reason == "match"


# A state context looks at the ticks before it is in the table (1) and afterwards (2).


def test_a_state_that_ends_while_its_context_is_made_ends_the_context(host: Host) -> None:
    """The engine looked too early to find it, so the maker finds the change."""
    contexts = StateContexts(host)
    host.toggle("A")
    host.looks[2] = lambda: host.toggle("A")
    ctx = contexts.new("A")

    assert ctx.done
    assert len(contexts) == 0
    assert host.lines == ["[ctx:new] A", "[ctx:match] A"]


def test_a_state_that_ends_and_comes_back_meanwhile_ends_the_context(host: Host) -> None:
    """A context belongs to one activation, however short."""
    contexts = StateContexts(host)
    host.toggle("A")

    def flip() -> None:
        host.toggle("A")
        host.toggle("A")

    host.looks[2] = flip

    assert contexts.new("A").done


def test_a_context_that_both_find_ends_once(host: Host) -> None:
    """When engine and maker meet, one of them ends the context and logs it."""
    contexts = StateContexts(host)

    def change() -> None:
        host.toggle("A")
        contexts.ticks_changed((0,))

    host.toggle("A")
    host.looks[2] = change

    assert contexts.new("A").done
    assert host.lines == ["[ctx:new] A", "[ctx:match] A"]


def test_a_multi_state_that_activates_again_meanwhile_keeps_the_context() -> None:
    """Activating a multi state again is no end."""
    host = Host()
    host._schema = schema_of({"M": State(multi=True)})
    host._now = [1, 0]
    contexts = StateContexts(host)
    host.looks[2] = lambda: setattr(host, "_now", [3, 0])

    assert not contexts.new("M").done


def test_a_context_under_an_ended_machine_context_has_ended(host: Host) -> None:
    """When the machine is being disposed, its state contexts come back canceled."""
    host.toggle("A")
    host.ctx.cancel()
    contexts = StateContexts(host)

    assert contexts.new("A").done
    assert len(contexts) == 0
    host._now = []
    assert contexts.new("A").done


# -- real threads


@pytest.mark.slow
def test_threads_never_lose_a_wake_up(made: Callable[..., am.Machine]) -> None:
    """While one thread toggles, others subscribe; each of them is woken every time."""
    mach = made("A{} B{}")
    rounds, woken = 300, []
    stop = threading.Event()

    def toggle() -> None:
        while not stop.is_set():
            mach.toggle1("A")

    def wait() -> None:
        for number in range(rounds):
            handle = mach.when1("A") if number % 2 else mach.when_not1("A")
            if not handle.wait(20):
                return
        woken.append(True)

    threads = [threading.Thread(target=wait) for _ in range(4)]
    toggler = threading.Thread(target=toggle)
    for thread in (*threads, toggler):
        thread.start()
    for thread in threads:
        thread.join(60)
    stop.set()
    toggler.join(10)

    assert woken == [True] * 4
    assert len(mach._subscriptions()) == 0


def test_a_state_that_activates_while_it_is_subscribed_to_is_noticed() -> None:
    """The ticks are looked at again once the subscription is in the index."""
    mach = am.Machine(None, {"A": am.State()})
    mach.when1("A").cancel()
    assert mach._waiters is not None

    class Meanwhile:
        def __iter__(self) -> Meanwhile:
            return self

        def __next__(self) -> int:
            mach.add1("A")
            return 7

    mach._waiters._numbers = Meanwhile()  # type: ignore[assignment]

    assert mach.when1("A").reason == "match"


def test_auto_states_stay_off_if_a_waiter_disposes_the_machine() -> None:
    """Waiters are released before the auto states get their turn."""
    mach = am.Machine(None, {"A": am.State(), "Auto": am.State(auto=True, require=["A"])})
    handle = mach.when1("A")
    handle.add_done_callback(lambda _: mach.dispose_force())
    seen: list[str] = []
    mach.on_error(lambda _mach, error: seen.append(repr(error)))

    mach.add1("A")

    assert mach.is_disposed()
    assert seen == []
