"""Reports faults of peers in the log and to the user, and limits a flood of reports.

The same trouble of the same host is reported when it begins, once for each outage. A flood
of reports whose texts or hosts always differ is cut off after some lines; one more line says
how many reports were left out.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable

from am_dbg.log_once import Outages

LINES_MAX = 20
"""Lines in so many seconds; what is more is only counted."""
LINES_S = 60.0

_VARYING = re.compile(r"""'[^']*'|"[^"]*"|\d[\d,.]*""")
_KIND_CHARS_MAX = 200

_log = logging.getLogger("am_dbg.ingest.server")


class FaultLog:
    """Reports trouble; `warned` is given what the user should know, too."""

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
        """Log a line about this host; when the trouble begins the words are shown to the user.

        The first level is for trouble that begins, the second for what only goes on.
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
        """Report how many lines were left out, when their time is over."""
        if self._left_out and self._begun.is_over(now) and self._going_on.is_over(now):
            _log.info("%d more lines about peers that were sent away are left out", self._left_out)
            self._left_out = 0


class _RateLimit:
    """So many lines in so many seconds."""

    def __init__(self) -> None:
        self._lines = 0
        self._since = float("-inf")

    def is_over(self, now: float) -> bool:
        """Whether the seconds are over."""
        return now - self._since >= LINES_S

    def take(self, now: float) -> bool:
        """Take the place of a line, if there is one."""
        if self.is_over(now):
            self._lines, self._since = 0, now
        self._lines += 1
        return self._lines <= LINES_MAX
