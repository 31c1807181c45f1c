"""The runs of programs: which machines belong to one start of a program.

A run is one process from its start to its end. A program that was started again after it ended
is the same program with one more run (see `lines`). Runs count from 1 in order of arrival. Two
that go on at once are two programs side by side, and their pids distinguish them. So are two that
have the same name and different paths.

- A tree of machines, which is a machine with its children below it, belongs to the run of its
  root.
- If the process reported its name, all trees of the process are one run of that program.
- A Go program reports no name and sends each machine over a connection of its own. There the id
  of the root stands for the program, and a root that enters again after the end of its connection
  begins the next run. A root that was disposed and made again stays in the same run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby

from am_dbg.projection.clean import clean, clean_name
from am_dbg.projection.machine_order import ListedMachine, natural_key
from am_dbg.projection.runs.lines import RunRoots, lines_of
from am_dbg.store import GapKind, Store, Track

PROCESS_LETTERS = 6
"""So many letters of the name of a process stand for its pid, if that is not known."""

_Tree = list[ListedMachine]


@dataclass(frozen=True, slots=True)
class ProgramRun:
    """One run with its machines as the list shows them; `runs` counts those of its program.

    `key` stays the same while more machines come. `first` is the key of the program's first run.
    `program` is the name of the program, `name` distinguishes it from others
    of the same name.
    """

    key: str
    first: str
    program: str
    name: str
    pid: str
    number: int
    runs: int
    machines: tuple[ListedMachine, ...]
    is_named: bool
    is_connected: bool

    @property
    def is_newest(self) -> bool:
        return self.number == self.runs

    @property
    def is_alone(self) -> bool:
        """Whether it is a tree of a program without a name that was seen once."""
        return self.runs == 1 and not self.is_named


@dataclass(frozen=True, slots=True)
class RunSpan:
    """When a run began and ended, 0 if nothing shows it, and why it ended, if that is known."""

    start_ns: int = 0
    end_ns: int = 0
    reason: str = ""


@dataclass(slots=True)
class _Begun:
    """A run while the trees are collected."""

    key: str
    program: str
    is_named: bool
    roots: RunRoots = field(default_factory=RunRoots)
    machines: _Tree = field(default_factory=list)

    @property
    def first_root(self) -> Track:
        return self.roots.roots[0]

    @property
    def last_root(self) -> Track:
        return self.roots.roots[-1]


def program_runs(
    machines: Sequence[ListedMachine], before: Sequence[ProgramRun] = ()
) -> list[ProgramRun]:
    """All runs: programs by name, the newest run of each first, and before them the trees alone.

    Of the runs before, those that are the same are used again.
    """
    known = {run.machines[0].track: run for run in before if run.is_alone}
    trees = _trees(machines)
    names = Counter(clean_name(tree[0].track.id) for tree in trees if _has_no_name(tree))
    alone: list[ProgramRun] = []
    others: list[_Tree] = []
    for tree in trees:
        root = tree[0].track
        if _has_no_name(tree) and names[clean_name(root.id)] == 1:
            alone.append(_run_alone(tree, known.get(root)))
        else:
            others.append(tree)
    runs = _runs_of(others)
    if also := [run for run in runs if run.is_alone]:
        alone = sorted(alone + also, key=_program_key)
        runs = [run for run in runs if not run.is_alone]
    return alone + runs


def _has_no_name(tree: _Tree) -> bool:
    """Whether the process of a tree reported no name."""
    return not tree[0].track.identity.program


def _run_alone(tree: _Tree, before: ProgramRun | None) -> ProgramRun:
    """The run of a tree that is the only one with its name."""
    root = tree[0].track
    machines = tuple(tree)
    is_connected = any(machine.track.connected for machine in tree)
    if before is not None and before.machines == machines and before.is_connected is is_connected:
        return before
    key, name = _key_of_root(root), clean_name(root.id)
    return ProgramRun(
        key=key,
        first=key,
        program=name,
        name=name,
        pid=clean(root.identity.pid),
        number=1,
        runs=1,
        machines=machines,
        is_named=False,
        is_connected=is_connected,
    )


def _key_of_root(root: Track) -> str:
    return f"root {root.key}"


def _runs_of(trees: Sequence[_Tree]) -> list[ProgramRun]:
    """The runs of programs that have a name or were seen several times."""
    begun: dict[str, _Begun] = {}
    newest: dict[str, _Begun] = {}
    roots = sorted((tree[0].track for tree in trees), key=lambda track: track.arrival)
    run_of = {root: _run_of(root, begun, newest) for root in roots}
    for tree in trees:
        run_of[tree[0].track].machines.extend(tree)
    programs = sorted(begun.values(), key=_program_key)
    return [
        run for _, same in groupby(programs, key=_program_key) for run in _of_one_name(list(same))
    ]


def _program_key(run: _Begun | ProgramRun) -> tuple[object, ...]:
    return natural_key(run.program), run.program, run.is_named


def _trees(machines: Sequence[ListedMachine]) -> list[_Tree]:
    trees: list[_Tree] = []
    for machine in machines:
        if not machine.depth or not trees:
            trees.append([])
        trees[-1].append(machine)
    return trees


def _run_of(root: Track, begun: dict[str, _Begun], newest: dict[str, _Begun]) -> _Begun:
    """The run that a tree belongs to by its root; it may begin with it."""
    name = program_name(root)
    key = f"process {root.identity.process or root.stream}" if name else _key_of_root(root)
    run = begun.get(key) if name else newest.get(root.id)
    if run is None or not (name or _is_same_process(run.last_root, root)):
        run = begun[key] = _Begun(key, name or clean_name(root.id), bool(name))
        newest |= {} if name else {root.id: run}
    run.roots.roots.append(root)
    return run


def _is_same_process(before: Track, root: Track) -> bool:
    """Whether two roots with one id are of one process: its connection had not ended between."""
    is_same_stream = before.stream == root.stream and before.left_at > root.entered_at
    return before.gone or is_same_stream


def _of_one_name(runs: list[_Begun]) -> list[ProgramRun]:
    """The runs of all programs that have one name, program after program."""
    by_roots = {id(run.roots): run for run in runs}
    paths: dict[str, list[RunRoots]] = {}
    for run in runs:
        paths.setdefault(run.first_root.identity.path_hash, []).append(run.roots)
    lines = [line for same in paths.values() for line in lines_of(same)]
    lines.sort(key=lambda line: line[0].arrival)
    programs = [[by_roots[id(roots)] for roots in line] for line in lines]
    are_alike = len(programs) > 1
    pids = Counter(line[-1].first_root.identity.pid for line in programs)
    return [
        run
        for line in programs
        for run in _numbered(line, are_alike, pids[line[-1].first_root.identity.pid] == 1)
    ]


def _numbered(runs: list[_Begun], are_alike: bool, has_own_pid: bool) -> list[ProgramRun]:
    """The runs of one program, the newest first."""
    numbered = [
        ProgramRun(
            key=run.key,
            first=runs[0].key,
            program=run.program,
            name=_distinct_name(run, has_own_pid) if are_alike else run.program,
            pid=clean(run.first_root.identity.pid),
            number=number,
            runs=len(runs),
            machines=tuple(run.machines),
            is_named=run.is_named,
            is_connected=any(machine.track.connected for machine in run.machines),
        )
        for number, run in enumerate(runs, 1)
    ]
    return numbered[::-1]


def _distinct_name(run: _Begun, has_own_pid: bool) -> str:
    """The name of a run of which the program's name says too little."""
    identity = run.first_root.identity
    if not run.is_named:
        return clean_name(run.first_root.key)
    if identity.pid and has_own_pid:
        return f"{run.program} (pid {clean(identity.pid)})"
    return f"{run.program} (process {clean(identity.process[:PROCESS_LETTERS])})"


