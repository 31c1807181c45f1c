"""Shapes that are read and taken in as columns are like shapes that come one by one."""

from __future__ import annotations

import zlib
from typing import Any

import msgpack
from hypothesis import given
from hypothesis import strategies as st

from am_dbg.store import Store
from am_dbg.store.definitions.shape_table import ShapeTable
from amtracer.errors import WireError
from amtracer.wire import limits
from amtracer.wire.bodies import body_of as body_of_message
from amtracer.wire.codec import FrameReader, encode, magic_frame
from amtracer.wire.messages import (
    LinesMessage,
    Message,
    MessageKind,
    SchemaMessage,
    Shape,
    ShapeMessage,
    ShapesMessage,
    StateDef,
    StepDef,
)
from amtracer.wire.shape_columns import SHAPES_MIN, VALUES_MAX
from amtracer.wire.vocabulary import ShapeFlag, StepFlag, StepKind
from tests.wire.streams import HELLO

STATES = ("A", "B", "C", "Exception", "Healthcheck", "F")
OPENING = (
    encode(HELLO),
    encode(SchemaMessage(0, tuple(map(StateDef, STATES)))),
    encode(SchemaMessage(1, (StateDef("Only"),))),
    encode(LinesMessage(0, ((), ()))),
)


def code_of(kind: StepKind, flags: int = 0) -> int:
    """The number of a step on the wire, without its states."""
    body: Any = body_of_message(
        ShapeMessage(0, 0, Shape(0, (), 1, (), (StepDef(kind, -1, flags),)))
    )
    code: int = body[-1][0]
    return code


CODES = (
    code_of(StepKind.SET),
    code_of(StepKind.RELATION),
    code_of(StepKind.HANDLER),
    code_of(StepKind.HANDLER, StepFlag.FAILED),
)
SET = (CODES[0], -1, 0)
ODD_VALUES = (-1, True, 1.0, None, "x", (), 300, 2**16, 2**63, 2**64 - 1)

odd = st.sampled_from(ODD_VALUES)
state = st.integers(0, len(STATES) - 1)
growth = st.sampled_from([1, 1, 1, -1, 2, -2, 3, limits.GROWTH_MAX, -limits.GROWTH_MAX])
step = st.tuples(st.sampled_from(CODES), state, state)
usual = st.tuples(
    st.just(0),
    st.sampled_from([0, 1, 2]),
    st.integers(0, 15),
    st.lists(state, unique=True, max_size=4),
    st.lists(st.tuples(state, growth), unique_by=lambda one: one[0], max_size=4),
    st.integers(0, 2),
    st.lists(step, max_size=5),
)


def flat(groups: list[tuple[Any, ...]]) -> list[Any]:
    return [value for group in groups for value in group]


def body_of(number: int, one: tuple[Any, ...]) -> list[Any]:
    """A body as a sender writes it, without empty values at its end."""
    schema, kind, flags, called, changes, lines, steps = one
    body = [int(MessageKind.SHAPE), number, schema, kind, flags, called]
    body += [flat(changes), lines, flat(steps)]
    while len(body) > 6 and not body[-1]:
        body.pop()
    return body


@st.composite
def runs_of_bodies(draw: st.DrawFn) -> list[list[Any]]:
    """Shapes in a row, mostly good, at times with one value that does not belong there."""
    bodies = [body_of(at, one) for at, one in enumerate(draw(st.lists(usual, max_size=12)))]
    if bodies and draw(st.booleans()):
        place: list[Any] = draw(st.sampled_from(bodies))
        if draw(st.booleans()):
            inner = [one for one in place if isinstance(one, list) and one]
            place = draw(st.sampled_from(inner)) if inner else place
        at = draw(st.integers(0 if place[0] != MessageKind.SHAPE else 1, len(place) - 1))
        place[at : at + draw(st.integers(0, 1))] = [draw(odd)]
    return bodies


def frame_of(bodies: list[list[Any]]) -> bytes:
    """One frame of all bodies."""
    body = msgpack.packb([int(MessageKind.BUNDLE), *bodies])
    return len(body).to_bytes(4, "big") + zlib.crc32(body).to_bytes(4, "big") + body


def read(data: bytes, *, in_columns: bool) -> tuple[list[Message], str]:
    """The messages of a connection, and the error that ended it."""
    reader, found = FrameReader(in_columns=in_columns), list[Message]()
    try:
        found.extend(reader.feed(magic_frame() + data))
    except WireError as error:
        return found, str(error)
    return found, ""


