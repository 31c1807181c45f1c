"""Warns once about a drain that does not end, and names the states that keep it going.

Handlers may mutate their machine, and pipes lead from one machine to another and back. If
each mutation causes the next, the drain never ends. The machine cannot detect that, so it
counts: a drain that has carried out `DRAIN_MAX` mutations is reported once, with the states
that were called or changed during the last of them. It goes on all the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from machine._engine.queue import DRAIN_MAX
from machine._logging.report import warn

if TYPE_CHECKING:
    from machine._resolution.mutation import Mutation
    from machine._schema.schema import Schema

STATES_MAX = 20


class Clocked(Protocol):
    """A machine, as the report of a long drain needs it."""

    _schema: Schema
    _ticks: list[int]

    @property
    def id(self) -> str: ...


class LongDrain:
    """The last mutations before a drain is reported, and the states that they concern."""

    __slots__ = ("_called", "_mach", "_ticks")

    def __init__(self, mach: Clocked) -> None:
        self._mach = mach
        self._ticks = mach._ticks
        self._called: dict[str, None] = {}

    def add(self, count: int, mutation: Mutation) -> None:
        """Record a mutation that is about to run, and report the drain if it is the last one."""
        if count < DRAIN_MAX:
            self._called.update(dict.fromkeys(mutation.call.names))
        else:
            warn(
                "machine %s has carried out %d mutations in one drain and goes on;"
                " states involved: %s",
                self._mach.id,
                count,
                self._states(),
            )

    def _states(self) -> str:
        """The names of the states that were called or changed, at most `STATES_MAX`."""
        mach = self._mach
        found = dict(self._called)
        for name, before, after in zip(mach._schema.names, self._ticks, mach._ticks, strict=False):
            if before != after:
                found[name] = None
        names = [*found]
        more = len(names) - STATES_MAX
        return " ".join(names[:STATES_MAX]) + f" and {more} more" * (more > 0)
