"""State timeouts: what follows when a state was active for too long.

`_waiting.state_deadlines` has the rules.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from machine._enums import LogLevel, MutationType
from machine._machine.subscribing import Subscribing
from machine._resolution.mutation import Mutation
from machine._schema.state import EXCEPTION, is_error_state
from machine._waiting.timers import timers
from machine._waiting.workers import workers
from machine.errors import StateTimeoutError

if TYPE_CHECKING:
    from machine._waiting.state_deadlines import StateDeadline

ADD = MutationType.ADD


class Expiring(Subscribing):
    """The part of a machine that follows the deadlines of its states."""

    def _keep_deadlines(self) -> None:
        """Keep the deadlines of states from now on, if the schema has any."""
        if self._schema.timed:
            from machine._waiting.state_deadlines import StateDeadlines  # few schemas have any

            with Expiring._making:
                if not isinstance(self._state_contexts, StateDeadlines):
                    self._watched = True
                    self._state_contexts = StateDeadlines(self, self._state_contexts)

    def _follow_schema(self) -> None:
        if self._change is not None:
            self._keep_deadlines()
        super()._follow_schema()

    def _deadline_passed(self, deadline: StateDeadline) -> None:
        """Let a check wait in the queue; in the timers' thread, which may not run the machine."""
        if self._disposing:
            return
        fn = partial(self._check_deadline, deadline)
        check = Mutation(self._schema.call(ADD, ()), eval_fn=fn)
        check.context = deadline.variables
        self._queue.append(check)
        if self._executor is not None:
            self._executor.hand_over(check)
        elif not self._is_idle():  # its drainer looks at the queue once more
            return
        elif timers.by_hand:  # in a test, which sees the effect at once
            self._try_drain()
        else:
            workers.run(self._try_drain)

    def _check_deadline(self, deadline: StateDeadline) -> None:
        """Make the next mutation of a deadline, unless its activation is over."""
        if not deadline.lasts() or self._disposing:
            return
        state, tick, seconds = deadline.state, deadline.tick, deadline.seconds
        self.log_lvl(LogLevel.OPS, f"[timeout] {state} after {seconds:g} s")
        args = {"timed_out": state, "tick": tick, "seconds": seconds}
        names: tuple[str, ...] = (deadline.target,)
        if is_error_state(deadline.target):
            text = f"{state} was active for {seconds:g} s"
            args = self._err_args(StateTimeoutError(text, state, tick, seconds), args)
            names = (*names, EXCEPTION)
        mutation = Mutation(self._schema.call(ADD, names), args, deadline.source)
        mutation.context = deadline.variables
        deadline.is_over = True  # no interrupt comes between these
        self._queue.appendleft(mutation)
