"""Reads the log level from an environment variable."""

from __future__ import annotations

import os

from machine._enums import LogLevel
from machine._logging.report import warn


def log_level_from_env(name: str = "AM_LOG") -> LogLevel:
    """The level in an environment variable; NOTHING when it is no level.

    Empty is the same as not set. A value that is no level is reported once in each process, by the
    logger "asyncmachine".
    """
    text = os.environ.get(name, "").strip()
    try:
        return LogLevel(int(text or "0"))
    except ValueError:
        if name not in _reported:
            _reported.add(name)
            levels = ", ".join(f"{level:d} ({level!s})" for level in LogLevel)
            warn("%s: %.60r is no log level; there are %s; nothing is logged", name, text, levels)
        return LogLevel.NOTHING


_reported: set[str] = set()
"""Variables that were reported because they hold no log level."""
