"""Logs errors that occur while an error is handled, instead of adding them.

A transition that called `Exception` handles an error. If one of its handlers fails, a new
error would call that handler again, and so on without end. So an error of an error handler
is not added. If a handler of such a transition raises, is late, or reports an error with
`add_err` or a similar method, the logger "asyncmachine" gets one record with the stack
trace, and `err` of the machine stays. The same holds for a coroutine handler that such a
transition started, as long as its task runs, and for an error that a function called by
`on_error` reports to the same machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from machine._logging.report import log_error

if TYPE_CHECKING:
    from machine._logging.log import Logged


def report_nested(mach: Logged, handler: str, error: BaseException) -> None:
    """Log an error of a handler whose transition handles an error."""
    log_error(
        error,
        "machine %s: %s handles an error and made another one, which is only logged: %s",
        mach.id,
        handler,
        error,
    )
