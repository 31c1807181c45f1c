"""A program that is started again: its runs in the list of machines, and how the reader follows."""

from __future__ import annotations

import pytest

from am_dbg.control import Control, StartOptions
from am_dbg.drawing.layout import Pane
from am_dbg.projection.bars import Playback
from am_dbg.store import Store
from am_dbg.views.messages import DataArrived
from amtracer.encode.stream_writer import StreamWriter
from amtracer.wire.messages import HelloMessage, Shape, StateDef
from tests.screens.driving import do, number
from tests.screens.test_screen import NARROW, WIDE, running, screen_text
from tests.screens.test_snapshots import assert_accepted
from tests.transitions import RecordedTransition, write_transition

SECOND = 1_000_000_000
BEGAN_S = 1_700_000_000  # 22:13:20
FIRST, AGAIN = Shape(0, (0,), 1, ((0, 1),)), Shape(0, (0,), 1, ((0, 2),))
WORKERS = 3


class RunOfProgram:
    """One run of a program: a pool with workers below it, over one connection or in one file."""

    def __init__(
        self, store: Store, at_s: int, program: str = "worker_pool.py", *, live: bool = True
    ) -> None:
        self.store = store
        self.at_s = at_s
        self.is_live = live
        self.stream = store.open_stream(program, live=live)
        hello = HelloMessage(1, f"{program} {at_s}", at_s * SECOND, 0, process={"program": program})
        self.writer = StreamWriter(lambda message: store.feed(self.stream, message), hello)
        self.machines: list[int] = []

    def begin(self, pool: str = "pool", workers: int = WORKERS) -> RunOfProgram:
        self.enter(pool)
        for at in range(workers):
            self.enter(f"{pool}-worker-{at}", parent=pool)
        return self

    def enter(self, id: str, parent: str = "") -> None:
        prefix = f"{self.stream:08x}{len(self.machines):08x}"
        schema = self.writer.schema((StateDef("Ping", multi=True),))
        machine = self.writer.machine(id, schema, parent=parent, tx_prefix=prefix)
        self.machines.append(machine)
        self.ping(machine, 1, FIRST)

    def ping(self, machine: int, after_s: int, shape: Shape = AGAIN) -> None:
        moment = (self.at_s + after_s) * SECOND
        write_transition(self.writer, machine, RecordedTransition(shape, moment))
        self.writer.flush()

    def end(self, reason: str = "connection lost", after_s: int = 9) -> None:
        self.store.clock = lambda: (self.at_s + after_s) * SECOND
        self.store.close_stream(self.stream, reason)


@pytest.fixture
def store() -> Store:
    return Store()


def shown(control: Control, width: int = 160, height: int = 45) -> list[str]:
    """The list of machines as it is drawn, without what stands at the right of its rows."""
    view = control.project(width, height).machines
    from am_dbg.drawing.machines import draw_machines

    return [" ".join(line.text.split()) for line in draw_machines(view, 80)]


def names(control: Control) -> list[str]:
    rows = control.project(160, 45).machines.rows
    return [getattr(row, "name", "") or getattr(row, "title", "") for row in rows]


def selected(control: Control) -> str:
    track = control.workspace.track
    assert track is not None
    return track.key


def tailing(store: Store, **options: bool) -> tuple[Control, RunOfProgram]:
    """A reader who follows the second worker of a program."""
    run = RunOfProgram(store, BEGAN_S).begin()
    control = Control(store, start=StartOptions(**options))
    control.data_arrived()
    do(control, "escape", "down", "down")
    assert (selected(control), control.modes.playback) == ("pool-worker-1", Playback.TAIL)
    return control, run


def test_one_run_of_one_program_has_no_heading(store: Store) -> None:
    """Nothing needs to be distinguished, so the rows are the machines."""
    control, _ = tailing(store)

    assert names(control) == ["pool", "pool-worker-0", "pool-worker-1", "pool-worker-2"]


def test_a_program_that_starts_again_is_a_run_of_the_same(store: Store) -> None:
    """The new run is open under its heading, the ended one is one row."""
    control, first = tailing(store)
    first.end()
    RunOfProgram(store, BEGAN_S + 20).begin()
    control.data_arrived()

    assert shown(control) == [
        "●▾ worker_pool run 2 · since 22:13:40",
        "● pool#2 1",
        "● └ pool-worker-0#2 1",
        "▸● └ pool-worker-1#2 1",
        "● └ pool-worker-2#2 1",
        "○▸ run 1 · ended 22:13:29, connection lost · 4 machines",
    ]


def test_the_same_machine_of_the_new_run_is_followed(store: Store) -> None:
    """A reader who follows a machine sees it go on, and reads that the program came back."""
    control, first = tailing(store)
    first.end()
    RunOfProgram(store, BEGAN_S + 20).begin()
    control.data_arrived()

    assert (selected(control), number(control)) == ("pool-worker-1#2", 1)
    assert control.modes.playback is Playback.TAIL
    assert control.message == ("worker_pool came back (run 2): 4 machines; this is pool-worker-1#2")


