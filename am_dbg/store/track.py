"""Everything that is known of one machine in one stream."""

from __future__ import annotations

from amtracer.schema import Shape, StateDef

from am_dbg.store.facts import ShapeFacts
from am_dbg.store.values import Gap, Transition


class Track:
    """The history of one machine, numbered from 1; number 0 is before the first transition.

    One thread writes, any thread reads: `count` is published last, so whatever it covers
    can be read without a lock.
    """

    key: str
    id: str
    parent: str
    tags: tuple[str, ...]
    stream: int
    connected: bool
    gone: bool
    first: int
    count: int
    version: int

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """Breaks in the history, in order of `after_number`."""
        raise NotImplementedError

    @property
    def states(self) -> tuple[StateDef, ...]:
        """The schema as it is now, after everything that was received."""
        raise NotImplementedError

    @property
    def ticks(self) -> tuple[int, ...]:
        """The clock as it is now, by index of `states`."""
        raise NotImplementedError

    def schema_at(self, number: int) -> tuple[StateDef, ...]:
        """The schema under which a transition ran; for 0 the first one."""
        raise NotImplementedError

    def index_at(self, number: int, name: str) -> int:
        """Index of a state in `schema_at(number)`, -1 when it has none of that name."""
        raise NotImplementedError

    def clock_at(self, number: int) -> tuple[int, ...]:
        """Ticks after a transition, by index of `schema_at(number)`; for 0 the first ones."""
        raise NotImplementedError

    def clock_before(self, number: int) -> tuple[int, ...]:
        """Ticks before a transition; differs from those after the one before it at a gap."""
        raise NotImplementedError

    def time_sum(self, number: int) -> int:
        """All ticks after a transition together."""
        raise NotImplementedError

    def shape_at(self, number: int) -> Shape:
        raise NotImplementedError

    def facts_at(self, number: int) -> ShapeFacts:
        raise NotImplementedError

    def time_at(self, number: int) -> int:
        """Wall time of a transition in nanoseconds; for 0 when the machine was first seen."""
        raise NotImplementedError

    def transition(self, number: int) -> Transition:
        """The whole record of a transition; IndexError when it is not held."""
        raise NotImplementedError

    def number_of(self, tx_id: str) -> int | None:
        """The number of the transition with this id."""
        raise NotImplementedError

    def first_at_or_after(self, time_ns: int) -> int | None:
        """The first transition at this wall time or later."""
        raise NotImplementedError

    def last_at_or_before(self, time_ns: int) -> int:
        """The last transition at this wall time or earlier, 0 when there is none."""
        raise NotImplementedError
