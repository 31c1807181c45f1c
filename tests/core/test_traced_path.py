"""Transitions without handlers that only tracers observe are like any others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import machine as am
from machine._transition.transition import PlainTransition

Seen = list[tuple[Any, ...]]


class Ends(am.Tracer):
    """Keeps what it receives at the end of transitions."""

    def __init__(self, seen: Seen) -> None:
        self.seen = seen

    def transition_end(self, tx: am.Transition) -> None:
        """Keep everything that can be read."""
        self.seen.append(
            (
                tx.number,
                str(tx.mutation),
                tx.accepted,
                tx.completed,
                tx.is_check,
                tx.queue_len,
                tx.time_before,
                tx.time_after,
                tx.args(),
                str(tx),
                tx.handler_ns,
                0 < tx.started_ns <= tx.ended_ns,
            )
        )


class Starts(am.Tracer):
    """Calls functions at the start of transitions."""

    def __init__(self, at_init: Callable[[am.Transition], object]) -> None:
        self.at_init = at_init
        self.started = 0

    def transition_init(self, tx: am.Transition) -> None:
        """Call the function."""
        self.at_init(tx)

    def transition_start(self, tx: am.Transition) -> None:
        """Count."""
        self.started += 1


def machine(*tracers: am.Tracer, auto: bool = False) -> am.Machine:
    """A machine with relations and a multi state, perhaps with an auto state."""
    struct = {
        "A": am.State(add=["B"]),
        "B": am.State(),
        "C": am.State(remove=["A"]),
        "Needy": am.State(require=["A"]),
        "Many": am.State(multi=True),
        "Auto": am.State(auto=auto, require=["C"]),
    }
    return am.Machine(None, struct, tracers=tracers)


def work(mach: am.Machine) -> list[am.Result]:
    """Mutations of all types: accepted, rejected, without effect, with arguments, as checks."""
    return [
        mach.add1("A"),
        mach.add1("A"),
        mach.add1("Many", {"number": 1}),
        mach.add1("Many"),
        mach.can_add1("C"),
        mach.add1("C"),
        mach.add1("Needy"),
        mach.set(["B", "A"]),
        mach.remove1("B"),
        mach.set([]),
    ]


@pytest.mark.parametrize("auto", [False, True])
def test_a_tracer_of_ends_receives_what_a_tracer_of_everything_does(auto: bool) -> None:
    """The way that a transition takes does not show."""
    plain, logged = [], []  # type: Seen, Seen
    first = machine(Ends(plain), auto=auto)
    second = machine(Ends(logged), Starts(lambda tx: None), auto=auto)
    second.set_logger_empty(am.LogLevel.OPS)

    assert work(first) == work(second)
    assert [one[:5] + one[6:] for one in plain] == [one[:5] + one[6:] for one in logged]
    assert first.time() == second.time()


@pytest.mark.parametrize("level", [am.LogLevel.NOTHING, am.LogLevel.OPS])
def test_transitions_without_handlers_share_what_is_always_the_same(level: am.LogLevel) -> None:
    """Unless a log level asks for more."""
    kinds: list[type] = []

    class Kinds(am.Tracer):
        def transition_end(self, tx: am.Transition) -> None:
            kinds.append(type(tx))

    mach = machine(Kinds())
    mach.set_logger_empty(level)
    mach.add1("A")

    assert kinds == [am.Transition if level else PlainTransition]


def test_hooks_of_the_start_are_called_before_anything_changes() -> None:
    """And see the ticks as they are then."""
    ticks: list[int] = []
    starts = Starts(lambda tx: ticks.append(sum(tx.machine.time())))
    mach = machine(starts)
    mach.add1("B")
    mach.remove1("B")

    assert ticks == [0, 1]
    assert starts.started == 2


def _fail(_tx: object) -> None:
    raise ValueError


def test_a_tracer_that_fails_at_the_start_gets_no_further(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is detached; the transition and the other tracers go on."""
    seen: Seen = []
    failing = Starts(_fail)
    mach = machine(failing, Ends(seen))

    assert mach.add1("B") is am.Result.EXECUTED
    assert failing.started == 0
    assert len(seen) == 1
    assert len(mach.tracers()) == 1
    assert "was detached" in caplog.text


def test_a_tracer_that_fails_at_the_end_does_not_stop_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is detached, and those after it are called."""

    class Failing(am.Tracer):
        def transition_end(self, tx: am.Transition) -> None:
            _fail(tx)

    seen: Seen = []
    mach = machine(Failing(), Ends(seen))

    assert mach.add1("B") is am.Result.EXECUTED
    assert len(seen) == 1
    assert len(mach.tracers()) == 1
    assert "was detached" in caplog.text


def test_a_transition_is_canceled_if_a_tracer_disposes_the_machine() -> None:
    """As long as nothing has changed."""
    seen: Seen = []
    mach = machine(Starts(lambda tx: tx.machine.dispose()), Ends(seen))

    assert mach.add1("B") is am.Result.CANCELED
    assert seen[0][2] is False


def test_waiters_are_released_after_the_tracers() -> None:
    """Those of states, of arguments and of contexts; also those that a tracer made meanwhile."""
    order: list[str] = []
    handles: list[am.WaitHandle] = []

    def wait(tx: am.Transition) -> None:
        handles.append(tx.machine.when_args("B", {"n": 1}))

    class Last(am.Tracer):
        def transition_end(self, tx: am.Transition) -> None:
            order.append(f"ended {handles[0].done if handles else ''}".strip())

    mach = machine(Starts(wait), Last())
    mach.add1("Many")
    handles.clear()
    ctx = mach.new_state_ctx("Many")
    when = mach.when1("B")
    when.add_done_callback(lambda _: order.append("released"))
    mach.add1("B", {"n": 1})
    mach.remove1("Many")

    assert order[:3] == ["ended False", "ended True", "released"]
    assert when.done
    assert ctx.done


def test_a_mutation_that_a_tracer_makes_runs_afterwards() -> None:
    """It waits in the queue, and the transition counts it."""
    seen: Seen = []
    done: list[am.Result] = []

    def more(tx: am.Transition) -> None:
        if not done:
            done.append(tx.machine.add1("Many"))

    mach = machine(Starts(more), Ends(seen))
    mach.add1("B")

    assert done == [am.Result.QUEUED]
    assert [one[1] for one in seen] == ["[add] B", "[add] Many"]
    assert [one[5] for one in seen] == [1, 0]


def test_lines_that_waited_go_to_the_next_transition() -> None:
    """Also if the level is off again."""
    lines: list[str] = []

    class Lines(am.Tracer):
        def transition_end(self, tx: am.Transition) -> None:
            lines.extend(entry.text for entry in tx.pre_log_entries)

    mach = machine(Lines())
    mach.set_logger_empty(am.LogLevel.CHANGES)
    mach.set_log_id(False)
    mach.log("before")
    mach.set_logger_empty(am.LogLevel.NOTHING)
    mach.add1("B")

    assert lines == ["[extern] before"]
