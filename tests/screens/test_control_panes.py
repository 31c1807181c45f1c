"""Panes, filters, searches, marks: what keys and clicks do beside moving."""

from __future__ import annotations

from weakref import ref

import pytest

from am_dbg.control import Control, CopyText, OpenDialog, Quit
from am_dbg.control.history import Bookmarks, History, SavedPlace
from am_dbg.control.start import StartOptions
from am_dbg.drawing.layout import Pane
from am_dbg.ingest.intake import ImportProgress
from am_dbg.projection.bars import Playback
from am_dbg.projection.states_tree import TreeSpot
from am_dbg.query import Filters
from am_dbg.store import Store, Track
from tests.dbg.golang_versions import PARENT, read
from tests.screens.driving import at, do, number
from tests.screens.stories import Story, files_story


def test_hiding_a_kind_keeps_the_nearest_place(control: Control) -> None:
    """The cursor never stands on something hidden."""
    do(at(control, 4), "filter_canceled")

    assert number(control) == 3
    assert control.project(160, 45).log.hidden == 2


def test_the_level_goes_round(control: Control) -> None:
    """From everything it goes on with nothing."""
    levels = [do(control, "level").workspace.filters.level for _ in range(5)]

    assert levels == [2, 3, 4, 0, 1]


def test_arrows_pick_a_filter_and_space_flips_it(control: Control) -> None:
    """In the filters, keys belong to them."""
    do(control, "filters", "next_transition", "toggle_play")

    assert control.workspace.filters == Filters(auto=False)
    assert control.modes.playback is Playback.PAUSED


def test_a_search_shows_its_first_hit_while_it_is_typed(control: Control) -> None:
    """From where the search began, round the end."""
    do(at(control, 2), "search")
    control.type_search("Exception")
    assert number(control) == 13

    control.accept_search()
    assert number(do(control, "next_hit")) == 14
    assert number(do(control, "next_hit")) == 13
    assert control.project(160, 45).filters.hits == 2


def test_a_search_given_up_returns_to_where_it_began(control: Control) -> None:
    """Escape leaves everything as it was."""
    do(at(control, 2), "search")
    control.type_search("Exception")

    control.press("escape")

    assert number(control) == 2
    assert control.workspace.search is None


def test_a_search_in_the_states_selects_a_state(control: Control) -> None:
    """Names that begin with the text come first."""
    control.focus_on(Pane.STATES)
    do(control, "search")
    control.type_search("p")
    control.accept_search()

    assert control.workspace.selected_state == TreeSpot("ProcessingFile")
    do(control, "next_hit")
    assert control.workspace.selected_state == TreeSpot("FileProcessed")


def test_a_search_in_the_machines_selects_a_machine(control: Control) -> None:
    """The list is searched by name; without a match the place is kept."""
    control.focus_on(Pane.MACHINES)
    do(control, "search")
    control.type_search("child")

    assert control.workspace.track is not None
    assert control.workspace.track.key == "worker-child"
    control.type_search("nothing like it")
    assert control.workspace.track.key == "worker-child"


def two_webs() -> Control:
    """Three machines, two of which a search for web finds; db is selected."""
    story = Story()
    for name in ("db", "web-1", "web-2"):
        story.machine(name).add("Ping")
    control = Control(story.store(), start=StartOptions(machine="db"))
    control.data_arrived()
    return control


def test_a_search_in_the_machines_outlives_the_machine_it_selects() -> None:
    """Each letter and each next hit selects a machine, and the text stays."""
    control = two_webs()
    control.focus_on(Pane.MACHINES)
    do(control, "search")
    for text in ("w", "we", "web"):
        control.type_search(text)
    control.accept_search()
    seen = [control.workspace.track, *(do(control, "next_hit").workspace.track for _ in range(2))]

    assert [track.key for track in seen if track] == ["web-1", "web-2", "web-1"]


def test_a_search_in_the_machines_outlives_a_choice_by_hand() -> None:
    """The next hit after another machine is selected goes on from there."""
    control = two_webs()
    control.focus_on(Pane.MACHINES)
    do(control, "search")
    control.type_search("web")
    control.accept_search()
    db, web_2 = control.workspace.store.find("db"), control.workspace.store.find("web-2")
    assert db is not None
    control.jumps.select(db)

    assert control.project(160, 45).filters.search == "web"
    assert do(control, "previous_hit").workspace.track is web_2


@pytest.mark.parametrize("pane", [Pane.LOG, Pane.STATES])
def test_another_machine_ends_a_search_in_the_one_before(pane: Pane) -> None:
    """A search in its log or its states has no meaning in the new machine."""
    control = two_webs()
    control.focus_on(pane)
    do(control, "search")
    control.type_search("Ping")
    control.accept_search()
    other = control.workspace.store.find("web-1")
    assert other is not None
    control.jumps.select(other)

    assert control.workspace.search is None


