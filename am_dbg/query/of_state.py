"""Sets of the transitions of one state: those that called it, refused it, added or removed it.

Filters hide nothing here, since an explanation must not depend on what is shown. A state is
called when an `add` or a `set` names it, or as an auto state; a check calls nothing. A call is
refused if the whole transition is canceled, or if an auto transition leaves the state out.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from am_dbg.query.conditions import Conditions
from am_dbg.query.filters import ALL
from am_dbg.query.shape_tests import ShapeTest, named, touching
from am_dbg.query.transition_set import TransitionSet
from am_dbg.query.visible import Visible
from am_dbg.store import ShapeFacts, Track
from am_dbg.store.dictionary import SegmentDictionary
from amtracer.wire.messages import Shape
from amtracer.wire.vocabulary import MutationKind

TRACKS_MAX = 16
"""Tracks of which the sets are kept ready."""
_CALLS = (MutationKind.ADD, MutationKind.SET)

_Test = Callable[[Shape, ShapeFacts, int], bool]


def calls_of(track: Track, state: str) -> TransitionSet:
    """The transitions that called a state to be active."""
    return _set(track, "calls", state, _by_shape(state, _calls))


def refusals_of(track: Track, state: str) -> TransitionSet:
    """The transitions that called a state to be active and did not activate it."""
    return _set(track, "refusals", state, _by_shape(state, _refuses))


def activations_of(track: Track, state: str) -> TransitionSet:
    """The transitions that made a state active that was inactive before."""
    return _set(track, "activations", state, _by_shape(state, _activates))


def removals_of(track: Track, state: str) -> TransitionSet:
    """The transitions after which a state is inactive, though it was active before or within."""
    return _set(track, "removals", state, named("removed", state))


def changes_of(track: Track, state: str) -> TransitionSet:
    """The transitions that changed the tick of a state."""
    return _set(track, "changes", state, named("changed", state))


@lru_cache(maxsize=TRACKS_MAX)
def everything(track: Track) -> Visible:
    """All transitions of a track."""
    return Visible(track, ALL)


def _set(track: Track, what: str, state: str, test: ShapeTest) -> TransitionSet:
    return everything(track).narrowed(what, state, lambda: Conditions([test]), state)


def _calls(shape: Shape, facts: ShapeFacts, bit: int) -> bool:
    return bool(facts.called & bit) and shape.type in _CALLS and not facts.is_check


def _refuses(shape: Shape, facts: ShapeFacts, bit: int) -> bool:
    is_left_out = facts.is_auto and not facts.added & bit
    return _calls(shape, facts, bit) and (facts.is_canceled or is_left_out)


def _activates(_shape: Shape, facts: ShapeFacts, bit: int) -> bool:
    return bool(facts.added & facts.flipped & bit)


def _by_shape(state: str, accepts: _Test) -> ShapeTest:
    """Shapes that touch a state and pass a test."""
    touches = touching(state)

    def test(dictionary: SegmentDictionary, start: int, stop: int) -> bytes:
        table = bytearray(stop - start)
        for at, is_touched in enumerate(touches(dictionary, start, stop), start=start):
            if is_touched:
                bit = 1 << dictionary.schema(at).index[state]
                table[at - start] = accepts(dictionary.shape(at), dictionary.facts(at), bit)
        return bytes(table)

    return test
