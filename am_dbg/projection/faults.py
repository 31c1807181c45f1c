"""Catches faults of the screen: a view that fails shows one line, everything else goes on.

A fault in one view must not cost the other views, nor the data that came in. An exception
becomes a `Failed` value in place of the result: its pane shows one line, its trace goes to the
log once. This is the only place of the screen that catches all exceptions.
"""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from am_dbg.log_once import Outages
from am_dbg.projection.clean import clean

REASON_CHARS_MAX = 200

_log = logging.getLogger(__name__)
_outages = Outages()

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Failed:
    """The stand-in for a value whose computation failed."""

    what: str
    error: Exception

    @property
    def reason(self) -> str:
        """The error on one line."""
        words = " ".join(f"{type(self.error).__name__}: {self.error}".split())
        return clean(words)[:REASON_CHARS_MAX]

    @property
    def words(self) -> str:
        """The line that its pane shows."""
        return f"could not be shown: {self.reason}"

    def log(self) -> None:
        """Log the trace, unless it was logged just now."""
        place = traceback.extract_tb(self.error.__traceback__)[-1]
        key = (self.what, type(self.error), place.filename, place.lineno)
        if _outages.begins(key, time.monotonic()):
            _log.error("%s failed", self.what, exc_info=self.error)


def attempt(what: str, work: Callable[[], _Value]) -> _Value | Failed:
    """Return the result of the work; return a failure for the caller to show and to log."""
    try:
        return work()
    except Exception as error:  # noqa: BLE001  # protects the session: a fault costs its view
        return Failed(what, error)
