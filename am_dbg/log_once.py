"""Logs a repeated fault once: recognises when an outage begins and when it only goes on."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

QUIET_S = 60.0
"""The silence that ends an outage; longer than the wait of any tracer or debugger to retry."""
OUTAGES_MAX = 256
"""Outages that are remembered; beyond that the one that was quiet longest is forgotten."""


class Outages:
    """Faults that happen again and again, each known by a key."""

    def __init__(self) -> None:
        self._last: OrderedDict[Hashable, float] = OrderedDict()

    def begins(self, key: Hashable, now: float) -> bool:
        """Note a fault; return whether it is the first one, or the first one after a silence."""
        last = self._last.pop(key, None)
        self._last[key] = now
        if len(self._last) > OUTAGES_MAX:
            self._last.popitem(last=False)
        return last is None or now - last > QUIET_S
