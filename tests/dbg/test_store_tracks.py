"""Whose history is whose: ids that clash, reconnects, other schemas, trimming, forgetting."""

from __future__ import annotations

import pytest

from am_dbg.store import Gap, GapKind, Store, Track
from amtracer.encode.stream_writer import StreamWriter
from amtracer.errors import WireError
from amtracer.wire.messages import (
    GoneMessage,
    HelloMessage,
    LeftMessage,
    Message,
    Shape,
    StateDef,
)
from tests.dbg.histories import START_NS, hello
from tests.transitions import RecordedTransition, write_transition

OLD = (StateDef("A"), StateDef("B"))
NEW = (StateDef("C"), StateDef("A"), StateDef("B"))
SWAPPED = (StateDef("B"),)


class Program:
    """A program with one machine `m`, whose only state that changes is `A`."""

    def __init__(self, session: str = "", prefix: str = "aa", row: int = 0) -> None:
        self.messages: list[Message] = []
        self.ticks = [row % 2, 0]
        self.writer = StreamWriter(self.messages.append, hello(session), segment_rows=4)
        self.machine = self.writer.machine(
            "m", self.writer.schema(OLD), ticks=tuple(self.ticks), row=row, tx_prefix=prefix
        )
        self.at = 0

    def toggle(self, times: int = 1, state: int = 0) -> None:
        for _ in range(times):
            self.ticks[state] += 1
            growth = 1 if self.ticks[state] % 2 else -1
            self.at += 1
            shape = Shape(0, (state,), 1, ((state, growth),))
            write_transition(self.writer, self.machine, RecordedTransition(shape, self.at * 1_000))

    def take_on(self, schema: tuple[StateDef, ...], ticks: tuple[int, ...]) -> None:
        self.ticks = list(ticks)
        self.writer.schema_changed(self.machine, self.writer.schema(schema), ticks)

    def reported(self) -> list[Message]:
        """What was written since the last call."""
        self.writer.flush()
        reported, self.messages[:] = list(self.messages), []
        return reported


def fed(store: Store, program: Program, *, live: bool = True) -> int:
    """Feed all messages of a program in a stream of its own."""
    stream = store.open_stream("program", live=live)
    feed(store, stream, program)
    return stream


def feed(store: Store, stream: int, program: Program) -> None:
    for message in program.reported():
        store.feed(stream, message)


def names(track: Track, number: int) -> list[str]:
    return [state.name for state in track.schema_at(number)]


def test_two_programs_with_one_id_have_two_histories() -> None:
    """The second machine of an id is shown as `id#2`, and no transition goes astray."""
    store, first, second = Store(), Program("s1"), Program("s2")
    first.toggle(3)
    second.toggle(5)
    one, two = fed(store, first), fed(store, second)
    first.toggle()
    feed(store, one, first)

    assert [(track.key, track.id, track.count) for track in store.tracks] == [
        ("m", "m", 4),
        ("m#2", "m", 5),
    ]
    assert [track.stream for track in store.tracks] == [one, two]


def test_a_key_is_found_before_the_newest_of_an_id() -> None:
    """`m` is the first machine of that id and `m#2` the second; what is unknown is None."""
    store = Store()
    fed(store, Program())
    fed(store, Program())

    assert [store.find(key) for key in ("m", "m#2")] == list(store.tracks)
    assert store.find("m#3") is None
    store.remove(store.tracks[0])
    assert store.find("m") is store.tracks[0]


def test_an_id_that_looks_like_a_key_gets_one_of_its_own() -> None:
    """A machine that is really called `m#2` does not take the place of another."""
    store = Store()
    fed(store, Program())
    fed(store, Program())
    writer_says: list[Message] = []
    writer = StreamWriter(writer_says.append, hello())
    writer.machine("m#2", writer.schema(OLD))
    stream = store.open_stream("other", live=True)
    for message in writer_says:
        store.feed(stream, message)

    assert [track.key for track in store.tracks] == ["m", "m#2", "m#2#2"]


