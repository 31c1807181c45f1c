"""The log of a machine: lines by level, sent to a logger and kept in transitions.

A line is made only when its level is at most the machine's. It goes to the logger and, as
a `LogEntry`, to the transition that is under way, or else waits for the next one, which
takes what waits as its `pre_log_entries`. If many lines wait, the newest are kept, after
a line with the number of the missing ones. Loggers get a format and its arguments: the text
itself, or "%s" and the text if it has a percent sign, as a state's name may.

Tracers are notified of the first line that waits, and receive the list of all waiting
lines, so they can report lines that no transition ever takes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from machine._enums import LogLevel
from machine._given import A, check_callable, checked_flag, checked_level


class Logger(Protocol):
    """Takes the level of a line, its format and what to put into it, as `format % args`."""

    def __call__(self, level: LogLevel, format: str, /, *args: Any) -> object: ...


class SimpleLogger(Protocol):
    """Takes the format of a line and what to put into it."""

    def __call__(self, format: str, /, *args: Any) -> object: ...


ArgsMapper = Callable[[A], dict[str, str]]

PENDING_LINES_MAX = 1000
"""Lines kept for the next transition, besides the one that counts the missing."""
ID_PREFIX_CHARS = 5
HANDLER_CHARS = 15


def print_line(level: int, msg: str, *args: Any) -> None:
    """The default logger: prints to the standard output."""
    import sys

    sys.stdout.write((msg % args if args else msg) + "\n")


class LogEntry:
    """One line of a machine's log."""

    __slots__ = ("level", "text")

    def __init__(self, level: LogLevel, text: str) -> None:
        self.level: LogLevel = level
        self.text: str = text

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, LogEntry):
            return NotImplemented
        return self.level == other.level and self.text == other.text

    def __hash__(self) -> int:
        return hash((self.level, self.text))

    def __repr__(self) -> str:
        return f"LogEntry({self.level.name}, {self.text!r})"


new_entry: Callable[[type[LogEntry]], LogEntry] = object.__new__
"""Makes an entry without calling its `__init__`, which costs more than all that it does."""


class PendingLines(list[LogEntry]):
    """Lines written since the last transition, for the next one.

    `missing` counts older ones that were dropped, `taken` is True once a transition has them.
    """

    __slots__ = ("missing", "taken")

    def __init__(self) -> None:
        super().__init__()
        self.missing = 0
        self.taken = False

    def keep(self, entry: LogEntry) -> None:
        """Add the newest line, and drop the oldest if there are too many."""
        self.append(entry)
        if len(self) > PENDING_LINES_MAX:
            self.missing += 1
            del self[0]


class Logged(Protocol):
    """What code that writes into a machine's log needs of the machine."""

    _log_level: LogLevel

    @property
    def id(self) -> str: ...
    def log_lvl(self, level: LogLevel, msg: str, *args: Any) -> None: ...


class LineKeeper(Protocol):
    """A transition, as the log needs it."""

    completed: bool
    log_entries: list[LogEntry] | tuple[()]

    def begin_lines(self, entry: LogEntry) -> None: ...


class LineHooks(Protocol):
    """The tracers of a machine, as the log needs them."""

    lines_waiting: tuple[Callable[..., Any], ...]

    def fire(self, calls: Iterable[Callable[..., Any]], *args: Any) -> None: ...


