"""The kind of a gap is a value on the wire; older senders have it in the reason."""

from __future__ import annotations

from typing import Any

import pytest

from am_dbg.store import Gap, Store
from amtracer.encode.stream_writer import StreamWriter
from amtracer.errors import WireError
from amtracer.wire.bodies import body_of, message_of
from amtracer.wire.codec import encode, magic_frame
from amtracer.wire.messages import DroppedMessage, HelloMessage, StateDef
from amtracer.wire.vocabulary import GapKind
from tests.wire.streams import decoded

DROPPED, RECONNECTED, CUT = GapKind.DROPPED, GapKind.RECONNECTED, GapKind.CUT
DAMAGED = GapKind.DAMAGED
PLAIN = (11, 0, 3, (1, 2))


def read(*rest: object) -> Any:
    return message_of((*PLAIN, *rest), "here")


@pytest.mark.parametrize("kind", [DROPPED, RECONNECTED, CUT, DAMAGED])
@pytest.mark.parametrize("reason", ["", "queue full", "reconnected", "cut: ", "cut: 3 of 5"])
def test_the_kind_of_a_gap_comes_back(kind: GapKind, reason: str) -> None:
    """Whatever the reason is, also one that looks like a kind."""
    message = DroppedMessage(0, 0 if kind is CUT else 3, (1, 2), reason, kind)

    assert message_of(body_of(message), "here") == message


def test_a_plain_drop_has_the_bytes_that_it_always_had() -> None:
    """Only another kind adds a value, so older readers lose nothing."""
    assert body_of(DroppedMessage(0, 3, (1, 2))) == PLAIN
    assert body_of(DroppedMessage(0, 3, (1, 2), "full")) == (*PLAIN, "full")
    assert body_of(DroppedMessage(0, 3, (1, 2), "lost", RECONNECTED)) == (*PLAIN, "lost", 1)


@pytest.mark.parametrize(
    ("count", "prose", "kind", "reason"),
    [
        (3, "reconnected", RECONNECTED, "reconnected"),
        (0, "cut: connection lost", CUT, "connection lost"),
        (3, "cut: connection lost", DROPPED, "cut: connection lost"),
        (0, "cut off", DROPPED, "cut off"),
        (3, "was reconnected", DROPPED, "was reconnected"),
    ],
)
def test_a_message_without_a_kind_has_it_in_the_reason(
    count: int, prose: str, kind: GapKind, reason: str
) -> None:
    """Files and programs of older versions are read as before."""
    message = message_of((11, 0, count, (1, 2), prose), "here")

    assert message == DroppedMessage(0, count, (1, 2), reason, kind)


@pytest.mark.parametrize("number", [3, 5, 200, 255])
def test_an_unknown_kind_counts_as_dropped(number: int) -> None:
    """Also the kinds that a reader finds by itself and that no message has."""
    assert read("cut: why", number) == DroppedMessage(0, 3, (1, 2), "cut: why", DROPPED)


@pytest.mark.parametrize("value", ["cut", -2, 2**40, None])
def test_a_kind_is_a_small_number(value: object) -> None:
    """Anything else is refused."""
    with pytest.raises(WireError, match="gap kind is not an? "):
        read("why", value)


def test_a_cut_history_has_no_count() -> None:
    """Nobody knows how many transitions are missing, so a count is refused."""
    with pytest.raises(WireError, match="a cut history has no count"):
        read("why", int(CUT))


def test_the_store_shows_the_kind_that_was_sent() -> None:
    """Nobody knows how many transitions are missing where the history is cut."""
    messages: list[Any] = []
    writer = StreamWriter(messages.append, HelloMessage(1, "", 0, 0))
    machine = writer.machine("m", writer.schema((StateDef("A"),)))
    for kind in (DROPPED, RECONNECTED, CUT):
        writer.dropped(machine, 0 if kind is CUT else 3, (0,), kind=kind)
    store = Store()
    stream = store.open_stream("here", live=True)
    for message in decoded(magic_frame() + b"".join(map(encode, messages))):
        store.feed(stream, message)

    assert store.tracks[0].gaps == [
        Gap(0, 3, "dropped", DROPPED),
        Gap(0, 3, "reconnected", RECONNECTED),
        Gap(0, -1, "cut", CUT),
    ]
