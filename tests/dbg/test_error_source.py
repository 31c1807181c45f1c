"""Errors of transitions: their text, their place in the code, the handler that raised them."""

from __future__ import annotations

import pytest

from am_dbg.projection.reasons.causes import Cause, CauseKind, cause_at
from am_dbg.projection.reasons.error_source import (
    NO_ERROR,
    ErrorSource,
    error_added,
    error_at,
    error_raised,
    failed_before,
    follower_of,
)
from am_dbg.store import Track
from amtracer.wire.messages import Shape
from amtracer.wire.vocabulary import StepFlag
from tests.dbg.test_projection_why import why
from tests.screens.stories import (
    ADD,
    BLOCK,
    RELATION,
    REMOVE,
    REQUIRE,
    Story,
    Teller,
    track_of,
)
from tests.transitions import RecordedTransition, write_transition

TRACE = (
    "Traceback (most recent call last):\n"
    '  File "/srv/app/jobs.py", line 12, in load\n'
    "    return fetch(url)\n"
    '  File "/usr/lib/python3.12/http/client.py", line 40, in fetch\n'
    "    raise TimeoutError\n"
    "TimeoutError: no answer from \x1b[31mhost\n"
)
CAUSE = ErrorSource("TimeoutError: no answer from \\x1b[31mhost", "/srv/app/jobs.py", 12, "load")


def with_error(*lines: str, **args: str) -> Track:
    """A machine whose only transition adds `Exception`."""
    story = Story()
    pairs = tuple((key.replace("_", "."), text) for key, text in args.items())
    logged = tuple((1, line) for line in lines)
    story.machine("worker").add("Exception", lines=logged, args=pairs)
    return track_of(story)


def failing(story: Story) -> Teller:
    """A machine whose handler `PingEnter` failed in its only transition."""
    teller = story.machine("worker")
    teller.cancel("Ping", steps=(teller.handler("PingEnter", StepFlag.FAILED),))
    return teller


def test_the_place_of_an_error_is_the_innermost_frame_of_the_program() -> None:
    """A library shows where an error came to light; the program's own frame is named."""
    error = error_at(with_error(f"[error] no answer\n{TRACE}"), 1)

    assert error == CAUSE
    assert error.place == "jobs.py:12 in load"


def test_an_error_in_the_arguments_is_enough() -> None:
    """A machine that logs nothing has its errors in the arguments."""
    assert error_at(with_error(err="TimeoutError('x')", err_trace=repr(TRACE)), 1) == CAUSE


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("TimeoutError('no answer')", "TimeoutError: no answer"),
        ("TimeoutError()", "TimeoutError"),
        ("OSError(2, 'No such file')", "OSError(2, 'No such file')"),
        ("'plain words'", "plain words"),
        ("unreadable", "unreadable"),
    ],
)
def test_an_error_is_written_as_python_prints_it(written: str, text: str) -> None:
    """The class comes first, then the text; other forms stay as they are."""
    assert error_at(with_error(err=written), 1) == ErrorSource(text)


def test_a_trace_that_is_cut_names_no_place() -> None:
    """The end of a trace has the innermost frame; without it nothing is guessed."""
    cut = repr(TRACE)[:80] + "…"

    assert error_at(with_error(err="TimeoutError('no answer')", err_trace=cut), 1).place == ""


def test_the_place_of_an_error_of_a_go_program_is_its_first_frame() -> None:
    """Go lists the innermost frame first."""
    trace = (
        "[error] dial\ngoroutine 1\n\t/go/src/app/peers.go:118 +0x1\n\t/go/src/app/main.go:9 +0x2"
    )

    error = error_at(with_error(trace), 1)

    assert (error.text, error.place) == ("dial", "peers.go:118")


def test_a_transition_without_an_error_has_none() -> None:
    """Only error states and failed handlers count."""
    story = Story()
    story.machine("worker").add("Ping", args=(("err", "TimeoutError()"),))

    assert error_at(track_of(story), 1) == NO_ERROR


