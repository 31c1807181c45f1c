"""Streams of version 1 of the protocol can still be read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgpack
import pytest

from amtracer.errors import WireError
from amtracer.files.session import read_session
from amtracer.wire import limits
from amtracer.wire.codec import encode, magic_frame
from amtracer.wire.messages import (
    LinesMessage,
    MachineMessage,
    Message,
    MessageKind,
    SchemaMessage,
    Shape,
    ShapeMessage,
    Source,
    StepDef,
    StringsMessage,
)
from tests.wire.streams import HELLO, STATES, decoded, read_back
from tests.wire.test_frames import frame

BEGINNING: list[Message] = [
    HELLO,
    SchemaMessage(0, STATES),
    MachineMessage(0, "m", 0, tx_prefix="ab" * 8),
    StringsMessage(0, ("one", "two")),
]
SHAPE = (int(MessageKind.SHAPE_V1), 0, 0, 0, 1, [0], [0, 1], [32, -1, 0, -1, 0, 2, -1, 1, 0, -1])
LINES = (int(MessageKind.LINES_V1), 0, [1, 0, 2, 1])
BATCH = (int(MessageKind.BATCH_V1), 0, 0, [0, 0, 0], [100, 7, -3], [4, 5, 6], [0, 1, 0], [0, 1, 0])
REST = (
    ["n", "cd"],
    [1, 0, 9, 3],
    [0, [0, 1], 2, [1, 0]],
    [2, 1],
    [0, [8], 2, [9, 9]],
    [1, "own"],
    [0, 0, 7, 5],
)


def read(*bodies: tuple[Any, ...]) -> list[Message]:
    beginning = b"".join(map(encode, BEGINNING))
    data = b"".join(frame(msgpack.packb(body)) for body in bodies)
    return decoded(magic_frame() + beginning + data)


def test_every_column_of_a_batch_is_read() -> None:
    """Offsets as they are, a line set for each transition, times in nanoseconds."""
    first, second, third = read_back(read(SHAPE, LINES, (*BATCH, *REST))).transitions[0]

    assert [one.time_ns for one in (first, second, third)] == [100, 107, 104]
    assert [one.duration_ns for one in (first, second, third)] == [4, 5, 6]
    assert [one.queue_len for one in (first, second, third)] == [0, 1, 0]
    assert [one.lines for one in (first, third)] == [(), ()]
    assert second.lines == third.pre_lines == ((1, "one"), (2, "two"))
    assert (first.args, third.args) == ((("one", "two"),), (("two", "one"),))
    assert (first.handler_ns, second.handler_ns, third.handler_ns) == ((8,), (), (9, 9))
    assert first.source == Source("m", "ab" * 8 + f"{7:016x}", 5)
    assert second.source == Source("n", f"cd{9:016x}", 3)
    assert second.id == "own"


def test_definitions_are_read() -> None:
    """A shape has no line set, a message defines one set of lines."""
    *_, shape, lines = read(SHAPE, LINES)
    steps = (StepDef(32, target=0), StepDef(2, flags=1, source=0))

    assert shape == ShapeMessage(0, 0, Shape(0, (0,), 1, ((0, 1),), steps))
    assert lines == LinesMessage(0, (((1, 0), (2, 1)),))


def steps(count: int, *step: int) -> tuple[Any, ...]:
    return (*SHAPE[:-1], list(step) * count)


PAST: dict[str, tuple[tuple[Any, ...], tuple[Any, ...]]] = {
    "steps": (
        steps(limits.STEPS_MAX, 1, -1, 0, -1, 0),
        steps(limits.STEPS_MAX + 1, 1, -1, 0, -1, 0),
    ),
    "step type": (steps(1, 255, -1, 0, -1, 0), steps(1, 256, -1, 0, -1, 0)),
    "step relation": (steps(1, 1, -1, 0, -1, 0), steps(1, 1, -2, 0, -1, 0)),
    "step flags": (steps(1, 1, 0, 255, -1, 0), steps(1, 1, 0, -1, -1, 0)),
    "step target": (
        steps(1, 1, 0, 0, -1, limits.STATES_MAX - 1),
        steps(1, 1, 0, 0, -1, limits.STATES_MAX),
    ),
    "lines": (
        (int(MessageKind.LINES_V1), 0, [1, 0] * limits.LINES_MAX),
        (int(MessageKind.LINES_V1), 0, [1, 0] * (limits.LINES_MAX + 1)),
    ),
    "log level": (
        (int(MessageKind.LINES_V1), 0, [255, 0]),
        (int(MessageKind.LINES_V1), 0, [256, 0]),
    ),
    "line set of a row": (
        (*BATCH[:-1], [0, limits.LINE_SETS_MAX, 0]),
        (*BATCH[:-1], [0, limits.LINE_SETS_MAX + 1, 0]),
    ),
    "arguments": (
        (*BATCH, [], [], [0, [0, 0] * limits.ARGS_MAX]),
        (*BATCH, [], [], [0, [0, 0] * (limits.ARGS_MAX + 1)]),
    ),
    "offset": ((*BATCH, [], [], [], [2, 1]), (*BATCH, [], [], [], [3, 1])),
    "order of offsets": ((*BATCH, [], [], [], [0, 1, 1, 1]), (*BATCH, [], [], [], [1, 1, 1, 1])),
}


@pytest.mark.parametrize("name", PAST)
def test_a_limit_is_read_and_one_past_it_is_refused(name: str) -> None:
    """A reader takes what is at a limit and refuses what is over it."""
    at, past = PAST[name]

    assert len(read(at)) == len(BEGINNING) + 1
    with pytest.raises(WireError):
        read(past)


def test_the_recorded_session_is_one_of_version_1() -> None:
    """It says so itself, and has all kinds of transitions."""
    session = Path(__file__).resolve().parents[2] / "exports" / "version-1.msgpack.br"
    reader = read_back(stream := list(read_session(session)))

    assert {one.version for one in stream if hasattr(one, "wall_ns")} == {1}
    assert sum(map(len, reader.transitions.values())) > 1_000
