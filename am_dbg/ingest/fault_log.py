"""Reports faults of peers in the log and to the user, with a limit for floods.

A repeated fault of one host is reported when it begins, once for each outage. If texts or hosts
always differ, a limited number of lines is logged; one more line has the number of the others.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable

from am_dbg.log_once import Outages

LINES_MAX = 20
"""The most lines in `LINES_S` seconds; more are only counted."""
LINES_S = 60.0

_VARYING = re.compile(r"""'[^']*'|"[^"]*"|\d[\d,.]*""")
_KIND_CHARS_MAX = 200

_log = logging.getLogger("am_dbg.ingest.server")


class FaultLog:
    """Reports faults; `warned` gets the words that are for the user too."""

    def __init__(self, warned: Callable[[str], None]) -> None:
        self._warned = warned
        self._outages = Outages()
        self._begun, self._going_on = _RateLimit(), _RateLimit()
        self._left_out = 0

    def report(
        self,
        host: str,
        trouble: str,
        line: str,
        now: float,
        *,
        levels: tuple[int, int] = (logging.INFO, logging.INFO),
        words: str = "",
    ) -> None:
        """Log a line about this host; show the words to the user when the trouble begins.

        The first level is for trouble that begins, the second for trouble that continues.
        """
        kind = _VARYING.sub("#", trouble)[:_KIND_CHARS_MAX]
        is_new = self._outages.begins((host, kind), now)
        level = levels[0 if is_new else 1]
        if level > logging.DEBUG and not (self._begun if is_new else self._going_on).take(now):
            self._left_out += 1
            level = logging.DEBUG
        elif is_new and words:
            self._warned(words)
        _log.log(level, "%s", line)

    def settle(self, now: float) -> None:
        """Report how many lines were left out, at the end of their seconds."""
        if self._left_out and self._begun.is_over(now) and self._going_on.is_over(now):
            _log.info("%d more lines about refused peers are left out", self._left_out)
            self._left_out = 0


class _RateLimit:
    """Allows `LINES_MAX` lines in `LINES_S` seconds."""

    def __init__(self) -> None:
        self._lines = 0
        self._since = float("-inf")

    def is_over(self, now: float) -> bool:
        """Whether the seconds are over."""
        return now - self._since >= LINES_S

    def take(self, now: float) -> bool:
        """Count a line; return whether it is within the limit."""
        if self.is_over(now):
            self._lines, self._since = 0, now
        self._lines += 1
        return self._lines <= LINES_MAX
