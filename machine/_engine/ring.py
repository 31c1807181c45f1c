"""Warns once about a drain that does not end, and names the states that keep it going.

Handlers may mutate their machine, and pipes lead from one machine to another and back. If
each mutation causes the next, the drain never ends. The machine cannot know that, so it
counts: a drain that has carried out `DRAIN_MAX` mutations is reported once, with the states
that were called or changed during the last of them. It goes on all the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from machine._engine.engine import DRAIN_MAX
from machine._logging.report import warn

if TYPE_CHECKING:
    from machine._engine.engine import Engine
    from machine._resolution.mutation import Mutation

STATES_MAX = 20


class Ring:
    """The end of a long drain, looked at more closely."""

    __slots__ = ("_called", "_mach", "_ticks")

    def __init__(self, mach: Engine) -> None:
        self._mach = mach
        self._ticks = mach._ticks
        self._called: dict[str, None] = {}

    def look(self, count: int, mutation: Mutation) -> None:
        """Note a mutation that is about to run; report when there were too many."""
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
        """The names of those that were called or changed, at most some of them."""
        mach = self._mach
        found = dict(self._called)
        for name, before, after in zip(mach._schema.names, self._ticks, mach._ticks, strict=False):
            if before != after:
                found[name] = None
        names = [*found]
        more = len(names) - STATES_MAX
        return " ".join(names[:STATES_MAX]) + f" and {more} more" * (more > 0)
