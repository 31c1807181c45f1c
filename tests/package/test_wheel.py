"""The wheel works without any other file of the project."""

from __future__ import annotations

import re
import subprocess
import zipfile
from email import message_from_string
from email.message import Message
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SESSION = ROOT / "exports" / "worker-pool.msgpack.br"
TARGET = re.compile(r"\]\(([^)\s]+)")

PROGRAM = """
import amtracer
import asyncmachine as am

mach = am.Machine(None, {"Ready": am.State()}, id="mine")
amtracer.attach(mach)
mach.add1("Ready")
print(am.__file__)
"""

FAILING = """
import asyncmachine as am

def test_order(am_clock):
    mach = am.Machine(None, {"Paid": am.State(timeout=5, on_timeout="Exception")}, id="order")
    mach.add1("Paid")
    am_clock.advance(5)
    assert not mach.is_err()
"""


def run(*command: object, cwd: Path, status: int = 0, **env: str) -> str:
    """What a program prints that ends with this status, in an environment without our checkout."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={"PATH": "/usr/bin:/bin", "HOME": str(cwd), **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(built: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(next(built.glob("*.whl")))


@pytest.fixture(scope="module")
def metadata(wheel: zipfile.ZipFile) -> Message:
    name = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    return message_from_string(wheel.read(name).decode())


def test_the_wheel_holds_the_packages_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    """No tests and no docs land in the user's site-packages; type checkers find the types."""
    names = wheel.namelist()
    tops = {name.partition("/")[0] for name in names if ".dist-info/" not in name}

    assert tops == {"machine", "asyncmachine", "amtracer", "am_dbg"}
    assert {f"{top}/py.typed" for top in tops} <= set(names)


def test_the_page_on_a_package_index_has_no_link_that_breaks(metadata: Message) -> None:
    """A package index has the README, but none of the files around it."""
    targets = TARGET.findall(str(metadata.get_payload()))

    assert [target for target in targets if "://" not in target] == []


def test_the_page_on_a_package_index_says_how_to_install(metadata: Message) -> None:
    """The command to install, the licence and a project address are there."""
    assert "pip install asyncmachine" in str(metadata.get_payload())
    assert metadata["License-Expression"] == "MIT"
    assert metadata.get_all("Project-URL")


def test_an_installed_debugger_lists_a_session(installed: Path, tmp_path: Path) -> None:
    """`am-dbg list` works outside of the project, with the version of the wheel."""
    assert run(installed / "am-dbg", "--version", cwd=tmp_path).startswith("am-dbg 0.")
    assert "worker" in run(installed / "am-dbg", "list", SESSION, cwd=tmp_path)


def test_an_installed_program_records_itself(installed: Path, tmp_path: Path) -> None:
    """A traced program runs on the installed packages, and its file opens there."""
    where = run(installed / "python", "-c", PROGRAM, cwd=tmp_path, AM_DBG_FILE="run.msgpack.br")

    assert Path(where.strip()).is_relative_to(installed.parent)
    assert "mine" in run(installed / "am-dbg", "list", "run.msgpack.br", cwd=tmp_path)


def test_an_installed_plugin_keeps_the_session_of_a_failed_test(
    installed: Path, tmp_path: Path
) -> None:
    """It is found by pytest itself, also beside a `machine.py` of the program."""
    (tmp_path / "machine.py").write_text("MINE = True\n")
    (tmp_path / "test_it.py").write_text(FAILING)
    command = [installed / "python", "-m", "pytest", "-p", "no:cacheprovider", "test_it.py"]
    done = run(*command, cwd=tmp_path, status=1)

    (options,) = re.findall(r"^am-dbg (-i .+)$", done, re.MULTILINE)
    assert "order" in run(installed / "am-dbg", "list", options.split()[1], cwd=tmp_path)


def test_both_names_have_the_version_of_the_wheel(
    installed: Path, metadata: Message, tmp_path: Path
) -> None:
    """`__version__` is the one that the package index shows."""
    program = "import asyncmachine, machine; print(asyncmachine.__version__, machine.__version__)"
    shown = run(installed / "python", "-c", program, cwd=tmp_path)

    assert shown.split() == [metadata["Version"]] * 2