def test_the_machine_is_followed_as_soon_as_it_enters(store: Store) -> None:
    """A program makes its machines one after another; until then the reader stays."""
    control, first = tailing(store)
    first.end()
    again = RunOfProgram(store, BEGAN_S + 20).begin(workers=1)
    control.data_arrived()
    assert selected(control) == "pool-worker-1"

    again.enter("pool-worker-1", parent="pool")
    control.data_arrived()

    assert selected(control) == "pool-worker-1#2"
    assert names(control)[-1] == "run 1"


def test_a_reader_who_looks_back_stays(store: Store) -> None:
    """The old run stays open around the selected machine, and a notice offers the new run."""
    control, first = tailing(store)
    do(control, "previous_transition")
    first.end()
    RunOfProgram(store, BEGAN_S + 20).begin()
    control.data_arrived()

    assert (selected(control), number(control)) == ("pool-worker-1", 0)
    assert names(control)[-5:] == ["run 1", "pool", *(f"pool-worker-{at}" for at in range(3))]
    notice = control.project(160, 45).status.returned
    assert notice.text == "worker_pool came back (run 2): 4 machines"
    assert [hint[:2] for hint in notice.hints] == [("⏎", "go"), ("H", "hide ended")]


def test_the_row_under_the_reader_does_not_move(store: Store) -> None:
    """Rows that enter above the cursor scroll the list instead."""
    first = RunOfProgram(store, BEGAN_S).begin(workers=50)
    control = Control(store)
    control.data_arrived()
    do(control, "escape", *["down"] * 5, "previous_transition")

    def row_of_cursor() -> int:
        rows = control.project(160, 45).machines.rows
        return [row.is_selected for row in rows].index(True)

    before = row_of_cursor()
    first.end()
    RunOfProgram(store, BEGAN_S + 20).begin(workers=30)
    control.data_arrived()

    assert row_of_cursor() == before
    assert selected(control) == "pool-worker-4"


def test_enter_goes_to_the_run_that_came_back(store: Store) -> None:
    """To the same machine, whose newest transition is followed; then the notice is gone."""
    control, first = tailing(store)
    do(control, "previous_transition")
    first.end()
    RunOfProgram(store, BEGAN_S + 20).begin()
    control.data_arrived()

    do(control, "choose")

    assert (selected(control), number(control)) == ("pool-worker-1#2", 1)
    assert control.modes.playback is Playback.TAIL
    assert not control.project(160, 45).status.returned.text


def test_enter_keeps_its_meaning_where_it_has_one(store: Store) -> None:
    """In the states it unfolds, and the notice does not offer it."""
    control, first = tailing(store)
    do(control, "previous_transition")
    first.end()
    RunOfProgram(store, BEGAN_S + 20).begin()
    control.data_arrived()

    control.focus_on(Pane.STATES)
    do(control, "down", "choose")

    assert selected(control) == "pool-worker-1"
    assert control.workspace.unfolded == {"Ping"}
    hints = control.project(160, 45).status.returned.hints
    assert [sign for sign, _, _ in hints] == ["H"]


def test_the_footer_has_the_notice_on_low_screens(store: Store) -> None:
    """There is no status row; Escape closes the notice."""
    control, first = tailing(store)
    do(control, "previous_transition")
    first.end()
    RunOfProgram(store, BEGAN_S + 20).begin()
    control.data_arrived()
    assert control.project(80, 24).footer.returned.text.startswith("worker_pool came back")

    control.press("escape")

    assert not control.project(80, 24).footer.returned.text


def test_enter_unfolds_and_folds_a_run(store: Store) -> None:
    """The cursor of the list stands on the heading, the selected machine stays."""
    control, first = tailing(store)
    first.end()
    RunOfProgram(store, BEGAN_S + 20).begin()
    control.data_arrived()

    do(control, "page_down", "choose")
    assert names(control)[-4:] == ["pool", *(f"pool-worker-{at}" for at in range(3))]
    assert selected(control) == "pool-worker-1#2"

    do(control, "down")
    assert selected(control) == "pool"
    do(control, "up", "choose")
    assert names(control)[-1] == "run 1"


def test_a_machine_of_a_folded_run_is_found(store: Store) -> None:
    """A search or a jump unfolds the run."""
    control, first = tailing(store)
    first.end()
    RunOfProgram(store, BEGAN_S + 20).begin()
    control.data_arrived()

    assert control.open_address("mach://pool-worker-2/1")
    assert [row.is_selected for row in control.project(160, 45).machines.rows][-1]


def test_ended_machines_are_hidden_and_shown(store: Store) -> None:
    """One key for all that is not connected; the title counts them."""
    control, first = tailing(store)
    first.end()
    RunOfProgram(store, BEGAN_S + 20).begin()
    control.data_arrived()

    do(control, "hide_ended")
    assert names(control)[0] == "worker_pool  run 2"
    assert len(names(control)) == 5
    view = control.project(160, 45).machines
    assert (view.total, view.in_all) == (4, 8)
    assert control.message == "4 ended machines hidden"

    do(control, "hide_ended")
    assert names(control)[-1] == "run 1"


