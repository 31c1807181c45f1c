"""Which handlers a transition calls, in which order, and what a denial stops."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

import machine as am

Made = Callable[..., am.Machine]
Watch = Callable[..., list[str]]
LogOf = Callable[..., list[str]]

EXECUTED, CANCELED, QUEUED = am.Result.EXECUTED, am.Result.CANCELED, am.Result.QUEUED
ABCD = "A{} B{} C{} D{}"


def active_after(made: Made, *steps: tuple[str, list[str]]) -> am.Machine:
    """A machine of four plain states to which these mutations were made."""
    mach = made(ABCD)
    for kind, states in steps:
        getattr(mach, kind)(states)
    return mach


def test_the_first_add_enters_and_ends_with_the_global_handlers(made: Made, watch: Watch) -> None:
    """An add calls Enter and State of the state, each followed by the global handler."""
    mach = made(ABCD)
    calls = watch(mach)

    assert mach.add1("A") is EXECUTED
    assert mach.string_all() == "(A:1) [B:0 C:0 D:0 Exception:0]"
    assert calls == ["AEnter", "AnyEnter", "AState", "AnyState"]


def test_an_add_puts_called_states_first_and_keeps_the_rest(made: Made, watch: Watch) -> None:
    """Called states lead the active list, and the pairs with active states are asked."""
    mach = active_after(made, ("add", ["A"]))
    calls = watch(mach)

    assert mach.add1("B") is EXECUTED
    assert str(mach) == "(A:1 B:1)"
    assert mach.active_states() == ["B", "A"]
    assert calls == ["BEnter", "AB", "AnyEnter", "BState", "AnyState"]


def test_pairs_are_asked_even_when_neither_state_changes(made: Made, watch: Watch) -> None:
    """Each pair of an active state and a target has its state-state handler called."""
    mach = active_after(made, ("add", ["A"]), ("add", ["B"]))
    calls = watch(mach)

    mach.add1("C")

    assert mach.active_states() == ["C", "B", "A"]
    assert calls == ["CEnter", "AC", "AB", "BC", "BA", "AnyEnter", "CState", "AnyState"]


def test_a_remove_exits_and_ends_and_asks_what_stays(made: Made, watch: Watch) -> None:
    """A remove calls Exit and End, and the pairs of active states and targets."""
    mach = active_after(made, ("add", ["A"]), ("add", ["B"]), ("add", ["C"]))
    calls = watch(mach)

    mach.remove1("B")

    assert mach.string_all() == "(A:1 C:1) [B:2 D:0 Exception:0]"
    assert calls == ["BExit", "AC", "BC", "BA", "CA", "AnyEnter", "BEnd", "AnyState"]


def test_exits_follow_the_active_list(made: Made, watch: Watch) -> None:
    """Exit and End handlers run in the order of the active list."""
    steps = (("add", ["A"]), ("add", ["B"]), ("add", ["C"]), ("remove", ["B"]))
    mach = active_after(made, *steps)
    calls = watch(mach)

    mach.set(["D"])

    assert mach.string_all() == "(D:1) [A:2 B:2 C:2 Exception:0]"
    negotiation = ["CExit", "AExit", "DEnter", "AD", "CD", "AnyEnter"]
    assert calls == [*negotiation, "CEnd", "AEnd", "DState", "AnyState"]


def test_adding_an_active_state_asks_only_itself(made: Made, watch: Watch) -> None:
    """An add of an active state ticks nothing and calls its self handler."""
    mach = active_after(made, ("set", ["D"]))
    calls = watch(mach)

    assert mach.add1("D") is EXECUTED
    assert mach.tick("D") == 1
    assert calls == ["DD", "AnyEnter", "AnyState"]


def test_removing_an_inactive_state_is_a_transition_without_effect(
    made: Made, watch: Watch
) -> None:
    """Outside of a transition, only the global handlers run."""
    mach = active_after(made, ("set", ["D"]))
    calls = watch(mach)

    assert mach.remove1("A") is EXECUTED
    assert mach.time_sum() == 1
    assert calls == ["AnyEnter", "AnyState"]


def test_a_set_of_nothing_removes_everything(made: Made, watch: Watch) -> None:
    """`set([])` leaves no state active."""
    mach = active_after(made, ("set", ["A", "B", "C"]), ("set", ["D"]))
    calls = watch(mach)

    mach.set([])

    assert mach.string_all() == "() [A:2 B:2 C:2 D:2 Exception:0]"
    assert calls == ["DExit", "AnyEnter", "DEnd", "AnyState"]


def test_targets_keep_the_order_in_which_they_were_called(made: Made, watch: Watch) -> None:
    """Handlers of targets run in called order, those of active states by index."""
    mach = active_after(made, ("set", ["A", "B"]))
    calls = watch(mach)

    mach.set(["D", "C"])

    assert mach.active_states() == ["D", "C"]
    negotiation = ["AExit", "BExit", "DEnter", "CEnter", "AD", "AC", "BD", "BC", "AnyEnter"]
    assert calls == [*negotiation, "AEnd", "BEnd", "DState", "CState", "AnyState"]


def test_a_called_active_state_is_asked_by_its_self_handler(made: Made, watch: Watch) -> None:
    """The self handler runs after all Enter handlers and before the pairs."""
    mach = active_after(made, ("add", ["A"]))
    calls = watch(mach)

    mach.set(["A", "B"])

    assert calls == ["BEnter", "AA", "AB", "AnyEnter", "BState", "AnyState"]


def test_a_denying_self_handler_cancels_when_its_state_is_called(
    made: Made, watch: Watch, log_of: LogOf
) -> None:
    """A self handler is asked once, and only by mutations that call its state."""
    mach = active_after(made, ("add", ["A"]))
    calls = watch(mach, deny=["AA"])
    lines = log_of(mach)

    assert mach.set(["A", "B"]) is CANCELED
    assert "[cancel:self] (A B) by AA" in lines
    assert calls.count("AA") == 1
    assert mach.add1("B") is EXECUTED


@pytest.mark.parametrize(
    ("kind", "line"),
    [("set", "[cancel] (D) by DEnter"), ("add", "[cancel] (D A) by DEnter")],
)
def test_a_denying_enter_handler_cancels(
    made: Made, watch: Watch, log_of: LogOf, kind: str, line: str
) -> None:
    """The log line of a denial names the targets and the handler."""
    mach = active_after(made, ("add", ["A"]))
    watch(mach, deny=["DEnter"])
    lines = log_of(mach)

    assert getattr(mach, kind)(["D"]) is CANCELED
    assert line in lines
    assert str(mach) == "(A:1)"


def test_a_denying_exit_handler_cancels_a_remove(made: Made, watch: Watch, log_of: LogOf) -> None:
    """The state stays, and the log line names no target."""
    mach = active_after(made, ("add", ["A"]))
    watch(mach, deny=["AExit"])
    lines = log_of(mach)

    assert mach.remove1("A") is CANCELED
    assert "[cancel] () by AExit" in lines
    assert mach.is1("A")


def test_a_denial_stops_the_handlers_bound_after_it(made: Made) -> None:
    """Of two bound objects with the same handler, the first denial decides."""
    mach = made(ABCD)
    calls: list[str] = []
    mach.bind_handlers({"AEnter": lambda e: bool(calls.append("first"))})
    mach.bind_handlers({"AEnter": lambda e: calls.append("second")})

    assert mach.add1("A") is CANCELED
    assert calls == ["first"]


@pytest.mark.parametrize("answer", [None, True, "text"])
@pytest.mark.parametrize("watched", ["", "waiter", "tracer"])
def test_handlers_of_one_name_run_in_binding_order(
    made: Made, recorder: am.Tracer, watched: str, answer: object
) -> None:
    """Any answer that is no denial lets the next one run, however the machine is watched."""
    mach = made(ABCD, tracers=[recorder] if watched == "tracer" else [])
    handle = mach.when_args("A", {}) if watched == "waiter" else None
    calls: list[str] = []

    def handler(number: int, event: am.Event) -> object:
        calls.append(f"{event.name} {number}")
        return answer

    for number in (1, 2):
        one = partial(handler, number)
        mach.bind_handlers({"AEnter": one, "AState": one})

    mach.add1("A")

    assert calls == ["AEnter 1", "AEnter 2", "AState 1", "AState 2"]
    assert handle is None or handle.done


def test_any_enter_may_deny_every_kind_of_mutation(made: Made, watch: Watch) -> None:
    """It is the last word of each negotiation."""
    mach = active_after(made, ("add", ["A"]))
    calls = watch(mach, deny=["AnyEnter"])

    assert [mach.add1("B"), mach.set(["B"]), mach.remove1("A")] == [CANCELED] * 3
    assert calls.count("AnyEnter") == 3
    assert calls[-1] == "AnyEnter"


def test_a_mutation_of_a_negotiation_handler_has_a_transition_of_its_own(
    made: Made, watch: Watch
) -> None:
    """Each state's handlers run once, the global ones in both transitions."""
    mach = active_after(made, ("set", ["A"]))
    mach.bind_handlers({"BEnter": lambda e: mach.add1("C") is QUEUED})
    calls = watch(mach)

    mach.set(["B"])

    assert mach.is_(["B", "C"])
    assert [calls.count(name) for name in ("AExit", "BEnter", "CEnter", "CState")] == [1] * 4
    assert [calls.count(name) for name in ("AnyEnter", "AnyState")] == [2, 2]


def test_a_called_multi_state_activates_again(made: Made, watch: Watch) -> None:
    """Each call of an active multi state adds two to its tick; otherwise it just stays."""
    mach = made("A{} B{multi} C{}")
    mach.add(["A", "B"])
    calls = watch(mach)

    assert mach.add(["A", "B"]) is EXECUTED
    assert str(mach) == "(A:1 B:3)"
    assert calls == ["BEnter", "AA", "BB", "AB", "BA", "AnyEnter", "BState", "AnyState"]

    mach.add1("C")
    assert mach.tick("B") == 3

    mach.set(["C"])
    assert mach.string_all() == "(C:1) [A:2 B:4 Exception:0]"


def test_an_implied_active_multi_state_does_not_activate_again(made: Made, watch: Watch) -> None:
    """Only a direct call activates a multi state again."""
    mach = made("D{add:M} M{multi}")
    mach.add1("M")
    calls = watch(mach)

    mach.add1("D")
    assert str(mach) == "(D:1 M:1)"
    assert "MState" not in calls

    calls.clear()
    mach.add1("M")
    assert mach.tick("M") == 3
    assert calls == ["MEnter", "MM", "DM", "MD", "AnyEnter", "MState", "AnyState"]