def test_an_id_used_again_after_disposal_is_another_machine() -> None:
    """The same program may make a machine of the same id again."""
    store, program = Store(), Program("s")
    program.toggle(2)
    program.writer.gone(program.machine)
    program.machine = program.writer.machine("m", 0, tx_prefix="bb")
    program.ticks = [0, 0]
    program.toggle()
    fed(store, program)

    assert [(track.key, track.gone, track.count) for track in store.tracks] == [
        ("m", True, 2),
        ("m#2", False, 1),
    ]


def test_a_machine_that_comes_back_goes_on_with_its_history() -> None:
    """After a reconnect the same machine continues its track, with what was lost as a gap."""
    store, before = Store(), Program("s")
    before.toggle(3)
    first = fed(store, before)
    store.close_stream(first, "connection lost")
    after = Program("s", row=8)
    after.toggle(2)
    second = fed(store, after)

    (track,) = store.tracks
    assert (track.count, track.stream, track.connected) == (5, second, True)
    assert [(gap.after_number, gap.lost, gap.kind) for gap in track.gaps] == [
        (3, 5, GapKind.RECONNECTED)
    ]
    assert track.clock_at(3) == (3, 0)
    assert track.clock_before(4) == (0, 0)
    assert track.tx_id_at(4) == f"aa{9:016x}"
    assert track.number_of(f"aa{9:016x}") == 4
    assert track.number_of(f"aa{5:016x}") is None


def test_the_stream_a_machine_left_cannot_go_on_with_it() -> None:
    """When a machine came back elsewhere, what its old connection still sends is refused."""
    store, before, after = Store(), Program("s"), Program("s", row=2)
    before.toggle(2)
    before.writer.left(before.machine)
    old = fed(store, before)
    fed(store, after)
    before.toggle()

    with pytest.raises(WireError, match="another stream"):
        feed(store, old, before)


@pytest.mark.parametrize(
    "other",
    [
        Program("s", row=1),
        Program("t", row=3),
        Program("s", prefix="bb", row=3),
        Program("", row=3),
    ],
    ids=["behind", "other session", "other prefix", "no session"],
)
def test_only_the_same_machine_further_on_comes_back(other: Program) -> None:
    """Another session, another machine or an earlier row begins a track of its own."""
    store, before = Store(), Program("s")
    before.toggle(3)
    fed(store, before)
    fed(store, other)

    assert [track.key for track in store.tracks] == ["m", "m#2"]


def test_a_file_never_continues_a_track() -> None:
    """The same session opened twice is there twice."""
    store = Store()
    for _ in range(2):
        fed(store, Program("s"), live=False)

    assert [(track.key, track.connected) for track in store.tracks] == [
        ("m", False),
        ("m#2", False),
    ]


def test_history_keeps_the_schema_it_was_made_with() -> None:
    """States may be added, moved and taken away; each transition is read with its own."""
    store, program = Store(), Program()
    program.toggle(2)
    program.take_on(NEW, (0, 2, 0))
    program.toggle(1, state=1)
    program.take_on(SWAPPED, (7,))
    fed(store, program)

    (track,) = store.tracks
    assert [names(track, number) for number in range(4)] == [
        ["A", "B"],
        ["A", "B"],
        ["A", "B"],
        ["C", "A", "B"],
    ]
    assert [state.name for state in track.states] == ["B"]
    assert [track.index_at(number, "A") for number in range(4)] == [0, 0, 0, 1]
    assert track.index_at(3, "Z") == -1
    assert [track.clock_at(number) for number in range(4)] == [(0, 0), (1, 0), (2, 0), (0, 3, 0)]
    assert track.clock_before(3) == (0, 2, 0)
    assert track.ticks == (7,)
    assert [(gap.after_number, gap.kind) for gap in track.gaps] == [
        (2, GapKind.SCHEMA),
        (3, GapKind.SCHEMA),
    ]


def test_a_stream_that_ends_too_early_is_reported_in_its_tracks() -> None:
    """A reason at the end of a stream is a break in what was not finished."""
    store, program = Store(), Program()
    program.toggle()
    stream = fed(store, program)
    store.close_stream(stream, "the file was cut")
    store.close_stream(stream, "again")

    (track,) = store.tracks
    assert not track.connected
    assert [(gap.after_number, gap.lost, gap.reason) for gap in track.gaps] == [
        (1, -1, "the file was cut")
    ]


