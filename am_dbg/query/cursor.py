"""The cursor: a track, a transition, a step of the next transition.

A cursor is a value and every move is a pure function of it and of what is visible, so
moves can be tested, replayed and kept in a history. The number 0 stands before the
first transition. Steps are those of the next visible transition: `step` counts how many
of them are already shown, and stepping past the last one moves on to that transition.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from am_dbg.query import Visible
from am_dbg.store import Track

JUMP_TRANSITIONS = 50


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in one track's history."""

    track: Track
    number: int = 0
    step: int = 0

    def at(self, number: int) -> Cursor:
        """The same track at another transition, within what is held."""
        low = self.track.first - 1
        return replace(self, number=max(low, min(number, self.track.count)), step=0)

    def first(self) -> Cursor:
        """Before the first transition, where the initial schema is shown."""
        return self.at(0)

    def last(self, visible: Visible) -> Cursor:
        """At the last visible transition."""
        return self.at(visible.last())

    def next(self, visible: Visible) -> Cursor:
        """At the next visible transition; stays when there is none."""
        number = visible.next(self.number)
        return self if number is None else self.at(number)

    def previous(self, visible: Visible) -> Cursor:
        """At the previous visible transition; before the first one comes number 0."""
        number = visible.previous(self.number)
        return self.first() if number is None else self.at(number)

    def jump(self, visible: Visible, by: int = JUMP_TRANSITIONS) -> Cursor:
        """Move by a number of visible transitions, at most to either end."""
        position = visible.position_of(self.number) + by
        return self.at(visible.number_at(max(0, min(position, visible.count))))

    def kept(self, visible: Visible) -> Cursor:
        """The nearest visible place; used when filters change."""
        if self.number == 0 or self.number in visible:
            return self
        return self.at(visible.nearest(self.number))

    def next_step(self, visible: Visible) -> Cursor:
        """Show one more step of the next transition; after the last one, move there."""
        number = visible.next(self.number)
        if number is None:
            return self
        if self.step >= len(self.track.shape_at(number).steps):
            return self.at(number)
        return replace(self, step=self.step + 1)

    def previous_step(self, visible: Visible) -> Cursor:
        """Show one step less; before the first one, move back with all steps shown."""
        if self.step > 0:
            return replace(self, step=self.step - 1)
        if self.number == 0:
            return self
        steps = len(self.track.shape_at(self.number).steps)
        return replace(self.previous(visible), step=steps)
