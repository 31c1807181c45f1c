"""The benchmarks measure what they say: outcomes and counts, never times."""

from __future__ import annotations

import importlib
import json

import pytest
from click.testing import CliRunner

import machine as am
from benchmarks import core, memory, peers, tracer, workloads
from benchmarks.__main__ import main
from machine._resolution.automaton import Automaton, Plan


@pytest.mark.parametrize("name", core.names())
@pytest.mark.parametrize("cache", [am.NODES_MAX, 0], ids=["cached", "uncached"])
def test_a_workload_comes_to_what_is_expected(name: str, cache: int) -> None:
    """What is timed does what the reference does, with and without remembered plans."""
    workloads.check(workloads.load(name), cache)


def test_a_wrong_outcome_is_refused() -> None:
    """A figure of something else would mislead."""
    workload = workloads.load("mixed30")
    workload.body.pop()

    with pytest.raises(workloads.WrongOutcomeError, match="mixed30"):
        workloads.check(workload, 0)


def plans_of(automaton: Automaton) -> list[Plan]:
    """All that are remembered."""
    return [plan for node in automaton.nodes.values() for plan in node.plans.values()]


def test_a_mixed_workload_is_computed_once() -> None:
    """The second pass over the same mutations works out no plan."""
    workload = workloads.load("mixed30")
    mach = workload.machine()
    automaton = mach._node.automaton
    for call, args in workload.steps(mach):
        call(*args)
    for _ in range(8):  # the configurations of later passes differ until they repeat
        for call, args in workload.steps(mach):
            call(*args)
    plans = plans_of(automaton)
    for call, args in workload.steps(mach):
        call(*args)

    assert plans_of(automaton) == plans


def test_figures_come_as_json() -> None:
    """One object by workload, for programs to read."""
    command = ["core", "--json", "--only", "toggle", "--runs", "1"]
    told = json.loads(CliRunner().invoke(main, command).output)

    assert list(told) == ["toggle"]
    assert set(told["toggle"]) == {"median_ns", "min_ns"}


def test_an_unknown_workload_is_named() -> None:
    """A misspelled name is an error, not an empty table."""
    outcome = CliRunner().invoke(main, ["core", "--only", "togle"])

    assert outcome.exit_code == 2
    assert "togle" in outcome.output


@pytest.mark.slow
def test_the_cache_keeps_its_bound() -> None:
    """A random walk never makes it take more than ten megabytes."""
    assert memory.cache_bytes(used=True) <= memory.CACHE_BYTES_MAX


def test_a_machine_of_a_known_schema_is_small() -> None:
    """Ten thousand of them fit into twenty megabytes."""
    assert memory.machine_bytes(1_000) <= memory.MACHINE_BYTES_MAX


def test_a_traced_program_that_repeats_itself_takes_few_bytes() -> None:
    """Sixteen for a transition at most, with all that has to be defined once."""
    told = tracer.encode(tracer.repeated(12_000))

    assert told.bytes <= tracer.BYTES_MAX
    assert tracer.ingest(told.sent) > 0


def test_a_plan_that_is_not_remembered_is_reported_without_deciding_it_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """How a plan was decided is read once for each question, even if the plan was forgotten."""
    asked: list[object] = []
    explanation = Plan.explanation
    explain = lambda plan: asked.append(plan.question) or explanation(plan)  # noqa: E731
    monkeypatch.setattr(Plan, "explanation", explain)

    events = tracer.missed(3_000)
    tracer.encode(events)

    plans = [event[1] for event in events if isinstance(event, tuple)]
    assert len(asked) == len({plan.question for plan in plans}) < len(plans) / 2
    assert len(asked) == len(set(asked))


def test_ours_does_the_job_of_the_peers() -> None:
    """A guarded toggle calls handlers and tracers at each step, and changes the state."""
    step, check = peers.asyncmachine(2, guarded=True)()
    before = check()
    step()

    assert before is True
    assert check() is False


def test_peers_that_are_not_installed_are_left_out() -> None:
    """The comparison needs no library that the rest does not need."""
    present = [name for name in peers.LIBRARIES if name not in peers.missing()]
    for name in present:
        importlib.import_module(peers.LIBRARIES[name][0])

    assert "asyncmachine" in present
