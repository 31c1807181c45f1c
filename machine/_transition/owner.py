"""Names the class `Machine` in the types of what it hands to users.

An event, a transition, a tracer's hook and a resolver get the whole machine, and `Machine` is
built from all the other modules. This is the one place that refers to it from below, and only
for type checkers; everything else is typed by protocols of what it needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from machine._machine.machine import Machine as Machine  # noqa: PLC0414 - for others
