"""Where an error comes from is said without a handler of errors, and its frames are let go."""

from __future__ import annotations

import asyncio
import gc
import re
import traceback
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import machine as am
from machine import pipes
from machine._calling.frames import FRAMES_MAX, called_at, is_library, release_frames
from machine._calling.traces import TRACE_FRAMES_MAX, trace_of

FILE = Path(__file__).name


class Large:
    """Something that only a failing function knows."""


held: list[weakref.ref[Large]] = []


def deep(depth: int = 3) -> None:
    """Fails some calls further down, with something large at hand."""
    large = Large()
    held.append(weakref.ref(large))
    if depth:
        deep(depth - 1)
    raise ValueError("boom")


LINE = deep.__code__.co_firstlineno + 6
PLACE = rf"\S*{re.escape(FILE)}:{LINE} in deep"


def machine(**options: Any) -> tuple[am.Machine, list[str]]:
    """A machine without a handler of errors, and the lines that it logs."""
    lines: list[str] = []
    mach = am.Machine(None, {name: am.State() for name in ("A", "B")}, id="m", **options)
    mach.set_logger_simple(lambda text, *args: lines.append(text % args), am.LogLevel.CHANGES)
    return mach, lines


class Steps(am.Tracer):
    """Keeps the failed steps of all transitions."""

    def __init__(self) -> None:
        self.failed: list[am.Step] = []

    def transition_end(self, tx: am.Transition) -> None:
        self.failed += [step for step in tx.steps if step.failed]


@pytest.mark.parametrize("runner", ["inline", "thread"])
@pytest.mark.parametrize("name", ["AEnter", "AState", "AnyEnter", "AnyState"])
def test_a_failed_step_and_a_log_line_say_where_a_handler_raised(name: str, runner: str) -> None:
    """File, line and function, at the lowest level that is logged."""
    mach, lines = machine(handler_runner=runner)
    mach.bind_tracer(steps := Steps())
    mach.bind_handlers({name: lambda e: deep()})

    mach.add1("A")

    step = steps.failed[0]  # those of any state also see the error, and fail again
    assert re.fullmatch(PLACE, step.raised_at)
    assert str(step).endswith(f" raised at {step.raised_at}")
    assert any(
        re.search(rf"\[raised\] in {name}: ValueError: boom, raised at {PLACE}$", line)
        for line in lines
    )


def _in_guard(mach: am.Machine) -> None:
    with mach.panic_to_err():
        deep()


def _in_except(mach: am.Machine) -> None:
    large = Large()
    held.append(weakref.ref(large))
    try:
        deep()
    except ValueError as error:
        mach.add_err(error)


def _caused(mach: am.Machine) -> None:
    try:
        try:
            deep()
        except ValueError as error:
            raise ExceptionGroup("both", [error, KeyError("x")]) from error
    except ExceptionGroup as group:
        mach.add_err_state("Exception", group)


def _in_task(mach: am.Machine) -> None:
    async def work(event: am.Event) -> None:
        deep()

    async def main() -> None:
        mach.add1("A")
        await mach.when_err()

    mach.bind_handlers({"AState": work})
    asyncio.run(main())


def _in_handler(mach: am.Machine) -> None:
    large = Large()
    held.append(weakref.ref(large))
    mach.bind_handlers({"AState": lambda e: deep()})
    mach.add1("A")


def _in_handler_thread(mach: am.Machine) -> None:
    threaded = am.Machine(None, {"A": am.State()}, handler_runner="thread")
    threaded.bind_handlers({"AState": lambda e: deep()})
    pipes.bind_err(threaded, mach)
    threaded.add1("A")


def _in_eval(mach: am.Machine) -> None:
    try:
        mach.eval("test", deep)
    except ValueError as error:
        mach.add_err(error)


ERRORS: dict[str, Callable[[am.Machine], None]] = {
    "handler": _in_handler,
    "handler thread, piped": _in_handler_thread,
    "guard": _in_guard,
    "add_err": _in_except,
    "cause and group": _caused,
    "task": _in_task,
    "eval": _in_eval,
}


@pytest.mark.parametrize("fail", ERRORS.values(), ids=ERRORS)
def test_an_error_that_is_kept_keeps_nothing_that_its_frames_knew(
    fail: Callable[[am.Machine], None],
) -> None:
    """Neither of the functions that failed nor of those that called them."""
    mach, _ = machine()
    seen: list[dict[str, Any]] = []
    mach.bind_handlers({"ExceptionState": lambda e: seen.append(dict(e.args))})
    held.clear()

    fail(mach)
    gc.collect()

    assert mach.err is seen[0]["err"]
    assert mach.is_err()
    assert held
    assert [one() for one in held] == [None] * len(held)


