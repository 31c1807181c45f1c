"""Data of a machine beside its transitions is kept, shown, exported and forwarded."""

from __future__ import annotations

import json

import pytest

from am_dbg import reports as text
from am_dbg.egress.export import selected
from am_dbg.egress.live_replay import LiveReplay
from am_dbg.egress.track_replay import TrackReplay
from am_dbg.projection.log.lines import later_lines
from am_dbg.projection.subscriptions import TaskRow, WaitingRow, subscriptions_at
from am_dbg.query import Filters, Visible
from am_dbg.store import Store, Track
from am_dbg.store.later_lines import NO_LINES, LaterLines
from am_dbg.store.open_work import OPEN_BYTES_MAX, REPORTS_MAX
from amtracer.encode.stream_writer import StreamWriter
from amtracer.errors import WireError
from amtracer.wire import limits
from amtracer.wire.messages import (
    GoneMessage,
    HelloMessage,
    LaterLinesMessage,
    Message,
    OpenWorkItem,
    OpenWorkMessage,
    Shape,
    StateDef,
)
from tests.dbg.histories import write_messages

STATES = (StateDef("A"), StateDef("B"), StateDef("Exception", multi=True))
EMPTY = Shape(0, (0,), 1)
WAITS = OpenWorkItem("when", "B", "", 3, 2_000_000)
RUNS = OpenWorkItem("task", "AState", "", 2)
HELLO = HelloMessage(2, "s1", 0, 0)


class Program:
    """One machine that reports to a store, message by message."""

    def __init__(self, *, live: bool = True) -> None:
        self.store = Store()
        self.messages: list[Message] = []
        self._stream = self.store.open_stream("program", live=live)
        self.writer = StreamWriter(self._feed, HELLO)
        self.machine = self.writer.machine(
            "m", self.writer.schema(STATES), tx_prefix="00" * 8, unit_ns=1_000
        )

    def _feed(self, message: Message) -> None:
        self.messages.append(message)
        self.store.feed(self._stream, message)

    @property
    def track(self) -> Track:
        return self.store.tracks[0]

    def transit(self, *pre_lines: str, lines: tuple[str, ...] = ()) -> None:
        self.writer.record(
            self.machine,
            EMPTY,
            5_000,
            lines=tuple((2, line) for line in lines),
            pre_lines=tuple((2, line) for line in pre_lines),
        )
        self.writer.flush()

    def say(self, *lines: str, missing: int = 0) -> None:
        self.writer.later_lines(self.machine, tuple((1, line) for line in lines), missing)

    def open(self, *work: OpenWorkItem, more: int = 0) -> None:
        self.writer.open_work(self.machine, work, more)


@pytest.fixture
def program() -> Program:
    made = Program()
    made.transit()
    return made


def texts(later: LaterLines) -> list[str]:
    return [line for _, line in later.lines]


# Kept.


def test_lines_add_up_until_a_transition_brings_them(program: Program) -> None:
    """What comes with the transition is not kept twice."""
    program.say("one")
    program.say("two", "three")
    assert texts(program.track.later) == ["one", "two", "three"]
    program.transit("one", "two", "three")

    assert program.track.later == NO_LINES
    assert [line for _, line in program.track.transition(2).pre_lines] == ["one", "two", "three"]


def test_lost_transitions_take_the_lines_with_them(program: Program) -> None:
    """Those of a mere change of place stay."""
    program.say("one")
    program.writer.dropped(program.machine, 0, (0, 0, 0), "paused")
    assert texts(program.track.later) == ["one"]
    program.writer.dropped(program.machine, 2, (0, 0, 0))

    assert program.track.later == NO_LINES


def test_so_many_lines_are_kept_and_the_others_counted(program: Program) -> None:
    """At the limit none is missing, one past it is one; what the sender let go counts too."""
    program.say(*map(str, range(limits.LATER_LINES_MAX)))
    assert program.track.later.missing == 0
    program.say("last")
    assert program.track.later.missing == 1
    assert texts(program.track.later)[0] == "1"
    program.say("after a hole", missing=7)

    assert texts(program.track.later) == ["after a hole"]
    assert program.track.later.missing == limits.LATER_LINES_MAX + 1 + 7


