"""What the store knows beside transitions: refusals, late handlers, places of errors."""

from __future__ import annotations

import pytest

from am_dbg import reports as text
from am_dbg.egress.export import Selection, selected
from am_dbg.projection.log.view import project_log
from am_dbg.projection.log.window import LogPlace, RowKind
from am_dbg.projection.machine_order import MachineOrder
from am_dbg.projection.machines import project_machines
from am_dbg.projection.reader import project_reader
from am_dbg.projection.runs.run_list import RunList
from am_dbg.projection.steps import moment_of, project_steps
from am_dbg.projection.timeline import project_timeline
from am_dbg.query import ALL, Visible
from am_dbg.query.cursor import Cursor
from am_dbg.store import Store, Track
from am_dbg.store.notes import NOTE_CHARS_MAX, NOTES_MAX, RefusalNote, Trouble
from amtracer.encode.stream_writer import StreamWriter
from amtracer.errors import WireError
from amtracer.wire.messages import Message, RefusedMessage, Shape, StateDef, StepDef, TroubleMessage
from amtracer.wire.vocabulary import StepFlag, TroubleKind
from tests.dbg.histories import hello, write_messages
from tests.dbg.test_export_identity import taken_in
from tests.transitions import RecordedTransition, write_transition

STATES = (StateDef("A"), StateDef("Exception", multi=True))
FAILED = StepDef(2, source=0, flags=int(StepFlag.FINAL | StepFlag.ENTER | StepFlag.FAILED))
PLACE = "run.py:7 in Handlers.AState"


