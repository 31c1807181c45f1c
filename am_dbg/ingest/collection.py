"""Postpones the garbage collector while many objects are made that stay.

The collector would go through them again and again: through the modules while the program is
loaded, which takes a tenth of the time of a start, and through the heads of a session while it is
opened, which takes up to half of it.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


def postpone_collection() -> None:
    """Collect nothing until `resume_collection`; memory is bounded by what modules need."""
    gc.disable()


def resume_collection() -> None:
    """Set everything that was loaded aside and collect from now on; nothing if not postponed."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


@contextmanager
def collection_postponed() -> Iterator[None]:
    """Collect nothing within it, in no thread; memory grows by what is made there."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
