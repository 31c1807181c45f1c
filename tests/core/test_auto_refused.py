"""Auto states that handlers refuse: the rest comes to what it would without them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import machine as am

Made = Callable[..., am.Machine]
Watch = Callable[..., list[str]]
LogOf = Callable[..., list[str]]

EXECUTED, CANCELED = am.Result.EXECUTED, am.Result.CANCELED


@pytest.fixture(params=["watched", "unwatched", "uncached", "waited for", "in a thread"])
def house(request: pytest.FixtureRequest, made: Made) -> Callable[[str], am.Machine]:
    """Makes machines that carry out transitions in each of their ways."""
    kind = request.param

    def make(text: str) -> am.Machine:
        options: dict[str, Any] = {
            "watched": {"tracers": [am.Tracer()]},
            "uncached": {"cache": 0},
            "in a thread": {"handler_runner": "thread"},
        }.get(kind, {})
        mach = made(text, **options)
        if kind == "waited for":
            waiting = mach.when_args(mach.state_names()[0], {"never": 1})
            mach.handle_dispose(lambda name, ctx: waiting.cancel())
        return mach

    return make


@pytest.mark.parametrize("bystanders", [[], ["Door"], ["Door", "Window"]])
def test_what_a_refused_state_removes_stays(
    house: Callable[[str], am.Machine], watch: Watch, bystanders: list[str]
) -> None:
    """Its Exit was asked before the refusal; its End does not run. Bystanders do not matter."""
    mach = house("Armed{} Alarm{auto remove:Armed} Door{} Window{}")
    calls = watch(mach, deny=["AlarmEnter"])
    mach.add(bystanders)
    calls.clear()

    assert mach.add1("Armed") is EXECUTED

    assert mach.tick("Armed") == 1
    assert mach.not_(["Alarm"])
    assert "ArmedEnd" not in calls
    assert [name for name in calls if name.startswith("Alarm")] == ["AlarmEnter"]


def test_what_a_refused_state_kept_out_enters(
    house: Callable[[str], am.Machine], watch: Watch
) -> None:
    """It is asked like any entering state, after those that were asked before."""
    mach = house("C{} P{auto remove:Q} Q{auto remove:P}")
    calls = watch(mach, deny=["PEnter"])

    mach.add1("C")

    assert mach.active_states() == ["Q", "C"]
    auto = calls[calls.index("AnyState") + 1 :]
    assert auto == ["PEnter", "QEnter", "CQ", "AnyEnter", "QState", "AnyState"]


def test_who_leaves_only_now_is_asked_before_who_enters_only_now(
    house: Callable[[str], am.Machine], watch: Watch
) -> None:
    """What comes of a refusal has exits of its own; no handler is asked twice."""
    mach = house(
        "C{} X{} P{auto require:C remove:[Q,R]} Q{auto require:C remove:P add:R} R{remove:X}"
    )
    calls = watch(mach, deny=["PEnter"])
    mach.add1("X")
    calls.clear()

    mach.add1("C")

    assert mach.active_states() == ["R", "C", "Q"]
    auto = calls[calls.index("AnyState") + 1 :]
    assert auto[:4] == ["PEnter", "XExit", "REnter", "QEnter"]
    assert len(auto) == len({*auto})


def test_a_second_refusal_decides_again_once_more(
    house: Callable[[str], am.Machine], watch: Watch
) -> None:
    """Without P its rival Q would come, without both R does."""
    mach = house("C{} P{auto remove:[Q,R]} Q{auto remove:[P,R]} R{auto remove:[P,Q]}")
    watch(mach, deny=["PEnter", "QEnter"])

    mach.add1("C")

    assert mach.active_states() == ["R", "C"]


def test_a_refused_state_comes_by_no_add_either(
    house: Callable[[str], am.Machine], watch: Watch
) -> None:
    """P would bring A, which was refused; P comes without it."""
    mach = house("C{} A{auto} P{auto add:A}")
    calls = watch(mach, deny=["AEnter"])

    mach.add1("C")

    assert mach.string_all() == "(C:1 P:1) [A:0 Exception:0]"
    assert calls.count("AEnter") == 1


def test_what_requires_a_refused_state_falls(
    house: Callable[[str], am.Machine], watch: Watch
) -> None:
    """Round by round, as in any resolution."""
    mach = house("C{} A{auto} P{auto require:A} Q{auto require:P} Z{auto}")
    calls = watch(mach, deny=["AEnter"])

    mach.add1("C")

    assert mach.active_states() == ["Z", "C"]
    assert not {"PState", "QState"} & {*calls}


@pytest.mark.parametrize("bystanders", [[], ["Door"]])
def test_with_all_of_them_refused_the_transition_is_canceled(
    made: Made, watch: Watch, recorder: Any, bystanders: list[str]
) -> None:
    """Nobody asks AnyEnter then, whatever else is active; no multi state brings anything."""
    mach = made("C{} Door{} M{multi add:D} D{} A{auto} B{auto remove:C}", tracers=[recorder])
    calls = watch(mach, deny=["AEnter", "BEnter"])
    mach.add(bystanders)
    mach.add1("M")
    mach.remove1("D")
    calls.clear()
    recorder.txs.clear()

    mach.add1("C", {"once": 1})

    auto = recorder.txs[-1]
    assert (auto.is_auto(), auto.accepted) == (True, False)
    assert (auto.exits, auto.enters) == ([], [])
    assert calls.count("AnyEnter") == 1
    assert calls.count("AnyState") == 1
    assert mach.is1("C")


def test_left_ones_that_relations_reject_cancel_too(
    made: Made, watch: Watch, recorder: Any, log_of: LogOf
) -> None:
    """P is called, and cannot be without the refused A."""
    mach = made("C{} A{auto} P{auto require:A}", tracers=[recorder])
    watch(mach, deny=["AEnter"])
    lines = log_of(mach)

    mach.add1("C")

    assert not recorder.txs[-1].accepted
    assert "[reject:auto] P(-A)" in lines
    assert "[cancel:reject] P" in lines


def test_the_steps_of_each_resolution_are_kept(made: Made, watch: Watch, recorder: Any) -> None:
    """First what was decided, then the handlers, then what was decided without the refused."""
    mach = made("C{} A{auto} P{auto require:A} D{auto}", tracers=[recorder])
    watch(mach, deny=["AEnter"])

    mach.add1("C")

    texts = [str(step) for step in recorder.txs[-1].steps]
    assert texts[texts.index("A (handler)") :] == [
        "A (handler)",
        "P -> A (rel)",
        "P (removenotactive)",
        "A (cancel)",
        "C -> D (handler)",
        "Any -> Any (handler)",
        "D (handler)",
        "Any -> Any (handler)",
    ]


def test_a_refused_resolution_is_remembered(made: Made, watch: Watch) -> None:
    """What holds without a refused state is worked out once."""
    mach = made("C{} D{} A{auto} B{auto remove:A}")
    watch(mach, deny=["BEnter"])
    for _ in range(2):
        mach.add1("C")
        mach.set(["D"])
    plans = sum(len(node.plans) for node in mach._node.automaton.nodes.values())

    for _ in range(5):
        mach.add1("C")
        mach.set(["D"])

    assert sum(len(node.plans) for node in mach._node.automaton.nodes.values()) == plans


class Stubborn(am.RelationsResolver):
    """Names a state as a target, whatever relations say."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def get_target_states(self, tx: am.Transition, states_to_set: Any) -> list[str]:
        if tx.is_auto():
            self.asked.append(tx.called_states())
        targets = super().get_target_states(tx, states_to_set)
        return [*targets, *{"A"} - {*targets}] if tx.is_auto() else targets


