"""Tracers: which hooks are called, when, and what a failing one cannot break."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import machine as am
from machine._machine import machine as _machine

Made = Callable[..., am.Machine]
Watch = Callable[..., list[str]]
LogOf = Callable[..., list[str]]

EVENTS = [
    "machine_init",
    "verify_states",
    "struct_change",
    "mutation_queued",
    "transition_init",
    "transition_start",
    "handler_start",
    "handler_end",
    "transition_end",
    "queue_end",
    "machine_dispose",
]


def failing_in(event: str) -> tuple[am.Tracer, list[str]]:
    """A tracer that raises in one event, and how often it was called there."""
    calls: list[str] = []

    def fail(self: am.Tracer, *args: object) -> None:
        calls.append(event)
        raise RuntimeError(f"bad tracer in {event}")

    return type("Failing", (am.Tracer,), {event: fail})(), calls


def live(mach: am.Machine) -> None:
    """All hooks of a tracer, called twice where that is possible."""
    mach.verify_states(mach.state_names())
    for _ in range(2):
        mach.set_struct(mach.get_struct(), mach.state_names())
    mach.bind_handlers({"AState": lambda e: mach.add1("B"), "BState": lambda e: None})
    mach.add1("A")
    mach.set([])
    mach.add1("A")
    mach.dispose_force()


def test_events_of_one_mutation(made: Made, watch: Watch, recorder: Any) -> None:
    """A transition begins, calls its handlers and ends; then the queue does."""
    mach = made()
    mach.add1("A")
    calls = watch(mach)
    mach.bind_tracer(recorder)

    mach.add1("B")

    handlers = [f"handler_{side} {name}" for name in calls for side in ("start", "end")]
    begin = ["transition_init", "transition_start"]
    assert recorder.events == [*begin, *handlers, "transition_end", "queue_end"]


def test_an_auto_transition_comes_before_the_end_of_the_queue(made: Made, recorder: Any) -> None:
    """With an auto mutation there are two transitions and one end of the queue."""
    mach = made("A{} B{auto}", tracers=[recorder])
    recorder.events.clear()

    mach.add1("A")

    transition = ["transition_init", "transition_start", "transition_end"]
    assert recorder.events == [*transition, *transition, "queue_end"]


def test_a_rejected_mutation_is_traced_without_handlers(
    made: Made, watch: Watch, recorder: Any
) -> None:
    """What relations reject has its beginning and its end."""
    mach = made("A{require:B} B{}")
    watch(mach)
    mach.bind_tracer(recorder)

    mach.add1("A")

    begin = ["transition_init", "transition_start"]
    assert recorder.events == [*begin, "transition_end", "queue_end"]
    assert not recorder.txs[0].accepted


def test_a_mutation_that_has_to_wait_is_reported(made: Made, recorder: Any) -> None:
    """`mutation_queued` comes only for what cannot run at once."""
    mach = made(tracers=[recorder])
    mach.bind_handlers({"AState": lambda e: mach.add1("B")})

    mach.add1("A")

    assert recorder.events.count("mutation_queued") == 1


def test_only_tracers_of_the_options_are_notified_of_the_construction(
    made: Made, recorder: Any
) -> None:
    """`machine_init` is not called for a tracer that is bound later."""
    late = type(recorder)()
    mach = made(tracers=[recorder])
    mach.bind_tracer(late)

    assert recorder.events == ["machine_init"]
    assert late.events == []


def test_a_context_from_machine_init_replaces_the_machines(made: Made) -> None:
    """A tracer may give the machine its context, whose end disposes the machine."""

    class Giver(am.Tracer):
        def machine_init(self, machine: am.Machine) -> am.Context:
            return given

    given, outer = am.Context(), am.Context()
    mach = am.Machine(outer, {}, tracers=[Giver()])

    assert mach.ctx is given
    given.cancel()
    assert mach.when_disposed().wait(5)


def test_a_mutation_in_machine_init_runs(made: Made) -> None:
    """A tracer is notified of the construction when the machine is whole."""

    class Starter(am.Tracer):
        def machine_init(self, machine: am.Machine) -> None:
            assert machine.add1("A") is am.Result.EXECUTED

    assert made(tracers=[Starter()]).is1("A")


def test_a_mutation_in_a_transition_event_is_queued(made: Made) -> None:
    """A tracer that mutates the machine in the midst of a transition has to wait its turn."""
    results: list[am.Result] = []

    class Mutating(am.Tracer):
        def transition_end(self, tx: am.Transition) -> None:
            if not results:
                results.append(tx.machine.add1("B"))

    mach = made(tracers=[Mutating()])
    mach.add1("A")

    assert results == [am.Result.QUEUED]
    assert mach.is_(["A", "B"])


@pytest.mark.parametrize("wrong", [am.Tracer, object(), None])
def test_only_instances_of_tracers_can_be_bound(made: Made, wrong: Any) -> None:
    """A class, or anything that is no tracer, is refused at once."""
    with pytest.raises(TypeError, match="needs a Tracer instance"):
        made().bind_tracer(wrong)


def test_a_tracer_is_bound_until_it_is_detached(made: Made) -> None:
    """By an option or by a call; by default submachines do not inherit it."""
    first, second = am.Tracer(), am.Tracer()
    mach = made(tracers=[first])
    mach.bind_tracer(second)
    assert mach.tracers() == [first, second]
    assert not first.inheritable()

    assert mach.detach_tracer(first) is True
    assert mach.detach_tracer(first) is False
    assert mach.tracers() == [second]


def test_binding_and_detaching_are_logged(made: Made, log_of: LogOf) -> None:
    """The log names the class of the tracer."""
    mach, tracer = made(), am.Tracer()
    lines = log_of(mach)

    mach.bind_tracer(tracer)
    mach.detach_tracer(tracer)

    assert lines == ["[tracers] bind Tracer", "[tracers] detach Tracer"]


def test_tracers_are_called_in_binding_order(made: Made) -> None:
    """The one bound first is called first."""
    order: list[str] = []

    class Named(am.Tracer):
        def __init__(self, name: str) -> None:
            self.name = name

        def transition_end(self, tx: am.Transition) -> None:
            order.append(self.name)

    mach = made(tracers=[Named("first"), Named("second")])
    mach.add1("A")

    assert order == ["first", "second"]


@pytest.mark.parametrize("event", EVENTS)
def test_a_tracer_that_raises_is_detached_and_logged_once(
    made: Made, caplog: pytest.LogCaptureFixture, recorder: Any, event: str
) -> None:
    """A tracer cannot stop the program: the machine and the other tracers go on."""
    quiet, calls = type(recorder)(), []
    failing, calls = failing_in(event)
    witness = made(tracers=[quiet])
    live(witness)
    last = type(recorder)()

    mach = made(tracers=[recorder, failing, last])
    live(mach)

    assert calls == [event]
    assert [r.levelno for r in caplog.records] == [logging.ERROR]
    assert event in caplog.text
    assert failing not in mach.tracers()
    assert recorder.events == last.events == quiet.events


@pytest.mark.parametrize("event", EVENTS)
def test_a_tracer_that_raises_everywhere_is_logged_once(
    made: Made, caplog: pytest.LogCaptureFixture, event: str
) -> None:
    """Once detached, no hook of a tracer is called, not even for the same transition."""
    calls: list[str] = []

    def fail(self: am.Tracer, *args: object) -> None:
        calls.append("called")
        raise RuntimeError("bad tracer")

    from_here_on = dict.fromkeys(EVENTS[EVENTS.index(event) :], fail)
    live(made(tracers=[type("Failing", (am.Tracer,), from_here_on)()]))

    assert calls == ["called"]
    assert len(caplog.records) == 1


@pytest.mark.parametrize("kind", [staticmethod, classmethod])
def test_a_hook_need_not_be_a_method(
    made: Made, caplog: pytest.LogCaptureFixture, kind: Any
) -> None:
    """One that does not know its tracer is detached like any other."""

    def fail(*args: object) -> None:
        raise RuntimeError("bad tracer")

    good = am.Tracer()
    bad = type("Bad", (am.Tracer,), {"transition_end": kind(fail), "inheritable": kind(fail)})
    mach = made(tracers=[good, bad()])
    mach.add1("A")
    mach.add1("B")
    assert mach.tracers() == [good]

    mach.bind_tracer(bad())
    made(parent=mach)
    assert mach.tracers() == [good]
    assert len(caplog.records) == 2


def test_a_tracer_may_fail_while_the_schema_changes(
    made: Made, caplog: pytest.LogCaptureFixture
) -> None:
    """Being left without tracers between two events of one change harms nothing."""
    failing, calls = failing_in("verify_states")
    mach = made(tracers=[failing])

    mach.set_struct(mach.get_struct(), mach.state_names())

    assert calls == ["verify_states"]
    assert mach.tracers() == []


@pytest.mark.parametrize("event", EVENTS)
def test_the_only_tracer_may_fail(made: Made, caplog: pytest.LogCaptureFixture, event: str) -> None:
    """Being left without tracers in the midst of an event harms nothing."""
    failing, calls = failing_in(event)
    mach = made(tracers=[failing])

    live(mach)

    assert calls == [event]
    assert mach.is_disposed()


def test_a_tracer_that_fails_leaves_the_outcome_alone(
    made: Made, caplog: pytest.LogCaptureFixture
) -> None:
    """Results, ticks and states are those of a machine that nobody watches."""
    mach = made(tracers=[failing_in(event)[0] for event in EVENTS])

    assert mach.add(["A", "B"]) is am.Result.EXECUTED
    assert mach.remove1("A") is am.Result.EXECUTED
    assert mach.string_all() == "(B:1) [A:2 C:0 D:0 Exception:0]"


class Inheritable(am.Tracer):
    """Notes the machines that were made with a parent."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def inheritable(self) -> bool:
        return True

    def new_submachine(self, parent: am.Machine, machine: am.Machine) -> None:
        self.events.append(f"{parent.id} > {machine.id}")

    def machine_init(self, machine: am.Machine) -> None:
        self.events.append(f"init {machine.id}")

    def transition_end(self, tx: am.Transition) -> None:
        self.events.append(f"tx of {tx.machine.id}")


