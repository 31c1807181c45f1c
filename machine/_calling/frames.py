"""Stack frames: which belong to user code, and what is kept of them.

A frame is *own* unless it belongs to this library or to the standard library. The last own
line that an error passed shows where it comes from: "FILE:LINE in FUNCTION".

A traceback refers to frames, and a frame to its variables and to its caller. So an error
that a machine keeps would keep all of these alive. Once the error is formatted as text,
hollow frames replace the real ones in it and in all errors that caused it. Hollow frames
have file, line and function, so they print as before, but no variables and no caller.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Iterator
from functools import lru_cache
from types import CodeType, FrameType, FunctionType, TracebackType

LIBRARY = os.path.dirname(os.path.dirname(__file__)) + os.sep
STANDARD = os.path.dirname(os.__file__) + os.sep
INSTALLED = ("site-packages", "dist-packages")

CHAINED_MAX = 1000
"""How many errors that caused one, or that it groups, lose their frames."""
FRAMES_MAX = 200
"""How many frames of one error are made hollow: the last ones; others are left out."""

Place = tuple[CodeType, int]
"""A code object and a line."""


def is_library(file: str) -> bool:
    """Whether this file belongs to this library."""
    return file.startswith(LIBRARY)


def is_own(file: str) -> bool:
    """Whether this file belongs to the program, or to a package that the program installed."""
    if file.startswith("<frozen") or is_library(file):
        return False
    return not file.startswith(STANDARD) or any(name in file for name in INSTALLED)


def raised_at(error: BaseException) -> str:
    """Where an error was raised; empty if it never was."""
    trace = error.__traceback__
    return "" if trace is None else _text(_last(_of_trace(trace)))


def called_at(frame: FrameType | None) -> str:
    """The innermost own line of a stack."""
    return _text(_last(_of_stack(frame)[::-1]))


def innermost(frame: FrameType) -> Place:
    """The innermost own place of a stack; the very innermost where none is own."""
    found = _last(_of_stack(frame)[::-1])
    return (frame.f_code, frame.f_lineno) if found is None else found


def unfiltered(text: str) -> str:
    """The text without what AM_TRACE_FILTER names, such as a folder."""
    unwanted = os.environ.get("AM_TRACE_FILTER")
    return text.replace(unwanted, "") if unwanted else text


def place_text(place: Place) -> str:
    """A place as it is shown."""
    code, line = place
    return unfiltered(f"{code.co_filename}:{line} in {code.co_qualname}")


def _text(place: Place | None) -> str:
    return "" if place is None else place_text(place)


def _of_trace(trace: TracebackType | None) -> Iterator[Place]:
    while trace is not None:
        yield trace.tb_frame.f_code, trace.tb_lineno
        trace = trace.tb_next


def _of_stack(frame: FrameType | None) -> list[Place]:
    """The places of a stack from the inside out."""
    places = []
    while frame is not None:
        places.append((frame.f_code, frame.f_lineno))
        frame = frame.f_back
    return places


def _last(places: Iterable[Place]) -> Place | None:
    """The last own place; else the last one that is not this library's."""
    own = other = None
    for place in places:
        file = place[0].co_filename
        if is_own(file):
            own = place
        elif not is_library(file):
            other = place
    return own or other


# -- hollow frames


def release_frames(error: BaseException) -> None:
    """Replace the frames of an error, and of all errors chained to it, by hollow ones."""
    seen: dict[int, BaseException] = {}
    rest: list[BaseException | None] = [error]
    while rest and len(seen) < CHAINED_MAX:
        one = rest.pop()
        if one is None or id(one) in seen:
            continue
        seen[id(one)] = one
        rest += [one.__cause__, one.__context__]
        if isinstance(one, BaseExceptionGroup):
            rest += one.exceptions
        trace = one.__traceback__
        if trace is not None and trace.tb_frame.f_globals is not _NOTHING:
            BaseException.with_traceback(one, _hollow(trace))  # a class may refuse the assignment


_NOTHING: dict[str, object] = {}
"""The globals of hollow frames, by which they are recognized."""


def _hollow(trace: TracebackType) -> TracebackType | None:
    """A traceback of the same places, with hollow frames."""
    made: TracebackType | None = None
    for code, line in list(_of_trace(trace))[: -FRAMES_MAX - 1 : -1]:
        body = _body(code.co_filename, code.co_name, code.co_qualname, line)
        frame = FunctionType(body, _NOTHING)().gi_frame
        made = TracebackType(made, frame, -1, line)  # -1: no place within the line
    return made


def _never_begun() -> Generator[None, None, None]:
    """The frame of a generator that never begins has no caller."""
    yield  # pragma: no cover - see above


@lru_cache(1024)
def _body(file: str, name: str, qualname: str, line: int) -> CodeType:
    return _never_begun.__code__.replace(
        co_filename=file, co_name=name, co_qualname=qualname, co_firstlineno=line
    )
