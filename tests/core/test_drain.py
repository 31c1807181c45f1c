"""The right to drain the queue, at the moments when several threads want it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import machine as am

Made = Callable[..., am.Machine]


def test_what_vanishes_from_the_queue_is_canceled(made: Made) -> None:
    """A disposal may empty the queue after the drainer saw that there is something."""

    class Vanishing(deque[Any]):
        def popleft(self) -> Any:
            self.clear()
            return super().popleft()

    mach = made()
    mach._queue = Vanishing()

    assert mach.can_add1("A") is am.Result.CANCELED
    assert mach._is_idle()


def test_who_finds_another_drainer_leaves_the_rest_to_it(made: Made, recorder: Any) -> None:
    """Of two that look after a drain if something came meanwhile, one works it off."""
    mach = made(tracers=[recorder])
    recorder.events.clear()
    del mach._idle
    assert mach.add1("A") is am.Result.QUEUED

    mach._end_drain()
    assert recorder.events == ["mutation_queued"]
    mach._idle = None
    mach._end_drain()
    assert recorder.events[-2:] == ["transition_end", "queue_end"]
    assert mach.is1("A")
