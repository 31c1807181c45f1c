"""Values that repeat are sent once: the sending half of the protocol."""

from __future__ import annotations

from dataclasses import replace

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amtracer.encode.stream_writer import StreamWriter
from amtracer.errors import LimitError
from amtracer.wire import limits
from amtracer.wire.codec import encode
from amtracer.wire.messages import (
    ArgsMessage,
    BatchMessage,
    DroppedMessage,
    GoneMessage,
    HelloMessage,
    LinesMessage,
    MachineMessage,
    Message,
    Run,
    SchemaChangedMessage,
    SegmentMessage,
    Shape,
    ShapeMessage,
    Source,
    StateDef,
    StepDef,
    StringsMessage,
    TextWithKnownHead,
    TextWithNewHead,
)
from tests.transitions import RecordedTransition, write_transition
from tests.wire.streams import (
    HELLO,
    SHAPE,
    STATES,
    bundled_bytes,
    decoded,
    read_back,
    stream_bytes,
    transitions,
)

SIMPLE = RecordedTransition(SHAPE, 1_000)


def writer(**options: int) -> tuple[StreamWriter, list[Message]]:
    """A writer with one machine, and the messages it emits."""
    messages: list[Message] = []
    stream = StreamWriter(messages.append, HELLO, **options)
    stream.machine("m", stream.schema(STATES), tx_prefix="ab" * 8)
    return stream, messages


def kinds(messages: list[Message]) -> list[type]:
    return [type(message) for message in messages]


@given(st.lists(st.tuples(st.integers(0, 2), transitions), max_size=30), st.integers(1, 9))
def test_transitions_come_back_equal_and_in_order(
    said: list[tuple[int, RecordedTransition]], batch_rows: int
) -> None:
    """Whatever is recorded of each machine is read back from the stream, field by field."""
    messages: list[Message] = []
    stream = StreamWriter(messages.append, HELLO, batch_rows=batch_rows)
    schema = stream.schema(STATES)
    for name in "abc":
        stream.machine(name, schema, tx_prefix=name * 16)
    for machine, transition in said:
        write_transition(stream, machine, transition)
    stream.flush()
    reader = read_back(decoded(stream_bytes(messages)))

    for machine in range(3):
        assert reader.transitions[machine] == [
            transition for number, transition in said if number == machine
        ]


@given(st.lists(transitions, max_size=40), st.integers(1, 12), st.integers(1, 8))
def test_segments_lose_nothing(
    said: list[RecordedTransition], segment_rows: int, dictionary_start: int
) -> None:
    """However small dictionary and segment are, every transition is read back."""
    stream, messages = writer(segment_rows=segment_rows, dictionary_start=dictionary_start)
    for transition in said:
        write_transition(stream, 0, transition)
    stream.flush()
    reader = read_back(decoded(stream_bytes(messages)))

    assert reader.transitions[0] == said


def test_a_stream_begins_with_its_hello() -> None:
    """A reader knows who speaks before anything else."""
    assert writer()[1][0] == HELLO


def test_machines_share_a_schema() -> None:
    """A schema is defined once, however many machines have it."""
    stream, messages = writer()

    assert stream.schema(STATES) == 0
    assert stream.schema((StateDef("X"),)) == 1
    assert kinds(messages).count(MachineMessage) == 1
    assert len(messages) == 4


def test_a_machine_without_ticks_stands_at_zero() -> None:
    """A machine recorded from its start has never ticked."""
    _, messages = writer()

    assert messages[2] == MachineMessage(0, "m", 0, tx_prefix="ab" * 8)


def test_definitions_go_out_before_their_first_use() -> None:
    """Texts come first, sets after the texts they use, shapes after their lines, then the batch."""
    stream, messages = writer()
    write_transition(stream, 0, replace(SIMPLE, lines=((1, "x"),), args=(("k", "v"),)))
    stream.flush()

    assert kinds(messages[3:]) == [
        StringsMessage,
        LinesMessage,
        ArgsMessage,
        ShapeMessage,
        BatchMessage,
    ]