def test_tab_goes_round_the_panes(control: Control) -> None:
    """Every pane on the screen has its turn."""
    seen = [do(control, "next_pane").modes.focus for _ in range(7)]

    assert seen == [
        Pane.READER,
        Pane.TIMELINE,
        Pane.STEPS,
        Pane.FILTERS,
        Pane.MACHINES,
        Pane.STATES,
        Pane.LOG,
    ]
    assert do(control, "previous_pane").modes.focus == Pane.STATES


def test_the_tree_is_walked_unfolded_and_followed(control: Control) -> None:
    """Enter unfolds a state; on a reference, below the reasons, it goes to the state meant."""
    control.focus_on(Pane.STATES)
    do(control, "down", "down", "choose", *["down"] * 4)
    assert control.workspace.selected_state == TreeSpot("Ready", 0)

    do(control, "choose")

    assert control.workspace.selected_state == TreeSpot("Start")


def test_the_views_follow_each_other(control: Control) -> None:
    """Log, rain, matrix, log."""
    seen = [do(control, "view").modes.main for _ in range(3)]

    assert seen == [Pane.RAIN, Pane.MATRIX, Pane.LOG]


def test_closing_the_reader_takes_the_focus_out_of_it(control: Control) -> None:
    """A hidden pane has no focus."""
    control.focus_on(Pane.READER)

    do(control, "reader")

    assert control.modes.focus == Pane.LOG
    assert Pane.READER not in control.project(160, 45).layout.boxes


def test_a_pane_scrolled_by_hand_stays_until_the_cursor_moves(control: Control) -> None:
    """The wheel looks elsewhere; the next move brings the cursor back into sight."""
    control.project(160, 20)
    control.scroll(Pane.LOG, -20)
    assert control.project(160, 20).log.top == 0

    do(control, "previous_transition")

    assert any(row.is_current for row in control.project(160, 20).log.rows)


def test_scrolling_ends_following(control: Control) -> None:
    """New data does not move a pane that was scrolled back."""
    do(control, "tail")

    control.scroll(Pane.LOG, -3)

    assert control.modes.playback is Playback.PAUSED


def test_a_click_on_a_row_goes_there(control: Control) -> None:
    """Rows of the log, the list and the tree answer to clicks."""
    log = control.project(160, 45).log
    row = next(at for at, row in enumerate(log.rows) if row.number == 7)
    control.click(Pane.LOG, row, 5)
    assert number(control) == 7

    control.click(Pane.MACHINES, 1, 5)
    assert control.workspace.track is not None
    assert control.workspace.track.key == "worker-child"


def test_a_click_on_the_timeline_goes_to_that_time(control: Control) -> None:
    """Both ends can be reached."""
    control.project(160, 45)
    control.click(Pane.TIMELINE, 0, 1)
    assert number(control) == 1

    control.click(Pane.TIMELINE, 0, 158)
    assert number(control) == 14


def test_a_bookmark_is_set_and_removed_by_the_same_key(control: Control) -> None:
    """The place is marked in log and timeline, and listed."""
    do(at(control, 7), "bookmark")
    screen = control.project(160, 45)
    assert [row.number for row in screen.log.rows if row.mark] == [7]
    assert len(screen.timeline.bookmarks) == 1

    do(control, "bookmark")

    assert control.project(160, 45).timeline.bookmarks == ()


def test_dialogs_are_modes(control: Control) -> None:
    """At most one dialog is open."""
    assert isinstance(control.press("help"), OpenDialog)
    assert control.modes.dialog == "HelpOpen"
    control.press("goto")
    assert control.modes.dialog == "GotoOpen"
    control.modes.close()
    assert control.modes.dialog == ""


def test_a_list_without_entries_is_not_opened(control: Control) -> None:
    """Bookmarks and differences need a bookmark."""
    assert control.press("bookmarks") is None
    assert control.press("diff") is None
    assert control.message == "nothing to compare with; b sets a bookmark"


def test_copying_takes_the_whole_transition(control: Control) -> None:
    """Address, log lines and steps, without borders."""
    effect = at(control, 12).do("copy")

    assert isinstance(effect, CopyText)
    assert effect.text.startswith("mach://worker/00000000000000010000000000000010\n")
    assert "FileProcessed removes ProcessingFile" in effect.text
    assert "│" not in effect.text


def test_quitting_is_an_effect(control: Control) -> None:
    """Control ends nothing itself."""
    assert control.press("quit") == Quit()


