"""Moving and jumping: what keys do to the cursor, and to the modes of the debugger."""

from __future__ import annotations

import pytest

from am_dbg.control import Control
from am_dbg.control.start import StartOptions
from am_dbg.drawing.layout import Pane
from am_dbg.projection.bars import Playback
from am_dbg.store import Store
from tests.screens.driving import at, do, number, on_state
from tests.screens.stories import Story, files_story


def test_a_recorded_session_begins_at_its_end(control: Control) -> None:
    """The end is where most questions about a recorded program begin."""
    assert number(control) == 14
    assert control.modes.playback is Playback.PAUSED


def test_the_command_line_selects_the_start_place(store: Store) -> None:
    """A part of a machine's name and a transition are enough."""
    control = Control(store, start=StartOptions(machine="CHILD", transition="1"))
    control.data_arrived()

    assert control.workspace.track is store.find("worker-child")
    assert number(control) == 1


def test_right_and_left_go_along_the_visible_transitions(control: Control) -> None:
    """Hidden ones are passed over: number 5 is a health check."""
    at(control, 4)

    assert number(do(control, "next_transition")) == 6
    assert number(do(control, "previous_transition")) == 4


def test_at_either_end_the_cursor_stays_with_a_message(control: Control) -> None:
    """If there is no further transition, the footer shows that."""
    assert number(do(control, "next_transition")) == 14
    assert control.message == "this is the last transition"
    assert number(do(control, "first", "previous_transition")) == 0
    assert control.message == "this is before the first transition"


def test_home_and_end_reach_both_ends(control: Control) -> None:
    """Home is before the first transition, End the last visible one."""
    assert number(do(control, "first")) == 0
    assert number(do(control, "last")) == 14


def test_steps_lead_through_the_next_transition_and_into_it(control: Control) -> None:
    """After its last step the transition is complete."""
    at(control, 1)

    seen = [do(control, "next_step").project(160, 45).steps.step for _ in range(5)]

    assert seen == [1, 2, 3, 4, 5]
    assert (number(control), control.modes.is_stepping) == (1, True)
    assert number(do(control, "next_step")) == 2
    assert not control.modes.is_stepping


def test_a_step_back_from_a_complete_transition_undoes_its_last_step(control: Control) -> None:
    """A complete transition and one with all steps shown are the same thing."""
    at(control, 2)

    screen = do(control, "previous_step").project(160, 45)

    assert (screen.steps.number, screen.steps.step) == (2, 4)


def test_the_steps_row_turns_left_and_right_into_steps(control: Control) -> None:
    """With the focus on steps, arrows walk steps."""
    at(control, 1)
    control.focus_on(Pane.STEPS)

    assert do(control, "next_transition").project(160, 45).steps.step == 1


def test_a_move_by_hand_stops_playing(control: Control) -> None:
    """Playing goes on by itself until the user goes somewhere."""
    do(at(control, 1), "toggle_play")
    control.play_next()
    assert (number(control), control.modes.playback) == (2, Playback.PLAYING)

    do(control, "next_same_state")

    assert control.modes.playback == Playback.PAUSED


def test_history_that_is_removed_gives_way_to_what_is_left() -> None:
    """When the oldest transitions are removed, numbers stay, and the footer shows it."""
    story = Story(segment_rows=50)
    teller = story.machine("busy")
    for _ in range(100):
        teller.add("Ping", lines=((1, "x" * 100),))
        teller.remove("Ping")
    store = Store()
    story.fill(store, live=True)
    control = Control(store)
    control.data_arrived()
    at(control, 5)
    control.project(160, 45)

    store.trim(1)
    screen = control.project(160, 45)

    track = store.tracks[0]
    assert track.first > 100
    assert number(control) == track.first - 1
    assert screen.footer.message == "that part of the history was removed to save memory"
    assert "removed to save memory" in "".join(row.text for row in screen.log.rows)
    assert number(do(control, "next_transition")) == track.first


def test_playing_pauses_at_the_end(control: Control) -> None:
    """There is nothing more to play."""
    do(at(control, 13), "toggle_play")

    control.play_next()

    assert (number(control), control.modes.playback) == (14, Playback.PAUSED)


def test_following_goes_to_the_newest_and_a_move_ends_it(control: Control) -> None:
    """Only tail follows; after a move the cursor stays."""
    do(at(control, 2), "tail")
    assert (number(control), control.modes.playback) == (14, Playback.TAIL)

    do(control, "previous_transition")

    assert control.modes.playback is Playback.PAUSED


