"""Detects whether this process is a child, forked or started by `multiprocessing`.

The package imports this module first, so that it also detects later forks.
"""

from __future__ import annotations

import os
import sys
import time

BEGAN_S = time.time()
"""When this module was loaded; a forked child has the value of its parent."""
_forked = False


def is_child() -> bool:
    """Whether the process was forked after this module was loaded, or is a worker."""
    return _forked or is_worker()


def is_worker() -> bool:
    """Whether `multiprocessing` started the process; true while it loads the main module too."""
    process = sys.modules.get("multiprocessing.process")
    if process is None:
        return False
    return process.parent_process() is not None or hasattr(process.current_process(), "_inheriting")


def _in_child() -> None:
    global _forked  # noqa: PLW0603 - it is of the process
    _forked = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
