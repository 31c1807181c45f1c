"""Everything that a peer can make a store keep counts, and counts as much as it takes."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType

import pytest

from am_dbg.store import Store
from am_dbg.store.eviction import free_memory
from amtracer.errors import WireError
from amtracer.wire.messages import (
    ArgsMessage,
    BatchMessage,
    DroppedMessage,
    GoneMessage,
    HelloMessage,
    LaterLinesMessage,
    LeftMessage,
    LinesMessage,
    MachineMessage,
    Message,
    OpenWorkItem,
    OpenWorkMessage,
    RefusedMessage,
    Run,
    SchemaChangedMessage,
    SchemaMessage,
    SegmentMessage,
    Shape,
    ShapeMessage,
    Source,
    StateDef,
    StepDef,
    StringsMessage,
    TroubleMessage,
)
from amtracer.wire.vocabulary import TroubleKind
from tests.dbg.histories import START_NS, hello

LIMIT = 4_000_000
FACTOR = 1.5
"""How far the count may be from what the objects take."""
_SHARED = (type, ModuleType, FunctionType, BuiltinFunctionType, MethodType, property)

Feed = Callable[[Store, int], Iterator[Message | None]]
AGAIN = Shape(0, (0,), 1, ((0, 2),))


def walked(store: Store) -> int:
    """What all objects that the store leads to take, each once."""
    seen: set[int] = set()
    total, pending = 0, [store]
    while pending:
        one = pending.pop()
        if id(one) in seen or isinstance(one, _SHARED):
            continue
        seen.add(id(one))
        total += sys.getsizeof(one)
        pending.extend(gc.get_referents(one))
    return total


def states(count: int, mark: str = "") -> tuple[StateDef, ...]:
    return tuple(StateDef(f"{mark}S{at}", multi=True) for at in range(count))


def opening(count: int = 2) -> tuple[Message, ...]:
    return (
        hello("s"),
        SchemaMessage(0, states(count)),
        MachineMessage(0, "m", 0, ticks=(1,) + (0,) * (count - 1), tx_prefix="p"),
    )


def rows(row: int, count: int = 1, shape: int = 0, **rest: object) -> BatchMessage:
    times = tuple(START_NS + row + at for at in range(count))
    return BatchMessage(runs=(Run(0, row, count),), shapes=(shape,) * count, times=times, **rest)  # type: ignore[arg-type]


def facts(number: int) -> Iterator[Message]:
    facts = {f"{number} {at}": f"{number} {at}" * 500 for at in range(20)}
    yield replace(hello(f"s{number}"), process=facts)


def with_machine(number: int) -> Iterator[Message]:
    yield hello(f"s{number}")
    yield SchemaMessage(0, states(3, f"{number}"))
    yield MachineMessage(0, f"m{number}", 0, parent=f"p{number}", tags=(f"t{number}",))


def many_schemas(number: int) -> Iterator[Message]:
    if not number:
        yield hello()
    yield SchemaMessage(number, states(50, f"{number} "))


def many_machines(number: int) -> Iterator[Message]:
    if not number:
        yield from opening()
    yield MachineMessage(number + 1, f"m{number}", 0, ticks=(number, 1_000), tx_prefix=f"p{number}")


def many_gaps(number: int) -> Iterator[Message]:
    if not number:
        yield from (*opening(), ShapeMessage(0, 0, AGAIN))
    yield rows(2 * number)
    yield DroppedMessage(0, 1, (2 * number + 1, 0), f"{number}" * 50)


def many_changes(number: int) -> Iterator[Message]:
    if not number:
        yield from opening()
    yield DroppedMessage(0, 1, (number, 0), f"{number}")
    yield SchemaChangedMessage(0, 0, (number, 1))


def many_ids(number: int) -> Iterator[Message]:
    if not number:
        yield from (*opening(), ShapeMessage(0, 0, AGAIN))
    yield rows(100 * number, 100, ids={at: f"own id {number} {at}" * 3 for at in range(100)})


def many_sources(number: int) -> Iterator[Message]:
    if not number:
        yield from (*opening(), ShapeMessage(0, 0, AGAIN))
    reported = {at: Source(f"machine {number} {at}", f"x{number}-{at}", at) for at in range(100)}
    yield rows(100 * number, 100, sources=reported)


def many_texts(number: int) -> Iterator[Message]:
    if not number:
        yield from opening()
    first = 500 * number
    yield StringsMessage(first, tuple(f"text {first + at}" * 5 for at in range(500)))
    yield LinesMessage(first, tuple(((1, first + at),) * 3 for at in range(500)))
    yield ArgsMessage(first, tuple((first + at,) * 6 for at in range(500)))


def many_shapes(number: int) -> Iterator[Message]:
    if not number:
        yield from opening(300)
    steps = tuple(StepDef(2, target=(number + at) % 300) for at in range(number % 300))
    yield ShapeMessage(number, 0, Shape(0, (0,), 1, ((0, 2 * number + 2),), steps))


def many_segments(number: int) -> Iterator[Message]:
    if not number:
        yield from opening()
    yield ShapeMessage(0, 0, AGAIN)
    yield rows(number)
    yield SegmentMessage()


def many_large_clocks(number: int) -> Iterator[Message]:
    if not number:
        yield from opening(500)
    yield ShapeMessage(0, 0, AGAIN)
    yield rows(number)
    yield SegmentMessage()


def many_that_go(number: int) -> Iterator[Message]:
    yield from many_machines(number)
    yield (GoneMessage(number + 1), LeftMessage(number + 1))[number % 2]


def many_notes(number: int) -> Iterator[Message]:
    yield from many_machines(number)
    yield TroubleMessage(number, 0, TroubleKind.LATE, f"{number}" * 50, f"place {number}" * 20)
    yield RefusedMessage(number, 0, number + 1)


def much_at_rest(number: int) -> Iterator[Message]:
    yield from many_machines(number)
    yield StringsMessage(number, (f"line {number} " * 20,))
    yield LinesMessage(number, (((1, number),) * 8,))
    yield LaterLinesMessage(number, number)
    work = (OpenWorkItem("when", f"State{at} " * 8, f"{number}") for at in range(9))
    yield OpenWorkMessage(number, tuple(work))


ONE_STREAM = (
    many_notes,
    much_at_rest,
    many_schemas,
    many_machines,
    many_gaps,
    many_changes,
    many_ids,
    many_sources,
    many_texts,
    many_shapes,
    many_segments,
    many_large_clocks,
    many_that_go,
)
NEW_STREAMS = (facts, with_machine)
EACH = [(kind, False) for kind in ONE_STREAM] + [(kind, True) for kind in NEW_STREAMS]


def feeding(store: Store, kind: Callable[[int], Iterator[Message]], anew: bool) -> Iterator[int]:
    """Feed one kind of message without end; a stream that ended is followed by the next one."""
    stream, number = store.open_stream("peer", live=True), 0
    while True:
        try:
            for message in kind(number):
                store.feed(stream, message)
            number += 1
        except WireError:
            number = -1
        if anew or number < 0:
            store.close_stream(stream)
            stream = store.open_stream("peer", live=True)
            number = max(number, 0)
        yield number


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "anew"), EACH)
def test_everything_counts(kind: Callable[[int], Iterator[Message]], anew: bool) -> None:
    """The count agrees with a walk over the real objects, whatever the store is filled with."""
    store = Store()
    before = walked(store)
    for _ in feeding(store, kind, anew):
        if store.size() > LIMIT // 2:
            break

    took = walked(store) - before
    assert took / FACTOR < store.size() < took * FACTOR


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "anew"), EACH)
def test_no_kind_of_message_leads_over_the_limit(
    kind: Callable[[int], Iterator[Message]], anew: bool
) -> None:
    """The store makes room after the message that was too much, so it never takes more."""
    store = Store(LIMIT)
    made: list[int] = []

    def on_overflow() -> None:
        free_memory(store, LIMIT)
        made.append(store.size())

    store.on_overflow = on_overflow
    for _ in feeding(store, kind, anew):
        assert store.size() <= LIMIT
        if len(made) == 3:
            break

    assert max(made) <= LIMIT
    assert walked(store) < FACTOR * LIMIT + 1_000_000


def test_what_is_forgotten_does_not_count() -> None:
    """After everything was removed nothing is left of it in the count."""
    store = Store()
    empty = store.size()
    for number in range(50):
        stream = store.open_stream("peer", live=True)
        for message in with_machine(number):
            store.feed(stream, message)
        store.close_stream(stream, "gone")
    assert store.size() > empty
    for stream in range(50):
        store.forget_stream(stream)

    assert (store.size(), list(store.tracks)) == (empty, [])


def test_the_heaviest_live_stream_ends_and_the_others_go_on() -> None:
    """A program that sends too much beside transitions harms only itself."""
    store = Store()
    quiet, loud = (store.open_stream(label, live=True) for label in ("quiet", "loud"))
    for message in opening():
        store.feed(quiet, message)
    for number in range(200):
        for message in many_schemas(number):
            store.feed(loud, message)
    (ended,) = free_memory(store, store.size() // 2)

    assert (ended.stream, ended.label) == (loud, "loud")
    assert ended.reason.endswith("MB of the memory that all streams share")
    assert store.streams[quiet].open
    assert [track.connected for track in store.tracks] == [True]


def test_what_has_ended_goes_before_what_goes_on() -> None:
    """Many small streams that came and went give way, the oldest first."""
    store = Store()
    alive = store.open_stream("alive", live=True)
    for message in opening():
        store.feed(alive, message)
    for number in range(100):
        stream = store.open_stream("came and went", live=True)
        for message in with_machine(number):
            store.feed(stream, message)
        store.close_stream(stream)

    assert free_memory(store, store.size() // 2) == []
    assert store.streams[alive].open
    kept = [track.key for track in store.tracks]
    assert kept[0] == "m"
    assert kept[1:] == [f"m{number}" for number in range(100 - len(kept) + 1, 100)]


def test_a_hello_is_weighed_by_all_of_its_facts() -> None:
    """A fact counts as long as it is."""
    sizes = []
    for chars in (10, 60_000):
        store = Store()
        sent: HelloMessage = replace(hello(), process={"fact": "x" * chars})
        store.feed(store.open_stream("peer", live=True), sent)
        sizes.append(store.size())

    assert sizes[1] - sizes[0] == 60_000 - 10
