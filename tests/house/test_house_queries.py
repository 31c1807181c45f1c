"""The page about the debugger has every form of a query and of a filter of machines."""

from __future__ import annotations

from pathlib import Path

from am_dbg.projection.filtering.machine_filter import MACHINE_FORMS
from am_dbg.query.query_keys import FORMS


def test_the_page_about_the_debugger_has_every_form_of_a_query(root: Path) -> None:
    """A form that the help lists is explained on the page."""
    page = (root / "docs" / "debugger.md").read_text(encoding="utf-8")

    missing = [form for form, _ in (*FORMS, *MACHINE_FORMS) if f"`{form}`" not in page]

    assert missing == []
