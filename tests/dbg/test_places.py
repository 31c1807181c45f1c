"""One grammar of places: what any output prints, every input takes and finds again."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from am_dbg import reports as text
from am_dbg.control import Control
from am_dbg.control.cursors import cursor_at_address
from am_dbg.control.reading.transition_text import transition_text
from am_dbg.control.start import StartOptions
from am_dbg.egress.convert import chosen
from am_dbg.errors import DebuggerError, TransitionNotFoundError
from am_dbg.projection.addresses.machine_names import machine_like
from am_dbg.projection.addresses.places import is_place
from am_dbg.projection.addresses.resolve import resolve
from am_dbg.projection.addresses.write import address_of
from am_dbg.projection.times import clock_time, full_time
from am_dbg.query.cursor import Cursor
from am_dbg.reports.json_values import wall_time
from am_dbg.store import Store, Track
from tests.screens.stories import Story, files_story

IDS = ("worker", "a", "a/5", "a/5/1", "a/b/c", "  ", "x?y", "t5", "12", "w\x1b[2J", "ünï/7", "p/")


def crowded() -> Store:
    """Machines whose ids look like places, each with transitions that have steps."""
    story = Story()
    for key in IDS:
        teller = story.machine(key)
        for number in range(7):
            step = teller.step(32, target="Ping")
            mutate = teller.remove if number % 2 else teller.add
            mutate("Ping", steps=(step,) * (number % 4), after_ns=1_000_001 * (number + 1))
            teller.cancel("Ready")
    return story.store()


STORE = crowded()
PLACES = [(track, number) for track in STORE.tracks for number in range(track.count + 1)]


def found(text: str, here: Track | None = None) -> tuple[Track, int | None]:
    place = resolve(STORE, text, here)
    return place.track, place.number


@given(st.sampled_from(PLACES))
@settings(max_examples=200, deadline=None)
def test_what_any_output_prints_every_input_accepts(place: tuple[Track, int]) -> None:
    """Addresses, numbers, times and ids, of the screen, of copies and of the command line."""
    track, number = place
    control = Control(STORE)
    control.data_arrived()
    control.workspace.cursor = Cursor(track, number)
    screen = control.project(160, 45)
    shown = f"{screen.address.scheme}{screen.address.machine}{screen.address.place}"
    printed = [address_of(STORE, track, number), shown]
    if number:
        time_ns = track.time_at(number)
        copied = transition_text(STORE, control.workspace.moment)  # type: ignore[arg-type]
        printed += [copied.partition("\n")[0], f"mach://{track.key}/{track.tx_id_at(number)}"]
        places = [str(number), f"tx {number}", track.tx_id_at(number)]
        places += [wall_time(time_ns), full_time(time_ns), clock_time(time_ns)]
        for one in places:
            assert found(one, track) == (track, number), one
            reached = cursor_at_address(control.workspace, one)
            assert isinstance(reached, Cursor)
            assert (reached.track, reached.number) == (track, number), one
            assert is_place(one)
    for address in printed:
        assert found(address) == (track, number), address
        reached = cursor_at_address(control.workspace, address)
        assert isinstance(reached, Cursor), reached
        assert (reached.track, reached.number) == (track, number), address


def test_a_step_is_part_of_an_address() -> None:
    """The address bar shows it while steps are walked; one that is not there is refused."""
    track = STORE.find("worker")
    assert track is not None
    address = address_of(STORE, track, 7, 2)

    assert (address, resolve(STORE, address).step) == ("mach://worker/7/2", 2)
    with pytest.raises(DebuggerError, match="has no step '9': it has 3"):
        resolve(STORE, "mach://worker/7/9")


def test_the_command_line_finds_what_its_own_lists_print() -> None:
    """Every address and every time of a transition's lines."""
    for track, number in PLACES:
        lines = text.transition_lines(track, number) if number else text.start_lines(track)
        address, _, _ = next(iter(lines)).partition("  ")
        if track.key.strip() and "a/5" not in address:
            assert found(address) == (track, number)


@pytest.mark.parametrize(
    "place", ["t999999", "99", "1,000", "0" * 8 + "f" * 24, "+999h", "2999-01-01"]
)
def test_what_lies_outside_of_a_history_is_refused(place: str) -> None:
    """It is never put to the nearest end in silence."""
    with pytest.raises(TransitionNotFoundError):
        resolve(STORE, f"mach://worker/{place}")


@pytest.mark.parametrize(
    "place", ["25:99", "24:00", "12:60", "1:2:3", "t-1", "-5", "1,2", "2023-13-45"]
)
def test_what_is_no_place_is_refused_with_what_is_allowed(place: str) -> None:
    """An hour has 60 minutes, a day 24 hours."""
    control = Control(files_story().store())
    control.data_arrived()
    before = control.workspace.cursor

    assert not is_place(place)
    assert not control.open_address(place)
    assert "is no place: give a number, t and a machine time" in control.message
    assert control.workspace.cursor == before


def test_a_time_of_day_is_looked_for_on_every_day() -> None:
    """After midnight the screen shows times of the next day, and they are found there."""
    story = Story()
    teller = story.machine("night")
    for number in range(4):
        mutate = teller.remove if number % 2 else teller.add
        mutate("Ping", after_ns=9 * 3600 * 10**9 + 7)
    store = story.store()
    track = store.tracks[0]
    for number in range(1, 5):
        assert resolve(store, clock_time(track.time_at(number))).number == number


def test_a_time_that_nothing_happened_at_leads_to_what_came_next() -> None:
    """Before the first transition that is the first one."""
    track = STORE.find("worker")
    assert track is not None
    second = datetime.fromtimestamp(track.time_at(1) // 10**9, UTC).astimezone()

    assert resolve(STORE, f"mach://worker/{second:%Y-%m-%d}").number == 1
    assert resolve(STORE, "mach://worker/+500us").number == 2


def test_a_machine_is_named_by_its_id_an_address_or_a_part() -> None:
    """At the start of the screen, and for a conversion."""
    worker = STORE.find("worker")
    assert worker is not None
    for named in ("worker", "WORK", "mach://worker", "mach://worker/5"):
        control = Control(STORE, start=StartOptions(machine=named))
        control.data_arrived()
        assert control.workspace.track is worker
    assert machine_like(STORE, "ork") is worker
    assert [part.track for part in chosen(STORE, "mach://worker", "2-3")] == [worker]


@pytest.mark.parametrize("place", ["3", "tx 3", "t3", "mach://worker/3"])
def test_the_screen_may_begin_at_any_place(place: str) -> None:
    """`-t` takes what `g` takes; an address belongs to `-m`."""
    store = files_story().store()
    option = {"machine": place} if "//" in place else {"machine": "worker", "transition": place}
    control = Control(store, start=StartOptions(**option))
    control.data_arrived()

    assert control.workspace.cursor is not None
    assert control.workspace.cursor.number == 3
