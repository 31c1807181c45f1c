"""Where the reference data lies: beside the checkout as `shared`, or where AM_SHARED says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

BESIDE = Path(__file__).resolve().parents[2] / "shared"
SHARED = Path(os.environ.get("AM_SHARED") or BESIDE)


def dumps() -> Path:
    """The folder of recorded sessions and connections; a test that needs it skips without it."""
    folder = SHARED / "dumps"
    if not folder.is_dir():
        pytest.skip(f"needs the reference data, in {SHARED}", allow_module_level=True)
    return folder