def test_a_known_shape_is_not_defined_again() -> None:
    """The same shape, as the same object or an equal one, has one number."""
    stream, messages = writer()
    write_transition(stream, 0, SIMPLE)
    write_transition(stream, 0, SIMPLE)
    write_transition(stream, 0, replace(SIMPLE, shape=Shape(*SHAPE)))
    stream.flush()

    assert kinds(messages).count(ShapeMessage) == 1


def test_a_shape_belongs_to_a_schema() -> None:
    """Equal shapes of two schemas are two, for their indexes mean other states."""
    stream, messages = writer()
    stream.machine("n", stream.schema((StateDef("X"),)))
    write_transition(stream, 0, SIMPLE)
    write_transition(stream, 1, SIMPLE)
    stream.flush()

    assert [m.schema for m in messages if isinstance(m, ShapeMessage)] == [0, 1]


def test_a_full_batch_goes_out_at_once() -> None:
    """A batch is sent when it has its number of transitions, the rest at the next flush."""
    stream, messages = writer(batch_rows=2)
    for _ in range(3):
        write_transition(stream, 0, SIMPLE)

    assert [m.runs[0].row for m in messages if isinstance(m, BatchMessage)] == [0]
    stream.flush()
    assert [m.runs[0].row for m in messages if isinstance(m, BatchMessage)] == [0, 2]


def test_a_heavy_batch_goes_out_early() -> None:
    """A batch never needs a frame larger than a reader takes."""
    stream, messages = writer()
    for _ in range(limits.BATCH_ROWS):
        write_transition(stream, 0, replace(SIMPLE, handler_ns=(2**40,) * limits.HANDLERS_MAX))
    stream.flush()
    sizes = [len(encode(message)) for message in messages]

    assert max(sizes) < limits.WIRE_FRAME_BYTES_MAX
    assert kinds(messages).count(BatchMessage) > 2


def test_flushing_nothing_sends_nothing() -> None:
    """A flush without transitions sends no empty batch."""
    stream, messages = writer()
    stream.flush()

    assert len(messages) == 3


def test_lost_transitions_keep_their_numbers() -> None:
    """Rows go on after what was dropped, and the batch before it goes out first."""
    stream, messages = writer()
    write_transition(stream, 0, SIMPLE)
    stream.dropped(0, 5, (1, 2, 3), "queue full")
    write_transition(stream, 0, SIMPLE)
    stream.flush()

    assert kinds(messages[4:]) == [BatchMessage, DroppedMessage, BatchMessage]
    assert messages[5] == DroppedMessage(0, 5, (1, 2, 3), "queue full")
    assert isinstance(messages[6], BatchMessage)
    assert messages[6].runs == (Run(0, 6, 1),)


def test_a_schema_change_comes_between_batches() -> None:
    """What was recorded before belongs to the old schema."""
    stream, messages = writer()
    write_transition(stream, 0, SIMPLE)
    other = stream.schema((StateDef("X"),))
    stream.schema_changed(0, other, (4,))
    write_transition(stream, 0, SIMPLE)
    stream.flush()

    assert kinds(messages)[-4:] == [
        BatchMessage,
        SchemaChangedMessage,
        ShapeMessage,
        BatchMessage,
    ]


def test_a_gone_machine_accepts_no_transitions() -> None:
    """Its last batch goes out before; using it afterwards is the caller's mistake."""
    stream, messages = writer()
    write_transition(stream, 0, SIMPLE)
    stream.gone(0)
    stream.flush()

    assert kinds(messages)[-2:] == [BatchMessage, GoneMessage]
    with pytest.raises(ValueError, match="gone"):
        write_transition(stream, 0, SIMPLE)
    with pytest.raises(ValueError, match="gone"):
        stream.gone(0)


def test_an_id_by_the_rule_is_not_sent() -> None:
    """Prefix and number give the id, so only others take room."""
    stream, messages = writer()
    write_transition(stream, 0, replace(SIMPLE, id="ab" * 8 + f"{1:016x}"))
    write_transition(stream, 0, replace(SIMPLE, id="other"))
    stream.flush()

    assert isinstance(messages[-1], BatchMessage)
    assert messages[-1].ids == {1: "other"}


