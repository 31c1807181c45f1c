"""How long a connection may take until it is a program that is worth its place."""

from __future__ import annotations

from am_dbg.ingest.timeouts import FRAME_BYTES_S_MIN, ConnectionProgress, Timeouts

TIMEOUTS = Timeouts(first_bytes_s_max=10, machine_s_max=20, frame_s_max=5)
FOR_EVER = 1e9


def begun(*, has_sent: bool = True, has_machine: bool = True) -> ConnectionProgress:
    """A connection made at second 0 that has come so far at once."""
    progress = ConnectionProgress(TIMEOUTS, 0)
    if has_sent:
        progress.sent_message(0)
    if has_machine:
        progress.sent_machine()
    return progress


def test_a_hello_has_its_time_and_no_more() -> None:
    """At the limit the connection has to go, a moment before it may stay."""
    progress = begun(has_sent=False, has_machine=False)

    assert progress.overdue(9.9) == ""
    assert progress.overdue(10) == "it sent no whole message"


def test_a_machine_has_its_time_after_the_hello() -> None:
    """Whatever else is sent meanwhile, a connection without a machine is closed."""
    progress = begun(has_machine=False)
    for second in range(20):
        progress.received(0, second, second)

    assert progress.overdue(19.9) == ""
    assert progress.overdue(20) == "it sent a hello and no machine"


def test_a_program_with_a_machine_may_be_silent_for_ever() -> None:
    """Nothing that happens is no reason to go."""
    progress = begun()
    progress.received(0, 3, 1)

    assert progress.overdue(FOR_EVER) == ""


def test_a_frame_that_drips_does_not_become_whole_in_time() -> None:
    """A byte now and then gives a frame no more time; a whole frame does."""
    progress = begun()
    for at in range(40):
        progress.received(1 + at, 3, 100 + at / 10)
    assert progress.overdue(104.9) == ""
    assert progress.overdue(105.1) == "it sent a part of a frame and not the rest"
    progress.received(1, 4, 105)

    assert progress.overdue(109.9) == ""


def test_a_large_frame_may_come_slowly() -> None:
    """Each piece of so many bytes that came gives it one more second."""
    progress = begun()
    progress.received(1, 3, 0)
    progress.received(3 * FRAME_BYTES_S_MIN, 3, 4)

    assert progress.overdue(7.9) == ""
    assert progress.overdue(8) != ""


def test_what_was_kept_waiting_by_the_debugger_has_its_time_again() -> None:
    """Nobody is late because of the other side."""
    progress = begun(has_machine=False)
    progress.go_on(100)

    assert progress.overdue(119.9) == ""
