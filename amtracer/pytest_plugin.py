"""The plugin of pytest: sessions of failed tests, and a clock that is moved by hand.

pytest loads it by its entry point `asyncmachine`; a program never does. What it needs is loaded
by the first test that can have machines, so a suite without them pays one look-up a test.

While a test runs, with its fixtures, every machine that is made is recorded in memory. If the
setup, the test or the teardown fails, the recording becomes a session file, and the report has
the command that opens it. Nothing is left of a test that passes. Machines of fixtures with a
wider scope are in the recording of every test that runs while they live. Not recorded are
machines that were made at import, those in other processes, and those of the very first test
if only its body imports the library. A process that is killed writes nothing.

Each test has a folder of its own, and each worker of pytest-xdist a file in it. The file is
written by the process that ran the test, as soon as its teardown has ended, so it is there
too if that was a forked child. A test that is run again replaces its file.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
import tempfile
import zlib
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import machine as am
    from amtracer.tracer.held_recordings import HeldRecording, Listener, LongLived
    from asyncmachine.testing import ManualClock

OFF = "off"
"""The value of the option with which nothing is recorded."""
LIBRARY = "machine._machine.machine"
TITLE = "asyncmachine session"
NAME_CHARS_MAX = 80
"""Characters of a test's id in the name of its folder; a checksum follows."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--am-sessions` and the setting `am_sessions`."""
    text = (
        f"folder for the sessions of failed tests, or `{OFF}` to record none;"
        " by default a folder in pytest's temporary one"
    )
    parser.getgroup("asyncmachine").addoption("--am-sessions", metavar="DIR", help=text)
    parser.addini("am_sessions", text, default="")


def pytest_configure(config: pytest.Config) -> None:
    """Record tests from now on, unless that is switched off."""
    wanted = config.getoption("--am-sessions") or config.getini("am_sessions")
    if wanted != OFF:
        folder = config.invocation_params.dir / wanted if wanted else None
        config.pluginmanager.register(FailedSessions(folder), "asyncmachine-sessions")


@pytest.fixture
def am_clock() -> Iterator[ManualClock]:
    """The clock of deadlines, waits and contexts, moved by hand: `am_clock.advance(5)`."""
    from asyncmachine.testing import ManualClock

    with ManualClock() as clock:
        yield clock


class FailedSessions:
    """Keeps the sessions of tests that fail, in this folder or in pytest's temporary one."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._recording: HeldRecording | None = None
        self._listener_before: Listener | None = None
        self._failed = False
        self._is_wide = False
        self._long_lived: LongLived | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Begin to record, before the fixtures of the test; a test that runs again, again."""
        self._end()
        if LIBRARY not in sys.modules:
            return
        from amtracer.tracer.held_recordings import HeldRecording, LongLived, listen

        if self._folder is None:
            self._folder = temporary_folder(item.config)
        folder = self._folder / folder_name(item.nodeid)
        self._recording = HeldRecording(folder / f"{worker()}.msgpack.br")
        if self._long_lived is None:
            self._long_lived = LongLived()
        self._long_lived.add_to(self._recording)
        self._listener_before = listen(self._hear)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[Any]
    ) -> Generator[None, Any, None]:
        """Find out which machines live longer than one test."""
        before = self._is_wide
        self._is_wide = before or fixturedef.scope != "function"
        yield
        self._is_wide = before

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, call: pytest.CallInfo[None]) -> Generator[None, Any, None]:
        """Name the session in the report of what failed; write it after the teardown."""
        outcome = yield
        recording = self._recording
        if recording is None:
            return
        report: pytest.TestReport = outcome.get_result()
        if report.failed and recording.count:
            self._failed = True
            report.sections.append((TITLE, f"am-dbg -i {shlex.quote(recording.file)}"))
        if call.when == "teardown":
            self._end()

    def pytest_unconfigure(self) -> None:
        """Write the session of a test that was interrupted after it had failed."""
        self._end()

    def _hear(self, mach: am.Machine) -> None:
        if self._recording is not None:
            self._recording.add(mach)
        if self._is_wide and self._long_lived is not None:
            self._long_lived.add(mach)

    def _end(self) -> None:
        """End the recording, if there is one; write it if the test failed."""
        recording, self._recording = self._recording, None
        if recording is None:
            return
        from amtracer.tracer.held_recordings import listen

        listen(self._listener_before)
        if self._failed:
            self._failed = False
            remove_earlier(Path(recording.file))
            recording.write()
        recording.end()


def worker() -> str:
    """The name of this worker of pytest-xdist, else `run`."""
    return os.environ.get("PYTEST_XDIST_WORKER", "run")


def remove_earlier(file: Path) -> None:
    """Remove what an earlier run of the same test left for the same worker."""
    for old in file.parent.glob("*.msgpack.br"):
        if old.name.startswith(f"{worker()}."):
            old.unlink()


def folder_name(test: str) -> str:
    """The folder for a test: its id as far as file names allow, and a checksum of it."""
    readable = re.sub(r"[^\w.]+", "-", test, flags=re.ASCII).strip("-.")
    return f"{readable[-NAME_CHARS_MAX:]}-{zlib.crc32(test.encode()):08x}"


def temporary_folder(config: pytest.Config) -> Path:
    """A folder in pytest's temporary one, which pytest removes after some runs."""
    factory: pytest.TempPathFactory | None = getattr(config, "_tmp_path_factory", None)
    base = Path(tempfile.mkdtemp(prefix="pytest-")) if factory is None else factory.getbasetemp()
    return base / "am-sessions"
