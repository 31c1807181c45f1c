"""Processes that run together: each records into its own file, and nothing is lost."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from am_dbg.ingest.importing import import_session
from am_dbg.store import Store
from amtracer.errors import SessionBusyError
from amtracer.files import processes, session
from amtracer.files.session import SessionWriter
from amtracer.send.sinks import FileSink
from amtracer.wire.messages import BatchMessage, Run
from tests.wire.serving import run
from tests.wire.streams import HELLO

POOL = """
import concurrent.futures, multiprocessing, os, sys
import amtracer, machine as am

def work(number):
    mach = am.Machine(None, {"A": am.State(multi=True)}, id=f"job-{number}")
    amtracer.attach(mach)
    for _ in range(25):
        mach.add1("A")
    mach.dispose()

if __name__ == "__main__":
    way, jobs, workers = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    context = multiprocessing.get_context(way)
    with concurrent.futures.ProcessPoolExecutor(workers, mp_context=context) as pool:
        list(pool.map(work, range(jobs)))
"""

ONE_BY_ONE = """
import multiprocessing, sys
import amtracer, machine as am

def work(number):
    mach = am.Machine(None, {"A": am.State(multi=True)}, id=f"job-{number}")
    amtracer.attach(mach)
    for _ in range(25):
        mach.add1("A")

if __name__ == "__main__":
    with multiprocessing.get_context(sys.argv[1]).Pool(1, maxtasksperchild=1) as pool:
        pool.map(work, range(int(sys.argv[2])), chunksize=1)
        pool.close()
        pool.join()
"""

TOGETHER = """
import os, sys
import amtracer, machine as am

begin, ended = os.pipe()
pids = []
for number in range(int(sys.argv[1])):
    pid = os.fork()
    if pid:
        pids.append(pid)
        continue
    os.close(ended)
    os.read(begin, 1)
    mach = am.Machine(None, {"A": am.State(multi=True)}, id=f"job-{number}")
    amtracer.attach(mach)
    for _ in range(25):
        mach.add1("A")
    amtracer.close()
    os._exit(0)
os.close(ended)
for pid in pids:
    os.waitpid(pid, 0)
"""


def recorded(folder: Path) -> Counter[str]:
    """The number of transitions of each machine in all files of a folder."""
    counts: Counter[str] = Counter()
    for path in folder.iterdir():
        store = Store()
        import_session(store, str(path))
        counts.update({track.id: track.count for track in store.tracks})
    return counts


def start(program: str, folder: Path, *words: object) -> None:
    file = folder.parent / "program.py"
    file.write_text(program)
    done = run(file, *words, AM_DBG_FILE=folder / "run.msgpack.br")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_process_leaves_the_recording_of_a_running_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that was written since this process began belongs to a process beside it."""
    path = tmp_path / "run.msgpack.br"
    with SessionWriter(path) as writer:
        writer.write(HELLO)
        writer.write(BatchMessage((Run(0, 0, 1),), (0,), (1,)))
    session._written_inodes.clear()

    with pytest.raises(SessionBusyError, match="another process has written it"):
        SessionWriter(path, live=True)
    sink = FileSink(path)
    sink.open()
    sink.write(HELLO)
    sink.close()
    assert sorted(os.listdir(tmp_path)) == [f"run.{os.getpid()}.msgpack.br", "run.msgpack.br"]
    monkeypatch.setattr(session, "BEGAN_S", processes.BEGAN_S + 1e6)
    session._written_inodes.clear()
    SessionWriter(path, live=True).close()
    assert (tmp_path / "run.before.msgpack.br").exists()


def test_a_child_has_its_pid_in_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it begins first or last; a number follows if the name is in use."""
    monkeypatch.setattr(processes, "_forked", True)
    sinks = [FileSink(tmp_path / "run.msgpack.br") for _ in range(3)]
    for sink in sinks:
        sink.open()
        sink.write(HELLO)
    pid = os.getpid()

    assert [os.path.basename(sink.name) for sink in sinks] == [
        f"run.{pid}.msgpack.br",
        f"run.{pid}-2.msgpack.br",
        f"run.{pid}-3.msgpack.br",
    ]
    for sink in sinks:
        sink.close()


@pytest.mark.slow
@pytest.mark.parametrize("way", ["fork", "forkserver", "spawn"])
def test_a_pool_loses_nothing(way: str, tmp_path: Path) -> None:
    """Every job of eight workers is recorded, however the workers were started."""
    for number in range(10 if way == "fork" else 2):
        folder = tmp_path / str(number)
        folder.mkdir()
        start(POOL, folder, way, 16, 8)

        assert recorded(folder) == {f"job-{job}": 25 for job in range(16)}


@pytest.mark.slow
def test_workers_that_follow_one_another_lose_nothing(tmp_path: Path) -> None:
    """A worker that begins after another has ended does not replace its file."""
    folder = tmp_path / "one"
    folder.mkdir()
    start(ONE_BY_ONE, folder, "fork", 6)

    assert recorded(folder) == {f"job-{job}": 25 for job in range(6)}


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_children_that_begin_together_lose_nothing(tmp_path: Path) -> None:
    """Ten rounds of eight forked children open the same name at the same moment."""
    for number in range(10):
        folder = tmp_path / str(number)
        folder.mkdir()
        start(TOGETHER, folder, 8)

        assert recorded(folder) == {f"job-{job}": 25 for job in range(8)}
        assert len(list(folder.iterdir())) == 8
