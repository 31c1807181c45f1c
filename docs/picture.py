"""Draws the debugger as SVG pictures, from session files and without a terminal.

    python docs/picture.py [NAME...]

`make picture` draws all of them: `docs/am-dbg.svg`, the picture of the README, and the pictures
of `docs/debugger.md` in `docs/pictures`. Equal sessions give equal pictures.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EXPORTS = ROOT / "exports"
SESSION = EXPORTS / "worker-pool.msgpack.br"
INCIDENT = EXPORTS / "incident.msgpack.br"
REPAIRED = EXPORTS / "incident-repaired.msgpack.br"
ADDRESS = "mach://worker-06/18"
SIZE = (140, 38)
TOUR_SIZE = (110, 28)
FONTS = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture: where it is, and the session, the address and the keys that lead to it.

    Without an address, the screen is as it opens. With a session in `before`, the picture is that
    of the comparison of both.
    """

    path: str
    session: Path = INCIDENT
    address: str = ""
    keys: tuple[str, ...] = ()
    size: tuple[int, int] = TOUR_SIZE
    theme: str = "am-dark"
    reader: bool = False
    before: Path | None = None


TO_LAST_ERROR = ("exclamation_mark", "enter")
TO_LOST_ORDER = ("exclamation_mark", "up", "up", "up", "enter")
PICTURES = {
    "am-dbg": Picture("docs/am-dbg.svg", SESSION, ADDRESS, size=SIZE, reader=True),
    "errors": Picture("docs/pictures/errors.svg", keys=("exclamation_mark",)),
    "consequence": Picture("docs/pictures/consequence.svg", keys=TO_LAST_ERROR),
    "cause": Picture("docs/pictures/cause.svg", keys=(*TO_LAST_ERROR, "s", "s")),
    "in-full": Picture("docs/pictures/in-full.svg", keys=(*TO_LAST_ERROR, "s", "s", "v")),
    "why-not": Picture("docs/pictures/why-not.svg", keys=(*TO_LOST_ORDER, "A", "C", "w")),
    "light": Picture("docs/pictures/light.svg", keys=(*TO_LAST_ERROR, "s", "s"), theme="am-light"),
    "two-sessions": Picture("docs/pictures/two-sessions.svg", before=REPAIRED),
}
"""All pictures; the keys of the tour are those of the page."""

_FONT_FACES = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
_COMMENTS = re.compile(r"<!--.*?-->\s*", re.DOTALL)
_LINE_ENDS = re.compile(r"[ \t]+$", re.MULTILINE)


def without_addresses(svg: str) -> str:
    """The picture with fonts of the reader's system, so that it loads nothing."""
    svg = _COMMENTS.sub("", _FONT_FACES.sub("", svg))
    svg = svg.replace("Fira Code, monospace", FONTS).replace('"Fira Code"', FONTS)
    svg = svg.replace("font-family: arial", "font-family: sans-serif")
    return _LINE_ENDS.sub("", svg)


async def drawn(
    session: Path,
    address: str,
    keys: Sequence[str] = (),
    *,
    size: tuple[int, int] = SIZE,
    theme: str = "am-dark",
    reader: bool = True,
) -> str:
    """The screen at an address of a session, after pressing some keys."""
    sys.path.insert(0, str(ROOT))
    from am_dbg.control import Control
    from am_dbg.ingest.importing import import_session
    from am_dbg.store import Store
    from am_dbg.views.colors.choice import ColorChoice
    from am_dbg.views.debugger import Debugger

    store = Store()
    import_session(store, str(session))
    control = Control(store, reader=reader)
    control.data_arrived()
    if address and not control.open_address(address):
        raise SystemExit(control.message)
    app = Debugger(control, ColorChoice(theme))
    async with app.run_test(size=size) as pilot:
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        return without_addresses(app.export_screenshot(title="am-dbg"))


async def compared(
    one: Path, other: Path, keys: Sequence[str], *, size: tuple[int, int], theme: str
) -> str:
    """The screen of `am-dbg diff`, after pressing some keys."""
    sys.path.insert(0, str(ROOT))
    from am_dbg.control.comparison import ComparisonControl
    from am_dbg.ingest.importing import import_session
    from am_dbg.projection.comparison.sessions import compare_sessions
    from am_dbg.store import Store
    from am_dbg.views.colors.choice import ColorChoice
    from am_dbg.views.comparison import ComparisonApp

    stores = Store(), Store()
    for store, path in zip(stores, (one, other), strict=True):
        import_session(store, str(path))
    control = ComparisonControl(compare_sessions(*stores), (one.name, other.name))
    app = ComparisonApp(control, ColorChoice(theme))
    async with app.run_test(size=size) as pilot:
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        return without_addresses(app.export_screenshot(title="am-dbg diff"))


async def of(picture: Picture) -> str:
    """The picture as SVG."""
    if picture.before is not None:
        return await compared(
            picture.before,
            picture.session,
            picture.keys,
            size=picture.size,
            theme=picture.theme,
        )
    return await drawn(
        picture.session,
        picture.address,
        picture.keys,
        size=picture.size,
        theme=picture.theme,
        reader=picture.reader,
    )


def main(*names: str) -> None:
    """Draw pictures, or all of them, with wall times in UTC."""
    os.environ["TZ"] = "UTC"
    time.tzset()
    for name in names or PICTURES:
        picture = PICTURES[name]
        svg = asyncio.run(of(picture))
        path = ROOT / picture.path
        path.parent.mkdir(exist_ok=True)
        path.write_text(svg, encoding="utf-8")
        print(f"{picture.path}: {len(svg):,} characters")


if __name__ == "__main__":
    main(*sys.argv[1:])