def test_so_much_text_is_kept_of_lines(program: Program) -> None:
    """However long they are, and it counts as memory of the machine."""
    before = program.track.size()
    for number in range(20):
        program.say(str(number) + "x" * 50_000)

    assert program.track.later.size <= limits.LATER_BYTES_MAX
    assert program.track.later.missing > 10
    assert program.track.size() - before >= program.track.later.size > 200_000


def test_what_is_open_holds_until_something_else_is_told(program: Program) -> None:
    """So it is known of each transition in between."""
    track = program.track
    program.open(RUNS)
    program.transit()
    program.transit()
    program.open(RUNS, WAITS, more=2)
    program.transit()
    pictures = [track.open.at(number) for number in range(5)]

    assert pictures[0] is None
    assert [one and (one.work, one.more) for one in pictures[1:]] == [
        ((RUNS,), 0),
        ((RUNS,), 0),
        ((RUNS, WAITS), 2),
        ((RUNS, WAITS), 2),
    ]


def test_nothing_is_open_in_a_machine_that_is_gone(program: Program) -> None:
    """What was open before can still be looked at."""
    program.open(WAITS)
    program.transit()
    program.writer.gone(program.machine)
    newest = program.track.open.newest

    assert newest is not None
    assert newest.work == ()
    assert subscriptions_at(program.track, 1).waiting


def test_so_many_pictures_are_kept(program: Program) -> None:
    """The newest, by number and by memory."""
    for number in range(REPORTS_MAX + 10):
        program.open(OpenWorkItem("when", str(number)))
    assert len(program.track.open.beyond(0)) == REPORTS_MAX
    wide = [OpenWorkItem("when", str(number)) for number in range(limits.OPEN_WORK_MAX)]
    for number in range(REPORTS_MAX):
        program.open(*wide, more=number)

    assert program.track.open.size <= OPEN_BYTES_MAX
    assert program.track.size() >= program.track.open.size


@pytest.mark.parametrize(
    "message",
    [
        LaterLinesMessage(0, 0),
        LaterLinesMessage(1, 0),
        LaterLinesMessage(0, -1),
        OpenWorkMessage(1, ()),
        OpenWorkMessage(0, (OpenWorkItem("when", "A"),) * (limits.OPEN_WORK_MAX + 1)),
        OpenWorkMessage(0, (OpenWorkItem("when", "x" * (limits.OPEN_TEXT_BYTES_MAX + 1)),)),
        OpenWorkMessage(0, (OpenWorkItem("when", "A", "", -1),)),
        OpenWorkMessage(0, (OpenWorkItem("when", "A", "", 0, 2**62),)),
        OpenWorkMessage(0, (), -1),
    ],
)
def test_what_no_machine_has_is_refused(program: Program, message: Message) -> None:
    """And nothing of it is kept."""
    with pytest.raises(WireError):
        program.store.feed(0, message)

    assert (program.track.later, program.track.open.newest) == (NO_LINES, None)


def test_a_machine_that_is_gone_says_nothing(program: Program) -> None:
    """As little as it makes transitions."""
    program.store.feed(0, GoneMessage(0))
    with pytest.raises(WireError, match="was disposed and sends more"):
        program.store.feed(0, OpenWorkMessage(0, ()))


# Shown.


def test_what_is_open_wins_over_log_lines(program: Program) -> None:
    """Lines contain nothing of waiters that were given up; those after the picture count."""
    program.transit(lines=("[when:new] Stale", "[task:new] GoneState"))
    program.open(WAITS, RUNS, more=3)
    program.transit(lines=("[when:match] B", "[when:new] A", "[ctx:new] A"))
    track = program.track

    lines_alone = subscriptions_at(track, 1)
    assert (lines_alone.waiting, lines_alone.tasks) == ((), ())
    known = subscriptions_at(track, 2)
    assert known.waiting == (WaitingRow("when", "B", "", 3),)
    assert known.tasks == (TaskRow("AState", 2),)
    assert known.more == 3
    after = subscriptions_at(track, 3)
    assert [(one.verb, one.states) for one in after.waiting] == [("when", "A"), ("ctx", "A")]


def test_without_a_picture_log_lines_tell(program: Program) -> None:
    """As of programs of the Go library and of older recordings."""
    program.transit(lines=("[when:new] B",))

    assert subscriptions_at(program.track, 2).waiting == (WaitingRow("when", "B", "", 0),)


