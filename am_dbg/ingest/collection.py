"""Postpones the garbage collector while the program loads its modules.

Loading makes hundreds of thousands of objects that stay until the end, and the collector would go
through them again and again: that takes a tenth of the time of a start. When the program is loaded,
they become permanent, and later collections, which delay keys, do not go through them.
"""

from __future__ import annotations

import gc


def postpone_collection() -> None:
    """Collect nothing until `resume_collection`; memory is bounded by what modules need."""
    gc.disable()


def resume_collection() -> None:
    """Set everything that was loaded aside and collect from now on; nothing if not postponed."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
