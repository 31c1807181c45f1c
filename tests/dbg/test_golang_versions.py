"""Each release of the Go library is understood: what its programs saw is what is stored."""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from am_dbg.control.cursors import cursor_at_address
from am_dbg.control.workspace import Workspace
from am_dbg.egress.export import export_session
from am_dbg.ingest.golang.protocol import GoProtocol
from am_dbg.ingest.golang.session import read_go_session
from am_dbg.ingest.importing import import_session, open_source
from am_dbg.projection.addresses.resolve import resolve
from am_dbg.projection.grids.matrix import project_matrix
from am_dbg.projection.grids.rain import project_rain
from am_dbg.projection.log.entries import entry_of
from am_dbg.projection.log.lines import lines_below
from am_dbg.projection.reader import ReaderView, project_reader
from am_dbg.projection.steps import Moment, project_steps
from am_dbg.query import ALL, Filters, Visible
from am_dbg.query.cursor import Cursor
from am_dbg.reports import transition_value
from am_dbg.store import Store, Track
from tests.dbg.golang_history import stored
from tests.dbg.golang_versions import (
    CHILD,
    PARENT,
    SESSION,
    VERSIONS,
    as_seen,
    has_read,
    levelled,
    play,
    read,
    recorded,
    seen,
)
from tests.reference import dumps
from tests.wire.serving import Debugger

NEWER = ("v0.15.2", "v0.19.1", "v0.19.1-nolog")


@pytest.fixture
def debugger() -> Iterator[Debugger]:
    debugger = Debugger(protocols=(GoProtocol(),))
    yield debugger
    debugger.stop()


def assert_as_seen(store: Store, version: str) -> None:
    for machine in recorded(version)["truth"]["recs"]:
        track = store.find(machine)
        assert track is not None
        expected = list(seen(version, machine))
        assert [track.tx_id_at(n) for n in range(1, track.count + 1)] == [
            record["id"] for record in expected
        ]
        for number, record in enumerate(expected, 1):
            found = as_seen(track, number)
            more = [0] * (len(found["time"]) - len(record["time"]))  # a session has one schema
            assert found == {
                **{key: record[key] for key in record if key not in ("lines", "pre")},
                "time": record["time"] + more,
                "called": track_order(track, number, record["called"]),
            }
            transition = track.transition(number)
            assert written(transition.lines) == levelled(version, machine, record["lines"])
            assert written(transition.pre_lines) == levelled(version, machine, record["pre"])


def track_order(track: Track, number: int, called: list[str]) -> list[str]:
    """Called auto states in the order the program sent them, which is a set to it."""
    sent = as_seen(track, number)["called"]
    return sent if sorted(sent) == sorted(called) else called


def written(lines: Any) -> list[tuple[int, str]]:
    """The lines a program logged itself: not the stacks that came beside them."""
    return [line for line in lines if not line[1].startswith("[queue:stack]")]


@pytest.mark.parametrize("version", VERSIONS[:3])
def test_a_live_program_is_stored_as_it_saw_itself(debugger: Debugger, version: str) -> None:
    """Every transition, clock, line and queue length of three machines that send at once."""
    play(debugger, version)
    debugger.wait_for(lambda: has_read(debugger, 3))

    assert_as_seen(debugger.store, version)
    for machine, end in recorded(version)["truth"]["machines"].items():
        track = debugger.track(machine)
        assert [state.name for state in track.states] == end["names"]
        assert list(track.ticks) == end["time"]
        assert list(track.gaps) == [gap for gap in track.gaps if gap.lost <= 0]


def test_a_program_without_logging_is_stored_as_it_saw_itself(debugger: Debugger) -> None:
    """Of a program that logs nothing there is all but checks, steps and its own lines."""
    version = "v0.19.1-nolog"
    play(debugger, version)
    debugger.wait_for(lambda: has_read(debugger, 3))

    for machine in recorded(version)["truth"]["recs"]:
        track = debugger.track(machine)
        expected = list(seen(version, machine))
        assert track.count == len(expected)
        for number, record in enumerate(expected, 1):
            found = as_seen(track, number)
            assert {**found, "called": sorted(found["called"])} == {
                **{key: record[key] for key in record if key not in ("lines", "pre")},
                "called": sorted(record["called"]),
            }


