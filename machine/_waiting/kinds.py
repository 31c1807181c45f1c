"""Kinds of subscriptions: what each waits for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import FunctionType, MethodType
from typing import TYPE_CHECKING

from machine._logging.report import log_error
from machine._waiting.handle import Subscription

if TYPE_CHECKING:
    from machine._clock import Clock
    from machine._given import A
    from machine._resolution.automaton import Node


class Active(Subscription):
    """All states active at the same time."""

    __slots__ = ()

    label = "when"

    def met(self, node: Node, ticks: Sequence[int]) -> bool:
        return node.named().issuperset(self.names)


class AnyActive(Subscription):
    """At least one of the states active."""

    __slots__ = ()

    label = "whenAny"

    def met(self, node: Node, ticks: Sequence[int]) -> bool:
        return not node.named().isdisjoint(self.names)


class Inactive(Subscription):
    """All states inactive at the same time; one that the schema has lost is inactive too."""

    __slots__ = ()

    label = "whenNot"

    def met(self, node: Node, ticks: Sequence[int]) -> bool:
        return node.named().isdisjoint(self.names)


class Reached(Subscription):
    """Each state's tick reached its own number, at any time."""

    __slots__ = ("left", "wanted")

    label = "whenTime"

    wanted: Sequence[tuple[str, int]]
    left: Sequence[tuple[str, int]]
    """What is not reached yet. What is reached stays so, even if the schema loses the state."""

    def met(self, node: Node, ticks: Sequence[int]) -> bool:
        index = node.automaton.schema.index
        self.left = left = [
            (name, time)
            for name, time in self.left
            if name not in index or ticks[index[name]] < time
        ]
        return not left

    def condition(self) -> str:
        return " ".join([str(time) for _, time in self.wanted])

    def new_text(self) -> str:
        return f"{','.join(self.names)} {','.join(str(time) for _, time in self.wanted)}"

    def match_text(self) -> str:
        return f"{' '.join(self.names)} [{' '.join(str(time) for _, time in self.wanted)}]"


class WithArgs(Subscription):
    """One state activated by a mutation with these arguments among its own."""

    __slots__ = ("args",)

    label = "whenArgs"

    args: A

    def matches(self, args: A) -> bool:
        """Whether each wanted argument has an equal one; False if comparing raises."""
        try:
            return all(key in args and args[key] == value for key, value in self.args.items())
        except Exception as error:  # noqa: BLE001 - protects the machine: `==` is user code
            log_error(error, "comparing arguments for %s failed", self.new_text())
            return False

    def condition(self) -> str:
        return ",".join([key for key in self.args if type(key) is str])

    def new_text(self) -> str:
        return f"{self.names[0]} ({','.join(self.args)})"


class Query(Subscription):
    """A function of the clock returned a true value; it `failed` if it raised."""

    __slots__ = ("failed", "fn")

    label = "whenQuery"

    fn: Callable[[Clock], object]
    failed: bool

    def met(self, node: Node, ticks: Sequence[int]) -> bool:
        names = node.automaton.schema.names
        return bool(self.answer(dict(zip(names, ticks, strict=True))))

    def answer(self, clock: Clock) -> bool | None:
        """Whether the function returns a true value; None if it raised, to drop it."""
        try:
            return bool(self.fn(clock))
        except Exception as error:  # noqa: BLE001 - protects the machine: as above
            log_error(error, "query %r failed and was dropped", self.fn)
            self.failed = True
            return None

    def condition(self) -> str:
        return name_of(self.fn)

    def new_text(self) -> str:
        return getattr(self.fn, "__qualname__", type(self.fn).__name__)


class QueueEnd(Subscription):
    """The drain that is under way ended."""

    __slots__ = ()

    label = "whenQueueEnds"


class Disposal(Subscription):
    """The machine is disposed, and everything that follows from it is done."""

    __slots__ = ()

    label = "whenDisposed"


def name_of(fn: object) -> str:
    """The name of a plain function or method; empty for any other object."""
    if type(fn) is MethodType:
        fn = fn.__func__
    return fn.__qualname__ if type(fn) is FunctionType else ""
