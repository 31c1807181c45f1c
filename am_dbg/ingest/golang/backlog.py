"""Backlog of calls of Go programs that are answered but not read yet.

A Go program waits for the answer to each call, so work before the answer slows the program down.
So a call is answered as soon as it is complete, and its content is read in slices, `SLICE_S`
later: many calls then share one batch, one change of the store and one record in a file.

- A call that comes after a pause of `SLICE_S` is read right after the answer, so that rare calls
  appear at once.
- While programs make calls, a slice ends after about `BUSY_S`. The next one follows after ten
  times the time it took, so reading takes less than a tenth of the time.
- If no call came since the last slice, no program waits: a slice takes up to `SLICE_S`, and the
  next one follows at once.
- If more than `CALLS_MAX` calls or `BYTES_MAX` bytes wait, programs must wait: calls are read
  until the backlog is within the limits again, before more is received.

All programs share one backlog, so the limits hold for all of them together. Programs take
turns within a slice. One thread at a time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

SLICE_S = 0.020
BUSY_S = 0.001
_PAUSES = 10
"""While programs make calls, the pause after a slice is so many times as long as the slice."""
CALLS_MAX = 8_192
BYTES_MAX = 16 * 1024 * 1024

Later = Callable[[float, Callable[[], None]], None]
"""Calls a function on the same thread after so many seconds."""


class _Caller(Protocol):
    """A program with calls that wait."""

    @property
    def waiting(self) -> int: ...

    @property
    def waiting_bytes(self) -> int: ...

    def read(self, is_enough: Callable[[], bool]) -> None:
        """Read at least one call, and more until `is_enough` returns True."""


class Backlog:
    """The waiting calls of all programs; `calls` and `size` count them and their bytes."""

    def __init__(
        self,
        now_s: Callable[[], float] = time.monotonic,
        *,
        calls_max: int = CALLS_MAX,
        bytes_max: int = BYTES_MAX,
    ) -> None:
        self._now_s = now_s
        self._calls_max = calls_max
        self._bytes_max = bytes_max
        self._callers: dict[_Caller, None] = {}
        self._is_due = False
        self._was_called = self._was_quiet = False
        self._called_at_s = float("-inf")
        self.calls = 0
        self.size = 0

    def grew(self, caller: _Caller, calls: int, size: int) -> None:
        """Count more waiting calls of a program."""
        if calls:
            self._callers[caller] = None
            now_s = self._now_s()
            self._was_quiet = now_s - self._called_at_s >= SLICE_S
            self._was_called, self._called_at_s = True, now_s
            self.calls += calls
            self.size += size

    def settle(self, later: Later) -> None:
        """Schedule the reading of what waits; read at once what exceeds the limits."""
        if self._was_quiet:
            self._was_quiet = False
            self._read_for(BUSY_S)
        while self._callers and (self.calls > self._calls_max or self.size > self._bytes_max):
            self._read_for(SLICE_S)
        self._plan(later, SLICE_S)

    def _plan(self, later: Later, delay_s: float) -> None:
        if self._callers and not self._is_due:
            self._is_due = True
            later(delay_s, lambda: self._slice(later))

    def _slice(self, later: Later) -> None:
        self._is_due = False
        is_busy, self._was_called = self._was_called, False
        began_s = self._now_s()
        self._read_for(BUSY_S if is_busy else SLICE_S)
        took_s = self._now_s() - began_s
        self._plan(later, max(SLICE_S, _PAUSES * took_s) if is_busy else 0.0)

    def _read_for(self, seconds: float) -> None:
        """Read for so long, at least one call; a program with more calls comes last next time."""
        end_s = self._now_s() + seconds

        def is_enough() -> bool:
            return self._now_s() >= end_s

        for caller in list(self._callers):
            calls, size = caller.waiting, caller.waiting_bytes
            del self._callers[caller]
            try:
                caller.read(is_enough)
            finally:
                self.calls -= calls - caller.waiting
                self.size -= size - caller.waiting_bytes
                if caller.waiting:
                    self._callers[caller] = None
            if is_enough():
                break
