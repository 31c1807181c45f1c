"""Sessions for tests of what is shown: one transition after another, with fixed times."""

from __future__ import annotations

from collections.abc import Sequence

from am_dbg.store import Store, Track
from amtracer.encode.stream_writer import StreamWriter
from amtracer.wire.messages import HelloMessage, Message, Shape, Source, StateDef, StepDef
from amtracer.wire.vocabulary import ShapeFlag, StepFlag
from tests.transitions import RecordedTransition, write_transition

START_NS = 1_700_000_000_000_000_000
MILLISECOND = 1_000_000

FILES = (
    StateDef("Start"),
    StateDef("Ready", require=("Start",)),
    StateDef("ProcessingFile", require=("Start",), remove=("FileProcessed",)),
    StateDef("FileProcessed", add=("Logged",), remove=("ProcessingFile",)),
    StateDef("InProgress", auto=True, require=("ProcessingFile",)),
    StateDef("Logged", after=("FileProcessed",)),
    StateDef("Ping", multi=True),
    StateDef("Healthcheck", multi=True),
    StateDef("Exception", multi=True),
)
REQUESTED, SET, REMOVE, REMOVE_NOT_ACTIVE, CANCEL, RELATION, HANDLER = 32, 4, 8, 16, 64, 1, 2
AFTER, ADD, REQUIRE, BLOCK = 0, 1, 2, 3


class Teller:
    """Records what one machine does; every call is a transition a millisecond later."""

    def __init__(self, story: Story, id: str, number: int, states: tuple[StateDef, ...]) -> None:
        self.story = story
        self.id = id
        self.number = number
        self.names = [state.name for state in states]
        self.ticks = [0] * len(states)
        self.count = 0

    def index(self, name: str) -> int:
        return self.names.index(name) if name else -1

    def step(
        self, type: int, source: str = "", target: str = "", *, relation: int = -1, flags: int = 0
    ) -> StepDef:
        return StepDef(type, relation, flags, self.index(source), self.index(target))

    def handler(self, name: str, flags: int = 0) -> StepDef:
        """The step of a handler by its name, such as `PingState` or `PingEnter`."""
        for suffix, kind in (("State", 1 | 4), ("End", 1), ("Enter", 4), ("Exit", 0)):
            state = name.removesuffix(suffix)
            if name.endswith(suffix) and state in self.names:
                source, target = ("", state) if suffix == "Enter" else (state, "")
                return self.step(HANDLER, source, target, flags=kind | flags)
        raise AssertionError(name)

    def add(self, *called: str, **rest: object) -> int:
        return self.mutate(0, called, added=rest.pop("added", called), **rest)  # type: ignore[arg-type]

    def remove(self, *called: str, **rest: object) -> int:
        return self.mutate(1, called, removed=rest.pop("removed", called), **rest)  # type: ignore[arg-type]

    def cancel(self, *called: str, **rest: object) -> int:
        return self.mutate(0, called, accepted=False, **rest)  # type: ignore[arg-type]

    def mutate(
        self,
        type: int,
        called: Sequence[str],
        added: Sequence[str] = (),
        removed: Sequence[str] = (),
        *,
        accepted: bool = True,
        auto: bool = False,
        steps: Sequence[StepDef] = (),
        lines: Sequence[tuple[int, str]] = (),
        args: Sequence[tuple[str, str]] = (),
        source: Source | None = None,
        duration_ns: int = 0,
        handler_ns: Sequence[int] = (),
        queue_len: int = 0,
        after_ns: int = MILLISECOND,
    ) -> int:
        """One transition; returns its number."""
        changes = []
        for name in (*added, *removed):
            index, sign = self.index(name), 1 if name in added else -1
            self.ticks[index] += 1
            changes.append((index, sign))
        flags = (ShapeFlag.ACCEPTED if accepted else 0) | (ShapeFlag.AUTO if auto else 0)
        indexes = tuple(self.index(name) for name in called)
        self.story.now += after_ns
        write_transition(
            self.story.writer,
            self.number,
            RecordedTransition(
                Shape(type, indexes, flags, tuple(changes), tuple(steps)),
                self.story.now,
                duration_ns=duration_ns,
                queue_len=queue_len,
                lines=tuple(lines),
                args=tuple(args),
                source=source,
                handler_ns=tuple(handler_ns),
            ),
        )
        self.count += 1
        return self.count

    def lose(self, count: int, reason: str = "") -> None:
        self.story.writer.dropped(self.number, count, tuple(self.ticks), reason)

    @property
    def prefix(self) -> str:
        return f"{self.number + 1:016x}"

    def tx(self, number: int) -> str:
        return f"{self.prefix}{number:016x}"


