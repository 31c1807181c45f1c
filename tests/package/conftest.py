"""What users install: tried only by `make package`, which builds it first."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

BUILT = os.environ.get("AM_PACKAGE")
collect_ignore_glob = [] if BUILT else ["test_*"]


@pytest.fixture(scope="session")
def built() -> Path:
    """The folder with the wheel, the source archive, and `env`, where the wheel is installed."""
    return Path(BUILT or "").resolve()


@pytest.fixture(scope="session")
def installed(built: Path) -> Path:
    """The programs of the environment in which the wheel is installed."""
    return built / "env" / "bin"
