"""Situations in which programs of this kind broke: re-entrance, odd arguments, late binding."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

import machine as am

Made = Callable[..., am.Machine]

EXECUTED, CANCELED, QUEUED = am.Result.EXECUTED, am.Result.CANCELED, am.Result.QUEUED
ADD = am.MutationType.ADD


def failing(event: am.Event) -> None:
    raise RuntimeError(event.name)


@pytest.mark.parametrize("ending", [lambda e: False, failing])
def test_what_a_canceled_transition_queued_still_runs(
    made: Made, recorder: Any, ending: Callable[[am.Event], object]
) -> None:
    """In order, whether its handler denied or failed."""
    mach = made("X{} P{} Q{}", tracers=[recorder])
    mach.bind_handlers({"XEnter": lambda e: [mach.add1("P"), mach.add1("Q")] and ending(e)})

    assert mach.add1("X") is CANCELED
    assert mach.is_(["P", "Q"])
    called = [tx.called_states() for tx in recorder.txs if "Exception" not in tx.called_states()]
    assert called == [["X"], ["P"], ["Q"]]


def test_a_mutation_in_a_handler_is_not_nested(made: Made) -> None:
    """It is queued, has no effect yet, and has run when the outer call returns."""
    mach = made("X{} Y{}")
    seen: list[object] = []
    mach.bind_handlers({"XState": lambda e: seen.extend([mach.add1("Y"), mach.is1("Y")])})

    mach.add1("X")

    assert seen == [QUEUED, False]
    assert mach.is1("Y")


def read_everything(mach: am.Machine) -> None:
    """Every reading call there is."""
    names = ["A"]
    mach.is_(names), mach.is1("A"), mach.not_(names), mach.not1("A"), mach.any(names)
    mach.any1("A"), mach.has(names), mach.has1("A"), mach.is_err(), mach.err
    mach.switch(names), mach.count_active(names), mach.active_states(), mach.tick("A")
    mach.time(), mach.time_sum(), mach.clock(), mach.is_time(mach.time()), mach.is_clock({})
    mach.state_names(), mach.index("A"), mach.get_struct(), mach.string(), mach.string_all()
    mach.inspect(), repr(mach), mach.queue(), mach.queue_len(), mach.is_queued(ADD, names)
    mach.will_be(names), mach.will_be_removed(names), mach.transition(), mach.tracers()
    mach.handlers(), mach.log_level, mach.get_log_id(), mach.get_logger(), mach.get_log_args()
    mach.states_verified(), mach.schema_ver(), mach.id, mach.parent_id, mach.tags, mach.ctx
    mach.is_disposed(), mach.handler_timeout, mach.tx_prefix, mach.must_parse_states(names)


def test_everything_can_be_read_from_anywhere(made: Made) -> None:
    """In handlers, in each event of a tracer, in waiters' callbacks, in functions at the end."""
    read: list[str] = []

    def note(place: str) -> None:
        read_everything(mach)
        read.append(place)

    class Reading(am.Tracer):
        def machine_init(self, machine: am.Machine) -> None:
            read_everything(machine)

        def transition_init(self, tx: am.Transition) -> None:
            note("init")

        def transition_start(self, tx: am.Transition) -> None:
            note("start")

        def transition_end(self, tx: am.Transition) -> None:
            note("end")

        def queue_end(self, machine: am.Machine) -> None:
            note("queue")

        def machine_dispose(self, machine_id: str) -> None:
            note("dispose")

    mach = made(tracers=[Reading()])
    mach.bind_handlers({"AEnter": lambda e: note("AEnter"), "AState": lambda e: note("AState")})
    mach.when1("A").add_done_callback(lambda handle: note("waiter"))
    mach.handle_dispose(lambda name, ctx: note("function"))
    mach.add1("A")
    mach.dispose_force()

    assert read == [
        "init", "start", "AEnter", "AState", "end", "waiter", "queue", "dispose", "function",
    ]  # fmt: skip


@pytest.mark.slow
def test_memory_does_not_grow_with_rounds(made: Made) -> None:
    """Two states that call each other for long run flat, in depth and in memory."""
    mach = made("A{} B{}")
    left = [0]

    def turn(event: am.Event) -> None:
        left[0] -= 1
        if left[0] > 0:
            mach.set(["B" if event.name == "AState" else "A"])

    mach.bind_handlers({"AState": turn, "BState": turn})

    def run(rounds: int) -> None:
        left[0] = rounds
        mach.set([])
        mach.add1("A")

    run(1_000)
    tracemalloc.start()
    run(1_000)
    before = tracemalloc.get_traced_memory()[0]
    run(30_000)
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()

    assert after - before < 200_000