def test_a_session_of_the_newest_release_is_stored_as_its_program_saw_it(tmp_path: Path) -> None:
    """The file has a version beside each machine, which is no harm."""
    path = tmp_path / "s.gob.br"
    path.write_bytes(bytes.fromhex(recorded(SESSION)["file"]))

    assert_as_seen(stored(read_go_session(path)), SESSION)


def test_the_recorded_releases_are_those_of_the_reference() -> None:
    """What these tests play is, byte for byte, what was recorded."""
    folder = dumps() / "go-live"
    for version in VERSIONS:
        truth = json.loads(lzma.decompress((folder / f"go-{version}.truth.json.xz").read_bytes()))
        assert recorded(version)["truth"] == truth
        for number, one in enumerate(recorded(version)["connections"], 1):
            name = f"go-{version}-{number}"
            assert bytes.fromhex(one["sent"]) == (folder / f"{name}.bin").read_bytes()
            assert bytes.fromhex(one["answered"]) == (folder / f"{name}.reply.bin").read_bytes()
    session = (folder / "go-v0.19.1.gob.br").read_bytes()
    assert bytes.fromhex(recorded(SESSION)["file"]) == session


# Lines.


@pytest.mark.parametrize("version", VERSIONS[:3])
def test_the_line_of_an_automatic_change_is_no_second_row(version: str) -> None:
    """The row of a transition says what changed, whatever word its release has for it."""
    track = parent(version)
    number = first(track, "Ready")
    rows = lines_below(track.transition(number), 4)

    assert "+Ready" in str(track.transition(number).lines)
    assert not any("+Ready" in part.text for row in rows for part in row)


@pytest.mark.parametrize("version", VERSIONS[:3])
def test_lines_of_the_user_are_shown_at_the_lowest_level(version: str) -> None:
    """They come from outside of the library, whatever word its release has for that."""
    (row,) = lines_below(parent(version).transition(1), 0)

    assert "external line 7" in "".join(part.text for part in row)


@pytest.mark.parametrize("version", VERSIONS[:3])
def test_an_error_is_shown_at_the_level_of_changes(version: str) -> None:
    """Levels of every release are scaled to ours."""
    track = parent(version)
    rows = lines_below(track.transition(first(track, "Exception")), 1)

    assert any("an error" in part.text for row in rows for part in row)


# Queues.


@pytest.mark.parametrize("version", NEWER)
def test_the_queue_of_a_transition_is_what_was_queued_while_it_ran(version: str) -> None:
    """Neither the mutation it carries out nor what waited before is in that list."""
    track = parent(version)
    work, refused = first(track, "Work"), first(track, "Refused")
    queue = [text.partition(" (")[0] for text in reader(track, work).queue]

    assert queue == ["add Tick", "add Tick", "add FromEvent"]
    assert reader(track, work).queue_len == 3
    assert reader(track, work + 1).queue == ()
    assert reader(track, refused).queue == ()


@pytest.mark.parametrize("version", NEWER)
def test_what_a_handler_queued_is_marked_and_has_its_transition_as_source(version: str) -> None:
    """Also where no line says so; what came from elsewhere has no mark."""
    track = parent(version)
    work = first(track, "Work")
    marked = [n for n in range(1, track.count + 1) if flags(track, n) == "q"]

    assert marked[:3] == [work + 1, work + 2, work + 3]
    for number in marked[:3]:
        source = track.transition(number).source
        assert source is not None
        assert (source.machine, source.tx, source.time) == (PARENT, track.tx_id_at(work), 3)
    assert flags(track, first(track, "Refused")) == ""


