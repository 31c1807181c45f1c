"""Reads what is open in the traced machines (waiters, contexts, tasks), on the sender's thread.

Machines do not report it themselves: to begin and to end waiting is too frequent, and most
of it is over at once. A look at a machine in which nothing is open costs about a microsecond.
"""

from __future__ import annotations

from collections.abc import Iterator

import machine as am
from amtracer.send.events import Open
from amtracer.send.sender import Sender
from amtracer.tracer.traced_machines import watched
from amtracer.wire.limits import OPEN_WORK_MAX

_count = am.Machine.open_count
_work = am.Machine.open_work


def open_work(sender: Sender, last: bool) -> Iterator[Open]:
    """What is open in each machine that is recorded for this sender, where there is any or was."""
    for machine, mach in watched.told_to(sender):
        count = _count(mach)
        if count:
            work = _work(mach, OPEN_WORK_MAX)
            yield Open(machine, work, max(0, count - len(work)), last=last)
        elif machine.open or machine.open_since:
            yield Open(machine, (), last=last)
