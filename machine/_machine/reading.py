"""Reading a machine: checks, ticks and look-ups, which neither wait nor change anything.

Each call takes the ticks or the active states once and so answers for one moment; two
calls may answer for two. A disposed machine has no active states and no ticks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from machine._clock import Clock, Tick, Time
from machine._engine.engine import Engine
from machine._engine.queue import position_of
from machine._enums import LogLevel, MutationType
from machine._given import Names, checked_name, checked_names, in_order, names_of, names_tuple
from machine._machine.text import inspect, string, string_all
from machine._reasons.reason import Reason
from machine._reasons.refused import last_of
from machine._reasons.why_not import WhyNot, why_not
from machine._resolution.mutation import Mutation
from machine._resolution.resolve import mask_of
from machine._schema.state import EXCEPTION, State, unique
from machine.errors import StateMissingError


class Reading(Engine):
    """The reading half of a machine's calls."""

    # -- which states are active

    def is1(self, state: str) -> bool:
        """Whether this state is active; False for an unknown one."""
        try:
            if state in (self._node.names or self._node.named()):
                return True
        except TypeError:
            checked_name(state)
            raise
        if self._log_level:
            self._note_unknown(state)
        return False

    def is_(self, states: Names) -> bool:
        """Whether all of these are active; True for none, False when one is unknown."""
        kind = type(states)  # the fastest test
        if kind is not list and kind is not tuple:
            states = names_of(states)
        active = self._node.names or self._node.named()
        try:
            for state in states:
                if state not in active:
                    if self._log_level:
                        self._note_unknown(state)
                    return False
        except TypeError:
            checked_names(tuple(states))
            raise
        return not self._disposed

    def _note_unknown(self, state: str) -> None:
        if state not in self._index:
            self.log_lvl(LogLevel.DECISIONS, f"[is] state {state} not found")

    def not1(self, state: str) -> bool:
        """Whether this state is inactive; raises for an unknown one."""
        try:
            if state in (self._node.names or self._node.named()):
                return False
            if state not in self._index:
                self._missing((state,))
        except TypeError:
            checked_name(state)
            raise
        return not self._disposed

    def not_(self, states: Names) -> bool:
        """Whether none of these is active; raises for an unknown one."""
        states = tuple(names_of(states))
        unknown = self._schema.unknown(states)
        if unknown:
            self._missing(unknown)
        return not self._disposed and self._node.named().isdisjoint(states)

    def any(self, *lists: Names) -> bool:
        """Whether all states of at least one of these lists are active."""
        return any(self.is_(states) for states in lists)

    def any1(self, *states: str) -> bool:
        """Whether at least one of these is active."""
        try:
            return not (self._node.names or self._node.named()).isdisjoint(states)
        except TypeError:
            checked_names(states)
            raise

    def has(self, states: Names) -> bool:
        """Whether all of these are defined."""
        return not self._disposed and not self._schema.unknown(names_of(states))

    def has1(self, state: str) -> bool:
        """Whether this state is defined."""
        return self.has((checked_name(state),))

    def is_err(self) -> bool:
        """Whether the `Exception` state is active."""
        return EXCEPTION in self._node.named()

    @property
    def err(self) -> BaseException | None:
        """The last error that was added; kept after `Exception` was removed."""
        return self._err

    def switch(self, *groups: Names) -> str:
        """The first active state of these lists, in their order; empty if none is."""
        active = self._node.names or self._node.named()
        found = (state for group in groups for state in names_tuple(group) if state in active)
        return next(found, "")

    def count_active(self, states: Names) -> int:
        """How many of these are active."""
        return len(self._node.named().intersection(names_of(states)))

    def active_states(self) -> list[str]:
        """The active states, in the order in which they were made the targets."""
        names = self._schema.names
        return [names[index] for index in self._node.active]

    # -- reasons

    def why_not(self, state: str) -> WhyNot:
        """Why this state could not activate now; false if nothing known stands against it.

        For a state that is active it is false too, and its text says so. No handler is called:
        what a handler refused last counts until the state changes; `can_add1` asks handlers.
        Raises for an unknown state. Any thread may call it, handlers too.
        """
        return why_not(self, checked_name(state))

    @property
    def last_refusal(self) -> Reason | None:
        """Why the last canceled call of this thread was canceled; None if none was.

        It stays until the machine refuses the thread another mutation or check, so look at it
        when a call returned CANCELED. A thread remembers it for at least 16 machines. The
        outcome of a mutation that was QUEUED is not here: `ask` returns that. A thread that was
        refused nothing may see what was refused to an ended thread with the same identifier.
        """
        refused = last_of(self)
        return None if refused is None else refused.reason(self)

    # -- ticks

    def tick(self, state: str) -> Tick:
        """The tick of a state; 0 for an unknown one."""
        try:
            return self._ticks[self._index[state]]
        except (KeyError, IndexError):
            checked_name(state)
            return 0
        except TypeError:
            checked_name(state)
            raise

    def time(self, states: Names | None = None) -> Time:
        """Ticks of these states in this order, or of all by index."""
        if states is None or self._disposed:
            return Time(self._ticks)
        ticks, indexes = self._ticks, self._indexes(names_tuple(states))
        return Time([ticks[index] for index in indexes])

    def time_sum(self, states: Names | None = None) -> int:
        """The sum of these ticks, or of all."""
        return sum(self.time(None if states is None else tuple(names_of(states))))

    def clock(self, states: Names | None = None) -> Clock:
        """Ticks by name, of these states or of all."""
        if self._disposed:
            return {}
        names = self._schema.names if states is None else unique(names_tuple(states))
        return dict(zip(names, self.time(names), strict=True))

    def is_time(self, time: Sequence[Tick], states: Names | None = None) -> bool:
        """Whether every given tick equals the present one, position by position."""
        if self._disposed:
            return False
        return list(in_order(time, "time")) == list(self.time(states))

    def is_clock(self, clock: Clock) -> bool:
        """Whether every named tick equals the present one."""
        return not self._disposed and list(clock.values()) == list(self.time(tuple(clock)))

    # -- the schema

    def state_names(self) -> list[str]:
        """All states in their order."""
        return list(self._schema.names)

    def index(self, state: str) -> int:
        """The place of a state in `state_names`; -1 for an unknown one."""
        return -1 if self._disposed else self._schema.index.get(checked_name(state), -1)

    def get_struct(self) -> dict[str, State]:
        """The cleaned schema, states by name."""
        return self._schema.struct()

    def must_parse_states(self, states: Names) -> list[str]:
        """The names without repeats; raises for an unknown one."""
        names = unique(names_tuple(states))
        self._indexes(names)
        return list(names)

    def _indexes(self, names: tuple[str, ...]) -> list[int]:
        index = self._schema.index
        try:
            return [index[name] for name in names]
        except (KeyError, TypeError):
            self._missing(self._schema.unknown(checked_names(names)))

    def _missing(self, names: Sequence[str]) -> NoReturn:
        checked_names(tuple(names))
        raise StateMissingError(names, self.id, self._schema.names)

    # -- texts

    def string(self) -> str:
        """Active states with their ticks, `(A:1 C:3)`; empty once disposed."""
        return "" if self._disposed else string(self._schema.names, self._ticks)

    __str__ = string

    def string_all(self) -> str:
        """All states with their ticks, the inactive ones in brackets."""
        return "" if self._disposed else string_all(self._schema.names, self._ticks)

    def inspect(self, states: Names | None = None) -> str:
        """A block of text for each of these states, or for all."""
        names = self._schema.names if states is None else names_tuple(states)
        self._indexes(tuple(names))
        return inspect(self._schema, self._ticks or [0] * len(self._schema.names), names)

    def __repr__(self) -> str:
        return f"<Machine {self.id} {self.string_all()}>"

    # -- the queue

    def queue(self) -> list[Mutation]:
        """The mutations that wait, in the order in which they will run."""
        return list(self._queue.copy())

    @property
    def queue_refused(self) -> int:
        """How many mutations the full queue refused since the machine was made."""
        return 0 if self._refusals is None else self._refusals.count

    def queue_len(self) -> int:
        """How many mutations wait."""
        return len(self._queue)

    def is_queued(
        self,
        type: MutationType,
        states: Names,
        without_args_only: bool = False,
        states_strict_equal: bool = False,
        start_index: int = 0,
    ) -> int:
        """Index of the first waiting mutation of this type that calls these states, or -1."""
        return position_of(
            self.queue(),
            type,
            mask_of(self._indexes(tuple(names_of(states)))),
            without_args_only=without_args_only,
            states_strict_equal=states_strict_equal,
            start_index=start_index,
        )

    def is_queued_above(
        self,
        threshold: int,
        type: MutationType,
        states: Names,
        without_args_only: bool = False,
        states_strict_equal: bool = False,
        start_index: int = 0,
    ) -> bool:
        """Whether at least this many mutations of this kind wait; for limiting a rate."""
        found, position = 0, start_index - 1
        while found < threshold:
            position = self.is_queued(
                type, states, without_args_only, states_strict_equal, position + 1
            )
            if position < 0:
                return False
            found += 1
        return True

    def queue_tick(self) -> int:
        """The number up to which all mutations that were appended to the queue are done."""
        return self._ticks_of_queue().done

    def will_be(self, states: Names) -> bool:
        """Whether an add of at least these states waits."""
        return self.is_queued(MutationType.ADD, states) >= 0

    def will_be1(self, state: str) -> bool:
        """Whether an add of this state waits."""
        return self.will_be((checked_name(state),))

    def will_be_removed(self, states: Names) -> bool:
        """Whether a removal of at least these states waits."""
        return self.is_queued(MutationType.REMOVE, states) >= 0

    def will_be_removed1(self, state: str) -> bool:
        """Whether a removal of this state waits."""
        return self.will_be_removed((checked_name(state),))
