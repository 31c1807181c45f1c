"""Pipes as objects: handlers of source machines that drive one target, until they are removed.

A pipe binds handlers to its sources. A source keeps its pipes, and a pipe keeps its target; a
pipe knows its sources weakly, so neither a target nor another source keeps them alive.

A `JoinedPipe` holds while any, or all, of some states of its sources are active. Its handlers do
not rely on what another thread does meanwhile: they read the sources, mutate the target, and
read the sources once more, until the last mutation agrees with what they read. A source
changes its ticks before it calls its handlers. So of two handlers that run at the same time,
the one that mutates the target last sees the changes of both sources.

The end of the target removes the pipe. A source that is disposed has no active states, so a
joined pipe that it held up removes the target's state, unless other sources hold it up.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple
from weakref import ref

from machine._enums import LogLevel
from machine._schema.state import EXCEPTION, is_error_state
from machine.errors import HandlersNotBoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from machine._transition.event import Event
    from machine._transition.owner import Machine

    Handler = Callable[[Event], object]


class PipePart(NamedTuple):
    """The handlers of one state of a source, by name."""

    source: ref[Machine]
    state: str
    target_states: Sequence[str]
    handlers: dict[str, Handler]


class Pipe:
    """What connects states of source machines to a state of a target, until it is removed."""

    __slots__ = ("__weakref__", "_disposals", "_parts", "target")

    target: Machine
    """The machine that it drives."""

    def __init__(self, target: Machine) -> None:
        self.target = target
        self._parts: list[PipePart] = []
        self._disposals: list[tuple[ref[Machine], object]] = []

    def sources(self) -> list[tuple[Machine, str]]:
        """The machines and states at which it begins; empty once it was removed."""
        found = [(part.source(), part.state) for part in list(self._parts)]
        return [(source, state) for source, state in found if source is not None]

    def remove(self) -> bool:
        """Detach it from all of its sources; False if that was done before.

        States that it added stay as they are. A transition that is under way goes on with the
        handlers that it began with. Any thread may call this.
        """
        removed = False
        while self._parts:
            with suppress(IndexError):  # another thread removes it too
                self._detach(self._parts.pop())
                removed = True
        while self._disposals:
            with suppress(IndexError):
                one, key = self._disposals.pop()
                machine = one()
                if machine is not None:
                    machine._forget_dispose(key)
        return removed

    def _attach(self, source: Machine, state: str, handlers: dict[str, Handler], *to: str) -> None:
        """Bind these handlers of a state of the source, which lead to these of the target."""
        part = PipePart(ref(source), state, to, handlers)
        source.bind_handlers(handlers)
        self._parts.append(part)
        source._keep_pipe(self)

    def _end_with_target(self) -> None:
        """Remove it when its target is disposed, which does not keep it alive."""
        own = ref(self)

        def end(_id: str, _ctx: object) -> None:
            pipe = own()
            if pipe is not None:
                pipe.remove()

        self._disposals.append((ref(self.target), self.target._on_dispose(end)))

    def _detach(self, part: PipePart) -> None:
        source = part.source()
        if source is None:
            return
        with suppress(HandlersNotBoundError):  # its user did that
            source.detach_handlers(part.handlers)
        source._drop_pipe(self)
        if source.is_disposed() or self.target.is_disposed():
            return  # there is a line about that
        source.log_lvl(LogLevel.OPS, "[pipe-out:unbind] %s to %s", part.state, self.target.id)
        for state in part.target_states:
            self.target.log_lvl(LogLevel.OPS, "[pipe-in:unbind] %s from %s", state, source.id)

    def __repr__(self) -> str:
        begins = ", ".join(f"{source.id}.{state}" for source, state in self.sources())
        return f"<Pipe from {begins or 'nothing'} to {self.target.id}>"


class JoinedPipe(Pipe):
    """A pipe that holds while any, or all, of the states of its sources are active."""

    __slots__ = ("_added", "_target_state", "_wants")

    def __init__(
        self, target: Machine, target_state: str, wants: Callable[[Iterable[bool]], bool]
    ) -> None:
        super().__init__(target)
        self._target_state = target_state
        self._wants = wants
        self._added = False

    def _join(self, source: Machine, state: str, adds: Handler, removes: Handler) -> None:
        """Begin at a state of another source; these handlers mutate the target."""

        def begin(event: Event) -> None:
            self._follow(True, lambda active: (adds if active else removes)(event))

        def end(event: Event) -> None:
            self._follow(False, lambda active: (adds if active else removes)(event))

        handlers: dict[str, Handler] = {f"{state}State": begin, f"{state}End": end}
        self._attach(source, state, handlers, self._target_state)
        key = source._on_dispose(lambda _id, _ctx: self._source_ended())
        self._disposals.append((ref(source), key))

    def _begin(self) -> None:
        """Add the target's state if the sources hold it up already."""
        self._end_with_target()
        self._follow(True, self._mutate)

    def _source_ended(self) -> None:
        if self._added:
            self._follow(False, self._mutate)

    def _follow(self, wanted: bool, mutate: Callable[[bool], object]) -> None:
        """Mutate the target until the last mutation agrees with the sources."""
        while self._parts and self._holds() is wanted:
            self._added = wanted
            mutate(wanted)
            wanted = not wanted

    def _holds(self) -> bool:
        parts = list(self._parts)
        found = [(part.source(), part.state) for part in parts]
        return self._wants(one is not None and one.is1(state) for one, state in found)

    def _mutate(self, active: bool) -> None:
        """Add or remove the target's state, when no handler of a source does."""
        state = self._target_state
        if not active:
            self.target.remove1(state)
        elif is_error_state(state):
            self.target.add((state, EXCEPTION))
        else:
            self.target.add1(state)
