"""Draws the debugger as an SVG picture, from a session file and without a terminal.

    python docs/picture.py [SESSION [ADDRESS [OUT]]]

`make picture` draws `docs/am-dbg.svg`, the picture of the README.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SESSION = ROOT / "exports" / "worker-pool.msgpack.br"
ADDRESS = "mach://worker-06/18"
PICTURE = ROOT / "docs" / "am-dbg.svg"
SIZE = (140, 38)
FONTS = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"

_FONT_FACES = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
_COMMENTS = re.compile(r"<!--.*?-->\s*", re.DOTALL)
_LINE_ENDS = re.compile(r"[ \t]+$", re.MULTILINE)


def without_addresses(svg: str) -> str:
    """The picture with fonts of the reader's system, so that it loads nothing."""
    svg = _COMMENTS.sub("", _FONT_FACES.sub("", svg))
    svg = svg.replace("Fira Code, monospace", FONTS).replace('"Fira Code"', FONTS)
    svg = svg.replace("font-family: arial", "font-family: sans-serif")
    return _LINE_ENDS.sub("", svg)


async def drawn(session: Path, address: str, keys: Sequence[str] = ()) -> str:
    """The screen at an address of a session, after pressing some keys."""
    sys.path.insert(0, str(ROOT))
    from am_dbg.control import Control
    from am_dbg.ingest.importing import import_session
    from am_dbg.store import Store
    from am_dbg.views.debugger import Debugger

    store = Store()
    import_session(store, str(session))
    control = Control(store, reader=True)
    control.data_arrived()
    if not control.open_address(address):
        raise SystemExit(control.message)
    app = Debugger(control)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press(*keys)
        await pilot.pause()
        return without_addresses(app.export_screenshot(title="am-dbg"))


def main(session: str = str(SESSION), address: str = ADDRESS, out: str = str(PICTURE)) -> None:
    """Draw the picture, with wall times in UTC."""
    os.environ["TZ"] = "UTC"
    time.tzset()
    svg = asyncio.run(drawn(Path(session), address))
    Path(out).write_text(svg, encoding="utf-8")
    print(f"{out}: {len(svg):,} characters")


if __name__ == "__main__":
    main(*sys.argv[1:])
