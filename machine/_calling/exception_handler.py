"""The ready-made handler of the `Exception` state."""

from __future__ import annotations

from machine._enums import LogLevel
from machine._transition.event import Event


class ExceptionHandler:
    """Logs every error; mix it into handler classes and call `super()` when overriding."""

    def ExceptionState(self, e: Event) -> None:
        """Log the error, and which transition it broke if a handler raised it."""
        args, mach = e.args, e.machine
        error = args.get("err")
        message = "missing error in ExceptionState" if error is None else str(error)
        panic = args.get("panic")
        if panic is None:
            text = f"[error] {message}"
        else:
            text = f"[error:{panic.type}] {' '.join(panic.called_states)} ({message})"
        trace = args.get("err.trace")
        if mach.log_stack_trace and trace:
            text = f"{text}\n{trace}"
        mach.log_lvl(LogLevel.CHANGES, "%s", text)
