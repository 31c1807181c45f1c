"""Carries out one mutation: by the short way, or as a transition that can be observed.

The short way: while nothing is bound, logged or traced that could observe it, a plan is
applied without a transition object, and auto states follow at once. Both ways result in
the same ticks.
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import get_ident
from typing import TYPE_CHECKING

from machine._engine.core import NO_BINDINGS
from machine._engine.failures import Failures
from machine._engine.traced import run_traced
from machine._engine.unwatched import run_unwatched
from machine._engine.walk import walk
from machine._enums import CANCELED, EVERYTHING, Result
from machine._handlers.lookup import NOTHING_BOUND
from machine._reasons.reason import ReasonKind
from machine._reasons.refused import keep, keep_plan, refused_by
from machine._waiting.stack import runs_in_drain

if TYPE_CHECKING:
    from machine._given import A
    from machine._resolution.automaton import Plan
    from machine._resolution.mutation import Mutation, MutSource
    from machine._schema.schema import Call


class Carrying(Failures):
    """The part of a machine that carries out mutations."""

    @runs_in_drain("self")
    def _carry_out(
        self,
        call: Call,
        args: A | None,
        source: MutSource | None,
        mutation: Mutation | None = None,
    ) -> Result:
        """Run one transition by the short way, or as one that can be watched."""
        node, hooks = self._node, self._hooks
        watched = bool(self._log_level) or (hooks is not None and hooks.of_transitions)
        plan = node.plans.get(call)
        if plan is None:
            plan = node.automaton.extend(node, call, explained=watched)
        bindings = self._bindings
        program = NOTHING_BOUND
        if bindings is not NO_BINDINGS:
            program = bindings.programs.get(plan) or bindings.program(plan)
        if not watched:
            is_check = mutation is not None and mutation.is_check
            if not program.empty:
                if not is_check:
                    return run_unwatched(self, plan, program, bindings, args, source, mutation)
            elif is_check or self._waiters is None or not self._waiters.awaits_args(plan):
                if hooks is not None:
                    self._tx_number += 1
                return self._check_plan(plan, mutation) if is_check else self._apply(plan, mutation)
        elif not (self._log_level or source or mutation) and program.empty and plan.accepted:
            assert hooks is not None
            return run_traced(self, plan, hooks, args)
        if self._log_level >= EVERYTHING:
            program = bindings.every(plan)
        return walk(self, plan, program, bindings, args, source, mutation)

    @runs_in_drain("self")
    def _apply(  # noqa: C901 - one function, so that few calls are made
        self, plan: Plan, mutation: Mutation | None = None
    ) -> Result:
        """The short way: change the ticks, release waiters, let auto states follow."""
        growth = plan.growth
        if growth:
            ticks = self._ticks.copy()
            try:
                for index, ticked in growth:
                    ticks[index] += ticked
            except IndexError:  # there are none; it was disposed by force just now
                keep(self, mutation, refused_by(plan, ReasonKind.DISPOSED))
                return CANCELED
            self._ticks = ticks
            self._node = node = plan.after
            auto = node.auto
            if auto is not None and not plan.call.auto:
                self._auto_due = True
            if self._watched:
                waiters = self._waiters
                if waiters is not None and waiters.pending:
                    moved = plan.moved or plan.name_states()[1]
                    if waiters._queries or not moved.isdisjoint(waiters.states):
                        waiters.ticks_changed(plan.changed)
                if self._state_contexts is not None:
                    self._state_contexts.ticks_changed(plan.changed)
            if auto is not None and not plan.call.auto:
                if not self._disposing:
                    self._carry_out(auto, None, None)
                self._auto_due = False
        else:
            self._node = plan.after  # the same states, perhaps in another order
            if not plan.accepted and not plan.call.auto:
                if mutation is None and self._refused_thread == get_ident():
                    self._refused_plan = plan
                    self._refused_ticks = self._ticks
                else:
                    keep_plan(self, plan, mutation)
        return plan.result

    def _check_plan(self, plan: Plan, mutation: Mutation | None) -> Result:
        """Check a mutation for which no handler is bound."""
        if not plan.accepted:
            refused = refused_by(plan, ReasonKind.RELATION, self._ticks)
            refused.is_check = True
            keep(self, mutation, refused)
        return plan.result

    def _release(self, changed: Sequence[int]) -> None:
        """Waiters and state contexts of the states that changed."""
        waiters = self._waiters
        if waiters is not None and waiters.pending:
            waiters.ticks_changed(changed)
        contexts = self._state_contexts
        if contexts is not None:
            contexts.ticks_changed(changed)
