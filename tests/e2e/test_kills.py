"""Programs and debuggers are killed at any moment: nothing seen is lost, and gaps are counted.

A program changes several machines, sends them to a debugger and records itself; `am-dbg record`
listens. One of them, or both, are killed and started again, AM_KILLS times in all (10 by
default). The moment is chosen by how much the program has done.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import random
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from am_dbg.ingest.importing import import_session
from am_dbg.projection.log.view import project_log
from am_dbg.projection.log.window import LogPlace, RowKind
from am_dbg.projection.steps import moment_of
from am_dbg.query import ALL, Visible
from am_dbg.query.cursor import Cursor
from am_dbg.store import GapKind, Store, Track
from amtracer.errors import CutSessionError
from tests.wire.serving import ROOT, run

KILLS = int(os.environ.get("AM_KILLS", "10"))
WAIT_S = 60
_log = logging.getLogger(__name__)

VICTIMS = ("program", "debugger", "both")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120 + 10 * KILLS)]

PROGRAM = """
import json, random, sys
import amtracer, machine as am
from amtracer.send import sender

sender.RETRY_S_MAX = 0.2  # nobody waits for long here
SCHEMA = {"A": am.State(remove=["B"]), "B": am.State(remove=["A"]),
          "Auto": am.State(auto=True, require=["A"]), "M": am.State(multi=True)}

class Handlers:
    def BEnter(self, e):
        return rng.random() < 0.7

    def MState(self, e):
        e.machine.log("counted %s", e.args.get("at"))

rng = random.Random(int(sys.argv[1]))
made = []

def make(id):
    mach = am.Machine(None, SCHEMA, id=id)
    mach.bind_handlers(Handlers())
    mach.set_log_level(am.LogLevel.CHANGES)
    mach.set_logger_empty(am.LogLevel.CHANGES)
    amtracer.attach(mach)
    made.append(mach)
    return mach

machines = [make(f"m{at}") for at in range(4)]
did = 0
for line in sys.stdin:
    word, _, number = line.partition(" ")
    if word == "go":
        for at in range(int(number)):
            mach = rng.choice(machines)
            how = rng.choice((mach.add1, mach.add1, mach.remove1))
            how(rng.choice(("A", "B", "M", "M")), {"at": at})
            did += 1
            if did % 10 == 0:
                print("did", did, flush=True)
        if rng.random() < 0.5:
            machines[0].dispose_force()
            machines[0] = make("m0")
        print("rests", flush=True)
    elif word.strip() == "report":
        print("reports", json.dumps([
            {"id": m.id, "prefix": m.tx_prefix, "did": m.tx_number, "ticks": list(m.time() or ()),
             "gone": m not in machines} for m in made]), flush=True)
    else:
        break
amtracer.close()
print("ends", flush=True)
"""

AM_DBG = "from am_dbg.cli.commands import main; main()"

Rows = dict[str, list[int]]
"""The numbers of the transitions that are held, by what their machine's ids begin with."""