def test_inheritable_tracers_learn_of_submachines(made: Made) -> None:
    """They are called before the child's own tracers, and are not bound to the child."""
    tracer, own = Inheritable(), Inheritable()
    own.events = tracer.events
    parent = made(id="parent", tracers=[tracer])

    child = made(id="child", parent=parent, tracers=[own])

    assert tracer.events == ["init parent", "parent > child", "init child"]
    assert child.tracers() == [own]


def test_other_tracers_are_not_notified_of_submachines(made: Made) -> None:
    """Following submachines has to be asked for."""

    class Staying(Inheritable):
        def inheritable(self) -> bool:
            return False

    tracer = Staying()
    parent = made(id="parent", tracers=[tracer])
    made(id="child", parent=parent)

    assert tracer.events == ["init parent"]


def test_a_tracer_follows_a_submachine_by_binding_itself(made: Made) -> None:
    """It then gets each event of the child once."""

    class Following(Inheritable):
        def new_submachine(self, parent: am.Machine, machine: am.Machine) -> None:
            machine.bind_tracer(self)

    tracer = Following()
    child = made(id="child", parent=made(id="parent", tracers=[tracer]))
    child.add1("A")

    assert tracer.events == ["init parent", "tx of child"]


@pytest.mark.parametrize("method", ["inheritable", "new_submachine"])
def test_a_tracer_that_fails_with_a_submachine_is_detached(
    made: Made, caplog: pytest.LogCaptureFixture, method: str
) -> None:
    """The child is made all the same, and the next inheritable tracer learns of it."""

    def fail(self: am.Tracer, *args: object) -> bool:
        raise RuntimeError("bad tracer")

    bad = type("Bad", (Inheritable,), {method: fail})()
    good = Inheritable()
    parent = made(id="parent", tracers=[bad, good])

    child = made(id="child", parent=parent)

    assert child.add1("A") is am.Result.EXECUTED
    assert parent.tracers() == [good]
    assert "parent > child" in good.events
    assert len(caplog.records) == 1