def test_a_stream_that_ends_in_order_leaves_no_break() -> None:
    """Without a reason, or after the machine was disposed, there is nothing to report."""
    store, program, disposed = Store(), Program(), Program()
    disposed.writer.gone(disposed.machine)
    store.close_stream(fed(store, program))
    store.close_stream(fed(store, disposed), "connection lost")

    assert [list(track.gaps) for track in store.tracks] == [[], []]


def test_a_machine_whose_program_left_has_ended_in_its_open_stream() -> None:
    """In order it leaves no break, also when the stream is lost later; for a reason it is cut."""
    store, programs = Store(), [Program(prefix=prefix) for prefix in ("aa", "bb")]
    for program, reason in zip(programs, ("", "connection lost"), strict=True):
        program.toggle()
        program.writer.left(program.machine, reason)
        program.writer.left(program.machine, "again")
        stream = fed(store, program)
        assert not store.tracks[-1].connected
        store.close_stream(stream, "the forwarder was lost")

    assert [list(track.gaps) for track in store.tracks] == [
        [],
        [Gap(1, -1, "connection lost", GapKind.CUT)],
    ]


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize("how", ["transition", "loss", "schema", "disposal"])
def test_whatever_comes_of_a_machine_that_left_reports_it_is_back(live: bool, how: str) -> None:
    """It goes on in its track, and is connected again where the stream is live."""
    store, program = Store(), Program()
    program.toggle()
    program.writer.left(program.machine, "connection lost")
    stream = fed(store, program, live=live)
    (track,) = store.tracks
    assert (track.connected, track.ended, len(track.gaps)) == (False, True, 1)
    if how == "transition":
        program.toggle()
    elif how == "loss":
        program.writer.dropped(program.machine, 4, (5, 0), kind=GapKind.RECONNECTED)
    elif how == "schema":
        program.take_on(NEW, (0, 1, 0))
    else:
        program.writer.gone(program.machine)
    feed(store, stream, program)

    assert track.connected == (live and how != "disposal")
    assert [gap.kind for gap in track.gaps] == {
        "transition": [],
        "loss": [GapKind.RECONNECTED],
        "schema": [GapKind.SCHEMA],
        "disposal": [],
    }[how]
    assert track.snapshot.ticks == track.ticks or how == "transition"


def test_only_a_machine_of_the_stream_leaves_it() -> None:
    """One that was not defined, was disposed or went on elsewhere is refused."""
    store, program = Store(), Program("s")
    stream = fed(store, program)
    for refused in (1, -1):
        with pytest.raises(WireError, match="is not defined"):
            store.feed(stream, LeftMessage(refused))
    store.feed(stream, LeftMessage(0))
    fed(store, Program("s"))
    with pytest.raises(WireError, match="another stream"):
        store.feed(stream, LeftMessage(0))
    store.feed(1, GoneMessage(0))
    with pytest.raises(WireError, match="was disposed"):
        store.feed(1, LeftMessage(0))


def test_trimming_lets_the_oldest_go_and_renumbers_nothing() -> None:
    """After trimming the numbers that are left are the same, and the rest is a gap."""
    store, program = Store(), Program()
    program.toggle(11)  # segments of four
    fed(store, program)
    (track,) = store.tracks
    kept = [track.transition(number) for number in range(9, 12)]

    store.trim(0)

    assert (track.first, track.count) == (9, 11)
    assert [track.transition(number) for number in range(9, 12)] == kept
    assert track.clock_at(10) == (10, 0)
    assert [(gap.after_number, gap.lost, gap.kind) for gap in track.gaps] == [
        (8, 8, GapKind.TRIMMED)
    ]
    assert track.number_of(f"aa{3:016x}") is None
    assert track.first_at_or_after(0) == 9
    assert (track.clock_at(8), names(track, 8)) == ((8, 0), ["A", "B"])
    assert track.clock_at(0) == (0, 0)
    with pytest.raises(IndexError, match="holds 9 to 11"):
        track.transition(8)
    with pytest.raises(IndexError, match="holds 9 to 11"):
        track.clock_at(7)


