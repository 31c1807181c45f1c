"""The line in which a filter is typed, and what the filter hides, as a value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from am_dbg.projection.clean import clean
from am_dbg.projection.filtering.machine_filter import MACHINE_FORMS
from am_dbg.query.query_keys import KnownNames, typing_hint
from am_dbg.query.terms import parse

_MACHINES_HINT = "machines: " + " ".join(form for form, _ in MACHINE_FORMS)


@dataclass(frozen=True, slots=True)
class FilterLineView:
    """The query of the filters, and how many transitions it hides and leaves.

    While the line `is_open`, `hint` has what may be typed, `troubles` what is not understood.
    `text` is what the line begins with when it opens, and what is typed after that; the numbers
    are not those of it yet while it `is_counting`.
    """

    query: str = ""
    shown: int = 0
    hidden: int = 0
    is_open: bool = False
    text: str = ""
    hint: str = ""
    troubles: tuple[str, ...] = ()
    is_counting: bool = False


NO_FILTER = FilterLineView()
"""Nothing is filtered by a query, and nothing is typed."""


def query_line(
    query: str,
    *,
    typed: str | None,
    names: KnownNames,
    shown: int,
    hidden: int,
    is_counting: bool = False,
) -> FilterLineView:
    """The filter of transitions, which titles show; `typed` is None while the line is closed."""
    closed = FilterLineView(clean(query), shown, hidden)
    if typed is None:
        return closed
    return replace(
        closed,
        is_open=True,
        text=typed,
        is_counting=is_counting,
        hint=clean(typing_hint(typed, names)),
        troubles=tuple(map(clean, parse(typed).troubles)),
    )


def machine_line(text: str, troubles: Sequence[str]) -> FilterLineView:
    """The line while words for the list of machines are typed."""
    return FilterLineView(
        is_open=True, text=text, hint=_MACHINES_HINT, troubles=tuple(map(clean, troubles))
    )
