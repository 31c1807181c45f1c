"""Filters: which transitions the reader wants to see."""

from __future__ import annotations

from dataclasses import dataclass

from am_dbg.store import Fact


@dataclass(frozen=True, slots=True)
class Filters:
    """Kinds of transitions that are shown; a kind that is switched off is hidden.

    `canceled`: not accepted. `auto`: started by auto states. `empty`: accepted, though no
    state was added or removed, no handler called and it was no check. `health`: the
    single state added or removed is a health check. `checks`: mutations that only check.
    `queued`: requested from within another transition of the same machine, so they waited in
    its queue. `group`: machines that have a group of this name show only transitions that called
    or changed one of its states; empty for all.

    `level` is the highest log level shown; it never hides a transition by itself. `text`
    is a query, see `am_dbg.query.terms`; its words are looked for in log lines up to that
    level, in arguments and in the names of called or changed states. A word without
    capitals is found in any case.
    """

    canceled: bool = True
    auto: bool = True
    empty: bool = False
    health: bool = False
    checks: bool = True
    queued: bool = True
    level: int = 1
    text: str = ""
    group: str = ""

    @property
    def hidden(self) -> Fact:
        """The facts that hide a transition; one of them is enough."""
        switches = (
            (self.canceled, Fact.CANCELED),
            (self.auto, Fact.AUTO),
            (self.empty, Fact.EMPTY),
            (self.health, Fact.HEALTH),
            (self.checks, Fact.CHECK),
        )
        hidden = Fact(0)
        for shown, fact in switches:
            if not shown:
                hidden |= fact
        return hidden


ALL = Filters(empty=True, health=True)
"""Hides nothing."""
