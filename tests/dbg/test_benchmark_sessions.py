"""The sessions by which the debugger is measured are what they say."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from am_dbg.ingest.importing import import_session
from am_dbg.store import Store
from benchmarks import debugger_load
from benchmarks.__main__ import main
from benchmarks.debugger import LABELS, ORIGINAL
from benchmarks.debugger_sessions import (
    Plan,
    Program,
    frames,
    planned,
    taken_in,
    write_session,
)

PASS = 42


def opened(plan: Plan, folder: Path) -> Store:
    """The session of a plan, written and opened."""
    path, store = folder / "run.msgpack.br", Store()
    write_session(taken_in(frames(plan)), plan, path)
    import_session(store, str(path))
    return store


@pytest.mark.parametrize("machines", [1, 3])
def test_copies_go_on_where_the_copy_before_ended(machines: int, tmp_path: Path) -> None:
    """Rows, clocks and times of each machine rise without a gap from the first to the last."""
    store = opened(Plan(Program.REPEATING, machines, 2 * PASS * machines, 3), tmp_path)

    assert len(store.tracks) == machines
    for track in store.tracks:
        assert (track.first, track.count) == (1, 6 * PASS)
        assert not track.gaps_after(track.count)
        records = [track.transition(number) for number in range(1, track.count + 1)]
        times = [record.time_ns for record in records]
        assert times == sorted(set(times))
        assert [record.shape for record in records[::PASS]] == [records[0].shape] * 6
        assert sum(track.clock_at(track.count)) == 3 * sum(track.clock_at(2 * PASS))


def test_new_transitions_are_all_different(tmp_path: Path) -> None:
    """In the worst case no shape and no line comes twice in a machine."""
    (track,) = opened(planned(Program.NEW, 500, 1), tmp_path).tracks
    records = [track.transition(number) for number in range(1, 501)]

    assert len({record.shape for record in records}) == 500
    assert len({record.lines for record in records}) == 500


@pytest.mark.parametrize(("transitions", "machines"), [(1, 1), (1_000_000, 1), (1_000_000, 1_000)])
def test_a_plan_has_at_least_what_was_asked_for(transitions: int, machines: int) -> None:
    """A session has whole passes of all machines, so it is a little longer."""
    plan = planned(Program.REPEATING, transitions, machines)

    assert transitions <= plan.transitions <= transitions + plan.copies * machines * PASS


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there are no ptys")
def test_figures_of_a_session_come_as_json(tmp_path: Path) -> None:
    """Every figure has a label, and the table has those of the original beside ours."""
    command = ["debugger", "--transitions", "4000", "--machines", "2", "--keep", str(tmp_path)]
    figures = json.loads(CliRunner().invoke(main, [*command, "--json", "--new"]).output)

    assert set(ORIGINAL) <= set(figures) <= set(LABELS)
    assert all(value >= 0 for value in figures.values())
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there are no ptys")
def test_a_debugger_takes_in_all_that_a_few_clients_send() -> None:
    """What the clients sent is what the debugger holds, and keys are answered meanwhile."""
    figures = debugger_load.measure(clients=3, per_second=300, seconds=1.0)

    assert set(figures) == set(debugger_load.LABELS)
    assert figures["load_sent"] == 300
    assert figures["load_lost"] == 0
    assert figures["load_keys"] > 0
