"""Finds what a reader jumps to among the visible transitions.

Each set has `count`, `next`, `previous` and `position_of`; the functions below them are
the same for one jump.
"""

from __future__ import annotations

from am_dbg.query.conditions import Conditions, conditions_of_terms, named, with_facts
from am_dbg.query.conditions import touching as shapes_touching
from am_dbg.query.terms import parse
from am_dbg.query.transition_set import TransitionSet
from am_dbg.query.visible import Visible
from am_dbg.store import Fact


def touching(visible: Visible, state: str) -> TransitionSet:
    """The transitions that called, added or removed a state."""
    return visible.narrowed("touching", state, lambda: Conditions([shapes_touching(state)]), state)


def changing(visible: Visible, state: str) -> TransitionSet:
    """The transitions that added or removed a state."""
    return visible.narrowed("changing", state, lambda: Conditions([named("changed", state)]), state)


def errors(visible: Visible) -> TransitionSet:
    """The transitions that added an error state or in which a handler failed."""
    return visible.narrowed("errors", "", lambda: Conditions([with_facts(Fact.ERROR)]))


def canceled(visible: Visible) -> TransitionSet:
    """The transitions that were not accepted."""
    return visible.narrowed("canceled", "", lambda: Conditions([with_facts(Fact.CANCELED)]))


class Hits(TransitionSet):
    """The transitions that a query finds, see `am_dbg.query.terms`."""

    def __init__(self, visible: Visible, text: str) -> None:
        terms = conditions_of_terms(visible.track, parse(text), visible.filters.level)
        super().__init__(visible.track, visible.conditions & terms)
        self.text = text


def next_touching(visible: Visible, number: int, state: str) -> int | None:
    """The next transition that called, added or removed a state."""
    return touching(visible, state).next(number)


def previous_touching(visible: Visible, number: int, state: str) -> int | None:
    """The previous transition that called, added or removed a state."""
    return touching(visible, state).previous(number)


def previous_changing(visible: Visible, number: int, state: str) -> int | None:
    """The last transition, up to and with this one, that added or removed a state."""
    return changing(visible, state).previous(number + 1)


def next_error(visible: Visible, number: int) -> int | None:
    """The next transition with an error."""
    return errors(visible).next(number)


def previous_error(visible: Visible, number: int) -> int | None:
    """The previous transition with an error."""
    return errors(visible).previous(number)


def next_canceled(visible: Visible, number: int) -> int | None:
    """The next transition that was not accepted."""
    return canceled(visible).next(number)


def previous_canceled(visible: Visible, number: int) -> int | None:
    """The previous transition that was not accepted."""
    return canceled(visible).previous(number)