@pytest.mark.parametrize("fail", ERRORS.values(), ids=ERRORS)
def test_an_error_that_is_kept_prints_as_before(fail: Callable[[am.Machine], None]) -> None:
    """File, line and function of each frame stay in its traceback."""
    mach, _ = machine()

    fail(mach)

    text = "".join(traceback.format_exception(mach.err))
    assert f'{FILE}", line {LINE}, in deep' in text
    assert "deep(depth - 1)" in text


def test_an_error_that_passes_through_keeps_its_frames() -> None:
    """The machine does not keep it; a debugger may want to look into them."""
    mach, _ = machine(panic_to_exception=False)
    mach.bind_handlers({"AState": lambda e: deep()})

    with pytest.raises(ValueError, match="boom") as raised:
        mach.add1("A")

    last = [frame for frame, _ in traceback.walk_tb(raised.value.__traceback__)][-1]
    assert isinstance(last.f_locals["large"], Large)


def test_listeners_for_errors_see_the_frames() -> None:
    """They are called before the error becomes text."""
    mach, _ = machine()
    seen: list[bool] = []

    @mach.on_error
    def look(_: am.Machine, error: BaseException) -> None:
        frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
        seen.append("large" in frames[-1].f_locals)

    mach.bind_handlers({"AState": lambda e: deep()})
    mach.add1("A")

    assert seen == [True]


def test_raising_again_after_add_err_shows_the_same_lines() -> None:
    """What a program does with its error afterwards is its own matter."""
    mach, _ = machine()

    def work() -> None:
        try:
            deep()
        except ValueError as error:
            mach.add_err(error)
            raise

    with pytest.raises(ValueError, match="boom") as raised:
        work()

    text = "".join(traceback.format_exception(raised.value))
    assert "in work" in text
    assert text.count("in deep") == 4


@pytest.mark.parametrize("fail", ERRORS.values(), ids=ERRORS)
def test_a_trace_has_no_frames_of_the_library(fail: Callable[[am.Machine], None]) -> None:
    """It ends where the error was raised."""
    mach, _ = machine()
    seen: list[str] = []
    mach.bind_handlers({"ExceptionState": lambda e: seen.append(e.args["err.trace"])})

    fail(mach)

    files = re.findall(r'File "([^"]+)"', seen[0])
    assert not any(is_library(file) for file in files)
    assert f'{FILE}", line {LINE}, in deep' in seen[0]


def test_a_trace_has_the_last_frames_of_a_deep_stack() -> None:
    """As many as its limit says; how many are missing stands before them."""

    def even(depth: int) -> None:
        odd(depth - 1) if depth else deep(0)

    def odd(depth: int) -> None:
        even(depth - 1)

    try:
        even(2 * TRACE_FRAMES_MAX)
    except ValueError as error:
        text = trace_of(error)

    assert len(re.findall(r'File "', text)) == TRACE_FRAMES_MAX
    assert text.startswith(f"{TRACE_FRAMES_MAX + 3} frames left out, the last")
    assert text.endswith("ValueError: boom\n")


def test_an_error_that_was_never_raised_shows_where_it_was_added() -> None:
    """In its log line and in its trace."""
    mach, lines = machine()

    mach.add_err(ValueError("boom"))

    here = r"in test_an_error_that_was_never_raised_shows_where_it_was_added"
    assert any(re.search(rf"ValueError: boom, added at .*{FILE}:\d+ {here}$", x) for x in lines)


def test_hollow_frames_are_bounded_and_made_once() -> None:
    """Of a very deep error the last ones stay; a second time nothing is done."""

    def fall(depth: int) -> None:
        if not depth:
            raise ValueError("boom")
        fall(depth - 1)

    with pytest.raises(ValueError, match="boom") as raised:
        fall(FRAMES_MAX + 10)
    error = raised.value
    release_frames(error)
    kept = error.__traceback__
    release_frames(error)

    assert error.__traceback__ is kept
    assert len(list(traceback.walk_tb(kept))) == FRAMES_MAX


def test_a_stack_without_a_line_of_the_program_has_no_place() -> None:
    """Nothing is made up."""
    assert called_at(None) == ""


def test_an_eval_that_raises_shows_where() -> None:
    """The error goes to the caller; the log of the machine knows of it."""
    mach, lines = machine()

    with pytest.raises(ValueError, match="boom"):
        mach.eval("reader", deep)

    assert any(
        re.search(rf"\[eval:err\] reader: ValueError: boom, raised at {PLACE}$", x) for x in lines
    )


def test_the_line_of_an_error_can_be_left_out() -> None:
    """Without stack traces the log says nothing of places; the step does."""
    mach, lines = machine(log_stack_trace=False)
    mach.bind_tracer(steps := Steps())
    mach.bind_handlers({"AState": lambda e: deep()})

    mach.add1("A")

    assert not any("[raised]" in line for line in lines)
    assert steps.failed[0].raised_at
