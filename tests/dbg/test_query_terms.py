"""The query language: what can be typed, what it means, what it finds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from am_dbg.query import ALL, Filters, Hits, Visible
from am_dbg.query.query_keys import typing_hint
from am_dbg.query.terms import Terms, parse
from am_dbg.query.times import WrittenTime, parse_duration, parse_time
from am_dbg.store import Fact, Track
from amtracer.wire.messages import Shape, StepDef
from amtracer.wire.vocabulary import ShapeFlag, StepFlag
from tests.dbg.histories import START_NS, HistoryPlayer, stored

OK = int(ShapeFlag.ACCEPTED)
SECOND = 1_000_000_000


def track_of(*rows: tuple[Shape, dict[str, object]]) -> Track:
    """A track of `Start`, `Ready` and `Exception` with these shapes, a second apart."""
    player = HistoryPlayer()
    machine = player.enter(0)
    for at, (shape, more) in enumerate(rows):
        player.writer.record(
            machine.number,
            shape,
            START_NS + at * SECOND,
            **more,  # type: ignore[arg-type]
        )
    player.writer.flush()
    return stored(player).tracks[0]


HISTORY: tuple[tuple[Shape, dict[str, object]], ...] = (
    (Shape(0, (0,), OK, ((0, 1),)), {"lines": ((1, "[state] +Start"),)}),
    (
        Shape(0, (1,), 0, (), (StepDef(2, -1, StepFlag.DENIED, target=1),)),
        {"args": ("url", "http://Host/a b"), "duration_ns": 7_000_000},
    ),
    (Shape(0, (1,), OK | ShapeFlag.AUTO, ((1, 1),), (StepDef(2, -1, 4, target=1),)), {}),
    (Shape(1, (0,), OK, ((0, -1), (1, -1)), (StepDef(2, -1, 1, source=0),)), {}),
    (Shape(0, (2,), OK, ((2, 1),)), {"pre_lines": ((2, "caused by: timeout"),)}),
    (Shape(0, (2,), OK | ShapeFlag.CHECK, ()), {}),
    (Shape(0, (2,), OK, ()), {}),
)

FOUND = {
    "": [1, 2, 3, 4, 5, 6, 7],
    "state:Start": [1, 4],
    "state:Nobody": [],
    "called:Ready": [2, 3],
    "added:Ready": [3],
    "removed:Ready": [4],
    "accepted:no": [2],
    "accepted:yes": [1, 3, 4, 5, 6, 7],
    "auto:yes": [3],
    "error:yes": [5],
    "empty:yes": [7],
    "check:yes error:no": [6],
    "handler:ReadyEnter": [2, 3],
    "failed:ReadyEnter": [2],
    "handler:StartEnd": [4],
    "after:+2s": [3, 4, 5, 6, 7],
    "before:+2s": [1, 2, 3],
    "after:+1s before:+1.5s": [2],
    "longer:5ms": [2],
    "longer:8ms": [],
    "timeout": [5],
    '"caused by"': [5],
    "caused Start": [],
    "state:Start removed:Ready": [4],
    "host": [2],
    "Host/a": [2],
    "HOST": [],
    "ready": [2, 3, 4],
    "http://host": [2],
    "accepted:maybe": [],
    "[state]": [1],
    "-state:Ready": [1, 5, 6, 7],
    "-error:yes": [1, 2, 3, 4, 6, 7],
    "-after:+2s": [1, 2],
    "-longer:5ms state:Ready": [3, 4],
    '-"caused by" called:Exception': [6, 7],
    "-state:Start -state:Exception": [2, 3],
    "-timeout": [],
    "machine:none": [],
    "-machine:none state:Start": [1, 4],
}


@pytest.mark.parametrize("query", FOUND)
def test_a_query_finds_what_it_names(query: str) -> None:
    """Terms narrow each other; what is not understood is a word to be found."""
    track = track_of(*HISTORY)
    visible = Visible(track, Filters(empty=True, health=True, level=4))

    assert Hits(visible, query).numbers(1, 10) == FOUND[query]


def test_what_was_denied_or_only_checked_is_not_empty() -> None:
    """A mutation that relations refuse changes nothing, but is what one looks for."""
    refused, asked, nothing = (
        (Shape(0, (1,), flags, ()), {}) for flags in (0, OK | ShapeFlag.CHECK, OK)
    )
    track = track_of(refused, asked, nothing)

    assert Visible(track, Filters()).numbers(1, 10) == [1, 2]
    assert Visible(track, Filters(canceled=False, checks=False)).numbers(1, 10) == []


def test_filters_and_query_work_together() -> None:
    """The text of the filters hides what it does not find."""
    filters = Filters(empty=True, level=4, auto=False, text="state:Ready")

    assert Visible(track_of(*HISTORY), filters).numbers(1, 10) == [2, 4]


def test_words_are_looked_for_up_to_the_level_shown() -> None:
    """A line above the level is not shown, so it is not found either."""
    track = track_of(*HISTORY)

    assert Hits(Visible(track, ALL), "timeout").count == 0


@pytest.mark.parametrize(
    ("query", "terms"),
    [
        ("a b", Terms(words=("a", "b"))),
        ('"a b" c', Terms(words=("a b", "c"))),
        ('"not closed', Terms(words=("not closed",))),
        ("what:ever", Terms(words=("what:ever",))),
        ("after:noon", Terms(words=("after:noon",))),
        ("longer:1", Terms(words=("longer:1",))),
        ('state:"A B"', Terms(names=(("state", "A B"),))),
        ("state:", Terms(words=("state:",))),
        ("accepted:no", Terms(with_facts=Fact.CANCELED)),
        ("auto:no", Terms(without_facts=Fact.AUTO)),
        ("longer:2ms", Terms(longer_ns=2_000_000)),
        ("before:+3s", Terms(before=WrittenTime(3 * SECOND))),
    ],
)
def test_a_query_is_taken_apart(query: str, terms: Terms) -> None:
    """Known keys with a value they understand are terms, all else is words."""
    assert parse(query) == terms


@pytest.mark.parametrize(
    ("query", "troubles"),
    [
        ("state:Ready timeout", ()),
        ("stat:Ready", ("no key stat: (did you mean state:)",)),
        ("zzz:1", ('no key zzz: (put a text with a colon in "quotes")',)),
        (
            "eror:yes -adde:A",
            ("no key eror: (did you mean error:)", "no key adde: (did you mean added:)"),
        ),
        ("accepted:maybe", ("accepted: takes yes or no, not maybe",)),
        ("longer:1", ("longer: takes a duration such as 5ms, not 1",)),
        ("after:noon", ("after: takes a time such as +2s or 15:04:05, not noon",)),
        ("state:", ("state: takes a name",)),
        ("12:30", ()),
        ('"stat:Ready"', ()),
        ("-Ready", ()),
    ],
)
def test_a_term_that_is_not_understood_is_named(query: str, troubles: tuple[str, ...]) -> None:
    """The message has the key that was probably meant, or the values that the key takes."""
    assert parse(query).troubles == troubles


def test_a_term_that_is_not_understood_is_looked_for_as_a_text() -> None:
    """Without the key it would find too much."""
    assert parse("-stat:Ready").words == ("-stat:Ready",)


def test_a_key_finds_machines_by_a_part_of_their_key() -> None:
    """A word without capitals is found in any case."""
    track = track_of(*HISTORY)
    name = track.key[1:].lower()

    assert Hits(Visible(track, ALL), f"machine:{name}").count == track.count


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("", "state:Ready called:Ready"),
        ("error:yes acc", "accepted:no"),
        ("-sta", "state:Ready"),
        ("longer:", "longer:5ms took at least that long"),
    ],
)
def test_while_a_term_is_typed_the_hint_has_the_keys_that_fit(typed: str, hint: str) -> None:
    """After the colon it has what the key takes."""
    assert typing_hint(typed).startswith(hint)


@given(st.text(max_size=40))
def test_nothing_that_can_be_typed_is_an_error(query: str) -> None:
    """Any text is a query, also one that is not finished yet."""
    Hits(Visible(track_of(*HISTORY), ALL), query).numbers(1, 10)


@pytest.mark.parametrize(
    ("text", "duration"),
    [("1ns", 1), ("1.5us", 1_500), ("2µs", 2_000), ("3ms", 3_000_000), ("1h", 3600 * SECOND)],
)
def test_durations_have_a_unit(text: str, duration: int) -> None:
    """A number and a unit from nanoseconds to hours."""
    assert parse_duration(text) == duration
    assert parse_duration(text + "x") is None


def test_a_time_of_day_is_one_on_the_day_the_history_began() -> None:
    """Hours, minutes and fractions of a second count from local midnight."""
    moment = parse_time("01:02:03.5")

    assert moment == WrittenTime(3_723 * SECOND + SECOND // 2, is_of_day=True)
    assert moment.at(START_NS) == moment.at(START_NS + SECOND)
    assert (moment.at(START_NS) - moment.offset_ns) % SECOND == 0
