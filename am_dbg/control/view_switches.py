"""Switches views, filters and the log level."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from am_dbg.control.modes import Modes
from am_dbg.control.workspace import Workspace
from am_dbg.drawing.filters import switches_that_fit
from am_dbg.drawing.layout import MAIN_PANES, Pane
from am_dbg.projection.filters import GROUP, LEVEL
from am_dbg.query import Filters
from amtracer.wire.vocabulary import LEVEL_WORDS


@dataclass(eq=False, slots=True)
class ViewSwitches:
    """Switches between views, and switches filters on and off."""

    workspace: Workspace
    modes: Modes

    def reader(self) -> None:
        """Show or hide the reader; on narrow screens open its tab."""
        if self.workspace.layout.is_narrow:
            has_focus = self.modes.focus is Pane.READER
            self.modes.focus_on(self.modes.main if has_focus else Pane.READER)
        else:
            self.modes.toggle_reader()

    def view(self) -> None:
        """Show log, rain and matrix in turn."""
        at = MAIN_PANES.index(self.modes.main)
        self.modes.show(MAIN_PANES[(at + 1) % len(MAIN_PANES)])

    def wrap(self) -> None:
        """Break long rows in the focused pane, or cut them; single rows have no pane of texts."""
        focus = self.modes.focus
        pane = focus if focus in (Pane.READER, Pane.DETAIL) else Pane.LOG
        self.workspace.wrapped ^= {pane}
        verb = "wrap" if pane in self.workspace.wrapped else "are cut"
        self.workspace.message = f"long rows of the {pane} {verb}"

    def rain(self) -> None:
        """Show the rain, or go back to the log."""
        self.modes.show(Pane.LOG if self.modes.main == Pane.RAIN else Pane.RAIN)

    def filters(self) -> None:
        """Move the focus into the filters, or back; if their row is hidden, explain that."""
        has_focus = self.modes.focus is Pane.FILTERS
        if not has_focus and not self.shown:
            self.workspace.message = "no room here for the filters; the palette switches them"
            return
        self.modes.focus_on(self.modes.main if has_focus else Pane.FILTERS)

    @property
    def shown(self) -> tuple[str, ...]:
        """The switches that are on the screen."""
        return switches_that_fit(self.workspace.width_of(Pane.FILTERS), self.workspace.groups)

    @property
    def picked(self) -> str:
        """The switch that keys act on: the one picked last, or the last one shown."""
        shown, picked = self.shown, self.workspace.picked_switch
        return picked if picked in shown else shown[-1] if shown else ""

    def pick(self, by: int) -> None:
        """Pick the next or previous switch that is shown; keys act on it."""
        shown = self.shown
        if shown:
            self.workspace.picked_switch = shown[(shown.index(self.picked) + by) % len(shown)]

    def switch(self) -> None:
        """Switch the filter that keys act on."""
        name = self.picked
        if name == LEVEL:
            self.level()
        elif name == GROUP:
            self.filter_group()
        elif name:
            self.flip(name)

    def flip(self, name: str) -> None:
        """Switch one filter; if its switch is hidden, show the result in the footer."""
        if name == "times":
            self.workspace.shows_seconds = not self.workspace.shows_seconds
            self.modes.changed_filters()
        else:
            switched: dict[str, Any] = {name: not getattr(self.workspace.filters, name)}
            self.change(replace(self.workspace.filters, **switched))
        if name not in self.shown:
            is_on = getattr(self.workspace.filters, name, self.workspace.shows_seconds)
            self.workspace.message = f"{name} {'shown' if is_on else 'hidden'}"

    def level(self) -> None:
        """Show the next log level; after the highest one, the lowest."""
        level = (self.workspace.filters.level + 1) % len(LEVEL_WORDS)
        self.change(replace(self.workspace.filters, level=level))
        if LEVEL not in self.shown:
            self.workspace.message = f"log level: {LEVEL_WORDS[level]}"

    def change(self, filters: Filters) -> None:
        """Use other filters; the hits of a search are looked for again."""
        if not self.modes.changed_filters():
            return
        if self.modes.is_searching:
            self.workspace.counting_typed.abandon()
        self.workspace.refilter(filters)
        if self.workspace.search is not None:
            self.workspace.search.hits = None
        self.workspace.message = ""

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
        groups = ("", *self.workspace.groups)
        if len(groups) == 1:
            self.workspace.message = "this machine has no groups of states"
            return
        at = (
            groups.index(self.workspace.filters.group)
            if self.workspace.filters.group in groups
            else 0
        )
        self.change(replace(self.workspace.filters, group=groups[(at + 1) % len(groups)]))

    def filter_times(self) -> None:
        """Show seconds as headings or hide them."""
        self.flip("times")
