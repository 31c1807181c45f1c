"""State timeouts: a state that was active for too long adds another."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from typing import TYPE_CHECKING, Any

import pytest

import machine as am
from machine._machine import expiring
from machine._schema.state import TIMEOUT_S_MAX
from machine._waiting import state_deadlines
from machine._waiting.timers import Timers
from machine.errors import RelationError, StateTimeoutError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.core.conftest import Recorder

    LogOf = Callable[..., list[str]]

STATES = {
    "Idle": am.State(remove="Waiting"),
    "Waiting": am.State(remove="Idle", timeout=5, on_timeout="Failed"),
    "Failed": am.State(multi=True, remove="Waiting"),
    "Alive": am.State(multi=True, timeout=2, on_timeout="Failed"),
}


class Clock:
    """The clock of the timers, moved by hand; what is due is done meanwhile."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        self.timers = Timers(lambda: self.now)
        monkeypatch.setattr(self.timers, "_run", lambda: None)
        monkeypatch.setattr(state_deadlines, "timers", self.timers)

    def advance(self, seconds: float) -> None:
        """Let seconds pass, and what is due in them; machines run in this thread."""
        self.now += seconds
        for fn in self.timers.take_due():
            fn()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock for all deadlines of states; the work that follows one is done at once."""
    monkeypatch.setattr(expiring.workers, "run", lambda work: work())
    return Clock(monkeypatch)


def waiting() -> am.Machine:
    """A machine whose state with a timeout has just begun."""
    mach = am.Machine(None, STATES, id="mach")
    mach.add1("Waiting")
    return mach


def test_a_state_that_is_active_for_too_long_adds_another(clock: Clock) -> None:
    """When the time of a state is over, and not before, `on_timeout` is added."""
    mach = waiting()
    clock.advance(4.9)
    assert mach.active_states() == ["Waiting"]

    clock.advance(0.2)
    assert mach.active_states() == ["Failed"]


def test_the_arguments_name_the_state_its_tick_and_the_seconds(clock: Clock) -> None:
    """Handlers of the state that is added get to know whose time is over."""
    mach, seen = waiting(), []
    mach.on("Failed", "State")(lambda event: seen.append(dict(event.args)))
    clock.advance(5)

    assert seen == [{"timed_out": "Waiting", "tick": 1, "seconds": 5.0}]


def test_the_end_of_the_state_ends_its_deadline(clock: Clock) -> None:
    """A state that deactivates in time adds nothing, and leaves no timer."""
    mach = waiting()
    mach.add1("Idle")

    assert len(clock.timers) == 0
    clock.advance(10)
    assert mach.active_states() == ["Idle"]


def test_each_activation_has_its_own_deadline(clock: Clock) -> None:
    """A state that activates again has the whole time once more."""
    mach = waiting()
    clock.advance(4)
    mach.add1("Idle")
    mach.add1("Waiting")
    clock.advance(4)
    assert mach.is1("Waiting")

    clock.advance(1)
    assert mach.is1("Failed")


def test_another_mutation_leaves_the_deadline_alone(clock: Clock) -> None:
    """Adding an active state again, or changing others, does not prolong its time."""
    mach = waiting()
    clock.advance(3)
    mach.add1("Waiting")
    mach.add1("Alive")
    clock.advance(2)

    assert mach.is1("Failed")


def test_a_multi_state_that_is_called_again_has_the_whole_time(clock: Clock) -> None:
    """Every activation of a multi state begins its time again, as a heartbeat does."""
    mach = am.Machine(None, STATES)
    for _ in range(4):
        mach.add1("Alive")
        clock.advance(1.5)
    assert not mach.is1("Failed")

    clock.advance(0.5)
    assert mach.is1("Failed")


def test_a_timeout_has_its_effect_once(clock: Clock) -> None:
    """A state that stays active after its timeout adds nothing a second time."""
    mach = am.Machine(None, STATES)
    mach.add1("Alive")
    clock.advance(2)
    mach.add1("Idle")
    clock.advance(100)

    assert mach.tick("Failed") == 1


def test_a_multi_state_may_add_itself(clock: Clock) -> None:
    """A state whose timeout adds it again is a clock that goes on while it is active."""
    mach = am.Machine(None, {"Tick": am.State(multi=True, timeout=1, on_timeout="Tick")})
    mach.add1("Tick")
    for _ in range(3):
        clock.advance(1)
    assert mach.tick("Tick") == 7

    mach.remove1("Tick")
    clock.advance(10)
    assert mach.tick("Tick") == 8


def test_a_removal_that_waits_comes_before_the_timeout(clock: Clock) -> None:
    """Mutations that wait when the time is over run first, and may end the state."""
    mach = waiting()

    def leave(_: am.Event) -> None:
        mach.remove1("Waiting")
        clock.advance(5)

    mach.on("Alive", "State")(leave)
    mach.add1("Alive")

    assert mach.active_states() == ["Alive"]


def test_a_timeout_during_a_drain_waits_for_it(clock: Clock) -> None:
    """A machine that works when the time is over adds the state afterwards."""
    mach, order = waiting(), []

    def late() -> None:
        clock.advance(5)
        order.append(mach.active_states())

    mach.on("Failed", "State")(lambda _: order.append(mach.active_states()))
    mach.eval("late", late)

    assert order == [["Waiting"], ["Failed"]]


def test_a_full_queue_takes_a_timeout(clock: Clock) -> None:
    """The limit of the queue does not keep a timeout out."""
    mach = waiting()
    mach.queue_limit = 0
    clock.advance(5)

    assert mach.is1("Failed")


@pytest.mark.parametrize("target", ["Exception", "ErrSlow"])
def test_an_error_state_gets_an_error(clock: Clock, target: str) -> None:
    """If `on_timeout` is an error state, an error is stored and passed along with it."""
    struct = {
        "Waiting": am.State(timeout=5, on_timeout=target),
        "ErrSlow": am.State(require="Exception"),
    }
    mach, heard = am.Machine(None, struct), []
    mach.on_error(lambda _, error: heard.append(error))
    mach.add1("Waiting")
    clock.advance(5)

    assert mach.is_([target, "Exception", "Waiting"])
    error = mach.err
    assert isinstance(error, StateTimeoutError)
    assert isinstance(error, TimeoutError)
    assert (error.state, error.tick, error.seconds) == ("Waiting", 1, 5)
    assert str(error) == "state timeout: Waiting was active for 5 s"
    assert heard == [error]


def test_the_source_is_the_transition_that_began_the_activation(
    clock: Clock, recorder: Recorder
) -> None:
    """An observed activation is the source of what its timeout adds."""
    mach = am.Machine(None, STATES, tracers=[recorder])
    mach.add1("Waiting")
    clock.advance(5)

    first, last = recorder.txs
    assert last.source == am.MutSource(mach.id, first.id, 0)


def test_without_observers_there_is_no_source(clock: Clock, recorder: Recorder) -> None:
    """An activation that nothing observed has no id, so its timeout has no source."""
    mach = waiting()
    mach.bind_tracer(recorder)
    clock.advance(5)

    assert recorder.txs[-1].source is None


def test_a_timeout_is_open_work(clock: Clock) -> None:
    """A running deadline is listed with its state, what it adds and when; not once it is over."""
    mach = waiting()
    (work,) = mach.open_work()
    assert (work.kind, work.names, work.condition, work.deadline) == (
        "deadline",
        ("Waiting",),
        "Failed",
        5.0,
    )
    assert mach.open_count() == 1

    clock.advance(5)
    assert mach.open_work() == []
    assert mach.open_count() == 0


def test_a_timeout_leaves_a_line(clock: Clock, log_of: LogOf) -> None:
    """The log names the state and the seconds."""
    mach = waiting()
    lines = log_of(mach)
    clock.advance(5)

    assert "[timeout] Waiting after 5 s" in lines


def test_a_machine_with_handlers_has_timeouts(clock: Clock) -> None:
    """Deadlines begin after transitions with handlers, and after those that fail, as well."""
    mach = am.Machine(None, STATES)
    mach.bind_handlers({"WaitingState": lambda _: None, "AliveState": lambda _: 1 / 0})
    mach.add1("Waiting")
    mach.add1("Alive")
    assert [work.names for work in mach.open_work()] == [("Waiting",)]

    clock.advance(5)
    assert mach.is1("Failed")


def test_state_contexts_go_on(clock: Clock) -> None:
    """A state context ends with its state, with or without a timeout."""
    mach = waiting()
    timed, plain = mach.new_state_ctx("Waiting"), mach.new_state_ctx("Idle")
    clock.advance(5)

    assert timed.done
    assert plain.done


def test_a_disposed_machine_has_no_timeouts(clock: Clock) -> None:
    """Disposal ends all deadlines, and no activation begins one afterwards."""
    mach = waiting()
    mach.dispose_force()
    assert len(clock.timers) == 0

    clock.advance(10)
    assert mach.time_sum() == 0


def test_disposal_in_a_handler_ends_what_the_transition_begins(clock: Clock) -> None:
    """A state that activates while its machine is being disposed gets no deadline."""
    mach = am.Machine(None, STATES)
    mach.on("Waiting", "State")(lambda _: mach._begin_dispose())
    mach.add1("Waiting")

    assert len(clock.timers) == 0


def test_forced_disposal_in_a_handler(clock: Clock) -> None:
    """A machine that loses its ticks during a transition begins no deadline."""
    mach = am.Machine(None, STATES)
    mach.on("Waiting", "State")(lambda _: mach.dispose_force())
    mach.add1("Waiting")

    assert len(clock.timers) == 0


def test_disposal_in_another_thread_leaves_no_deadline(clock: Clock) -> None:
    """A transition that ends after its machine lost its ticks begins no deadline."""
    mach = waiting()
    contexts = mach._state_contexts
    assert contexts is not None
    mach.dispose_force()
    contexts.ticks_changed([mach.index("Waiting")])

    assert len(clock.timers) == 0


def test_a_timeout_after_the_disposal_began_has_no_effect(clock: Clock) -> None:
    """A deadline that passes while the machine is being disposed adds nothing."""
    mach = waiting()
    mach._begin_dispose()
    clock.advance(5)

    assert mach.is1("Waiting")


def test_disposal_between_a_timeout_and_its_turn(clock: Clock) -> None:
    """A check that waits when the disposal begins adds nothing."""
    mach = waiting()

    def stop() -> None:
        clock.advance(5)
        mach._begin_dispose()

    mach.eval("stop", stop)

    assert mach.is1("Waiting")


def test_an_import_begins_deadlines(clock: Clock) -> None:
    """Imported active states have the whole time from the import on."""
    old = waiting()
    old.verify_states(old.state_names())
    fresh = am.Machine(None, STATES)
    fresh.import_(old.export())
    old.dispose_force()
    clock.advance(4)
    assert fresh.is1("Waiting")

    clock.advance(1)
    assert fresh.is1("Failed")


def test_a_new_order_keeps_deadlines(clock: Clock) -> None:
    """Deadlines belong to names, so an order of states may change meanwhile."""
    mach = waiting()
    clock.advance(4)
    mach.verify_states(["Failed", "Waiting", "Idle", "Alive", "Exception"])
    clock.advance(1)

    assert mach.is1("Failed")


@pytest.mark.parametrize(
    ("limits", "after_5", "after_7"),
    [
        ({"timeout": 5, "on_timeout": "Failed"}, True, True),
        ({"timeout": 6, "on_timeout": "Failed"}, False, True),
        ({}, False, False),
    ],
)
def test_a_new_schema_keeps_equal_limits_only(
    clock: Clock, limits: dict[str, Any], *, after_5: bool, after_7: bool
) -> None:
    """A deadline goes on if its limits stay; other limits count from the change on."""
    mach = waiting()
    clock.advance(1)
    struct = {**STATES, "Waiting": am.State(**limits)}
    mach.set_struct(struct, [*STATES])
    clock.advance(4)
    assert mach.is1("Failed") is after_5

    clock.advance(2)
    assert mach.is1("Failed") is after_7


def test_a_new_schema_ends_the_deadlines_of_states_that_are_gone(clock: Clock) -> None:
    """A state that the schema loses has no deadline any more."""
    mach = waiting()
    mach.set_struct({"Idle": am.State(), "Failed": am.State()}, ["Idle", "Failed"])

    assert len(clock.timers) == 0


def test_a_new_schema_begins_deadlines(clock: Clock) -> None:
    """An active state that gets a time limit has the whole time; its context goes on."""
    mach = am.Machine(None, {"Waiting": am.State(), "Failed": am.State()})
    mach.add1("Waiting")
    ctx = mach.new_state_ctx("Waiting")
    mach.set_struct(STATES, [*STATES])
    assert mach.new_state_ctx("Waiting") is ctx

    clock.advance(5)
    assert ctx.done
    assert mach.is1("Failed")


def test_a_timeout_runs_with_the_variables_of_its_activation(clock: Clock) -> None:
    """Handlers of the state that is added see the context variables of the activation."""
    name: contextvars.ContextVar[str] = contextvars.ContextVar("name", default="")
    mach, seen = am.Machine(None, STATES), []
    mach.on("Failed", "State")(lambda _: seen.append(name.get()))

    def begin() -> None:
        name.set("request 7")
        mach.add1("Waiting")

    contextvars.copy_context().run(begin)
    clock.advance(5)
    assert seen == ["request 7"]


def test_a_machine_on_a_loop_times_out_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """With an executor the state is added on its loop."""
    clock = Clock(monkeypatch)
    loop = asyncio.new_event_loop()
    mach, threads = am.Machine(None, STATES, executor=loop), []
    mach.on("Failed", "State")(lambda _: threads.append(threading.current_thread()))

    async def work() -> bool:
        mach.add1("Waiting")
        outside = threading.Thread(target=clock.advance, args=(5,))
        outside.start()
        failed = await mach.when1("Failed")
        outside.join()
        return failed

    assert loop.run_until_complete(work())
    assert threads == [threading.current_thread()]
    loop.close()


def test_handlers_never_run_in_the_thread_of_the_timers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is idle gets a thread for its timeout, so no other deadline waits for it."""
    clock, threads = Clock(monkeypatch), []
    mach = waiting()
    mach.on("Failed", "State")(lambda _: threads.append(threading.current_thread().name))
    clock.advance(5)

    assert mach.when1("Failed").wait(5)
    assert mach.when_queue_ends().wait(5)
    assert threads == ["am-timeouts"]


