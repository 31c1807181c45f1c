"""The footer: what follows the focus at the left, help and quit at the right."""

from __future__ import annotations

import pytest

from am_dbg.control import Control
from am_dbg.drawing.bars import draw_footer, draw_tabs
from am_dbg.drawing.layout import Pane
from am_dbg.drawing.pane_keys import footer_ends, footer_hints
from am_dbg.keymap import remapped
from am_dbg.projection.bars import FooterView, ReturnedNotice, TabsView
from tests.screens.driving import at, do

ENDS = "? help   q quit "


@pytest.mark.parametrize("width", range(61, 240, 7))
@pytest.mark.parametrize("message", ["", "short", "long " * 60])
def test_help_and_quit_stand_at_the_right_end_of_every_footer(width: int, message: str) -> None:
    """Hints and messages take what is left of the row."""
    view = FooterView(message, footer_hints(narrow=width < 100), footer_ends())
    row = draw_footer(view, width)

    assert row.width == width
    assert row.text.endswith(ENDS)


@pytest.mark.parametrize("width", range(40, 60, 3))
def test_a_long_message_leaves_the_ends_of_a_narrow_footer_their_keys(width: int) -> None:
    """A message that fits leaves them whole; hints do so too."""
    ends, hints = footer_ends(), footer_hints(narrow=True)
    rows = [draw_footer(FooterView(text, hints, ends), width).text for text in ("", "no hit")]

    assert all(row.endswith(ENDS) for row in rows)
    assert draw_footer(FooterView("long " * 60, hints, ends), width).text.endswith("  ?   q ")


@pytest.mark.parametrize("width", range(40, 120, 7))
def test_a_notice_that_is_too_long_is_cut(width: int) -> None:
    """A program that came back is announced at any width, at least with the begin of the words."""
    notice = ReturnedNotice("a_program_with_a_name came back (run 2): 21 machines", ())
    row = draw_footer(FooterView("", (), footer_ends(), returned=notice), width)

    assert row.text.startswith(" a_program")
    assert row.text.endswith(ENDS)


def test_a_user_who_takes_their_keys_away_has_the_whole_row() -> None:
    """The footer shows keys that work, no others."""
    table = remapped({"help": [], "quit": []}).table
    view = FooterView("", footer_hints(table), footer_ends(table))

    assert "help" not in draw_footer(view, 200).text


def test_the_footer_begins_with_what_the_focused_pane_does(control: Control) -> None:
    """The rain uses the arrows for states, the row of steps uses them for steps."""
    begins = []
    for pane in (Pane.MACHINES, Pane.STEPS, Pane.FILTERS, Pane.LOG):
        control.focus_on(pane)
        begins.append(control.project(160, 45).footer.hints[0][:2])
    do(control, "rain")

    assert begins == [("↑↓", "machine"), ("←→", "step"), ("←→", "pick"), ("←→", "tx")]
    assert control.project(160, 45).footer.hints[0][:2] == ("←→", "state")


def test_counts_keep_their_width(control: Control) -> None:
    """What stands behind a count does not move when its first number grows."""
    footer = at(control, 1).project(160, 45).footer
    assert (footer.errors, footer.canceled) == ("0/1", "0/1")
    texts = {len(at(control, number).project(160, 45).footer.errors) for number in range(15)}

    assert texts == {3}


@pytest.mark.parametrize("width", [40, 60, 79])
def test_the_names_of_all_tabs_are_shown_at_any_width(width: int) -> None:
    """The note goes before a name is cut."""
    tabs = tuple((name, name.capitalize()) for name in ("machines", "states", "matrix", "reader"))
    row = draw_tabs(TabsView(tabs, "reader", "changes · f filters · 1 hidden"), width)

    assert "Reader" in row.text
    assert "…" not in row.text
