"""The queue of a Go machine: matches queued mutations with the transitions that run them.

A program reports each mutation twice: when it is queued, with the stack of the call and
an error among its arguments, and when it is carried out. Numbers match the two reports. A
mutation at the end of the queue has the queue tick at which it will run; one that is put
before the others has a token. A transition has that token, or else its tick.

While a transition runs, the queue has the tick of that transition, and so have the mutations
that are queued meanwhile. The transition caused them, unless they are automatic or their stack
has no handler: then another thread did.

A fast program can report a mutation after its transition; `GoQueue.is_late` finds out. Older
programs send no such numbers: their mutations belong to the transition that follows.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from am_dbg.ingest.golang.records import GoTransition
from am_dbg.store import LogLine
from amtracer.wire import limits
from amtracer.wire.messages import Source
from amtracer.wire.vocabulary import mutation_word

MUTATIONS_MAX = 2_048
"""The most mutations that are kept of a machine; the oldest go first."""
LOOSE_MAX = limits.LINES_MAX // 4
"""The most mutations without a number, which wait for the next transition."""
STACK_CHARS_MAX = 16_384
_RUN_MAX = 64
"""The newest transitions, whose mutations can be reported late."""

_OPS, _EVERYTHING = 2, 4
_HANDLER_LOOP = ".handlerLoop("
"""A function in the stack of every call from a handler."""

_Key = tuple[bool, int]


@dataclass(slots=True)
class Queued:
    """A mutation that waits; `source` is the transition that asked for it.

    `is_logged` is whether a transition has the line about it, `is_run` whether it no longer
    waits.
    """

    go: GoTransition
    names: str
    source: Source | None = None
    is_logged: bool = False
    is_run: bool = False

    def line(self) -> LogLine:
        """The line that the program logs at a high level."""
        kind = mutation_word(self.go.type)
        args = " ".join(f"{key}={text}" for key, text in self.go.args)
        where = "prepend" if self.go.token else "queue"
        return _OPS, f"[{where}:{kind}] {self.names}" + (f" ({args})" if args else "")

    def stack(self) -> tuple[LogLine, ...]:
        """A line with the stack of the call, if it is known."""
        if not self.go.stack:
            return ()
        return ((_EVERYTHING, f"[queue:stack] {self.names}\n{self.go.stack[:STACK_CHARS_MAX]}"),)

    def is_in(self, lines: tuple[LogLine, ...]) -> bool:
        """Whether the program logged it, perhaps with other arguments."""
        kind = self.line()[1].partition(" ")[0]
        bare = f"{kind} {self.names}"
        with_args = f"{bare} ("
        return any(
            text.startswith(bare) and (text == bare or text.startswith(with_args))
            for _, text in lines
        )


class GoQueue:
    """The queue of one machine; `is_reported` is whether the program reports it."""

    def __init__(self) -> None:
        self._waiting: dict[_Key, Queued] = {}
        self._unlogged: list[Queued] = []
        self._loose: list[Queued] = []
        self._run: deque[_Key] = deque(maxlen=_RUN_MAX)
        self.is_reported = False

    def put(self, mutation: Queued) -> None:
        """Add a mutation that waits."""
        key = _key_queued(mutation.go)
        if key is None:
            if len(self._loose) < LOOSE_MAX:
                self._loose.append(mutation)
            return
        self.is_reported = True
        self._waiting[key] = mutation
        self._unlogged.append(mutation)
        if len(self._waiting) > MUTATIONS_MAX:
            self._waiting.pop(next(iter(self._waiting))).is_run = True

    def take(self, go: GoTransition) -> Queued | None:
        """The mutation that a transition carries out."""
        key = _key_run(go)
        if key is None:
            return None
        self._run.append(key)
        found = self._waiting.pop(key, None)
        if found is not None:
            found.is_run = True
        return found

    def is_late(self, go: GoTransition) -> bool:
        """Whether a mutation is reported as queued after it was carried out."""
        return _key_queued(go) in self._run

    def loose(self) -> list[Queued]:
        """Take the mutations without a number; they belong to the next transition."""
        loose, self._loose = self._loose, []
        return loose

    def asked_by(self, go: GoTransition, source: Source) -> list[Queued]:
        """Take the mutations that were queued while a transition ran; it gets their lines."""
        unlogged = [one for one in self._unlogged if not one.is_run]
        found = [one for one in unlogged if one.go.queue_tick == go.queue_tick]
        self._unlogged = [one for one in unlogged if one.go.queue_tick != go.queue_tick]
        for one in found:
            one.is_logged = True
            stack = one.go.stack
            if not one.go.auto and (not stack or _HANDLER_LOOP in stack):
                one.source = source
        return found


def _key_queued(go: GoTransition) -> _Key | None:
    if go.token:
        return True, go.token
    return (False, go.mutation_tick) if go.mutation_tick else None


def _key_run(go: GoTransition) -> _Key | None:
    if go.token:
        return True, go.token
    return (False, go.queue_tick) if go.queue_tick else None
