"""The plant of examples/: what its machine says of the devices, and its planted fault."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from am_dbg.cli.commands import command

PROGRAM = Path(__file__).resolve().parents[2] / "examples" / "devices.py"


@pytest.fixture(scope="module")
def program() -> dict[str, Any]:
    return runpy.run_path(str(PROGRAM), run_name="devices")


def offline(plant: Any) -> set[str]:
    return {device.series for device in plant.devices if device.mach.not1("Online")}


@pytest.mark.slow
def test_one_machine_follows_all_devices(program: dict[str, Any]) -> None:
    """Without the fault all 517 devices end online, and the plant has seen hot ones."""
    plant = program["run"](is_repaired=True)

    assert len(plant.devices) == 517
    assert offline(plant) == set()
    assert plant.mach.active_states() == ["AllOnline", "Started"]
    assert plant.mach.tick("AnyHot") > 2


def test_the_fault_keeps_one_series_offline(program: dict[str, Any]) -> None:
    """With the fault, devices of one series stay offline after their update."""
    plant = program["run"](devices=40)

    assert offline(plant) == {program["FAULTY_SERIES"]}
    assert plant.mach.not1("AllOnline")


def test_the_plant_does_the_same_in_every_run(program: dict[str, Any]) -> None:
    """One seed makes the same ticks in every run; another seed makes others."""
    first, again, other = (
        [device.mach.clock() for device in program["run"](devices=20, seed=seed).devices]
        for seed in (1, 1, 2)
    )

    assert first == again != other


@pytest.mark.slow
def test_the_commands_of_the_docstring_find_the_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commands of the docstring print what the page of examples shows, and the update."""
    monkeypatch.chdir(tmp_path)
    variables = {"PYTHONPATH": str(PROGRAM.parents[1]), "AM_DBG_FILE": "devices.msgpack.br"}
    ran = subprocess.run(
        [sys.executable, "-W", "error", PROGRAM],
        env={**os.environ, **variables},
        timeout=60,
        check=True,
        capture_output=True,
        text=True,
    )
    docstring = PROGRAM.read_text(encoding="utf-8")
    page = (PROGRAM.parents[1] / "docs" / "examples.md").read_text(encoding="utf-8")
    commands = re.findall(r"^    am-dbg (.+)$", docstring, re.MULTILINE)
    why, when = (CliRunner().invoke(command, words.split()).stdout for words in commands)

    assert f"examples/devices.py\n{ran.stdout}$ am-dbg {commands[0]}\n{why}```" in page
    assert when.rstrip().splitlines()[-2].endswith("removed by Updating")
