"""Pipes: what one machine does becomes a state of another."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable
from typing import Any

import pytest

import machine as am
from machine import pipes
from machine.errors import StateMissingError
from machine.states import ConnectedStatesDef, basic_struct

Made = Callable[..., am.Machine]
LogOf = Callable[..., list[str]]


@pytest.fixture
def source(made: Made) -> am.Machine:
    """The machine at which pipes begin."""
    return made("Start{} Ready{} Foo{} ErrNet{require:Exception}", id="source")


@pytest.fixture
def target(made: Made) -> am.Machine:
    """The machine that pipes drive."""
    return made("Start{} Ready{} Foo{} Bar{} ErrNet{} ErrPeer{require:Exception}", id="target")


def pipe_foo(source: am.Machine, target: am.Machine, to: str = "") -> None:
    """Pipe a state by hand, as in the manual."""
    source.bind_handlers(
        {
            "FooState": pipes.add(source, target, "Foo", to),
            "FooEnd": pipes.remove(source, target, "Foo", to),
        }
    )


def of_pipes(lines: list[str]) -> list[str]:
    return [line for line in lines if line.startswith("[pipe")]


def test_a_state_drives_the_state_of_that_name(source: am.Machine, target: am.Machine) -> None:
    """Without a name for the target a pipe leads to the same name."""
    pipe_foo(source, target)

    source.add1("Foo")
    assert target.active_states() == ["Foo"]

    source.remove1("Foo")
    assert target.active_states() == []


def test_a_state_drives_a_state_of_another_name(source: am.Machine, target: am.Machine) -> None:
    """A pipe leads to the state that was given."""
    pipe_foo(source, target, "Bar")

    source.add1("Foo")

    assert target.active_states() == ["Bar"]


def test_a_pipe_begins_at_a_state(source: am.Machine, target: am.Machine) -> None:
    """An empty source state raises at the call."""
    for make in (pipes.add, pipes.remove):
        with pytest.raises(StateMissingError, match="a pipe begins at a state"):
            make(source, target, "", "Bar")


@pytest.mark.parametrize(("at", "to"), [("Fooo", "Bar"), ("Foo", "Baar")])
def test_both_ends_of_a_pipe_have_to_exist(
    source: am.Machine, target: am.Machine, log_of: LogOf, at: str, to: str
) -> None:
    """A misspelled state raises with the nearest name, and no pipe is logged."""
    lines = [log_of(source), log_of(target)]

    with pytest.raises(StateMissingError) as raised:
        pipes.add(source, target, at, to)

    assert "did you mean" in str(raised.value)
    assert lines == [[], []]


def test_a_pipe_hands_on_a_copy_of_the_arguments(source: am.Machine, target: am.Machine) -> None:
    """The target sees what the source was given; what it makes of it stays its own."""
    got: list[dict[str, Any]] = []

    def spoil(event: am.Event) -> None:
        got.append(dict(event.args))
        event.args.clear()

    target.bind_handlers({"FooState": spoil, "FooEnd": spoil})
    pipe_foo(source, target)
    late: list[dict[str, Any]] = []
    source.bind_handlers({"FooState": lambda e: late.append(dict(e.args))})

    source.add1("Foo", {"path": "a.txt"})
    source.remove1("Foo", {"why": "done"})

    assert got == [{"path": "a.txt"}, {"why": "done"}]
    assert late == [{"path": "a.txt"}]


def test_the_target_shows_where_its_mutation_came_from(
    source: am.Machine, target: am.Machine, recorder: Any
) -> None:
    """The source of the target's transition is the transition that was piped."""
    pipe_foo(source, target)
    source.bind_tracer(of_source := type(recorder)())
    target.bind_tracer(recorder)
    source.add1("Ready")

    source.add1("Foo")
    source.remove1("Foo")

    told = [tx.source for tx in recorder.txs]
    assert told == [
        am.MutSource("source", of_source.txs[1].id, 1),
        am.MutSource("source", of_source.txs[2].id, 2),
    ]


def test_the_target_is_mutated_while_the_handler_runs(
    source: am.Machine, target: am.Machine
) -> None:
    """Handlers that are bound after the pipe find the target changed."""
    pipe_foo(source, target)
    seen: list[bool] = []
    source.bind_handlers({"FooState": lambda e: seen.append(target.is1("Foo"))})

    source.add1("Foo")

    assert seen == [True]


def test_a_refusal_stays_with_the_target(source: am.Machine, target: am.Machine) -> None:
    """The source goes on when the target says no."""
    target.bind_handlers({"FooEnter": lambda e: False})
    pipe_foo(source, target)

    assert source.add1("Foo") is am.Result.EXECUTED
    assert (source.is1("Foo"), target.is1("Foo")) == (True, False)


