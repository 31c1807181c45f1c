"""Generates the parts of the docs that come from code.

`docs/map.md` lists the first docstring line of every module. The tables of keys in
`docs/keys.md` and in the README come from `am_dbg/keys.py`. `make docs` runs this program, and
tests check that its results are committed.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from am_dbg import keys  # noqa: E402 - the project's own, installed or not
from am_dbg.drawing import pane_keys  # noqa: E402

PACKAGES = ("machine", "asyncmachine", "amtracer", "am_dbg")

KEYS_START = "<!-- keys: made by `make docs` -->"
KEYS_END = "<!-- keys end -->"

MAP_HEAD = """\
# Map of the files

## The layers

An arrow points from a folder to the folders that it imports. No arrow points back.

```text
am_dbg     cli ─► app ─► views ─► control ─► drawing ─► projection ─► query ─► store
            │                                                ▲                   ▲
            ├────► egress ─► reports ────────────────────────┘                   │
            └────► ingest ───────────────────────────────────────────────────────┘
                     ▲
                     │  frames: a socket, or a session file
amtracer   tracer ─► send ─► encode ─► wire ◄─ files
             │
             ▼
machine    _machine ─► _engine ─► _calling ─► _transition ─► _handlers ─► _resolution ─► _schema
                                                   │                          ▲            │
                                                   └────► _waiting ───────────┘            └─► _logging
```

## From `add1` to a cell on the screen

| module | what happens there |
|---|---|
| `machine/_machine/mutating.py` | `add1` checks its arguments and makes a mutation |
| `machine/_engine/engine.py` | the mutation enters the queue, or runs at once |
| `machine/_engine/draining.py` | one thread at a time drains the queue |
| `machine/_resolution/` | relations resolve it to a plan, which is remembered |
| `machine/_engine/walk.py` | negotiation handlers decide, ticks change, final handlers run |
| `machine/_calling/calling.py` | each handler is called, and its outcome counts |
| `machine/_waiting/waiters.py` | waiters of the states that changed are released |
| `machine/_transition/tracing.py` | tracers receive the transition |
| `amtracer/tracer/machine_tracer.py` | the tracer copies the data into one small tuple |
| `amtracer/send/sender.py` | the sender's thread takes the tuple from the queue |
| `amtracer/encode/stream_writer.py` | shapes and texts get numbers, transitions become a batch |
| `amtracer/wire/codec.py` | messages become frames |
| `amtracer/send/sinks.py` | frames go to a debugger or into a file |
| `am_dbg/ingest/server.py` | a connection's bytes become messages again |
| `am_dbg/store/stream.py` | each message is checked |
| `am_dbg/store/track.py` | the machine's track takes the rows into its columns |
| `am_dbg/query/` | filters decide which transitions are visible |
| `am_dbg/control/screen_projector.py` | the cursor selects the moment to show |
| `am_dbg/projection/` | each pane gets a frozen value with its contents |
| `am_dbg/drawing/` | values become spans: text with a role, cut to a width |
| `am_dbg/views/pane.py` | the rows that changed are painted |

## Folders

This page lists every module with its purpose, which is the first line of its docstring. To change a line, change the docstring and run
`make docs`. The other folders:

| folder | contents |
|---|---|
| `tests/core`, `tests/wire`, `tests/dbg`, `tests/screens` | tests of `machine`, of `amtracer`, of the debugger's data and of its screens |
| `tests/e2e` | tests of whole programs: the examples, the command line, a live client with a debugger |
| `tests/house` | tests of the code and the docs: imports, sizes, names, words |
| `tests/package` | tests of the wheel and the source archive that users install; `make package` runs them |
| `tests/testing` | tests of what users test with: `machine.testing` and the plugin of pytest |
| `tests/typing` | code that type checkers must accept or refuse |
| `examples` | programs to start from; the test suite runs each of them |
| `exports` | recorded sessions, at least one for every version of the file format |
| `benchmarks` | measurements, each with one command |
| `docs` | the manual, the recipes, the examples, the API, the keys, this map, the glossary, the decisions, performance, the wire protocol |
"""


def purpose(path: Path) -> str:
    """The first line of a module's docstring, without its period."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return text.partition("\n")[0].rstrip(".:")


def map_lines(package: str) -> Iterator[str]:
    """A package's purpose, then a table of its modules, folder by folder."""
    folder = ROOT / package
    yield f"\n## {package}\n\n{purpose(folder / '__init__.py')}.\n"
    yield "| file | what it is for |\n|---|---|"
    for path in sorted(folder.rglob("*.py"), key=lambda path: (path.parent, path.stem)):
        if path != folder / "__init__.py":
            yield f"| `{path.relative_to(ROOT).as_posix()}` | {purpose(path)} |"


def map_text() -> str:
    """The whole of `docs/map.md`."""
    return MAP_HEAD + "\n".join(line for name in PACKAGES for line in map_lines(name)) + "\n"


def keys_text() -> str:
    """The keys of the footer, for the README."""
    table = keys.by_action()
    hints = (*pane_keys.footer_hints(), *pane_keys.footer_ends())
    rows = [f"| `{sign}` | {table[action].help} |" for sign, _, action in hints]
    return "\n".join(("| key | what it does |\n|---|---|", *rows)) + "\n"


def all_keys_text() -> str:
    """The whole of `docs/keys.md`: its present head, then the table."""
    head, _, _ = (ROOT / "docs" / "keys.md").read_text(encoding="utf-8").partition("| key |")
    return head + keys.markdown()


def readme_text() -> str:
    """The README with a new table of keys."""
    before, _, rest = (ROOT / "README.md").read_text(encoding="utf-8").partition(KEYS_START)
    _, _, after = rest.partition(KEYS_END)
    return f"{before}{KEYS_START}\n\n{keys_text()}\n{KEYS_END}{after}"


def main() -> None:
    """Write the files that differ."""
    texts = {
        "README.md": readme_text(),
        "docs/keys.md": all_keys_text(),
        "docs/map.md": map_text(),
    }
    for name, text in texts.items():
        path = ROOT / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"wrote {name}")


if __name__ == "__main__":
    main()
