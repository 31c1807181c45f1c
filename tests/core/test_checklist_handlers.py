"""The behaviour checklist: handlers, the queue, errors. Each docstring begins with its name."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

import machine as am
from machine.errors import StateMissingError

Made = Callable[..., am.Machine]
Watch = Callable[..., list[str]]
LogOf = Callable[..., list[str]]

EXECUTED, CANCELED, QUEUED = am.Result.EXECUTED, am.Result.CANCELED, am.Result.QUEUED


def begun(made: Made, *active: str, text: str = "A{} B{} C{} D{}") -> am.Machine:
    """A machine in which these states were set."""
    mach = made(text)
    mach.set(active)
    return mach


def test_queue(made: Made, watch: Watch) -> None:
    """Queue: an add made in BEnter runs after; each handler once, the globals twice."""
    mach = begun(made, "A")
    mach.bind_handlers({"BEnter": lambda e: mach.add1("C") is QUEUED})
    calls = watch(mach)

    mach.set(["B"])

    assert mach.is_(["B", "C"])
    assert [calls.count(name) for name in ("AExit", "BEnter", "CEnter", "CState")] == [1, 1, 1, 1]
    assert [calls.count(name) for name in ("AnyEnter", "AnyState")] == [2, 2]


@pytest.mark.parametrize(
    ("kind", "line"),
    [("set", "[cancel] (D) by DEnter"), ("add", "[cancel] (D A) by DEnter")],
)
def test_negotiation_cancel(made: Made, watch: Watch, log_of: LogOf, kind: str, line: str) -> None:
    """NegotiationCancel: a denying DEnter cancels set and add, with the targets in the log."""
    mach = begun(made, "A")
    watch(mach, deny=["DEnter"])
    lines = log_of(mach)

    assert getattr(mach, kind)(["D"]) is CANCELED
    assert mach.active_states() == ["A"]
    assert line in lines


def test_negotiation_remove(made: Made, watch: Watch, log_of: LogOf) -> None:
    """NegotiationRemove: a denying AExit cancels a remove."""
    mach = begun(made, "A")
    watch(mach, deny=["AExit"])
    lines = log_of(mach)

    assert mach.remove1("A") is CANCELED
    assert mach.active_states() == ["A"]
    assert "[cancel] () by AExit" in lines


def test_handler_state_info(made: Made, recorder: Any) -> None:
    """HandlerStateInfo: in DEnter the old states are active and the targets are known."""
    mach = begun(made, "A")
    mach.bind_tracer(recorder)
    seen: list[Any] = []

    def look(event: am.Event) -> None:
        tx, mutation = event.transition(), event.mutation()
        assert tx is not None
        assert mutation is not None
        seen.extend([mach.active_states(), tx.target_states(), mutation.state_was_called("D")])

    mach.bind_handlers({"DEnter": look, "AExit": lambda e: None})
    mach.set(["D"])

    assert seen == [["A"], ["D"], True]
    steps = ["D (requested)", "D (set)", "A (remove)", "A (handler)", "D (handler)"]
    assert str(recorder.txs[0]).split("\n") == steps


def test_handler_args(made: Made) -> None:
    """HandlerArgs: the arguments of a mutation reach Enter, Exit and State handlers."""
    mach = begun(made, "A")
    seen: dict[str, am.A] = {}

    def note(event: am.Event) -> None:
        seen[event.name] = dict(event.args)

    mach.bind_handlers(dict.fromkeys(["AExit", "BEnter", "BState"], note))
    mach.set(["B"], {"x": 1})

    assert seen == {name: {"x": 1} for name in ("AExit", "BEnter", "BState")}


def test_handler_state_state(made: Made, watch: Watch) -> None:
    """HandlerStateState: AB is called when B joins the active A, BA is not."""
    mach = begun(made, "A")
    calls = watch(mach)

    mach.add1("B")

    assert "AB" in calls
    assert "BA" not in calls


def test_handler_negotiation_state_state(made: Made, watch: Watch) -> None:
    """HandlerNegotiationStateState: a denying AB cancels."""
    mach = begun(made, "A")
    watch(mach, deny=["AB"])

    assert mach.add1("B") is CANCELED
    assert mach.active_states() == ["A"]


def test_anon_handlers(made: Made) -> None:
    """AnonHandlers: handlers given as plain attributes are called like methods."""
    mach = made()
    calls: list[str] = []
    handlers = SimpleNamespace(
        AEnter=lambda e: calls.append(e.name), AState=lambda e: calls.append(e.name)
    )

    mach.bind_handlers(handlers)
    mach.add1("A")

    assert calls == ["AEnter", "AState"]


def test_self_handlers_cancellable(made: Made, watch: Watch) -> None:
    """SelfHandlersCancellable: a denying AA cancels a set of A and B, called once."""
    mach = begun(made, "A")
    calls = watch(mach, deny=["AA"])

    assert mach.set(["A", "B"]) is CANCELED
    assert calls.count("AA") == 1


def test_self_handlers_order(made: Made, watch: Watch) -> None:
    """SelfHandlersOrder: after all Enter handlers, before the pairs."""
    mach = begun(made, "A")
    calls = watch(mach)

    mach.set(["A", "B"])

    assert calls == ["BEnter", "AA", "AB", "AnyEnter", "BState", "AnyState"]


def test_double_handlers(made: Made) -> None:
    """DoubleHandlers: two bound objects are called in binding order."""
    mach = made()
    calls: list[str] = []
    for name in ("first", "second"):
        mach.bind_handlers({"AState": lambda e, name=name: calls.append(name)})

    mach.add1("A")

    assert calls == ["first", "second"]


def test_self_handlers_for_called_only(made: Made, watch: Watch) -> None:
    """SelfHandlersForCalledOnly: AA needs a call of A; BB does not run for a new B."""
    mach = begun(made, "A")
    calls = watch(mach)

    mach.add(["B"])
    assert not {"AA", "BB"} & set(calls)

    mach.add(["A", "B"])
    assert {"AA", "BB"} <= set(calls)


def test_any_enter_handler(made: Made, watch: Watch) -> None:
    """AnyEnterHandler: the last word of the negotiation, for every kind of mutation."""
    mach = begun(made, "A")
    calls = watch(mach, deny=["AnyEnter"])

    assert [mach.add1("B"), mach.set(["B"]), mach.remove1("A")] == [CANCELED] * 3
    assert [name for name in calls if name == "AnyEnter"] == ["AnyEnter"] * 3


def test_partial_negotiation_panic(made: Made, watch: Watch, log_of: LogOf) -> None:
    """PartialNegotiationPanic: BEnter raising cancels and adds Exception."""
    mach = begun(made, "A")
    watch(mach, fail=["BEnter"])
    lines = log_of(mach)

    assert mach.add1("B") is CANCELED
    assert set(mach.active_states()) == {"A", "Exception"}
    assert "[cancel] (B A) by recover" in lines


def test_partial_final_panic(made: Made, watch: Watch, log_of: LogOf) -> None:
    """PartialFinalPanic: BState raising reverts B and C; the error is logged with its trace."""
    mach = made()
    watch(mach, fail=["BState"])
    mach.bind_handlers(am.ExceptionHandler())
    lines = log_of(mach)

    assert mach.add(["A", "B", "C"]) is CANCELED
    assert set(mach.active_states()) == {"A", "Exception"}
    assert "[cancel] (A B C) by recover" in lines
    error = next(line for line in lines if line.startswith("[error:add] A B C (boom)"))
    assert "Traceback" in error
    assert "RuntimeError: boom" in error


def test_queue_checkable(made: Made) -> None:
    """QueueCheckable: what waits can be looked at and searched from a handler."""
    mach = made()
    seen: list[Any] = []

    def look(event: am.Event) -> None:
        for state in ("B", "C", "D"):
            mach.add1(state)
        seen.append(mach.queue_len())
        seen.append(mach.is_queued(am.MutationType.ADD, ["C"]))
        seen.append(mach.is_queued(am.MutationType.ADD, ["A"]))

    mach.bind_handlers({"AState": look})
    mach.add1("A")

    assert seen == [3, 1, -1]


def test_nested_mutation(made: Made) -> None:
    """NestedMutation: three adds of B queue one, two removes queue one more; A is left."""
    mach = made()
    seen: list[int] = []

    def mutate(event: am.Event) -> None:
        for call in (mach.add1, mach.add1, mach.add1, mach.remove1, mach.remove1):
            call("B")
            seen.append(mach.queue_len())

    mach.bind_handlers({"AState": mutate})
    mach.add1("A")

    assert seen == [1, 1, 1, 2, 2]
    assert mach.active_states() == ["A"]


def test_queue_limit(made: Made) -> None:
    """QueueLimit: what does not fit any more is canceled at once."""
    mach = made("A{} M{multi}", queue_limit=3)
    results: list[am.Result] = []
    mach.bind_handlers({"AState": lambda e: results.extend(mach.add1("M") for _ in range(5))})

    mach.add1("A")

    assert results == [QUEUED] * 3 + [CANCELED] * 2
    assert mach.tick("M") == 5


def test_eval(made: Made) -> None:
    """Eval: a function runs between two transitions, and the call waits for it."""
    mach = made()
    ran: list[bool] = []

    assert mach.eval("test", lambda: ran.append(True)) is True
    assert ran == [True]


def test_submachines(made: Made) -> None:
    """Submachines: a machine made with a parent knows the parent's id."""
    parent = made(id="parent")

    assert made(id="child", parent=parent).parent_id == "parent"


