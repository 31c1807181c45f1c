"""A transition with everything that is recorded about it, for tests that write streams."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

from amtracer.encode.stream_writer import StreamWriter
from amtracer.wire.messages import Shape, Source
from amtracer.wire.truncate import Lines


@dataclass(frozen=True, slots=True)
class RecordedTransition:
    """The arguments of `StreamWriter.record`; `args` are pairs of key and text."""

    shape: Shape
    time_ns: int
    duration_ns: int = 0
    queue_len: int = 0
    lines: Lines = ()
    pre_lines: Lines = ()
    source: Source | None = None
    args: tuple[tuple[str, str], ...] = ()
    handler_ns: tuple[int, ...] = ()
    id: str = ""
    queue_tick: int = 0


def write_transition(writer: StreamWriter, machine: int, recorded: RecordedTransition) -> None:
    """Add a transition to a stream."""
    writer.record(
        machine,
        recorded.shape,
        recorded.time_ns,
        recorded.duration_ns,
        recorded.queue_len,
        recorded.lines,
        recorded.pre_lines,
        recorded.source,
        tuple(chain.from_iterable(recorded.args)),
        recorded.handler_ns,
        recorded.id,
        recorded.queue_tick,
    )
