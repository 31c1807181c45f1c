"""Keeps the pauses of the garbage collector short, however much data is held.

The collector goes through all objects again and again while every thread waits: at half a
microsecond each, a session of ten thousand machines takes half a second. So it is postponed while
many objects are made that stay: modules while the program loads, heads while a session is opened.
In a process that is the debugger's own, what survives a full collection is set aside: later
collections do not go through it. References free it as before, only circles in it stay. What the
store lets go of has no circles.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

_FULL = 2
"""The generation of a full collection."""


def postpone_collection() -> None:
    """Collect nothing until `resume_collection`; memory is bounded by what modules need."""
    gc.disable()


def resume_collection() -> None:
    """Collect from now on, except what is set aside; nothing if it was not postponed.

    The loaded modules are set aside now, later the objects that survive a full collection.
    """
    if not gc.isenabled():
        gc.freeze()
        gc.callbacks.append(set_survivors_aside)
        gc.enable()


def set_survivors_aside(phase: str, details: Mapping[str, int]) -> None:
    """Set aside what survived a full collection; the collector calls this."""
    if phase == "stop" and details["generation"] == _FULL:
        gc.freeze()


@contextmanager
def collection_postponed() -> Iterator[None]:
    """Collect nothing within it, in no thread; memory grows by what is made there.

    In a process of the debugger, what was made is set aside.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if set_survivors_aside in gc.callbacks:
            gc.freeze()
        if was_enabled:
            gc.enable()
