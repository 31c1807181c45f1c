"""The entry of a transition in the log: what it called, what changed, how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from am_dbg.projection.clean import clean
from am_dbg.projection.denial import denial_of
from am_dbg.projection.log.line_parts import state_line_args
from am_dbg.projection.steps import has_steps, name_at
from am_dbg.store import Track, TransitionRecord
from am_dbg.store.facts import ShapeFacts
from amtracer.wire.vocabulary import MutationKind


class EntryKind(Enum):
    """What a transition did or how it ended; the character shows it without colour."""

    ADD = "+"
    REMOVE = "-"
    SET = "="
    CHECK = "?"
    EVAL = "·"
    CANCELED = "✗"
    ERROR = "E"


AUTO_FLAG = "a"
_KINDS: dict[int, EntryKind] = {
    MutationKind.ADD: EntryKind.ADD,
    MutationKind.REMOVE: EntryKind.REMOVE,
    MutationKind.SET: EntryKind.SET,
}


UNCHANGED_MARK = "~"
"""Stands before a state that was called and stayed as it was."""
_CHANGING = (EntryKind.ADD, EntryKind.REMOVE, EntryKind.SET)


class StateChange(Enum):
    """What happened to a state that a row names."""

    ADDED = "+"
    REMOVED = "-"
    NONE = ""


@dataclass(frozen=True, slots=True)
class StateWord:
    """A state named on a row."""

    name: str
    change: StateChange


@dataclass(frozen=True, slots=True)
class TransitionEntry:
    """What the log shows of one transition."""

    number: int
    time_ns: int
    kind: EntryKind
    called: tuple[StateWord, ...]
    implied: tuple[StateWord, ...]
    args: str = ""
    note: str = ""
    flags: str = ""

    def written(self, word: StateWord) -> str:
        """A state with the sign of its change.

        A called state has none, because it is that of the entry. If it stayed as it was, it has
        a mark.
        """
        if word not in self.called:
            return word.change.value + word.name
        is_unchanged = word.change is StateChange.NONE and self.kind in _CHANGING
        return UNCHANGED_MARK + word.name if is_unchanged else word.name


def entry_of(track: Track, transition: TransitionRecord) -> TransitionEntry:
    """The entry of one transition."""
    number, shape = transition.number, transition.shape
    facts = track.facts_at(number)
    states = track.schema_at(number)
    called = tuple(
        StateWord(name_at(states, index), _change(facts.added, facts.removed, index))
        for index in shape.called
    )
    implied = tuple(
        StateWord(name_at(states, index), StateChange.ADDED if growth > 0 else StateChange.REMOVED)
        for index, growth in shape.changes
        if index not in shape.called
    )
    note = ""
    if facts.is_canceled:
        note = denial_of(shape, states, transition.lines, has_steps=has_steps(track, shape)).note
    return TransitionEntry(
        number=number,
        time_ns=transition.time_ns,
        kind=_kind(shape.type, facts.is_canceled, facts.is_error, facts.is_check),
        called=called,
        implied=implied,
        args=args_text(transition, {state.name for state in states}),
        note=note,
        flags=_flags(track, transition, facts),
    )


def kind_of_mutation(type_: int) -> EntryKind:
    """The kind of a transition by its mutation alone, however it ended."""
    return _KINDS.get(type_, EntryKind.EVAL)


def _change(added: int, removed: int, index: int) -> StateChange:
    if added >> index & 1:
        return StateChange.ADDED
    return StateChange.REMOVED if removed >> index & 1 else StateChange.NONE


def _kind(type_: int, canceled: bool, error: bool, check: bool) -> EntryKind:
    if error:
        return EntryKind.ERROR
    if canceled:
        return EntryKind.CANCELED
    if check:
        return EntryKind.CHECK
    return kind_of_mutation(type_)


def _flags(track: Track, transition: TransitionRecord, facts: ShapeFacts) -> str:
    queued = transition.source is not None and transition.source.machine == track.id
    marks = {
        AUTO_FLAG: facts.is_auto,
        "q": queued and not facts.is_auto,
        EntryKind.CHECK.value: facts.is_check and facts.is_canceled,
    }
    return "".join(mark for mark, is_set in marks.items() if is_set)


def args_text(transition: TransitionRecord, names: set[str]) -> str:
    """The arguments as `key=value` words; older sessions have them in their log line only."""
    if transition.args:
        return clean(" ".join(f"{key}={value}" for key, value in transition.args))
    return clean(state_line_args(transition.lines, names))
