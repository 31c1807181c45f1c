"""The queue: who drains it, what is put at its front, what is refused."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

import machine as am
from machine.errors import StateMissingError
from tests.core.inside import inside, waiting

Made = Callable[..., am.Machine]
LogOf = Callable[..., list[str]]

EXECUTED, CANCELED, QUEUED = am.Result.EXECUTED, am.Result.CANCELED, am.Result.QUEUED
ADD, REMOVE, SET = am.MutationType.ADD, am.MutationType.REMOVE, am.MutationType.SET


def test_mutations_run_one_after_another(made: Made) -> None:
    """A mutation made in a handler waits until the transition is over, then they run in order."""
    mach = made()
    order: list[str] = []
    mach.bind_handlers(
        {
            "AState": lambda e: [mach.add1("B"), mach.add1("C"), order.append("A")],
            "BState": lambda e: [mach.add1("D"), order.append("B")],
            "CState": lambda e: order.append("C"),
            "DState": lambda e: order.append("D"),
        }
    )

    mach.add1("A")

    assert order == ["A", "B", "C", "D"]


@pytest.mark.parametrize(
    "mutate",
    [
        lambda mach, event: mach.add1("B"),
        lambda mach, event: mach.add(["B"]),
        lambda mach, event: mach.set(["B"]),
        lambda mach, event: mach.remove1("A"),
        lambda mach, event: mach.remove(["A"]),
        lambda mach, event: mach.toggle1("B"),
        lambda mach, event: mach.toggle(["A"]),
        lambda mach, event: mach.ev_add1(event, "B"),
        lambda mach, event: mach.ev_add(event, ["B"]),
        lambda mach, event: mach.ev_remove1(event, "A"),
        lambda mach, event: mach.ev_remove(event, ["A"]),
        lambda mach, event: mach.ev_toggle1(event, "B"),
        lambda mach, event: mach.ev_toggle(event, ["A"]),
        lambda mach, event: mach.add_err(RuntimeError()),
        lambda mach, event: mach.add_err_state("B", RuntimeError()),
        lambda mach, event: mach.ev_add_err(event, RuntimeError()),
        lambda mach, event: mach.ev_add_err_state(event, "B", RuntimeError()),
        lambda mach, event: mach.can_add1("B"),
        lambda mach, event: mach.can_remove1("A"),
        lambda mach, event: mach.prepend_mut(event.mutation()),
    ],
)
def test_every_kind_of_mutation_waits_inside_a_handler(
    made: Made, mutate: Callable[[am.Machine, am.Event], am.Result]
) -> None:
    """There is no nesting, whatever the call."""
    mach = made("A{} B{}")

    assert inside(mach, lambda event: mutate(mach, event)) is QUEUED


def test_a_call_returns_the_result_of_its_own_mutation(made: Made) -> None:
    """What runs later in the same drain does not count."""
    mach = made()
    mach.bind_handlers({"AState": lambda e: mach.add1("B"), "BEnter": lambda e: False})

    assert mach.add1("A") is EXECUTED
    assert not mach.is1("B")


def test_unknown_states_are_reported_before_anything_is_queued(made: Made) -> None:
    """All unknown names are listed, with known ones that look alike."""
    mach = made("Foo{} Bar{}")

    with pytest.raises(StateMissingError) as raised:
        mach.add(["Foo", "Baz", "Qux"])
    assert raised.value.names == ["Baz", "Qux"]
    assert raised.value.machine_id == "mach"
    assert str(raised.value).startswith("missing states: Baz Qux not defined in struct for mach")
    assert str(raised.value).endswith("; did you mean Bar?")
    assert mach.time_sum() == 0


def test_repeated_states_in_a_call_count_once(made: Made, recorder: Any) -> None:
    """The first of each keeps its place."""
    mach = made(tracers=[recorder])

    mach.add(["B", "A", "B"])

    assert recorder.txs[0].called_states() == ["B", "A"]


def test_a_name_is_a_list_of_one(made: Made) -> None:
    """A bare string does where a list of states is expected."""
    mach = made("Foo{} F{} o{}")

    mach.add("Foo")

    assert mach.active_states() == ["Foo"]


def test_removing_an_inactive_state_inside_a_handler_is_done_at_once(made: Made) -> None:
    """With an empty queue there is nothing to do, so nothing is queued."""
    mach = made()

    assert inside(mach, lambda e: [mach.remove1("D"), mach.queue_len()]) == [EXECUTED, 0]


def test_removing_with_others_waiting_is_queued(made: Made) -> None:
    """The short cut for inactive states is for an empty queue only: others may add it first."""
    mach = made()

    def work(event: am.Event) -> list[am.Result]:
        return [mach.add1("B"), mach.remove1("B")]

    assert inside(mach, work) == [QUEUED, QUEUED]
    assert mach.tick("B") == 2


def test_removing_an_active_state_inside_a_handler_is_queued(made: Made) -> None:
    """There is something to do, so it is done when its turn comes."""
    mach = made()
    mach.add1("B")

    assert inside(mach, lambda e: mach.remove1("B")) is QUEUED
    assert not mach.is1("B")


def test_toggling_removes_only_when_all_are_active(made: Made) -> None:
    """States that are partly active are added."""
    mach = made()
    mach.toggle1("A")
    assert str(mach) == "(A:1)"

    mach.toggle(["A", "B"])
    assert str(mach) == "(A:1 B:1)"

    mach.toggle(["A", "B"])
    assert mach.string_all() == "() [A:2 B:2 C:0 D:0 Exception:0]"


Turn = Callable[[am.Machine, am.Event, list[str]], am.Result]

TURNS: dict[str, Turn] = {
    "toggle": lambda mach, event, states: mach.toggle(states),
    "toggle1": lambda mach, event, states: mach.toggle1(states[0]),
    "ev_toggle": lambda mach, event, states: mach.ev_toggle(event, states),
    "ev_toggle1": lambda mach, event, states: mach.ev_toggle1(event, states[0]),
}


@pytest.mark.parametrize("turn", TURNS.values(), ids=[*TURNS])
@pytest.mark.parametrize(("times", "active"), [(1, True), (2, False), (3, True), (4, False)])
def test_a_toggle_behind_a_toggle_turns_back(
    made: Made, turn: Turn, times: int, active: bool
) -> None:
    """Queued toggles of the same states come to what they come to one after another."""
    mach = made()

    def work(event: am.Event) -> None:
        for _ in range(times):
            assert turn(mach, event, ["B"]) is QUEUED

    inside(mach, work)

    assert mach.is1("B") is active
    assert mach.tick("B") == times


def test_a_toggle_is_decided_at_the_call(made: Made) -> None:
    """By what is active then, whatever else waits."""
    mach = made()

    def work(event: am.Event) -> list[str]:
        mach.add1("B")
        mach.toggle1("C")
        mach.toggle1("B")
        return waiting(mach)

    assert inside(mach, work) == ["[add] B", "[add] C", "[add] B"]


def test_the_queue_can_be_looked_at(made: Made) -> None:
    """A copy, its length, and where a mutation of certain states stands."""
    mach = made()

    def work(event: am.Event) -> None:
        mach.add(["B", "C"], {"n": 1})
        mach.remove1("A")
        mach.add1("D")
        assert waiting(mach) == ["[add] B C", "[remove] A", "[add] D"]
        mach.queue().clear()
        assert mach.queue_len() == 3
        assert mach.is_queued(ADD, ["B"]) == 0
        assert mach.is_queued(ADD, ["B"], states_strict_equal=True) == -1
        assert mach.is_queued(ADD, ["C", "B"], states_strict_equal=True) == 0
        assert mach.is_queued(ADD, ["B"], without_args_only=True) == -1
        assert mach.is_queued(ADD, [], start_index=1) == 2
        assert mach.is_queued(ADD, ["D"], start_index=2) == 2
        assert mach.is_queued(ADD, ["D"], start_index=9) == -1
        assert mach.is_queued(SET, ["D"]) == -1
        assert mach.will_be(["B", "C"])
        assert mach.will_be1("D")
        assert not mach.will_be1("A")
        assert mach.will_be_removed(["A"])
        assert mach.will_be_removed1("A")
        assert not mach.will_be_removed1("B")

    inside(mach, work)
    assert mach.is_queued(REMOVE, ["A"]) == -1


def test_a_waiting_mutation_shows_what_it_is(made: Made) -> None:
    """Its type, its states, its arguments, and whether auto states made it."""
    mach = made()

    def work(event: am.Event) -> am.Mutation:
        mach.add(["B", "C"], {"n": 1})
        return mach.queue()[0]

    mutation = inside(mach, work)
    assert (mutation.type, mutation.called_states) == (ADD, ["B", "C"])
    assert mutation.args == {"n": 1}
    assert not mutation.auto
    assert mutation.source is None
    assert mutation.state_was_called("B")
    assert not mutation.state_was_called("A")
    assert repr(mutation) == "<Mutation [add] B C>"


def test_the_auto_mutation_comes_before_what_waits(made: Made, recorder: Any) -> None:
    """Auto states get their turn right after the transition that ticked."""
    mach = made("A{} B{} Z{auto require:A}", tracers=[recorder])
    mach.bind_handlers({"AState": lambda e: mach.add1("B")})

    mach.add1("A")

    assert [tx.called_states() for tx in recorder.txs] == [["A"], ["Z"], ["B"]]


def test_an_error_of_a_handler_comes_before_what_waits(made: Made, recorder: Any) -> None:
    """The `Exception` mutation goes to the front, `add_err` to the end."""
    mach = made(tracers=[recorder])

    def work(event: am.Event) -> None:
        mach.add1("B")
        mach.add_err(ValueError("later"))
        raise RuntimeError("now")

    mach.bind_handlers({"AState": work})
    mach.add1("A")

    called = [tx.called_states() for tx in recorder.txs]
    assert called == [["A"], ["Exception"], ["B"], ["Exception"]]


def test_the_log_shows_waiting(made: Made, log_of: LogOf) -> None:
    """How many items the queue holds, in grammatical English."""
    mach = made()
    lines = log_of(mach)

    inside(mach, lambda e: [mach.add1("B"), mach.add1("C")])

    assert "[postpone] queue running (1 item)" in lines
    assert "[postpone] queue running (2 items)" in lines


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_the_queue_takes_as_many_as_its_limit(made: Made, limit: int) -> None:
    """At the limit the next one is canceled; the machine drains as ever."""
    mach = made("A{} M{multi}", queue_limit=limit)

    results = inside(mach, lambda e: [mach.add1("M") for _ in range(limit + 1)])

    assert results == [QUEUED] * limit + [CANCELED]
    assert mach.tick("M") == 2 * limit - 1


def test_only_an_error_that_changes_something_enters_a_full_queue(made: Made) -> None:
    """An error gets in while there is none, and its removal while there is one."""
    mach = made("A{} B{} M{multi}", queue_limit=1)

    def full(event: am.Event) -> list[am.Result]:
        mach.add1("M")
        return [
            mach.add(["B", "Exception"]),
            mach.remove1("Exception"),
            mach.set(["Exception"]),
            mach.ev_add_err(event, RuntimeError()),
        ]

    assert inside(mach, full) == [QUEUED, CANCELED, CANCELED, CANCELED]
    assert mach.is_err()

    mach.remove1("A")
    assert inside(mach, full) == [CANCELED, QUEUED, CANCELED, CANCELED]
    assert not mach.is_err()


def test_the_limit_may_be_changed_on_the_machine(made: Made) -> None:
    """It holds from the next call on."""
    mach = made("A{} M{multi}", queue_limit=1)
    mach.queue_limit = 2

    assert inside(mach, lambda e: [mach.add1("M") for _ in range(3)]) == [QUEUED, QUEUED, CANCELED]


def test_prepending_puts_a_mutation_first(made: Made, recorder: Any) -> None:
    """A handler can postpone a change behind another one."""
    mach = made(tracers=[recorder])
    kept: list[am.Mutation] = []

    def work(event: am.Event) -> None:
        mach.add1("B")
        mach.add1("C")
        kept.append(mach.queue()[1])
        mach.prepend_mut(kept[0])

    inside(mach, work)

    assert [tx.called_states() for tx in recorder.txs] == [["A"], ["C"], ["B"], ["C"]]
    assert mach.prepend_mut(kept[0]) is EXECUTED


@pytest.mark.parametrize(
    ("ask", "expected"),
    [
        (lambda mach: mach.can_add1("B"), EXECUTED),
        (lambda mach: mach.can_add(["B", "C"]), CANCELED),
        (lambda mach: mach.can_add1("D"), CANCELED),
        (lambda mach: mach.can_remove1("A"), CANCELED),
        (lambda mach: mach.can_remove(["E"]), EXECUTED),
    ],
)
def test_asking_first_changes_nothing(
    made: Made, ask: Callable[[am.Machine], am.Result], expected: am.Result
) -> None:
    """Relations and negotiation handlers answer; no tick changes, no final handler runs."""
    mach = made("A{} B{} C{require:D} D{} E{}")
    mach.add(["A", "E"])
    before = mach.time()
    checks: list[bool] = []

    def deny(event: am.Event) -> bool:
        checks.append(event.is_check)
        return False

    finals: list[str] = []
    mach.bind_handlers({"DEnter": deny, "AExit": deny, "AnyState": lambda e: finals.append("!")})

    assert ask(mach) is expected
    assert mach.time() == before
    assert finals == []
    assert all(checks)


def test_asking_first_needs_no_handlers(made: Made) -> None:
    """A machine that nobody watches answers from its relations."""
    mach = made("A{require:B} B{}")

    assert mach.can_add1("A") is CANCELED
    assert mach.can_add1("B") is EXECUTED
    assert mach.time_sum() == 0


def test_a_drain_goes_on_flat(made: Made) -> None:
    """Two states that call each other over and over do not nest."""
    mach = made("A{} B{}")
    rounds = 5_000
    left = [rounds]

    def turn(event: am.Event) -> None:
        left[0] -= 1
        if left[0] > 0:
            mach.set(["B" if event.name == "AState" else "A"])

    mach.bind_handlers({"AState": turn, "BState": turn})
    mach.add1("A")

    assert mach.time_sum() == 2 * rounds - 1


def test_a_mutation_from_another_thread_does_not_wait(made: Made) -> None:
    """It returns at once while another thread drains, and runs before that drain ends."""
    mach = made()
    entered, leave = threading.Event(), threading.Event()
    mach.handler_timeout = None
    mach.bind_handlers({"AState": lambda e: [entered.set(), leave.wait(10)]})
    drainer = threading.Thread(target=lambda: mach.add1("A"))
    drainer.start()
    assert entered.wait(10)

    assert mach.add1("B") is QUEUED
    assert not mach.is1("B")
    leave.set()
    drainer.join(10)

    assert mach.is1("B")


def test_a_result_is_known_also_when_another_thread_ran_the_mutation(made: Made) -> None:
    """A thread that gets the token after its mutation ran returns that mutation's outcome."""
    mach = made()
    mach.bind_handlers({"AEnter": lambda e: False})

    class Overtaken(type(mach._queue)):  # type: ignore[misc]
        """The queue of a thread that is overtaken right after it put its mutation in."""

        def append(self, mutation: am.Mutation) -> None:
            super().append(mutation)
            overtaker = threading.Thread(target=lambda: mach.add1("B"))
            mach._queue = plain
            plain.extend(self)
            self.clear()
            overtaker.start()
            overtaker.join(10)

    plain = mach._queue
    mach._queue = Overtaken()
    mach._slow = True

    assert mach.add1("A") is CANCELED
    assert mach.is1("B")


