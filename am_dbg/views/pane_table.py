"""The widgets of single rows: address, tabs, transition, timeline, steps, filters, footer."""

from __future__ import annotations

from am_dbg.drawing import layout
from am_dbg.drawing.bars import draw_address, draw_footer, draw_rule, draw_status, draw_tabs
from am_dbg.drawing.filters import draw_filters
from am_dbg.drawing.steps import draw_steps
from am_dbg.drawing.timeline import draw_timeline
from am_dbg.drawing.transition import draw_transition
from am_dbg.projection.bars import (
    AddressView,
    FooterView,
    StatusView,
    TabsView,
)
from am_dbg.projection.filters import FilterBarView
from am_dbg.projection.steps import StepsView
from am_dbg.projection.timeline import TimelineView
from am_dbg.projection.transition import TransitionView
from am_dbg.views.pane import Drawn, Pane


class AddressBar(Pane[AddressView]):
    """Where the reader is."""

    PANE = layout.ADDRESS

    def draw(self, view: AddressView, width: int, height: int, *, lit: bool) -> Drawn:
        """One line."""
        return Drawn([draw_address(view, width)])


class Tabs(Pane[TabsView]):
    """The panes of a narrow screen."""

    PANE = layout.TABS

    def draw(self, view: TabsView, width: int, height: int, *, lit: bool) -> Drawn:
        """One line."""
        return Drawn([draw_tabs(view, width)])


class TransitionBar(Pane[TransitionView]):
    """The transition on show and the next one."""

    PANE = layout.TRANSITION

    def draw(self, view: TransitionView, width: int, height: int, *, lit: bool) -> Drawn:
        """One line."""
        return Drawn([draw_transition(view, width)])


class Timeline(Pane[TimelineView]):
    """All transitions over time."""

    PANE = layout.TIMELINE

    def draw(self, view: TimelineView, width: int, height: int, *, lit: bool) -> Drawn:
        """Two lines."""
        return Drawn(draw_timeline(view, width, lit=lit))


class StepsRow(Pane[StepsView]):
    """The steps of the transition on show."""

    PANE = layout.STEPS

    def draw(self, view: StepsView, width: int, height: int, *, lit: bool) -> Drawn:
        """One line."""
        return Drawn([draw_steps(view, width, lit=lit)])


class FilterBar(Pane[FilterBarView]):
    """Filters, and what a search found."""

    PANE = layout.FILTERS

    def draw(self, view: FilterBarView, width: int, height: int, *, lit: bool) -> Drawn:
        """One line."""
        return Drawn([draw_filters(view, width, lit=lit)])


class Footer(Pane[FooterView]):
    """The keys, or a message."""

    PANE = layout.FOOTER

    def draw(self, view: FooterView, width: int, height: int, *, lit: bool) -> Drawn:
        """One line."""
        return Drawn([draw_footer(view, width)])


class Rule(Pane[None]):
    """A line between the panes and the keys, on tall screens."""

    PANE = layout.RULE

    def draw(self, view: None, width: int, height: int, *, lit: bool) -> Drawn:
        """One line."""
        return Drawn([draw_rule(width)])


class StatusRow(Pane[StatusView]):
    """Where data comes from, on tall screens."""

    PANE = layout.STATUS

    def draw(self, view: StatusView, width: int, height: int, *, lit: bool) -> Drawn:
        """One line."""
        return Drawn([draw_status(view, width)])
