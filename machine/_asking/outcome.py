"""Outcomes: handles that end when their mutation is done, with its result and its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from machine._clock import Time
from machine._enums import CANCELED, EXECUTED, QUEUED, MutationType, Result
from machine._reasons.reason import Reason, ReasonKind
from machine._reasons.refused import Prefixed, Refused, refused_by
from machine._waiting.handle import Handle

if TYPE_CHECKING:
    from machine._transition.transition import Transition


class TransitionFacts(NamedTuple):
    """What a transition did, as plain values that keep no history alive.

    `enters` and `exits` are the states that it activated and deactivated; a canceled one has none.
    `time_before` and `time_after` are the ticks of all states in the order of the schema.
    """

    id: str
    number: int
    type: MutationType
    called_states: tuple[str, ...]
    is_accepted: bool
    enters: tuple[str, ...]
    exits: tuple[str, ...]
    time_before: Time
    time_after: Time


def facts_of(tx: Transition) -> TransitionFacts:
    """The facts of a transition that has ended."""
    return TransitionFacts(
        tx.id,
        tx.number,
        tx.type(),
        tuple(tx.called_states()),
        tx.accepted,
        tuple(tx.enters) if tx.accepted else (),
        tuple(tx.exits) if tx.accepted else (),
        tx.time_before,
        tx.time_after,
    )


class Ending(NamedTuple):
    """How an asked mutation ended."""

    result: Result
    refused: Refused | None = None
    transition: TransitionFacts | None = None


DISPOSED = Ending(CANCELED, refused_by(None, ReasonKind.DISPOSED))


class Outcome(Handle):
    """What a call of `Machine.ask` returns: it ends when the mutation is done.

    A mutation that runs at once has ended when the call returns; one that waits ends after its
    transition, before its auto states; and one that never runs, because the queue is full or the
    machine is disposed meanwhile, ends with that reason. Any thread can block on it by `wait`, any
    asyncio task can await it; both give True if the mutation was executed, and False if it was
    canceled or the time is over. In a handler of the machine a wait raises `DeadlockError` at
    once. The machine drops an outcome that nothing holds or waits for; the mutation runs anyway.
    """

    __slots__ = ("_ending", "_mach", "tick")

    _ending: Ending
    _mach: Prefixed
    tick: int
    """The queue tick of the mutation, for `when_queue`; 0 if it was refused."""

    @property
    def result(self) -> Result:
        """QUEUED while it is not done, then EXECUTED or CANCELED."""
        return self._ended().result if self._done else QUEUED

    @property
    def reason(self) -> Reason | None:
        """Why it was canceled; None while it is not done, and if it was executed."""
        refused = self._ended().refused if self._done else None
        return None if refused is None else refused.reason(self._mach)

    @property
    def transition(self) -> TransitionFacts | None:
        """What its transition did; None while it is not done, and if it had none."""
        return self._ended().transition if self._done else None

    def _ended(self) -> Ending:
        """How it ended; a disposal ends it without a word."""
        return self._ending if self._reason == "match" else DISPOSED

    def __repr__(self) -> str:
        what = self.waits_for()
        return f"<Outcome{f' {what}' if what else ''}: {self.result}>"

    def _answer(self) -> bool:
        return self.result is EXECUTED


def new_outcome(mach: Prefixed) -> Outcome:
    """An outcome that is open, and that nothing ends yet."""
    outcome = Outcome()
    outcome._mach = mach
    outcome.tick = 0
    return outcome


def refused_outcome(mach: Prefixed, refused: Refused | None) -> Outcome:
    """The outcome of a mutation that was refused before it could wait."""
    outcome = new_outcome(mach)
    outcome._ending = Ending(CANCELED, refused)
    outcome._mark("match")
    return outcome
