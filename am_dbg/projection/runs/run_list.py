"""The rows of the list of machines: headings of runs with their machines below.

As long as there is one program with one run, the rows are the machines. With more, each run has
a heading. A run is open, which shows its machines, or folded to its heading:

- The newest run of a program and every connected run are open, older ones are folded, unless
  the user folded or unfolded them.
- The run of the selected machine stays open when its program starts again, so that no row
  disappears under the reader.
- Ended runs can be hidden: then only connected machines have rows, and the selected machine.
  If nothing is connected, the newest run of each program has them.
- A filter of the list opens all runs, so that what passes is seen. A sort other than that of
  the tree has no headings.

The rows are computed again only if machines came, went, connected or disconnected.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from am_dbg.projection.machine_list import MachineList, MachineSort
from am_dbg.projection.machine_order import ListedMachine, MachineOrder
from am_dbg.projection.runs.program_runs import (
    ProgramRun,
    RunSpan,
    are_several,
    program_runs,
    run_span,
)
from am_dbg.store import Store, Track

ListRow = ListedMachine | ProgramRun


class RunList:
    """The rows of the list; `selected_run` is the key of a heading under the cursor, or empty."""

    def __init__(
        self, store: Store, order: MachineOrder, machine_list: MachineList | None = None
    ) -> None:
        self._store = store
        self._order = order
        self._passing = MachineList(store, order) if machine_list is None else machine_list
        self._listed: Sequence[ListedMachine] = ()
        self._seen: Sequence[ListedMachine] = ()
        self._mark = 0
        self._connected: dict[Track, bool] = {}
        self._runs: list[ProgramRun] = []
        self._run_of: dict[Track, ProgramRun] = {}
        self._is_open: dict[str, bool] = {}
        self._rows: list[ListRow] = []
        self._rows_for: Track | None = None
        self._spans: dict[str, tuple[ProgramRun, RunSpan]] = {}
        self._positions: dict[Track | str, int] = {}
        self._is_some_connected = False
        self._anchor: tuple[Track | str, int] = ("", 0)
        self._hidden: tuple[Sequence[ProgramRun], Sequence[ListedMachine], int] = ((), (), 0)
        self.hides_ended = False
        self.selected_run = ""

    @property
    def runs(self) -> Sequence[ProgramRun]:
        """All runs, in the order of the list."""
        machines = self._order.machines
        if self._has_changed(machines):
            self._seen = machines
            self._runs = program_runs(machines, self._runs)
            self._run_of = {one.track: run for run in self._runs for one in run.machines}
            self._is_some_connected = any(run.is_connected for run in self._runs)
            self._rows = []
        return self._runs

    def _has_changed(self, machines: Sequence[ListedMachine]) -> bool:
        """Whether machines came or went, connected or disconnected since the last look."""
        changed, self._mark = self._store.changed_since(self._mark)
        known = self._connected
        flipped = [one for one in changed if known.get(one, False) is not one.connected]
        known.update((one, one.connected) for one in flipped)
        if machines is self._seen:
            return bool(flipped)
        if len(known) > len(machines):
            held = set(self._store.tracks)
            self._connected = {one: is_on for one, is_on in known.items() if one in held}
        return True

    @property
    def machines(self) -> list[ListedMachine]:
        """All machines in the order of the list, those of folded runs too."""
        return [machine for run in self.runs for machine in run.machines]

    def run_of(self, track: Track) -> ProgramRun | None:
        """The run of a machine, None if it was removed."""
        return self._run_of.get(track) if self.runs else None

    def run(self, key: str) -> ProgramRun | None:
        """The run with this key."""
        return next((run for run in self.runs if run.key == key), None)

    def newest_run(self, run: ProgramRun) -> ProgramRun:
        """The newest run of the same program."""
        return next(one for one in self.runs if one.is_newest and _are_of_one_program(one, run))

    def earlier_runs(self, run: ProgramRun) -> list[ProgramRun]:
        """The runs of the same program that began before."""
        return [
            one for one in self.runs if _are_of_one_program(one, run) and one.number < run.number
        ]

    @property
    def has_headings(self) -> bool:
        """Whether the runs have headings."""
        return are_several(self.runs)

    def rows(self, selected: Track | None) -> Sequence[ListRow]:
        """The rows from top to bottom, with this machine selected."""
        self.runs  # noqa: B018 - it is brought up to date
        run = self._run_of.get(selected) if selected else None
        if run is not None and not self.is_open(run) and run.key not in self._is_open:
            self.open(run, is_open=True)
        passing = self._passing.machines
        is_same = not self.hides_ended or self._extra(selected) is self._extra(self._rows_for)
        if self._rows and is_same and passing is self._listed:
            return self._rows
        self._listed, self._rows_for = passing, selected
        self._rows = list(self._arranged(selected))
        self._positions = {}
        if self.selected_run and self.selected_run not in {one.key for one in self._runs}:
            self.selected_run = ""
        return self._rows

    def _arranged(self, selected: Track | None) -> Iterator[ListRow]:
        """The machines that pass the filter: below the headings, or as they are sorted."""
        if self._passing.sort is not MachineSort.TREE or not self.has_headings:
            yield from self._kept(self._listed, selected)
            return
        by_run: dict[str, list[ListedMachine]] = {}
        for machine in self._kept(self._listed, selected):
            if run := self._run_of.get(machine.track):  # one that has just come is listed next time
                by_run.setdefault(run.key, []).append(machine)
        for run in self._runs:
            shown = by_run.get(run.key, [])
            if shown and not run.is_alone:
                yield run
                shown = shown if self.is_open(run) else []
            yield from shown

    def _kept(
        self, machines: Sequence[ListedMachine], selected: Track | None
    ) -> Sequence[ListedMachine]:
        """The machines without those that are hidden because they ended."""
        if not self.hides_ended:
            return machines
        extra = self._extra(selected)
        return [one for one in machines if self._is_kept(one.track) or one.track is extra]

    def _is_kept(self, track: Track) -> bool:
        """Whether a machine is shown while ended ones are hidden."""
        run = self._run_of.get(track)
        return track.connected if self._is_some_connected else run is None or run.is_newest

    def _extra(self, selected: Track | None) -> Track | None:
        """The selected machine if only its selection keeps it in the list."""
        is_extra = selected in self._run_of and selected is not None and not self._is_kept(selected)
        return selected if is_extra else None

    @property
    def passing(self) -> MachineList:
        """The filter and the sort of the list."""
        return self._passing

    @property
    def hidden(self) -> int:
        """How many machines of those that pass the filter are hidden because they ended."""
        if not self.hides_ended:
            return 0
        runs, passing = self.runs, self._passing.machines
        if self._hidden[0] is not runs or self._hidden[1] is not passing:
            count = sum(not self._is_kept(one.track) for one in passing)
            self._hidden = runs, passing, count
        return self._hidden[2]

    def is_open(self, run: ProgramRun) -> bool:
        """Whether the machines of a run are shown."""
        is_open = run.is_newest or run.is_connected or bool(self._passing.text)
        return self._is_open.get(run.key, is_open)

    def open(self, run: ProgramRun, *, is_open: bool) -> None:
        """Unfold a run, or fold it."""
        self._is_open[run.key] = is_open
        self._rows = []

    def reveal(self, track: Track) -> None:
        """Put the cursor on a machine; its run is unfolded."""
        self.selected_run = ""
        run = self.run_of(track)
        if run is not None and not self.is_open(run):
            self.open(run, is_open=True)

    def use_default(self, run: ProgramRun) -> None:
        """Fold or unfold a run as its age says, as if the user had not touched it."""
        self._is_open.pop(run.key, None)
        self._rows = []

    def hide_ended(self, *, hides: bool) -> None:
        """Hide ended runs and disconnected machines, or show them."""
        self.hides_ended = hides
        self._rows = []

    def span_of(self, run: ProgramRun) -> RunSpan:
        """The times of a run, kept ready while they do not change."""
        kept = self._spans.get(run.key)
        if kept is not None and kept[0] is run:
            return kept[1]
        span = run_span(self._store, run)
        if not self._store.streams[run.machines[-1].track.stream].open or run.is_connected:
            self._spans[run.key] = run, span
        return span

    def kept_top(self, selected: Track | None, top: int) -> int:
        """The first row of the window, moved with rows that came or went above the anchor."""
        rows = self.rows(selected)
        at = self._position_of(self._anchor[0])
        is_there = 0 <= at < len(rows)
        return max(0, at - self._anchor[1]) if is_there else top

    def keep_in_place(self, selected: Track | None, top: int, height: int) -> None:
        """Make the row of the cursor the anchor, or the first row if the cursor is not shown."""
        rows, at = self.rows(selected), self.position(selected)
        at = at if top <= at < top + height else top
        self._anchor = (_id_of(rows[at]) if at < len(rows) else "", at - top)

    def position(self, selected: Track | None) -> int:
        """The row of the cursor: the selected heading or machine, or the heading above it."""
        self.rows(selected)
        heading = self._position_of(self.selected_run)
        if selected is None or heading >= 0:
            return heading
        at = self._position_of(selected)
        run = self._run_of.get(selected)
        return self._position_of(run.key) if run and at < 0 else at

    def _position_of(self, id: Track | str) -> int:
        if not self._positions:
            self._positions = {_id_of(row): at for at, row in enumerate(self._rows)}
        return self._positions.get(id, -1)


def _are_of_one_program(one: ProgramRun, other: ProgramRun) -> bool:
    return one.first == other.first


def _id_of(row: ListRow) -> Track | str:
    return row.key if isinstance(row, ProgramRun) else row.track
