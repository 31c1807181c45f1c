"""The filter bar: the switches of the filters, the log level, and the hits of a search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from am_dbg.projection.clean import clean
from am_dbg.query import Filters
from amtracer.wire.vocabulary import LEVEL_WORDS


@dataclass(frozen=True, slots=True)
class Switch:
    """One filter: `action` is what a click on it does, `value` is its setting."""

    name: str
    is_on: bool
    action: str
    value: str = ""


SWITCHES = ("canceled", "auto", "queued", "empty", "health", "checks", "times")
GROUP = "group"
"""The name of the switch of groups, which only machines with groups have."""
GROUP_NAME_MAX = 16
LEVEL = "level"
"""The name of the switch of the log level, the last one."""


@dataclass(frozen=True, slots=True)
class FilterBarView:
    """The filters on show and the hits of a search; keys act on the `selected` one.

    `troubles` are the words of the search that look like keys and are none.
    """

    switches: tuple[Switch, ...] = ()
    groups: tuple[str, ...] = ()
    level: str = "changes"
    selected: str = ""
    search: str = ""
    hits: int = -1
    hit: int = 0
    where: str = ""
    is_typing: bool = False
    is_counting: bool = False
    troubles: tuple[str, ...] = ()


def project_filters(
    filters: Filters,
    *,
    seconds: bool = False,
    selected: str = "",
    search: str = "",
    hits: int = -1,
    hit: int = 0,
    where: str = "",
    is_typing: bool = False,
    is_counting: bool = False,
    groups: Sequence[str] = (),
    troubles: Sequence[str] = (),
) -> FilterBarView:
    """The filter bar; `groups` are those of the machine on show."""
    names = (*SWITCHES, GROUP) if groups else SWITCHES
    value = clean(filters.group)[:GROUP_NAME_MAX]
    return FilterBarView(
        switches=tuple(
            Switch(
                name,
                is_on=bool(getattr(filters, name, seconds)),
                action=f"filter_{name}",
                value=value if name == GROUP else "",
            )
            for name in names
        ),
        groups=tuple(groups),
        level=LEVEL_WORDS[min(filters.level, len(LEVEL_WORDS) - 1)],
        selected=selected,
        search=clean(search),
        hits=hits,
        hit=hit,
        where=where,
        is_typing=is_typing,
        is_counting=is_counting,
        troubles=tuple(map(clean, troubles)),
    )
