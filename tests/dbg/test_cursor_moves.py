"""Moves of the cursor: pure, within the history, over what is visible."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from am_dbg.query import ALL, Filters, Visible
from am_dbg.query.cursor import JUMP_TRANSITIONS, Cursor
from am_dbg.store import Track
from amtracer.wire.messages import Shape, StepDef
from amtracer.wire.vocabulary import ShapeFlag
from tests.dbg.histories import START_NS, HistoryPlayer, stored

STEPS = 3


def track_of(count: int) -> Track:
    """A machine with transitions of three steps, of which every third was canceled."""
    player = HistoryPlayer()
    machine = player.enter(0)
    ok, steps = int(ShapeFlag.ACCEPTED), (StepDef(2, source=0),) * STEPS
    for at in range(count):
        shape = Shape(0, (0,), 0 if at % 3 == 2 else ok, (), steps)
        player.writer.record(machine.number, shape, START_NS + at)
    player.writer.flush()
    return stored(player).tracks[0]


def everything(count: int) -> tuple[Cursor, Visible]:
    track = track_of(count)
    return Cursor(track), Visible(track, ALL)


def accepted_only(count: int) -> tuple[Cursor, Visible]:
    track = track_of(count)
    return Cursor(track), Visible(track, Filters(canceled=False))


def test_a_cursor_begins_before_the_first_transition() -> None:
    """Number 0 shows the machine as it was when it was first seen."""
    cursor, visible = everything(5)

    assert (cursor.number, cursor.step) == (0, 0)
    assert cursor.next(visible).number == 1
    assert cursor.previous(visible) == cursor


def test_moves_skip_what_is_hidden() -> None:
    """Next, previous and last go over visible transitions only."""
    cursor, visible = accepted_only(7)  # 3 and 6 are hidden

    assert cursor.at(2).next(visible).number == 4
    assert cursor.at(4).previous(visible).number == 2
    assert cursor.last(visible).number == 7
    assert cursor.at(1).previous(visible).number == 0
    assert cursor.at(7).next(visible).number == 7


def test_jumps_go_fifty_visible_ones_or_as_far_as_there_are() -> None:
    """A jump counts visible transitions and stops at both ends."""
    cursor, visible = accepted_only(90)  # 60 are visible

    far = cursor.jump(visible)
    assert visible.position_of(far.number) == JUMP_TRANSITIONS
    assert far.jump(visible).number == visible.last()
    assert far.jump(visible, -JUMP_TRANSITIONS).number == 0
    assert cursor.jump(visible, -1).number == 0


def test_a_change_of_filters_keeps_the_nearest_place() -> None:
    """What is hidden now gives its place to the visible one before it, else after it."""
    cursor, visible = accepted_only(7)

    assert cursor.at(3).kept(visible).number == 2
    assert cursor.at(4).kept(visible).number == 4
    assert cursor.kept(visible).number == 0
    nothing = Visible(cursor.track, Filters(text="state:Nobody"))
    assert cursor.at(4).kept(nothing).number == 0


def test_steps_lead_into_the_next_transition_and_back() -> None:
    """Its steps are shown one by one; after the last one the transition itself is reached."""
    cursor, visible = everything(2)
    places = [cursor]
    for _ in range(STEPS + 2):
        places.append(places[-1].next_step(visible))

    assert [(place.number, place.step) for place in places] == [
        (0, 0),
        (0, 1),
        (0, 2),
        (0, 3),
        (1, 0),
        (1, 1),
    ]
    back = places[4].previous_step(visible)
    assert (back.number, back.step) == (0, STEPS)
    assert cursor.previous_step(visible) == cursor
    assert cursor.at(2).next_step(visible) == cursor.at(2)


def test_a_place_outside_the_history_is_its_nearest_end() -> None:
    """Nobody can be sent to a transition that is not held."""
    cursor, _ = everything(3)

    assert [cursor.at(number).number for number in (-5, 0, 3, 99)] == [0, 0, 3, 3]


def test_an_empty_history_has_one_place() -> None:
    """Without transitions every move stays."""
    cursor, visible = everything(0)

    for move in (cursor.next, cursor.previous, cursor.last, cursor.next_step, cursor.jump):
        assert move(visible).number == 0


@pytest.mark.parametrize("count", [1, 40])
@given(moves=st.lists(st.tuples(st.sampled_from("nplfjJsSk"), st.integers(-3, 3)), max_size=30))
def test_no_move_leaves_the_history(count: int, moves: list[tuple[str, int]]) -> None:
    """Whatever is pressed, the cursor stands at a visible transition or before them all."""
    cursor, visible = accepted_only(count)
    for key, by in moves:
        cursor = moved(cursor, visible, key, by)
        assert cursor.number == 0 or cursor.number in visible
        assert 0 <= cursor.step <= STEPS


def moved(cursor: Cursor, visible: Visible, key: str, by: int) -> Cursor:
    moves: dict[str, Callable[[], Cursor]] = {
        "n": lambda: cursor.next(visible),
        "p": lambda: cursor.previous(visible),
        "l": lambda: cursor.last(visible),
        "f": cursor.first,
        "j": lambda: cursor.jump(visible),
        "J": lambda: cursor.jump(visible, by),
        "s": lambda: cursor.next_step(visible),
        "S": lambda: cursor.previous_step(visible),
        "k": lambda: cursor.kept(visible),
    }
    return moves[key]()