def test_a_parent_without_tracers_notifies_none(made: Made) -> None:
    """A child only takes the parent's id."""
    assert made(parent=made(id="parent"), parent_id="other").parent_id == "parent"


def test_no_event_comes_after_the_disposal(made: Made, recorder: Any) -> None:
    """`machine_dispose` is the last hook that is called."""
    mach = made(tracers=[recorder])
    mach.dispose_force()
    mach.add1("A")
    mach.bind_tracer(recorder)

    assert recorder.events == ["machine_init", "machine_dispose"]
    assert mach.tracers() == []


def test_the_facts_of_a_transition(made: Made, recorder: Any) -> None:
    """A tracer reads everything about a transition from it, then and later."""
    mach = made(id="origin", tracers=[recorder])
    mach.add1("A")
    mach.add(["B", "C"], {"n": 1})
    tx = recorder.txs[1]

    assert tx.id == f"{mach.tx_prefix}{2:016x}"
    assert len(tx.id) == 32
    assert tx.number == 2
    assert tx.machine is mach
    assert (tx.type(), tx.called_states(), tx.args()) == (am.MutationType.ADD, ["B", "C"], {"n": 1})
    assert (tx.states_before(), tx.target_states()) == (["A"], ["B", "C", "A"])
    assert (tx.enters, tx.exits, tx.target_indexes) == (["B", "C"], [], [1, 2, 0])
    assert str(tx.time_before) == "1,0,0,0,0"
    assert str(tx.time_after) == "1,1,1,0,0"
    assert tx.clock_before()["B"] == 0
    assert tx.clock_after()["B"] == 1
    assert tx.time_sum_before() == 1
    assert tx.is_completed()
    assert tx.is_accepted()
    assert not tx.is_auto()
    assert tx.ended_ns >= tx.started_ns > 0
    assert "2 of origin" in repr(tx)