def test_a_removed_machine_gives_way_to_its_neighbour(control: Control, store: Store) -> None:
    """Removing works in the list only; the next machine is selected."""
    do(control, "remove_machine")
    assert len(store.tracks) == 2

    control.focus_on(Pane.MACHINES)
    do(control, "remove_machine")

    assert [track.key for track in store.tracks] == ["worker-child"]
    do(control, "remove_machine")
    assert control.project(160, 45).has_machine is False


def test_an_empty_debugger_takes_every_key() -> None:
    """Without a machine nothing happens, and nothing breaks."""
    from am_dbg.keys import KEYS

    control = Control(Store())
    control.data_arrived()
    for key in KEYS:
        control.press(key.action)
        control.project(100, 30)
        control.modes.close()

    assert control.workspace.cursor is None


def test_history_drops_the_oldest_places() -> None:
    """A hundred places are kept, the newest ones."""
    history = History()
    for place in range(150):
        history = history.visited(SavedPlace("m", place))

    assert len(history.places) == 100
    assert history.current == SavedPlace("m", 149)
    assert not history.can_go_forward


def test_a_new_place_drops_the_places_ahead() -> None:
    """After going back, another way begins."""
    history = (
        History()
        .visited(SavedPlace("m", 1))
        .visited(SavedPlace("m", 2))
        .back()
        .visited(SavedPlace("m", 3))
    )

    assert [spot.number for spot in history.places] == [1, 3]


def test_bookmarks_belong_to_their_machine(store: Store, worker: Track) -> None:
    """Each machine shows its own, and none of another that had the same name."""
    other = files_story().store().find("worker")
    assert other is not None
    marks = Bookmarks().toggled(SavedPlace("worker", 1, ref(worker))).toggled(SavedPlace("b", 2))

    assert marks.of(worker) == (1,)
    assert marks.of(other) == ()


def test_every_action_is_at_most_a_few_transitions_of_the_modes(control: Control) -> None:
    """Modes change by intents, never by data: a hundred moves are a hundred transitions."""
    before = control.modes.machine.time_sum()
    for _ in range(10):
        control.press("previous_transition")

    assert control.modes.machine.time_sum() - before <= 2 * 10 + 1


def test_arrows_in_the_rain_walk_states_and_transitions(control: Control) -> None:
    """Up and down are transitions, left and right states."""
    do(at(control, 7), "rain", "next_transition", "next_transition")
    assert control.workspace.selected_state == TreeSpot("Ready")

    assert number(do(control, "down")) == 8
    assert control.project(160, 45).rain.selected == 1


@pytest.mark.parametrize(("pane", "before", "after"), [(Pane.LOG, 2, 14), (Pane.TIMELINE, 1, 14)])
def test_a_page_down_goes_as_far_as_it_can(
    control: Control, pane: Pane, before: int, after: int
) -> None:
    """A page is what the pane shows."""
    at(control, before)
    control.project(160, 45)
    control.focus_on(pane)

    assert number(do(control, "page_down")) == after
    assert number(do(control, "page_up")) <= before


def test_the_lists_are_walked_with_up_and_down(control: Control) -> None:
    """In the machines a row down is the next machine, at the same moment."""
    control.focus_on(Pane.MACHINES)

    do(control, "down")

    assert control.workspace.track is not None
    assert control.workspace.track.key == "worker-child"
    do(control, "up", "up")
    assert control.workspace.track.key == "worker"


def test_reader_and_matrix_scroll(control: Control) -> None:
    """The wheel scrolls both, and the cursor of the reader stays on its item."""
    at(control, 12)
    control.focus_on(Pane.READER)
    control.scroll(Pane.READER, 2)
    assert (control.workspace.tops[Pane.READER], control.workspace.reader_row) == (2, 0)

    control.modes.show(Pane.MATRIX)
    assert control.project(160, 20).matrix.first_row == 0
    control.scroll(Pane.MATRIX, 3)
    assert control.project(160, 20).matrix.first_row > 0


def test_the_wheel_on_timeline_and_steps_moves_in_time(control: Control) -> None:
    """Five transitions on the one, one step on the other."""
    at(control, 1)
    control.scroll(Pane.TIMELINE, 3)
    assert number(control) == 7

    at(control, 1)
    control.scroll(Pane.STEPS, 3)
    assert control.project(160, 45).steps.step == 1
    control.scroll(Pane.STEPS, -3)
    assert number(control) == 1


def test_a_click_on_a_step_goes_there(control: Control) -> None:
    """The last step is the complete transition."""
    at(control, 2)

    control.click_step(3)
    assert control.project(160, 45).steps.step == 3
    control.click_step(5)
    assert (number(control), control.modes.is_stepping) == (2, False)


def test_a_second_click_on_a_state_unfolds_it(control: Control) -> None:
    """The first selects, the second shows the relations."""
    control.project(160, 45)
    control.click(Pane.STATES, 1, 4)
    assert control.workspace.selected_state == TreeSpot("Ready")

    control.click(Pane.STATES, 1, 4)

    assert control.workspace.unfolded == {"Ready"}


