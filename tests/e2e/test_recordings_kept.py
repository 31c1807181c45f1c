"""A recording program destroys no file, and reports when its recording is missing."""

from __future__ import annotations

import os
from pathlib import Path

from am_dbg.ingest.importing import import_session
from am_dbg.store import Store
from tests.wire.serving import run

TRACE = """
import sys, amtracer, machine as am
mach = am.Machine(None, {"A": am.State(multi=True)}, id="m")
amtracer.attach(mach)
for _ in range(int(sys.argv[1])):
    mach.add1("A")
print("went on")
"""

TWICE = """
import sys, amtracer, machine as am
for times in (3, 4):
    mach = am.Machine(None, {"A": am.State(multi=True)}, id="m")
    amtracer.record(mach, sys.argv[1])
    for _ in range(times):
        mach.add1("A")
    amtracer.close()
"""

REMOVED = """
import os, sys, amtracer, machine as am
mach = am.Machine(None, {"A": am.State(multi=True)}, id="m")
amtracer.record(mach, sys.argv[1])
mach.add1("A")
while not os.path.exists(sys.argv[1]):
    continue
os.unlink(sys.argv[1])
mach.add1("A")
amtracer.close()
"""


def names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


def transitions(path: Path) -> int:
    return import_session(Store(), str(path))


def test_the_recording_of_the_run_before_is_kept(tmp_path: Path) -> None:
    """The recordings of this run and the one before are there, however often the program runs."""
    path = tmp_path / "run.msgpack.br"
    for times in (1, 2, 3):
        assert run(TRACE, times, AM_DBG_FILE=path).stderr == ""

    assert names(tmp_path) == ["run.before.msgpack.br", "run.msgpack.br"]
    assert transitions(path) == 3
    assert transitions(tmp_path / "run.before.msgpack.br") == 2


def test_a_file_of_another_format_costs_one_line_and_stays(tmp_path: Path) -> None:
    """Nothing is recorded, and the program is not affected."""
    path = tmp_path / "precious.txt"
    path.write_text("precious")
    done = run(TRACE, 5, AM_DBG_FILE=path)

    assert (done.returncode, done.stdout) == (0, "went on\n")
    assert len(done.stderr.splitlines()) == 1
    assert "not a session file, looks like text; a recording does not replace it" in done.stderr
    assert names(tmp_path) == ["precious.txt"]
    assert path.read_text() == "precious"


def test_a_program_that_records_twice_under_one_name_has_both_parts(tmp_path: Path) -> None:
    """The second recording sets the first one aside."""
    path = tmp_path / "run.msgpack.br"
    done = run(TWICE, path)

    assert (done.returncode, done.stderr) == (0, "")
    assert transitions(path) == 4
    assert transitions(tmp_path / "run.before.msgpack.br") == 3


def test_a_removed_recording_is_reported_at_the_end(tmp_path: Path) -> None:
    """One line reports that there is no recording."""
    done = run(REMOVED, tmp_path / "run.msgpack.br")

    assert done.returncode == 0
    assert len(done.stderr.splitlines()) == 1
    assert "run.msgpack.br: removed or replaced while it was recorded" in done.stderr
    assert names(tmp_path) == []
