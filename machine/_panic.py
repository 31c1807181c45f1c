"""What is told of an error that a handler raised."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from machine._enums import MutationType
    from machine._step import Step
    from machine._transition import Transition

TRACE_CHARS_MAX = 65_536


class Panic:
    """The transition that a handler broke, as the `panic` argument of `ExceptionState`."""

    __slots__ = (
        "called_states",
        "handler",
        "last_step",
        "stack_trace",
        "states_before",
        "target_states",
        "transition",
        "type",
    )

    def __init__(self, tx: Transition, handler: str, stack_trace: str) -> None:
        steps = tx.steps
        self.type: MutationType = tx.type()
        self.called_states = tx.called_states()
        self.states_before = tx.states_before()
        self.target_states = tx.target_states()
        self.transition = tx
        self.handler = handler
        self.last_step: Step | None = steps[-1] if steps else None
        self.stack_trace = stack_trace


def trace_of(error: BaseException) -> str:
    """The stack trace of an error; where it was added, if it was never raised."""
    import traceback  # loading it costs more than most programs ever need of it

    if error.__traceback__ is not None:
        text = "".join(traceback.format_exception(error))
    else:
        text = "".join(traceback.format_stack()[:-2]) + f"{type(error).__name__}: {error}\n"
    return _shortened(_filtered(text))


def _filtered(text: str) -> str:
    """The trace without the text that AM_TRACE_FILTER names, such as a folder."""
    import os

    unwanted = os.environ.get("AM_TRACE_FILTER")
    return text.replace(unwanted, "") if unwanted else text


def _shortened(text: str) -> str:
    """A trace of bounded length; its end tells most, so the middle goes."""
    if len(text) <= TRACE_CHARS_MAX:
        return text
    half = TRACE_CHARS_MAX // 2
    return f"{text[:half]}\n  ...\n{text[-half:]}"
