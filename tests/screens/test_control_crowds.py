"""Programs that come, go and come back while the user looks at their history."""

from __future__ import annotations

import pytest

from am_dbg.control import Control
from am_dbg.control.start import StartOptions
from am_dbg.drawing.layout import Pane
from am_dbg.projection.bars import Playback
from am_dbg.projection.machines import MachineStatus
from am_dbg.store import GapKind, Store
from amtracer.encode.stream_writer import StreamWriter
from amtracer.wire.messages import HelloMessage, Message, Shape, StateDef
from tests.screens.driving import do, number
from tests.transitions import RecordedTransition, write_transition

ADD = Shape(0, (0,), 1, ((0, 1),))
REMOVE = Shape(1, (0,), 1, ((0, -1),))
COMERS = 2_000


class Program:
    """A connection of a program with one machine, whose only state goes on and off."""

    def __init__(self, store: Store, id: str, session: str = "s", row: int = 0) -> None:
        self.store = store
        self.row = row
        self._messages: list[Message] = []
        self._writer = StreamWriter(self._messages.append, HelloMessage(1, session, 1, 1))
        self._machine = self._writer.machine(
            id, self._writer.schema((StateDef("A"),)), ticks=(row,), row=row, tx_prefix="aa"
        )
        self._stream = store.open_stream(id, live=True)
        self.toggle(0)

    def toggle(self, times: int) -> None:
        for _ in range(times):
            write_transition(
                self._writer,
                self._machine,
                RecordedTransition(REMOVE if self.row % 2 else ADD, 1_000 + self.row),
            )
            self.row += 1
        self._hear()

    def dispose(self) -> None:
        self._writer.gone(self._machine)
        self._hear()

    def leave(self, reason: str = "connection lost") -> None:
        self.store.close_stream(self._stream, reason)

    def _hear(self) -> None:
        self._writer.flush()
        for message in self._messages:
            self.store.feed(self._stream, message)
        self._messages.clear()


@pytest.fixture
def store() -> Store:
    return Store()


def looking_back(store: Store) -> tuple[Control, Program]:
    """A user who went back to transition 6 of a program that goes on."""
    program = Program(store, "app")
    program.toggle(10)
    control = Control(store)
    control.data_arrived()
    for _ in range(4):
        do(control, "previous_transition")
    assert (number(control), control.modes.playback) == (6, Playback.PAUSED)
    return control, program


@pytest.mark.parametrize("how", ["disposed", "lost", "ended"])
def test_the_cursor_stays_when_a_program_ends(store: Store, how: str) -> None:
    """Its history is all there, and the list marks it as gone."""
    control, program = looking_back(store)
    if how == "disposed":
        program.dispose()
    program.leave("" if how == "ended" else "connection lost")
    control.data_arrived()

    (row,) = control.project(160, 45).machines.rows
    assert (row.key, row.status, row.is_selected) == ("app", MachineStatus.GONE, True)
    assert number(control) == 6
    do(control, "next_transition")
    assert number(control) == 7
    do(control, "last")
    assert number(control) == 10


def test_a_new_session_does_not_change_the_selection(store: Store) -> None:
    """A program that starts again is one more run; the selection stays on the old history."""
    control, program = looking_back(store)
    program.leave()
    Program(store, "app", session="another").toggle(3)
    Program(store, "other").toggle(3)
    control.data_arrived()

    rows = control.project(160, 45).machines.rows
    assert [(row.key, row.is_selected) for row in rows] == [
        ("other", False),
        ("root app#2", False),
        ("app#2", False),
        ("root app", False),
        ("app", True),
    ]
    assert number(control) == 6


def test_a_program_that_reconnects_continues_its_history(store: Store) -> None:
    """The same machine has one history with a gap, and the place in it stays."""
    control, program = looking_back(store)
    program.leave()
    Program(store, "app", row=program.row + 4).toggle(3)
    control.data_arrived()

    (row,) = control.project(160, 45).machines.rows
    assert (row.status, row.is_selected, number(control)) == (MachineStatus.LIVE, True, 6)
    (track,) = store.tracks
    assert [(gap.after_number, gap.lost, gap.kind) for gap in track.gaps] == [
        (10, 4, GapKind.RECONNECTED)
    ]
    do(control, "last")
    assert number(control) == 13


@pytest.fixture
def crowd() -> Store:
    """Two thousand programs that connected, made a transition and left."""
    store = Store()
    for at in range(COMERS):
        program = Program(store, f"client-{at}", session=str(at))
        program.toggle(1)
        program.leave("")
    return store


@pytest.mark.slow
def test_a_list_of_thousands_is_walked_from_end_to_end(crowd: Store) -> None:
    """Only the rows on show are worked out, and the selected one is among them."""
    control = Control(crowd)
    control.data_arrived()
    control.focus_on(Pane.MACHINES)
    seen = []
    for _ in range(200):
        view = control.project(160, 45).machines
        assert view.total == COMERS
        assert len(view.rows) < 60
        (selected,) = [row.key for row in view.rows if row.is_selected]
        seen.append(selected)
        control.press("down")

    assert seen == [f"client-{at}" for at in range(200)]
    control.press("last")
    assert control.project(160, 45).machines.total == COMERS


@pytest.mark.slow
def test_the_selected_of_thousands_can_be_removed_again_and_again(crowd: Store) -> None:
    """The next one takes its place, until a newcomer replaces all that are disconnected."""
    control = Control(crowd, start=StartOptions(clean_on_connect=True))
    control.data_arrived()
    control.focus_on(Pane.MACHINES)
    for at in range(100):
        track = control.workspace.track
        assert track is not None
        assert track.key == f"client-{at}"
        do(control, "remove_machine", "remove_machine")
    assert len(crowd.tracks) == COMERS - 100
    assert control.project(160, 45).machines.total == COMERS - 100

    Program(crowd, "newcomer").toggle(1)
    control.data_arrived()

    assert [row.key for row in control.project(160, 45).machines.rows] == ["newcomer"]
