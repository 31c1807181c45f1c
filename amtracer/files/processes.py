"""Identifies this process among others with the same program and the same environment.

It is loaded with the package, so that a process that is forked later knows it.
"""

from __future__ import annotations

import os
import sys
import time

BEGAN_S = time.time()
"""When the program began, as far as can be known; a forked child has its parent's."""
_forked = False


def is_child() -> bool:
    """Whether it is a forked one, since this module was loaded, or one of `multiprocessing`."""
    return _forked or is_worker()


def is_worker() -> bool:
    """Whether `multiprocessing` started it, also while it still loads the main module."""
    process = sys.modules.get("multiprocessing.process")
    if process is None:
        return False
    return process.parent_process() is not None or hasattr(process.current_process(), "_inheriting")


def _in_child() -> None:
    global _forked  # noqa: PLW0603 - it is of the process
    _forked = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
