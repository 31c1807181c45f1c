"""Screens are the same wherever the tests run."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from am_dbg.control import Control
from am_dbg.store import Store, Track
from tests.screens.stories import files_story


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Wall times on the screen are local; here that is UTC."""
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.delenv("NO_COLOR", raising=False)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture(autouse=True)
def _no_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """Accepted screens stay as they are when a version is released."""
    monkeypatch.setattr("am_dbg.projection.counts.program_version", lambda: "am-dbg")


@pytest.fixture
def store() -> Store:
    """The story of the processed file."""
    return files_story().store()


@pytest.fixture
def worker(store: Store) -> Track:
    """Its main machine."""
    track = store.find("worker")
    assert track is not None
    return track


@pytest.fixture
def control(store: Store) -> Control:
    """A control at the end of the main machine, at the size of a wide screen."""
    control = Control(store, reader=True)
    control.data_arrived()
    control.project(160, 45)
    return control
