"""The cost of tracing: bytes, time of the thread that mutates, and CPU of all threads.

The baseline is a tracer that does nothing, with the one hook that the real tracer uses. Both
machines run the same mutations of a mixed workload in turns, at a steady pace. The debugger
runs in another process. Encoding is timed separately, without threads or sockets.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import cycle, islice
from time import perf_counter_ns, process_time_ns, thread_time_ns
from typing import Any

import amtracer
import machine as am
from am_dbg.store import Store
from amtracer.send.event_writer import EventWriter
from amtracer.send.events import TracerEvent
from amtracer.send.registry import sender_to
from amtracer.tracer import MachineTracer
from amtracer.wire.codec import FrameReader, FrameWriter
from amtracer.wire.messages import PROTOCOL_VERSION, HelloMessage, Message
from benchmarks.memory import loose_struct, moves
from benchmarks.serving import Deaf, Debugger
from benchmarks.workloads import Step, load

PER_SECOND = 10_000
BURST = 10
WARM_UP = 4_000
BYTES_MAX = 16
FLUSH_EVERY = 200
"""Transitions between two flushes: the sender's 20 ms at this pace."""


class Silent(am.Tracer):
    """The baseline: a hook at the end of each transition that does nothing."""

    def transition_end(self, tx: am.Transition) -> None:
        """Do nothing."""


class Kept:
    """Takes the place of a sender, and keeps the events of a tracer."""

    asleep = False

    def __init__(self) -> None:
        self.events: list[TracerEvent] = []
        self.append = self.events.append


# -- bytes and encoding


@dataclass(frozen=True, slots=True)
class Encoding:
    """For each transition: bytes with all definitions, and CPU nanoseconds after the first.

    `sent` is what goes over the wire, the magic first.
    """

    bytes: float
    ns: float
    sent: list[bytes]


def repeated(count: int) -> list[TracerEvent]:
    """The events of the mixed workload, repeated, from the first transition on."""
    workload = load("mixed30")
    mach, events = _traced(workload.machine())
    for call, args in islice(cycle(workload.steps(mach)), count):
        call(*args)
    return events


def missed(count: int) -> list[TracerEvent]:
    """The same events of a machine without a cache, so each transition has a new plan."""
    workload = load("mixed30")
    mach, events = _traced(workload.machine(0))
    for call, args in islice(cycle(workload.steps(mach)), count):
        call(*args)
    return events


def unique(count: int) -> list[TracerEvent]:
    """The events of a walk in which nearly all configurations and all arguments are new."""
    struct = loose_struct()
    mach, events = _traced(am.Machine(None, struct))
    for number, (adding, states) in enumerate(moves(struct, count)):
        (mach.add if adding else mach.remove)(states, {"name": f"file {number}"})
    return events


def _traced(mach: am.Machine) -> tuple[am.Machine, list[TracerEvent]]:
    kept: Any = Kept()
    tracer = MachineTracer(mach, kept, None)
    tracer.send_snapshot(mach)
    mach.bind_tracer(tracer)
    return mach, kept.events


def encode(events: list[TracerEvent], first: int = 0) -> Encoding:
    """Record events as the sender does, in portions of one flush.

    The time of the first events does not count, because they carry most of the definitions.
    """
    frames = FrameWriter()
    sent = [frames.magic()]

    def emit(message: Message) -> None:
        sent.append(frames.write(message))

    writer = EventWriter(0, _refuse)
    writer.begin(emit, HelloMessage(PROTOCOL_VERSION, "00", 0, 0, "py", {}))
    gc.collect()
    begin = process_time_ns()
    for number, event in enumerate(events):
        if number == first:
            begin = process_time_ns()
        writer.write(event)
        if number % FLUSH_EVERY == 0:
            writer.flush()
            sent.append(frames.flush())
    writer.flush()
    sent.append(frames.end())
    spent = process_time_ns() - begin
    return Encoding(sum(map(len, sent)) / len(events), spent / (len(events) - first), sent)