def one_by_one(messages: list[Message]) -> list[Message]:
    """The messages, with each shape by itself."""
    listed: list[Message] = []
    for message in messages:
        listed += message.messages() if isinstance(message, ShapesMessage) else (message,)
    return listed


def taken(messages: list[Message]) -> tuple[Any, str]:
    """What the store knows of the shapes, and the error that ended them."""
    store = Store()
    stream, error = store.open_stream("test", live=True), ""
    try:
        for message in messages:
            store.feed(stream, message)
    except WireError as found:
        error = str(found)
    dictionary = store.streams[stream].dictionary
    table = dictionary.shape_table
    shapes = [dictionary.shape(number) for number in range(len(table))]
    masks = [dictionary.activity[number] for number in range(len(table))]
    return (shapes, masks, *contents(table)), error


def contents(table: ShapeTable) -> list[Any]:
    """The columns of a table."""
    apart = ("growth", "packed", "lost")
    rest = [getattr(table, name) for name in ShapeTable.__slots__ if name not in apart]
    growth = table.growth.span(0, len(table.growth_states))
    return [*rest, list(growth), table.packed.joined(0, len(table))]


@given(runs_of_bodies())
def test_columns_have_the_shapes_and_the_errors_of_single_ones(bodies: list[list[Any]]) -> None:
    """A frame of shapes means the same, and fails in the same way, however it is read."""
    single, error = read(frame_of(bodies), in_columns=False)
    columns, error_of_columns = read(frame_of(bodies), in_columns=True)

    assert one_by_one(columns) == single
    assert error_of_columns == error


@given(runs_of_bodies())
def test_the_store_takes_columns_as_it_takes_single_shapes(bodies: list[list[Any]]) -> None:
    """What the store keeps of shapes, and what it refuses, do not depend on how they are read."""
    data = b"".join((*OPENING, frame_of(bodies)))
    single, _ = read(data, in_columns=False)
    columns, _ = read(data, in_columns=True)

    assert taken(columns) == taken(single)


def test_the_shapes_of_one_frame_are_one_message() -> None:
    """A thousand shapes are read without a message for each."""
    shape = (0, 0, int(ShapeFlag.ACCEPTED), [0], [(0, 1)], 0, [SET])
    found, _ = read(frame_of([body_of(at, shape) for at in range(1_000)]), in_columns=True)

    assert [len(message.types) for message in found if isinstance(message, ShapesMessage)] == [
        1_000
    ]


def test_shapes_of_two_schemas_are_two_messages() -> None:
    """Columns have the shapes of one schema."""
    bodies = [body_of(at, (at // 5, 0, 1, [0], [], 0, [])) for at in range(10)]
    found, _ = read(frame_of(bodies), in_columns=True)

    assert [message.schema for message in found if isinstance(message, ShapesMessage)] == [0, 1]


def test_a_few_shapes_come_one_by_one() -> None:
    """Columns of a few shapes would cost more than they save."""
    bodies = [body_of(at, (0, 0, 1, [0], [], 0, [])) for at in range(SHAPES_MIN)]

    assert len(read(frame_of(bodies), in_columns=True)[0]) == 1
    assert len(read(frame_of(bodies[1:]), in_columns=True)[0]) == SHAPES_MIN - 1


def test_columns_are_limited_in_values() -> None:
    """Shapes with very many values are read one by one, so their columns take no memory."""
    steps = [SET] * (VALUES_MAX // 3 // 8)
    bodies = [body_of(at, (0, 0, 1, [], [], 0, steps)) for at in range(8)]

    assert len(read(frame_of(bodies), in_columns=True)[0]) == 1
    bodies.append(body_of(8, (0, 0, 1, [], [], 0, [SET] * 6)))
    assert len(read(frame_of(bodies), in_columns=True)[0]) == 9


def test_the_last_shape_of_a_segment_can_come_in_columns() -> None:
    """Columns reach the limit of shapes of a segment; one more shape is refused by its number."""
    last = limits.SHAPES_MAX
    one = (0, 0, 1, [0], [], 0, [])
    fits = [body_of(last - 4 + at, one) for at in range(4)]
    found, error = read(frame_of(fits), in_columns=True)
    assert (len(found), error) == (1, "")

    _, error = read(frame_of([body_of(last - 3 + at, one) for at in range(4)]), in_columns=True)
    assert "shape is not a number from 0 to 65,535" in error
