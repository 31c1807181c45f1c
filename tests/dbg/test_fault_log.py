"""What is logged of peers that do something wrong, and what of a flood of them."""

from __future__ import annotations

import logging

import pytest

from am_dbg.ingest.fault_log import LINES_MAX, LINES_S, FaultLog
from am_dbg.log_once import QUIET_S

LEVELS = (logging.WARNING, logging.INFO)


@pytest.fixture
def words() -> list[str]:
    return []


@pytest.fixture
def faults(words: list[str], caplog: pytest.LogCaptureFixture) -> FaultLog:
    caplog.set_level(logging.INFO, "am_dbg.ingest.server")
    return FaultLog(words.append)


def test_trouble_is_reported_when_it_begins(
    faults: FaultLog, words: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    """The user reads it once for each host and outage; after a silence it is another one."""
    for host, now in (("a", 0.0), ("a", 1), ("b", 2), ("a", 3), ("a", 4 + QUIET_S)):
        faults.report(host, "no token", f"{host} closed", now, levels=LEVELS, words=host)

    assert words == ["a", "b", "a"]
    levels = [record.levelname for record in caplog.records]
    assert levels == ["WARNING", "INFO", "WARNING", "INFO", "WARNING"]


def test_numbers_and_names_in_a_text_do_not_make_it_another_trouble(
    faults: FaultLog, words: list[str]
) -> None:
    """A client that sends another version or name each time is reported once."""
    for number in range(50):
        trouble = f"version {number} of 'name {number}'"
        faults.report("a", trouble, trouble, 0, levels=LEVELS, words=trouble)

    assert len(words) == 1


def test_a_flood_that_is_always_new_is_cut_off(
    faults: FaultLog, words: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    """So many lines are written; one more reports how many were left out."""
    for number in range(10 * LINES_MAX):
        host = f"host {number}"
        faults.report(host, "odd", f"{host} closed", 0, levels=LEVELS, words=host)
    assert len(words) == len(caplog.records) == LINES_MAX
    faults.settle(LINES_S - 0.1)
    assert len(caplog.records) == LINES_MAX
    faults.settle(LINES_S)
    faults.settle(LINES_S)

    assert len(caplog.records) == LINES_MAX + 1
    assert f"{9 * LINES_MAX} more lines" in caplog.messages[-1]


def test_trouble_that_only_goes_on_leaves_room_for_what_begins(
    faults: FaultLog, words: list[str]
) -> None:
    """One host that tries again and again hides no other."""
    for _ in range(10 * LINES_MAX):
        faults.report("a", "no token", "a closed", 0, levels=LEVELS, words="a")
    faults.report("b", "no token", "b closed", 0, levels=LEVELS, words="b")

    assert words == ["a", "b"]
