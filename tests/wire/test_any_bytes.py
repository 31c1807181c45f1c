"""Any bytes give messages or one WireError, never another error."""

from __future__ import annotations

import zlib
from contextlib import suppress
from typing import Any

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amtracer.errors import WireError
from amtracer.wire.codec import FrameReader, magic_frame
from amtracer.wire.messages import Message, MessageKind
from tests.wire.streams import messages, stream_bytes

pytestmark = pytest.mark.slow
EXAMPLES = 600
"""Of each of five kinds."""

anything: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**63), 2**64 - 1),
        st.floats(),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
        st.binary(max_size=5),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=6), st.dictionaries(st.integers(0, 9), inner, max_size=2)
    ),
    max_leaves=20,
)


def survived(data: bytes) -> list[Message]:
    """The messages before the end or the first WireError; another error fails the test."""
    decoder = FrameReader()
    found: list[Message] = []
    with suppress(WireError):
        found.extend(decoder.feed(data))
    return found


def survived_bytewise(data: bytes) -> list[Message]:
    decoder = FrameReader()
    found: list[Message] = []
    with suppress(WireError):
        for at in range(len(data)):
            found.extend(decoder.feed(data[at : at + 1]))
    return found


@settings(max_examples=EXAMPLES)
@given(st.binary(max_size=300))
def test_noise_is_survived(data: bytes) -> None:
    """Bytes without meaning give nothing or a WireError."""
    assert survived(data) == survived_bytewise(data)


@settings(max_examples=EXAMPLES)
@given(st.binary(max_size=300))
def test_noise_after_the_magic_is_survived(data: bytes) -> None:
    """A peer that begins well may go on badly."""
    assert survived(magic_frame() + data) == survived_bytewise(magic_frame() + data)


@settings(max_examples=EXAMPLES)
@given(st.lists(messages, min_size=1, max_size=3), st.data())
def test_a_changed_stream_gives_a_prefix_of_what_was_sent(
    stream: list[Message], data: st.DataObject
) -> None:
    """With one byte changed nothing is read that was not written."""
    raw = bytearray(stream_bytes(stream))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    found = survived(bytes(raw))

    assert found == stream[: len(found)]
    assert len(found) < len(stream)


@settings(max_examples=EXAMPLES)
@given(st.sampled_from([*MessageKind, 99]), st.lists(anything, max_size=14))
def test_a_well_formed_body_of_nonsense_is_survived(kind: int, values: list[Any]) -> None:
    """Valid frames and valid msgpack do not make a message."""
    body = msgpack.packb([int(kind), *values])
    frame = len(body).to_bytes(4, "big") + zlib.crc32(body).to_bytes(4, "big") + body

    assert survived(magic_frame() + frame) == survived_bytewise(magic_frame() + frame)


@settings(max_examples=EXAMPLES)
@given(messages, st.data())
def test_a_message_with_one_value_replaced_is_survived(
    message: Message, data: st.DataObject
) -> None:
    """A hostile sender changes one field of a good message and sums it up rightly."""
    values = list(msgpack.unpackb(stream_bytes([message])[24:]))
    at = data.draw(st.integers(0, len(values) - 1))
    values[at] = data.draw(anything)
    body = msgpack.packb(values)
    frame = len(body).to_bytes(4, "big") + zlib.crc32(body).to_bytes(4, "big") + body

    assert survived(magic_frame() + frame) == survived_bytewise(magic_frame() + frame)
