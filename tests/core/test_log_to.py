"""A machine's lines in the standard logging."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest

import machine as am

Made = Callable[..., am.Machine]


def told(caplog: pytest.LogCaptureFixture) -> list[tuple[int, str]]:
    return [(record.levelno, record.getMessage()) for record in caplog.records]


@pytest.mark.parametrize("log_id", [True, False])
def test_lines_go_to_a_logger(made: Made, caplog: pytest.LogCaptureFixture, log_id: bool) -> None:
    """Errors, changes and details have severities of their own, with the id or without."""
    mach = made(log_id=log_id, log_stack_trace=False)
    mach.bind_handlers(am.ExceptionHandler())
    am.log_to(mach, level=am.LogLevel.EVERYTHING)

    with caplog.at_level(logging.DEBUG, "asyncmachine"):
        mach.add_err(ValueError("100 % broken"))

    prefix = "[mach] " if log_id else ""
    lines = told(caplog)
    assert (logging.INFO, f"{prefix}[state] +Exception") in lines
    assert (logging.DEBUG, f"{prefix}[handler:end] ExceptionState") in lines
    assert (logging.ERROR, f"{prefix}[error] 100 % broken") in lines


def test_records_show_the_machine_and_the_level(
    made: Made, caplog: pytest.LogCaptureFixture
) -> None:
    """Formatters and filters find both on the record."""
    mach = made()
    am.log_to(mach, level=1)

    with caplog.at_level(logging.DEBUG, "asyncmachine"):
        mach.add1("A")

    (record,) = caplog.records
    assert vars(record)["machine"] == "mach"
    assert vars(record)["machine_level"] == "changes"


def test_a_logger_may_be_given(made: Made, caplog: pytest.LogCaptureFixture) -> None:
    """By name or as an object; the machine's level stays when no other is asked for."""
    mach = made(log_level=am.LogLevel.CHANGES)

    with caplog.at_level(logging.INFO):
        am.log_to(mach, "mine")
        mach.add1("A")
        am.log_to(mach, logging.getLogger("other"))
        mach.add1("B")

    assert [record.name for record in caplog.records] == ["mine", "other"]
    assert mach.log_level is am.LogLevel.CHANGES


def test_a_line_with_arguments_is_put_together(
    made: Made, caplog: pytest.LogCaptureFixture
) -> None:
    """A caller of the machine's logger may leave that to it."""
    mach = made()
    am.log_to(mach)
    logger = mach.get_logger()
    assert logger is not None

    with caplog.at_level(logging.INFO, "asyncmachine"):
        logger(am.LogLevel.CHANGES, "%d of %d", 1, 2)
        logger(am.LogLevel.CHANGES, "100 %")

    assert told(caplog) == [(logging.INFO, "1 of 2"), (logging.INFO, "100 %")]
