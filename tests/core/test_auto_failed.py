"""Auto states whose handlers fail: each failure is one error, and every drain ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

import machine as am

Made = Callable[..., am.Machine]
LogOf = Callable[..., list[str]]

POLL = "Start{} Poll{auto require:Start} Other{}"
ENOUGH = 100


class Endless(BaseException):
    """A handler was called more often than in any drain that ends."""


class Tries:
    """A handler that fails each time in one way, and counts."""

    def __init__(self, fail: Callable[[am.Event], object]) -> None:
        self.count = 0
        self.errors: list[BaseException] = []
        self._fail = fail

    def __call__(self, event: am.Event) -> object:
        self.count += 1
        if self.count > ENOUGH:
            raise Endless
        return self._fail(event)

    def bind(self, mach: am.Machine, name: str) -> None:
        mach.on_error(lambda mach, error: self.errors.append(error))
        mach.bind_handlers({name: self})


def raising(event: am.Event) -> object:
    return event.args["interval"]  # an auto mutation has no arguments


def reporting(event: am.Event) -> object:
    event.machine.add_err(OSError("unplugged"))
    return False


def reporting_with_source(event: am.Event) -> object:
    event.machine.ev_add_err(event, OSError("unplugged"))
    return False


def guarded(event: am.Event) -> object:
    with event.machine.panic_to_err():
        raise OSError("unplugged")
    return False


OPTIONS: dict[str, dict[str, Any]] = {
    "unwatched": {},
    "watched": {"tracers": [am.Tracer()]},
    "uncached": {"cache": 0},
    "logged": {"log_level": am.LogLevel.EVERYTHING},
    "in a thread": {"handler_runner": "thread"},
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=[*OPTIONS])
@pytest.mark.parametrize("name", ["PollEnter", "PollState", "StartPoll"])
@pytest.mark.parametrize("fail", [raising, reporting, reporting_with_source, guarded])
def test_a_failing_auto_state_waits_for_a_change_that_no_error_made(
    made: Made, name: str, fail: Callable[[am.Event], object], options: dict[str, Any]
) -> None:
    """It is tried once, again neither after an error nor after its removal, then once more."""
    mach = made(POLL, **options)
    if options.get("log_level"):
        mach.set_logger_empty(am.LogLevel.EVERYTHING)
    tries = Tries(fail)
    tries.bind(mach, name)
    stays = name == "PollState" and fail is not raising

    mach.add1("Start")
    assert (tries.count, len(tries.errors)) == (1, 1)
    assert mach.is1("Start")
    assert mach.is1("Poll") is stays

    mach.add_err(ValueError("another"))
    mach.remove1("Exception")
    assert tries.count == 1

    mach.add1("Other")
    assert tries.count == (1 if stays else 2)
    mach.dispose()


def test_the_states_that_work_go_on(made: Made) -> None:
    """Only the failed one is held back; its companion is tried at the next chance."""
    mach = made("Start{} Good{auto require:Start} Poll{auto require:Start}")
    tries = Tries(raising)
    tries.bind(mach, "PollState")

    mach.add1("Start")

    assert mach.is_(["Start", "Good", "Exception"])
    assert tries.count == 1


def test_an_auto_state_does_not_release_another(made: Made) -> None:
    """What autos change in the wake of an error was still made by the error."""
    mach = made("Start{} Late{auto require:Exception} Poll{auto require:Start}")
    tries = Tries(raising)
    tries.bind(mach, "PollEnter")

    mach.add1("Start")
    assert mach.is1("Late")
    mach.add_err(ValueError("another"))

    assert tries.count == 1


def test_a_mutation_without_effect_releases_no_waiter(made: Made) -> None:
    """A clock has to change."""
    mach = made(POLL)
    tries = Tries(raising)
    tries.bind(mach, "PollEnter")
    mach.add1("Start")

    mach.add1("Start")
    mach.remove1("Other")
    mach.add_err(ValueError("another"))

    assert tries.count == 1


def test_a_failure_of_a_called_auto_state_counts_as_well(made: Made) -> None:
    """Called by hand it fails once, and the error does not try it again."""
    mach = made(POLL)
    tries = Tries(raising)
    mach.bind_handlers({"PollEnter": tries})
    mach.add(["Start", "Poll"])

    assert tries.count == 1
    assert mach.string_all() == "(Exception:1) [Start:0 Poll:0 Other:0]"


@pytest.mark.parametrize("name", ["PollEnter", "PollState", "StartPoll"])
def test_a_late_auto_state_waits_too(made: Made, clock: Any, name: str) -> None:
    """Its error is the only one; a state that is late in its State handler stays active."""
    mach = made(POLL)
    tries = Tries(lambda event: clock.advance(2))
    tries.bind(mach, name)

    mach.add1("Start")
    mach.add_err(ValueError("another"))

    assert tries.count == 1
    assert [type(error).__name__ for error in tries.errors] == ["HandlerTimeoutError", "ValueError"]
    assert mach.is1("Poll") is (name == "PollState")


def test_a_late_state_that_an_error_removes_is_not_tried_again(made: Made, clock: Any) -> None:
    """The error made room for it, and is no other change."""
    mach = made("Start{} Poll{auto require:Start}")
    tries = Tries(lambda event: clock.advance(2))
    tries.bind(mach, "PollState")
    mach.add1("Start")
    assert mach.is1("Poll")

    mach.set(["Start", "Exception"])

    assert mach.is_(["Start", "Exception"])
    assert (tries.count, mach.is1("Poll")) == (1, False)


@pytest.mark.parametrize("implied", ["A{auto add:I require:I} I{}", "A{auto add:I} I{after:A}"])
@pytest.mark.parametrize("name", ["IEnter", "IState"])
def test_a_state_that_autos_bring_may_fail_twice(made: Made, implied: str, name: str) -> None:
    """The auto state is tried once more without a change; then it is held back as well."""
    mach = made(f"Start{{}} {implied}")
    tries = Tries(raising)
    tries.bind(mach, name)

    mach.add1("Start")
    before = tries.count
    assert before <= 2
    mach.add_err(ValueError("another"))

    assert tries.count == before


@pytest.mark.parametrize("name", ["AnyEnter", "AnyState", "XExit", "XEnd", "XStart"])
def test_other_handlers_of_an_auto_transition_may_fail_twice(made: Made, name: str) -> None:
    """The cause is not certain, so the states that lead to it have a second try."""
    mach = made("Start{} X{} A{auto require:Start remove:X} B{auto require:Start}")
    mach.add1("X")
    tries = Tries(lambda event: raising(event) if event.transition().is_auto() else None)  # type: ignore[union-attr]
    mach.bind_handlers({name: tries})

    mach.add1("Start")

    assert mach.queue_len() == 0
    failures = (mach.tick("Exception") + 1) // 2
    assert failures <= 4  # two for each auto state
    assert mach.is1("B") is (name in ("XExit", "XEnd", "AnyState"))


def test_who_does_not_lead_to_a_failure_is_not_suspected(made: Made) -> None:
    """ZEnd fails because A removes Z; B has nothing to do with it and becomes active."""
    mach = made("Start{} Z{} A{auto require:Start remove:Z} B{auto require:Start}")
    mach.add1("Z")
    tries = Tries(raising)
    tries.bind(mach, "ZEnd")

    mach.add1("Start")

    assert tries.count == 2
    assert mach.is_(["Start", "Z", "B"])
    assert mach.not_(["A"])


def test_autos_that_push_each_other_out_end_with_a_failing_any_state(made: Made) -> None:
    """Each error would let the other one have its turn."""
    mach = made(
        "Start{} P{auto require:Start add:X} X{remove:Q} Q{auto require:Start add:Y} Y{remove:P}"
    )
    tries = Tries(lambda event: raising(event) if event.transition().is_auto() else None)  # type: ignore[union-attr]
    mach.bind_handlers({"AnyState": tries})

    mach.add1("Start")

    assert mach.queue_len() == 0


def test_a_multi_auto_state_is_held_back_too(made: Made) -> None:
    """Being called again makes no difference."""
    mach = made("Start{} Poll{auto multi require:Start}")
    tries = Tries(raising)
    tries.bind(mach, "PollState")

    mach.add1("Start")

    assert (tries.count, len(tries.errors)) == (1, 1)


def test_a_held_back_state_comes_by_no_add_of_another(made: Made) -> None:
    """Boss brings Poll, and needs it; Boss is rejected without asking Poll."""
    mach = made("Start{} Poll{auto require:Start} Boss{auto add:Poll require:[Poll,Exception]}")
    tries = Tries(raising)
    tries.bind(mach, "PollEnter")

    mach.add1("Start")
    mach.add_err(ValueError("another"))

    assert tries.count == 1
    assert mach.not_(["Boss", "Poll"])


def test_what_is_called_comes_all_the_same(made: Made) -> None:
    """Held back means: not by itself."""
    mach = made(POLL)
    tries = Tries(lambda event: raising(event) if tries.count == 1 else True)
    tries.bind(mach, "PollEnter")
    mach.add1("Start")

    assert mach.add1("Poll") is am.Result.EXECUTED
    assert mach.is1("Poll")


@pytest.mark.parametrize("change", ["set_struct", "verify_states", "same"])
def test_a_changed_schema_keeps_who_is_held_back(made: Made, change: str) -> None:
    """By name, whatever its new place in the order."""
    mach = made(POLL)
    tries = Tries(raising)
    tries.bind(mach, "PollEnter")
    mach.add1("Start")
    names = ["Exception", "Other", "Poll", "Start"]
    if change == "set_struct":
        struct = {**mach.get_struct(), "New": am.State()}
        mach.set_struct(struct, ["New", *names])
    elif change == "verify_states":
        mach.verify_states(names)

    mach.add_err(ValueError("another"))
    assert tries.count == 1
    mach.add1("Other")

    assert tries.count == 2


def test_a_resolver_of_ones_own_does_not_try_it_either(made: Made) -> None:
    """Held-back states are left out of its auto mutation."""

    class Eager:
        def __init__(self) -> None:
            self.inner = am.RelationsResolver()

        def __getattr__(self, name: str) -> Any:
            return getattr(self.inner, name)

        def get_target_states(self, tx: am.Transition, states_to_set: Any) -> Any:
            return states_to_set

        def sort_states(self, states: list[str]) -> None:
            states.sort()

        def get_auto_mutation(self) -> am.Mutation | None:
            if self.inner.machine.is1("Poll") or not self.inner.machine.is1("Start"):
                return None
            return self.inner.auto_mutation(["Poll"])

        def get_relations_of(self, state: str) -> list[am.Relation]:
            return []

        def get_relations_between(self, from_state: str, to_state: str) -> list[am.Relation]:
            return []

        def new_struct(self) -> None:
            pass

    resolver = Eager()
    mach = made(POLL, resolver=resolver)
    resolver.inner.machine = mach
    tries = Tries(raising)
    tries.bind(mach, "PollEnter")

    mach.add1("Start")

    assert tries.count == 1
    mach.add1("Other")
    assert tries.count == 2


def test_errors_that_pass_through_hold_back_as_well(made: Made) -> None:
    """Without `panic_to_exception` the caller gets the error; the next error tries nobody."""
    mach = made(POLL, panic_to_exception=False)
    tries = Tries(raising)
    mach.bind_handlers({"PollEnter": tries})
    with pytest.raises(KeyError):
        mach.add1("Start")

    mach.add_err(ValueError("another"))

    assert tries.count == 1


def test_the_log_names_who_is_held_back(made: Made, log_of: LogOf) -> None:
    """At the highest level, where the auto states would have their turn."""
    mach = made(POLL)
    mach.bind_handlers({"PollEnter": raising})
    lines = log_of(mach, am.LogLevel.EVERYTHING)

    mach.add1("Start")

    assert lines.count("[auto:held] Poll") == 1


@pytest.mark.parametrize("reports", [False, True])
async def test_a_failing_task_holds_its_auto_state_back(made: Made, reports: bool) -> None:
    """The error removes Poll, its removal makes room, and Poll does not start over."""
    mach = made("Start{} Poll{auto require:Start} Exception{multi remove:Poll} Other{}")
    started: list[int] = []

    async def poll(event: am.Event) -> None:
        started.append(1)
        await asyncio.sleep(0)
        if reports:
            event.machine.add_err(OSError("unplugged"))
        else:
            raise OSError("unplugged")

    mach.bind_handlers({"PollState": poll})
    failed = mach.when_err()
    mach.add1("Start")
    await failed

    mach.remove1("Exception")
    assert (len(started), mach.is1("Poll")) == (1, False)
    mach.add1("Other")

    assert mach.is1("Poll")
    mach.dispose_force()


async def test_a_pinned_machine_holds_back_on_its_loop(made: Made) -> None:
    """Made in another thread, the mutation returns QUEUED; the failure is one error."""
    mach = made(POLL, executor=asyncio.get_running_loop())
    tries = Tries(raising)
    tries.bind(mach, "PollState")
    failed = mach.when_err()

    await asyncio.to_thread(mach.add1, "Start")
    await failed

    assert (tries.count, len(tries.errors)) == (1, 1)
    mach.dispose_force()
