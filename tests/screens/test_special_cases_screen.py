"""The recorded special cases on the screen: whatever programs say, rows stay whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.cells import cell_len

from am_dbg.control import Control, ScreenView
from am_dbg.drawing.frame import SIDES, framed
from am_dbg.drawing.layout import MAIN_PANES, Pane
from am_dbg.ingest.importing import import_session
from am_dbg.projection.clean import clean_name
from am_dbg.spans import SpanLine, line
from am_dbg.store import Store
from am_dbg.views.pane_table import PANES
from tests.screens.test_screen import running, screen_text
from tests.screens.test_terminal import Terminal

SESSION = Path(__file__).resolve().parents[2] / "exports" / "special-cases.msgpack.br"
SIZES = ((160, 45), (80, 24), (47, 12))
ORDERS = {
    "the clipboard": b"\x1b]52",
    "a title": b"\x1b]0;title",
    "where the cursor is": b"\x1b[6n",
    "a device string": b"\x1bP+q",
    "clearing, as eight bits": b"\xc2\x9b2J",
    "colours": b"\x1b[31mplain",
    "a bell": b"\x07",
    "a step back": b"\x08",
    "another direction": "\u202e".encode(),
    "nothing to be seen": "\u200b".encode(),
}
"""Bytes of the session that a terminal would obey."""


@pytest.fixture(scope="module")
def cases() -> Store:
    """The recorded session."""
    store = Store()
    import_session(store, str(SESSION))
    return store


@pytest.fixture
def walker(cases: Store) -> Control:
    """A control over the session that shows everything there is."""
    control = Control(cases, reader=True)
    control.data_arrived()
    for action in ("level", "level", "level", "filter_empty", "filter_times"):
        control.press(action)
    control.project(*SIZES[0])
    return control


def rows_of(screen: ScreenView) -> Iterator[tuple[str, int, SpanLine]]:
    """Every row of every pane, and how wide it has to be."""
    for kind in PANES:
        box = screen.layout.boxes.get(kind.pane)
        if box is None:
            continue
        frame = SIDES if screen.layout.is_framed(kind.pane) else 0
        drawn = kind.draw(screen, box.width - frame, box.height - frame, True)
        if frame:
            rows = framed(drawn.lines, drawn.title, drawn.note, box.width, box.height, lit=True)
        else:
            rows = [line(row.spans, box.width) for row in drawn.lines]
        yield from ((kind.pane, box.width, row) for row in rows)


def misfits(screen: ScreenView) -> list[tuple[str, str]]:
    """Rows that a terminal would act upon, or draw at another width."""
    return [
        (pane, row.text)
        for pane, width, row in rows_of(screen)
        if not row.text.isprintable() or sum(map(cell_len, row.text)) != width
    ]


@pytest.mark.slow
@pytest.mark.parametrize("main", MAIN_PANES)
def test_every_machine_fits_into_every_pane(walker: Control, main: Pane) -> None:
    """Rows are printable and exactly as wide as their pane, at each place and each size."""
    for _ in range(MAIN_PANES.index(main)):
        walker.do("view")
    for track in walker.workspace.store.tracks:
        walker.jumps.select(track)
        assert walker.workspace.track is track
        for number in {0, 1, track.count} & set(range(track.count + 1)):
            walker.navigation.to_number(number)
            for size in SIZES:
                assert misfits(walker.project(*size)) == [], (track.key[:40], number, size)


@pytest.mark.slow
def test_every_pane_is_walked_through(walker: Control) -> None:
    """Each pane of each machine takes its own keys."""
    for track in walker.workspace.store.tracks:
        walker.jumps.select(track)
        for action in ("unfold_all", *("next_pane", "down", "choose", "page_down") * 6, "escape"):
            walker.do(action)
            assert misfits(walker.project(*SIZES[1])) == [], (track.key[:40], action)


@pytest.mark.parametrize("shown", [False, True])
def test_every_machine_has_an_address(walker: Control, shown: bool) -> None:
    """An address leads to a machine by its id, and by its name as the screen shows it."""
    for track in walker.workspace.store.tracks:
        name = clean_name(track.key) if shown else track.key
        assert walker.jumps.open_address(f"mach://{name}/{track.count}"), name[:60]
        assert walker.workspace.track is track


@pytest.mark.slow
async def test_the_screen_walks_through_every_machine(cases: Store) -> None:
    """With keys alone every machine and every view is reached, and nothing fails."""
    seen = set()
    async with running(cases, SIZES[0], reader=True, number=0) as (app, pilot):
        await pilot.press("escape")
        for _ in cases.tracks:
            seen.add(app.control.workspace.track)
            assert is_plain(screen_text(app))
            await pilot.press("down")
        for key in ("m", "m", "question_mark", "escape", "b", "apostrophe", "escape", "d"):
            await pilot.press(key)
            assert is_plain(screen_text(app))

    assert seen == set(cases.tracks)


def is_plain(text: str) -> bool:
    return all(row.isprintable() for row in text.split("\n"))


@pytest.mark.slow
def test_no_terminal_sequence_of_a_program_gets_through() -> None:
    """What goes to the terminal while everything is looked at has no order of a program in it."""
    terminal = Terminal("-l", "-1", "-r", "-i", str(SESSION), size=(160, 45))
    try:
        terminal.until(b"contents")
        start = len(terminal.output)
        for key in (b"l", b"l", b"l", b"\x1b", *[b"\x1b[B", b"\x1b[F"] * 60, b"m", b"m"):
            terminal.type(key)
            while terminal.read(0.02):
                pass
        terminal.until(b"\\x1b]52")
        walked = terminal.output[start:]
        terminal.type(b"q")
        assert terminal.ended() == 0
    finally:
        terminal.close()

    assert {name for name, order in ORDERS.items() if order in walked} == set()
