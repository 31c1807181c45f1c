"""`asyncmachine`, the other name of `machine`, also beside a file `machine.py` of the program."""

from __future__ import annotations

import importlib
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import asyncmachine
import machine

ROOT = Path(__file__).resolve().parents[2]
PUBLIC = sorted(
    path.stem
    for path in (ROOT / "machine").iterdir()
    if not path.name.startswith("_") and (path.suffix == ".py" or path.is_dir())
)

Run = Callable[[str], "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs a program in a folder with a `machine.py` of its own, found before the library."""
    (tmp_path / "machine.py").write_text("MINE = True\n")

    def start(program: str) -> subprocess.CompletedProcess[str]:
        path = [str(tmp_path), str(ROOT), *filter(None, sys.path)]
        return subprocess.run(
            [sys.executable, "-c", f"import sys; sys.path[:] = {path!r}\n{program}"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return start


def test_both_names_have_the_same_objects() -> None:
    """Every public name, and the version."""
    assert asyncmachine.__all__ == machine.__all__
    assert asyncmachine.__version__ == machine.__version__
    for name in machine.__all__:
        assert getattr(asyncmachine, name) is getattr(machine, name), name


@pytest.mark.parametrize("name", PUBLIC)
def test_both_names_have_the_same_modules(name: str) -> None:
    """Every public module, however it is imported."""
    there = importlib.import_module(f"machine.{name}")

    assert importlib.import_module(f"asyncmachine.{name}") is there
    assert getattr(asyncmachine, name) is there


def test_what_one_name_pickles_the_other_reads() -> None:
    """A class has one name, whichever import it came from."""
    kept = pickle.dumps(asyncmachine.State(require=["A"]))

    assert pickle.loads(kept) == machine.State(require=["A"])


def test_a_file_of_the_program_does_not_hide_the_library(run: Run) -> None:
    """The library works with all of its late imports, and the tracer finds it too."""
    done = run(
        "import asyncmachine as am, amtracer\n"
        "from asyncmachine import errors, pipes, states\n"
        "mach = am.Machine(None, {'A': am.State(timeout=9, on_timeout='Exception')})\n"
        "amtracer.record(mach, 'run.msgpack.br')\n"
        "mach.add1('A'); amtracer.close()\n"
        "print(am.Machine.__module__, mach.is1('A'))\n"
    )

    assert (done.stdout, done.stderr) == ("machine._machine.machine True\n", "")


def test_the_tracer_finds_the_library_by_itself(run: Run) -> None:
    """A program may import it first."""
    done = run("from amtracer import attach; import machine; print(machine.Machine.__name__)")

    assert (done.stdout, done.stderr) == ("Machine\n", "")


def test_a_name_that_is_taken_is_an_error_with_a_way_out(run: Run) -> None:
    """The program's own module was imported before: it stays, and the error names its file."""
    done = run("import machine\nassert machine.MINE\nimport asyncmachine")

    assert "ImportError: asyncmachine needs the name `machine`, which" in done.stderr
    assert "machine.py has taken; import asyncmachine before it, or rename it" in done.stderr


def test_a_program_of_this_name_can_use_the_library(tmp_path: Path) -> None:
    """`python machine.py` is the main module, so the name is free."""
    program = tmp_path / "machine.py"
    program.write_text("import asyncmachine as am\nprint(am.Machine.__name__)\n")
    start = f"import sys, runpy; sys.path[:0] = [{str(tmp_path)!r}, {str(ROOT)!r}]\n"
    done = subprocess.run(
        [sys.executable, "-c", f"{start}runpy.run_path({str(program)!r}, run_name='__main__')"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.stdout, done.stderr) == ("Machine\n", "")
