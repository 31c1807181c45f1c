"""Groups of states and queue ticks, which were added at the ends of bodies."""

from __future__ import annotations

import pytest

from am_dbg.store import Store
from amtracer.encode.stream_writer import StreamWriter
from amtracer.errors import WireError
from amtracer.wire import limits
from amtracer.wire.bodies import body_of, message_of
from amtracer.wire.codec import WIRE, FrameReader, encode, magic_frame
from amtracer.wire.messages import (
    BatchMessage,
    HelloMessage,
    Message,
    Run,
    SchemaMessage,
    Shape,
    StateDef,
)
from amtracer.wire.truncate import cut_states
from tests.transitions import RecordedTransition, write_transition

GROUPED = StateDef("A", groups=("Life", "Jobs"))
ADD = Shape(0, (0,), 1)


def decoded(message: Message) -> Message:
    (found,) = FrameReader(WIRE).feed(magic_frame(WIRE) + encode(message))
    return found


def batch(*ticks: int) -> BatchMessage:
    return BatchMessage(
        (Run(0, 0, 2), Run(1, 5, 1)), (0, 0, 0), (1, 2, 3), queue_ticks=ticks or (7, 8, 3)
    )


def test_groups_of_a_state_come_back() -> None:
    """They stand behind the tags."""
    message = SchemaMessage(0, (GROUPED, StateDef("B", tags=("t",))))

    assert decoded(message) == message
    assert body_of(message)[2][0][-2:] == ((), ("Life", "Jobs"))


def test_a_state_without_groups_is_sent_as_before() -> None:
    """Nothing is added to what has none, so older readers lose nothing."""
    assert body_of(SchemaMessage(0, (StateDef("A"), StateDef("B", tags=("t",))))) == (
        2,
        0,
        (("A",), ("B", 0, None, None, None, None, ("t",))),
    )


def test_a_state_has_so_many_groups() -> None:
    """One more is refused by a reader; a sender cuts it and says how many are missing."""
    most = StateDef("A", groups=("g",) * limits.GROUPS_MAX)
    more = StateDef("A", groups=("g",) * (limits.GROUPS_MAX + 1))

    assert decoded(SchemaMessage(0, (most,))) == SchemaMessage(0, (most,))
    with pytest.raises(WireError):
        decoded(SchemaMessage(0, (more,)))
    (cut,) = cut_states((more,))
    assert cut.groups == (*("g",) * (limits.GROUPS_MAX - 1), "…+2")


def test_queue_ticks_are_sent_as_differences_within_a_run() -> None:
    """Mostly each mutation has the next number."""
    assert body_of(batch())[-1] == [7, 1, 3]
    assert decoded(batch()) == batch()
    assert decoded(batch(9, 4, 0)) == batch(9, 4, 0)


def test_a_batch_without_queue_ticks_is_sent_as_before() -> None:
    """An empty column at the end is left out."""
    assert len(body_of(batch(0, 0, 0))) == 4


@pytest.mark.parametrize("column", [[1], [1, 2], [1, -2, 3], [-1, 2, 3], [1, 2, 3, 4], ["1", 2, 3]])
def test_queue_ticks_that_do_not_fit_are_refused(column: list[object]) -> None:
    """One for each transition, none of them below zero."""
    body = (*body_of(batch(0, 0, 0)), *((),) * 11, column)
    with pytest.raises(WireError):
        message_of(body, "frame 1")


def test_queue_ticks_of_mixed_machines_reach_the_store() -> None:
    """Where none is known it is zero."""
    store = Store()
    stream = store.open_stream("s", live=False)
    writer = StreamWriter(lambda message: store.feed(stream, message), HelloMessage(1, "s", 0, 0))
    schema = writer.schema((GROUPED,))
    one, other = (writer.machine(name, schema) for name in ("one", "other"))
    for machine, tick in ((one, 3), (other, 0), (one, 4), (other, 9)):
        write_transition(writer, machine, RecordedTransition(ADD, 1, queue_tick=tick))
    writer.flush()

    found = {
        track.id: [track.transition(number).queue_tick for number in (1, 2)]
        for track in store.tracks
    }
    assert found == {"one": [3, 4], "other": [0, 9]}
    assert store.tracks[0].states[0].groups == ("Life", "Jobs")
