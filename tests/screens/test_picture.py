"""The pictures of README and docs are made from sessions, by one command."""

from __future__ import annotations

import importlib.util
import re
import sys
from html import unescape
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
TOUR = ROOT / "docs" / "debugger.md"


def picture() -> ModuleType:
    spec = importlib.util.spec_from_file_location("picture", ROOT / "docs" / "picture.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # a dataclass looks its own module up
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
async def test_the_picture_shows_a_session_and_fetches_nothing() -> None:
    """It has the machine that was asked for, and no address but that of its own format."""
    made = picture()

    svg = await made.drawn(made.SESSION, made.ADDRESS)

    assert "worker-06" in svg
    assert set(re.findall(r"https?://[^\"\s)]+", svg)) == {"http://www.w3.org/2000/svg"}


@pytest.mark.parametrize("name", picture().PICTURES)
def test_a_picture_of_the_docs_fetches_nothing(name: str) -> None:
    """Every picture is there, and it has no address but that of its own format."""
    svg = (ROOT / picture().PICTURES[name].path).read_text(encoding="utf-8")

    assert svg.startswith("<svg")
    assert svg.count("http") == 1


def test_the_tour_shows_every_picture() -> None:
    """The page shows the pictures of `make picture` and no others."""
    shown = re.findall(r"\]\((pictures/[\w-]+\.svg)\)", TOUR.read_text(encoding="utf-8"))
    drawn = {one.path.removeprefix("docs/") for one in picture().PICTURES.values()}

    assert set(shown) == drawn - {"am-dbg.svg"}
    assert {f"pictures/{path.name}" for path in TOUR.parent.glob("pictures/*")} == set(shown)


WAYS = {
    "consequence": ("mach://shop/65", "no payment is possible"),
    "cause": ("mach://gateway/5", "the certificate of pay.example"),
    "in-full": ("mach://gateway/5", "the certificate of pay.example.org expired at 12:00"),
    "why-not": ("mach://stock/35", "Why not Reserved"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", WAYS)
async def test_the_keys_of_the_tour_lead_to_the_causes(name: str) -> None:
    """After the keys of a picture, the screen shows what the page says; each drawing is equal."""
    made = picture()
    svg = await made.of(made.PICTURES[name])
    shown = re.sub(r"<[^>]+>", "", unescape(svg)).replace("\xa0", " ")

    for text in WAYS[name]:
        assert text in shown
    assert await made.of(made.PICTURES[name]) == svg