class Told:
    """A machine with notes."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.writer = StreamWriter(self.messages.append, hello("s"))
        self.machine = self.writer.machine("m", self.writer.schema(STATES), tx_prefix="aa")
        self.at = 0

    def toggle(self, times: int = 1) -> None:
        for _ in range(times):
            self.at += 1
            growth = 1 if self.at % 2 else -1
            shape = Shape(0, (0,), 1, ((0, growth),))
            write_transition(self.writer, self.machine, RecordedTransition(shape, self.at * 1_000))

    def fail(self) -> None:
        shape = Shape(0, (0,), 0, (), (StepDef(32, target=0), FAILED))
        self.writer.trouble(self.machine, self.at, TroubleKind.RAISED, "", PLACE, step=1)
        self.at += 1
        write_transition(self.writer, self.machine, RecordedTransition(shape, self.at * 1_000))

    def late(self, row: int) -> None:
        late = TroubleKind.LATE
        self.writer.trouble(self.machine, row, late, "AState", PLACE, 300_000_000)

    def store(self) -> Store:
        self.writer.flush()
        return taken_in(self.messages)


def track_of(reported: Told) -> Track:
    (track,) = reported.store().tracks
    return track


def why_of(store: Store, track: Track, number: int) -> str:
    view = project_reader(store, moment_of(Cursor(track, number), Visible(track, ALL)))
    return "".join(run.text for run in view.why)


def test_the_debugger_reports_where_a_handler_raised() -> None:
    """On the failed step and in Why, on the screen and in text."""
    reported = Told()
    reported.fail()
    store = reported.store()
    (track,) = store.tracks

    assert track.raised_at(1, 1) == PLACE
    assert track.raised_at(1, 0) == ""
    assert f"AState failed, raised at {PLACE}." in why_of(store, track, 1)
    assert f"step     handler  AState  failed  raised at {PLACE}" in text.transition_lines(track, 1)
    assert text.transition_value(track, 1)["steps"][1]["raised_at"] == PLACE
    moment = moment_of(Cursor(track, 0, 2), Visible(track, ALL))
    current = project_steps(moment).current
    assert current is not None
    assert current.outcome == f"failed, raised at {PLACE}"


def test_a_handler_that_has_not_returned_is_shown_while_it_hangs() -> None:
    """In the list, at the end of the history, in Why of the last transition and as a mark."""
    reported = Told()
    reported.toggle(2)
    reported.late(2)
    store = reported.store()
    (track,) = store.tracks
    words = f"AState has not returned, it has been running for more than 0.3 s, at {PLACE}"

    assert track.hanging == (Trouble(2, True, "AState", PLACE, 300_000_000),)
    assert f"m: {words}" in list(text.machine_lines(store))
    assert list(text.history_lines(track))[-1].endswith(f"-- {words}")
    assert f"Since then {words}." in why_of(store, track, 2)
    assert words not in why_of(store, track, 1)
    (row,) = project_machines(store, RunList(store, MachineOrder(store)), track, 10**9, 0, 5).rows
    assert row.mark == "!"
    log = project_log(
        moment_of(Cursor(track, 2), Visible(track, ALL)), Visible(track, ALL), LogPlace(0), 9
    )
    assert [row.text for row in log.rows if row.kind is RowKind.GAP] == [words]


def test_a_handler_that_hangs_in_the_first_transition_is_shown_too() -> None:
    """Nothing else is known of that machine."""
    reported = Told()
    reported.late(0)
    store = reported.store()
    (track,) = store.tracks

    assert "AState has not returned" in why_of(store, track, 0)
    assert text.machine_value(track)["hanging"][0]["handler"] == "AState"


def test_a_late_handler_that_returned_is_reported_with_its_transition() -> None:
    """It hangs no more."""
    reported = Told()
    reported.toggle()
    reported.late(1)
    reported.toggle()
    store = reported.store()
    (track,) = store.tracks

    assert track.hanging == ()
    assert f"AState was still running after 0.3 s, at {PLACE}." in why_of(store, track, 2)
    assert text.transition_value(track, 2)["late"][0]["handler"] == "AState"


def test_refused_mutations_are_counted_and_marked() -> None:
    """In the list, the history, the log pane, Why, and as a mark of the timeline."""
    reported = Told()
    reported.toggle(2)
    reported.writer.refused(reported.machine, 2, 1_753)
    reported.toggle()
    store = reported.store()
    (track,) = store.tracks
    words = "the queue was full, 1,753 mutations were refused up to here"

    assert f"m: {words.removesuffix(' by here')}" in list(text.machine_lines(store))
    assert [line.strip() for line in text.history_lines(track)][2] == f"-- {words}"
    assert f"note     {words}" in text.transition_lines(track, 3)
    assert "1,753 mutations were refused" in why_of(store, track, 3)
    assert "refused" not in why_of(store, track, 2)
    assert text.machine_value(track)["refused"] == 1_753
    assert text.stats_value(store)["refused"] == 1_753
    moment = moment_of(Cursor(track, 3), Visible(track, ALL))
    columns = project_timeline(moment, Visible(track, ALL), 3).columns
    assert [column.has_gap for column in columns] == [False, False, True]
    log = project_log(moment, Visible(track, ALL), LogPlace(0), 9)
    assert [(row.number, row.text) for row in log.rows if row.kind is RowKind.GAP] == [(3, words)]


def test_a_machine_without_notes_reports_nothing_of_them() -> None:
    """Neither in text nor as values."""
    reported = Told()
    reported.toggle()
    store = reported.store()
    (track,) = store.tracks

    assert {"refused", "hanging"}.isdisjoint(text.machine_value(track))
    assert {"refused", "late"}.isdisjoint(text.transition_value(track, 1))
    assert "refused" not in text.stats_value(store)


def test_notes_survive_an_export() -> None:
    """Whole, and in a part the notes of that part and the count so far."""
    reported = Told()
    reported.writer.refused(reported.machine, 0, 5)
    reported.toggle(2)
    reported.fail()
    reported.late(3)
    store = reported.store()
    (track,) = store.tracks

    def copy(selection: list[Selection]) -> Track:
        messages: list[Message] = []
        write_messages(store, selection, messages.append)
        return taken_in(messages).tracks[0]

    whole = copy(selected(store))
    assert sorted(whole.notes.all(), key=repr) == sorted(track.notes.all(), key=repr)
    part = copy(selected(store, track, (2, 2)))
    assert list(part.notes.all()) == [RefusalNote(1, 5)]
    last = copy(selected(store, track, (3, 3)))
    assert (last.raised_at(1, 1), last.notes.refused) == (PLACE, 5)


def test_a_note_that_comes_again_is_kept_once() -> None:
    """A count never shrinks, and what is of no kind that is known is dropped."""
    track = track_of(Told())
    late = TroubleMessage(0, 0, TroubleKind.LATE, "AState")

    assert track.notes.trouble(late)
    assert not track.notes.trouble(late)
    assert track.notes.refuse(RefusedMessage(0, 0, 5))
    assert not track.notes.refuse(RefusedMessage(0, 0, 4))
    assert not track.notes.trouble(TroubleMessage(0, 0, 9, "AState"))
    assert len(list(track.notes.all())) == 2


def test_notes_are_bounded_in_number_and_in_text() -> None:
    """The oldest go first; what is kept counts as memory of the machine."""
    track = track_of(Told())
    before = track.size()
    for row in range(NOTES_MAX + 5):
        track.notes.refuse(RefusedMessage(0, row, row))
        track.notes.trouble(TroubleMessage(0, row, 0, "x" * 9_999, "y" * 9_999))

    assert len(track.notes.refused_notes()) == NOTES_MAX
    assert track.notes.troubles_at(4) == ()
    (note,) = track.notes.troubles_at(5)
    assert (len(note.handler), len(note.place)) == (NOTE_CHARS_MAX, NOTE_CHARS_MAX)
    assert 0 < track.size() - before < NOTES_MAX * 6_000


@pytest.mark.parametrize(
    "message", [RefusedMessage(0, 2**62 + 1, 1), TroubleMessage(0, 0, 0, "", "", 2**62 + 1)]
)
def test_a_note_out_of_range_is_refused(message: Message) -> None:
    """As every number of a message."""
    reported = Told()
    reported.messages.append(message)

    with pytest.raises(WireError, match="out of range"):
        reported.store()


def test_notes_of_lost_transitions_stand_before_the_next_one() -> None:
    """Their own parent never came."""
    reported = Told()
    reported.toggle(2)
    reported.writer.dropped(reported.machine, 5, (3, 0))
    reported.writer.refused(reported.machine, 4, 9)
    shape = Shape(1, (0,), 1, ((0, -1),))
    write_transition(reported.writer, reported.machine, RecordedTransition(shape, 99_000))
    track = track_of(reported)

    assert track.number_at_row(4) == 3
    assert track.number_at_row(99) == 4
    assert any("9 mutations" in line for line in text.history_lines(track))
