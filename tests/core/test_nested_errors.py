"""What goes wrong while an error is handled: it is logged, and makes no new error."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest

import machine as am
from machine import pipes

Made = Callable[..., am.Machine]

ENOUGH = 20
CANCELED, EXECUTED = am.Result.CANCELED, am.Result.EXECUTED


class Endless(BaseException):
    """A handler was called more often than any error needs."""


def counted(fail: Callable[[am.Event], object]) -> tuple[list[str], Callable[[am.Event], object]]:
    """A handler that does this each time, and the names under which it was called."""
    called: list[str] = []

    def handler(event: am.Event) -> object:
        called.append(event.name)
        if len(called) > ENOUGH:
            raise Endless
        return fail(event)

    return called, handler


def raising(event: am.Event) -> None:
    raise RuntimeError("the mail server is down")


def caught(report: Callable[[am.Event, Exception], object]) -> Callable[[am.Event], object]:
    """A handler that catches its error and reports it."""

    def handler(event: am.Event) -> None:
        try:
            raising(event)
        except RuntimeError as error:
            report(event, error)

    return handler


def guarded(event: am.Event) -> None:
    with event.machine.panic_to_err():
        raising(event)


REPORTS: dict[str, Callable[[am.Event], object]] = {
    "raise": raising,
    "add_err": caught(lambda e, error: e.machine.add_err(error)),
    "add_err_state": caught(lambda e, error: e.machine.add_err_state("ErrMail", error)),
    "ev_add_err": caught(lambda e, error: e.machine.ev_add_err(e, error)),
    "ev_add_err_state": caught(lambda e, error: e.machine.ev_add_err_state(e, "ErrMail", error)),
    "guard": guarded,
}
OPTIONS: dict[str, dict[str, Any]] = {
    "unwatched": {},
    "watched": {"tracers": [am.Tracer()]},
    "in a thread": {"handler_runner": "thread"},
}
NAMES = ["ExceptionState", "ExceptionEnter", "AnyEnter", "AnyState", "AException", "ErrMailState"]


@pytest.mark.parametrize("options", OPTIONS.values(), ids=[*OPTIONS])
@pytest.mark.parametrize("report", REPORTS.values(), ids=[*REPORTS])
@pytest.mark.parametrize("name", NAMES)
def test_there_is_no_error_about_an_error(
    made: Made,
    caplog: pytest.LogCaptureFixture,
    name: str,
    report: Callable[[am.Event], object],
    options: dict[str, Any],
) -> None:
    """One record with the stack trace; `err` stays, and the machine goes on."""
    mach = made("A{} B{} ErrMail{multi require:Exception}", **options)
    mach.add1("A")
    called, handler = counted(report)
    mach.bind_handlers({name: handler})

    mach.add_err_state("ErrMail", ValueError("first"))

    assert called == [name]
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("asyncmachine", logging.ERROR)
    assert f"machine mach: {name} handles an error and made another one" in record.getMessage()
    assert "the mail server is down" in caplog.text
    assert caplog.text.count(", in raising") + caplog.text.count(", in guarded") == 1 + (
        report is guarded
    )
    assert str(mach.err) == "first"
    mach.detach_handlers(mach._bindings.items[0].target)
    assert mach.add1("B") is EXECUTED
    mach.dispose()


def test_a_report_in_an_error_handler_is_canceled(made: Made) -> None:
    """The caller gets CANCELED, and listeners are notified of the first error only."""
    mach = made()
    heard: list[str] = []
    mach.on_error(lambda mach, error: heard.append(str(error)))
    results: list[am.Result] = []
    mach.bind_handlers(
        {"ExceptionState": lambda e: results.append(mach.add_err(OSError("second")))}
    )

    mach.add_err(ValueError("first"))

    assert results == [CANCELED]
    assert heard == ["first"]


def test_a_late_error_handler_makes_no_error(
    made: Made, clock: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Or its timeout would call it again."""
    mach = made()
    called, handler = counted(lambda event: clock.advance(2))
    mach.bind_handlers({"ExceptionState": handler})

    mach.add_err(ValueError("first"))

    assert called == ["ExceptionState"]
    assert "handler timeout: ExceptionState" in caplog.text
    assert str(mach.err) == "first"


