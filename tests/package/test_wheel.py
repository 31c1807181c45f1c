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


def run(*command: object, cwd: Path, **env: str) -> str:
    """What a program prints that ends well, in an environment without our checkout."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={"PATH": "/usr/bin:/bin", "HOME": str(cwd), **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
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
