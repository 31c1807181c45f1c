"""Changing a machine's structure: the order of states, the schema, imported ticks.

None of this is a transition: no handler is called, and only an import changes ticks. A
changed schema takes effect at once and keeps the ticks of the states that stay; on an error
nothing changes.

No thread may drain the queue meanwhile, since a transition holds plans of the schema with
which it began. So these calls take the drainer's token, and raise when it is taken.

The new schema, node and ticks are computed first, then set by assignments without a call
between them. The steps that follow for the queue, waiters and tracers are due until they are
done (`_change`): if an interrupt comes between, the next recovery does them
(`_engine.recovery`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Literal, cast

from machine._engine.recovery import put_due_auto
from machine._enums import LogLevel
from machine._given import Names, check_callable, checked_choice, checked_names, names_tuple
from machine._handlers.names import check_meanings
from machine._machine.binding import BindingCalls
from machine._machine.resolver import (
    RelationsResolver,
    Resolver,
    ResolverAutomaton,
    check_resolver,
)
from machine._machine.serialized import Serialized, checked
from machine._resolution.mutation import AutoMutation
from machine._resolution.resolve import indexes_of, mask_of
from machine._schema.contradictions import forbidden as ruled_out
from machine._schema.schema import Schema
from machine._schema.sharing import reordered, schema_of
from machine._schema.state import EXCEPTION, Struct, unique
from machine._waiting.stack import runs_in_drain
from machine.errors import RelationError, StateMissingError, StateUnknownError, did_you_mean

if TYPE_CHECKING:
    from machine._schema.schema import Indexes
    from machine._schema.sharing import Definition
    from machine._transition.owner import Machine


class SchemaChange:
    """A change of schema or order, until all that follows from it is done."""

    __slots__ = ("is_new", "is_reported", "old", "resolver_called")

    def __init__(self, old: Struct | None = None, *, is_reported: bool = True) -> None:
        self.old = old
        self.is_reported = is_reported
        self.is_new = False
        self.resolver_called = False


class Restructuring(BindingCalls):
    """The calls that change the schema, its order, or all ticks at once."""

    _states_verified: bool = False
    _schema_ver: int = 0
    _resolver: Resolver | None = None
    _change: SchemaChange | None = None

    def states_verified(self) -> bool:
        """Whether `verify_states` fixed the order of states."""
        return self._states_verified

    def schema_ver(self) -> int:
        """How often the schema was changed."""
        return self._schema_ver

    def verify_states(self, names: Names) -> None:
        """Fix the order of states; it has to name every one of them and no other.

        Raises RuntimeError during a transition of this machine.
        """
        if self._disposed:
            return
        order = unique(checked_names(names_tuple(names)))
        self._check_order(self._schema, order, self._schema.names)
        schema = reordered(self._schema, order)
        if schema is not self._schema:
            self._put_schema(schema, SchemaChange())
            return
        self._states_verified = True
        if self._hooks is not None:
            self._hooks.fire(self._hooks.verify_states, self)

    def _check_order(self, schema: Schema, order: Sequence[str], registered: Sequence[str]) -> None:
        unknown = schema.unknown(order)
        if unknown:
            texts = [f"state {name} is not defined for {self.id}" for name in unknown]
            raise StateUnknownError("\n".join(texts) + did_you_mean(unknown, schema.names))
        listed = set(order)
        missing = [name for name in registered if name in schema.index and name not in listed]
        if missing:
            text = f"trying to verify more states than registered: {' '.join(missing)}"
            raise StateMissingError(missing, self.id, detail=text)

    def set_struct(self, struct: Definition, names: Names) -> None:
        """Change the schema; ticks of states that stay are kept, new ones start at 0.

        `names` is the new order; it has to list all states that were there before and are
        still defined. Raises RuntimeError during a transition of this machine.
        """
        if self._disposed:
            return
        old = self.get_struct()
        bare = schema_of(struct, strict=self._strict)
        order = unique(checked_names(names_tuple(names)))
        if EXCEPTION not in order:
            order = (*order, EXCEPTION)
        self._check_order(bare, order, self._schema.names)
        self._check_order(bare, order, bare.names)
        for handlers in self.handlers():
            check_meanings(handlers, bare.names, self._schema.names, strict=self._strict)
        self._put_schema(reordered(bare, order), SchemaChange(old))

    def _log_cycle(self) -> None:
        cycle = self._schema.cycle
        if cycle >= 0:
            name = self._schema.names[cycle]
            text = f"[resolver] relation error: state {name} has a Require cycle for {self.id}"
            self.log_lvl(LogLevel.CHANGES, text)

    def _put_schema(
        self, schema: Schema, change: SchemaChange, ticks: list[int] | None = None, new_id: str = ""
    ) -> None:
        """Change to another schema; states that stay keep their ticks, unless ticks are given."""
        executor = self._executor
        drains = executor is None or executor.is_here()
        if not self._try_drain(
            task=partial(self._move_to, schema, change, ticks, new_id), drains=drains
        ):
            raise RuntimeError(f"states of {self.id} cannot change during a transition")
        if executor is not None and not drains and self._queue:
            executor.request()

    @runs_in_drain("self")
    def _move_to(
        self, schema: Schema, change: SchemaChange, ticks: list[int] | None, new_id: str
    ) -> None:
        old, automaton = self._schema, self._node.automaton
        if ticks is None:
            kept = dict(zip(old.names, self._ticks, strict=True))
            ticks = [kept.get(name, 0) for name in schema.names]
            active = [old.names[index] for index in self._node.active]
            places = tuple([schema.index[name] for name in active if name in schema.index])
        else:
            self._check_fresh()
            places = tuple([index for index, tick in enumerate(ticks) if tick % 2])
        if schema is not old:
            automaton = automaton.for_schema(schema)
        marks = [_moved(mask, old, schema) for mask in self._node.marks]
        node = automaton.node(places).marked(*marks)
        new_id = new_id or self._id
        version = self._schema_ver + (change.old is not None)
        change.is_new = schema is not old
        self._change = change  # no call comes until the change is complete
        self._node = node
        self._ticks = ticks
        self._schema, self._index = schema, schema.index
        self._id, self._schema_ver, self._states_verified = new_id, version, True
        self._follow_schema()

    def _follow_schema(self) -> None:
        """Finish a change of schema; each step can be repeated."""
        change = self._change
        if change is None:
            return
        if change.is_new:
            if self._resolver is not None and not change.resolver_called:
                change.resolver_called = True
                self._resolver.new_struct()
            self._translate_queue()
            if self._waiters is not None and change.is_reported:
                self._waiters.schema_changed()
            if self._state_contexts is not None:
                self._state_contexts.schema_changed()
        if self._state_contexts is not None:
            self._state_contexts.ticks_changed(range(len(self._ticks)))
        if change.old is not None:
            self._log_cycle()
        if self._hooks is not None and change.is_reported:
            self._hooks.fire(self._hooks.verify_states, self)
        if self._hooks is not None and change.old is not None:
            self._hooks.fire(self._hooks.struct_change, self, change.old)
        self._change = None

    def _translate_queue(self) -> None:
        """Translate the calls of the queue to the new schema, and replace the auto states."""
        schema = self._schema
        for mutation in list(self._queue):
            if not isinstance(mutation, AutoMutation):
                known = [name for name in mutation.call.names if name in schema.index]
                mutation.call = schema.call(mutation.call.type, known)
            elif mutation is not self._node.auto_mutation:
                self._auto_due = True  # set before it is removed
                with suppress(ValueError):  # a disposal emptied it meanwhile
                    self._queue.remove(mutation)
        if self._auto_due:
            put_due_auto(self)

    def resolver(self) -> Resolver:
        """What decides about targets; relations do, unless a resolver was given."""
        return (
            RelationsResolver(cast("Machine", self)) if self._resolver is None else self._resolver
        )

    def _use_resolver(self, resolver: Resolver) -> None:
        """Let an object decide from now on; called once, at construction."""
        check_resolver(resolver)
        mach = cast("Machine", self)
        if isinstance(resolver, RelationsResolver):
            resolver.machine = mach
        self._resolver = resolver
        self._node = ResolverAutomaton(self._schema, mach, resolver).node(())
        resolver.new_struct()

    def export(self) -> Serialized:
        """The machine's id, its states in their order, their ticks, and its open tasks.

        Mutations that wait in the queue are not in it, nor is `err`. Raises RuntimeError for a
        disposed machine.
        """
        if self._disposed:
            raise RuntimeError(f"{self.id} is disposed and has nothing to export")
        ticks, tasks = self._ticks, [task.handler for task in list(self._tasks or ())]
        self.log_lvl(LogLevel.CHANGES, f"[import] exported at [{' '.join(map(str, ticks))}] ticks")
        return Serialized(self.id, ticks, self._schema.names, tasks=tasks)

    def import_(
        self,
        data: Serialized,
        *,
        migrate: Callable[[Serialized], Serialized] | None = None,
        unknown: Literal["raise", "drop"] = "raise",
        forbidden: Literal["raise", "accept"] = "raise",
    ) -> list[str]:
        """Take over an exported machine's id, order and ticks; for fresh machines only.

        `migrate` gets a copy of the data before anything is checked against this machine, and
        returns what to import instead. States that the export does not have start at 0 and come
        last. Those that this machine does not have raise StateUnknownError, or are left out if
        `unknown` is "drop". States that relations rule out raise RelationError, unless
        `forbidden` is "accept"; a custom resolver is not called. Raises also for invalid data,
        and RuntimeError for a machine that has worked or is in a transition; nothing changes
        then. Initial states count as work.

        Returns the names of the coroutine handlers that were under way; none of them is started.
        """
        if self._disposed:
            return []
        checked_choice(unknown, "unknown", ("raise", "drop"))
        checked_choice(forbidden, "forbidden", ("raise", "accept"))
        given = checked(data)
        if migrate is not None:
            check_callable(migrate, "migrate")
            data = migrate(data.renamed({}))
            given = checked(data)
        ticks = self._known(given, drop=unknown == "drop")
        schema = reordered(self._schema, tuple(ticks))
        active = tuple(index for index, tick in enumerate(ticks.values()) if tick % 2)
        if forbidden == "raise" and self._resolver is None:
            self._check_together(schema, active)
        self._put_schema(schema, SchemaChange(is_reported=False), list(ticks.values()), data.id)
        self.log_lvl(LogLevel.CHANGES, f"[import] imported to {sum(self._ticks)} ticks")
        if data.tasks:
            self.log_lvl(LogLevel.CHANGES, "[import] tasks not resumed: %s", " ".join(data.tasks))
        return list(data.tasks)

    def _check_fresh(self) -> None:
        if any(self._ticks) or self._queue:
            text = f"{self.id} has worked, and only a fresh machine imports"
            hint = "; initial=() makes one that has not begun" if self._schema.initial else ""
            raise RuntimeError(f"{text}: {self.string_all()}{hint}")

    def _known(self, ticks: dict[str, int], *, drop: bool) -> dict[str, int]:
        """The ticks of all states of this machine, in the order of the export."""
        names = self._schema.names
        strange = self._schema.unknown(ticks)
        if strange and not drop:
            near = did_you_mean(strange, names)
            raise StateUnknownError(
                f"{' '.join(strange)} of the export is not defined in struct for {self.id}{near};"
                ' import_(data, unknown="drop") leaves such states out'
            )
        kept = {name: tick for name, tick in ticks.items() if name in self._index}
        return {**kept, **{name: 0 for name in names if name not in kept}}

    def _check_together(self, schema: Schema, active: Indexes) -> None:
        """Raise for states that cannot be active at the same time."""
        why = ruled_out(schema, active)
        if why:
            raise RelationError(
                f"the export has states that cannot be active together: {', '.join(why)};"
                ' import_(data, forbidden="accept") takes them'
            )


def _moved(mask: int, old: Schema, new: Schema) -> int:
    """A mask of states of one schema, for those of them that are in another."""
    names = [old.names[index] for index in indexes_of(mask)]
    return mask_of(new.index[name] for name in names if name in new.index)
