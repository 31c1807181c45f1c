"""Machines, states and reader: what their rows show at a moment."""

from __future__ import annotations

from am_dbg.projection.machine_order import MachineOrder, natural_key
from am_dbg.projection.machines import (
    MachineRow,
    MachineStatus,
    project_machines,
    top_showing,
)
from am_dbg.projection.reader import ReaderView, project_reader
from am_dbg.projection.runs.run_list import RunList
from am_dbg.projection.states import Arc, ReferenceRow, StateRow, StatesView, project_states
from am_dbg.projection.states_tree import TreeSpot, tree_of
from am_dbg.projection.steps import Moment, StepLook, moment_of, project_steps
from am_dbg.query import ALL, Visible
from am_dbg.query.cursor import Cursor
from am_dbg.store import Store
from tests.screens.stories import FILES, Story, files_story, track_of

STORE = files_story().store()


def moment(number: int, step: int = 0, machine: str = "worker") -> Moment:
    track = STORE.find(machine)
    assert track is not None
    return moment_of(Cursor(track, number, step), Visible(track, ALL))


def machines(store: Store, number: int) -> list[MachineRow]:
    track = store.find("worker")
    assert track is not None
    return list(
        project_machines(
            store, RunList(store, MachineOrder(store)), track, track.time_at(number), 0, 50
        ).rows
    )


def states(number: int, step: int = 0, spot: TreeSpot | None = None, **rest: object) -> StatesView:
    tree = tree_of(moment(number, step), frozenset(), all_open=bool(rest.get("all_open")))
    return project_states(tree, spot, 0, 60)


def state(view: StatesView, name: str) -> StateRow:
    return next(row for row in view.rows if isinstance(row, StateRow) and row.name == name)


def reader(number: int, machine: str = "worker") -> ReaderView:
    return project_reader(STORE, moment(number, machine=machine))


def why(number: int, machine: str = "worker") -> str:
    return "".join(span.text for span in reader(number, machine).why).strip()


def test_children_stand_below_their_parents() -> None:
    """The list is a tree by the parents that machines name."""
    rows = machines(STORE, 14)

    assert [(row.name, row.depth) for row in rows] == [("worker", 0), ("worker-child", 1)]


def test_machines_count_up_to_the_moment_and_after_it() -> None:
    """The count before the plus is what had happened by now."""
    rows = {row.name: row for row in machines(STORE, 3)}

    assert (rows["worker"].until, rows["worker"].after) == (3, 11)


def test_machines_are_marked_by_what_is_active() -> None:
    """S is Start, E an error; a past error leaves an e for a while."""
    marks = [machines(STORE, number)[0].mark for number in (0, 1, 13, 14)]

    assert marks == ["", "S", "E", "e"]


def test_numbers_in_names_sort_as_numbers() -> None:
    """Machine p2 comes before p10, capitals stand beside small letters."""
    assert sorted(["p10", "P3", "p2", "a"], key=natural_key) == ["a", "p2", "P3", "p10"]


def test_a_machine_that_is_its_own_ancestor_is_still_listed() -> None:
    """A circle of parents loses nobody."""
    story = Story()
    for name, parent in (("a", "b"), ("b", "a"), ("c", "c"), ("d", "nobody")):
        story.machine(name, parent=parent)

    names = {machine.track.id for machine in MachineOrder(story.store()).machines}

    assert names == {"a", "b", "c", "d"}


def test_live_recorded_and_gone_machines_look_different() -> None:
    """Each has a mark of its own."""
    story = files_story()
    live = Store()
    stream = story.fill(live, live=True)

    assert machines(STORE, 1)[0].status is MachineStatus.RECORDED
    assert machines(live, 1)[0].status is MachineStatus.LIVE
    live.close_stream(stream, "it ended")
    assert machines(live, 1)[0].status is MachineStatus.GONE


def test_a_recorded_machine_that_was_disposed_is_marked() -> None:
    """A machine that ended differs from one whose recording ended."""
    story = files_story()
    story.writer.gone(0)

    origins = {row.name: row.status for row in machines(story.store(), 1)}

    assert MachineStatus.DISPOSED in origins.values()
    assert MachineStatus.RECORDED in origins.values()


def test_a_window_moves_as_little_as_needed() -> None:
    """The first row changes only when the selected one would be outside."""
    assert top_showing(5, 2, 100, 10) == 2
    assert top_showing(12, 2, 100, 10) == 4
    assert top_showing(0, 2, 100, 10) == 0
    assert top_showing(99, 2, 100, 10) == 90


def test_states_have_the_ticks_of_the_moment() -> None:
    """Odd ticks are active."""
    row = state(states(2), "ProcessingFile")

    assert (row.tick, row.is_active, row.is_called) == (1, True, True)
    assert not state(states(1), "ProcessingFile").is_active


def test_marks_show_what_the_steps_did_in_order() -> None:
    """A state that was set and whose handlers ran shows both."""
    assert state(states(2), "ProcessingFile").marks == "+*"


def test_a_complete_transition_shows_its_own_steps() -> None:
    """Without stepping, the steps of the transition under the cursor are all done."""
    view = project_steps(moment(2))

    assert (view.number, view.step, view.total, view.is_stepping) == (2, 5, 5, False)


def test_stepping_shows_the_transition_being_walked_through() -> None:
    """The cursor stands on 1 with two steps of 2 shown: the screen is in transition 2."""
    view = project_steps(moment(1, step=2))

    assert (view.number, view.step, view.is_stepping) == (2, 2, True)
    assert view.current is not None
    assert (view.current.look, view.current.subject) == (StepLook.SET, "ProcessingFile")


