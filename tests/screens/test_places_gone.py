"""What points to something that was removed says that it is gone, and leads nowhere else."""

from __future__ import annotations

from am_dbg.control import Control
from am_dbg.control.cursors import NoPlace, place_of, place_of_spot
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
    control.look(160, 45)
    return control


def trimmed(control: Control) -> Control:
    """The oldest transitions go, as when memory is short."""
    store = control.desk.store
    store.trim(1)
    assert store.tracks[0].first > 3
    return control


def removed(control: Control, key: str = "worker") -> Control:
    track = control.desk.store.find(key)
    assert track is not None
    control.desk.store.remove(track)
    return control


def test_a_bookmark_of_a_removed_transition_says_that_it_is_gone() -> None:
    """The difference to it cannot be shown, the list marks it, and going there is refused."""
    control = do(at(long_control(), 2), "bookmark", "last")
    (spot,) = control.desk.bookmarks.spots
    trimmed(control)

    assert control.press("diff") is None
    assert "transition 2 of pinger is gone" in control.desk.message
    place = place_of_spot(control.desk, spot)
    assert isinstance(place, NoPlace)
    assert "to save memory" in place.reason


def test_history_passes_over_what_is_gone_and_says_so() -> None:
    """Back leads to the nearest place that is still there."""
    control = long_control()
    for place in (750, 2, 3, 790):
        control.jumping.jump(at(control, number(control)).desk.cursor.at(place))  # type: ignore[union-attr]
    trimmed(control)
    do(control, "back")

    assert number(control) == 750
    assert "is gone" in control.desk.message


def test_an_address_of_a_removed_transition_is_refused() -> None:
    """It is told apart from one that never was."""
    control = trimmed(long_control())
    before = number(control)

    assert not control.jumping.open_address("mach://pinger/2")
    assert "it is gone, removed to save memory" in control.desk.message
    assert number(control) == before


def test_a_cursor_on_a_removed_transition_moves_to_what_is_left() -> None:
    """The reader is told once."""
    control = trimmed(at(long_control(), 2))
    look = control.look(160, 45)

    assert look.failed == {}
    assert "removed to save memory" in look.footer.message
    assert number(control) == control.desk.store.tracks[0].first - 1


def test_a_selected_machine_that_is_removed_gives_way_to_another(store: Store) -> None:
    """Whoever removes it: the screen says so and shows what is there."""
    control = Control(store)
    control.data_arrived()
    removed(control)
    look = control.look(160, 45)

    assert look.failed == {}
    assert look.address.machine == "worker-child"
    assert "worker is gone" in look.footer.message


def test_the_last_machine_that_is_removed_leaves_an_empty_screen(control: Control) -> None:
    """Then the screen tells how data gets in."""
    look = removed(removed(control), "worker-child").look(160, 45)

    assert not look.has_machine
    assert look.log.hints
    assert look.failed == {}


def test_a_mark_never_leads_to_another_machine_of_that_name(control: Control) -> None:
    """A machine that comes again under the name of a removed one is another."""
    do(at(control, 3), "bookmark")
    removed(control)
    files_story().fill(control.desk.store)
    control.data_arrived()
    (spot,) = control.desk.bookmarks.spots
    place = place_of_spot(control.desk, spot)

    assert isinstance(place, NoPlace)
    assert place.reason == "worker is gone: the machine was removed from the list"


def test_a_search_that_began_at_a_removed_place_ends_where_it_is() -> None:
    """Giving it up leads back only to what is there."""
    control = do(at(long_control(), 2), "search")
    control.searching.type("line 700")
    trimmed(control).searching.cancel()

    assert control.desk.message == "where the search began is gone"
    assert number(control) > 3


def test_a_selected_state_that_the_schema_no_longer_has_is_no_fault(control: Control) -> None:
    """A search among states begins at the first one then."""
    do(control, "search")
    control.desk.spot = TreeSpot("NotHere")
    control.modes.close()
    control.modes.focus_on("states")
    do(control, "search")
    control.searching.type("ready")

    assert control.desk.spot is not None
    assert control.desk.spot.state == "Ready"


def test_a_link_to_a_removed_machine_says_that_there_is_none(control: Control) -> None:
    """Links are addresses like any other."""
    place = place_of(removed(control, "worker-child").desk, "mach://worker-child/1")

    assert isinstance(place, NoPlace)
    assert "no machine 'worker-child'" in place.reason