def test_a_source_in_a_machine_of_the_stream_takes_numbers_only() -> None:
    """Another machine, another session of it or an id of another kind is written out."""
    stream, messages = writer()
    own, other = "ab" * 8, "cd" * 8
    sources = [
        Source("m", f"{own}{7:016x}", 3),
        Source("m", f"{other}{7:016x}", 3),
        Source("n", f"{own}{7:016x}", 3),
        Source("m", own, 3),
        Source("m", f"{own}{0:016x}", 3),
    ]
    for source in sources:
        write_transition(stream, 0, replace(SIMPLE, source=source))
    stream.flush()

    assert isinstance(messages[-1], BatchMessage)
    assert messages[-1].links == {0: (0, 7, 3)}
    assert messages[-1].sources == dict(enumerate(sources[1:], 1))


def test_a_new_segment_follows_so_many_transitions() -> None:
    """A segment is the grain in which a reader forgets; the batch before it is whole."""
    stream, messages = writer(segment_rows=2)
    for _ in range(3):
        write_transition(stream, 0, SIMPLE)
    stream.flush()

    assert kinds(messages[3:]) == [
        ShapeMessage,
        BatchMessage,
        SegmentMessage,
        ShapeMessage,
        BatchMessage,
    ]


def test_a_dictionary_that_is_too_small_doubles() -> None:
    """A program with a thousand shapes soon has a dictionary that holds them all."""
    stream, messages = writer(dictionary_start=16)
    shapes = [Shape(0, (0,), 1, ((0, at),)) for at in range(1, 1_001)]
    for _ in range(10):
        for shape in shapes:
            write_transition(stream, 0, RecordedTransition(shape, 0))
    reader = read_back(messages)

    assert reader.segments == 1 + 6
    assert reader.definitions < 6_000