class Story:
    """A stream of several machines."""

    def __init__(self, **limits: int) -> None:
        self.messages: list[Message] = []
        self.now = START_NS
        hello = HelloMessage(version=1, session="story", wall_ns=START_NS, mono_ns=0)
        self.writer = StreamWriter(self.messages.append, hello, **limits)
        self.tellers: list[Teller] = []

    def machine(
        self,
        id: str,
        states: tuple[StateDef, ...] = FILES,
        parent: str = "",
        tags: tuple[str, ...] = (),
    ) -> Teller:
        number = self.writer.machine(
            id,
            self.writer.schema(states),
            parent=parent,
            tags=tags,
            ticks=(0,) * len(states),
            tx_prefix=f"{len(self.tellers) + 1:016x}",
        )
        self.tellers.append(Teller(self, id, number, states))
        return self.tellers[-1]

    def store(self, *, live: bool = False) -> Store:
        """The store with everything recorded so far."""
        store = Store()
        self.fill(store, live=live)
        return store

    def fill(self, store: Store, *, live: bool = False) -> int:
        self.writer.flush()
        stream = store.open_stream("story", live=live)
        for message in self.messages:
            store.feed(stream, message)
        if not live:
            store.close_stream(stream)
        return stream


def files_story() -> Story:
    """A program that processes a file: relations, a denial, an error, a lost piece, a child."""
    story = Story()
    worker = story.machine("worker", tags=("demo", "ver:1"))
    child = story.machine("worker-child", parent="worker", tags=("demo",))
    worker.add("Start", args=(("name", "boot"),), lines=((2, "[add] Start"),))
    child.add("Start", source=Source("worker", worker.tx(1), 0))
    worker.add(
        "ProcessingFile",
        steps=(
            worker.step(REQUESTED, target="ProcessingFile"),
            worker.step(SET, target="ProcessingFile"),
            worker.step(RELATION, "ProcessingFile", "Start", relation=REQUIRE),
            worker.handler("ProcessingFileEnter"),
            worker.handler("ProcessingFileState"),
        ),
        args=(("file", "README.md"),),
        duration_ns=1_440_000,
        handler_ns=(80_000, 1_310_000),
        lines=((2, "[handler:0] ProcessingFileEnter"), (2, "[when:new] FileProcessed")),
    )
    worker.mutate(0, ("InProgress",), ("InProgress",), auto=True)
    worker.cancel(
        "Ping",
        steps=(
            worker.step(REQUESTED, target="Ping"),
            worker.step(SET, target="Ping"),
            worker.handler("PingEnter", StepFlag.DENIED),
        ),
    )
    worker.add("Healthcheck")
    for _ in range(3):
        worker.add("Ping")
        worker.remove("Ping")
    worker.lose(4, "the buffer was full")
    worker.add(
        "FileProcessed",
        added=("FileProcessed", "Logged"),
        removed=("ProcessingFile", "InProgress"),
        steps=(
            worker.step(REQUESTED, target="FileProcessed"),
            worker.step(SET, target="FileProcessed"),
            worker.step(RELATION, "FileProcessed", "Logged", relation=ADD),
            worker.step(SET, target="Logged"),
            worker.step(RELATION, "FileProcessed", "ProcessingFile", relation=BLOCK),
            worker.step(REMOVE, target="ProcessingFile"),
            worker.step(RELATION, "InProgress", "ProcessingFile", relation=REQUIRE),
            worker.step(REMOVE, target="InProgress"),
        ),
        source=Source("worker-child", child.tx(1), 0),
        lines=((2, "[when:match] FileProcessed"),),
        after_ns=2_000 * MILLISECOND,
    )
    worker.add(
        "Exception",
        lines=((1, "[error] connection reset\npeers.py:118 in dial"),),
        args=(("err", "connection reset"),),
    )
    worker.remove("Exception")
    return story


def track_of(story: Story, id: str = "worker") -> Track:
    track = story.store().find(id)
    assert track is not None
    return track


def long_track(count: int) -> Track:
    """One machine that pings many times, a microsecond apart."""
    story = Story()
    teller = story.machine("pinger", (StateDef("Ping"), StateDef("Exception")))
    for _ in range(count // 2):
        teller.add("Ping", after_ns=1_000)
        teller.remove("Ping", after_ns=1_000)
    return track_of(story, "pinger")
