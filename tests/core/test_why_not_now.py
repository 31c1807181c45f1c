"""Why a state could not activate now: what it misses, what removes it, who refused it last."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from random import Random

import pytest

import machine as am
from machine._reasons.why_not import LEVELS_MAX

Make = Callable[..., am.Machine]


def deny(*names: str) -> dict[str, Callable[[am.Event], bool]]:
    """Handlers that say no."""
    return dict.fromkeys(names, lambda _event: False)


def test_a_state_that_nothing_stands_against_is_no_reason(made: Make) -> None:
    """The answer is false, and says that the state could activate."""
    answer = made().why_not("A")

    assert not answer
    assert str(answer) == "A could activate now"


def test_an_active_state_is_no_reason(made: Make) -> None:
    """The answer is false, and its text says that the state is active."""
    mach = made()
    mach.add1("A")

    assert not mach.why_not("A")
    assert mach.why_not("A").is_active
    assert str(mach.why_not("A")) == "A is active"


def test_missing_requirements_are_explained_down_to_the_first(made: Make) -> None:
    """Below a missing state stand the reasons for which that one is missing."""
    mach = made("A{require:[B,E]} B{require:C} C{} D{remove:E} E{}")
    mach.add1("D")

    assert str(mach.why_not("A")).splitlines() == [
        "A could not activate now:",
        "  it requires B, which is not active",
        "    it requires C, which is not active but could activate",
        "  it requires E, which is not active",
        "    D removes it",
    ]


def test_an_active_state_that_removes_it_is_named(made: Make) -> None:
    """An active state keeps out what it removes, unless it is removed in turn."""
    mach = made("A{remove:B} B{} C{remove:D} D{remove:C}")
    mach.set(["A", "C"])

    assert mach.why_not("B").blockers == ("A",)
    assert str(mach.why_not("B")).splitlines()[1:] == ["  A removes it"]
    assert not mach.why_not("D")


def test_states_that_it_removes_itself_are_listed_apart(made: Make) -> None:
    """A state that gives way is no reason."""
    mach = made("A{remove:[B,C]} B{} C{}")
    mach.add1("B")
    answer = mach.why_not("A")

    assert not answer
    assert answer.replaced == ("B",)


def test_a_state_that_removes_what_it_requires_is_explained(made: Make) -> None:
    """The requirement never stays, whether it is active or not."""
    mach = made("A{require:B remove:B} B{}")

    assert "it requires B, which it removes" in str(mach.why_not("A"))
    mach.add1("B")
    assert "it requires B, which it removes" in str(mach.why_not("A"))


def test_a_requirement_that_would_not_stay_is_explained(made: Make) -> None:
    """An active required state that the call would drop counts as missing."""
    mach = made("A{require:B add:C} B{} C{remove:B}")
    mach.add1("B")

    answer = mach.why_not("A")
    assert [one.is_active for one in answer.missing] == [True]
    assert "it requires B, which would not stay" in str(answer)


def test_an_undefined_requirement_is_explained() -> None:
    """A state that requires what the schema lacks never activates."""
    mach = am.Machine(None, {"A": am.State(require=["Nowhere"])}, id="undefined")

    assert [one.is_defined for one in mach.why_not("A").missing] == [False]
    assert "it requires Nowhere, which the schema does not define" in str(mach.why_not("A"))


def test_states_that_require_each_other_are_a_ring(made: Make) -> None:
    """None of them can be first; called together they activate."""
    mach = made("A{require:B} B{require:C} C{require:A} D{}")

    assert mach.why_not("A").ring == ("A", "B", "C")
    assert "  A and B and C require each other: call them together" in str(mach.why_not("A"))
    assert mach.add(["A", "B", "C"]) is am.Result.EXECUTED


def test_a_state_is_explained_once(made: Make) -> None:
    """A missing state that is required twice has its reasons at the first place."""
    mach = made("A{require:[B,C]} B{require:C} C{require:D} D{}")
    direct = mach.why_not("A").missing

    assert [one.state for one in direct] == ["B", "C"]
    assert direct[0].why_not is not None
    assert direct[1].why_not is None


def test_a_long_chain_is_cut() -> None:
    """Missing requirements are explained `LEVELS_MAX` levels deep, and no deeper."""
    names = [f"S{number}" for number in range(LEVELS_MAX + 2)]
    struct = {one: am.State(require=[below]) for one, below in itertools.pairwise(names)}
    mach = am.Machine(None, {**struct, names[-1]: am.State()}, id="chain")

    assert len(str(mach.why_not(names[0])).splitlines()) == LEVELS_MAX + 1


def test_a_handler_that_refused_a_state_is_named(made: Make) -> None:
    """The last refusal has the handler, the transition and the time of the machine."""
    mach = made()
    mach.add1("B")
    mach.bind_handlers(deny("AEnter"))
    mach.add1("A")
    answer = mach.why_not("A")

    assert answer.refusal is not None
    assert answer.refusal.names == ("AEnter",)
    assert answer.refusal.tx_id == f"{mach.tx_prefix}{mach.tx_number:016x}"
    assert answer.refusal.time_sum == mach.time_sum()
    assert f"AEnter denied it last time, in {answer.refusal.tx_id}" in str(answer)


def test_a_refusal_counts_until_the_state_changes(made: Make) -> None:
    """Once the state was active, the refusal before is no reason any more."""
    mach, handlers = made(), deny("AEnter")
    mach.bind_handlers(handlers)
    mach.add1("A")
    mach.detach_handlers(handlers)
    assert mach.why_not("A")
    mach.add1("A")
    mach.remove1("A")

    assert not mach.why_not("A")


def test_a_final_handler_that_failed_is_named(made: Make) -> None:
    """A state that was taken back has the handler that failed as its reason."""
    mach = made()
    mach.bind_handlers({"AState": lambda _: 1 / 0})
    mach.add1("A")
    refusal = mach.why_not("A").refusal

    assert refusal is not None
    assert refusal.kind is am.ReasonKind.ERROR
    assert refusal.names == ("AState",)


def test_a_refused_auto_state_is_explained_alone(made: Make) -> None:
    """In an auto transition a handler refuses the state that it is about, and no other."""
    mach = made("A{} B{auto require:A} C{auto require:A}")
    mach.bind_handlers(deny("BEnter"))
    mach.add1("A")

    assert mach.is1("C")
    assert mach.why_not("B").refusal is not None
    assert not mach.why_not("C")


def test_an_auto_state_that_failed_is_held_back(made: Make) -> None:
    """It does not try by itself, which its text says."""
    mach = made("A{} B{auto require:A}")
    mach.bind_handlers({"BEnter": lambda _: 1 / 0})
    mach.add1("A")

    assert mach.why_not("B").is_held_back
    assert "does not activate by itself" in str(mach.why_not("B"))


def test_a_refused_removal_is_no_reason(made: Make) -> None:
    """A handler that keeps a state active does not keep it out."""
    mach = made()
    mach.add1("A")
    mach.bind_handlers(deny("AExit"))
    mach.remove1("A")
    mach.dispose_force()

    assert mach.why_not("A").refusal is None


def test_a_full_queue_is_a_reason(made: Make) -> None:
    """While the queue is full, a call would be refused."""
    mach, answers = made(queue_limit=1), []

    def look(event: am.Event) -> None:
        event.machine.add1("B")
        answers.append(event.machine.why_not("C"))

    mach.bind_handlers({"AState": look})
    mach.add1("A")

    assert str(answers[0]).splitlines()[1:] == ["  the queue is full"]
    assert not mach.why_not("C")


def test_a_disposed_machine_is_a_reason(made: Make) -> None:
    """Nothing activates any more."""
    mach = made()
    mach.dispose_force()

    assert mach.why_not("A").is_disposed
    assert str(mach.why_not("A")).splitlines()[1:] == ["  the machine is disposed"]


def test_an_unknown_state_is_refused(made: Make) -> None:
    """A name that the schema lacks raises, with the names that look like it."""
    with pytest.raises(am.errors.StateMissingError, match="Z"):
        made().why_not("Z")


def test_relations_are_not_explained_for_a_resolver() -> None:
    """Only handlers and the machine itself are, since the resolver may decide by anything."""

    class Nothing(am.RelationsResolver):
        def get_target_states(self, tx: am.Transition, states_to_set: object) -> list[str]:
            return []

    mach = am.Machine(None, {"A": am.State()}, id="resolved", resolver=Nothing())

    assert mach.add1("A") is am.Result.CANCELED
    assert not mach.why_not("A")
    assert str(mach.last_refusal) == "the resolver leaves out some of A"


def test_any_thread_may_ask(made: Make) -> None:
    """The answer needs no turn in the queue."""
    mach, answers = made("A{require:B} B{}"), []
    thread = threading.Thread(target=lambda: answers.append(mach.why_not("A")))
    thread.start()
    thread.join(10)

    assert [one.state for one in answers[0].missing] == ["B"]


@pytest.mark.parametrize("seed", range(20))
def test_the_answer_is_what_a_call_results_in(seed: int) -> None:
    """With any relations, a state has a reason if and only if a call of it is canceled."""
    random = Random(seed)
    names = [chr(ord("A") + number) for number in range(7)]

    def some(own: str) -> list[str]:
        return [one for one in names if one != own and random.random() < 0.15]

    for _ in range(10):
        struct = {
            one: am.State(require=some(one), add=some(one), remove=some(one)) for one in names
        }
        mach = am.Machine(None, struct, id="random")
        for name in random.choices(names, k=5):
            mach.add1(name)
        for name in names:
            answer = mach.why_not(name)
            if not answer.is_active:
                assert bool(answer) is (mach.can_add1(name) is am.Result.CANCELED), struct
                assert bool(answer) is bool(answer.missing or answer.blockers), struct