def test_a_schema_without_timeouts_keeps_none() -> None:
    """A machine without time limits has nothing to look at after a transition."""
    mach = am.Machine(None, {"Waiting": am.State()})
    mach.add1("Waiting")

    assert mach._state_contexts is None


@pytest.mark.parametrize("timeout", [0, -1, TIMEOUT_S_MAX + 1, float("inf"), float("nan"), 10**400])
def test_the_time_is_above_zero_and_ends(timeout: float) -> None:
    """A timeout that is never over, or over from the start, is refused; the longest is not."""
    assert am.State(timeout=TIMEOUT_S_MAX, on_timeout="Failed").timeout == TIMEOUT_S_MAX
    with pytest.raises(ValueError, match="timeout is a number of seconds"):
        am.State(timeout=timeout, on_timeout="Failed")


@pytest.mark.parametrize("fields", [{"timeout": 5}, {"on_timeout": "Failed"}])
def test_time_and_target_go_together(fields: dict[str, Any]) -> None:
    """One without the other is refused."""
    with pytest.raises(ValueError, match="timeout and on_timeout go together"):
        am.State(**fields)


def test_the_target_is_one_name() -> None:
    """A list of states in the place of the target is refused."""
    with pytest.raises(TypeError, match="on_timeout is one name"):
        am.State(timeout=5, on_timeout=["Failed"])  # type: ignore[arg-type]


