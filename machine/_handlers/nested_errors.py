"""Logs errors that occur while an error is handled, instead of adding them.

A transition that called `Exception` handles an error. If one of its handlers fails, a new
error would call that handler again, and so on without end. So there is no new error about
an error: what a handler of such a transition raises, that it is late, and what it reports
with `add_err` and its kin goes to the logger "asyncmachine", one record with the stack
trace each. `err` of the machine stays. The same holds for a coroutine handler that such a
transition started, as long as its task runs, and for what a function that `on_error` calls
reports to the same machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from machine._logging.report import failed

if TYPE_CHECKING:
    from machine._engine.engine import Engine


def report_nested(mach: Engine, handler: str, error: BaseException) -> None:
    """Log an error of a handler whose transition handles an error."""
    failed(
        "machine %s: %s handles an error and made another one, which is only logged: %s",
        mach.id,
        handler,
        error,
        error=error,
    )