def test_other_states_may_follow_from_an_error(made: Made) -> None:
    """An error handler may mutate, and what follows from that may fail as ever."""
    mach = made("Retry{}")
    mach.bind_handlers({"ExceptionState": lambda e: mach.add1("Retry") and None})
    mach.bind_handlers({"RetryState": lambda e: mach.add_err(OSError("again")) and None})

    mach.add_err(ValueError("first"))

    assert str(mach.err) == "again"
    assert mach.tick("Exception") == 3


def test_an_error_of_another_machine_is_its_own(made: Made) -> None:
    """An error handler may report to a second machine."""
    first, second = made(), made(id="second")
    first.bind_handlers({"ExceptionState": lambda e: second.add_err(OSError("reported")) and None})

    first.add_err(ValueError("first"))

    assert str(second.err) == "reported"


def test_an_error_handler_that_reports_to_itself_through_another_machine_ends(
    made: Made, caplog: pytest.LogCaptureFixture
) -> None:
    """The way back leads into the same handler of the same machine."""
    first, second = made(), made(id="second")
    called, handler = counted(lambda event: second.add_err(OSError("there")))
    first.bind_handlers({"ExceptionState": handler})
    second.bind_handlers({"ExceptionState": lambda e: first.add_err(OSError("back")) and None})

    first.add_err(ValueError("first"))

    assert called == ["ExceptionState"]
    assert len(caplog.records) == 1


def test_another_thread_adds_its_error_while_one_is_handled(made: Made) -> None:
    """It is no error about an error."""
    import threading

    mach = made()
    done: list[am.Result] = []

    def handle(event: am.Event) -> None:
        if not done:
            thread = threading.Thread(target=lambda: done.append(mach.add_err(OSError("other"))))
            thread.start()
            thread.join()

    mach.bind_handlers({"ExceptionState": handle})
    mach.add_err(ValueError("first"))

    assert done == [am.Result.QUEUED]
    assert str(mach.err) == "other"


@pytest.mark.parametrize("report", REPORTS.values(), ids=[*REPORTS])
async def test_a_task_that_handles_an_error_makes_none(
    made: Made, caplog: pytest.LogCaptureFixture, report: Callable[[am.Event], object]
) -> None:
    """A coroutine `ExceptionState` does not start itself again."""
    mach = made("ErrMail{multi require:Exception}")
    started: list[int] = []
    ended = asyncio.Event()

    async def handle(event: am.Event) -> None:
        started.append(1)
        try:
            await asyncio.sleep(0)
            report(event)
        finally:
            ended.set()

    mach.bind_handlers({"ExceptionState": handle})
    mach.add_err(ValueError("first"))
    await ended.wait()
    await asyncio.sleep(0)

    assert started == [1]
    assert str(mach.err) == "first"
    (record,) = caplog.records
    assert "the mail server is down" in record.getMessage()
    mach.dispose_force()


def test_pipes_of_errors_in_a_circle_end(made: Made, caplog: pytest.LogCaptureFixture) -> None:
    """An error that comes back to the machine that handles it is logged and goes no further."""
    machines = [made(id=name) for name in ("one", "two", "three")]
    for source, target in zip(machines, machines[1:] + machines[:1], strict=True):
        pipes.bind_err(source, target)

    machines[0].add_err(ValueError("first"))

    assert [mach.tick("Exception") for mach in machines] == [1, 1, 1]
    assert {str(mach.err) for mach in machines} == {"first"}
    (record,) = caplog.records
    assert (
        "machine one: ExceptionState handles an error and made another one" in record.getMessage()
    )


@pytest.mark.parametrize("inside", [False, True])
def test_a_listener_reports_no_error_to_its_machine(
    made: Made, caplog: pytest.LogCaptureFixture, inside: bool
) -> None:
    """It would be called for that one too; it may report to another machine."""
    mach, other = made(), made(id="other")
    results: list[am.Result] = []

    @mach.on_error
    def listen(machine: am.Machine, error: BaseException) -> None:
        results.append(machine.add_err(OSError("second")))
        results.append(other.add_err(OSError("reported")))

    mach.bind_handlers({"AState": raising})
    if inside:
        mach.add1("A")
    else:
        mach.add_err(ValueError("first"))

    assert results == [CANCELED, EXECUTED]
    assert mach.tick("Exception") == 1
    (record,) = caplog.records
    assert "machine mach: a listener handles an error" in record.getMessage()
