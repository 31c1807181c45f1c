"""The error of a transition: its text, and the place in the code that raised it.

A transition that adds an error state logs the error with its stack trace and has it in its
arguments; either is enough. If a handler raised, the transition of that handler has no error:
the machine adds `Exception` right afterwards, so the error of the next transition is meant. The
place is the innermost frame of the program itself, since the frames of libraries show where an
error came to light, not where it belongs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from am_dbg.projection.clean import clean
from am_dbg.projection.text.quoted import text_of_repr
from am_dbg.projection.text.traces import is_library
from am_dbg.store import Track, TransitionRecord
from am_dbg.store.facts import EXCEPTION, is_error_state
from amtracer.wire.vocabulary import StepFlag

TEXT_CHARS_MAX = 400
"""The most characters of an error's text."""
_LINE_DIGITS_MAX = 9
_TRACE_CHARS_MAX = 64 * 1024
_ERROR_LINE = re.compile(r"^\[error[^\]]*\] ?")
_HEAD = "Traceback (most recent call last)"
_FRAME = re.compile(r'^\s*File "([^"]+)", line (\d+)(?:, in (.+))?$')
_GO_FRAME = re.compile(r"^\s*(\S+\.go):(\d+)(?:\s|$)")
_PLACE = re.compile(r"^\s*(\S+):(\d+) in (\S+)$")
_LAST_LINE = re.compile(r"^[A-Za-z_][\w.]*(?:: .*)?$")
_REPR = re.compile(r"^([A-Za-z_][\w.]*)\((.*)\)$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ErrorSource:
    """The text of an error and the place that raised it; either is empty if not known.

    `path` is the file as the trace has it, `line` is 0 if the place is not known.
    """

    text: str = ""
    path: str = ""
    line: int = 0
    function: str = ""

    @property
    def place(self) -> str:
        """The place in short: `worker_pool.py:207 in save`."""
        if not self.path:
            return ""
        name = re.split(r"[/\\]", self.path)[-1]
        return f"{name}:{self.line}" + (f" in {self.function}" if self.function else "")


NO_ERROR = ErrorSource()


def error_at(track: Track, number: int) -> ErrorSource:
    """The error that a transition adds, else the one that its handler raised.

    It is `NO_ERROR` if there is none or if it is not recorded.
    """
    added = error_added(track, number)
    return error_raised(track, number) if added is NO_ERROR else added


def error_added(track: Track, number: int) -> ErrorSource:
    """The error for which a transition called an error state."""
    return _recorded(track, number) if _calls_error(track, number) else NO_ERROR


def error_raised(track: Track, number: int) -> ErrorSource:
    """The error that a handler of a transition raised; the next transition has recorded it."""
    following = follower_of(track, number)
    return _recorded(track, following) if following else NO_ERROR


def _calls_error(track: Track, number: int) -> bool:
    """Whether a transition called an error state."""
    states = track.schema_at(number)
    return any(is_error_state(states[index].name) for index in track.shape_at(number).called)


def follower_of(track: Track, number: int) -> int:
    """The transition that adds the error which a handler of this one raised; 0 if none is held.

    A failed transition that called `Exception` itself has none: the machine only logs the error.
    """
    after = number + 1
    if after > track.count or track.gaps_after(number) or not _has_failed(track, number):
        return 0
    is_own = _calls_exception(track, number) or not _calls_exception(track, after)
    return 0 if is_own else after


def failed_before(track: Track, number: int) -> int:
    """The transition whose handler raised the error that this one adds; 0 if none is held."""
    before = number - 1
    return before if before >= track.first and follower_of(track, before) == number else 0


def _calls_exception(track: Track, number: int) -> bool:
    return track.index_at(number, EXCEPTION) in track.shape_at(number).called


def _has_failed(track: Track, number: int) -> bool:
    if not track.facts_at(number).is_error:
        return False
    return any(step.flags & StepFlag.FAILED for step in track.shape_at(number).steps)


@lru_cache(maxsize=256)
def _recorded(track: Track, number: int) -> ErrorSource:
    """The error that a transition recorded, from its log lines and its arguments."""
    transition = track.transition(number)
    args = dict(transition.args)
    traces = [
        *_logged(transition),
        _written(args.get("err.trace", "")),
    ]
    rows = next((rows for rows in map(_rows, traces) if _place(rows)), ())
    path, line, function = _place(rows) or ("", 0, "")
    text = _last_line(rows) or _error_text(args.get("err", "")) or _first_line(transition)
    return ErrorSource(clean(text[:TEXT_CHARS_MAX]), clean(path), line, clean(function))


def _logged(transition: TransitionRecord) -> Iterable[str]:
    """The log lines about an error, without their prefix."""
    for _, text in transition.lines:
        head = text[:_TRACE_CHARS_MAX]
        if match := _ERROR_LINE.match(head):
            yield head[match.end() :]


def _first_line(transition: TransitionRecord) -> str:
    return next((text.partition("\n")[0] for text in _logged(transition)), "")


def _written(text: str) -> str:
    """The text that a representation shows, without its mark of a cut; empty for other values."""
    return text_of_repr(text.removeprefix("…")) or ""


def _rows(text: str) -> tuple[str, ...]:
    return tuple(text.rstrip("\n").split("\n"))


def _place(rows: Iterable[str]) -> tuple[str, int, str] | None:
    """The innermost frame of the program itself, else the innermost one."""
    listed = list(rows)
    python = [match for row in listed if (match := _FRAME.match(row))]
    go = [match for row in listed if (match := _GO_FRAME.match(row))]
    frames = python or go[::-1] or [match for row in listed if (match := _PLACE.match(row))]
    own = [frame for frame in frames if not is_library(frame[1])]
    if not frames:
        return None
    path, line, *function = (own or frames)[-1].groups()
    return path, int(line[:_LINE_DIGITS_MAX]), (function[0] or "") if function else ""


def _last_line(rows: Iterable[str]) -> str:
    """The line after the last frame of a trace, which has the class and the text."""
    found = ""
    for row in rows:
        if row.startswith((" ", _HEAD)):
            found = ""
        elif not found and _LAST_LINE.match(row):
            found = row
    return found


def _error_text(text: str) -> str:
    """An error as `repr` writes it, in the form `Class: text`."""
    match = _REPR.match(text)
    if match is None:
        return _written(text) or text
    inner = _written(match[2])
    return f"{match[1]}: {inner}" if inner else match[1] if not match[2] else text
