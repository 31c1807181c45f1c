"""Sends a machine's log lines to the standard `logging` package."""

from __future__ import annotations

from typing import TYPE_CHECKING

from machine._enums import LogLevel

if TYPE_CHECKING:
    import logging

    from machine._logging.log import Logging

LOGGER = "asyncmachine"


def log_to(
    mach: Logging, logger: logging.Logger | str = LOGGER, level: LogLevel | int | None = None
) -> None:
    """Send the lines of a machine to a logger, given or named, and set the machine's level.

    Errors become ERROR, changes and operations INFO, the rest DEBUG. Each record has the
    machine's id as `machine` and the level of the line as `machine_level`. Without `level`
    the machine keeps its level.
    """
    import logging  # loading it costs more than the rest of the package

    target = logging.getLogger(logger) if isinstance(logger, str) else logger

    def write(line_level: int, msg: str, *args: object) -> None:
        text = msg % args if args else msg
        severity = _severity(line_level, text, mach)
        extra = {"machine": mach.id, "machine_level": str(LogLevel(line_level))}
        target.log(severity, "%s", text, extra=extra)

    mach.set_logger(write)
    if level is not None:
        mach.set_log_level(level)


def _severity(level: int, text: str, mach: Logging) -> int:
    import logging

    start = text.find("] ") + 2 if mach.get_log_id() else 0
    if text.startswith(("[error", "[raised"), start):
        return logging.ERROR
    return logging.INFO if level <= LogLevel.OPS else logging.DEBUG
