"""Switches views, filters and the log level."""

from __future__ import annotations

from dataclasses import replace

from am_dbg.control.modes import Modes
from am_dbg.control.workspace import Desk
from am_dbg.drawing import layout
from am_dbg.drawing.filters import switches_that_fit
from am_dbg.projection.filters import GROUP, LEVEL
from am_dbg.query import Filters
from amtracer.wire.vocabulary import LEVEL_WORDS


def flipped(filters: Filters, name: str) -> Filters:
    """The filters with one kind shown instead of hidden, or the other way round."""
    match name:
        case "canceled":
            return replace(filters, canceled=not filters.canceled)
        case "auto":
            return replace(filters, auto=not filters.auto)
        case "queued":
            return replace(filters, queued=not filters.queued)
        case "empty":
            return replace(filters, empty=not filters.empty)
        case "health":
            return replace(filters, health=not filters.health)
        case "checks":
            return replace(filters, checks=not filters.checks)
        case _:
            return filters


class Viewing:
    """Switches views and filters."""

    def __init__(self, desk: Desk, modes: Modes) -> None:
        self.desk = desk
        self.modes = modes

    def reader(self) -> None:
        """Show or hide the reader; on narrow screens open its tab."""
        if self.desk.widths.get("screen", 0) < layout.WIDE:
            is_there = self.modes.focus == layout.READER
            self.modes.focus_on(self.modes.main if is_there else layout.READER)
        else:
            self.modes.toggle_reader()

    def view(self) -> None:
        """Show log, rain and matrix in turn."""
        at = layout.MAIN.index(self.modes.main)
        self.modes.show(layout.MAIN[(at + 1) % len(layout.MAIN)])

    def rain(self) -> None:
        """Show the rain, or go back to the log."""
        self.modes.show(layout.LOG if self.modes.main == layout.RAIN else layout.RAIN)

    def filters(self) -> None:
        """Move the focus into the filters, or back; not if their row has no room."""
        is_there = self.modes.focus == layout.FILTERS
        if not is_there and not self.shown:
            self.desk.message = "the filters have no room here; the command palette switches them"
            return
        self.modes.focus_on(self.modes.main if is_there else layout.FILTERS)

    @property
    def shown(self) -> tuple[str, ...]:
        """The switches that are on the screen."""
        return switches_that_fit(self.desk.widths.get(layout.FILTERS, 0), self.desk.groups)

    @property
    def picked(self) -> str:
        """The switch that keys act on; the last one shown if that one is not shown."""
        shown = self.shown
        return self.desk.switch if self.desk.switch in shown else shown[-1] if shown else ""

    def pick(self, by: int) -> None:
        """Let keys act on another filter of those on the screen."""
        shown = self.shown
        if shown:
            self.desk.switch = shown[(shown.index(self.picked) + by) % len(shown)]

    def switch(self) -> None:
        """Flip the filter that keys act on."""
        name = self.picked
        if name == LEVEL:
            self.level()
        elif name == GROUP:
            self.filter_group()
        elif name:
            self.flip(name)

    def flip(self, name: str) -> None:
        """Flip one filter; if it is not on the screen, say what it is now."""
        if name == "times":
            self.desk.seconds = not self.desk.seconds
            self.modes.changed_filters()
        else:
            self._change(flipped(self.desk.filters, name))
        if name not in self.shown:
            is_on = getattr(self.desk.filters, name, self.desk.seconds)
            self.desk.message = f"{name} {'shown' if is_on else 'hidden'}"

    def level(self) -> None:
        """The next log level, from everything to nothing again."""
        level = (self.desk.filters.level + 1) % len(LEVEL_WORDS)
        self._change(replace(self.desk.filters, level=level))
        if LEVEL not in self.shown:
            self.desk.message = f"log level: {LEVEL_WORDS[level]}"

    def _change(self, filters: Filters) -> None:
        if not self.modes.changed_filters():
            return
        self.desk.refilter(filters)
        found = self.desk.found
        if found is not None:
            found.hits = None
        self.desk.message = ""

    def filter_canceled(self) -> None:
        """Show canceled transitions or hide them."""
        self.flip("canceled")

    def filter_auto(self) -> None:
        """Show auto transitions or hide them."""
        self.flip("auto")

    def filter_queued(self) -> None:
        """Show queued transitions or hide them."""
        self.flip("queued")

    def filter_empty(self) -> None:
        """Show empty transitions or hide them."""
        self.flip("empty")

    def filter_health(self) -> None:
        """Show health checks or hide them."""
        self.flip("health")

    def filter_checks(self) -> None:
        """Show checks or hide them."""
        self.flip("checks")

    def filter_group(self) -> None:
        """Show one group of states, then the next, then all."""
        groups = ("", *self.desk.groups)
        if len(groups) == 1:
            self.desk.message = "this machine has no groups of states"
            return
        at = groups.index(self.desk.filters.group) if self.desk.filters.group in groups else 0
        self._change(replace(self.desk.filters, group=groups[(at + 1) % len(groups)]))

    def filter_times(self) -> None:
        """Show seconds as headings or hide them."""
        self.flip("times")
