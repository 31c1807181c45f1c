"""Values over a limit are cut with a mark, never refused."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from amtracer.encode.stream_writer import StreamWriter
from amtracer.wire import limits
from amtracer.wire.messages import Message, Shape, StateDef, StepDef
from amtracer.wire.truncate import cut_args, cut_lines, cut_shape, cut_states, cut_text
from tests.transitions import RecordedTransition, write_transition
from tests.wire.streams import HELLO, SHAPE, STATES, decoded, read_back, stream_bytes


def size(text: str) -> int:
    return len(text.encode("utf-8", "backslashreplace"))


def test_a_text_at_the_limit_is_whole() -> None:
    """As many bytes as allowed stay as they are."""
    assert cut_text("x" * limits.TEXT_BYTES_MAX) == "x" * limits.TEXT_BYTES_MAX
    assert cut_text("é" * (limits.TEXT_BYTES_MAX // 2)) == "é" * (limits.TEXT_BYTES_MAX // 2)


def test_a_text_past_the_limit_counts_what_is_missing() -> None:
    """One more byte, and the beginning and a count are left."""
    cut = cut_text("x" * (limits.TEXT_BYTES_MAX + 1))

    assert size(cut) <= limits.TEXT_BYTES_MAX
    assert cut.startswith("xxx")
    assert cut.endswith("x… (41 more characters)")


@given(st.text(st.sampled_from("aé€😀\udc80"), min_size=20, max_size=200))
def test_a_cut_text_is_never_too_long(text: str) -> None:
    """Characters of any width, and broken ones, are cut by their bytes."""
    assert size(cut_text(text, 80)) <= 80


def test_as_many_lines_as_allowed_are_whole() -> None:
    """A transition with as many log lines as a reader takes keeps them all."""
    lines = tuple((1, f"line {at} of many lines") for at in range(limits.LINES_MAX))

    assert cut_lines(lines) == lines


def test_more_lines_than_allowed_are_counted() -> None:
    """The last line counts the missing ones."""
    lines = tuple((1, f"line {at}") for at in range(limits.LINES_MAX + 1))
    cut = cut_lines(lines)

    assert len(cut) == limits.LINES_MAX
    assert cut[-1] == (1, "… (2 more lines)")


def test_lines_of_much_text_are_counted_too() -> None:
    """A thousand long lines do not fit a segment, so some are left out."""
    cut = cut_lines(tuple((1, "x" * limits.TEXT_BYTES_MAX) for _ in range(limits.LINES_MAX)))

    assert sum(size(text) for _, text in cut) <= limits.TRANSITION_TEXT_BYTES_MAX + 100
    assert cut[-1][1].endswith("more lines)")


def test_arguments_have_room_together() -> None:
    """As many arguments as allowed, each with its share of the room."""
    args = [(f"k{at}", "v" * 10_000) for at in range(limits.ARGS_MAX + 5)]
    cut = cut_args(tuple(text for pair in args for text in pair))

    assert len(cut) == 2 * limits.ARGS_MAX
    assert cut[-2:] == ("…", "… 6 more")
    assert sum(map(size, cut)) <= limits.TRANSITION_TEXT_BYTES_MAX


def test_steps_past_the_limit_are_left_out() -> None:
    """A transition of a huge machine keeps its first steps."""
    whole = Shape(0, (), 1, (), (StepDef(1),) * limits.STEPS_MAX)
    long = Shape(0, (), 1, (), (StepDef(1),) * (limits.STEPS_MAX + 1))

    assert cut_shape(whole) is whole
    assert cut_shape(long) == whole


def test_a_line_counts_missing_steps() -> None:
    """Of as many as allowed none is missing, of five more five are."""
    messages: list[Message] = []
    stream = StreamWriter(messages.append, HELLO)
    machine = stream.machine("m", stream.schema(STATES))
    for steps in (limits.STEPS_MAX, limits.STEPS_MAX + 5):
        shape = Shape(0, (), 1, (), (StepDef(1),) * steps)
        write_transition(stream, machine, RecordedTransition(shape, 5, lines=((2, "a line"),)))
    stream.flush()
    reader = read_back(decoded(stream_bytes(messages)))

    assert [transition.lines for transition in reader.transitions[machine]] == [
        ((2, "a line"),),
        ((2, "a line"), (1, "… (5 more steps)")),
    ]


def test_any_values_of_a_program_can_be_read() -> None:
    """A stream of far too long things is valid for a reader."""
    messages: list[Message] = []
    stream = StreamWriter(messages.append, HELLO)
    huge = "ü" * 100_000
    machine = stream.machine(huge, stream.schema(STATES), parent=huge, tags=[huge] * 3)
    write_transition(
        stream,
        machine,
        RecordedTransition(
            SHAPE,
            5,
            lines=tuple((1, huge) for _ in range(2_000)),
            pre_lines=((1, huge + "\udc80"),),
            args=tuple((str(at), huge) for at in range(1_000)),
            handler_ns=(1,) * 10_000,
            id=huge,
        ),
    )
    stream.dropped(machine, 1, (0, 0, 0), huge)
    stream.flush()
    reader = read_back(decoded(stream_bytes(messages)))

    assert len(reader.transitions[machine]) == 1


def test_states_lose_tags_and_relations_over_the_limit_only() -> None:
    """A reader accepts every schema of a program; a schema within the limits is not copied."""
    fits = StateDef(
        "A", tags=("t",) * limits.TAGS_MAX, require=("A",) * limits.STATES_MAX, remove=None
    )
    many = StateDef("B", tags=("t",) * (limits.TAGS_MAX + 1), auto=True)
    long = StateDef("C", tags=("t" * (limits.TEXT_BYTES_MAX + 1),))
    related = StateDef("D", add=("A",) * (limits.STATES_MAX + 1))
    cut = cut_states((fits, many, long, related))

    assert cut[0] is fits
    assert cut[1] == StateDef("B", tags=("t",) * (limits.TAGS_MAX - 1) + ("…+2",), auto=True)
    assert size(cut[2].tags[0]) <= limits.TEXT_BYTES_MAX
    assert cut[3] == StateDef("D", add=("A",) * limits.STATES_MAX)

    messages: list[Message] = []
    assert StreamWriter(messages.append, HELLO).schema((many, long, related)) == 0
    assert decoded(stream_bytes(messages)) == messages
