"""The kinds of subscriptions: what each waits for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from machine._clock import Clock
from machine._latch import log_failure
from machine._state import A
from machine._wait_handle import Subscription


class Active(Subscription):
    """All states active at the same time."""

    __slots__ = ()

    def met(self, ticks: Sequence[int]) -> bool:
        indexes = self.indexes
        if indexes is None:
            return False
        for index in indexes:
            if not ticks[index] & 1:
                return False
        return True


class Inactive(Subscription):
    """All states inactive at the same time; a state that is no more counts as inactive."""

    __slots__ = ()

    label = "whenNot"

    def met(self, ticks: Sequence[int]) -> bool:
        for index in self.indexes or ():
            if ticks[index] & 1:
                return False
        return True

    def reindex(self, index: dict[str, int], ticks: Sequence[int]) -> None:
        self.indexes = [index[name] for name in self.names if name in index]


class Reached(Subscription):
    """Each state's tick reached its own number, at whatever time."""

    __slots__ = ("times", "wanted")

    label = "whenTime"

    times: Sequence[int]
    wanted: Sequence[tuple[str, int]]
    """As asked for; `names` and `times` lose what was reached before a change of schema."""

    def met(self, ticks: Sequence[int]) -> bool:
        indexes = self.indexes
        if indexes is None:
            return False
        for index, time in zip(indexes, self.times, strict=True):
            if ticks[index] < time:
                return False
        return True

    def reindex(self, index: dict[str, int], ticks: Sequence[int]) -> None:
        if self.indexes is not None:
            self._forget_reached(self.indexes, ticks)
        super().reindex(index, ticks)

    def _forget_reached(self, indexes: Sequence[int], ticks: Sequence[int]) -> None:
        left = [
            (name, time)
            for name, time, at in zip(self.names, self.times, indexes, strict=True)
            if ticks[at] < time
        ]
        self.names = [name for name, _ in left]
        self.times = [time for _, time in left]

    def new_text(self) -> str:
        names = ",".join(name for name, _ in self.wanted)
        return f"{names} {','.join(str(time) for _, time in self.wanted)}"

    def match_text(self) -> str:
        names = " ".join(name for name, _ in self.wanted)
        return f"{names} [{' '.join(str(time) for _, time in self.wanted)}]"


class WithArgs(Subscription):
    """One state activated by a mutation with these arguments among its own."""

    __slots__ = ("args",)

    label = "whenArgs"

    args: A

    def matches(self, args: A) -> bool:
        """Has each wanted argument an equal one; an argument that cannot be compared has not."""
        try:
            return all(key in args and args[key] == value for key, value in self.args.items())
        except Exception:  # noqa: BLE001 - protects the machine: `==` is user code
            log_failure("comparing arguments of %s failed", self.what())
            return False

    def new_text(self) -> str:
        return f"{self.names[0]} ({','.join(self.args)})"


class Query(Subscription):
    """A function of the clock says so."""

    __slots__ = ("fn",)

    label = "whenQuery"

    fn: Callable[[Clock], object]

    def asks(self, clock: Clock) -> bool | None:
        """Its answer; None when it raised, so that it is not asked again."""
        try:
            return bool(self.fn(clock))
        except Exception:  # noqa: BLE001 - protects the machine: a query is user code
            log_failure("query %r failed and was dropped", self.fn)
            return None

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