def test_the_command_shows_what_is_known(program: Program) -> None:
    """Below the last transition, in words and in JSON."""
    program.open(WAITS, RUNS, more=1)
    program.say("nothing more", missing=4)
    shown = list(text.transition_lines(program.track, 1))

    assert shown[-5:] == [
        "later    … (4 earlier lines missing)",
        "later    1 nothing more",
        "waits    when B  since t3  until 1970-01-01T00:00:02.000000000Z",
        "task     AState  since t2",
        "waits    … 1 more",
    ]
    assert list(text.history_lines(program.track))[-5:] == shown[-5:]
    value = json.loads("".join(text.history_json(program.store, program.track)))["machine"]
    assert value["later_log"] == [{"level": 1, "text": "nothing more"}]
    assert value["later_missing"] == 4
    assert [one["kind"] for one in value["open"]] == ["when", "task"]


def test_what_is_open_is_written_once_for_many_transitions(program: Program) -> None:
    """A file of few bytes would become one of many."""
    program.open(WAITS)
    for _ in range(5):
        program.transit()
    value = json.loads("".join(text.history_json(program.store, program.track)))

    assert [bool(one["open"]) for one in value["transitions"]] == [True] + [False] * 5
    assert text.transition_value(program.track, 6)["open"]


def test_lines_of_a_level_are_shown_in_the_log(program: Program) -> None:
    """Those of the program itself at every level; of many the newest."""
    program.writer.later_lines(program.machine, ((4, "deep"), (1, "change"), (3, "[extern] own")))
    later = program.track.later

    assert ["".join(part.text for part in row) for row in later_lines(later, 1)] == [
        "change",
        "[extern] own",
    ]
    program.say(*map(str, range(100)))
    rows = ["".join(part.text for part in row) for row in later_lines(program.track.later, 4)]
    assert len(rows) == 21
    assert "83 earlier lines" in rows[0]
    assert Visible(program.track, Filters()).count >= 0


# Exported and sent on.


def same(one: Track, other: Track) -> bool:
    known = [
        (track.later.lines, track.later.missing, [track.open.at(n) for n in range(one.count + 1)])
        for track in (one, other)
    ]
    return known[0] == known[1]


def taken_in(messages: list[Message]) -> Store:
    store = Store()
    stream = -1
    for message in messages:
        if isinstance(message, HelloMessage):
            stream = store.open_stream("copy", live=False, after=stream)
        store.feed(stream, message)
    return store


def busy() -> Program:
    made = Program()
    made.open(RUNS)
    made.transit()
    made.transit()
    made.open(RUNS, WAITS, more=2)
    made.transit()
    made.open()
    made.open(WAITS)
    made.say("one", missing=3)
    made.say("two")
    return made


def test_an_export_holds_it_all() -> None:
    """At the transitions where it was reported."""
    program = busy()
    messages: list[Message] = []
    write_messages(program.store, selected(program.store), messages.append)

    assert same(taken_in(messages).tracks[0], program.track)


def test_a_part_of_a_machine_knows_what_was_open_before() -> None:
    """A range begins with the picture that holds there, and ends without later lines."""
    program = busy()
    messages: list[Message] = []
    write_messages(program.store, selected(program.store, program.track, (2, 2)), messages.append)
    (copy,) = taken_in(messages).tracks

    assert copy.open.newest is not None
    assert copy.open.newest.work in ((RUNS,), (RUNS, WAITS))
    assert copy.later == NO_LINES


def test_news_of_it_is_sent_on_as_it_comes() -> None:
    """Each line once, also when only lines are new; in another stream all of them again."""
    program = Program()
    replay, sent = LiveReplay(program.store, TrackReplay), Store()

    def begin() -> None:
        stream = sent.open_stream("far", live=True)
        replay.begin(StreamWriter(lambda message: sent.feed(stream, message), HELLO))

    begin()
    for step in range(3):
        program.transit()
        assert replay.send(100)
        program.say(f"one {step}")
        program.open(WAITS, more=step)
        assert replay.send(100)
        program.say(f"two {step}", missing=step)
        assert replay.send(100)
        assert not replay.send(100)
        assert same(sent.tracks[0], program.track)
    sent.close_stream(0)
    begin()
    assert replay.send(100)

    assert len(sent.tracks) == 1
    assert sent.tracks[0].later == program.track.later
    assert sent.tracks[0].open.newest == program.track.open.newest