class Logging:
    """The part of a machine that writes its log."""

    _id: str = ""
    _disposed: bool = False
    _log_id: bool = True
    _log_args: ArgsMapper | None = None
    _logger: Logger | None = staticmethod(print_line)

    _tx: LineKeeper | None
    _handler: str
    _log_level: LogLevel
    _pending_lines: PendingLines | tuple[()]
    _hooks: LineHooks | None

    @property
    def id(self) -> str:
        """The machine's id; 32 random hex digits unless it was given."""
        if not self._id:
            self._id = os.urandom(16).hex()
        return self._id

    def log(self, msg: str, *args: Any) -> None:
        """Write a line of the program's own, at level CHANGES; line ends become spaces."""
        if self._log_level < LogLevel.CHANGES:
            return
        text = (msg % args if args else msg).replace("\n", " ")
        handler = f":{self._handler[:HANDLER_CHARS]}" if self._handler else ""
        self.log_lvl(LogLevel.CHANGES, f"[extern{handler}] {text}")

    def log_lvl(self, level: LogLevel, msg: str, *args: Any) -> None:
        """Write a line as it is, at a level; for companion packages."""
        if level > self._log_level or self._disposed:
            return
        text = msg % args if args else msg
        if self._log_id:
            text = f"[{(self._id or self.id)[:ID_PREFIX_CHARS]}] {text}"
        entry = new_entry(LogEntry)
        entry.level, entry.text = level, text
        tx = self._tx
        if tx is None or tx.completed:
            self._keep_waiting(entry)
        elif tx.log_entries:
            tx.log_entries.append(entry)
        else:
            tx.begin_lines(entry)
        logger = self._logger
        if logger is None:
            return
        if "%" in text:
            logger(level, "%s", text)
        else:
            logger(level, text)

    def _keep_waiting(self, entry: LogEntry) -> None:
        pending = self._pending_lines
        if isinstance(pending, PendingLines):
            if pending[-1] != entry:
                pending.keep(entry)
            return
        pending = PendingLines()
        pending.keep(entry)
        self._pending_lines = pending
        hooks = self._hooks
        if hooks is not None and hooks.lines_waiting:
            hooks.fire(hooks.lines_waiting, self, pending)

    def _take_lines(self) -> Sequence[LogEntry]:
        """The lines that waited for a transition, after one that counts the missing."""
        pending, self._pending_lines = self._pending_lines, ()
        if not isinstance(pending, PendingLines):
            return pending
        pending.taken = True
        if not pending.missing:
            return pending
        what = "line is" if pending.missing == 1 else "lines are"
        text = f"… ({pending.missing:,} earlier {what} missing)"
        if self._log_id:
            text = f"[{self.id[:ID_PREFIX_CHARS]}] {text}"
        return [LogEntry(LogLevel.CHANGES, text), *pending]

    def waiting_lines(self) -> Sequence[LogEntry]:
        """The lines written since the last transition, which the next one takes."""
        return self._pending_lines

    def _args_text(self, args: A | None) -> str:
        """The arguments that the mapper selects, as the end of a line."""
        if not args or self._log_args is None:
            return ""
        shown = self._log_args(args)
        text = " ".join(f"{key}={shown[key]}" for key in sorted(shown))
        return f" ({text})" if text else ""

    # -- setting it up

    @property
    def log_level(self) -> LogLevel:
        """The level up to which lines are written."""
        return self._log_level

    def set_log_level(self, level: LogLevel | int) -> None:
        """Change the level, but not the logger."""
        self._log_level = checked_level(level, "log_level")
        self._set_slow()

    def set_logger(self, logger: Logger | None) -> None:
        """Send lines to `logger(level, format, *args)`; None prints them again."""
        if logger is not None:
            check_callable(logger, "a logger")
        self._logger = print_line if logger is None else logger

    def set_logger_simple(self, logf: SimpleLogger, level: LogLevel | int) -> None:
        """Send lines to `logf(format, *args)` and set the level."""
        if not callable(logf):
            raise ValueError("set_logger_simple needs a function; use set_logger(None) to reset")
        self._logger = lambda _level, msg, *args: logf(msg, *args)
        self.set_log_level(level)

    def set_logger_empty(self, level: LogLevel | int) -> None:
        """Send lines nowhere, but keep them in transitions for tracers."""
        self._logger = None
        self.set_log_level(level)

    def get_logger(self) -> Logger | None:
        """The logger in use; None when lines go nowhere."""
        return self._logger

    def set_log_id(self, val: bool) -> None:
        """Put the first characters of the id before each line, or not."""
        self._log_id = checked_flag(val, "log_id")

    def get_log_id(self) -> bool:
        """Whether each line begins with the id."""
        return self._log_id

    def set_log_args(self, mapper: ArgsMapper | None) -> None:
        """Choose which arguments log lines show."""
        if mapper is not None:
            check_callable(mapper, "log_args")
        self._log_args = mapper

    def get_log_args(self) -> ArgsMapper | None:
        """The function that chooses which arguments log lines show."""
        return self._log_args

    def _set_slow(self) -> None:
        """Update whether mutations may take the short way, after a setting changed."""
