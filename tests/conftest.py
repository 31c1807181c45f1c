"""What every test stands on: examples of Hypothesis are the same in every run."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator

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
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "house"))


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