@pytest.mark.parametrize("binds", ["methods", "attributes"])
def test_list_handlers(binds: str) -> None:
    """ListHandlers: names of handlers are found, unrelated ones ignored."""
    names = ["AEnter", "AState", "AnyB", "AnyEnter", "Unrelated", "helper"]
    members = dict.fromkeys(names, lambda *args: None)
    handlers = type("Handlers", (), members)() if binds == "methods" else SimpleNamespace(**members)

    assert am.list_handlers(handlers, ["A", "B"]) == ["AEnter", "AState", "AnyB", "AnyEnter"]


def test_list_handlers_of_unknown_states() -> None:
    """ListHandlers: handlers of unknown states are reported, each with its state."""
    handlers = SimpleNamespace(ZEnter=lambda e: None, AEnter=lambda e: None)

    with pytest.raises(StateMissingError, match="missing states: Z from handler ZEnter"):
        am.list_handlers(handlers, ["A"])


def test_unbind_handlers(made: Made) -> None:
    """UnbindHandlers: what is detached is not called any more."""
    mach = made()
    calls: list[str] = []
    handlers = SimpleNamespace(AState=lambda e: calls.append("AState"))
    mach.bind_handlers(handlers)

    mach.detach_handlers(handlers)

    mach.add1("A")
    assert calls == []
    assert mach.handlers() == []


def test_handler_timeout(made: Made, clock: Any) -> None:
    """HandlerTimeout: an AState that takes longer than the timeout cancels."""
    mach = made("A{}", handler_timeout=0.1)
    mach.bind_handlers({"AState": lambda e: clock.advance(0.2)})

    assert mach.add1("A") is CANCELED


def test_log_args(made: Made, log_of: LogOf) -> None:
    """LogArgs: selected arguments appear in the log, cut to length."""
    mach = made(log_args=am.new_args_mapper(["arg"], 5))
    lines = log_of(mach)

    mach.add1("A", {"arg": "foofoofoo"})

    assert "[state] +A (arg=fo...)" in lines