def test_a_busy_target_takes_the_mutation_later(source: am.Machine, target: am.Machine) -> None:
    """A target that is in a transition queues what comes through a pipe."""
    pipe_foo(source, target, "Bar")
    seen: list[tuple[bool, bool]] = []

    def busy(event: am.Event) -> None:
        source.add1("Foo")
        seen.append((target.is1("Bar"), target.will_be1("Bar")))

    target.bind_handlers({"ReadyState": busy})
    target.add1("Ready")

    assert seen == [(False, True)]
    assert target.is1("Bar")


def test_machines_may_be_piped_in_a_circle(made: Made) -> None:
    """The hop that comes back to a busy machine is queued there, and the circle ends."""
    left, right = made("A{} B{}", id="left"), made("A{} B{}", id="right")
    left.bind_handlers(
        {"AState": pipes.add(left, right, "A"), "BState": pipes.add(left, right, "B")}
    )
    right.bind_handlers({"AState": pipes.add(right, left, "A", "B")})

    assert left.add1("A") is am.Result.EXECUTED

    assert str(left) == str(right) == "(A:1 B:1)"


def test_a_machine_may_be_piped_to_itself(made: Made) -> None:
    """One state drives another of the same machine, after the transition."""
    mach = made("A{} B{}")
    mach.bind_handlers({"AState": pipes.add(mach, mach, "A", "B")})

    mach.add1("A")

    assert str(mach) == "(A:1 B:1)"


def test_ready_is_piped_both_ways(source: am.Machine, target: am.Machine) -> None:
    """By default `Ready` of the target follows `Ready` of the source."""
    pipes.bind_ready(source, target)

    source.add1("Ready")
    assert target.active_states() == ["Ready"]

    source.remove1("Ready")
    assert target.active_states() == []


def test_readiness_may_drive_two_states(source: am.Machine, target: am.Machine) -> None:
    """One state is added when the source gets ready, another is removed at the end of it."""
    pipes.bind_ready(source, target, "Foo", "Bar")
    target.add1("Bar")

    source.add1("Ready")
    source.remove1("Ready")

    assert target.active_states() == ["Foo"]


def test_start_is_piped_both_ways(source: am.Machine, target: am.Machine) -> None:
    """`Start` is piped like `Ready`, to the state of that name or to others."""
    pipes.bind_start(source, target)
    pipes.bind_start(source, target, "Foo", "Foo")

    source.add1("Start")
    assert set(target.active_states()) == {"Start", "Foo"}

    source.remove1("Start")
    assert target.active_states() == []


@pytest.mark.parametrize(
    ("names", "active"),
    [
        (("Offline", "Dialing", "Online", "Leaving"), ["Offline", "Dialing", "Online", "Leaving"]),
        (("", "", "Online", ""), [None, None, "Online", None]),
    ],
)
def test_a_connection_is_piped(made: Made, names: tuple[str, ...], active: list[str]) -> None:
    """Every state that is named follows its state of the source; the others are left alone."""
    conn = am.Machine(None, {**basic_struct, **ConnectedStatesDef.struct()}, id="conn")
    peer = made("Offline{} Dialing{} Online{} Leaving{}", id="peer")
    pipes.bind_connected(conn, peer, *names)

    conn.add1("Start")
    for state, expected in zip(
        ("Disconnected", "Connecting", "Connected", "Disconnecting"), active, strict=True
    ):
        conn.add1(state)
        assert peer.active_states() == ([expected] if expected else [])


@pytest.mark.parametrize("target_err", ["Exception", "ErrPeer"])
def test_errors_are_piped(source: am.Machine, target: am.Machine, target_err: str) -> None:
    """An error of the source is the target's own then, with the trace it was made with."""
    pipes.bind_err(source, target, target_err)
    got: list[dict[str, Any]] = []
    told: list[BaseException] = []
    target.on_error(lambda mach, error: told.append(error))
    target.bind_handlers({"ExceptionState": lambda e: got.append(dict(e.args))})
    error = ValueError("boom")

    source.add_err_state("ErrNet", error, {"path": "a.txt"})

    assert target.err is error
    assert told == [error]
    assert set(target.active_states()) == {"Exception", target_err}
    assert [(args["err"], args["path"]) for args in got] == [(error, "a.txt")]
    assert got[0]["err.trace"].startswith("  File")