def test_a_target_has_to_exist(caplog: pytest.LogCaptureFixture) -> None:
    """A time limit that leads to an undefined state is left out, and refused if strict."""
    struct = {"Waiting": am.State(timeout=5, on_timeout="Faild"), "Failed": am.State()}
    mach = am.Machine(None, struct)

    assert mach.get_struct()["Waiting"].timeout is None
    assert "Waiting on_timeout Faild; did you mean Failed?" in caplog.text
    with pytest.raises(RelationError, match="Faild is not defined; did you mean Failed"):
        am.Machine(None, struct, strict=True)


def test_a_states_class_refers_to_the_target() -> None:
    """In a states class the target may be an attribute that is declared further up."""

    class Job(am.StatesBase):
        Failed: str = am.state()
        Waiting: str = am.state(timeout=5, on_timeout=Failed)

    assert Job.struct()["Waiting"] == am.State(timeout=5, on_timeout="Failed")


def test_extending_a_state_keeps_its_time_limit() -> None:
    """The limit of the second counts if it has one."""
    first, second = STATES["Waiting"], am.State(timeout=7, on_timeout="Idle")

    assert am.state_add(first, am.State(tags="slow")).timeout == 5
    assert am.state_add(first, second).on_timeout == "Idle"
    assert am.state_set(first, False, False, am.State()) == first
    assert am.state_set(first, True, False, second).timeout == 7


def test_states_with_other_limits_are_not_equal() -> None:
    """Equality, hash and text take the time limit in."""
    assert STATES["Waiting"] != STATES["Waiting"].replace(timeout=6)
    assert "timeout=5.0, on_timeout='Failed'" in repr(STATES["Waiting"])