def test_everything_unfolds_and_folds(control: Control) -> None:
    """One key for all states."""
    rows = control.project(160, 45).states.total_rows
    assert do(control, "unfold_all").project(160, 45).states.total_rows > rows
    assert do(control, "unfold_all").project(160, 45).states.total_rows == rows


def test_enter_goes_on_to_what_the_row_is_about(control: Control) -> None:
    """From the machines to the log, from the log to the reader, from there to the source."""
    control.focus_on(Pane.MACHINES)
    assert do(at(control, 12), "choose").modes.focus == Pane.LOG
    assert do(control, "choose").modes.focus == Pane.READER

    do(control, "choose")

    assert control.workspace.track is not None
    assert control.workspace.track.key == "worker-child"


def test_escape_ends_the_search_first(control: Control) -> None:
    """Then it goes back to the machines."""
    do(control, "search")
    control.type_search("Ping")
    control.accept_search()

    do(control, "escape")
    assert (control.workspace.search, control.modes.focus) == (None, Pane.LOG)
    do(control, "escape")
    assert control.modes.focus == Pane.MACHINES


def test_each_kind_can_be_hidden_and_shown(control: Control) -> None:
    """Every filter of the row has an action of its own."""
    for name in ("canceled", "auto", "queued", "empty", "health", "checks"):
        before = getattr(control.workspace.filters, name)
        do(control, f"filter_{name}")
        assert getattr(control.workspace.filters, name) is not before

    assert do(control, "filter_times").workspace.shows_seconds


def test_a_newcomer_is_selected_with_the_option_for_it() -> None:
    """The only one that is connected is followed at once."""
    store = files_story().store()
    control = Control(store, start=StartOptions(select_connected=True))
    control.data_arrived()
    story = Story()
    story.machine("newcomer").add("Start")

    story.fill(store, live=True)
    control.data_arrived()

    assert control.workspace.track is not None
    assert (control.workspace.track.key, control.modes.playback) == ("newcomer", Playback.TAIL)


def test_a_newcomer_replaces_disconnected_machines_with_the_option_for_it() -> None:
    """If no other program is connected, all earlier machines are removed."""
    store = files_story().store()
    control = Control(store, start=StartOptions(clean_on_connect=True))
    control.data_arrived()
    story = Story()
    story.machine("newcomer").add("Start")

    story.fill(store, live=True)
    control.data_arrived()

    assert [track.key for track in store.tracks] == ["newcomer"]
    assert control.workspace.track is store.tracks[0]


def test_an_import_is_followed_until_the_user_goes_somewhere() -> None:
    """While a session is read its end is shown; a move ends that."""
    store = Store()
    control = Control(store, start=StartOptions(is_importing=True))
    story = files_story()
    story.fill(store)
    control.import_progressed(ImportProgress("f", 1, 2))
    assert (number(control), control.input_status.progress) == (14, "reading 50 %")

    do(control, "first")
    control.import_progressed(ImportProgress("f", 1, 1, "f: cut", is_over=True))

    assert number(control) == 0
    assert (control.input_status.warning, control.message) == ("cut", "f: cut")


def test_the_initial_structure_can_be_copied(control: Control) -> None:
    """Before the first transition there is the address."""
    effects = [do(control, "first").do("copy"), control.press("copy_address")]

    assert [effect.text.strip() for effect in effects if isinstance(effect, CopyText)] == [
        "mach://worker",
        "mach://worker",
    ]


def test_modes_refuse_what_makes_no_sense() -> None:
    """Without a machine there is nothing to play, follow or select."""
    control = Control(Store())

    assert not control.modes.play()
    assert not control.modes.follow()
    assert not control.modes.moved()
    assert not control.modes.stepped()
    assert not control.modes.chose_state()
    assert control.modes.playback is Playback.PAUSED


def test_the_filter_of_groups_goes_through_them_and_back_to_all() -> None:
    """Only machines with groups of states have it, and only what touches a group is shown."""
    control = Control(read("v0.19.1"))
    track = control.workspace.store.find(PARENT)
    assert track is not None
    control.workspace.select(track)
    shown = [control.workspace.visible(track).count]
    groups = []
    for _ in range(3):
        do(control, "filter_group")
        groups.append(control.workspace.filters.group)
        shown.append(control.workspace.visible(track).count)

    assert groups == ["Life", "Jobs", ""]
    assert shown[0] == shown[3]
    assert 0 < shown[2] < shown[1] < shown[0]


def test_a_machine_without_groups_has_no_filter_of_them(control: Control) -> None:
    """The footer shows that."""
    do(control, "filter_group")

    assert control.workspace.filters.group == ""
    assert "no groups" in control.message
