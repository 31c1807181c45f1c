"""The `Healthcheck` that is added to machines while nothing else happens."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator

import pytest

import amtracer
import machine as am
from amtracer.tracer.healthcheck import HealthChecks, health_checks

WAIT_S = 30
LIVING = {"Healthcheck": am.State(multi=True), "Ready": am.State()}


@pytest.fixture
def checks() -> Iterator[HealthChecks]:
    """Health checks that come only when they are asked for."""
    found = HealthChecks(period_s=3_600)
    yield found
    found.stop()


@pytest.fixture(autouse=True)
def _none_left() -> Iterator[None]:
    yield
    health_checks.stop()


def test_a_beat_adds_the_state_to_every_machine(checks: HealthChecks) -> None:
    """Each machine gets it once for each beat, however often it was added."""
    machines = [am.Machine(None, LIVING) for _ in range(3)]
    for mach in [*machines, machines[0]]:
        checks.add(mach)

    assert checks.beat()
    assert checks.beat()
    assert [mach.tick("Healthcheck") for mach in machines] == [3, 3, 3]


def test_a_machine_that_is_gone_is_not_checked(checks: HealthChecks) -> None:
    """Nothing is kept alive; with the last machine the thread ends."""
    disposed, dropped = am.Machine(None, LIVING), am.Machine(None, LIVING)
    for mach in (disposed, dropped):
        checks.add(mach)
    disposed.dispose()
    assert disposed.when_disposed().wait(WAIT_S)
    del mach, dropped
    gc.collect()

    assert not checks.beat()
    assert disposed.tick("Healthcheck") == 0


def test_a_machine_without_a_hash_is_checked(checks: HealthChecks) -> None:
    """A class derived from `Machine` may have an equality of its own."""

    class Equal(am.Machine):
        __hash__ = None  # type: ignore[assignment]

    mach = Equal(None, LIVING)
    checks.add(mach)

    assert checks.beat()
    assert mach.tick("Healthcheck") == 1


def test_a_handler_that_raises_costs_its_machine_the_checks(
    checks: HealthChecks, caplog: pytest.LogCaptureFixture
) -> None:
    """The other machines continue, and one line is logged."""
    bad, good = am.Machine(None, LIVING), am.Machine(None, LIVING)
    bad.panic_to_exception = False
    bad.bind_handlers({"HealthcheckState": lambda _: 1 / 0})
    for mach in (bad, good):
        checks.add(mach)

    assert checks.beat()
    assert checks.beat()
    assert good.tick("Healthcheck") == 3
    assert [record.message for record in caplog.records if record.name == "amtracer"] == [
        "amtracer: no more health checks: ZeroDivisionError: division by zero"
    ]


def test_the_beats_come_by_themselves() -> None:
    """A thread makes them, until it is stopped; afterwards another one starts."""
    checks, came = HealthChecks(period_s=0.001), threading.Event()
    mach = am.Machine(None, LIVING)
    mach.bind_handlers({"HealthcheckState": lambda _: came.set()})
    for _ in range(2):
        came.clear()
        checks.add(mach)
        assert came.wait(WAIT_S)
        checks.stop()

    assert not [one for one in threading.enumerate() if one.name == "amtracer healthcheck"]


def test_a_forked_child_has_beats_of_its_own() -> None:
    """The thread stays in the parent; the child makes another for the same machines."""
    checks, mach = HealthChecks(period_s=3_600), am.Machine(None, LIVING)
    checks.add(mach)
    first, stopped = checks._thread, checks._stopped
    assert first is not None
    checks.restart_in_child()
    stopped.set()
    first.join()

    assert checks._thread is not None
    assert checks._thread is not first
    assert checks.beat()
    assert mach.tick("Healthcheck") == 1
    checks.stop()


@pytest.mark.parametrize(
    ("variables", "struct", "is_checked"),
    [
        ({"AM_HEALTHCHECK": "1"}, LIVING, True),
        ({"AM_HEALTHCHECK": ""}, LIVING, False),
        ({}, LIVING, False),
        ({"AM_HEALTHCHECK": "1"}, {"Ready": am.State()}, False),
        ({"AM_HEALTHCHECK": "1", "AM_TEST_RUNNER": "1"}, LIVING, False),
    ],
)
def test_the_environment_asks_for_health_checks(
    variables: dict[str, str],
    struct: dict[str, am.State],
    is_checked: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Only of machines that have the state, and never under a test runner."""
    for name in ("AM_HEALTHCHECK", "AM_TEST_RUNNER", "AM_DBG_ADDR", "AM_DBG_FILE", "AM_LOG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    mach = am.Machine(None, struct)

    amtracer.dbg_env(mach)
    health_checks.beat()

    assert mach.tick("Healthcheck") == int(is_checked)
