"""The picture of the README is made from a session, by one command."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


def picture() -> ModuleType:
    spec = importlib.util.spec_from_file_location("picture", ROOT / "docs" / "picture.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
async def test_the_picture_shows_a_session_and_fetches_nothing() -> None:
    """It has the machine that was asked for, and no address but that of its own format."""
    made = picture()

    svg = await made.drawn(made.SESSION, made.ADDRESS)

    assert "worker-06" in svg
    assert set(re.findall(r"https?://[^\"\s)]+", svg)) == {"http://www.w3.org/2000/svg"}


def test_the_readme_has_its_picture() -> None:
    """The picture is there and fetches nothing either."""
    svg = (ROOT / "docs" / "am-dbg.svg").read_text(encoding="utf-8")

    assert svg.startswith("<svg")
    assert svg.count("http") == 1
