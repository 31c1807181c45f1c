"""Every program in examples/ works, with and without a debugger."""

from __future__ import annotations

import os
import re
import runpy
import socket
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import amtracer
import machine as am
from am_dbg.ingest.importing import import_session
from am_dbg.store import Store

ROOT = Path(__file__).resolve().parents[2]


def example(name: str) -> dict[str, Any]:
    """The names of an example, loaded as a module without running it."""
    return runpy.run_path(str(ROOT / "examples" / f"{name}.py"), run_name=name)


def start(name: str, *words: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run an example as a user does."""
    return subprocess.run(
        [sys.executable, "-W", "error", ROOT / "examples" / f"{name}.py", *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def closed_address() -> str:
    """An address of this machine at which nothing answers."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{taken.getsockname()[1]}"


class Witness(am.Tracer):
    """Counts what the machines of an example do."""

    def __init__(self) -> None:
        self.seen: Counter[tuple[str, str, bool]] = Counter()
        self.kinds: Counter[str] = Counter()

    def inheritable(self) -> bool:
        return True

    def new_submachine(self, parent: am.Machine, mach: am.Machine) -> None:
        mach.bind_tracer(self)

    def transition_end(self, tx: am.Transition) -> None:
        mutation = tx.mutation
        self.seen[tx.machine.id, " ".join(mutation.called_states), tx.accepted] += 1
        self.kinds["transitions"] += 1
        self.kinds["canceled"] += not tx.accepted
        self.kinds["auto"] += mutation.auto
        self.kinds["sources"] += mutation.source is not None


@pytest.fixture
def witness(monkeypatch: pytest.MonkeyPatch) -> Witness:
    """Takes the place of `attach` in an example."""
    tracer = Witness()
    for name in ("attach", "dbg_env"):
        monkeypatch.setattr(amtracer, name, lambda mach, **_: mach.bind_tracer(tracer))
    return tracer


def test_every_example_is_tested() -> None:
    """The suite runs every program in examples/: a test file beside this one loads it."""
    tests = "".join(
        path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py")
    )
    examples = sorted(path.stem for path in (ROOT / "examples").glob("*.py"))

    assert [name for name in examples if not re.search(rf'"{name}(\.py)?"', tests)] == []


def test_every_example_is_listed() -> None:
    """The page of examples has a line for each program, the README for each to start from."""
    page = (ROOT / "docs" / "examples.md").read_text(encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    examples = {path.name for path in (ROOT / "examples").glob("*.py")}

    assert set(re.findall(r"^\| \[`(\w+\.py)`\]", page, re.MULTILINE)) == examples
    assert examples - set(re.findall(r"^\| \[`examples/(.+?)`\]", readme, re.MULTILINE)) == {
        "special_cases.py"
    }


def test_a_file_is_processed(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The file program counts the words and ends with 0."""
    file = tmp_path / "three.txt"
    file.write_text("one two\nthree\n", encoding="utf-8")

    assert example("file_processing")["main"]([str(file)]) == 0
    assert capsys.readouterr().out == "three.txt: 3 words\n"


def test_a_file_that_is_missing_becomes_an_error_state(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """An error in the thread becomes a state, and the program ends with 1."""
    assert example("file_processing")["main"]([str(tmp_path / "none.txt")]) == 1
    assert "No such file" in capsys.readouterr().err


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs a file that blocks its reader")
def test_a_file_that_blocks_runs_into_the_time_limit(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """If no state is reached in time, the program prints this and ends with 2."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    program = example("file_processing")
    program["main"].__globals__["WAIT_S"] = 0.0

    assert program["main"]([str(pipe)]) == 2
    assert capsys.readouterr().err == "timeout\n"
    pipe.open("w").close()


@pytest.mark.slow
def test_a_missing_debugger_changes_nothing(closed_address: str) -> None:
    """The file program prints and returns the same if no debugger listens at AM_DBG_ADDR."""
    alone = start("file_processing")
    traced = start("file_processing", AM_DBG_ADDR=closed_address)

    assert (alone.returncode, alone.stderr) == (0, "")
    assert (traced.returncode, traced.stdout) == (0, alone.stdout)


@pytest.mark.slow
def test_errors_have_the_same_exit_code_without_a_debugger(
    closed_address: str, tmp_path: Path
) -> None:
    """A failing program has the same exit code, traced or not."""
    assert start("file_processing", tmp_path / "none").returncode == 1
    traced = start("file_processing", tmp_path / "none", AM_DBG_ADDR=closed_address)
    assert traced.returncode == 1


def test_the_quiz_has_an_answer(capsys: pytest.CaptureFixture[str], witness: Witness) -> None:
    """Water adds Wet, and Dry cannot remove it."""
    example("relations_playground")["main"]()

    lines = capsys.readouterr().out.splitlines()
    assert "  executed: (Wet:1 Water:1) [Dry:2 Exception:0]" in lines
    assert "  [rel:remove] Dry by Water" in lines
    assert witness.seen == {
        ("wetness", "Dry", True): 1,
        ("wetness", "Water", True): 1,
        ("wetness", "Dry", False): 1,
    }


def test_the_shop_goes_wrong_in_three_ways(witness: Witness) -> None:
    """A mail without an address, a count of the stock at noon, an expired certificate."""
    example("incident")["run"]()

    assert witness.seen["mailer", "Exception", True] == 1
    assert witness.seen["stock", "Reserved", False] == 2
    assert witness.seen["gateway", "ErrCertificate Exception", True] == 1
    assert witness.seen["shop", "ErrOrderLost Exception", True] == 3
    assert witness.seen["shop", "ErrPaymentsDown Exception", True] == 1


def test_the_repaired_shop_ships_every_order(witness: Witness) -> None:
    """Without the three faults nothing is canceled and nothing fails."""
    example("incident")["run"](is_repaired=True)

    assert witness.seen["shop", "OrderShipped", True] == 40
    assert witness.kinds["canceled"] == 0
    assert not any("Exception" in states for _, states, _ in witness.seen)


@pytest.mark.slow
def test_the_pool_ends_every_job(witness: Witness) -> None:
    """Every sheet is added up or dropped, and no machine still runs."""
    tally = example("worker_pool")["run"](jobs=60)

    assert tally.done + tally.dropped == 60
    assert witness.seen["pool", "Stopped", True] == 1
    assert witness.seen["worker-20", "Start", True] == 2


@pytest.mark.slow
def test_the_pool_has_all_kinds_of_transitions(witness: Witness) -> None:
    """The pool has thousands of transitions: canceled, automatic, with a source, failed."""
    tally = example("worker_pool")["run"]()

    assert witness.kinds["transitions"] > 2_000
    assert min(witness.kinds["canceled"], witness.kinds["auto"], witness.kinds["sources"]) > 100
    assert min(tally.done, tally.failed, tally.dropped, tally.refused) > 0
    called = {states for _, states, _ in witness.seen}
    assert {"ErrNetwork Exception", "ErrJobTimeout Exception", "Exception", "Resting"} <= called


@pytest.mark.slow
def test_the_pool_does_the_same_in_every_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """One seed makes the same transitions in every run."""
    runs = []
    for _ in range(2):
        tracer = Witness()
        monkeypatch.setattr(amtracer, "attach", lambda mach, to=tracer, **_: mach.bind_tracer(to))
        example("worker_pool")["run"](jobs=40)
        runs.append(tracer.seen)

    assert runs[0] == runs[1]


@pytest.mark.slow
def test_the_network_has_all_kinds_of_transitions(witness: Witness) -> None:
    """The network has thousands of transitions: canceled, automatic, with a source, failed."""
    world = example("pubsub_sim")["run"](peers=12, rounds=4)

    assert witness.kinds["transitions"] > 2_000
    assert min(witness.kinds["canceled"], witness.kinds["auto"], witness.kinds["sources"]) > 100
    assert min(world.tally["sent"], world.tally["passed on"], world.tally["refused"]) > 0
    called = {states for _, states, _ in witness.seen}
    assert {"ErrNetwork Exception", "ErrLink Exception", "ErrTopic Exception", "Graft"} <= called
    assert witness.seen["network", "Stopped", True] == 1
    assert witness.seen["p12", "Start", True] == 2


@pytest.mark.slow
def test_the_network_does_the_same_in_every_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """One seed makes the same transitions in every run; another seed makes others."""
    runs = []
    for seed in (1, 1, 2):
        tracer = Witness()
        monkeypatch.setattr(amtracer, "dbg_env", lambda mach, to=tracer: mach.bind_tracer(to))
        example("pubsub_sim")["run"](peers=8, rounds=2, seed=seed)
        runs.append(tracer.seen)

    assert runs[0] == runs[1] != runs[2]


@pytest.mark.slow
def test_the_network_writes_log_lines_of_the_set_level(tmp_path: Path) -> None:
    """The environment sets the file and the level of its log lines."""
    kinds = []
    for level in ("1", "2"):
        file = tmp_path / f"{level}.msgpack.br"
        words = ("--pace", "0", "--peers", "3", "--rounds", "1")
        done = start("pubsub_sim", *words, AM_DBG_FILE=str(file), AM_LOG=level)
        assert (done.returncode, done.stderr) == (0, "")
        store = Store()
        import_session(store, str(file))
        topic = next(track for track in store.tracks if "topic" in track.tags)
        first = topic.transition(1)
        assert any(text.startswith("[pipe-in:add] Online") for _, text in first.pre_lines)
        kinds.append({text.partition("]")[0] for _, text in first.lines})

    assert "[state" in kinds[0] & kinds[1]
    assert "[add" in kinds[1] - kinds[0]
