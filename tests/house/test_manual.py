"""Every program of the manual and of the recipes runs and prints what its page shows.

A program that needs packages which are not always installed has a comment such as
`<!-- needs fastapi httpx2 -->` right above it. Without them it is skipped. A program that
begins with a comment such as `# file: sums.py` is a file that the later ones import.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import pytest

import machine as am
from machine import states

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for place in ("docs/manual.md", "docs/manual/*.md", "docs/coming-from.md", "docs/recipes/*.md")
    for path in ROOT.glob(place)
)

FENCE = re.compile(r"^(?:<!-- needs ([^\n]+) -->\n)?```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHOWN = re.compile(r"^print\(.*\)  # (.+)$", re.MULTILINE)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
FILE = re.compile(r"# file: ([\w.]+)\n")
LIMIT = re.compile(r"^\| .+ \| ([\d,.]+)[^|]*\| `([\w.]+)` \|$", re.MULTILINE)
LANGUAGES = {"python", "output", "sh", "text"}
"""`python` runs, `output` is what the program right before it prints, the others are shown."""


@dataclass(frozen=True)
class Block:
    """One fenced block of a page, with the line on which its text begins, and what it needs."""

    language: str
    text: str
    line: int
    needs: str = ""

    def lacks(self) -> list[str]:
        """The needed packages that are not installed."""
        return [package for package in self.needs.split() if not is_installed(package)]


def is_installed(package: str) -> bool:
    try:
        import_module(package)
    except ImportError:
        return False
    return True


def blocks(text: str) -> list[Block]:
    return [
        Block(found[2], found[3], text.count("\n", 0, found.start(3)) + 1, found[1] or "")
        for found in FENCE.finditer(text)
    ]


def programs(page: str) -> Iterator[tuple[Block, list[str]]]:
    """The programs of a page in order, each with the lines it has to print."""
    found = [*blocks(read(page)), Block("", "", 0)]
    for block, following in pairwise(found):
        if block.language != "python":
            continue
        shown = following.text if following.language == "output" else None
        yield block, SHOWN.findall(block.text) if shown is None else shown.splitlines()


def read(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def anchor(heading: str) -> str:
    """The fragment of a link to a heading."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES)
def test_programs_of_the_manual_run(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The programs of a page run one after another and print what the page shows."""
    lacking = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    module = ModuleType("manual")
    monkeypatch.setitem(sys.modules, "manual", module)
    for block, shown in programs(page):
        if lacked := block.lacks():
            lacking += lacked
            continue
        if named := FILE.match(block.text):
            Path(named[1]).write_text(block.text, encoding="utf-8")
            continue
        program = "\n" * (block.line - 1) + block.text

        exec(compile(program, page, "exec", dont_inherit=True), module.__dict__)

        printed = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
        assert printed == shown, f"{page}, line {block.line}"
    if lacking:
        pytest.skip(f"all other programs ran; not installed: {', '.join(dict.fromkeys(lacking))}")


@pytest.mark.parametrize("page", PAGES)
def test_every_block_has_a_language(page: str) -> None:
    """A block is a program, its output, a command or text; output follows a program."""
    found = blocks(read(page))

    assert {block.language for block in found} <= LANGUAGES
    assert read(page).count("```") == 2 * len(found)
    assert [
        block.line
        for before, block in pairwise([Block("", "", 0), *found])
        if block.language == "output" and before.language != "python"
    ] == []


@pytest.mark.parametrize("page", PAGES)
def test_programs_of_the_manual_wait_for_states(page: str) -> None:
    """No program sleeps; it waits for a state."""
    calls = [
        (ast.unparse(node.func), block.line)
        for block, _ in programs(page)
        for node in ast.walk(ast.parse(block.text))
        if isinstance(node, ast.Call)
    ]

    assert [call for call in calls if call[0].endswith("sleep")] == []


@pytest.mark.parametrize("page", PAGES)
def test_links_of_the_manual_have_a_target(page: str) -> None:
    """A link leads to an existing file and an existing heading."""
    dead = []
    for link in LINK.findall(read(page)):
        path, _, part = link.partition("#")
        target = (ROOT / page).parent / path if path else ROOT / page
        headings = HEADING.findall(target.read_text("utf-8")) if target.exists() else None
        if headings is None or (part and part not in map(anchor, headings)):
            dead.append(link)

    assert dead == []


def test_the_manual_lists_its_pages() -> None:
    """The first page links to every other page; that of the recipes links to all recipes."""
    linked = set(LINK.findall(read("docs/manual.md") + read("docs/recipes.md")))

    assert {page.removeprefix("docs/") for page in PAGES} - {"manual.md"} <= linked


def test_every_public_name_is_in_the_manual() -> None:
    """All names of `machine` and `machine.states`, and all calls of a machine, are mentioned."""
    text = "\n".join(map(read, PAGES))
    words = set(re.findall(r"\w+", text))
    calls = {name for name in dir(am.Machine) if not name.startswith("_")}

    assert sorted({*am.__all__, *states.__all__, *calls} - words) == []


def test_the_limits_of_the_manual_are_those_of_the_code() -> None:
    """Each number in the table of limits is the value of the name beside it."""
    table = read("docs/manual/reference.md").partition("\n## Limits\n")[2]
    rows = LIMIT.findall(table)

    assert len(rows) == table.count("\n|") - 2 > 10
    assert {name: number(shown) for shown, name in rows} == {name: value(name) for _, name in rows}


def number(text: str) -> float:
    return float(text.replace(",", ""))


def value(dotted: str) -> float:
    """The value of a module's name or of a class's attribute."""
    parts = dotted.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        try:
            found = import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for part in parts[cut:]:
            found = getattr(found, part)
        return float(found)
    raise AssertionError(dotted)


@pytest.mark.parametrize("page", PAGES)
def test_the_manual_contains_no_absolute_path(page: str) -> None:
    """The manual works on any computer."""
    assert re.findall(r"(?<![\w.])/(?:work|root|home|tmp)/", read(page)) == []
