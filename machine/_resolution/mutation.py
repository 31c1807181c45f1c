"""Mutations: the only way to change which states are active."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from machine._enums import MutationType, Result
from machine._given import A
from machine._schema.schema import Call

if TYPE_CHECKING:
    import contextvars


class MutSource:
    """The transition from which a mutation was made, in this or another machine.

    `mach_time` is the sum of that machine's ticks before that transition.
    """

    __slots__ = ("mach_id", "mach_time", "tx_id")

    def __init__(self, mach_id: str, tx_id: str, mach_time: int) -> None:
        self.mach_id: str = mach_id
        self.tx_id: str = tx_id
        self.mach_time: int = mach_time

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MutSource) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))

    def __str__(self) -> str:
        return f"{self.mach_id}/{self.tx_id}/{self.mach_time}"

    def __repr__(self) -> str:
        return f"MutSource({self})"


class Mutation:
    """One entry of a machine's queue.

    `result` is None until it ran; the call that queued it reads it there when another
    thread has run it. `queue_tick` numbers what was appended to the queue, 0
    for anything else. `context` are the context variables for one that waits. `refused` is
    why it was canceled (`_reasons.refused`).
    """

    __slots__ = (
        "_args",
        "call",
        "context",
        "eval_fn",
        "is_check",
        "queue_tick",
        "refused",
        "result",
        "source",
    )

    def __init__(
        self,
        call: Call,
        args: A | None = None,
        source: MutSource | None = None,
        *,
        is_check: bool = False,
        eval_fn: Callable[[], Any] | None = None,
    ) -> None:
        self.call: Call = call
        self._args = args
        self.source: MutSource | None = source
        self.is_check: bool = is_check
        self.eval_fn: Callable[[], Any] | None = eval_fn
        self.result: Result | None = None
        self.refused: object = None
        self.queue_tick: int = 0
        self.context: contextvars.Context | None = None

    @property
    def args(self) -> A:
        """The arguments, as handlers get them; never None."""
        if self._args is None:
            self._args = {}
        return self._args

    @property
    def type(self) -> MutationType:
        """How the called states change the active ones."""
        return MutationType.EVAL if self.eval_fn is not None else self.call.type

    @property
    def called_states(self) -> list[str]:
        """The names that the caller passed, repeats removed."""
        return list(self.call.names)

    @property
    def auto(self) -> bool:
        """Whether the auto states made it."""
        return self.call.auto

    def dropped(self) -> None:
        """It was canceled without its turn; only a mutation with an outcome needs to know."""

    def state_was_called(self, name: str) -> bool:
        """Whether this state is among the called ones."""
        return name in self.call.names

    def __str__(self) -> str:
        return f"[{self.type}{':auto' * self.auto}] {self.call.text}"

    def __repr__(self) -> str:
        return f"<Mutation {self}>"


class AutoMutation(Mutation):
    """The mutation of the auto states; one object is used every time, so it keeps no args."""

    __slots__ = ()

    @property
    def args(self) -> A:
        """Empty; each transition has its own arguments."""
        return {}