def test_new_data_moves_the_cursor_only_when_followed() -> None:
    """A paused reader stays, a following one is at the newest visible transition."""
    live = LiveStory()
    control = Control(live.store)
    control.data_arrived()
    do(at(control, 3), "tail")
    live.go_on()
    control.data_arrived()
    assert number(control) == 15

    do(control, "previous_transition")
    live.go_on()
    control.data_arrived()

    assert number(control) == 14


class LiveStory:
    """The story as a live stream that goes on with pings."""

    def __init__(self) -> None:
        self.story = files_story()
        self.store = Store()
        self.stream = self.story.fill(self.store, live=True)
        self.sent = len(self.story.messages)
        self.worker = self.story.tellers[0]

    def go_on(self) -> None:
        """One more transition."""
        self.worker.add("Ping") if self.worker.ticks[6] % 2 == 0 else self.worker.remove("Ping")
        self.story.writer.flush()
        for message in self.story.messages[self.sent :]:
            self.store.feed(self.stream, message)
        self.sent = len(self.story.messages)


def test_errors_and_canceled_ones_are_found_both_ways(control: Control) -> None:
    """Jumps go to the next and the previous one, with their place among all."""
    assert number(do(at(control, 1), "next_error")) == 13
    assert control.message == "error 1 of 1"
    assert number(do(control, "previous_canceled")) == 4
    assert number(do(control, "next_canceled")) == 4
    assert control.message == "no canceled transition after this one, 1 in all"


def test_same_state_jumps_go_to_what_touched_it(control: Control) -> None:
    """With a state selected, the jump is to its next transition."""
    on_state(at(control, 2), "Ping")

    numbers = [number(do(control, "next_same_state")) for _ in range(3)]

    assert numbers == [4, 6, 7]
    assert number(do(control, "previous_same_state")) == 6


def test_same_state_jumps_without_a_state_go_fifty_on(control: Control) -> None:
    """Without a state it is a fast move, as far as it goes."""
    assert number(do(at(control, 2), "next_same_state")) == 14


def test_why_goes_to_the_last_change_of_the_state(control: Control) -> None:
    """From a later moment back to the cause, if the state is active."""
    on_state(control, "FileProcessed")

    assert number(do(control, "why")) == 12
    assert number(do(control, "why")) == 12
    assert control.message == "FileProcessed changed in this transition"


def test_source_goes_to_the_machine_that_caused_the_transition(control: Control) -> None:
    """A source event may lie in another machine."""
    do(at(control, 12), "source")

    assert control.workspace.track is not None
    assert (control.workspace.track.key, number(control)) == ("worker-child", 1)


def test_history_leads_back_across_machines(control: Control) -> None:
    """Back returns to where a jump began."""
    do(at(control, 12), "source", "back")

    assert control.workspace.track is not None
    assert (control.workspace.track.key, number(control)) == ("worker", 12)
    do(control, "forward")
    assert control.workspace.track.key == "worker-child"


def test_another_machine_is_shown_at_the_same_moment(control: Control, store: Store) -> None:
    """Turning to a machine does not turn time."""
    at(control, 2)
    child = store.find("worker-child")
    assert child is not None

    control.jumps.select(child)

    assert number(control) == 1


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("7", ("worker", 7)),
        ("t2", ("worker", 2)),
        ("22:13:20.005", ("worker", 4)),
        ("mach://worker-child", ("worker-child", 1)),
        ("mach://worker/3", ("worker", 3)),
        (" mach://worker/3?step=1 ", ("worker", 3)),
        ("mach://worker/3/", ("worker", 3)),
        ("mach://worker/00000000000000010000000000000004", ("worker", 4)),
        ("child", ("worker-child", 1)),
    ],
)
def test_a_place_can_be_named_in_many_ways(
    control: Control, text: str, place: tuple[str, int]
) -> None:
    """Numbers, machine times, wall times, ids, addresses and names lead somewhere."""
    assert control.open_address(text)
    assert control.workspace.track is not None
    assert (control.workspace.track.key, number(control)) == place


def test_an_address_may_name_a_step(control: Control) -> None:
    """The third part of an address is how many steps are shown."""
    control.open_address("mach://worker/2/3")

    screen = control.project(160, 45)

    assert (screen.steps.number, screen.steps.step, screen.address.place) == (2, 3, "/2/3")


@pytest.mark.parametrize("text", ["", "mach://nobody/1", "mach://worker/99", "99", "\x1b[2J"])
def test_a_text_that_names_no_place_keeps_the_cursor(control: Control, text: str) -> None:
    """The footer shows why, and nothing changes."""
    at(control, 3)

    assert not control.open_address(text)
    assert number(control) == 3
    assert control.message