def test_thousands_of_adds_in_a_handler_stop_at_the_limit(made: Made) -> None:
    """No exception; the error state still gets in, and the queue drains as ever."""
    mach = made("X{} M{multi}")
    results: list[am.Result] = []

    def flood(event: am.Event) -> None:
        results.extend(mach.add1("M", {"n": number}) for number in range(5_000))
        results.append(mach.add_err(RuntimeError("too much")))

    mach.bind_handlers({"XState": flood})
    mach.add1("X")

    assert results.count(QUEUED) == 1_001
    assert results[-1] is QUEUED
    assert mach.tick("M") == 2 * 1_000 - 1
    assert mach.is_err()
    assert mach.add1("M") is EXECUTED


def test_each_activation_of_a_multi_state_has_its_own_arguments(made: Made) -> None:
    """Calls with arguments are not duplicates of each other."""
    mach = made("X{} M{multi}")
    seen: list[int] = []
    mach.bind_handlers(
        {
            "XState": lambda e: [mach.add1("M", {"n": n}) for n in (1, 2, 2)],
            "MState": lambda e: seen.append(e.args["n"]),
        }
    )

    mach.add1("X")

    assert seen == [1, 2, 2]


@pytest.mark.parametrize("start", [0, 1, 99, -1, -99])
def test_looking_into_an_empty_queue_finds_nothing(made: Made, start: int) -> None:
    """Wherever one starts."""
    assert made().is_queued(ADD, ["A"], start_index=start) == -1


@pytest.mark.parametrize("start", [-99, -1, 0])
def test_looking_from_before_the_first_finds_the_first(made: Made, start: int) -> None:
    """A start before the queue is its start."""
    mach = made()
    seen: list[int] = []
    mach.bind_handlers(
        {
            "AState": lambda e: [
                mach.add1("B"),
                seen.append(mach.is_queued(ADD, "B", start_index=start)),
            ]
        }
    )

    mach.add1("A")

    assert seen == [0]


@pytest.mark.parametrize("value", [0, "", False, None, [], 0.0, b"", "text", (1, 2)])
def test_arguments_arrive_as_they_are(made: Made, value: object) -> None:
    """Also those that are false, in handlers as for waiters."""
    mach = made()
    seen: list[object] = []
    mach.bind_handlers({"AState": lambda e: seen.append(e.args["v"])})
    handle, other = mach.when_args("A", {"v": value}), mach.when_args("A", {"v": object()})

    mach.add1("A", {"v": value})

    assert seen == [value]
    assert type(seen[0]) is type(value)
    assert handle.done
    assert not other.done


@pytest.mark.parametrize("args", [None, {}])
def test_no_arguments_are_empty_arguments(made: Made, args: am.A | None) -> None:
    """Handlers always get a dict, and a waiter that wants some is not released."""
    mach = made()
    seen: list[am.A] = []
    mach.bind_handlers({"AState": lambda e: seen.append(e.args)})
    some, none = mach.when_args("A", {"v": None}), mach.when_args("A", {})

    mach.add1("A", args)

    assert seen == [{}]
    assert not some.done
    assert none.done


def test_an_error_from_before_the_handlers_were_bound_reaches_them(made: Made) -> None:
    """The first object with an ExceptionState is called for the error that is there, once."""
    mach = made()
    error = RuntimeError("early")
    mach.add_err(error)
    seen: list[object] = []
    handlers = {"ExceptionState": lambda e: seen.append(e.args["err"])}

    mach.bind_handlers({"AState": lambda e: None})
    assert seen == []
    mach.bind_handlers(handlers)
    assert seen == [error]
    mach.bind_handlers(dict(handlers))
    assert seen == [error]


def test_handlers_bound_without_an_error_are_not_called(made: Made) -> None:
    """Neither before there was one nor after it was removed."""
    mach = made()
    seen: list[str] = []
    handlers = {"ExceptionState": lambda e: seen.append(e.name)}
    mach.bind_handlers(handlers)
    mach.detach_handlers(handlers)
    mach.add_err(RuntimeError())
    mach.remove1("Exception")
    mach.bind_handlers(handlers)

    assert seen == []