def test_a_closed_stream_can_be_trimmed_whole() -> None:
    """Of a stream that ended nothing has to stay."""
    store, program = Store(), Program()
    program.toggle(11)
    store.close_stream(fed(store, program, live=False))
    (track,) = store.tracks

    store.trim(0)

    assert (track.first, track.count, track.ticks) == (12, 11, (11, 0))
    assert track.clock_at(11) == (11, 0)
    assert track.last_at_or_before(10**20) == 0
    assert store.size() < 8_000


def test_trimming_stops_when_the_rest_fits() -> None:
    """Nothing goes while the store is smaller than what it may take."""
    store, program = Store(), Program()
    program.toggle(11)
    fed(store, program)

    store.trim(store.size())

    assert store.tracks[0].first == 1


def test_a_forgotten_track_is_gone_while_its_stream_goes_on() -> None:
    """Later messages of it are checked but not kept; its last values can still be read."""
    store, program = Store(), Program()
    program.toggle(3)
    stream = fed(store, program)
    (track,) = store.tracks

    store.remove(track)
    program.toggle(2)
    feed(store, stream, program)

    assert (list(store.tracks), store.transitions) == ([], 0)
    assert track.transition(3).number == 3
    assert not track.connected


def test_a_name_is_found_by_one_look_however_many_have_the_id() -> None:
    """A thousand machines of one id are named in turn, and no name is used again."""

    class Counted(dict[str, Track]):
        looks = 0

        def __contains__(self, key: object) -> bool:
            Counted.looks += 1
            return super().__contains__(key)

    store, program = Store(), Program()
    stream = fed(store, program)
    store._by_key = Counted(store._by_key)
    for _ in range(1_000):
        program.writer.machine("m", 0)
    feed(store, stream, program)
    looks = Counted.looks
    store.remove(*store.tracks[500:])
    program.writer.machine("m", 0)
    feed(store, stream, program)

    assert [track.key for track in store.tracks[:3]] == ["m", "m#2", "m#3"]
    assert [track.key for track in store.tracks[499:]] == ["m#500", "m#1002"]
    assert looks == 2_000


def test_many_losses_in_a_row_are_one_gap() -> None:
    """A flood of reports of lost transitions does not grow the store."""
    store, program = Store(), Program()
    for _ in range(50):
        program.writer.dropped(program.machine, 2, (0, 0), "full")
    fed(store, program)

    (gap,) = store.tracks[0].gaps
    assert (gap.lost, gap.reason) == (100, "full")


def test_versions_grow_with_every_change() -> None:
    """Caches may rely on the versions of the store and of its tracks."""
    store, program = Store(), Program()
    stream = fed(store, program)
    (track,) = store.tracks
    for act in (program.toggle, lambda: program.take_on(NEW, (1, 1, 1))):
        before = (store.version, track.version)
        act()
        feed(store, stream, program)
        assert store.version > before[0]
        assert track.version > before[1]


@pytest.mark.parametrize(
    ("told_ns", "first_ns", "expected"), [(500, 1_000, 500), (2_000, 1_000, 999), (0, 1_000, 999)]
)
def test_nothing_has_happened_before_the_first_transition(
    told_ns: int, first_ns: int, expected: int
) -> None:
    """Number 0 is a moment at which no transition was made, also when the stream began later."""
    messages: list[Message] = []
    writer = StreamWriter(messages.append, HelloMessage(1, "", told_ns, 0))
    machine = writer.machine("m", writer.schema(OLD))
    store = Store()
    stream = store.open_stream("program", live=True)
    write_transition(writer, machine, RecordedTransition(Shape(0, (0,), 1, ((0, 1),)), first_ns))
    writer.flush()
    for message in messages:
        store.feed(stream, message)

    (track,) = store.tracks
    assert track.time_at(0) == expected
    assert track.last_at_or_before(track.time_at(0)) == 0


def test_a_machine_that_did_nothing_is_as_old_as_its_stream() -> None:
    """Without a transition number 0 is when the stream began."""
    store = Store()
    fed(store, Program())

    (track,) = store.tracks
    assert track.time_at(0) == START_NS