def test_the_error_of_a_handler_is_the_one_added_next() -> None:
    """The machine adds `Exception` right after the transition whose handler raised."""
    story = Story()
    failing(story).add("Exception", lines=((1, f"[error] no answer\n{TRACE}"),))
    track = track_of(story)

    assert (error_added(track, 1), error_raised(track, 1)) == (NO_ERROR, CAUSE)
    assert (follower_of(track, 1), failed_before(track, 2)) == (2, 1)
    assert "PingEnter failed: TimeoutError: no answer" in why(track, 1)
    assert "raised at jobs.py:12 in load" in why(track, 1)
    assert "It was raised in transition 1 by PingEnter." in why(track, 2)


def test_after_a_gap_an_error_belongs_to_no_handler() -> None:
    """The transition that added the error of the handler may be lost."""
    story = Story()
    teller = failing(story)
    teller.lose(1)
    teller.add("Exception", lines=((1, "[error] other"),))
    track = track_of(story)

    assert (follower_of(track, 1), failed_before(track, 2)) == (0, 0)
    assert error_at(track, 1) == NO_ERROR


def test_an_error_handler_that_fails_has_no_error_after_it() -> None:
    """The machine only logs such an error, so the next one was added by something else."""
    story = Story()
    teller = story.machine("worker")
    teller.cancel("Exception", steps=(teller.handler("ExceptionState", StepFlag.FAILED),))
    teller.add("Exception", args=(("err", "OSError('other')"),))

    assert follower_of(track_of(story), 1) == 0


def test_the_cause_of_a_change_is_the_relation_that_made_it() -> None:
    """Called states, implied states, removed states and dropped states have different causes."""
    story = Story()
    worker = story.machine("worker")
    worker.add("ProcessingFile")
    worker.mutate(0, ("InProgress",), ("InProgress",), auto=True)
    worker.add(
        "FileProcessed",
        added=("FileProcessed", "Logged"),
        removed=("ProcessingFile", "InProgress"),
        steps=(
            worker.step(RELATION, "FileProcessed", "Logged", relation=ADD),
            worker.step(RELATION, "FileProcessed", "ProcessingFile", relation=BLOCK),
            worker.step(REMOVE, target="ProcessingFile"),
            worker.step(RELATION, "InProgress", "Start", relation=REQUIRE),
            worker.step(RELATION, "InProgress", "ProcessingFile", relation=REQUIRE),
            worker.step(REMOVE, target="InProgress"),
        ),
    )
    worker.mutate(2, ("Start",), ("Start",), removed=("Logged",))
    track = track_of(story)

    def words(number: int, name: str, *, is_added: bool) -> str:
        return cause_at(track, number, worker.index(name), is_added=is_added).words

    assert words(1, "ProcessingFile", is_added=True) == "called"
    assert words(2, "InProgress", is_added=True) == "auto"
    assert words(3, "Logged", is_added=True) == "added by FileProcessed"
    assert words(3, "ProcessingFile", is_added=False) == "removed by FileProcessed"
    assert words(3, "InProgress", is_added=False) == "dropped, because it requires ProcessingFile"
    assert words(4, "Logged", is_added=False) == "not in the set"


def test_a_change_without_steps_has_an_unknown_cause() -> None:
    """Nothing is guessed."""
    story = Story()
    worker = story.machine("worker")
    worker.add("FileProcessed", added=("FileProcessed", "Logged"))

    cause = cause_at(track_of(story), 1, worker.index("Logged"), is_added=True)

    assert cause == Cause(CauseKind.UNKNOWN, is_added=True)
    assert cause.words == "added"


def test_a_change_that_a_failed_handler_left_behind_is_named_as_such() -> None:
    """A final handler that fails takes some changes back; the others stay."""
    story = Story()
    worker = story.machine("worker")
    ping, start = worker.index("Ping"), worker.index("Start")
    shape = Shape(0, (ping, start), 0, ((ping, -2), (start, 1)))
    write_transition(story.writer, worker.number, RecordedTransition(shape, story.now))
    track = track_of(story)

    assert cause_at(track, 1, ping, is_added=True).kind is CauseKind.CALLED
    assert cause_at(track, 1, ping, is_added=False).kind is CauseKind.FAILURE
    assert cause_at(track, 1, start, is_added=True).kind is CauseKind.CALLED
