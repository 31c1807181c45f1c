"""The site of the docs: its navigation is complete and its links lead somewhere.

The last word has the build itself, which `make site` runs; it needs Sphinx and some seconds.
"""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.house.test_house_public import PUBLIC
from tests.house.test_manual import HEADING, LINK, anchor

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = sorted(path.relative_to(DOCS).with_suffix("").as_posix() for path in DOCS.rglob("*.md"))
CODE = re.compile(r"^```.*?^```$|`[^`\n]+`", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def settings() -> dict[str, Any]:
    """The names of `docs/conf.py`, which the build reads."""
    return runpy.run_path(str(DOCS / "conf.py"))


def read(page: str) -> str:
    return (DOCS / f"{page}.md").read_text(encoding="utf-8")


def test_every_page_is_in_the_navigation(settings: dict[str, Any]) -> None:
    """Each page but the first is the child of exactly one page."""
    children: Callable[[str, str], list[str]] = settings["children"]
    placed = [child for page in settings["PARENTS"] for child in children(page, read(page))]

    assert sorted(["index", *placed]) == PAGES


@pytest.mark.parametrize("page", PAGES)
def test_links_between_pages_lead_to_a_heading(page: str) -> None:
    """A link with a fragment leads to an existing heading of an existing page."""
    dead = []
    for link in LINK.findall(CODE.sub("", read(page))):
        path, _, part = link.partition("#")
        target = (DOCS / page).parent / path if path else DOCS / f"{page}.md"
        if "://" in link or not part:
            continue
        if not target.exists() or part not in map(
            anchor, HEADING.findall(target.read_text("utf-8"))
        ):
            dead.append(link)

    assert dead == []


@pytest.mark.slow
def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    """Where Sphinx is installed, the build finds no dead link and no docstring it cannot read."""
    for package in ("sphinx", "myst_parser", "furo"):
        pytest.importorskip(package)
    words = ["-m", "sphinx", "-q", "-E", "-W", "-b", "html", "-d", tmp_path / "trees"]
    built = subprocess.run(
        [sys.executable, *words, DOCS, tmp_path / "site"],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )

    assert (built.returncode, built.stderr) == (0, "")


def test_every_public_module_is_in_the_api() -> None:
    """The pages of the API show all modules with public names."""
    text = "\n".join(read(page) for page in PAGES if page.startswith("api/"))
    shown = re.findall(r"^\.\. automodule:: (.+)$", text, re.MULTILINE)

    assert sorted(shown) == sorted(module for module, names in PUBLIC.items() if names)