def test_disconnected_machines_are_removed_at_once(store: Store) -> None:
    """The command asks first, because their transitions are in no file."""
    control, first = tailing(store)
    first.end()
    RunOfProgram(store, BEGAN_S + 20).begin()
    control.data_arrived()

    control.do("remove_disconnected")
    assert len(store.tracks) == 8
    control.do("remove_disconnected")

    assert [track.connected for track in store.tracks] == [True] * 4
    assert control.message == "4 disconnected machines removed"
    assert names(control)[0] == "pool#2"


def test_a_run_is_removed_at_its_heading(store: Store) -> None:
    """The key that removes a machine removes all machines of the run."""
    control, first = tailing(store)
    first.end()
    RunOfProgram(store, BEGAN_S + 20).begin()
    control.data_arrived()

    do(control, "page_down", "remove_machine", "remove_machine")

    assert len(store.tracks) == 4
    assert control.message == "worker_pool run 1 removed"


def test_the_option_follows_a_program_with_many_machines(store: Store) -> None:
    """It selects the first machine of a program that connects, unless another is connected."""
    control = Control(store, start=StartOptions(select_connected=True))
    first = RunOfProgram(store, BEGAN_S, "other.py").begin("other")
    control.data_arrived()
    assert selected(control) == "other"
    first.end()

    RunOfProgram(store, BEGAN_S + 20).begin()
    control.data_arrived()
    assert (selected(control), control.modes.playback) == ("pool", Playback.TAIL)

    RunOfProgram(store, BEGAN_S + 30, "third.py").begin("third")
    control.data_arrived()
    assert selected(control) == "pool"


def test_programs_have_headings(store: Store) -> None:
    """With two programs each has one, in order of their names; no run is counted."""
    control, _ = tailing(store)
    RunOfProgram(store, BEGAN_S + 20, "api.py").begin("api", workers=0)
    control.data_arrived()

    assert names(control)[:3] == ["api", "api", "worker_pool"]
    assert not control.project(160, 45).status.returned.text


def test_a_session_file_with_several_runs_is_grouped_likewise(store: Store) -> None:
    """The newest run is open; what ended is read from the last transition and the gap."""
    for at_s in (BEGAN_S, BEGAN_S + 20):
        run = RunOfProgram(store, at_s, live=False).begin()
        run.ping(run.machines[0], 7)
        run.end("")
    control = Control(store)
    control.data_arrived()

    rows = shown(control)
    assert rows[0] == "○▾ worker_pool run 2 · ended 22:13:47"
    assert rows[-1] == "○▸ run 1 · ended 22:13:27 · 4 machines"
    assert selected(control) == "pool#2"
    assert not control.project(160, 45).status.returned.text
    do(control, "hide_ended")
    assert len(shown(control)) == 5


def test_the_end_of_a_connection_is_a_row_of_the_log(store: Store) -> None:
    """A reader who follows sees it below the newest transition, also on a full screen."""
    control, run = tailing(store)
    for _ in range(100):
        run.ping(run.machines[2], 2)
    control.data_arrived()
    control.project(100, 24)
    run.end()
    control.data_arrived()

    assert control.project(100, 24).log.rows[-1].text == "the connection ended: connection lost"


def test_the_end_of_a_program_is_a_row_of_the_log(store: Store) -> None:
    """Nothing was lost, but nothing more comes."""
    control, run = tailing(store)
    run.end("")
    control.data_arrived()

    assert control.project(100, 24).log.rows[-1].text == "the program ended"


RUNS: dict[str, tuple[tuple[int, int], list[str], list[str]]] = {
    "wide-runs-followed": (WIDE, ["t"], []),
    "wide-runs-notice": (WIDE, ["left"], []),
    "narrow-runs-notice": (NARROW, ["left"], []),
    "narrow-runs-list": (NARROW, ["left"], ["enter", "tab", "tab", "end", "pagedown"]),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNS)
async def test_the_runs_look_as_they_were_accepted(name: str, store: Store) -> None:
    """A program came back, while one of its machines was followed or the reader looked back."""
    size, before, after = RUNS[name]
    first = RunOfProgram(store, BEGAN_S).begin()
    async with running(store, size) as (app, pilot):
        await pilot.press(*before)
        first.end()
        RunOfProgram(store, BEGAN_S + 20).begin()
        app.post_message(DataArrived())
        await pilot.pause()
        await pilot.press(*after)
        await pilot.pause()

        assert_accepted(name, screen_text(app))


def test_the_end_of_a_connection_is_a_row_of_the_log_of_all_machines(store: Store) -> None:
    """It names the machine, because each machine has its own end."""
    control, run = tailing(store)
    do(control, "scope")
    run.end()
    control.data_arrived()

    texts = [row.text for row in control.project(160, 45).log.rows]
    assert "pool-worker-2: the connection ended: connection lost" in texts
