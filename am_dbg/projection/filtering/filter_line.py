"""The line in which a filter is typed, and what the filter hides, as a value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from am_dbg.projection.clean import clean
from am_dbg.projection.filtering.machine_filter import MACHINE_FORMS
from am_dbg.query.query_keys import typing_hint

_MACHINES_HINT = "machines: " + " ".join(form for form, _ in MACHINE_FORMS)


@dataclass(frozen=True, slots=True)
class FilterLineView:
    """The query of the filters, and how many transitions it hides and leaves.

    While the line `is_open`, `hint` has what may be typed, `troubles` what is not understood.
    `text` is what the line begins with when it opens.
    """

    query: str = ""
    shown: int = 0
    hidden: int = 0
    is_open: bool = False
    text: str = ""
    hint: str = ""
    troubles: tuple[str, ...] = ()


NO_FILTER = FilterLineView()
"""Nothing is filtered by a query, and nothing is typed."""


def query_line(
    query: str, troubles: Sequence[str], *, shown: int, hidden: int, is_open: bool
) -> FilterLineView:
    """The filter of transitions, which titles show; the line itself only while it is open."""
    return FilterLineView(
        query=clean(query),
        shown=shown,
        hidden=hidden,
        is_open=is_open,
        text=query if is_open else "",
        hint=clean(typing_hint(query)) if is_open else "",
        troubles=tuple(map(clean, troubles)) if is_open else (),
    )


def machine_line(text: str, troubles: Sequence[str]) -> FilterLineView:
    """The line while words for the list of machines are typed."""
    return FilterLineView(
        is_open=True, text=text, hint=_MACHINES_HINT, troubles=tuple(map(clean, troubles))
    )