def test_one_handlers_time_is_not_the_next_ones(made: Made, clock: Any) -> None:
    """X takes most of the limit, then Y some of it; neither is late."""
    mach = made("X{} Y{}", handler_timeout=1.0)
    mach.bind_handlers(
        {"XState": lambda e: clock.advance(0.9), "YState": lambda e: clock.advance(0.5)}
    )

    assert mach.add(["X", "Y"]) is EXECUTED
    assert not mach.is_err()


def test_time_between_mutations_is_nobodys(made: Made, clock: Any) -> None:
    """A handler is measured from its own beginning."""
    mach = made("X{} Y{}", handler_timeout=1.0)
    mach.bind_handlers(dict.fromkeys(["XEnter", "XState", "YState", "AnyState"], lambda e: None))

    for state in ("X", "Y"):
        clock.advance(10)
        assert mach.add1(state) is EXECUTED
    assert not mach.is_err()


def test_callbacks_of_waiters_take_no_time_of_handlers(made: Made, clock: Any) -> None:
    """What `when_args` releases between two handlers is not charged to the second."""
    mach = made("X{} Y{}", handler_timeout=1.0)
    handle = mach.when_args("X", {})
    handle.add_done_callback(lambda _: clock.advance(10))
    mach.bind_handlers(dict.fromkeys(["XState", "YState", "AnyState"], lambda e: None))

    assert mach.add(["X", "Y"]) is EXECUTED
    assert handle.done


def test_tracers_take_no_time_of_handlers(made: Made, clock: Any) -> None:
    """A slow observer does not make a handler late."""

    class Slow(am.Tracer):
        def handler_start(self, tx: am.Transition, emitter: str, handler: str) -> None:
            clock.advance(10)

        def handler_end(self, tx: am.Transition, emitter: str, handler: str) -> None:
            clock.advance(10)

    mach = made("X{}", handler_timeout=1.0, tracers=[Slow()])
    mach.bind_handlers(dict.fromkeys(["XEnter", "XState", "AnyState"], lambda e: None))

    assert mach.add1("X") is EXECUTED


def test_a_second_binding_is_not_called_after_a_failed_one(made: Made) -> None:
    """The failing object ends the handlers of that name, and all behind it."""
    mach = made()
    calls: list[str] = []
    mach.bind_handlers({"AState": failing})
    mach.bind_handlers({"AState": lambda e: calls.append("A"), "AnyState": calls.append})

    assert mach.add1("A") is CANCELED
    assert calls[:1] != ["A"]
    assert mach.not1("A")


@pytest.mark.parametrize("how", ["fails", "is late"])
def test_a_state_handler_that_does_not_complete_releases_no_waiter(
    made: Made, clock: Any, how: str
) -> None:
    """`when_args` is for activations that went through; those before it did."""
    mach = made("A{} B{} C{}", handler_timeout=1.0)
    mach.bind_handlers({"BState": failing if how == "fails" else lambda e: clock.advance(2)})
    handles = {state: mach.when_args(state, {"n": 1}) for state in "ABC"}

    assert mach.add(["A", "B", "C"], {"n": 1}) is CANCELED
    assert {state: handle.done for state, handle in handles.items()} == {
        "A": True,
        "B": False,
        "C": False,
    }


def test_a_waiter_made_in_a_handler_is_matched_in_the_same_transition(made: Made) -> None:
    """Registered in AEnter, released after AState: future activations count, and this is one."""
    mach = made()
    handles: list[am.WaitHandle] = []
    mach.bind_handlers({"AEnter": lambda e: handles.append(mach.when_args("A", {}))})

    mach.add1("A")

    assert handles[0].done


def test_an_empty_add_is_a_transition_without_effect(made: Made, recorder: Any) -> None:
    """It is executed, visible, and leaves everything as it is."""
    mach = made(tracers=[recorder])
    mach.add1("A")

    assert mach.add([]) is EXECUTED
    assert mach.remove([]) is EXECUTED
    assert len(recorder.txs) == 3
    assert str(mach) == "(A:1)"


def test_state_names_can_come_from_any_iterable(made: Made) -> None:
    """Generators, sets, tuples, views."""
    mach = made()

    assert mach.add(name for name in "AB") is EXECUTED
    assert mach.is_({"A", "B"})
    assert mach.is_(name for name in "AB")
    assert mach.set(dict.fromkeys("CD").keys()) is EXECUTED
    assert mach.not_(("A", "B"))
    assert mach.any(("A",), {"C"})
    assert mach.has(iter("ABCD"))
