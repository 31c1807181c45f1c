"""Bookmarks, history and addresses of something that was removed are refused with a reason."""

from __future__ import annotations

from am_dbg.control import Control
from am_dbg.control.cursors import Unreachable, cursor_at_address, cursor_at_place
from am_dbg.drawing.layout import Pane
from am_dbg.projection.states_tree import TreeSpot
from am_dbg.store import Store
from tests.screens.driving import at, do, number
from tests.screens.stories import Story, files_story


def long_control() -> Control:
    """A control over one machine, of whose history much can be removed."""
    story = Story(segment_rows=100, batch_rows=50)
    teller = story.machine("pinger")
    for _ in range(400):
        teller.add("Ping", lines=((1, f"[extern] line {teller.count} of {'x' * 40}"),))
        teller.remove("Ping")
    control = Control(story.store(live=True))
    control.data_arrived()
    control.project(160, 45)
    return control


def trimmed(control: Control) -> Control:
    """The oldest transitions go, as when memory is short."""
    store = control.workspace.store
    store.trim(1)
    assert store.tracks[0].first > 3
    return control


def removed(control: Control, key: str = "worker") -> Control:
    track = control.workspace.store.find(key)
    assert track is not None
    control.workspace.store.remove(track)
    return control


def test_a_bookmark_of_a_removed_transition_is_refused() -> None:
    """The difference to it cannot be shown, the list marks it, and going there is refused."""
    control = do(at(long_control(), 2), "bookmark", "last")
    (spot,) = control.workspace.bookmarks.places
    trimmed(control)

    assert control.press("diff") is None
    assert "transition 2 of pinger is gone" in control.message
    place = cursor_at_place(control.workspace, spot)
    assert isinstance(place, Unreachable)
    assert "to save memory" in place.reason


def test_history_skips_removed_places_with_a_message() -> None:
    """Back leads to the nearest place that is still there."""
    control = long_control()
    for place in (750, 2, 3, 790):
        control.jumps.jump(at(control, number(control)).workspace.cursor.at(place))  # type: ignore[union-attr]
    trimmed(control)
    do(control, "back")

    assert number(control) == 750
    assert "is gone" in control.message


def test_an_address_of_a_removed_transition_is_refused() -> None:
    """The reason differs from that of one that never existed."""
    control = trimmed(long_control())
    before = number(control)

    assert not control.open_address("mach://pinger/2")
    assert "it is gone, removed to save memory" in control.message
    assert number(control) == before


def test_a_cursor_on_a_removed_transition_moves_to_what_is_left() -> None:
    """The footer shows that once."""
    control = trimmed(at(long_control(), 2))
    screen = control.project(160, 45)

    assert screen.failed == {}
    assert "removed to save memory" in screen.footer.message
    assert number(control) == control.workspace.store.tracks[0].first - 1


def test_a_selected_machine_that_is_removed_gives_way_to_another(store: Store) -> None:
    """The footer names the removed machine, and another one is selected."""
    control = Control(store)
    control.data_arrived()
    removed(control)
    screen = control.project(160, 45)

    assert screen.failed == {}
    assert screen.address.machine == "worker-child"
    assert "worker is gone" in screen.footer.message


def test_the_last_machine_that_is_removed_leaves_an_empty_screen(control: Control) -> None:
    """Then the screen shows how to get data."""
    screen = removed(removed(control), "worker-child").project(160, 45)

    assert not screen.has_machine
    assert screen.log.hints
    assert screen.failed == {}


def test_a_mark_never_leads_to_another_machine_of_that_name(control: Control) -> None:
    """A machine that comes again under the name of a removed one is another."""
    do(at(control, 3), "bookmark")
    removed(control)
    files_story().fill(control.workspace.store)
    control.data_arrived()
    (spot,) = control.workspace.bookmarks.places
    place = cursor_at_place(control.workspace, spot)

    assert isinstance(place, Unreachable)
    assert place.reason == "worker is gone: the machine was removed from the list"


def test_a_search_that_began_at_a_removed_place_ends_where_it_is() -> None:
    """Escape goes back only to a place that still exists."""
    control = do(at(long_control(), 2), "search")
    control.type_search("line 700")
    trimmed(control).press("escape")

    assert control.message == "the place where the search began is gone"
    assert number(control) > 3


def test_a_selected_state_that_the_schema_no_longer_has_is_no_fault(control: Control) -> None:
    """A search among states begins at the first one then."""
    do(control, "search")
    control.workspace.selected_state = TreeSpot("NotHere")
    control.modes.close()
    control.focus_on(Pane.STATES)
    do(control, "search")
    control.type_search("ready")

    assert control.workspace.selected_state is not None
    assert control.workspace.selected_state.state == "Ready"


def test_a_link_to_a_removed_machine_is_refused(control: Control) -> None:
    """Links are addresses like all others."""
    place = cursor_at_address(removed(control, "worker-child").workspace, "mach://worker-child/1")

    assert isinstance(place, Unreachable)
    assert "no machine 'worker-child'" in place.reason
