"""The auto states that a machine holds back, because a handler failed when they were tried.

No message lists them, and the log does so at its highest level only. They follow from the
transitions, so they are known at any level:

- An auto transition calls each auto state that is inactive and that no active state removes. One
  that it does not call is held back.
- If no auto transition follows an error, all that it would call are held back.
- So is the state of which a handler failed, from the failure on.
- A transition that changes a tick ends this, unless auto states are called by it, or `Exception`.

The reason is the last failure before. Without one, or across a gap, nothing is claimed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from am_dbg.projection.reasons.outcome import Relations
from am_dbg.store import Track
from am_dbg.store.facts import EXCEPTION
from amtracer.wire.messages import StepDef
from amtracer.wire.vocabulary import StepFlag

LOOKED_BACK_MAX = 64
"""How many transitions back a failure is searched."""


def held_since(track: Track, number: int, name: str) -> int:
    """The transition by which an auto state is held back after another one; 0 if it is not."""
    following = number + 1
    if following <= track.count and track.facts_at(following).is_auto:
        is_held = _is_left_out(track, following, name) and not track.gaps_after(number)
        return _failure(track, number, name) if is_held else 0
    for at in _lasting(track, number):
        if _has_failed(track, at, name):
            return at
        if track.facts_at(at).is_auto:
            return _failure(track, at, name) if _is_left_out(track, at, name) else 0
        is_error = track.facts_at(at).changed and _calls_exception(track, at)
        if is_error and _is_tried(track, at, track.clock_at(at), name):
            return _failure(track, at, name)
    return 0


def _failure(track: Track, number: int, name: str) -> int:
    """The last failure of the state itself, or else of any, or else the last error."""
    lasting = list(_lasting(track, number))
    own = (at for at in lasting if _has_failed(track, at, name))
    other = (at for at in lasting if any(_failed_steps(track, at)))
    errors = (at for at in lasting if _calls_exception(track, at))
    return next(own, 0) or next(other, 0) or next(errors, 0)


def _lasting(track: Track, number: int) -> Iterator[int]:
    """The transitions from this one back to the last that lets all auto states try again."""
    for at in range(number, max(track.first, number - LOOKED_BACK_MAX + 1) - 1, -1):
        facts = track.facts_at(at)
        yield at
        if facts.changed and not (facts.is_auto or _calls_exception(track, at)):
            return
        if track.gaps_after(at - 1):
            return


def _is_left_out(track: Track, number: int, name: str) -> bool:
    """Whether an auto transition does not call a state that it would call by its relations."""
    is_called = track.index_at(number, name) in track.shape_at(number).called
    return not is_called and _is_tried(track, number, track.clock_before(number), name)


def _is_tried(track: Track, number: int, clock: Sequence[int], name: str) -> bool:
    """Whether a state is an auto state that tries to activate, by its relations."""
    states = track.schema_at(number)
    active = [state.name for state, tick in zip(states, clock, strict=True) if tick % 2]
    return name in Relations(states).auto_called(active)


def _calls_exception(track: Track, number: int) -> bool:
    states = track.schema_at(number)
    return any(states[index].name == EXCEPTION for index in track.shape_at(number).called)


def _failed_steps(track: Track, number: int) -> Iterator[StepDef]:
    return (step for step in track.shape_at(number).steps if step.flags & StepFlag.FAILED)


def _has_failed(track: Track, number: int, name: str) -> bool:
    """Whether a handler failed that is called when the state activates."""
    index = track.index_at(number, name)
    return any(_activates(step, index) for step in _failed_steps(track, number))


def _activates(step: StepDef, index: int) -> bool:
    is_entered = bool(step.flags & StepFlag.ENTER)
    if step.flags & StepFlag.FINAL:
        return is_entered and index in (step.source, step.target)
    return step.target == index or (is_entered and step.source == index)
