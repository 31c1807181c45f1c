"""The suite gives the same result with any inherited signal settings."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

PROBE = """
import signal, subprocess, sys

SEEN = "from signal import *; print([n for n in (1, 2, 3, 15) if getsignal(n) is SIG_IGN])"


def test_what_a_program_inherits():
    seen = subprocess.run([sys.executable, "-c", SEEN], capture_output=True, text=True, check=True)
    assert seen.stdout == "[]\\n"
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == set()
"""


def ignored_and_blocked() -> None:
    """Signal settings that `nohup`, a shell's background job and a supervisor may pass on."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1, signal.SIGTERM})


@pytest.mark.slow
def test_signals_that_were_ignored_reach_the_programs_of_the_tests(
    root: Path, tmp_path: Path
) -> None:
    """A program started by a test inherits no ignored and no blocked signal."""
    probe = tmp_path / "test_probe.py"
    probe.write_text(PROBE, encoding="utf-8")

    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p"]
    command += ["tests.conftest", "-c", str(root / "pyproject.toml"), str(probe)]

    done = subprocess.run(
        command,
        cwd=root,
        preexec_fn=ignored_and_blocked,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stdout