def test_ticks_wait_until_the_steps_are_done() -> None:
    """While stepping, the clock is still that of the transition before."""
    assert state(states(1, step=2), "ProcessingFile").tick == 0


def test_touched_states_come_first_while_stepping() -> None:
    """States that a step touched move to the top, in order of the schema."""
    rows = [row.name for row in states(11, step=6).rows if isinstance(row, StateRow)]

    assert rows[:3] == ["ProcessingFile", "FileProcessed", "Logged"]


def test_relation_steps_hang_below_their_state() -> None:
    """A relation that was used shows as a row, the newest one marked."""
    rows = [row for row in states(11, step=5).rows if isinstance(row, ReferenceRow)]

    assert [(row.owner, row.relation, row.target, row.is_current) for row in rows] == [
        ("FileProcessed", "add", "Logged", False),
        ("FileProcessed", "remove", "ProcessingFile", True),
    ]


def test_a_relation_step_is_a_line_to_its_target() -> None:
    """The line runs from the reference to the state it leads to."""
    view = states(11, step=5)
    rows = list(view.rows)
    arc = next(arc for arc in view.arcs if arc.is_current)
    start, end = rows[arc.start], rows[arc.end]

    assert isinstance(start, ReferenceRow)
    assert isinstance(end, StateRow)
    assert (start.target, end.name) == ("ProcessingFile", "ProcessingFile")


def test_lines_outside_of_the_window_end_at_its_edges() -> None:
    """A target that is scrolled away is pointed at from the edge."""
    tree = tree_of(moment(11, step=5), frozenset())
    view = project_states(tree, None, 1, 3, follow=False)

    assert all(isinstance(arc, Arc) and -1 <= arc.end <= 3 for arc in view.arcs)


def test_an_unfolded_tree_has_all_relations() -> None:
    """Every relation of every state is a row."""
    rows = [row for row in states(1, all_open=True).rows if isinstance(row, ReferenceRow)]

    named = [state.require or () for state in FILES] + [state.remove or () for state in FILES]
    named += [state.add or () for state in FILES] + [state.after or () for state in FILES]
    assert len(rows) == sum(map(len, named))


def test_what_speaks_of_the_selected_state_is_marked() -> None:
    """References to the selected state stand out."""
    view = states(1, spot=TreeSpot("Start"), all_open=True)
    related = [row.owner for row in view.rows if isinstance(row, ReferenceRow) and row.is_related]

    assert related == ["Ready", "ProcessingFile"]


def test_why_names_what_relations_did() -> None:
    """Implied states are explained by the state whose relation it was."""
    text = why(12)

    assert "FileProcessed was activated." in text
    assert "Logged was activated because FileProcessed adds it." in text
    assert "ProcessingFile was deactivated because FileProcessed removes it." in text
    assert "InProgress was deactivated because it requires ProcessingFile." in text


def test_why_names_what_denied_it() -> None:
    """A canceled transition names the handler."""
    assert why(4) == "Canceled: PingEnter denied it. Ping was not activated; no tick changed."


def test_why_names_what_requested_it() -> None:
    """The machine that requested it is named first, and is a link."""
    view = reader(12)

    assert why(12).startswith("worker-child requested it at its t0.")
    assert view.why[0].link == "mach://worker-child/1"


def test_the_chain_of_sources_goes_back_as_far_as_it_is_recorded() -> None:
    """The transition that requested it, and the one that requested that."""
    assert [(row.machine, row.what) for row in reader(12).sources] == [
        ("worker-child", "add Start"),
        ("worker", "add Start"),
    ]


def test_executed_handlers_have_their_durations() -> None:
    """Handlers stand in order with how long each took."""
    assert [(row.name, row.duration_ns) for row in reader(2).executed] == [
        ("ProcessingFileEnter", 80_000),
        ("ProcessingFileState", 1_310_000),
    ]


def test_a_waiter_is_there_from_its_beginning_to_its_match() -> None:
    """Subscriptions follow from the log lines up to the moment."""
    there = [[row.states for row in reader(number).waiting] for number in (1, 2, 11, 12)]

    assert there == [[], ["FileProcessed"], ["FileProcessed"], []]


def test_arguments_are_listed_by_name() -> None:
    """Each argument is a row."""
    assert reader(2).args == (("file", "README.md"),)


def test_an_argument_without_a_name_is_seen() -> None:
    """An empty key is quoted, as names of spaces are."""
    story = Story()
    story.machine("worker").add("Start", args=(("", "1"), ("two", "2\n3")))
    track = track_of(story)
    shown = project_reader(STORE, moment_of(Cursor(track).at(1), Visible(track, ALL)))

    assert shown.args == (("''", "1"), ("two", "2"), ("two", "3"))


def test_before_the_first_transition_there_is_nothing_to_explain() -> None:
    """Number 0 is the initial structure."""
    assert why(0) == "Before the first transition."


def test_steps_near_the_current_one_are_enough() -> None:
    """A transition of thousands of steps costs a screen's width."""
    story = Story()
    teller = story.machine("busy")
    steps = [teller.step(32, target="Start")] * 3_000
    teller.add("Start", steps=steps)
    track = story.store().find("busy")
    assert track is not None

    view = project_steps(moment_of(Cursor(track, 0, 1_500), Visible(track, ALL)))

    assert (view.step, view.total) == (1_500, 3_000)
    assert len(view.texts) < 50
