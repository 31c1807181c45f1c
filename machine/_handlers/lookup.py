"""Handler lookup: finds the handlers of a plan, once for all machines with the same handlers.

A handler's name is its binding: a state and a phase (`FooEnter`), or two states (`FooBar`).
Which handlers an object has is found out when it is bound (`_handlers.kinds`), and fixed then.

- A *layout* is what machines of one automaton have in common if the kinds of their objects are
  the same, in the same order. It numbers their callables and keeps a *program* for each
  plan: its calls, which refer to callables by these numbers.
- The *bindings* of a machine are its layout, its objects, and the list of its callables,
  taken when the first handler is looked up.

A machine puts its own callables into a program that it runs often, since looking them up by
number costs a tenth of the call of a handler. It counts the look-ups, and every
`KEEP_EVERY` it keeps what it looked up last. So what runs often is soon kept, and a machine
that lives for a few transitions keeps nothing.

If one object has no kind, the bindings have a layout of their own, and objects are asked for each
name when it is first needed.

`Bindings` never change for a machine: binding and detaching make new ones, so a transition that
is under way ends with those it began with.

Threads: machines in several threads may extend one layout. Programs are stored by one
assignment, and when two threads make the same program, one of them stays. Tables are
replaced and never emptied: a thread that has the old table goes on with it.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from machine._handlers.bound import Binding, KnownBinding
from machine._handlers.calls import (
    BETWEEN,
    Bound,
    HandlerCall,
    Slot,
    Turn,
    final_slots,
    negotiation_slots,
)
from machine._handlers.kinds import Handler, Kind
from machine._handlers.pairs import pairs_of

if TYPE_CHECKING:
    from machine._handlers.meanings import Meaning
    from machine._resolution.automaton import Automaton, Plan

PROGRAMS_MAX = 8192
CALLS_MAX = 4096
LAYOUTS_MAX = 64
"""Layouts that one automaton keeps."""
KEEP_EVERY = 16

Calls = tuple[HandlerCall, ...]

Paired = tuple[Handler | None, Turn]
"""A callable and its turn; the callable is None where the ticks change."""

APPLY: Turn = ("", 0, BETWEEN)


class Program:
    """The handler calls of one plan, in order; `fetch` takes their callables out of a list."""

    __slots__ = ("empty", "fetch", "finals", "is_kept", "negotiation", "steps", "turns")

    def __init__(self, negotiation: Calls = (), finals: Calls = ()) -> None:
        self.negotiation = negotiation
        self.finals = finals
        self.empty = not (negotiation or finals)
        self.is_kept = False
        """Whether the same plan gets the same program again."""
        self.steps = tuple([call.passed for call in (*negotiation, *finals) if call.bound])
        before = [turn for call in negotiation for turn in call.turns]
        after = [turn for call in finals for turn in call.turns]
        self.turns: tuple[Turn, ...] = (*before, APPLY, *after)
        places = [place for call in negotiation for _, place in call.bound]
        places += [0, *[place for call in finals for _, place in call.bound]]
        self.fetch: Callable[[list[Any]], tuple[Any, ...]] = itemgetter(*places)


NOTHING_BOUND = Program()


class CallLayout:
    """What numbers callables and keeps programs; subclasses know where callables are."""

    __slots__ = ("_calls", "_every", "_made", "_pairs", "_resets", "automaton", "programs")

    def __init__(self, automaton: Automaton, listed: Sequence[set[str] | None]) -> None:
        self.automaton = automaton
        self._pairs = pairs_of(listed, automaton.schema.index)
        self._forget()

    def _forget(self) -> None:
        self.programs: dict[Plan, Program] = {}
        self._every: dict[Plan, Program] = {}
        self._calls: dict[Slot, HandlerCall] = {}
        self._made: dict[tuple[Turn, ...], Program] = {}
        self._resets = self.automaton.resets

    @abstractmethod
    def bound(self, name: str, meaning: Meaning) -> Bound:
        """Which of the bound objects have this handler, and where their callables are."""

    def program(self, plan: Plan) -> Program:
        """The calls of a plan for which there are handlers; kept in `programs`."""
        self._make_room()
        if not plan.is_remembered:
            return self._make(plan)
        found = self.programs.get(plan)
        if found is None:
            made = self._make(plan)
            made = self._made.setdefault(made.turns, made)
            made.is_kept = True
            found = self.programs.setdefault(plan, made)
        return found

    def every(self, plan: Plan) -> Program:
        """All calls of a plan, including those without handlers."""
        self._make_room()
        found = self._every.get(plan)
        if found is None:
            found = self._make(plan, every=True)
            if plan.is_remembered:
                self._every[plan] = found
        return found

    def _make_room(self) -> None:
        """Forget all programs if there are too many, or if their plans are forgotten."""
        full = max(len(self.programs), len(self._every)) >= PROGRAMS_MAX
        if full or self.automaton.resets != self._resets:
            self._forget()

    def _make(self, plan: Plan, *, every: bool = False) -> Program:
        if not plan.accepted:
            return NOTHING_BOUND
        pairs = None if every else self._pairs
        return Program(
            tuple(self._calls_of(negotiation_slots(plan, pairs), every=every)),
            tuple(self._calls_of(final_slots(plan), every=every)),
        )

    def _calls_of(self, slots: Iterable[Slot], *, every: bool) -> Iterator[HandlerCall]:
        names = self.automaton.schema.names
        for slot in slots:
            found = self._calls.get(slot)
            if found is None:
                bound = self.bound(slot.name, slot.meaning(names))
                if not (bound or every):
                    continue
                if len(self._calls) >= CALLS_MAX:
                    self._calls = {}
                found = self._calls.setdefault(slot, HandlerCall(names, slot, bound))
            if found.bound or every:
                yield found


class SharedLayout(CallLayout):
    """The programs of all machines that have objects of these kinds, in this order."""

    __slots__ = ("_kinds",)

    def __init__(self, automaton: Automaton, kinds: tuple[Kind, ...]) -> None:
        first = accumulate([len(kind.places) for kind in kinds], initial=1)
        self._kinds = tuple(zip(kinds, first, strict=False))
        super().__init__(automaton, [set(kind.names) for kind in kinds])

    def bound(self, name: str, meaning: Meaning) -> Bound:
        """Which of the bound objects have this handler, and where their callables are."""
        found = [(kind.place_of(name, meaning), first) for kind, first in self._kinds]
        return tuple(
            [
                (index, first + place)
                for index, (place, first) in enumerate(found)
                if place is not None
            ]
        )


class OwnLayout(CallLayout):
    """The programs of one machine; `callables` are those found so far."""

    __slots__ = ("_items", "callables")

    def __init__(self, automaton: Automaton, items: tuple[Binding, ...]) -> None:
        self._items = items
        self.callables: list[Any] = [None]
        super().__init__(automaton, [item.listed() for item in items])

    def bound(self, name: str, meaning: Meaning) -> Bound:
        """Which of the bound objects have this handler, and where their callables are."""
        bound = []
        for index, item in enumerate(self._items):
            handler = item.find(name, meaning)
            if handler is not None:
                bound.append((index, len(self.callables)))
                self.callables.append(handler)
        return tuple(bound)


def shared_layout(automaton: Automaton, kinds: tuple[Kind, ...]) -> SharedLayout:
    """The layout of these kinds, the same for all machines of an automaton."""
    found: SharedLayout | None = automaton.layouts.get(kinds)
    if found is None:
        if len(automaton.layouts) >= LAYOUTS_MAX:
            automaton.layouts = {}
        found = automaton.layouts.setdefault(kinds, SharedLayout(automaton, kinds))
    return found


class Bindings:
    """The bound objects of one machine in their order, with what it needs to call them.

    `programs` are those of its layout, once it has one. `own` are the turns of programs that
    it runs often, `looked_up` counts the runs of others.
    """

    __slots__ = ("_layout", "callables", "items", "looked_up", "own", "programs")

    def __init__(self, items: tuple[Binding, ...] = ()) -> None:
        self.items = items
        self.programs: dict[Plan, Program] = NO_PROGRAMS
        self.callables: list[Any] = NO_CALLABLES
        self.own: dict[Program, tuple[Paired, ...]] = NO_PAIRS
        self.looked_up = 0
        self._layout: SharedLayout | OwnLayout | None = None

    def program(self, plan: Plan) -> Program:
        """The calls of a plan for which handlers are bound."""
        if not self.items:
            return NOTHING_BOUND
        layout = self._layout_for(plan.node.automaton)
        found = layout.program(plan)
        if self.programs is not layout.programs:
            self.own = NO_PAIRS
            self.programs = layout.programs
        return found

    def every(self, plan: Plan) -> Program:
        """All calls of a plan, including those without handlers; none if nothing is bound."""
        return self._layout_for(plan.node.automaton).every(plan) if self.items else NOTHING_BOUND

    def paired(self, program: Program) -> Iterable[Paired]:
        """The turns of a program with their callables; sometimes kept."""
        self.looked_up += 1
        paired = zip(program.fetch(self.callables), program.turns, strict=False)
        if self.looked_up % KEEP_EVERY or not program.is_kept:
            return paired
        if self.own is NO_PAIRS:
            self.own = {}
        return self.own.setdefault(program, tuple(paired))

    def begins(self, call: HandlerCall, handler: Handler | None) -> bool:
        """Whether this is the first callable of a call, or the call has none."""
        return not call.bound or self.callables[call.bound[0][1]] is handler

    def _layout_for(self, automaton: Automaton) -> SharedLayout | OwnLayout:
        layout = self._layout
        if layout is None or layout.automaton is not automaton:
            layout = self._lay_out(automaton)
        return layout

    def _lay_out(self, automaton: Automaton) -> SharedLayout | OwnLayout:
        """Take the callables of all objects, for the first plan or after a change of schema."""
        items = tuple([item.for_schema(automaton.schema).take() for item in self.items])
        known = [item for item in items if isinstance(item, KnownBinding)]
        layout: SharedLayout | OwnLayout
        if len(known) == len(items):
            layout = shared_layout(automaton, tuple([item.kind for item in known]))
            callables: list[Any] = [None]
            for item in known:
                callables += item.taken()
        else:
            layout = OwnLayout(automaton, items)
            callables = layout.callables
        self.items, self.callables = items, callables
        self.own, self.programs = NO_PAIRS, NO_PROGRAMS
        self._layout = layout
        return layout


NO_PROGRAMS: dict[Plan, Program] = {}
NO_CALLABLES: list[Any] = []
NO_PAIRS: dict[Program, tuple[Paired, ...]] = {}
