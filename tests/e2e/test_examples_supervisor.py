"""The supervisor of examples/, with real processes."""

from __future__ import annotations

import asyncio
import os
import runpy
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

import machine as am

PROGRAM = Path(__file__).resolve().parents[2] / "examples" / "process_supervisor.py"
SUPERVISOR = runpy.run_path(str(PROGRAM), run_name="process_supervisor")
WAIT_S = 60.0

PYTHON = (sys.executable, "-I", "-S", "-c")
ENDS = (*PYTHON, "pass")
CRASHES = (*PYTHON, "raise SystemExit(3)")
STAYS = (*PYTHON, "import sys; sys.stdin.read()")

pytestmark = pytest.mark.skipif(os.name == "nt", reason="handles Ctrl+C as a signal")


@pytest.fixture(autouse=True)
def open_input(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Gives processes an input that does not end, so that they stay."""
    begin, end = os.pipe()
    create = asyncio.create_subprocess_exec
    monkeypatch.setattr(
        asyncio, "create_subprocess_exec", lambda *words: create(*words, stdin=begin)
    )
    yield
    os.close(begin)
    os.close(end)


async def reached(handle: am.WaitHandle) -> bool:
    async with asyncio.timeout(WAIT_S):
        return await handle


@pytest.mark.slow
async def test_processes_that_end_are_not_started_again() -> None:
    """A process that ends with 0 has ended, and so has the program when all have."""
    assert await SUPERVISOR["main"]([ENDS, ENDS]) == 0


@pytest.mark.slow
async def test_a_process_that_crashes_is_given_up(capsys: pytest.CaptureFixture[str]) -> None:
    """A crash is followed by a new start, up to three; others are not concerned."""
    assert await SUPERVISOR["main"]([ENDS, CRASHES]) == 1

    first, second = capsys.readouterr().out.splitlines()
    assert "Exited" in first
    assert first.endswith("after 1 starts")
    assert "GivenUp" in second
    assert second.endswith("after 3 starts")


async def test_a_command_that_does_not_exist_is_given_up() -> None:
    """A process that cannot be started counts as one that crashed."""
    assert await SUPERVISOR["main"]([["no-such-command"]]) == 1


async def test_processes_are_stopped() -> None:
    """`stop` ends processes that are alive, and waits for their ends."""
    supervisor = SUPERVISOR["Supervisor"]([STAYS])
    (process,) = supervisor.processes
    assert await reached(process.mach.when1("Alive"))
    await supervisor.stop()

    assert process.process.returncode == -signal.SIGTERM
    assert supervisor.mach.is1("AllEnded")
    assert supervisor.mach.not1("AnyGivenUp")


async def test_a_process_that_does_not_stop_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the time limit of Stopping the process is killed."""
    stopping = am.State(require=["Alive"], timeout=0.01, on_timeout="Killing")
    monkeypatch.setitem(SUPERVISOR["PROCESS"], "Stopping", stopping)
    supervisor = SUPERVISOR["Supervisor"]([STAYS])
    (process,) = supervisor.processes
    assert await reached(process.mach.when1("Alive"))
    monkeypatch.setattr(process.process, "terminate", lambda: None)
    await supervisor.stop()

    assert process.process.returncode == -signal.SIGKILL


async def test_an_interrupt_stops_all(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl+C ends the processes, also those that are just starting, and then the program."""
    loop = asyncio.get_running_loop()
    bound = []
    monkeypatch.setattr(loop, "add_signal_handler", lambda *call: bound.append(call))
    loop.call_soon(lambda: bound[0][1](*bound[0][2:]))

    assert await SUPERVISOR["main"]([STAYS]) == 0
    assert bound[0][0] is signal.SIGINT
    assert "Exited" in capsys.readouterr().out