def ingest(sent: list[bytes], first: int = 0) -> float:
    """CPU nanoseconds for each transition that a debugger receives, checks and stores.

    The time of the first transitions does not count.
    """
    store, decoder = Store(), FrameReader()
    stream = store.open_stream("benchmark", live=True)
    gc.collect()
    begin, skipped = process_time_ns(), 0
    for data in sent:
        for message in decoder.feed(data):
            store.feed(stream, message)
        if skipped < first <= store.transitions:
            begin, skipped = process_time_ns(), store.transitions
    return (process_time_ns() - begin) / (store.transitions - skipped)


def _refuse(why: str) -> None:
    raise AssertionError(why)


# -- the mutating thread


@dataclass(frozen=True, slots=True)
class Added:
    """The cost of tracing, in nanoseconds for each transition.

    `p50` and `p99` are the times beyond the silent tracer, on the thread that mutates.
    `longest` is the longest mutation, `longest_silent` the longest one with the silent tracer.
    `others` is the CPU time of all other threads. `bytes` counts what is sent to the debugger,
    including definitions.
    """

    p50: float
    p99: float
    longest: float
    longest_silent: float
    others: float
    bytes: float
    made: int
    arrived: int


def paced(seconds: float) -> Added:
    """Mutate at a steady pace while a debugger in another process listens."""
    with Debugger() as debugger:
        _, silent_steps = _mixed(None)
        traced, traced_steps = _mixed(debugger.address)
        _run(WARM_UP, silent_steps, traced_steps)
        debugger.wait_for(traced._tx_number)
        first = traced._tx_number
        ours, base, others = _run(int(seconds * PER_SECOND), traced_steps, silent_steps)
        made = traced._tx_number - first
        arrived = debugger.wait_for(traced._tx_number) - first
        sent = _sender(debugger.address)._sink.sent
        amtracer.close()
    return Added(
        statistics.median(ours) - statistics.median(base),
        _percentile(ours, 0.99) - _percentile(base, 0.99),
        max(ours),
        max(base),
        others / made,
        sent / traced._tx_number,
        made,
        arrived,
    )


def _mixed(address: str | None) -> tuple[am.Machine, Iterator[Step]]:
    """A machine of the mixed workload, and an endless iterator of its mutations."""
    workload = load("mixed30")
    mach = workload.machine()
    if address is None:
        mach.bind_tracer(Silent())
    else:
        amtracer.attach(mach, address)
    return mach, cycle(workload.steps(mach))


def _sender(address: str) -> Any:
    return sender_to(f"tcp:{address}", _no_sink)


def _no_sink() -> Any:
    raise LookupError("nothing is attached to this address")


def _run(
    count: int, first: Iterator[Step], second: Iterator[Step]
) -> tuple[list[int], list[int], int]:
    """Times of the steps of both machines, in bursts, and the CPU time of other threads.

    The machines take turns in being first, because the first one has fewer cache hits.
    """
    times: tuple[list[int], list[int]] = ([], [])
    gc.collect()
    due = perf_counter_ns()
    cpu = process_time_ns() - thread_time_ns()
    for _ in range(count // BURST):
        for number in range(BURST):
            if number % 2:
                times[1].append(_timed(*next(second)))
            times[0].append(_timed(*next(first)))
            if not number % 2:
                times[1].append(_timed(*next(second)))
        due += BURST * 1_000_000_000 // PER_SECOND
        time.sleep(max(0, due - perf_counter_ns()) / 1e9)
    return *times, process_time_ns() - thread_time_ns() - cpu


def _timed(call: Callable[..., object], args: tuple[Any, ...]) -> int:
    begin = perf_counter_ns()
    call(*args)
    return perf_counter_ns() - begin


def _percentile(times: list[int], part: float) -> float:
    return sorted(times)[int(part * len(times))]


def stuck(count: int) -> tuple[list[int], list[int]]:
    """Times of mutations while the other side accepts and never reads; and without a tracer."""
    workload = load("mixed30")
    with Deaf() as deaf:
        mach = workload.machine()
        amtracer.attach(mach, deaf.address)
        ours = [_timed(*step) for step in islice(cycle(workload.steps(mach)), count)]
        amtracer.close()
    bare = workload.machine()
    return ours, [_timed(*step) for step in islice(cycle(workload.steps(bare)), count)]
