"""Sets of the visible transitions that a reader jumps to."""

from __future__ import annotations

from am_dbg.query.conditions import Conditions, conditions_of_terms
from am_dbg.query.shape_tests import named, with_facts
from am_dbg.query.shape_tests import touching as shapes_touching
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