@pytest.mark.parametrize("version", NEWER)
def test_an_error_among_the_arguments_is_at_the_transition_that_carries_it(version: str) -> None:
    """A program sends the error only when it is queued."""
    track = parent(version)
    errors = [
        dict(track.transition(number).args).get("err")
        for number in range(1, track.count + 1)
        if "Exception" in as_seen(track, number)["called"]
        and as_seen(track, number)["type"] == "add"
    ]

    assert errors == ["an error: ünïcödé\x1b[31m red", "net down", "boom in handler"]


@pytest.mark.parametrize("version", ["v0.19.1", "v0.19.1-nolog"])
def test_the_stack_that_asked_is_at_the_transition_it_asked_for(version: str) -> None:
    """Each transition has one stack, that of its own mutation."""
    track = parent(version)
    for number in range(1, track.count + 1):
        stacks = [
            text
            for _, text in track.transition(number).pre_lines
            if text.startswith("[queue:stack] ")
        ]
        names = " ".join(as_seen(track, number)["called"])
        assert [text.partition("\n")[0] for text in stacks] == [f"[queue:stack] {names}"]
    (tick,) = (
        text
        for _, text in track.transition(first(track, "Tick")).pre_lines
        if text.startswith("[queue:stack] ")
    )
    assert "WorkState" in tick


def test_a_mutation_told_after_its_transition_is_brought_to_it() -> None:
    """A queue that another thread drains may be shorter than its program reports."""
    track = read("v0.19.1-nolog").find(CHILD)
    assert track is not None
    stacks = [text for _, text in track.transition(track.count).pre_lines if "stack" in text]

    assert len(stacks) == 1
    assert stacks[0].startswith("[queue:stack] Up\n")


@pytest.mark.parametrize("version", NEWER)
def test_the_queue_tick_is_read_kept_and_shown(version: str, tmp_path: Path) -> None:
    """The reader and the values for JSON have it, also after an export."""
    track = copied(version, tmp_path)
    ticks = [record["qtick"] for record in seen(version, PARENT)]

    assert [track.transition(n).queue_tick for n in range(1, track.count + 1)] == ticks
    assert reader(track, 3).queue_tick == ticks[2]
    assert transition_value(track, 3)["queue_tick"] == ticks[2]


# Groups.


@pytest.mark.parametrize("version", NEWER)
def test_groups_of_states_are_read_kept_and_filter(version: str, tmp_path: Path) -> None:
    """A filter, or a term of a search, shows what called or changed a state of a group."""
    track = copied(version, tmp_path)
    groups = {state.name: state.groups for state in track.states if state.groups}
    jobs = {"Work", "Busy", "Idle"}

    assert groups == {"Start": ("Life",), "Ready": ("Life",)} | dict.fromkeys(jobs, ("Jobs",))
    expected = [n for n in range(1, track.count + 1) if jobs & touched(track, n)]
    for filters in (Filters(empty=True, group="Jobs"), Filters(empty=True, text="group:Jobs")):
        visible = Visible(track, filters)
        assert list(visible.numbers(1, track.count)) == expected
    assert Visible(track, Filters(empty=True, group="Other")).count == track.count
    assert Visible(track, Filters(empty=True, text="group:Other")).count == 0


# Addresses.


@pytest.mark.parametrize("version", ["v0.13.0", "v0.15.2", "v0.19.1", SESSION])
def test_an_address_out_of_a_log_is_found_after_an_export(version: str, tmp_path: Path) -> None:
    """Lines name transitions by ids, so ids are kept, of whatever length."""
    path = tmp_path / "s.msgpack.br"
    before = tmp_path / "s.gob.br"
    if version == SESSION:
        before.write_bytes(bytes.fromhex(recorded(SESSION)["file"]))
        export_session(stored(read_go_session(before)), path)
    else:
        export_session(read(version), path)
    store = Store()
    import_session(store, open_source(str(path)))
    workspace = Workspace(store)
    input_status = [
        text.removeprefix("[source] ")
        for track in store.tracks
        for number in range(1, track.count + 1)
        for _, text in track.transition(number).lines
        if text.startswith("[source] ")
    ]

    assert len(input_status) > 3
    for source in input_status:
        machine, tx_id, _ = source.split("/")
        for address in (f"mach://{machine}/{tx_id}", f"mach://{source}"):
            place = resolve(store, address)
            assert (place.track.id, place.track.tx_id_at(place.number or 0)) == (machine, tx_id)
            cursor = cursor_at_address(workspace, address)
            assert isinstance(cursor, Cursor)
            assert cursor.track is place.track
        assert isinstance(cursor_at_address(workspace, source), Cursor)


