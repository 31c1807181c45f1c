"""Queries about a track: what is visible, what comes next, where a text occurs."""

from am_dbg.query.filters import ALL, Filters
from am_dbg.query.find import (
    Hits,
    canceled,
    changing,
    errors,
    touching,
)
from am_dbg.query.transition_set import TransitionSet
from am_dbg.query.visible import Visible

__all__ = [
    "ALL",
    "Filters",
    "Hits",
    "TransitionSet",
    "Visible",
    "canceled",
    "changing",
    "errors",
    "touching",
]
