"""The colours of the screen follow the terminal and the user."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from textual.strip import Strip

from am_dbg.drawing.layout import Pane
from am_dbg.errors import UnknownThemeError
from am_dbg.options import AUTO, COLORS
from am_dbg.store import Store
from am_dbg.views.colors.background import ANSWER_WITHIN_S, is_light_answer, is_light_in
from am_dbg.views.colors.choice import ColorChoice, color_choice, theme_names
from am_dbg.views.colors.depth import ColorDepth, color_depth, detected_depth
from am_dbg.views.colors.themes import DARK, LIGHT, OURS
from am_dbg.views.messages import GroundReported
from am_dbg.views.pane import PaneWidget
from am_dbg.views.terminal_events import InputReader
from am_dbg.views.terminal_tokens import STRING_BYTES_MAX
from tests.screens.test_screen import running

ENVIRONMENTS: tuple[tuple[Mapping[str, str], ColorDepth], ...] = (
    ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, ColorDepth.TRUECOLOR),
    ({"TERM": "xterm", "COLORTERM": "24bit"}, ColorDepth.TRUECOLOR),
    ({"TERM": "xterm-kitty"}, ColorDepth.TRUECOLOR),
    ({"TERM": "xterm-direct"}, ColorDepth.TRUECOLOR),
    ({"TERM": "xterm-256color"}, ColorDepth.INDEXED),
    ({"TERM": "tmux-256color"}, ColorDepth.INDEXED),
    ({"TERM": "xterm"}, ColorDepth.BASIC),
    ({"TERM": "linux"}, ColorDepth.BASIC),
    ({}, ColorDepth.BASIC),
    ({"TERM": "vt100"}, ColorDepth.NONE),
    ({"TERM": "xterm", "COLORTERM": "truecolor", "NO_COLOR": "1"}, ColorDepth.NONE),
    ({"TERM": "xterm", "NO_COLOR": ""}, ColorDepth.BASIC),
)
LIGHT_ANSWER, DARK_ANSWER = "11;rgb:ffff/ffff/ffff", "11;rgb:15/16/1c"


@pytest.mark.parametrize(("environ", "depth"), ENVIRONMENTS)
def test_the_environment_announces_the_colours(
    environ: Mapping[str, str], depth: ColorDepth
) -> None:
    """COLORTERM, then TERM; NO_COLOR counts if it is not empty."""
    assert detected_depth(environ, platform="linux") is depth


@pytest.mark.parametrize("depth", ColorDepth)
def test_the_choice_of_the_user_wins(depth: ColorDepth) -> None:
    """The option --colors counts, whatever the environment says."""
    assert color_depth(depth.value, {"NO_COLOR": "1"}) is depth


def test_the_command_line_offers_every_depth() -> None:
    """The values of --colors are auto and those of the depths."""
    assert (AUTO, *(depth.value for depth in ColorDepth)) == COLORS


@pytest.mark.parametrize(
    ("value", "is_light"),
    [
        ("0;15", True),
        ("0;default;7", True),
        ("15;0", False),
        ("7;8", False),
        ("x", None),
        ("", None),
    ],
)
def test_colorfgbg_names_the_ground(value: str, is_light: bool | None) -> None:
    """Its last number is the colour of the ground; 7 and 9 to 15 are light."""
    assert is_light_in({"COLORFGBG": value}) is is_light


@pytest.mark.parametrize(
    ("answer", "is_light"),
    [
        (LIGHT_ANSWER, True),
        (DARK_ANSWER, False),
        ("11;rgba:FDFD/F6F6/E3E3/FFFF", True),
        ("11;rgb:0/0/0", False),
        ("10;rgb:ffff/ffff/ffff", None),
        ("11;rgb:fffff/ffff/ffff", None),
        ("11;?", None),
        ("", None),
    ],
)
def test_an_answer_of_the_terminal_names_the_ground(answer: str, is_light: bool | None) -> None:
    """Any number of digits counts; everything else is no answer."""
    assert is_light_answer(answer) is is_light


@pytest.mark.parametrize("end", ["\x07", "\x1b\\"])
def test_the_answer_is_read_among_keys(end: str) -> None:
    """It may come in pieces, between keys, with either terminator."""
    reader = InputReader()
    reader.asked(0.0)
    data = f"e\x1b]{LIGHT_ANSWER}{end}n".encode()
    messages = [one for byte in data for one in reader.feed(bytes([byte]), 0.1)]

    assert [type(one).__name__ for one in messages] == ["Key", "GroundReported", "Key"]


def test_an_answer_counts_only_in_time() -> None:
    """Without a question, or long after it, an answer changes nothing."""
    reader, answer = InputReader(), f"\x1b]{LIGHT_ANSWER}\x07".encode()
    assert list(reader.feed(answer, 0.0)) == []

    reader.asked(1.0)

    assert len(list(reader.feed(answer, 1.0 + ANSWER_WITHIN_S))) == 1
    assert list(reader.feed(answer, 1.1 + ANSWER_WITHIN_S)) == []


def test_a_long_string_is_no_answer() -> None:
    """A string over the limit is dropped, also if its end would be an answer."""
    reader = InputReader()
    reader.asked(0.0)
    filler = b"x" * STRING_BYTES_MAX

    assert list(reader.feed(b"\x1b]" + filler, 0.0)) == []
    assert list(reader.feed(LIGHT_ANSWER.encode() + b"\x07", 0.0)) == []
    assert list(reader.feed(b"\x1b]" + filler + b"\x07", 0.0)) == []


def test_the_theme_is_that_of_the_option() -> None:
    """A name is taken as it is, dark and light are ours, and the terminal is not asked."""
    environ = {"TERM": "xterm-256color", "COLORFGBG": "0;15"}

    assert color_choice("dark", AUTO, environ) == ColorChoice(DARK.name, ColorDepth.INDEXED)
    assert color_choice("Nord", "16", environ) == ColorChoice("nord", ColorDepth.BASIC)
    assert all(color_choice(name, "none", environ).theme for name in theme_names())


def test_without_an_option_the_theme_fits_the_terminal() -> None:
    """The environment decides at once, and the terminal is asked if it may answer."""
    light = color_choice(AUTO, AUTO, {"TERM": "xterm", "COLORFGBG": "0;15"})
    console = color_choice(AUTO, AUTO, {"TERM": "linux"})

    assert (light.theme, light.asks_terminal) == (LIGHT.name, True)
    assert (console.theme, console.asks_terminal) == (DARK.name, False)


def test_an_unknown_theme_is_refused_with_similar_names() -> None:
    """The message names what was given, what may be meant, and all names."""
    with pytest.raises(UnknownThemeError) as refused:
        color_choice("drakula", AUTO, {})

    assert "no theme 'drakula'; did you mean dracula: give auto, dark, light" in str(refused.value)


@pytest.mark.slow
async def test_the_answer_of_the_terminal_changes_the_theme(store: Store) -> None:
    """A light ground gets the light theme."""
    async with running(store, colors=ColorChoice(asks_terminal=True)) as (app, pilot):
        app.post_message(GroundReported(is_light=True))
        await pilot.pause()

        assert app.theme == LIGHT.name


@pytest.mark.slow
async def test_the_answer_of_the_terminal_does_not_undo_a_choice(store: Store) -> None:
    """A theme that was chosen before the answer came stays."""
    async with running(store, colors=ColorChoice(asks_terminal=True)) as (app, pilot):
        app.theme = "nord"
        app.post_message(GroundReported(is_light=True))
        await pilot.pause()

        assert app.theme == "nord"


@pytest.mark.slow
@pytest.mark.parametrize("keys", [[], ["question_mark"], ["g"], ["ctrl+p"], ["slash", "P"]])
async def test_without_colours_no_colour_is_drawn(store: Store, keys: list[str]) -> None:
    """Neither panes nor dialogs nor Textual's own widgets use any."""
    async with running(store, colors=without_colours()) as (app, pilot):
        await pilot.press(*keys)
        await pilot.pause()
        styles = [
            segment.style
            for strip in app.screen._compositor.render_strips()
            for segment in strip
            if segment.style is not None
        ]

    assert [style for style in styles if style.color or style.bgcolor] == []


