"""Formats the trace of an error that a handler raised."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from machine._calling.frames import called_at, is_library, raised_at, unfiltered

if TYPE_CHECKING:
    from collections.abc import Iterator
    from traceback import StackSummary, TracebackException


TRACE_CHARS_MAX = 65_536
TRACE_FRAMES_MAX = 50
"""Frames of one error in its trace, the last ones."""
MESSAGE_CHARS_MAX = 200
"""Characters of an error's message in a log line."""


def trace_of(error: BaseException) -> str:
    """The stack trace of an error; where it was added, if it was never raised.

    The frames of this library are left out, and only the last of the others are kept: they
    show where the error comes from.
    """
    import traceback  # loading it costs more than most programs ever need of it

    if error.__traceback__ is None:
        stack = traceback.extract_stack(sys._getframe(1))
        cut = _shorten(stack)
        lines = [*stack.format(), *traceback.format_exception_only(error)]
    else:
        formatted = traceback.TracebackException.from_exception(error)
        cut = sum(_shorten(stack) for stack in _stacks(formatted))
        lines = list(formatted.format())
    if cut:
        lines.insert(0, f"{cut:,} frames left out, the last {TRACE_FRAMES_MAX} kept\n")
    return _shortened(unfiltered("".join(lines)))


def origin_of(error: BaseException) -> str:
    """Where an error was raised, or added if it never was, as the end of a line."""
    place = raised_at(error)
    if place:
        return f", raised at {place}"
    place = called_at(sys._getframe(1))
    return f", added at {place}" if place else ""


def message_of(error: BaseException) -> str:
    """Class and message of an error in one line of bounded length."""
    import traceback

    text = " ".join("".join(traceback.format_exception_only(error)).split())
    return text if len(text) <= MESSAGE_CHARS_MAX else f"{text[: MESSAGE_CHARS_MAX - 1]}…"


def _stacks(error: TracebackException) -> Iterator[StackSummary]:
    """The stacks of an error, and of all that it is chained to."""
    rest: list[TracebackException | None] = [error]
    seen: set[int] = set()
    while rest:
        one = rest.pop()
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            yield one.stack
            rest += [one.__cause__, one.__context__, *(one.exceptions or ())]


def _shorten(stack: StackSummary) -> int:
    """Keep the last frames that are not of this library; returns how many others were cut."""
    own = [frame for frame in stack if not is_library(frame.filename)]
    stack[:] = own[-TRACE_FRAMES_MAX:]
    return len(own) - len(stack)


def _shortened(text: str) -> str:
    """A trace of bounded length; its end is the most useful part, so the middle is cut."""
    if len(text) <= TRACE_CHARS_MAX:
        return text
    half = TRACE_CHARS_MAX // 2
    return f"{text[:half]}\n  ...\n{text[-half:]}"
