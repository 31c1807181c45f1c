"""Why a call was canceled: the last refusal of a thread, and the reason of a transition."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections.abc import Callable

import pytest

import machine as am
from machine._reasons.refused import MACHINES_MAX

Make = Callable[..., am.Machine]
Kind = am.ReasonKind


class Reasons(am.Tracer):
    """Keeps the reason of every transition."""

    def __init__(self) -> None:
        self.found: list[am.Reason | None] = []

    def transition_end(self, tx: am.Transition) -> None:
        self.found.append(tx.reason)


def last(mach: am.Machine) -> am.Reason:
    found = mach.last_refusal
    assert found is not None
    return found


def test_nothing_was_refused_at_first(made: Make) -> None:
    """A machine that refused nothing has no refusal, and an accepted call makes none."""
    mach = made()
    mach.add1("A")

    assert mach.last_refusal is None


def test_relations_are_a_reason(made: Make) -> None:
    """The reason has the called states that were left out, and what stood against them."""
    mach = made("A{require:B} B{} C{require:D} D{}")

    assert mach.add(["A", "C"]) is am.Result.CANCELED
    assert last(mach).kind is Kind.RELATION
    assert last(mach).states == ("A", "C")
    assert last(mach).names == ("B", "D")
    assert str(last(mach)) == (
        "A requires B, which is not active; C requires D, which is not active"
    )


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ("A{require:Z}", "A requires Z, which the schema does not define"),
        ("A{require:B remove:B} B{}", "A requires B, which it removes"),
        ("A{require:B add:C} B{} C{remove:B}", "A requires B, which does not stay"),
        ("A{require:[B,C]} B{} C{require:B}", "A requires C, which is not active"),
    ],
)
def test_a_missing_requirement_is_in_the_text(made: Make, schema: str, text: str) -> None:
    """The text says why the required state is missing."""
    mach = made(schema)
    mach.set([name for name in mach.state_names() if name == "B"])

    assert mach.add1("A") is am.Result.CANCELED
    assert str(last(mach)) == text


def test_a_state_that_another_called_one_removes_is_a_reason(made: Make) -> None:
    """Of two called states that remove each other the second is left out."""
    mach = made("A{remove:B} B{remove:A} C{remove:D} D{}")

    assert mach.add(["A", "B"]) is am.Result.CANCELED
    assert str(last(mach)) == "A removes B"
    assert str(last(mach).kind) == "relation"


def test_all_removers_are_named(made: Make) -> None:
    """Several states may remove one."""
    mach = made("A{remove:C} B{remove:C} C{}")

    assert mach.add(["A", "B", "C"]) is am.Result.CANCELED
    assert str(last(mach)) == "A and B remove C"


def test_a_state_that_comes_back_is_removed_again(made: Make) -> None:
    """What an added state would bring back is removed by the states that stay."""
    mach = made("A{remove:C} B{add:C} C{}")

    mach.set(["A", "B"])
    assert mach.set(["C", "A", "B"]) is am.Result.CANCELED
    assert last(mach).states == ("C",)


@pytest.mark.parametrize("traced", [False, True])
def test_a_handler_that_denies_is_a_reason(made: Make, traced: bool) -> None:
    """The reason names the handler and the called states, observed or not."""
    mach = made(tracers=[Reasons()] if traced else [])
    mach.bind_handlers({"AEnter": lambda _: False})

    assert mach.add(["A", "B"]) is am.Result.CANCELED
    assert last(mach)[:4] == (Kind.HANDLER, "AEnter denied it", ("A", "B"), ("AEnter",))


def test_a_handler_that_fails_is_a_reason(made: Make) -> None:
    """The reason says where the handler raised."""
    mach = made()
    mach.bind_handlers({"AState": lambda _: 1 / 0})

    assert mach.add1("A") is am.Result.CANCELED
    assert last(mach).kind is Kind.ERROR
    assert last(mach).text.startswith("AState failed, raised at ")


def test_a_late_handler_is_a_reason(made: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """A handler that runs longer than its limit cancels the call."""
    clock = iter(range(0, 1000, 10))
    monkeypatch.setattr("machine._engine.unwatched.monotonic", lambda: float(next(clock)))
    mach = made()
    mach.bind_handlers({"AEnter": lambda _: None})

    assert mach.add1("A") is am.Result.CANCELED
    assert last(mach)[:2] == (Kind.TIMEOUT, "AEnter was late")


def test_a_removal_can_be_denied(made: Make) -> None:
    """The handler that keeps a state active is the reason."""
    mach = made()
    mach.add1("A")
    mach.bind_handlers({"AExit": lambda _: False})

    assert mach.remove1("A") is am.Result.CANCELED
    assert last(mach).names == ("AExit",)


@pytest.mark.parametrize("handlers", [{}, {"BEnter": lambda _: True}])
def test_a_refused_check_has_a_reason(made: Make, handlers: dict[str, object]) -> None:
    """`can_add` and its relatives keep their reason too, marked as that of a check."""
    mach = made("A{require:B} B{}")
    mach.bind_handlers(handlers)

    assert mach.can_add1("A") is am.Result.CANCELED
    assert last(mach).is_check
    assert last(mach).kind is Kind.RELATION
    assert mach.add1("A") is am.Result.CANCELED
    assert not last(mach).is_check


def test_a_check_that_a_handler_denies_has_a_reason(made: Make) -> None:
    """The handler that denied the check is named, for removals too."""
    mach = made()
    mach.add1("B")
    mach.bind_handlers({"AEnter": lambda _: False, "BExit": lambda _: False})

    assert mach.add1("A") is am.Result.CANCELED
    assert mach.can_add(["A"]) is am.Result.CANCELED
    assert last(mach).names == ("AEnter",)
    assert mach.can_remove1("B") is am.Result.CANCELED
    assert last(mach).names == ("BExit",)
    assert last(mach).is_check


def test_a_full_queue_is_a_reason(made: Make) -> None:
    """The mutation that found no place has the queue as its reason."""
    mach, found = made(queue_limit=1), []

    def fill(event: am.Event) -> None:
        event.machine.add1("B")
        assert event.machine.add1("C") is am.Result.CANCELED
        found.append(event.machine.last_refusal)

    mach.bind_handlers({"AState": fill})
    mach.add1("A")

    assert found[0].kind is Kind.QUEUE_FULL
    assert str(found[0]) == "the queue is full: 1 mutations wait"


def test_a_disposed_machine_is_a_reason(made: Make) -> None:
    """After the end every call is canceled for that reason."""
    mach = made()
    mach.dispose_force()
    calls = [
        lambda: mach.add1("A"),
        lambda: mach.can_add1("A"),
        lambda: mach.add_err(ValueError("late")),
        lambda: mach.prepend_mut(mach.new_mutation(am.MutationType.ADD, "A")),
    ]
    for call in calls:
        assert call() is am.Result.CANCELED
        assert str(last(mach)) == "the machine is disposed"


def test_a_transition_that_a_disposal_ends_has_that_reason(made: Make) -> None:
    """A handler that begins the disposal cancels its own transition."""
    mach = made(tracers=[reasons := Reasons()])
    mach.bind_handlers({"AEnter": lambda e: e.machine.dispose() or True, "AState": print})
    mach.add1("A")

    assert [one and one.kind for one in reasons.found] == [Kind.DISPOSED]
    assert mach.when_disposed().wait(10)


def test_a_machine_disposed_by_force_in_its_transition_has_that_reason(made: Make) -> None:
    """What a waiter disposes in the middle of a drain is canceled for that reason."""
    mach = made()
    mach.bind_handlers({"AState": lambda e: e.machine.dispose_force()})
    mach.add1("A")
    assert mach.add1("B") is am.Result.CANCELED
    assert last(mach).kind is Kind.DISPOSED


def test_an_interrupt_is_a_reason(made: Make) -> None:
    """A handler that is interrupted passes the interrupt on, and the call was canceled by it."""

    def interrupt(_: am.Event) -> None:
        raise KeyboardInterrupt

    mach = made()
    mach.bind_handlers({"AEnter": interrupt})
    with pytest.raises(KeyboardInterrupt):
        mach.add1("A")

    assert last(mach).names == ("AEnter",)


def test_an_error_that_is_none_is_a_reason(made: Make) -> None:
    """`add_err(None)` does nothing, and says so."""
    mach = made()

    assert mach.add_err(None) is am.Result.CANCELED
    assert last(mach)[:2] == (Kind.ERROR, "there is no error to add")


def test_an_error_of_an_error_handler_is_a_reason(made: Make) -> None:
    """An error that an error handler reports makes no new one."""
    mach, found = made(), []

    def report(event: am.Event) -> None:
        event.machine.add_err(ValueError("second"))
        found.append(str(event.machine.last_refusal))

    mach.bind_handlers({"ExceptionState": report})
    mach.add_err(ValueError("first"))

    assert found == ["an error handler reported it"]


def test_a_closed_loop_is_a_reason(made: Make) -> None:
    """A machine that is pinned to a closed event loop cancels everything for that reason."""
    loop = asyncio.new_event_loop()
    mach = made(executor=loop)
    loop.close()

    assert mach.add1("A") is am.Result.CANCELED
    assert str(last(mach)) == "the event loop of the machine is closed"


def test_each_thread_has_its_own(made: Make) -> None:
    """A refusal of another thread is not shown."""
    mach = made("A{require:B} B{}")
    thread = threading.Thread(target=mach.add1, args=("A",))
    thread.start()
    thread.join(10)

    assert mach.last_refusal is None


def test_each_machine_has_its_own(made: Make) -> None:
    """A refusal of another machine replaces nothing."""
    one, other = made("A{require:B} B{}"), made("C{require:D} D{}")
    one.add1("A")
    other.add1("C")

    assert last(one).states == ("A",)
    assert last(other).states == ("C",)


def test_what_the_same_drain_refuses_to_others_does_not_count(made: Make) -> None:
    """The reason is that of the mutation of the call, not of one that a handler made."""
    mach = made("A{} B{require:C} C{}")
    mach.bind_handlers({"AEnter": lambda e: e.machine.add1("B") is None})

    assert mach.add1("A") is am.Result.CANCELED
    assert last(mach).names == ("AEnter",)


def test_a_refused_auto_state_does_not_count(made: Make) -> None:
    """Auto states try without a caller."""
    mach = made("A{} B{auto require:A} C{auto require:B}")
    mach.bind_handlers({"BEnter": lambda _: False})

    assert mach.add1("A") is am.Result.EXECUTED
    assert mach.last_refusal is None


def test_a_call_that_begins_a_drain_behind_others_has_its_reason(made: Make) -> None:
    """A mutation that goes through the queue keeps its reason for its caller."""
    mach = made("A{require:B} B{}", log_level=am.LogLevel.CHANGES)
    mach.set_logger(lambda *_: None)

    assert mach.add1("A") is am.Result.CANCELED
    assert last(mach).states == ("A",)


def test_a_thread_remembers_the_latest_machines(made: Make) -> None:
    """Of `MACHINES_MAX` machines that refused another thread since then it is remembered."""
    machines = [made("A{require:B} B{}") for _ in range(MACHINES_MAX + 1)]
    for mach in machines:
        mach.add1("A")
    assert all(mach.last_refusal for mach in machines)
    other = threading.Thread(target=lambda: [mach.add1("A") for mach in machines])
    other.start()
    other.join()

    assert machines[0].last_refusal is None
    assert all(mach.last_refusal for mach in machines[1:])


def test_threads_in_turn_see_their_own_refusals(made: Make) -> None:
    """Each thread sees what it was refused last, whatever others were refused since."""
    mach = made("A{require:B} B{} C{require:B} D{}")
    mach.bind_handlers({"DEnter": lambda _: False})
    seen: list[tuple[str, ...]] = []

    def refused_twice() -> None:
        mach.add1("C")
        mach.add1("D")
        seen.append(last(mach).states)
        mach.add1("C")
        seen.append(last(mach).states)

    mach.add1("A")
    other = threading.Thread(target=refused_twice)
    other.start()
    other.join()
    assert last(mach).states == ("A",)
    mach.add1("D")

    assert seen == [("D",), ("C",)]
    assert last(mach).states == ("D",)


def test_a_refusal_keeps_no_machine_alive(made: Make) -> None:
    """Neither the machine nor a handler nor an argument lives longer for it."""

    class Handlers:
        def AEnter(self, event: am.Event) -> bool:
            return False

    mach, handlers = made(), Handlers()
    mach.bind_handlers(handlers)
    mach.add1("A", {"handlers": handlers})
    gone = weakref.ref(mach), weakref.ref(handlers)
    del mach, handlers
    gc.collect()

    assert [one() for one in gone] == [None, None]


def test_a_transition_has_its_reason(made: Make) -> None:
    """Tracers read the reason of each canceled transition; an accepted one has none."""
    mach = made("A{require:B} B{} C{}", tracers=[reasons := Reasons()])
    mach.bind_handlers({"CEnter": lambda _: False})
    for name in "ABC":
        mach.add1(name)

    assert [one and one.kind for one in reasons.found] == [Kind.RELATION, None, Kind.HANDLER]


def test_an_interrupted_transition_has_its_reason(made: Make) -> None:
    """A transition that an interrupt of the library itself ended is marked as such."""

    class Interrupting(Reasons):
        def transition_start(self, tx: am.Transition) -> None:
            raise KeyboardInterrupt

    mach = made(tracers=[reasons := Interrupting()])
    with pytest.raises(KeyboardInterrupt):
        mach.add1("A")

    assert [one and one.kind for one in reasons.found] == [Kind.INTERRUPT]
    assert str(reasons.found[0]) == "an interrupt ended it"