class Process:
    """A process that can be killed, with a wait for each of its lines."""

    def __init__(self, words: list[object], **variables: object) -> None:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("AM_")}
        environment |= {"PYTHONPATH": str(ROOT), **{k: str(v) for k, v in variables.items()}}
        self._lines: queue.Queue[str] = queue.Queue()
        self._past: list[str] = []
        self._process = subprocess.Popen(
            [sys.executable, *map(str, words)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def send(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def receive(self, *starts: str) -> str:
        """The next line that begins so; others are passed over."""
        while True:
            line = self._lines.get(timeout=WAIT_S)
            self._past.append(line)
            assert line, f"the process ended: {''.join(self._past[-20:])}"
            if line.startswith(starts):
                return line

    def end(self, signal: str) -> int:
        """Kill or terminate it, unless it ended by itself; its exit code."""
        {"kill": self._process.kill, "terminate": self._process.terminate}[signal]()
        return self.over()

    def over(self) -> int:
        """Wait for its end."""
        code = self._process.wait(WAIT_S)
        self._reader.join(WAIT_S)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            try:
                pipe.close()
            except BrokenPipeError:
                continue
        return code

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put("")


def opened(path: Path) -> tuple[Store, bool]:
    """The contents of a session file, and whether it is whole."""
    store = Store()
    try:
        import_session(store, str(path))
    except CutSessionError:
        return store, False
    return store, True


def rows_of(track: Track) -> list[int]:
    return [track.row_at(number) for number in range(1, track.count + 1)]


def held(path: Path) -> Rows:
    """The contents of a file that may still grow."""
    return {track.identity.tx_prefix: rows_of(track) for track in opened(path)[0].tracks}


def count(path: Path) -> int:
    return sum(map(len, held(path).values()))


@dataclass
class Stage:
    """The program and the debugger, restarted after each kill, with all their files."""

    folder: Path
    rng: random.Random
    address: str = ":0"
    collected: list[Path] = field(default_factory=list)
    recorded: list[Path] = field(default_factory=list)
    dead: set[str] = field(default_factory=set)
    reported: list[dict[str, Any]] = field(default_factory=list)

    def start_debugger(self) -> None:
        path = self.folder / f"collected-{len(self.collected)}.msgpack.br"
        self.debugger = Process(["-m", "am_dbg", "record", path, "-l", self.address])
        line = self.debugger.receive("am-dbg: listening at ")
        self.address = line.removeprefix("am-dbg: listening at ").partition(",")[0]
        self.collected.append(path)

    def start_program(self) -> None:
        path = self.folder / f"recorded-{len(self.recorded)}.msgpack.br"
        seed = self.rng.randrange(10**6)
        self.program = Process(["-c", PROGRAM, seed], AM_DBG_ADDR=self.address, AM_DBG_FILE=path)
        self.recorded.append(path)
        self.reported = []

    def report(self) -> list[dict[str, Any]]:
        """All machines of the running program, from its report."""
        self.program.send("report")
        self.reported = json.loads(self.program.receive("reports").partition(" ")[2])
        return self.reported

    def go(self, number: int) -> None:
        self.program.send(f"go {number}")
        self.program.receive("rests")

    def connect(self) -> None:
        """Until the debugger has kept some of what this program did since."""
        path = self.collected[-1]
        did = {one["prefix"]: one["did"] for one in self.report()}

        def has_news() -> bool:
            self.go(5)
            return any(
                rows and rows[-1] >= did[prefix]
                for prefix, rows in held(path).items()
                if prefix in did
            )

        until(has_news)
        number = self.rng.randrange(3_000)
        seen = count(path) + self.rng.randrange(number // 2 + 1)
        self.go(number)
        until(lambda: count(path) >= seen)

    def kill(self, victim: str) -> None:
        """In the middle of much work; what was on the disk before is there afterwards."""
        number = self.rng.randrange(20, 3_000)
        at = self.rng.randrange(number)
        self.report()
        self.program.send(f"go {number}")
        for _ in range(at // 10):
            self.program.receive("did")
        paths = self.collected[-1], self.recorded[-1]
        before = [held(path) for path in paths]
        if victim != "debugger":
            self.program.end("kill")
            self.dead |= {one["prefix"] for one in self.reported if not one["gone"]}
        if victim != "program":
            self.debugger.end("kill")
        if victim == "debugger":
            self.program.receive("rests")
        for path, rows in zip(paths, before, strict=True):
            after = held(path)
            assert {prefix: after[prefix][: len(kept)] for prefix, kept in rows.items()} == rows

    def finish(self) -> None:
        """All that the last program did arrives, then both end in order."""
        self.go(100)
        last = {one["prefix"]: one["did"] for one in self.report()}
        until(lambda: all(reached(self.collected[-1]).get(p, 0) == last[p] for p in alive(self)))
        self.program.send("end")
        self.program.receive("ends")
        assert self.program.over() == 0
        assert self.debugger.end("terminate") == 0

    def close(self) -> None:
        for process in (self.program, self.debugger):
            process.end("kill")


def alive(stage: Stage) -> list[str]:
    return [one["prefix"] for one in stage.reported if not one["gone"]]


def reached(path: Path) -> dict[str, int]:
    """The last known transition of each machine, by the beginning of its ids."""
    return {track.identity.tx_prefix: track.row_next for track in opened(path)[0].tracks}


def until(happened: Callable[[], object]) -> None:
    """Wait until it happened; fail when it takes long."""
    for _ in range(WAIT_S * 50):
        if happened():
            return
        threading.Event().wait(0.02)
    pytest.fail("it did not happen")


@pytest.fixture(params=VICTIMS)
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    """A program and a debugger after many kills, both ended regularly at last."""
    victim: str = request.param
    made = Stage(tmp_path, random.Random(f"{victim} {KILLS}"))
    made.start_debugger()
    made.start_program()
    try:
        for _ in range(share_of(victim)):
            made.connect()
            made.kill(victim)
            if victim != "program":
                made.start_debugger()
            if victim != "debugger":
                made.start_program()
        made.connect()
        made.finish()
        yield made
    finally:
        made.close()


def share_of(victim: str) -> int:
    """Every kind of kill has a share, and at least one."""
    return max(1, (KILLS + VICTIMS.index(victim)) // len(VICTIMS))


def test_after_kills_nothing_is_shown_twice_and_every_gap_is_counted(stage: Stage) -> None:
    """Over all files a machine's transitions ascend, and those between them are counted as lost."""
    next_row: Counter[str] = Counter()
    gaps = transitions = 0
    for path in stage.collected:
        store, is_whole = opened(path)
        assert is_whole == (path == stage.collected[-1])
        assert len({track.identity.tx_prefix for track in store.tracks}) == len(store.tracks)
        for track in store.tracks:
            prefix = track.identity.tx_prefix
            check_track(track)
            assert track.row_start >= next_row[prefix]
            next_row[prefix] = track.row_next
            gaps += len(track.gaps)
            transitions += track.count
    check_counts(opened(stage.collected[-1])[0], stage.reported)
    for path in stage.collected:
        for track in opened(path)[0].tracks:
            if track.identity.tx_prefix in stage.dead and not track.gone:
                assert track.gaps[-1].kind is GapKind.CUT
    _log.info("%d files, %d transitions, %d gaps", len(stage.collected), transitions, gaps)
    assert gaps >= max(len(stage.collected), len(stage.recorded)) - 1

    check_recordings(stage)


def check_track(track: Track) -> None:
    """Every place between two rows that do not follow has a gap of that length."""
    rows = [track.row_start - 1, *rows_of(track), track.row_next]
    lost: Counter[int] = Counter()
    for gap in track.gaps:
        if gap.kind is not GapKind.LATE:
            lost[gap.after_number] += max(0, gap.lost)
    late = [gap.lost for gap in track.gaps if gap.kind is GapKind.LATE]

    assert late == [track.row_start] * bool(track.row_start)
    assert {at: b - a - 1 for at, (a, b) in enumerate(pairwise(rows)) if b - a > 1} == {
        at: count for at, count in lost.items() if count
    }
    ids = [track.tx_id_at(number) for number in range(1, track.count + 1)]
    assert ids == [f"{track.identity.tx_prefix}{row + 1:016x}" for row in rows[1:-1]]


def check_counts(store: Store, reported: list[Mapping[str, Any]] | list[dict[str, Any]]) -> None:
    """Held and lost transitions together are all transitions of the program."""
    by_prefix = {track.identity.tx_prefix: track for track in store.tracks}
    for one in reported:
        track = by_prefix.get(one["prefix"])
        if one["gone"]:
            assert track is None or track.gone
            continue
        assert track is not None
        lost = sum(gap.lost for gap in track.gaps)
        assert (track.id, track.count + lost) == (one["id"], one["did"])
        assert track.ticks == tuple(one["ticks"])


def check_recordings(stage: Stage) -> None:
    """A recording of the program itself has no gap, and is whole if it was not killed."""
    for path in stage.recorded:
        store, is_whole = opened(path)
        is_last = path == stage.recorded[-1]
        assert is_whole == is_last
        for track in store.tracks:
            assert rows_of(track) == list(range(track.count))
            assert [gap.kind for gap in track.gaps] == [GapKind.CUT] * (
                not is_whole and not track.gone
            )
        if is_last:
            check_counts(store, stage.reported)


def test_a_restarted_program_keeps_the_recording_of_the_killed_one(
    tmp_path: Path,
) -> None:
    """The new recording has the same name, and the cut one is kept beside it."""
    path = tmp_path / "run.msgpack.br"
    prefixes = []
    for seed in range(2):
        program = Process(["-c", PROGRAM, seed], AM_DBG_FILE=path)
        program.send("report")
        reported = json.loads(program.receive("reports").partition(" ")[2])
        program.send("go 2000")
        program.receive("rests")
        prefixes.append(reported[1]["prefix"])
        until(lambda: path.exists() and len(held(path).get(prefixes[-1], ())) >= 100)
        program.end("kill")
    kept = held(tmp_path / "run.cut.msgpack.br")

    assert sorted(os.listdir(tmp_path)) == ["run.cut.msgpack.br", "run.msgpack.br"]
    assert len(kept[prefixes[0]]) >= 100 <= len(held(path)[prefixes[1]])
    assert prefixes[0] not in held(path)


def test_a_restarted_debugger_shows_how_much_it_missed(tmp_path: Path) -> None:
    """The first thing that it shows is the number of earlier transitions."""
    stage = Stage(tmp_path, random.Random(0))
    stage.start_debugger()
    stage.start_program()
    try:
        stage.connect()
        stage.debugger.end("kill")
        stage.start_debugger()
        stage.connect()
        stage.finish()
    finally:
        stage.close()
    path = stage.collected[-1]
    track = next(track for track in opened(path)[0].tracks if track.row_start)
    visible = Visible(track, ALL)
    rows = project_log(moment_of(Cursor(track).at(1), visible), visible, LogPlace(0), 20).rows
    shown = run(AM_DBG, "show", path, f"mach://{track.key}").stdout.splitlines()

    gap = next(row for row in rows if row.kind in (RowKind.GAP, RowKind.ENTRY))
    assert gap.text == f"recording began after {track.row_start:,} transitions"
    assert shown[0].endswith(f"recorded from here on, {track.row_start:,} transitions before")