def test_a_resolver_is_asked_again_about_those_that_are_left(made: Made, watch: Watch) -> None:
    """A refused state that it names all the same is left out."""
    resolver = Stubborn()
    mach = made("C{} A{auto} B{auto}", resolver=resolver)
    watch(mach, deny=["AEnter"])

    mach.add1("C")

    assert resolver.asked == [["A", "B"], ["B"]]
    assert mach.string_all() == "(C:1 B:1) [A:0 Exception:0]"


def test_what_only_a_dropped_state_implied_goes_too(made: Made, watch: Watch) -> None:
    """D is neither called nor active before nor added by one that stays."""
    mach = made("A{auto} B{auto add:D} C{} D{add:E} E{}")
    calls = watch(mach, deny=["BEnter"])

    mach.add1("C")

    assert mach.string_all() == "(A:1 C:1) [B:0 D:0 E:0 Exception:0]"
    assert not {"BState", "DState", "EState", "DEnter"} & set(calls)


def test_what_another_state_implies_stays(made: Made, watch: Watch) -> None:
    """A state is kept as long as one that stays adds it."""
    mach = made("A{auto add:D} B{auto add:D} C{} D{}")
    watch(mach, deny=["BEnter"])

    mach.add1("C")

    assert mach.string_all() == "(A:1 C:1 D:1) [B:0 Exception:0]"


@pytest.mark.parametrize("denying", ["XExit", "CP", "AnyEnter"])
def test_other_denials_cancel_an_auto_transition_as_a_whole(
    made: Made, recorder: Any, denying: str
) -> None:
    """Only a denial that is about an entering state can be met by refusing it."""
    mach = made("A{auto require:C} B{auto require:C remove:X} C{} P{} X{}", tracers=[recorder])
    mach.set(["P", "X"])
    recorder.txs.clear()

    def deny_autos(event: am.Event) -> bool:
        tx = event.transition()
        return tx is not None and not tx.is_auto()

    mach.bind_handlers({denying: deny_autos})

    assert mach.add1("C") is EXECUTED
    assert [(tx.is_auto(), tx.accepted) for tx in recorder.txs] == [(False, True), (True, False)]
    assert mach.string_all() == "(C:1 P:1 X:1) [A:0 B:0 Exception:0]"


def test_several_auto_states_may_be_dropped_one_after_the_other(made: Made, watch: Watch) -> None:
    """Each by its own denial; one that is about no entering state still cancels all."""
    mach = made("A{auto} B{auto} C{} D{auto}")
    watch(mach, deny=["AEnter", "DEnter"])
    mach.add1("C")
    assert mach.active_states() == ["B", "C"]

    mach = made("A{auto require:C} B{auto require:C} C{} P{}")
    watch(mach, deny=["AEnter"])
    mach.bind_handlers({"CP": lambda e: not e.transition().is_auto()})
    mach.add(["C", "P"])
    assert mach.is_(["C", "P"])
    assert mach.not_(["A", "B"])


def test_a_dropped_state_has_no_handlers_any_more(made: Made, watch: Watch) -> None:
    """Pairs towards it are passed over, those of others are asked."""
    mach = made("A{auto} B{auto} C{}")
    calls = watch(mach, deny=["AEnter"])

    mach.add1("C")

    auto = calls[calls.index("AnyState") + 1 :]
    assert auto == ["AEnter", "BEnter", "CB", "AnyEnter", "BState", "AnyState"]