def test_a_dictionary_that_is_large_enough_stays() -> None:
    """A segment that served many transitions is followed by one of the same size."""
    stream, messages = writer(dictionary_start=4)
    for at in range(400):
        shape = Shape(0, (0,), 1, ((0, at // 100 + 1),))
        write_transition(stream, 0, RecordedTransition(shape, 0))
    write_transition(stream, 0, RecordedTransition(Shape(0, (0,), 1, ((0, 9),)), 0))
    stream.flush()

    assert [m.shape for m in messages if isinstance(m, ShapeMessage)] == [0, 1, 2, 3, 0, 1]


def test_a_program_that_never_repeats_still_works() -> None:
    """Every shape new: each is defined once, in as many segments as it takes."""
    stream, messages = writer(dictionary_start=16)
    said = [RecordedTransition(Shape(0, (0,), 1, ((0, at),)), at) for at in range(1, 2_000)]
    for transition in said:
        write_transition(stream, 0, transition)
    stream.flush()
    reader = read_back(messages)

    assert reader.transitions[0] == said
    assert reader.definitions == len(said)


@pytest.mark.slow
def test_the_dictionary_never_passes_the_limits_of_a_reader() -> None:
    """At its largest a segment has as many shapes and texts as a reader takes."""
    stream, messages = writer(dictionary_start=limits.SHAPES_MAX)
    for at in range(limits.SHAPES_MAX + 10):
        write_transition(
            stream,
            0,
            RecordedTransition(
                Shape(0, (), 1, ((0, at + 1),)), 0, lines=((1, f"{at}"), (1, f"x{at}"))
            ),
        )
    stream.flush()
    reader = read_back(messages)
    assert reader.segments == 3
    assert len(reader.transitions[0]) == limits.SHAPES_MAX + 10

    shapes = [
        RecordedTransition(Shape(0, (), 1, ((0, at + 1),)), 0)
        for at in range(limits.SHAPES_MAX + 1)
    ]
    stream, messages = writer(dictionary_start=limits.SHAPES_MAX)
    for transition in shapes:
        write_transition(stream, 0, transition)
    numbers = [m.shape for m in messages if isinstance(m, ShapeMessage)]
    assert max(numbers) == limits.SHAPES_MAX - 1


def test_texts_of_a_segment_are_bounded() -> None:
    """Large texts begin a new segment before a reader would refuse them."""
    stream, messages = writer()
    for at in range(300):
        write_transition(
            stream, 0, RecordedTransition(SHAPE, 0, lines=((1, f"{at}" + "x" * 60_000),))
        )
    stream.flush()
    sizes: list[int] = [0]
    for message in messages:
        if isinstance(message, SegmentMessage):
            sizes.append(0)
        elif isinstance(message, StringsMessage):
            sizes[-1] += sum(map(len, message.texts))
            assert len(encode(message)) < limits.WIRE_FRAME_BYTES_MAX

    assert len(sizes) == 2
    assert max(sizes) <= limits.SEGMENT_TEXT_BYTES_MAX


def test_too_many_states_are_refused_at_once() -> None:
    """A schema beyond the limit is the program's to know, before anything is sent."""
    stream, messages = writer()
    before = len(messages)
    states = tuple(StateDef(f"S{at}") for at in range(limits.STATES_MAX + 1))

    with pytest.raises(LimitError, match="states of a schema: 4,097 is over the limit of 4,096"):
        stream.schema(states)
    assert stream.schema(states[:-1]) == 1
    assert len(messages) == before + 1


def test_too_many_machines_are_refused_at_once() -> None:
    """A stream has room for so many machines."""
    stream, _ = writer()
    for at in range(1, limits.MACHINES_PER_CONNECTION_MAX):
        stream.machine(str(at), 0)

    with pytest.raises(LimitError, match="machines of a stream"):
        stream.machine("one too many", 0)
    assert stream.machines == limits.MACHINES_PER_CONNECTION_MAX


def test_a_repeating_program_takes_few_bytes() -> None:
    """Two log lines, a time and a duration each: at most 16 bytes per transition."""
    stream, messages = writer()
    sets = [((2, f"[add] S{at}"), (1, f"[state] +S{at}")) for at in range(200)]
    now = 1_700_000_000_000_000_000
    count = 10_000
    for at in range(count):
        now += 90_000 + at * 7_919 % 30_000
        stream.record(0, SHAPE, now, 11_000 + at % 900, 0, sets[at % 200])
    stream.flush()

    assert len(stream_bytes(messages)) / count <= 16


def test_a_program_that_never_repeats_takes_little_more_than_plain_tuples() -> None:
    """Every shape new and every line unique: at most a fifth more than without a dictionary."""
    states = tuple(StateDef(f"S{at}") for at in range(40))
    messages: list[Message] = []
    stream = StreamWriter(messages.append, HELLO)
    stream.machine("m", stream.schema(states), tx_prefix="ab" * 8, unit_ns=1_000)
    count, plain, before = 3_000, 0, 0
    for at in range(count):
        called, other = at % 40, at // 40 % 40
        steps = tuple(StepDef(1 << at % 7, target=(called + place) % 40) for place in range(8))
        shape = Shape(0, (called, other), 1, ((called, at + 1),), steps)
        lines = ((2, f"[add] S{called} S{other} id={at}"), (1, f"[state] +S{called} at {at}"))
        args = ("name", f"'file {at}'")
        now = 1_700_000_000_000_000_000 + at * 90_000
        stream.record(0, shape, now, 11_000, 1, lines, args=args)
        alone = (0, 1, shape.called, shape.changes, steps, (now - before) // 1_000, 11, 1)
        plain += len(msgpack.packb((*alone, lines, args)))
        before = now
    stream.flush()

    assert len(bundled_bytes(messages)) <= 1.2 * plain


def test_texts_share_what_comes_before_their_last_word() -> None:
    """Only a head that is worth its number, of texts in any alphabet."""
    stream, messages = writer()
    texts = ["[state] +A at 1", "[state] +A at 2", "short 1", "short 2", "один два три четыре"]
    texts += ["один два три пять", "[state] +A at \ud800", "no_space_in_this_text"]
    write_transition(stream, 0, replace(SIMPLE, lines=tuple((1, text) for text in texts)))
    stream.flush()
    (strings,) = [message for message in messages if isinstance(message, StringsMessage)]

    assert strings.texts == (
        TextWithNewHead("[state] +A at 1", 14),
        TextWithKnownHead(0, "2"),
        "short 1",
        "short 2",
        TextWithNewHead("один два три четыре", 13),
        TextWithKnownHead(1, "пять"),
        TextWithKnownHead(0, "\\ud800"),
        "no_space_in_this_text",
    )
    assert read_back(decoded(stream_bytes(messages))).strings[5] == "один два три пять"


def test_a_shape_defines_its_usual_lines_once() -> None:
    """Lines that came with a shape before are not sent again; others, and none, are."""
    stream, messages = writer()
    usual, other = ((1, "usual"),), ((1, "other"),)
    for lines in (usual, usual, other, (), usual):
        write_transition(stream, 0, replace(SIMPLE, lines=lines))
    stream.flush()

    assert isinstance(messages[-1], BatchMessage)
    assert messages[-1].lines == {2: 2, 3: 0}
    assert [one.lines for one in read_back(messages).transitions[0]] == [
        usual,
        usual,
        other,
        (),
        usual,
    ]


def test_handler_times_are_counted_by_shapes() -> None:
    """Durations that are fewer than the handlers of their transition are sent apart."""
    called = Shape(0, (0,), 1, ((0, 1),), (StepDef(2, target=0), StepDef(2, flags=1, source=0)))
    stream, messages = writer()
    times: list[tuple[int, ...]] = [(3, 4), (), (5,), (6, 7)]
    for handler_ns in times:
        write_transition(stream, 0, replace(SIMPLE, shape=called, handler_ns=handler_ns))
    stream.flush()

    assert isinstance(messages[-1], BatchMessage)
    assert messages[-1].calls == (3, 4, 6, 7)
    assert messages[-1].own_calls == {1: (), 2: (5,)}
    assert [one.handler_ns for one in read_back(messages).transitions[0]] == times


def test_that_no_handler_time_is_known_takes_no_room() -> None:
    """A session of another library has handlers and no times of them."""
    called = Shape(0, (0,), 1, ((0, 1),), (StepDef(2, target=0),))
    stream, messages = writer()
    write_transition(stream, 0, replace(SIMPLE, shape=called))
    stream.flush()

    assert isinstance(messages[-1], BatchMessage)
    assert (messages[-1].calls, messages[-1].own_calls) == ((), {})


@given(st.integers(1, 10**9), st.integers(-(2**60), 2**60), st.integers(0, 2**50))
def test_a_unit_rounds_moments_down_and_durations_up(unit: int, time: int, took: int) -> None:
    """So moments stay in order, and no duration becomes one that is not known."""
    messages: list[Message] = []
    stream = StreamWriter(messages.append, HELLO)
    stream.machine("m", stream.schema(STATES), unit_ns=unit)
    write_transition(stream, 0, replace(SIMPLE, time_ns=time, duration_ns=took))
    stream.flush()
    (one,) = read_back(decoded(stream_bytes(messages))).transitions[0]

    assert time - unit < one.time_ns <= time
    assert took <= one.duration_ns < took + unit


def test_a_batch_holds_a_run_of_each_machine() -> None:
    """In the order in which the runs began, whatever the order of transitions."""
    stream, messages = writer()
    stream.machine("n", 0)
    for machine, time in ((1, 5), (0, 6), (1, 7), (1, 8)):
        write_transition(stream, machine, replace(SIMPLE, time_ns=time))
    stream.flush()

    assert isinstance(messages[-1], BatchMessage)
    assert messages[-1].runs == (Run(1, 0, 3), Run(0, 0, 1))
    assert messages[-1].times == (5, 7, 8, 6)


def test_a_hello_is_not_changed() -> None:
    """The stream's first message is the caller's, as given."""
    hello = HelloMessage(1, "other", 1, 2, "go", {"k": "v"})
    messages: list[Message] = []
    StreamWriter(messages.append, hello)

    assert messages == [hello]
