"""Loads the package `machine` that is installed beside this one, whatever else has its name.

The modules of the library import each other as `machine...`. A file `machine.py` in the folder
of a program comes before installed packages, so it would be found in place of the library. This
module therefore looks at its own location. From then on `machine` is the library for the whole
process, also for `import machine` in the program: a process has one module of each name.

If another `machine` was imported before, it stays, and ImportError says how to go on. It could
not be replaced, since its importers hold it already.
"""

from __future__ import annotations

import os
import sys
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec, module_from_spec

NAME = "machine"
HOME = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
"""The folder in which both packages are."""


def load() -> None:
    """Make `machine` the package beside this one; raises ImportError if the name is taken."""
    loaded = sys.modules.get(NAME)
    spec = PathFinder.find_spec(NAME, [HOME])
    if spec is None or spec.origin is None:  # as in a frozen program: there is only one
        return
    if loaded is not None:
        _check(getattr(loaded, "__file__", None), spec.origin)
        return
    found = find_spec(NAME)
    if found is None or not _is_same(found.origin, spec.origin):
        _load_from(spec)


def _check(taken_by: str | None, ours: str) -> None:
    if not _is_same(taken_by, ours):
        where = taken_by or "a module without a file"
        raise ImportError(
            f"asyncmachine needs the name `{NAME}`, which {where} has taken;"
            " import asyncmachine before it, or rename it",
            name=NAME,
            path=taken_by,
        )


def _is_same(path: str | None, ours: str) -> bool:
    return path is not None and os.path.realpath(path) == os.path.realpath(ours)


def _load_from(spec: ModuleSpec) -> None:
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[NAME] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[NAME]
        raise


load()
