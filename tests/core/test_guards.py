"""Errors of code outside of handlers, and listening for all errors."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest

import machine as am

Made = Callable[..., am.Machine]
ERRORS = "A{} ErrNet{require:Exception} ErrDisk{require:Exception}"


def test_an_error_in_a_guarded_block_becomes_the_error_state(made: Made) -> None:
    """The error is added with the guard's args and goes no further."""
    mach, args = made(), []
    mach.bind_handlers({"ExceptionState": lambda e: args.append(e.args)})

    with mach.panic_to_err({"what": "reading"}):
        raise ValueError("broken")

    assert mach.is_err()
    assert str(mach.err) == "broken"
    assert args[0]["what"] == "reading"
    assert args[0]["err"] is mach.err
    assert "raise ValueError" in args[0]["err.trace"]


def test_an_error_can_become_a_more_certain_state(made: Made) -> None:
    """`panic_to_err_state` adds that state along with `Exception`."""
    mach = made(ERRORS)

    with mach.panic_to_err_state("ErrNet"):
        raise ValueError("broken")

    assert mach.is_(["ErrNet", "Exception"])
    assert mach.not1("ErrDisk")


def test_a_guarded_block_without_an_error_changes_nothing(made: Made) -> None:
    """A guard is not seen until it is needed."""
    mach = made()

    with mach.panic_to_err():
        mach.add1("A")

    assert mach.active_states() == ["A"]


def test_an_unknown_error_state_is_reported_at_once(made: Made) -> None:
    """Not only when the error is there and would be lost."""
    with pytest.raises(am.errors.StateMissingError):
        made().panic_to_err_state("ErrNet")


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, asyncio.CancelledError])
def test_what_is_no_error_passes_through_a_guard(made: Made, error: type[BaseException]) -> None:
    """Leaving the program and canceling a task are none of the machine's business."""
    mach = made()

    with pytest.raises(error), mach.panic_to_err():
        raise error

    assert not mach.is_err()


def test_a_guard_does_nothing_while_errors_pass_through(made: Made) -> None:
    """With `panic_to_exception` off the program gets its errors itself."""
    mach = made(panic_to_exception=False)

    with pytest.raises(ValueError, match="broken"), mach.panic_to_err():
        raise ValueError("broken")

    assert not mach.is_err()


def test_a_function_can_be_guarded(made: Made) -> None:
    """As a decorator a guard counts for every call; a failed one returns None."""
    mach = made()

    @mach.panic_to_err()
    def half(number: int) -> float:
        """Half of it."""
        return 1 / number

    assert half(2) == 0.5
    assert half(0) is None
    assert half(number=0) is None
    assert mach.tick("Exception") == 3
    assert half.__name__ == "half"
    assert half.__doc__ == "Half of it."


async def test_a_coroutine_function_can_be_guarded(made: Made) -> None:
    """The guard holds while the coroutine runs, not only while it is made."""
    mach = made(ERRORS)

    @mach.panic_to_err_state("ErrDisk")
    async def half(number: int) -> float:
        await asyncio.sleep(0)
        return 1 / number

    assert await half(2) == 0.5
    assert await half(0) is None
    assert mach.is1("ErrDisk")


def test_a_guard_on_a_disposed_machine_keeps_errors_from_spreading(made: Made) -> None:
    """Work that outlives its machine fails in silence."""
    mach = made()
    mach.dispose_force()

    with mach.panic_to_err():
        raise ValueError("broken")

    assert not mach.is_err()


# -- listening


def test_every_error_is_reported_to_those_that_asked(made: Made) -> None:
    """Whether it was added, raised in a handler or a timeout, and before it has an effect."""
    mach = made()
    told: list[tuple[str, bool]] = []

    @mach.on_error
    def listen(machine: am.Machine, error: BaseException) -> None:
        assert machine is mach
        assert machine.err is error
        told.append((str(error), machine.is_err()))

    def boom(e: am.Event) -> None:
        raise RuntimeError("raised")

    mach.bind_handlers({"AState": boom})
    mach.add_err(ValueError("added"))
    mach.remove1("Exception")
    mach.add1("A")

    assert told == [("added", False), ("raised", False)]
    assert callable(listen)


def test_a_late_handler_is_reported_as_an_error(made: Made, clock: Any) -> None:
    """A timeout is an error like any other."""
    mach = made()
    told: list[str] = []
    mach.on_error(lambda machine, error: told.append(str(error)))
    mach.bind_handlers({"AEnter": lambda e: clock.advance(2)})
    mach.add1("A")

    assert told == ["handler timeout: AEnter"]


def test_all_that_asked_are_notified_in_order(made: Made, caplog: pytest.LogCaptureFixture) -> None:
    """One that raises is logged and keeps no other from hearing."""
    mach = made()
    told: list[int] = []

    def fail(machine: am.Machine, error: BaseException) -> None:
        told.append(1)
        raise ValueError("listener broke")

    mach.on_error(fail)
    mach.on_error(lambda machine, error: told.append(2))

    with caplog.at_level(logging.ERROR, "asyncmachine"):
        assert mach.add_err(RuntimeError("boom")) is am.Result.EXECUTED
    assert told == [1, 2]
    assert len(caplog.records) == 1


def test_no_error_is_nothing_to_report(made: Made) -> None:
    """Adding None as an error does nothing at all."""
    mach = made()
    told: list[object] = []
    mach.on_error(lambda machine, error: told.append(error))

    assert mach.add_err(None) is am.Result.CANCELED
    assert told == []
