"""Makers of machines, and notes of what they do."""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

import machine as am


def struct_of(text: str) -> dict[str, am.State]:
    """A schema as the specification writes it: `A{require:B auto} B{add:[C,D]} C{} D{}`."""
    return {name: state_of(inside) for name, inside in re.findall(r"(\w+)\{([^}]*)\}", text)}


def state_of(text: str) -> am.State:
    fields: dict[str, Any] = {}
    for word in text.split():
        name, _, states = word.partition(":")
        fields[name] = states.strip("[]").split(",") if states else True
    return am.State(**fields)


@pytest.fixture
def struct() -> Callable[[str], dict[str, am.State]]:
    """Reads a schema from its short text."""
    return struct_of


@pytest.fixture
def made() -> Callable[..., am.Machine]:
    """Makes a machine of a schema's short text; the other arguments are its options."""

    def make(text: str = "A{} B{} C{} D{}", **options: Any) -> am.Machine:
        return am.Machine(None, struct_of(text), **{"id": "mach", **options})

    return make


def every_name(states: Iterable[str]) -> list[str]:
    """All handler names that these states can have."""
    states = [state for state in states if state != am.EXCEPTION]
    names = [state + phase for state in states for phase in ("Exit", "Enter", "State", "End")]
    names += [one + other for one in states for other in states]
    return [*names, "AnyEnter", "AnyState"]


@pytest.fixture
def watch() -> Callable[..., list[str]]:
    """Binds every possible handler; the names of those called are added to the list given back.

    Handlers named in `deny` answer no, those in `fail` raise an error.
    """

    def bind(mach: am.Machine, deny: Iterable[str] = (), fail: Iterable[str] = ()) -> list[str]:
        calls: list[str] = []
        denying, failing = set(deny), set(fail)

        def handler(event: am.Event) -> bool:
            calls.append(event.name)
            if event.name in failing:
                raise RuntimeError("boom")
            return event.name not in denying

        mach.bind_handlers(dict.fromkeys(every_name(mach.state_names()), handler))
        return calls

    return bind


@pytest.fixture
def log_of() -> Callable[..., list[str]]:
    """Turns a machine's log on; its lines, without the id, are added to the list given back."""

    def listen(mach: am.Machine, level: am.LogLevel = am.LogLevel.DECISIONS) -> list[str]:
        lines: list[str] = []
        mach.set_log_id(False)
        mach.set_logger_simple(lambda text, *args: lines.append(text % args), level)
        return lines

    return listen


class Recorder(am.Tracer):
    """Notes every event, and the transitions that ended."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.txs: list[am.Transition] = []

    def machine_init(self, machine: am.Machine) -> None:
        self.events.append("machine_init")

    def verify_states(self, machine: am.Machine) -> None:
        self.events.append("verify_states")

    def struct_change(self, machine: am.Machine, old_struct: object) -> None:
        self.events.append("struct_change")

    def mutation_queued(self, machine: am.Machine, mutation: am.Mutation) -> None:
        self.events.append("mutation_queued")

    def transition_init(self, tx: am.Transition) -> None:
        self.events.append("transition_init")

    def transition_start(self, tx: am.Transition) -> None:
        self.events.append("transition_start")

    def handler_start(self, tx: am.Transition, emitter: str, handler: str) -> None:
        self.events.append(f"handler_start {handler}")

    def handler_end(self, tx: am.Transition, emitter: str, handler: str) -> None:
        self.events.append(f"handler_end {handler}")

    def transition_end(self, tx: am.Transition) -> None:
        self.events.append("transition_end")
        self.txs.append(tx)

    def queue_end(self, machine: am.Machine) -> None:
        self.events.append("queue_end")

    def machine_dispose(self, machine_id: str) -> None:
        self.events.append("machine_dispose")


@pytest.fixture
def recorder() -> Recorder:
    """A tracer that remembers all calls of its hooks."""
    return Recorder()


class FakeClock:
    """The clock that handler calls are measured with, moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def advance(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    """Handlers take as long as this clock is advanced while they run."""
    fake = FakeClock()
    timed = ("_calling.calling", "_transition.event", "_engine.unwatched")
    for module in timed:
        monkeypatch.setattr(f"machine.{module}.monotonic", lambda: fake.now)
    return fake


@pytest.fixture
def _many_switches() -> Iterator[None]:
    """Threads take turns as often as the interpreter can, so that races show."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


@pytest.fixture
def in_threads(_many_switches: None) -> Callable[..., None]:
    """Runs functions at the same time, each in a thread; raises what one of them raised."""

    def run(*functions: Callable[[], object]) -> None:
        failures: list[BaseException] = []

        def catch(function: Callable[[], object]) -> None:
            try:
                function()
            except BaseException as error:  # noqa: BLE001 - raised again below
                failures.append(error)

        threads = [threading.Thread(target=catch, args=(function,)) for function in functions]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in threads)
        for failure in failures:
            raise failure

    return run