def test_handler_times_are_reported_in_order(made: Made, clock: Any, recorder: Any) -> None:
    """One duration for each handler step."""
    mach = made(tracers=[recorder])
    mach.bind_handlers(
        {"AEnter": lambda e: clock.advance(0.25), "AState": lambda e: clock.advance(0.5)}
    )

    mach.add1("A")

    assert list(recorder.txs[0].handler_ns) == [250_000_000, 500_000_000]


def test_handlers_of_one_name_share_a_time(made: Made, clock: Any, recorder: Any) -> None:
    """A step of several bound handlers took as long as all of them together."""
    mach = made(tracers=[recorder])
    for seconds in (0.25, 0.5):
        mach.bind_handlers({"AEnter": lambda e, seconds=seconds: clock.advance(seconds)})
    mach.bind_handlers({"AState": lambda e: clock.advance(1.0)})

    mach.add1("A")

    tx = recorder.txs[0]
    assert [step.type for step in tx.steps].count(am.StepType.HANDLER) == 2
    assert list(tx.handler_ns) == [750_000_000, 1_000_000_000]


def test_equal_transitions_share_their_plan(made: Made, recorder: Any) -> None:
    """What repeats is the same object, so a recorder can refer to it."""
    mach = made("A{}", tracers=[recorder])
    for _ in range(2):
        mach.toggle1("A")
        mach.toggle1("A")

    plans = [tx.plan for tx in recorder.txs]
    assert plans[0] is plans[2]
    assert plans[1] is plans[3]
    assert plans[0] is not plans[1]


class Rare(am.Tracer):
    """Uses no hook that transitions have."""

    def __init__(self) -> None:
        self.ends = 0

    def queue_end(self, machine: am.Machine) -> None:
        self.ends += 1


@pytest.mark.parametrize("states", [["A"], ["A", "B"]])
def test_transitions_without_a_hook_of_theirs_are_only_counted(made: Made, states: Any) -> None:
    """Numbers go on as if every transition was traced; no transition is made for it."""
    rare = Rare()
    mach = made(tracers=[rare])
    for state in states:
        mach.add1(state)
    mach.can_add1("A")

    assert mach.tx_number == len(states) + 1
    assert mach.transition() is None
    assert rare.ends == len(states) + 1


def test_a_tracer_that_comes_after_a_rare_one_gets_the_next_number(
    made: Made, recorder: Any
) -> None:
    """Transitions that were only counted are missing in its numbers."""
    mach = made(tracers=[Rare()])
    mach.add1("A")
    mach.add1("B")
    mach.bind_tracer(recorder)
    mach.add1("C")

    assert [tx.number for tx in recorder.txs] == [3]


@pytest.fixture
def _nobody_listens_afterwards() -> Iterator[None]:
    yield
    _machine._listeners.clear()


@pytest.mark.usefixtures("_nobody_listens_afterwards")
def test_every_listener_is_given_every_new_machine(caplog: pytest.LogCaptureFixture) -> None:
    """Whole, with its options; once, however often it was asked for; a failure is logged."""
    met: list[tuple[str, str, Any]] = []

    @am.on_machine
    def meet(mach: am.Machine) -> None:
        met.append((mach.id, mach.parent_id, mach.state_names()))
        mach.add1("A")

    @am.on_machine
    def fail(mach: am.Machine) -> None:
        raise RuntimeError("bad listener")

    am.on_machine(meet)
    parent = am.Machine(None, {"A": am.State()}, id="p")
    child = am.Machine(None, {"A": am.State()}, id="c", parent=parent)

    assert met == [("p", "", ["A", "Exception"]), ("c", "p", ["A", "Exception"])]
    assert parent.is1("A")
    assert child.is1("A")
    assert len(caplog.records) == 2
