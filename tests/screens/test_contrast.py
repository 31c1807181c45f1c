"""All text can be read: with every theme, at every depth of colours, on every ground."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product
from typing import Any

import pytest
from rich.color import Color as RichColor
from rich.color import ColorType
from rich.segment import Segment
from rich.style import Style
from textual.app import App
from textual.color import Color
from textual.strip import Strip
from textual.theme import Theme

from am_dbg.spans import LineRole, Role, Span, SpanLine
from am_dbg.store import Store
from am_dbg.views.colors.choice import ColorChoice
from am_dbg.views.colors.contrast import CONTRAST_LINES, CONTRAST_TEXT, contrast
from am_dbg.views.colors.depth import ColorDepth
from am_dbg.views.colors.indexed import FIXED, VGA, XTERM, contrast_at, nearest
from am_dbg.views.colors.line_filter import style_at
from am_dbg.views.colors.themes import OURS, themes_at
from am_dbg.views.comparison import ComparisonApp
from am_dbg.views.option_text import option_text
from am_dbg.views.theme import LEAST, palette_of
from tests.screens.stories import files_story
from tests.screens.test_comparison_screen import control_of
from tests.screens.test_screen import running

COLORFUL = (ColorDepth.TRUECOLOR, ColorDepth.INDEXED, ColorDepth.BASIC)
THEMES = [(depth, theme) for depth in COLORFUL for theme in themes_at(depth)]
IDS = [f"{depth.value}-{theme.name}" for depth, theme in THEMES]
TABLES = {
    ColorDepth.TRUECOLOR: ((),),
    ColorDepth.INDEXED: ((*VGA, *FIXED),),
    ColorDepth.BASIC: (VGA, XTERM),
}
"""What terminals show for the numbers of colours: one table, or several to satisfy."""


def shown_contrast(segment: Segment, depth: ColorDepth) -> float:
    """The contrast of a segment on a terminal, in the table where it is lowest."""
    style = segment.style
    assert style is not None
    assert style.color is not None
    assert style.bgcolor is not None
    return min(
        contrast(shown(style.color, table), shown(style.bgcolor, table)) for table in TABLES[depth]
    )


def shown(color: RichColor, table: tuple[Color, ...]) -> Color:
    """What a terminal shows for a colour."""
    if color.type is ColorType.TRUECOLOR:
        return Color.from_rich_color(color)
    assert color.number is not None
    return table[color.number]


@pytest.mark.parametrize(("depth", "theme"), THEMES, ids=IDS)
def test_an_entry_of_a_list_can_be_read_chosen_or_not(depth: ColorDepth, theme: Theme) -> None:
    """One text is drawn on two grounds: that of the dialog and that of the cursor."""
    palette = palette_of(theme)
    texts = [role for role in Role if role not in LEAST]
    for role, ground in product(texts, (LineRole.DIALOG, LineRole.CURSOR)):
        (span,) = option_text(SpanLine((Span("x", role),)), palette).spans
        assert isinstance(span.style, Style)
        style = span.style + Style(bgcolor=palette.ground(ground).rich_color)

        assert shown_contrast(Segment("x", style), depth) >= CONTRAST_TEXT, role


@pytest.mark.parametrize(("depth", "theme"), THEMES, ids=IDS)
def test_every_role_can_be_read_on_every_ground(depth: ColorDepth, theme: Theme) -> None:
    """Text has a contrast of at least 4.5, plain, bold and underlined; graphics and lines less."""
    palette = palette_of(theme)
    low: dict[tuple[str, ...], float] = {}
    for role, ground, bold, underline in product(Role, LineRole, (False, True), (False, True)):
        style = style_at(palette.style(Span("text", role, bold, underline), ground), depth)
        found = shown_contrast(Segment("text", style), depth)
        if found < LEAST.get(role, CONTRAST_TEXT):
            low[role.name, ground.name] = found

    assert low == {}


@pytest.mark.parametrize(("depth", "theme"), THEMES, ids=IDS)
def test_a_colour_of_the_cursor_row_can_be_read_on_a_dialog_too(
    depth: ColorDepth, theme: Theme
) -> None:
    """Lists draw each entry once, whether the cursor is on it or not."""
    palette = palette_of(theme)
    ground = palette.ground(LineRole.DIALOG)
    low = [
        role.name
        for role in Role
        if role not in LEAST
        and contrast_at(palette.color(role, LineRole.CURSOR), ground, depth) < CONTRAST_TEXT
    ]

    assert low == []


@pytest.mark.parametrize(("depth", "theme"), THEMES, ids=IDS)
def test_dialogs_can_be_read(depth: ColorDepth, theme: Theme) -> None:
    """The pairs of colours that style sheets use have the contrast of text."""
    css = {name: Color.parse(value) for name, value in palette_of(theme).css().items()}
    pairs = [
        *(("am-dialog", f"am-dialog-{part}") for part in ("text", "quiet", "warning", "frame")),
        *(("am-input", f"am-input-{part}") for part in ("text", "quiet")),
        ("am-hover", "am-dialog-text"),
        *(
            (f"{name}-background", f"{name}-foreground")
            for name in ("input-cursor", "input-selection", "block-cursor", "block-cursor-blurred")
        ),
    ]

    low = [
        pair for pair in pairs if contrast_at(*map(css.__getitem__, pair), depth) < CONTRAST_TEXT
    ]

    assert low == []


@pytest.mark.parametrize("depth", [ColorDepth.INDEXED, ColorDepth.BASIC])
def test_the_colours_of_our_themes_exist_at_their_depth(depth: ColorDepth) -> None:
    """A terminal shows exactly the colour that the theme names, so contrasts are not by chance."""
    for theme in OURS[depth]:
        named = [
            value
            for value in (*vars(theme).values(), *theme.variables.values())
            if isinstance(value, str) and value.startswith("#")
        ]

        assert len(named) == 17
        assert [
            value for value in named if nearest(Color.parse(value), depth).hex != value.upper()
        ] == []


def test_contrast_is_that_of_the_guidelines() -> None:
    """Black on white is 21, equal colours are 1, a known grey on white is just enough."""
    white = Color.parse("#ffffff")

    assert contrast(Color.parse("#000000"), white) == pytest.approx(21)
    assert contrast(white, white) == 1
    assert contrast(Color.parse("#767676"), white) == pytest.approx(4.54, abs=0.01)


def strips_of(app: App[Any]) -> list[Strip]:
    return app.screen._compositor.render_strips()


def visible(app: App[Any]) -> Iterator[Segment]:
    """What can be seen, the panes behind a dialog too."""
    for strip in strips_of(app):
        for segment in strip:
            if segment.text.strip():
                yield segment


SCREENS = {
    "panes": [],
    "rain": ["m"],
    "matrix": ["m", "m"],
    "steps": ["comma", "comma"],
    "filters": ["f"],
    "search": ["slash", "P", "i"],
    "hits": ["slash", "P", "i", "enter"],
    "help": ["question_mark"],
    "goto": ["g"],
    "goto-refused": ["g", "x", "enter"],
    "bookmarks": ["b", "right", "b", "apostrophe"],
    "export": ["x"],
    "errors": ["exclamation_mark"],
    "in-full": ["e", "v"],
    "all-machines": ["A"],
    "filter": ["F", "s"],
    "why-not": ["tab", "tab", "tab", "down", "w"],
    "palette": ["ctrl+p", "e", "r"],
    "palette-without-result": ["ctrl+p", "z", "q", "z", "q"],
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SCREENS)
@pytest.mark.parametrize("dark", [0, 1], ids=["dark", "light"])
@pytest.mark.parametrize("depth", COLORFUL)
async def test_every_letter_on_a_screen_can_be_read(
    store: Store, depth: ColorDepth, dark: int, name: str
) -> None:
    """Whatever drew it: a pane, a dialog, or one of Textual's own widgets."""
    colors = ColorChoice(OURS[depth][dark].name, depth)
    async with running(store, colors=colors, reader=True) as (app, pilot):
        await pilot.press(*SCREENS[name])
        await pilot.pause()
        segments = list(visible(app))

    assert faint(segments, depth) == []


@pytest.mark.slow
@pytest.mark.parametrize("dark", [0, 1], ids=["dark", "light"])
@pytest.mark.parametrize("depth", COLORFUL)
async def test_every_letter_of_a_comparison_can_be_read(depth: ColorDepth, dark: int) -> None:
    """The screen of two sessions follows the same rule."""
    other = files_story()
    other.machine("later").add("Ping")
    app = ComparisonApp(
        control_of(files_story(), other), ColorChoice(OURS[depth][dark].name, depth)
    )
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.pause()
        segments = list(visible(app))

    assert faint(segments, depth) == []


def faint(segments: Iterable[Segment], depth: ColorDepth) -> list[tuple[str, float]]:
    """The segments that are harder to read than they may be."""
    return [
        (segment.text, found)
        for segment in segments
        if (found := shown_contrast(segment, depth))
        < (CONTRAST_TEXT if any(map(str.isalnum, segment.text)) else CONTRAST_LINES)
    ]