# What is not known.


def test_without_steps_nothing_is_asserted_about_who_stopped_what() -> None:
    """A refusal by a handler and a panic look alike; the reader says how to have more."""
    track = parent("v0.19.1-nolog")
    for state in ("Refused", "Boom"):
        view = reader(track, first(track, state))
        text = "".join(run.text for run in view.why)
        assert "unknown, because no steps were sent" in text
        assert "AM_LOG_FULL" in text
        assert "relations" not in text
        assert view.executed == ()


def test_without_steps_an_accepted_transition_shows_its_changes_and_no_handlers() -> None:
    """The clock is known, so what changed is; what ran is not."""
    track = parent("v0.19.1-nolog")
    text = "".join(run.text for run in reader(track, first(track, "Work")).why)

    assert "Work was activated. Busy was activated. Idle was deactivated. No steps were" in text
    assert "blocked" not in text


def test_without_steps_matrix_and_steps_mention_it() -> None:
    """An empty table would say that no state acted on another one."""
    track = parent("v0.19.1-nolog")
    moment = moment_at(track, first(track, "Work"))

    assert not project_matrix(moment, 20, 20).is_sent
    assert not project_steps(moment).is_sent
    with_steps = parent("v0.19.1")
    assert project_matrix(moment_at(with_steps, 3), 20, 20).is_sent


def test_without_steps_the_rain_touches_what_was_called_or_changed() -> None:
    """That much is known without them."""
    track = parent("v0.19.1-nolog")
    number = first(track, "Work")
    rain = project_rain(moment_at(track, number), Visible(track, ALL), 1, 11, tail=True)
    cells = dict(zip(rain.names, rain.rows[0].cells, strict=True))

    assert (cells["Work"], cells["Busy"], cells["Idle"], cells["Start"]) == ("2", "2", "|", "1")


def test_with_a_line_the_handler_that_said_no_is_known_without_steps() -> None:
    """A line of the program is as good as a step."""
    track = parent("v0.19.1")
    text = "".join(run.text for run in reader(track, first(track, "Refused")).why)

    assert "RefusedEnter denied it" in text


def parent(version: str) -> Track:
    track = read(version).find(PARENT)
    assert track is not None
    return track


def copied(version: str, folder: Path) -> Track:
    """The parent after it went through a session file."""
    path = folder / "s.msgpack.br"
    export_session(read(version), path)
    store = Store()
    import_session(store, open_source(str(path)))
    track = store.find(PARENT)
    assert track is not None
    return track


def reader(track: Track, number: int) -> ReaderView:
    return project_reader(Store(), moment_at(track, number))


def flags(track: Track, number: int) -> str:
    return entry_of(track, track.transition(number)).flags


def moment_at(track: Track, number: int) -> Moment:
    steps = len(track.shape_at(number).steps)
    return Moment(track, number, number, steps, steps)


def touched(track: Track, number: int) -> set[str]:
    states = track.schema_at(number)
    shape = track.shape_at(number)
    return {states[index].name for index in (*shape.called, *(i for i, _ in shape.changes))}


def first(track: Track, state: str) -> int:
    """The first transition that called a state and changed or refused something."""
    return next(
        number for number in range(1, track.count + 1) if state in as_seen(track, number)["called"]
    )
