"""All errors of the library, with one base class.

A programmer's mistake (an unknown state, a wrong schema) is raised at the call. Trouble
at run time becomes the `Exception` state of the machine; the error found there may be
one of these too (`HandlerTimeoutError`, `EvalTimeoutError`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

__all__ = [
    "AmbiguousHandlerError",
    "CanceledError",
    "DeadlockError",
    "DisposedError",
    "EvalTimeoutError",
    "ExecutorClosedError",
    "HandlerNameError",
    "HandlerTimeoutError",
    "HandlersNotBoundError",
    "InvalidArgsError",
    "MachineError",
    "QueuedError",
    "RelationError",
    "StateMissingError",
    "StateNameError",
    "StateTimeoutError",
    "StateUnknownError",
    "TaskCanceledError",
    "TimeoutError_",
    "near_names",
]


def did_you_mean(names: Iterable[object], known: Iterable[str]) -> str:
    """The end of an error's text: which known names look like these; empty for none."""
    known = list(known)
    near = [match for name in names for match in near_names(str(name), known)]
    return f"; did you mean {', '.join(dict.fromkeys(near))}?" if near else ""


def near_names(name: str, known: Iterable[str]) -> list[str]:
    """Up to three known names that look like this one."""
    import difflib  # only needed to word an error; not worth loading with the package

    return difflib.get_close_matches(name, list(known), 3, 0.6)


class MachineError(Exception):
    """Base of every error of this library; its text starts with the error's prefix."""

    prefix = "machine error"

    def __init__(self, detail: str = "") -> None:
        self.detail = detail
        super().__init__(f"{self.prefix}: {detail}" if detail else self.prefix)


class StateUnknownError(MachineError):
    """A state name that the schema does not define."""

    prefix = "state unknown"


class CanceledError(MachineError):
    """A mutation that had to be executed was canceled."""

    prefix = "transition canceled"


class QueuedError(MachineError):
    """A mutation that had to be executed at once was queued."""

    prefix = "transition queued"


class InvalidArgsError(MachineError):
    """Arguments that a call cannot take."""

    prefix = "invalid arguments"


class HandlerTimeoutError(MachineError, TimeoutError):
    """A handler ran longer than the machine's `handler_timeout`."""

    prefix = "handler timeout"


class EvalTimeoutError(MachineError, TimeoutError):
    """An evaluated function did not get its turn within `eval_timeout`."""

    prefix = "eval timeout"


class StateTimeoutError(MachineError, TimeoutError):
    """A state was active for the time of its `timeout`, and its `on_timeout` is an error state.

    `state` is its name, `tick` which activation it was, `seconds` the time.
    """

    prefix = "state timeout"

    def __init__(
        self, detail: str = "", state: str = "", tick: int = 0, seconds: float = 0.0
    ) -> None:
        self.state = state
        self.tick = tick
        self.seconds = seconds
        super().__init__(detail)


class DeadlockError(MachineError, RuntimeError):
    """A wait that could never end: the machine moves on only once the waiting call returns."""

    prefix = "deadlock"


class TaskCanceledError(MachineError):
    """A task of a state awaited something that was canceled, but not with the task."""

    prefix = "task canceled"


class ExecutorClosedError(MachineError):
    """A machine is pinned to an event loop that was closed; its mutations are canceled."""

    prefix = "executor closed"


class TimeoutError_(MachineError, TimeoutError):
    """A wait timed out."""

    prefix = "timeout"


class StateMissingError(MachineError):
    """States that a machine's schema does not define.

    `names` are the missing ones, `machine_id` whose schema it is.
    """

    prefix = "missing states"

    def __init__(
        self,
        names: Sequence[str],
        machine_id: str = "",
        known: Iterable[str] = (),
        detail: str = "",
    ) -> None:
        self.names: list[str] = list(names)
        self.machine_id = machine_id
        text = detail or f"{' '.join(map(str, names))} not defined in struct for {machine_id}"
        super().__init__(text + did_you_mean(names, known))


class StateNameError(MachineError):
    """A name that no state can have."""

    prefix = "invalid state name"


class RelationError(MachineError):
    """A relation of a schema that is invalid."""

    prefix = "relation error"


class DisposedError(MachineError):
    """The machine is disposed."""

    prefix = "machine disposed"


class HandlersNotBoundError(MachineError):
    """Handlers to detach that are not bound."""

    prefix = "handlers not bound"


class HandlerNameError(MachineError):
    """A bound method that looks like a handler of a state that does not exist."""

    prefix = "unknown handler"


class AmbiguousHandlerError(HandlerNameError):
    """A handler's name means two things; only machines with `strict` refuse it."""

    prefix = "ambiguous handler"


def __getattr__(name: str) -> type[MachineError]:
    """Warn of an error that nothing raises any more."""
    if name != "StateInactiveError":
        raise AttributeError(f"module {__name__} has no attribute {name}")
    import warnings

    text = f"{name} is never raised and will be removed; is_() shows whether states are active"
    warnings.warn(text, DeprecationWarning, stacklevel=2)
    return type(name, (MachineError,), {"prefix": "state not active"})
