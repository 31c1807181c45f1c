"""A typed query is counted in slices between the keys, so no key waits for the history."""

from __future__ import annotations

import pytest

from am_dbg.control import Control
from am_dbg.control.filtering import counting
from am_dbg.drawing.filters import COUNTING, draw_filters
from am_dbg.query import Hits
from tests.screens.driving import at, do, number


@pytest.fixture(autouse=True)
def _short_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """One step is a slice, so a small session needs many of them."""
    monkeypatch.setattr(counting, "SLICE_ROWS", 1)


def bar(control: Control) -> str:
    """The row with what a search or a filter found."""
    screen = control.project(160, 45)
    return draw_filters(screen.filters, 116, filter_line=screen.filter_line).text


def counted_on(control: Control) -> int:
    """Count slice by slice to the end; return how many it took."""
    slices = 0
    while control.workspace.counting_typed.is_running:
        assert COUNTING in bar(control)
        assert "hit" not in bar(control)
        assert "hides" not in bar(control)
        control.count_further()
        slices += 1
    return slices


@pytest.mark.parametrize("action", ["search", "filter_query"])
@pytest.mark.parametrize("scope", [(), ("scope",)])
def test_a_key_shows_that_its_query_is_being_counted(
    control: Control, action: str, scope: tuple[str, ...]
) -> None:
    """No number is on the screen until it is that of the typed text."""
    do(control, *scope, action)
    control.type_search("timeout")

    assert control.project(160, 45).is_counting
    assert counted_on(control) > 1
    assert COUNTING not in bar(control)
    assert ("hit" if action == "search" else "hides") in bar(control)


@pytest.mark.parametrize("scope", [(), ("scope",)])
def test_the_next_letter_abandons_the_count_of_the_one_before(
    control: Control, scope: tuple[str, ...]
) -> None:
    """The hits are those of the last text, wherever the count before was."""
    do(control, *scope, "search")
    for text in ("ti", "tim", "timeout"):
        control.type_search(text)
        control.count_further()
    counted_on(control)
    slowly = bar(control)
    place = number(control)

    control.accept_search()
    do(at(control, place), "search")
    control.type_search("timeout")
    counted_on(control)

    assert bar(control) == slowly


def test_enter_does_not_wait_for_slices(control: Control) -> None:
    """The filter holds, and the cursor of a search is at a hit, as soon as Enter is pressed."""
    do(control, "filter_query")
    control.type_search("error:yes")
    control.accept_search()
    assert control.workspace.filters.text == "error:yes"
    assert not control.project(160, 45).is_counting

    do(control, "search")
    control.type_search("error:yes")
    control.accept_search()

    track = control.workspace.track
    assert track is not None
    assert number(control) in Hits(control.workspace.visible(track), "error:yes")


@pytest.mark.parametrize("action", ["search", "filter_query"])
def test_escape_ends_the_count(control: Control, action: str) -> None:
    """The filter and the place are those from before, also later."""
    do(at(control, 5), action)
    before = number(control)
    control.type_search("timeout")

    do(control, "escape")
    control.count_further()

    assert number(control) == before
    assert control.workspace.filters.text == ""
    assert not control.project(160, 45).is_counting


def test_another_scope_ends_the_count_of_the_one_before(control: Control) -> None:
    """A click may change the scope while a search is typed."""
    do(control, "search")
    control.type_search("timeout")

    control.do("scope")

    assert not control.project(160, 45).is_counting


def test_a_step_that_fails_ends_the_count(control: Control) -> None:
    """Later slices do not pretend that all was counted."""

    def failing() -> counting.Steps:
        yield 1
        raise ValueError

    done: list[str] = []
    work = counting.Counting()
    work.begin(failing(), lambda: done.append("done"))

    with pytest.raises(ValueError, match="^$"):
        work.go_on()
    work.go_on()

    assert not work.is_running
    assert not done