@pytest.mark.slow
async def test_without_colours_weight_shows_the_place_and_errors(store: Store) -> None:
    """The row of the cursor is reversed, errors are bold, and no text is dim."""
    async with running(store, colors=without_colours(), number=13) as (app, _):
        rows = strips_of(app.query_one(f"#{Pane.LOG}", PaneWidget))
    row = next(strip for strip in rows if "▸   13" in strip.text)
    error = next(segment for segment in row if segment.text == "E")
    inner = [segment for segment in row if "│" not in segment.text]

    assert all(segment.style and segment.style.reverse for segment in inner)
    assert error.style is not None
    assert error.style.bold
    assert [
        segment.text
        for strip in rows
        for segment in strip
        if segment.style and segment.style.dim and any(map(str.isalnum, segment.text))
    ] == []


@pytest.mark.slow
async def test_without_colours_the_chosen_entry_of_a_list_is_reversed(store: Store) -> None:
    """A list of Textual shows its cursor too."""
    async with running(store, colors=without_colours()) as (app, pilot):
        await pilot.press("b", "right", "b", "apostrophe")
        await pilot.pause()
        reversed_ = [
            segment.text.strip()
            for strip in app.screen._compositor.render_strips()
            for segment in strip
            if segment.style and segment.style.reverse
        ]

    assert "worker  tx 12" in reversed_


def strips_of(pane: PaneWidget) -> list[Strip]:
    return pane.render_lines(pane.size.region)


def without_colours() -> ColorChoice:
    return ColorChoice(OURS[ColorDepth.NONE][0].name, ColorDepth.NONE)