def test_only_the_last_drainer_shows_the_end_of_the_queue(made: Made, recorder: Any) -> None:
    """A thread that gives back the token leaves the end of the queue to the next drainer."""

    class Taken(am.Machine):
        """The token, which another thread takes the moment it is given back."""

        def __setattr__(self, name: str, value: object) -> None:
            if name == "_idle" and taken:
                self._queue.append(taken[0])
            else:
                super().__setattr__(name, value)

    taken: list[am.Mutation] = []
    mach = Taken(None, made()._schema.struct(), tracers=[recorder])
    mach.bind_handlers({"BState": lambda e: mach.add1("C") and kept.append(mach.queue()[0])})
    kept: list[am.Mutation] = []
    mach.add1("B")
    recorder.events.clear()
    taken += kept

    assert mach.add1("A") is EXECUTED
    assert "queue_end" not in recorder.events
    assert mach.queue_len() == 1


def test_the_log_names_the_transition_that_a_mutation_came_from(made: Made, log_of: LogOf) -> None:
    """A handler that mutates another machine passes its event as the source."""
    first, second = made("A{}", id="M1"), made("B{}", id="M2")
    lines = log_of(second)
    results: list[am.Result] = []
    ids: list[str] = []

    def pass_on(event: am.Event) -> None:
        ids.append(event.transition_id)
        results.append(second.ev_add1(event, "B", event.args))

    first.bind_handlers({"AState": pass_on})
    first.add1("A")

    assert results == [am.Result.EXECUTED]
    assert f"[source] M1/{ids[0]}/0" in lines


def test_a_source_is_a_value(made: Made) -> None:
    """Machine, transition and time sum; equal by them."""
    source = am.MutSource("m", "tx", 3)

    assert str(source) == "m/tx/3"
    assert repr(source) == "MutSource(m/tx/3)"
    assert source == am.MutSource("m", "tx", 3)
    assert source != am.MutSource("m", "tx", 4)
    assert source != "m/tx/3"
    assert len({source, am.MutSource("m", "tx", 3)}) == 1


def test_a_waiting_mutation_always_has_arguments(made: Made) -> None:
    """An empty dict where none were given; the one of auto states keeps none."""
    mach = made("A{} B{} Z{auto}")
    seen: list[am.A] = []

    class Reading(am.Tracer):
        def transition_end(self, tx: am.Transition) -> None:
            for mutation in mach.queue():
                mutation.args["kept"] = True
                seen.append(mutation.args)

    mach.bind_tracer(Reading())
    inside(mach, lambda e: mach.add1("B"))

    assert seen == [{}, {"kept": True}, {"kept": True}]
