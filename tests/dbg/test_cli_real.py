"""The session shipped with the reference: every recorded value comes out as it was recorded."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from am_dbg import reports as text
from am_dbg.cli import commands as cli
from am_dbg.cli.exit_codes import Exit
from am_dbg.ingest.importing import import_session
from am_dbg.store import Store, Track
from amtracer.wire.vocabulary import mutation_word, step_word
from tests.reference import SHARED, dumps

pytestmark = pytest.mark.slow

SESSION = dumps() / "am-dbg-sim.gob.br"
CONVERTED_BYTES_MAX = 60_000
OPENED_S_MAX = 0.3


@pytest.fixture(scope="module")
def store() -> Store:
    """The session as it is imported from the Go file."""
    store = Store()
    import_session(store, str(SESSION))
    return store


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The session as a file of our own."""
    path = tmp_path_factory.mktemp("converted") / "sim.msgpack.br"
    assert cli.run(["convert", str(SESSION), str(path)]) == 0
    return path


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(
        SESSION.with_name("am-dbg-sim.expected.json").read_text(encoding="utf-8")
    )
    return content


def transitions(store: Store) -> Iterator[tuple[Track, dict[str, Any]]]:
    for track in store.tracks:
        for number in range(1, track.count + 1):
            yield track, text.transition_value(track, number)


def test_totals_are_those_recorded(store: Store, expected: dict[str, Any]) -> None:
    """Machines, transitions, states, steps, lines, times and all counts by kind."""
    values = [value for _, value in transitions(store)]
    steps = Counter(step["type"] for value in values for step in value["steps"])
    logs = [entry for value in values for entry in value["log"] + value["pre_log"]]
    types = Counter(value["type"] for value in values)

    assert len(store.tracks) == expected["n_clients"] == 107
    assert store.transitions == expected["n_tx"] == 7_605
    assert sum(len(track.states) for track in store.tracks) == expected["n_states"]
    assert sum(steps.values()) == expected["n_steps"]
    assert {step_word(int(k)): n for k, n in expected["step_type_counts"].items()} == steps
    assert len(logs) == expected["n_log_entries"]
    assert Counter(str(entry["level"]) for entry in logs) == expected["log_level_counts"]
    assert {mutation_word(int(k)): n for k, n in expected["tx_type_counts"].items()} == types
    assert sum(value["accepted"] for value in values) == expected["accepted_counts"]["true"]
    assert sum(value["auto"] for value in values) == expected["auto_tx"]
    assert sum(sum(track.ticks) for track in store.tracks) == expected["machine_time_sum_all"]


def test_every_machine_is_the_one_recorded(store: Store, expected: dict[str, Any]) -> None:
    """Order, ids, states, their properties and the number of transitions."""
    for track, client in zip(store.tracks, expected["clients"], strict=True):
        assert track.key == client["id"]
        assert [state.name for state in track.states] == client["states_index"]
        assert sorted(s.name for s in track.states if s.auto) == client["auto_states"]
        assert sorted(s.name for s in track.states if s.multi) == client["multi_states"]
        assert track.count == client["n_tx"]
        assert sum(track.ticks) == client["machine_time_sum_last"]


def test_first_and_last_transitions_are_those_recorded(
    store: Store, expected: dict[str, Any]
) -> None:
    """Every field of the first and the last transition of every machine."""
    for track, client in zip(store.tracks, expected["clients"], strict=True):
        check(client["first_tx"], text.transition_value(track, 1))
        check(client["last_tx"], text.transition_value(track, track.count))


def check(recorded: dict[str, Any], value: dict[str, Any]) -> None:
    moment = recorded["Time"]["$time"]
    assert value["id"] == recorded["ID"]
    assert list(value["after"].values()) == recorded["Clocks"]
    assert value["accepted"] == recorded.get("Accepted", False)
    assert value["type"] == mutation_word(recorded.get("Type", 0))
    assert value["called"] == recorded["CalledStates"]
    assert value["queue_len"] == recorded.get("Queue", 0)
    assert value["time_ns"] == moment["unix"] * 10**9 + moment["nsec"]
    for name, lines in (("log", "LogEntries"), ("pre_log", "PreLogEntries")):
        assert value[name] == [
            {"level": line["Level"], "text": line.get("Text", "")}
            for line in recorded.get(lines, ())
        ]
    for step, found in zip(recorded["Steps"], value["steps"], strict=True):
        assert found["type"] == step_word(step["Type"])
        if found["type"] == "handler":
            assert found["handler"] == step["Data"]["v"]
        else:
            assert found["source"] == step.get("FromState")
            assert found["target"] == step.get("ToState")


def test_a_transition_is_the_one_on_the_reference_screen(store: Store) -> None:
    """Ticks of all states, time and time sum agree with a screen of the reference."""
    screens = SHARED / "spec" / "screens"
    screen = next(screens.glob("01*.txt")).read_text(encoding="utf-8")
    track = store.find("ps-17")
    assert track is not None
    value = text.transition_value(track, 20)
    shown = {name: int(tick) for name, tick in re.findall(r"──(\w+) +\|(\d+)", screen)}

    assert value["after"] == shown
    assert value["time_sum"] == 20
    assert f"{value['type']}: {' '.join(value['called'])}" in screen
    assert value["time"][-13:-1] in screen
    assert value["id"] in screen


def test_the_converted_session_is_small_and_opens_fast(converted: Path) -> None:
    """At most 60 KB, and read in a fraction of a second of processor time."""
    assert converted.stat().st_size <= CONVERTED_BYTES_MAX
    started = time.process_time()
    import_session(Store(), str(converted))
    assert time.process_time() - started <= OPENED_S_MAX


def test_the_converted_session_lists_the_same(
    converted: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Export then import is identity: the same JSON, byte by byte."""
    assert cli.run(["list", str(SESSION), "--json"]) == 0
    before = capsys.readouterr().out
    assert cli.run(["list", str(converted), "--json"]) == 0

    assert capsys.readouterr().out == before


def test_every_field_survives_the_conversion(store: Store, converted: Path) -> None:
    """All of each transition but ids that nothing refers to."""
    copy = Store()
    import_session(copy, str(converted))

    for (_, before), (_, after) in zip(transitions(store), transitions(copy), strict=True):
        assert {**before, "id": ""} == {**after, "id": ""}


def test_all_ids_are_kept_when_asked(store: Store, tmp_path: Path) -> None:
    """`convert --ids` gives a file in which every transition has the id of the program's log."""
    target = tmp_path / "ids.msgpack.br"
    assert cli.run(["convert", "--ids", str(SESSION), str(target)]) == Exit.DONE
    copy = Store()
    import_session(copy, str(target))

    assert [value for _, value in transitions(copy)] == [value for _, value in transitions(store)]
