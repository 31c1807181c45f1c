"""Notes about a machine beside its transitions: refused mutations, late and failed handlers.

MachineA note belongs to a row, the machine's own count of transitions. A note may come before its
transition, and the transition may never come: of a handler that hangs only the note arrives. If
a machine is sent again, its notes come again; each is kept once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from amtracer.wire.messages import RefusedMessage, TroubleMessage
from amtracer.wire.vocabulary import TroubleKind

NOTES_MAX = 1_000
"""Rows of a machine that have notes of one kind; the oldest go first."""
TROUBLES_PER_ROW_MAX = 64
NOTE_CHARS_MAX = 1_000
"""The most characters of each text of a note."""
_NOTE_BYTES = 400
"""About the bytes that a note takes beside its texts."""


@dataclass(frozen=True, slots=True)
class RefusalNote:
    """The queue had refused `count` mutations after `row` transitions of the machine."""

    row: int
    count: int


@dataclass(frozen=True, slots=True)
class Trouble:
    """A handler in the transition with this row was late, or raised at a place.

    `step` is the step that raised, counted from 0, or -1 for a late handler, which has a name.
    """

    row: int
    is_late: bool
    handler: str = ""
    place: str = ""
    duration_ns: int = 0
    step: int = -1


class MachineNotes:
    """The notes of one machine; one thread writes, any reads.

    `total` counts what was ever noted, for callers that forward the notes.
    """

    __slots__ = ("_refused", "_troubles", "size", "total")

    def __init__(self) -> None:
        self._refused: dict[int, RefusalNote] = {}
        self._troubles: dict[int, tuple[Trouble, ...]] = {}
        self.total = 0
        self.size = 0

    @property
    def refused(self) -> int:
        """How many mutations the queue refused in all."""
        return max((note.count for note in list(self._refused.values())), default=0)

    def refused_at(self, row: int) -> int:
        """How many it had refused after this row, 0 if it refused none there."""
        note = self._refused.get(row)
        return note.count if note else 0

    def refused_notes(self) -> list[RefusalNote]:
        """The notes about refused mutations, in order of their rows."""
        return sorted(self._refused.values(), key=_row)

    def troubles_at(self, row: int) -> tuple[Trouble, ...]:
        """The troubles of the handlers of one transition."""
        return self._troubles.get(row, ())

    def raised_at(self, row: int, step: int) -> str:
        """The place where a step of a transition raised; empty if it did not."""
        troubles = self.troubles_at(row)
        return next((one.place for one in troubles if one.step == step and not one.is_late), "")

    def all(self) -> Iterator[RefusalNote | Trouble]:
        """All notes."""
        yield from list(self._refused.values())
        for troubles in list(self._troubles.values()):
            yield from troubles

    def refuse(self, message: RefusedMessage) -> bool:
        """Add how many mutations were refused; return False if that is not new."""
        before = self._refused.get(message.row)
        if before is not None and before.count >= message.count:
            return False
        self._refused[message.row] = RefusalNote(message.row, message.count)
        self.size += 0 if before else _NOTE_BYTES
        if len(self._refused) > NOTES_MAX:
            self._refused.pop(min(self._refused))
            self.size -= _NOTE_BYTES
        self.total += 1
        return True

    def trouble(self, message: TroubleMessage) -> bool:
        """Add the trouble of a handler; return False if it is not new or its kind is unknown."""
        if message.what not in (TroubleKind.LATE, TroubleKind.RAISED):
            return False
        is_late = message.what == TroubleKind.LATE
        note = Trouble(
            message.row,
            is_late,
            message.handler[:NOTE_CHARS_MAX],
            message.place[:NOTE_CHARS_MAX],
            message.duration_ns,
            -1 if is_late else message.step,
        )
        before = self._troubles.get(note.row, ())
        if note in before or len(before) >= TROUBLES_PER_ROW_MAX:
            return False
        self._troubles[note.row] = (*before, note)
        self.size += _size(note)
        if len(self._troubles) > NOTES_MAX:
            gone = self._troubles.pop(min(self._troubles))
            self.size -= sum(map(_size, gone))
        self.total += 1
        return True


def _row(note: RefusalNote) -> int:
    return note.row


def _size(note: Trouble) -> int:
    return _NOTE_BYTES + 2 * (len(note.handler) + len(note.place))
