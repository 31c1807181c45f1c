"""Reads the open work of traced machines (waiters, contexts, tasks), on the sender's thread.

Machines do not report their open work themselves, because it begins and ends too often, and
most of it ends at once. To poll a machine without open work costs about a microsecond.
"""

from __future__ import annotations

from collections.abc import Iterator

import machine as am
from amtracer.send.events import OpenWorkEvent
from amtracer.send.sender import Sender
from amtracer.tracer.traced_machines import traced_machines
from amtracer.wire.limits import OPEN_WORK_MAX

_count = am.Machine.open_count
_work = am.Machine.open_work


def read_open_work(sender: Sender, last: bool) -> Iterator[OpenWorkEvent]:
    """The open work of each machine of a sender that has some, or had some at the last poll."""
    for machine, mach in traced_machines.recorded_by(sender):
        count = _count(mach)
        if count:
            work = _work(mach, OPEN_WORK_MAX)
            yield OpenWorkEvent(machine, work, max(0, count - len(work)), last=last)
        elif machine.open_work or machine.open_since:
            yield OpenWorkEvent(machine, (), last=last)