def test_what_a_handler_raises_is_piped(source: am.Machine, target: am.Machine) -> None:
    """A pipe makes no difference between errors that were added and errors that were raised."""
    pipes.bind_err(source, target)
    source.bind_handlers({"FooState": lambda e: 1 // 0})

    source.add1("Foo")

    assert isinstance(target.err, ZeroDivisionError)


def test_every_error_is_piped_and_stays(source: am.Machine, target: am.Machine) -> None:
    """Each error of the source counts; its end is no business of the target."""
    pipes.bind_err(source, target)

    source.add_err(ValueError("one"))
    source.add_err(ValueError("two"))
    source.remove1("Exception")

    assert target.is_err()
    assert str(target.err) == "two"


def test_an_error_that_is_there_already_is_piped(source: am.Machine, target: am.Machine) -> None:
    """Binding an error pipe binds a handler of errors; the first one gets the last error."""
    error = ValueError("before")
    source.add_err(error)

    pipes.bind_err(source, target)

    assert target.err is error


def test_an_error_state_never_comes_alone(source: am.Machine, target: am.Machine) -> None:
    """A pipe that leads to an `Err` state adds `Exception` as well, error or not."""
    pipe_foo(source, target, "ErrPeer")

    source.add1("Foo", {"path": "a.txt"})
    assert set(target.active_states()) == {"ErrPeer", "Exception"}
    assert target.err is None

    source.remove1("Foo")
    assert target.active_states() == ["Exception"]


def test_both_sides_note_a_pipe(source: am.Machine, target: am.Machine, log_of: LogOf) -> None:
    """The source writes where a pipe leads, the target where it comes from."""
    out, into = log_of(source, am.LogLevel.OPS), log_of(target, am.LogLevel.OPS)

    pipe_foo(source, target, "Bar")

    assert of_pipes(out) == ["[pipe-out:add] Foo to target", "[pipe-out:remove] Foo to target"]
    assert into == ["[pipe-in:add] Bar from source", "[pipe-in:remove] Bar from source"]


def test_pipes_are_noted_from_the_level_of_operations_on(
    source: am.Machine, target: am.Machine, log_of: LogOf
) -> None:
    """Below OPS there is no line of a pipe."""
    lines = [log_of(source, am.LogLevel.CHANGES), log_of(target, am.LogLevel.CHANGES)]

    pipe_foo(source, target)

    assert lines == [[], []]


def test_a_percent_sign_in_a_name_is_no_format(made: Made, log_of: LogOf) -> None:
    """Ids are written as they are."""
    left, right = made("A{}", id="100%s"), made("A{}", id="%d")
    lines = log_of(left, am.LogLevel.OPS)

    pipes.add(left, right, "A")

    assert lines == ["[pipe-out:add] A to %d"]


@pytest.mark.parametrize("ended", ["source", "target"])
def test_who_is_left_notes_the_end(
    source: am.Machine, target: am.Machine, log_of: LogOf, ended: str
) -> None:
    """When one side is disposed the other writes one line, however many pipes there were."""
    pipe_foo(source, target)
    pipes.bind_ready(source, target)
    gone, left = (source, target) if ended == "source" else (target, source)
    lines = log_of(left, am.LogLevel.OPS)

    gone.dispose_force()
    left.dispose_force()

    assert of_pipes(lines) == [f"[pipe:gc] {ended}"]


def test_a_pipe_to_a_machine_that_is_gone_is_noted_as_such(
    source: am.Machine, target: am.Machine, log_of: LogOf
) -> None:
    """A pipe to a disposed machine is logged as gone at once."""
    target.dispose_force()
    lines = log_of(source, am.LogLevel.OPS)

    pipes.add(source, target, "Foo")
    pipes.add(source, target, "Ready")

    assert of_pipes(lines) == [
        "[pipe-out:add] Foo to target",
        "[pipe:gc] target",
        "[pipe-out:add] Ready to target",
        "[pipe:gc] target",
    ]


def test_a_target_that_is_gone_takes_nothing(source: am.Machine, target: am.Machine) -> None:
    """The source goes on with its pipes leading nowhere, errors too."""
    pipe_foo(source, target)
    pipes.bind_err(source, target)
    target.dispose_force()
    last = target.err

    source.add1("Foo")
    source.add_err(ValueError("boom"))
    source.remove1("Foo")

    assert target.err is last
    assert str(source.err) == "boom"


def test_a_target_does_not_keep_its_sources(made: Made) -> None:
    """Short machines that are piped to a long one are collected as if they were not."""
    target = made("A{}", id="target")
    refs = []
    for number in range(3):
        short = made("A{}", id=f"short-{number}")
        short.bind_handlers({"AState": pipes.add(short, target, "A")})
        refs.append(weakref.ref(short))
        del short
    gc.collect()

    assert [ref() for ref in refs] == [None, None, None]


def test_pipes_from_many_threads_meet_in_one_queue(in_threads: Any, made: Made) -> None:
    """What comes through pipes at the same time is carried out one after another."""
    target = made("A{multi}", id="target")
    count = 0
    overlaps = threading.Lock()

    def counted(event: am.Event) -> None:
        nonlocal count
        assert overlaps.acquire(blocking=False)
        count += 1
        overlaps.release()

    target.bind_handlers({"AState": counted})
    sources = [made("A{multi}", id=f"source-{number}") for number in range(4)]
    for source in sources:
        source.bind_handlers({"AState": pipes.add(source, target, "A")})

    def work(source: am.Machine) -> Callable[[], object]:
        return lambda: [source.add1("A", {"n": n}) for n in range(50)]

    in_threads(*map(work, sources))

    assert count == 200
    assert not target.is_err()
