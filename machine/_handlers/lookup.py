"""Handler lookup: finds the handlers of a plan, once.

A handler's name is its binding: a state and a phase (`FooEnter`), or two states (`FooBar`). A
name is looked up in bound objects when it is first needed, and the answer, found or missing,
is kept; their pairs of states are listed in advance (`_handlers.pairs`). The names of each
plan are looked up once, and the callables found make a `Program`; when the plan runs again,
only these are called.

`Bindings` never change: binding and detaching make new ones, so a transition that is
under way ends with the bindings with which it began.

The order in a program (spec of the phases): `XExit` of all that leave, `XEnter` of all
that enter, `XX` of called active states (not for remove), `XY` for every active X by
index and every target Y, `AnyEnter`; then `XEnd`, `XState`, `AnyState`.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from machine._enums import MutationType, StepType
from machine._handlers.meanings import Meaning, declared_by
from machine._handlers.pairs import Pairs, pairs_of
from machine._resolution.step import Step
from machine._schema.state import ANY

if TYPE_CHECKING:
    from machine._resolution.automaton import Automaton, Plan
    from machine._schema.schema import Schema

PROGRAMS_MAX = 8192
CALLS_MAX = 4096
REFUSED_MAX = 16
"""Steps of one call that are kept to be used again when it is denied or fails."""

Names = tuple[str, ...]

Handler = Callable[..., Any]

Bound = tuple[tuple["Binding", Handler], ...]

Calls = tuple["HandlerCall", ...]

Question = tuple["Phase", int, int]

InlineCall = tuple[Handler | None, str, int, "HandlerCall"]


class Phase(enum.IntEnum):
    """When a handler is called."""

    EXIT = 0
    ENTER = 1
    SELF = 2
    PAIR = 3
    ANY_ENTER = 4
    END = 5
    STATE = 6
    ANY_STATE = 7


_SUFFIX = {Phase.EXIT: "Exit", Phase.ENTER: "Enter", Phase.END: "End", Phase.STATE: "State"}


class Binding:
    """One bound object, searched by handler name."""

    __slots__ = ("_found", "_wrap", "declared", "index", "name", "target")

    def __init__(
        self, target: object, index: int, wrap: Callable[[Handler], Handler] | None = None
    ) -> None:
        self.target = target
        self._wrap = wrap
        self.index = index
        self.name = emitter_name(target)
        self._found: dict[str | Meaning, Handler | None] = {}
        self.declared = declared_by(target)

    def at(self, index: int) -> Binding:
        """The same object bound at another place; keeps the handlers that were found."""
        moved = Binding(self.target, index, self._wrap)
        moved._found = self._found
        return moved

    def find(self, name: str) -> Handler | None:
        """The callable of this name, or None; looked up in the object once."""
        try:
            return self._found[name]
        except KeyError:
            pass
        if isinstance(self.target, Mapping):
            return self._keep(name, self.target.get(name))
        return self._keep(name, getattr(self.target, name, None))

    def find_as(self, meaning: Meaning) -> Handler | None:
        """The callable of a name for which `on` declared one meaning, if it is this one."""
        try:
            return self._found[meaning]
        except KeyError:
            return self._keep(meaning, self.declared[meaning.name].get(meaning))

    def _keep(self, key: str | Meaning, handler: object) -> Handler | None:
        found: Handler | None = handler if callable(handler) else None
        if found is not None and self._wrap is not None:
            found = self._wrap(found)
        self._found[key] = found
        return found


def emitter_name(target: object) -> str:
    """The class of a bound object; empty for an anonymous one."""
    kind = type(target)
    anonymous = isinstance(target, Mapping) or kind.__name__ == "SimpleNamespace"
    return "" if anonymous else kind.__name__


class Slot(NamedTuple):
    """A place in a program: a handler name and what it is about.

    `position` is the place of the state among those that leave and then enter, counted
    over the final phase; -1 for handlers that belong to no such state.
    """

    name: str
    phase: Phase
    source: int = -1
    target: int = -1
    position: int = -1

    def meaning(self, names: Names) -> Meaning:
        """The meaning that a handler has at this place."""
        phase, source = self.phase, self.source
        if phase in (Phase.SELF, Phase.PAIR):
            to = source if phase is Phase.SELF else self.target
            return Meaning(names[source], names[to], is_pair=True)
        if phase in (Phase.ANY_ENTER, Phase.ANY_STATE):
            return Meaning(ANY, self.name[len(ANY) :])
        return Meaning(names[source if source >= 0 else self.target], _SUFFIX[phase])


class HandlerCall:
    """One handler name with the callables bound to it; fields as in `Slot`.

    `inline_calls` are its callables as `run_unwatched` takes them: each with the name, and
    how many steps are added once it passed: one for the last and none for the others.
    """

    __slots__ = (
        "_refused",
        "bound",
        "inline_calls",
        "name",
        "names",
        "passed",
        "phase",
        "position",
        "source",
        "target",
    )

    def __init__(self, names: Names, slot: Slot, bound: Bound) -> None:
        self.names = names
        self.name, self.phase, self.source, self.target, self.position = slot
        self.bound = bound
        self.passed = self._step()
        self._refused: list[Step] = []
        last = len(bound) - 1
        self.inline_calls: tuple[InlineCall, ...] = tuple(
            [(handler, self.name, int(at == last), self) for at, (_, handler) in enumerate(bound)]
        )

    @property
    def question(self) -> Question:
        """What it decides, no matter in which program it stands."""
        return self.phase, self.source, self.target

    def begins_with(self, handler: Handler | None) -> bool:
        """Whether this is the first of its callables, or there are none."""
        return not self.bound or self.bound[0][1] is handler

    def refused(self, *, denied: bool, raised_at: str = "") -> Step:
        """The step of this call when it was denied, or when it failed and where."""
        for step in self._refused:
            if step.denied is denied and step.raised_at == raised_at:
                return step
        made = self._step(denied=denied, failed=not denied, raised_at=raised_at)
        if len(self._refused) < REFUSED_MAX:
            self._refused.append(made)
        return made

    def _step(self, *, denied: bool = False, failed: bool = False, raised_at: str = "") -> Step:
        names, phase = self.names, self.phase
        whole = phase in (Phase.ANY_ENTER, Phase.ANY_STATE)
        source = ANY if whole else names[self.source] if self.source >= 0 else ""
        target = ANY if whole else names[self.target] if self.target >= 0 else ""
        return Step(
            StepType.HANDLER,
            source,
            self.source,
            target,
            self.target,
            is_final=phase in (Phase.END, Phase.STATE),
            is_self=phase is Phase.SELF,
            is_enter=phase is Phase.STATE,
            denied=denied,
            failed=failed,
            raised_at=raised_at,
        )


BETWEEN = HandlerCall(("",), Slot("", Phase.ANY_ENTER), ())
"""Stands where the negotiation ends and the ticks change."""

APPLY: InlineCall = (None, "", 0, BETWEEN)


class Program:
    """The handler calls of one plan, in order, and the bindings they were found in."""

    __slots__ = ("bindings", "empty", "finals", "inline_calls", "negotiation", "steps")

    def __init__(
        self,
        bindings: Bindings,
        negotiation: tuple[HandlerCall, ...] = (),
        finals: tuple[HandlerCall, ...] = (),
    ) -> None:
        self.bindings = bindings
        self.negotiation = negotiation
        self.finals = finals
        before = [turn for call in negotiation for turn in call.inline_calls]
        after = [turn for call in finals for turn in call.inline_calls]
        self.inline_calls: tuple[InlineCall, ...] = (*before, APPLY, *after)
        self.empty = not (negotiation or finals)
        self.steps = tuple([call.passed for call in (*negotiation, *finals) if call.bound])


class Bindings:
    """The bound objects of one machine in their order, and the programs made of them.

    Programs are kept by plan; equal ones, and the calls they consist of, are made once. All
    are dropped with the plans to which they belong, and when there are too many.
    """

    __slots__ = ("_automaton", "_calls", "_made", "_pairs", "_resets", "items", "programs")

    def __init__(self, items: tuple[Binding, ...] = ()) -> None:
        self.items = items
        self.programs: dict[Plan, Program] = {}
        self._calls: dict[Slot, HandlerCall] = {}
        self._made: dict[tuple[Calls, Calls], Program] = {}
        self._pairs: tuple[Schema, Pairs | None] | None = None
        self._automaton: Automaton | None = None
        self._resets = 0

    def program(self, plan: Plan) -> Program:
        """The calls of a plan for which handlers are bound; kept in `programs`."""
        if not self.items:
            return NOTHING_BOUND
        automaton = plan.node.automaton
        if not plan.is_remembered:
            return self._make(plan, every=False)
        full = len(self.programs) >= PROGRAMS_MAX
        if full or automaton is not self._automaton or automaton.resets != self._resets:
            self._forget(automaton)
        found = self._make(plan, every=False)
        found = self._made.setdefault((found.negotiation, found.finals), found)
        return self.programs.setdefault(plan, found)

    def _forget(self, automaton: Automaton) -> None:
        self.programs.clear()
        self._calls.clear()
        self._made.clear()
        self._automaton, self._resets = automaton, automaton.resets

    def every(self, plan: Plan) -> Program:
        """All calls of a plan, including those without handlers."""
        return self._make(plan, every=True)

    def _make(self, plan: Plan, *, every: bool) -> Program:
        if not plan.accepted or not (self.items or every):
            return Program(self)
        names = plan.node.automaton.schema.names
        pairs = None if every else self._pairs_of(plan.node.automaton.schema)
        return Program(
            self,
            tuple(self.bound(names, negotiation_slots(plan, pairs), every=every)),
            tuple(self.bound(names, final_slots(names, plan), every=every)),
        )

    def _pairs_of(self, schema: Schema) -> Pairs | None:
        known = self._pairs
        if known is None or known[0] is not schema:
            targets = [binding.target for binding in self.items]
            known = self._pairs = schema, pairs_of(targets, schema.index)
        return known[1]

    def bound(self, names: Names, slots: Iterator[Slot], *, every: bool) -> Iterator[HandlerCall]:
        """The calls of these slots; those without handlers only if `every` is set."""
        for slot in slots:
            found = [
                binding.find_as(slot.meaning(names))
                if slot.name in binding.declared
                else binding.find(slot.name)
                for binding in self.items
            ]
            bound = [
                (binding, handler)
                for binding, handler in zip(self.items, found, strict=True)
                if handler is not None
            ]
            if bound:
                yield self._call(names, slot, tuple(bound))
            elif every:
                yield HandlerCall(names, slot, ())

    def _call(self, names: Names, slot: Slot, bound: Bound) -> HandlerCall:
        """The call of a slot, made once as long as the states have these names."""
        found = self._calls.get(slot)
        if found is None or found.names is not names:
            if len(self._calls) >= CALLS_MAX:
                self._calls.clear()
            found = self._calls[slot] = HandlerCall(names, slot, bound)
        return found


NOTHING_BOUND = Program(Bindings())


def negotiation_slots(plan: Plan, pairs: Pairs | None) -> Iterator[Slot]:
    """Every negotiation handler that a plan may call, in order; of pairs only these if given."""
    names = plan.node.automaton.schema.names
    for state in plan.exits:
        yield Slot(names[state] + "Exit", Phase.EXIT, state)
    for state in plan.enters:
        yield Slot(names[state] + "Enter", Phase.ENTER, -1, state)
    if plan.call.type is not MutationType.REMOVE:
        for state in plan.call.called:
            if plan.node.mask >> state & 1:
                yield Slot(names[state] * 2, Phase.SELF, state)
    for state in sorted(plan.node.active):
        if pairs is not None and state not in pairs:
            continue
        for target in plan.targets:
            if state != target and (pairs is None or target in pairs[state]):
                yield Slot(names[state] + names[target], Phase.PAIR, state, target)
    yield Slot(ANY + "Enter", Phase.ANY_ENTER)


def final_slots(names: Names, plan: Plan) -> Iterator[Slot]:
    """Every final handler of a plan's exits and enters, in order."""
    exits, enters = plan.exits, plan.enters
    for position, state in enumerate(exits):
        yield Slot(names[state] + "End", Phase.END, state, -1, position)
    for position, state in enumerate(enters, len(exits)):
        yield Slot(names[state] + "State", Phase.STATE, state, -1, position)
    last = len(exits) + len(enters)
    yield Slot(ANY + "State", Phase.ANY_STATE, position=last)
