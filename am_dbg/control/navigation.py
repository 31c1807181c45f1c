"""Movement in time: by transitions, by steps, playing, following the newest."""

from __future__ import annotations

from dataclasses import dataclass

from am_dbg.control.cursors import at_step
from am_dbg.control.modes import Modes
from am_dbg.control.workspace import Workspace
from am_dbg.projection.bars import Playback
from am_dbg.projection.merged_timeline import merged_time_at
from am_dbg.projection.timeline import number_at
from am_dbg.query import Visible
from am_dbg.query.cursor import Cursor

_AT_END = "this is the last transition"
_AT_START = "this is before the first transition"


@dataclass(eq=False, slots=True)
class Navigation:
    """Moves the cursor along the visible transitions of its track."""

    workspace: Workspace
    modes: Modes

    def next_transition(self) -> None:
        """Go one transition on."""
        self.by_one(1)

    def previous_transition(self) -> None:
        """Go one transition back."""
        self.by_one(-1)

    def by_one(self, by: int) -> None:
        """Go one transition on or back, wherever the focus is."""
        place = self._place()
        if place is None:
            return
        cursor, visible = place
        merged = self.workspace.merged
        if merged is not None and not cursor.step:
            found = merged.next(cursor) if by > 0 else merged.previous(cursor)
            which = "last" if by > 0 else "first"
            self._move(found or cursor, "" if found else f"this is the {which} of all transitions")
            return
        if by > 0:
            moved = cursor.next(visible)
            hint = _AT_END
        else:
            moved = cursor.at(cursor.number) if cursor.step else cursor.previous(visible)
            hint = _AT_START
        self._move(moved, "" if moved != cursor else hint)

    def next_step(self) -> None:
        """Go one step on, into the next transition if this one is done."""
        self._step(1)

    def previous_step(self) -> None:
        """Go one step back."""
        self._step(-1)

    def _step(self, by: int) -> None:
        place = self._place()
        if place is None:
            return
        cursor, visible = place
        moved = cursor.next_step(visible) if by > 0 else _one_step_back(cursor, visible)
        if moved.step == 0:
            hint = "these are all steps" if moved == cursor else ""
            self._move(moved, hint)
        elif self.modes.stepped():
            self.workspace.message = ""
            self.workspace.move_cursor(moved)

    def to_step(self, step: int) -> None:
        """Show this many steps of the current transition."""
        moment = self.workspace.moment
        if moment is None or moment.is_start:
            return
        moved = at_step(self.workspace, Cursor(moment.track).at(moment.number), step)
        if moved.step and self.modes.stepped():
            self.workspace.move_cursor(moved)
        elif not moved.step:
            self._move(moved)

    def first(self) -> None:
        """Go before the first transition."""
        place, merged = self._place(), self.workspace.merged
        if place:
            self._move((merged and merged.first()) or place[0].first())

    def last(self) -> None:
        """Go to the last visible transition."""
        place, merged = self._place(), self.workspace.merged
        if place:
            self._move((merged and merged.last()) or place[0].last(place[1]))

    def by_many(self, by: int) -> None:
        """Go some visible transitions on or back."""
        place, merged = self._place(), self.workspace.merged
        if place is None:
            return
        if merged is not None:
            moved = merged.moved(place[0], by) or place[0]
        else:
            moved = place[0].jump(place[1], by)
        hint = "" if moved != place[0] else _AT_END if by > 0 else _AT_START
        self._move(moved, hint)

    def to_number(self, number: int) -> None:
        """Go to a transition of this track."""
        place = self._place()
        if place:
            self._move(place[0].at(number).kept(place[1]))

    def to_place(self, place: Cursor) -> None:
        """Go to a transition of any machine."""
        self._move(place)

    def to_column(self, column: int, width: int) -> None:
        """Go to the transition of a clicked column of the timeline."""
        place, merged = self._place(), self.workspace.merged
        if place and merged is not None:
            time_ns = merged_time_at(merged, column, width)
            self._move(merged.at_time(time_ns) or place[0])
        elif place:
            self._move(place[0].at(number_at(place[1], column, width)))

    def toggle_play(self) -> None:
        """Play, or stop playing or following."""
        if self.modes.playback is not Playback.PAUSED:
            self.modes.pause()
            return
        place = self._place()
        if place is None:
            return
        if self._following(*place) is None:
            self.workspace.message = "this is the last transition; t follows new ones"
        else:
            self.modes.play()

    def play_next(self) -> None:
        """Go one transition on while playing; pause at the end."""
        place = self._place()
        if place is None or not self.modes.played():
            return
        moved = self._following(*place) or place[0]
        self.workspace.move_cursor(moved)
        if self._following(moved, self.workspace.visible(moved.track)) is None:
            self.modes.pause()

    def _following(self, cursor: Cursor, visible: Visible) -> Cursor | None:
        """The next transition of the scope, None at the end."""
        merged = self.workspace.merged
        if merged is not None:
            return merged.next(cursor)
        return None if visible.next(cursor.number) is None else cursor.next(visible)

    def tail(self) -> None:
        """Follow the newest transition, or stop following."""
        if self.modes.playback is Playback.TAIL:
            self.modes.pause()
        elif self.modes.follow():
            self.to_newest()

    def to_newest(self) -> None:
        """Go to the last visible transition; playing or following goes on."""
        place, merged = self._place(), self.workspace.merged
        if place:
            last = (merged and merged.last()) or place[0].last(place[1])
            self.workspace.move_cursor(last)

    def _place(self) -> tuple[Cursor, Visible] | None:
        cursor = self.workspace.cursor
        return (cursor, self.workspace.visible(cursor.track)) if cursor else None

    def _move(self, cursor: Cursor, message: str = "") -> None:
        if self.modes.moved():
            self.workspace.message = message
            self.workspace.move_cursor(cursor)


def _one_step_back(cursor: Cursor, visible: Visible) -> Cursor:
    """Show one step less; a complete transition and one with all steps shown look the same."""
    moved = cursor.previous_step(visible)
    if cursor.step == 0 and moved.step > 0 and moved != cursor:
        return moved.previous_step(visible)
    return moved
