"""The source archive is the whole project: what is in it can be built, tested and read."""

from __future__ import annotations

import os
import subprocess
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def unpacked(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive, unpacked in a folder of its own."""
    folder = tmp_path_factory.mktemp("source")
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        archive.extractall(folder, filter="data")
    return next(folder.iterdir())


def pytest_there(python: Path, folder: Path, *args: str) -> str:
    """The last line of a run of the suite in that folder, which has to end well."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("AM_")}
    done = subprocess.run(
        [str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", *args],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4_000:]
    return done.stdout.splitlines()[-1]


def test_every_file_of_the_project_is_in_the_archive(unpacked: Path) -> None:
    """Nothing that is under version control is left out."""
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, timeout=30, check=False
    )
    here = [name for name in listed.stdout.splitlines() if (ROOT / name).exists()]

    assert listed.returncode == 0
    assert [name for name in here if not (unpacked / name).exists()] == []


def test_the_archive_tests_itself(unpacked: Path, installed: Path) -> None:
    """All tests are found there, and those of the project's rules and of whole programs pass."""
    python = installed / "python"

    assert "collected" in pytest_there(python, unpacked, "--collect-only")
    assert "passed" in pytest_there(
        python, unpacked, "-m", "not slow", "--timeout=60", "tests/house", "tests/e2e"
    )
