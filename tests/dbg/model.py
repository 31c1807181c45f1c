"""A naive model of a session: every question answered by a look at lists of dictionaries.

A session is some streams of one program, one after the other. Machines enter, change their schema,
lose transitions, leave, and come back in a later stream. `PlayedMachine.past` has a dictionary for
each transition. The functions here answer from these dictionaries alone, by the rule and without
any cleverness.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from hypothesis import strategies as st

from am_dbg.query import Filters
from amtracer.wire.vocabulary import ShapeFlag, StepFlag, handler_name
from tests.dbg.histories import HistoryPlayer, PlayedMachine

Record = dict[str, Any]
History = list[tuple[int, ...]]

small = st.integers(0, 8)
acts = st.tuples(st.sampled_from([0, 1, 2, 3, *[4] * 24]), small, small, small, small, small, small)
histories = st.lists(acts, max_size=60)
parts = st.lists(st.tuples(st.lists(acts, max_size=40), st.booleans()), min_size=1, max_size=3)


@dataclass
class PlayedSession:
    """The streams of a session, why each of them ended, and what happened in all of them."""

    players: list[HistoryPlayer]
    reasons: list[str]
    machines: list[PlayedMachine]
    is_live: bool

    @property
    def rows(self) -> int:
        """How many transitions there were."""
        return sum(len(machine.past) for machine in self.machines)


def played(
    streams: Iterable[tuple[History, bool]], batch_rows: int, segment_rows: int, is_live: bool
) -> PlayedSession:
    """A session of some streams; each is a history, and whether it ended too early."""
    session = PlayedSession([], [], [], is_live)
    for history, is_cut in streams:
        player = HistoryPlayer(
            "session",
            session.machines,
            live=is_live,
            batch_rows=batch_rows,
            segment_rows=segment_rows,
        )
        if session.players:
            player.time = session.players[-1].time
        session.players.append(player.play(history))
        session.reasons.append("the end is missing" if is_cut else "")
        player.end(session.reasons[-1])
    return session


sessions = st.builds(played, parts, st.integers(1, 9), st.integers(3, 20), st.booleans())

switches = st.builds(
    Filters,
    canceled=st.booleans(),
    auto=st.booleans(),
    empty=st.booleans(),
    health=st.booleans(),
    queued=st.booleans(),
    checks=st.booleans(),
    level=st.integers(0, 4),
    text=st.sampled_from(["", "start", "Start", "BOOM", "größe", "key", '"plain words"', "\x00"]),
)
"""Filters as a reader sets them."""


def numbered(machine: PlayedMachine) -> Iterator[tuple[int, Record]]:
    """The transitions of a machine with their numbers."""
    yield from enumerate(machine.past, 1)


def names(record: Record, indexes: Iterable[int]) -> set[str]:
    """The names of some states of the schema of that moment."""
    return {record["schema"][index].name for index in indexes}


def changed(record: Record) -> set[str]:
    """The states whose tick grew."""
    return names(record, (index for index, _ in record["happened"].shape.changes))


def added(record: Record) -> set[str]:
    """The states that were activated."""
    return names(record, (at for at, growth in record["happened"].shape.changes if growth > 0))


def removed(record: Record) -> set[str]:
    """The states that were deactivated."""
    return names(record, (at for at, growth in record["happened"].shape.changes if growth < 0))


def called(record: Record) -> set[str]:
    """The states that the mutation named."""
    return names(record, record["happened"].shape.called)


def is_canceled(record: Record) -> bool:
    """Whether it was not accepted."""
    return not record["happened"].shape.flags & ShapeFlag.ACCEPTED


def is_auto(record: Record) -> bool:
    """Whether auto states began it."""
    return bool(record["happened"].shape.flags & ShapeFlag.AUTO)


def is_check(record: Record) -> bool:
    """Whether it only checked."""
    return bool(record["happened"].shape.flags & ShapeFlag.CHECK)


def is_empty(record: Record) -> bool:
    """Whether it was accepted and did nothing at all."""
    shape = record["happened"].shape
    accepted = shape.flags & (ShapeFlag.ACCEPTED | ShapeFlag.CHECK) == ShapeFlag.ACCEPTED
    return accepted and not shape.changes and all(step.type != 2 for step in shape.steps)


def is_error(record: Record) -> bool:
    """Whether it added an error state, or a handler failed."""
    failed = any(step.flags & StepFlag.FAILED for step in record["happened"].shape.steps)
    return bool(added(record) & {"Exception", "ErrNet"}) or failed


def is_health(record: Record) -> bool:
    """Whether a health check is all that changed."""
    return len(changed(record)) == 1 and "Healthcheck" in changed(record)


def handlers(record: Record, flags: int = 0) -> set[str]:
    """The handlers that were called; with flags, those that ended with one of them."""
    steps = record["happened"].shape.steps
    return {
        handler_name(step, record["schema"]) for step in steps if not flags or step.flags & flags
    }


def holds(record: Record, word: str, level: int) -> bool:
    """Whether a word is in a log line up to a level, in an argument or in a name."""
    happened = record["happened"]
    texts = [text for height, text in happened.lines + happened.pre_lines if height <= level]
    texts += [text for pair in happened.args for text in pair]
    texts += [*called(record), *changed(record)]
    if word == word.lower():
        texts = ["".join(c.lower() if c.isascii() else c for c in text) for text in texts]
    return any(word in text for text in texts)


def passes(machine: PlayedMachine, record: Record, filters: Filters) -> bool:
    """Whether the filters show a transition; their text is one word or phrase."""
    source = record["happened"].source
    hidden = (
        not filters.canceled and is_canceled(record),
        not filters.auto and is_auto(record),
        not filters.empty and is_empty(record),
        not filters.health and is_health(record),
        not filters.checks and is_check(record),
        not filters.queued and source and source.machine == machine.id,
        filters.text and not holds(record, filters.text.strip('"'), filters.level),
    )
    return not any(hidden)


def shown(machine: PlayedMachine, filters: Filters) -> list[tuple[int, Record]]:
    """The transitions that the filters show, with their numbers."""
    return [one for one in numbered(machine) if passes(machine, one[1], filters)]


def risen(times: Sequence[int]) -> list[int]:
    """The times as a line that never goes back."""
    return list(accumulate(times, max))


def in_order(
    machines: Sequence[PlayedMachine], filters: Filters
) -> list[tuple[int, int, int, Record]]:
    """The visible transitions of all machines by time: time, machine, number, record."""
    keyed = []
    for at, machine in enumerate(machines):
        times = risen([record["happened"].time_ns for record in machine.past])
        keyed += [(times[number - 1], at, number, one) for number, one in shown(machine, filters)]
    return sorted(keyed, key=lambda one: one[:3])
