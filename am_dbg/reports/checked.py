"""What a check of a session found, as a value for JSON and as lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from am_dbg.projection.times import counted, totals
from am_dbg.reports.json_values import JsonObject
from am_dbg.safe_text import one_line
from am_dbg.spans import cut_middle, width_of
from am_dbg.store import Store
from am_dbg.store.values import Damage

ID_WIDTH_MIN = 16
"""Cells of an id that stay, also if the line does not fit then."""


def check_value(store: Store, damage: Sequence[Damage]) -> JsonObject:
    """What there is, and everything that is wrong."""
    return {
        "machines": len(store.tracks),
        "transitions": store.transitions,
        "damage": [_damage_value(one) for one in damage],
    }


def _damage_value(damage: Damage) -> JsonObject:
    """Damage with what is known of its place."""
    value: JsonObject = {"what": damage.what}
    if damage.offset >= 0:
        value["offset"] = damage.offset
    if damage.machine:
        value |= {"machine": damage.machine, "first": damage.first, "last": damage.last}
    return value


def check_lines(store: Store, damage: Sequence[Damage], width: int) -> Iterator[str]:
    """A line for each damage, and a last one with what was checked."""
    for one in damage:
        yield damage_line(one, width)
    found = counted(len(damage), "fault") if damage else "no fault"
    yield f"{totals(len(store.tracks), store.transitions)} checked: {found}"


def damage_line(damage: Damage, width: int) -> str:
    """Damage on a line of this width; a long id is cut in the middle, nothing else is cut."""
    line = one_line(damage.text)
    too_much = width_of(line) - width
    if too_much <= 0 or not damage.machine:
        return line
    id_ = one_line(damage.machine)
    short = cut_middle(id_, max(ID_WIDTH_MIN, width_of(id_) - too_much))
    return one_line(damage._replace(machine=short).text)
