"""What every test stands on: examples of Hypothesis are the same in every run."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from types import FrameType

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "house",
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("long", parent=settings.get_profile("house"), max_examples=2_000)
settings.register_profile("few", parent=settings.get_profile("house"), max_examples=10)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "house"))


def _let_pass(_number: int, _frame: FrameType | None) -> None:
    """The program that started the suite wants this signal ignored."""


@pytest.fixture(scope="session", autouse=True)
def _no_inherited_signals() -> Iterator[None]:
    """Programs that tests start get every signal, also under `nohup` and in the background.

    A process passes on which signals it ignores or blocks, but no handler of its own. The suite
    itself goes on ignoring them.
    """
    blocked = signal.pthread_sigmask(signal.SIG_SETMASK, ())
    ignored = [number for number in signal.valid_signals() if is_inherited(number)]
    for number in ignored:
        is_interrupt = number == signal.SIGINT
        signal.signal(number, signal.default_int_handler if is_interrupt else _let_pass)
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


@pytest.fixture(scope="session", autouse=True)
def _no_inherited_size() -> None:
    """Programs that tests start have the size of their terminal, not that of the suite's."""
    for name in ("COLUMNS", "LINES"):
        os.environ.pop(name, None)


def is_inherited(number: int) -> bool:
    """Is this signal ignored because the program that started the suite ignores it?

    Python itself ignores two signals in every process, and passes on neither of them.
    """
    by_python = (signal.SIGPIPE, getattr(signal, "SIGXFSZ", None))
    return number not in by_python and signal.getsignal(number) is signal.SIG_IGN


@pytest.fixture(scope="session", autouse=True)
def _home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Screens read and write no configuration and no state of the user who runs the tests."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(home / "config"))
        patch.setenv("XDG_STATE_HOME", str(home / "state"))
        yield home


_numbers = count(1)


@pytest.fixture(autouse=True)
def _own_state(_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test finds the place where another one left a session."""
    monkeypatch.setenv("XDG_STATE_HOME", str(_home / f"state-{next(_numbers)}"))


@pytest.fixture(autouse=True)
def _no_debugger(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell that debugs its programs must not change what the tests see."""
    for name in [name for name in os.environ if name.startswith(("AM_DBG", "AM_LOG"))]:
        monkeypatch.delenv(name)
    for name in ("AM_DEBUG", "AM_TEST_RUNNER"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def log_as_before() -> Iterator[None]:
    """A screen takes the log of the debugger, and that of its tracer, from the terminal."""
    loggers = [logging.getLogger(name) for name in ("am_dbg", "amtracer")]
    before = [(logger.propagate, logger.level, logger.handlers) for logger in loggers]
    yield
    for logger, (propagate, level, handlers) in zip(loggers, before, strict=True):
        logger.propagate, logger.handlers = propagate, handlers
        logger.setLevel(level)
