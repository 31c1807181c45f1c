"""Recognises repeated faults, so that each outage is logged once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

QUIET_S = 60.0
"""The silence that ends an outage; longer than a tracer or debugger waits before it retries."""
OUTAGES_MAX = 256
"""Outages that are remembered; beyond that the oldest one is forgotten."""


class Outages:
    """Faults that happen again and again, each with a key."""

    def __init__(self) -> None:
        self._last: OrderedDict[Hashable, float] = OrderedDict()

    def begins(self, key: Hashable, now: float) -> bool:
        """Record a fault; return whether it is the first one, or the first after a silence."""
        last = self._last.pop(key, None)
        self._last[key] = now
        if len(self._last) > OUTAGES_MAX:
            self._last.popitem(last=False)
        return last is None or now - last > QUIET_S
