"""How many transitions all machines have is counted in slices, and known totals stay meanwhile."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from am_dbg.control import Control, arrivals
from am_dbg.control.across.totals import AT_ONCE_MAX, Total, Totals
from am_dbg.ingest.intake import ImportProgress
from am_dbg.query import Filters
from am_dbg.query.across_queries import AcrossQueries
from am_dbg.store import Store
from amtracer.wire.codec import FrameReader
from benchmarks.debugger_sessions import Program, frames, planned, taken_in

MANY = 2 * AT_ONCE_MAX
TICKS: Any = count()


def store_with(machines: int) -> Store:
    return taken_in(frames(planned(Program.REPEATING, 42 * machines, machines)))


def test_a_few_machines_are_counted_at_once() -> None:
    """Their total is exact with the first paint."""
    store = store_with(3)
    errors = AcrossQueries(store).errors(Filters())

    assert Totals().of("errors", errors) == Total(errors.count, 1)


def test_many_machines_are_counted_in_slices() -> None:
    """No total is known before the last slice, then it is that of a count at once."""
    store = store_with(MANY)
    canceled = AcrossQueries(store).canceled(Filters())
    totals = Totals(clock=lambda: next(TICKS))  # each look at the clock ends a slice

    assert totals.of("canceled", canceled) is None
    slices = 0
    while totals.is_running:
        totals.go_on()
        slices += 1

    assert slices > MANY
    whole = AcrossQueries(store).canceled(Filters())
    assert totals.of("canceled", canceled) == Total(whole.count, len(whole.holding))


def test_the_last_total_is_shown_while_it_is_counted_again() -> None:
    """A crowd that sends does not make the total disappear."""
    store = store_with(MANY)
    canceled = AcrossQueries(store).canceled(Filters())
    totals = Totals()
    totals.of("canceled", canceled)
    while totals.is_running:
        totals.go_on()
    before = totals.of("canceled", canceled)
    for track in store.tracks:
        store.track_changed(track)

    assert totals.of("canceled", canceled) == before
    assert totals.is_running


def test_another_set_abandons_the_count_of_the_one_before() -> None:
    """A new filter does not wait for the totals of the old one."""
    store = store_with(MANY)
    queries = AcrossQueries(store)
    totals = Totals(clock=lambda: next(TICKS))
    totals.of("canceled", queries.canceled(Filters()))
    other = queries.canceled(Filters(level=1))

    totals.of("canceled", other)
    while totals.is_running:
        totals.go_on()

    assert totals.of("canceled", other) is not None


def test_a_count_goes_on_from_where_it_was_when_machines_changed() -> None:
    """Machines that were counted and did not change are not counted again."""
    store = store_with(MANY)
    canceled = AcrossQueries(store).canceled(Filters())
    for _ in canceled.counting():
        pass
    assert canceled.behind == 0

    store.track_changed(store.tracks[0])

    assert canceled.behind == 1
    assert canceled.count == AcrossQueries(store).canceled(Filters()).count


def test_the_changes_of_a_store_can_be_taken_a_few_at_a_time() -> None:
    """The next mark is after those that were returned."""
    store = store_with(5)
    whole, end = store.changed_since(0)

    first, mark = store.changed_since(0, 2)
    rest, last = store.changed_since(mark, 100)

    assert [*first, *rest] == whole
    assert len(first) == 2
    assert last == end


def test_many_machines_of_an_import_are_listed_in_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two slices a key is handled; at the end of the import none is left out."""
    monkeypatch.setattr(arrivals, "TAKEN_MAX", 2)
    store = Store()
    control = Control(store)
    control.data_arrived()
    stream = store.open_stream("many", live=False)
    for message in FrameReader().feed(frames(planned(Program.REPEATING, 5 * 42, 5))):
        store.feed(stream, message)

    control.import_progressed(ImportProgress("many", 1, 2))
    assert control.project(120, 40).machines.total == 2
    assert control.project(120, 40).is_counting
    assert control.count_further()
    assert control.project(120, 40).machines.total == 4

    control.import_progressed(ImportProgress("many", 1, 1, is_over=True))
    assert control.project(120, 40).machines.total == 5
    assert not control.project(120, 40).is_counting
