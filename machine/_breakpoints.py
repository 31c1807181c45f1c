"""Breakpoints: a log line, with the stack, when certain states are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from machine._enums import LogLevel, MutationType
from machine._schema import Call

if TYPE_CHECKING:
    from machine._logging import Logging


class Breakpoints:
    """The added and removed states that a machine stops to tell about."""

    __slots__ = ("_watched",)

    def __init__(self) -> None:
        self._watched: set[tuple[MutationType, frozenset[str]]] = set()

    def add(self, added: tuple[str, ...], removed: tuple[str, ...]) -> None:
        """Watch for an add of exactly `added`, or a removal of exactly `removed`."""
        if added and not removed:
            self._watched.add((MutationType.ADD, frozenset(added)))
        if removed and not added:
            self._watched.add((MutationType.REMOVE, frozenset(removed)))

    def look_at(self, mach: Logging, call: Call, *, with_stack: bool) -> None:
        """Write the line if this call is watched, in the thread that makes it."""
        if (call.type, frozenset(call.names)) not in self._watched:
            return
        stack = ""
        if with_stack:
            import traceback

            stack = "\n" + "".join(traceback.format_stack()[:-2])
        mach.log_lvl(LogLevel.CHANGES, f"[breakpoint] Machine.breakpoint{stack}")