def are_several(runs: Sequence[ProgramRun]) -> bool:
    """Whether there is more than one program with a name, or more than one run of a program."""
    return sum(run.is_named for run in runs) > 1 or any(run.runs > 1 for run in runs)


def machine_in(run: ProgramRun, id: str) -> Track | None:
    """The newest machine with this id in a run."""
    same = [machine.track for machine in run.machines if machine.track.id == id]
    return max(same, key=lambda track: track.arrival, default=None)


def program_name(track: Track) -> str:
    """The name of the program that made a machine, empty if it is not known."""
    name = track.identity.program.removesuffix(".py")
    return clean_name(name) if name else ""


def run_span(store: Store, run: ProgramRun) -> RunSpan:
    """The times of a run: its end is that of its connections, or else its last transition."""
    tracks = [machine.track for machine in run.machines]
    if run.is_connected:
        return RunSpan(_start_ns(tracks))
    end_ns = max(store.streams[track.stream].closed_ns for track in tracks)
    lasts = (track.time_at(track.count) for track in tracks if track.count >= track.first)
    reason = next(filter(None, map(end_reason, tracks)), "")
    return RunSpan(_start_ns(tracks), end_ns or max(lasts, default=0), reason)


def end_reason(track: Track) -> str:
    """Why the history of a machine ends where it does; empty for an end in order."""
    gaps = track.gaps_after(track.count)
    return next((gap.reason for gap in reversed(gaps) if gap.kind is GapKind.CUT), "")


def _start_ns(tracks: Sequence[Track]) -> int:
    """When the process began to send, or else its first transition."""
    own = [track.identity for track in tracks if track.identity.process == track.identity.session]
    started = [identity.started_ns for identity in own if identity.started_ns]
    firsts = (track.time_at(track.first) for track in tracks if track.count >= track.first)
    return min(started) if started else min(firsts, default=0)
