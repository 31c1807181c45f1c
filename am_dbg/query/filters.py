"""Which transitions a reader wants to see."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Filters:
    """What is shown; a kind that is switched off hides its transitions.

    `canceled`: not accepted. `auto`: started by auto states. `empty`: no state added or
    removed and no handler called. `health`: the single state added or removed is a health
    check. `checks`: questions that change nothing. `queued`: asked for from within another
    transition of the same machine, so they waited in its queue.

    `level` is the highest log level shown; it never hides a transition by itself. `text`
    keeps the transitions in which it occurs: in a log line up to that level, an argument or
    the name of a called or changed state. Text without capitals is found in any case.
    """

    canceled: bool = True
    auto: bool = True
    empty: bool = False
    health: bool = False
    checks: bool = True
    queued: bool = True
    level: int = 1
    text: str = ""


ALL = Filters(empty=True, health=True)
"""Hides nothing."""
