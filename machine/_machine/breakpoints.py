"""Breakpoints: log a stack trace when a mutation adds or removes certain states."""

from __future__ import annotations

from typing import TYPE_CHECKING

from machine._enums import LogLevel, MutationType
from machine._schema.schema import Call

if TYPE_CHECKING:
    from machine._logging.log import Logging


class Breakpoints:
    """The added and removed states for which a machine logs a breakpoint line."""

    __slots__ = ("_exact", "_loose")

    def __init__(self) -> None:
        self._exact: set[tuple[MutationType, frozenset[str]]] = set()
        self._loose: set[tuple[MutationType, frozenset[str]]] = set()

    def add(self, added: tuple[str, ...], removed: tuple[str, ...], *, strict: bool) -> None:
        """Watch for an add of `added`, or a removal of `removed`, if only one is given."""
        watched = self._exact if strict else self._loose
        if added and not removed:
            watched.add((MutationType.ADD, frozenset(added)))
        if removed and not added:
            watched.add((MutationType.REMOVE, frozenset(removed)))

    def check(self, mach: Logging, call: Call, *, with_stack: bool) -> None:
        """Write the line if this call is watched, in the thread that makes it."""
        called = frozenset(call.names)
        loose = any(kind is call.type and names <= called for kind, names in self._loose)
        if not loose and (call.type, called) not in self._exact:
            return
        stack = ""
        if with_stack:
            import traceback

            stack = "\n" + "".join(traceback.format_stack()[:-2])
        mach.log_lvl(LogLevel.CHANGES, f"[breakpoint] Machine.breakpoint{stack}")
