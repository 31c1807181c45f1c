"""Pipes between any states: both ways, of several sources, and their end."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

import machine as am
from machine import pipes
from machine.errors import StateMissingError
from machine.states import ConnectedStatesDef

if TYPE_CHECKING:
    from tests.core.conftest import Recorder

Made = Callable[..., am.Machine]
LogOf = Callable[..., list[str]]


@pytest.fixture
def sensor(made: Made) -> am.Machine:
    """A machine at which pipes begin."""
    return made("Hot{} Ready{} Count{multi}", id="sensor")


@pytest.fixture
def other(made: Made) -> am.Machine:
    """Another one."""
    return made("Hot{} Ready{}", id="other")


@pytest.fixture
def fan(made: Made) -> am.Machine:
    """The machine that pipes drive."""
    return made("Running{} Hot{} Ready{} Count{multi} ErrHot{}", id="fan")


def test_a_state_follows_another(sensor: am.Machine, fan: am.Machine) -> None:
    """The target's state begins and ends with that of the source."""
    pipes.bind(sensor, "Hot", fan, "Running")

    sensor.add1("Hot")
    assert fan.active_states() == ["Running"]
    sensor.remove1("Hot")
    assert fan.active_states() == []


def test_without_a_name_it_is_the_state_of_that_name(sensor: am.Machine, fan: am.Machine) -> None:
    """A pipe leads to the same name by default."""
    pipes.bind(sensor, "Hot", fan)
    sensor.add1("Hot")

    assert fan.active_states() == ["Hot"]


def test_a_state_that_is_active_already_counts(sensor: am.Machine, fan: am.Machine) -> None:
    """Binding brings the target into line with the source; it removes nothing."""
    sensor.add1("Hot")
    fan.add1("Ready")
    pipes.bind(sensor, "Hot", fan, "Running")
    pipes.bind(sensor, "Ready", fan)

    assert fan.active_states() == ["Running", "Ready"]


def test_each_activation_counts(sensor: am.Machine, fan: am.Machine) -> None:
    """A multi state sends every activation, with its arguments and its source."""
    seen: list[tuple[am.A, str]] = []

    def note(event: am.Event) -> None:
        tx = event.transition()
        assert tx is not None
        assert tx.source is not None
        seen.append((event.args, tx.source.mach_id))

    fan.on("Count", "State")(note)
    pipes.bind(sensor, "Count", fan)
    sensor.add1("Count", {"n": 1})
    sensor.add1("Count", {"n": 2})

    assert seen == [({"n": 1}, "sensor"), ({"n": 2}, "sensor")]


def test_any_of_several(sensor: am.Machine, other: am.Machine, fan: am.Machine) -> None:
    """With `bind_any` the target's state lasts until the last of the sources ends."""
    pipes.bind_any([(sensor, "Hot"), (sensor, "Ready"), (other, "Hot")], fan, "Running")

    sensor.add(["Hot", "Ready"])
    assert fan.is1("Running")
    sensor.remove1("Hot")
    other.add1("Hot")
    sensor.remove1("Ready")
    assert fan.is1("Running")
    other.remove1("Hot")
    assert not fan.is1("Running")


def test_all_of_several(sensor: am.Machine, other: am.Machine, fan: am.Machine) -> None:
    """With `bind_all` the target's state begins with the last of the sources."""
    pipes.bind_all([(sensor, "Hot"), (other, "Hot")], fan, "Running")

    sensor.add1("Hot")
    assert not fan.is1("Running")
    other.add1("Hot")
    assert fan.is1("Running")
    sensor.remove1("Hot")
    assert not fan.is1("Running")
    other.remove1("Hot")
    assert fan.tick("Running") == 2


def test_a_source_that_changes_meanwhile(
    sensor: am.Machine, other: am.Machine, fan: am.Machine
) -> None:
    """A source that changes while the target is mutated has the last word."""
    pipes.bind_any([(sensor, "Hot"), (other, "Hot")], fan, "Running")
    held: list[str] = []

    def late(_: am.Event) -> None:
        held.append("")
        if len(held) == 1:
            worker = threading.Thread(target=lambda: other.add1("Hot"))
            worker.start()
            worker.join()

    fan.on("Running", "End")(late)
    sensor.add1("Hot")
    sensor.remove1("Hot")

    assert other.is1("Hot")
    assert fan.is1("Running")


def test_sources_in_several_threads(made: Made, fan: am.Machine) -> None:
    """However threads interleave, the target agrees with the sources at the end."""
    sources = [made("Hot{}", id=f"source{number}") for number in range(4)]
    pipes.bind_any([(source, "Hot") for source in sources], fan, "Running")
    pipes.bind_all([(source, "Hot") for source in sources], fan, "Ready")
    begin = threading.Barrier(4)

    def toggle(source: am.Machine, last: bool) -> None:
        begin.wait(5)
        for _ in range(25):
            source.add1("Hot")
            source.remove1("Hot")
        if last:
            source.add1("Hot")

    for actives in (0, 1, 4):
        workers = [
            threading.Thread(target=toggle, args=(source, number < actives))
            for number, source in enumerate(sources)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(20)
        assert fan.when_queue_ends().wait(5)
        assert (fan.is1("Running"), fan.is1("Ready")) == (actives > 0, actives == 4)


def test_a_removed_pipe_does_nothing(sensor: am.Machine, fan: am.Machine) -> None:
    """After `remove` the source drives nothing; what the pipe added stays."""
    pipe = pipes.bind(sensor, "Hot", fan, "Running")
    sensor.add1("Hot")
    assert pipe.sources() == [(sensor, "Hot")]

    assert pipe.remove()
    sensor.remove1("Hot")
    assert fan.is1("Running")
    assert not pipe.remove()
    assert pipe.sources() == []
    assert sensor.handlers() == []


@pytest.mark.parametrize("bind", [pipes.bind_ready, pipes.bind_err])
def test_pipes_of_usual_states_are_removed_too(
    sensor: am.Machine, fan: am.Machine, bind: Callable[..., pipes.Pipe]
) -> None:
    """Every call that binds returns a pipe."""
    bind(sensor, fan).remove()
    sensor.add1("Ready")
    sensor.add_err(ValueError())

    assert fan.time_sum() == 0


def test_a_pipe_of_a_connection_is_removed_as_a_whole(made: Made) -> None:
    """`bind_connected` and `bind_start` return pipes; all states of one end together."""
    source = am.Machine(None, {**ConnectedStatesDef.struct(), "Start": am.State()}, id="source")
    target = made("On{} Off{} Start{}", id="target")
    pipe = pipes.bind_connected(source, target, connected="On", disconnected="Off")
    assert repr(pipe) == "<Pipe from source.Disconnected, source.Connected to target>"
    assert pipes.bind_start(source, target).remove()
    assert pipe.remove()

    source.add1("Connected")
    source.add1("Start")
    assert target.time_sum() == 0
    assert repr(pipe) == "<Pipe from nothing to target>"


def test_unbind_finds_the_pipes_between_two_machines(
    sensor: am.Machine, other: am.Machine, fan: am.Machine
) -> None:
    """All pipes from the source to the target are removed and counted; others stay."""
    pipes.bind(sensor, "Hot", fan, "Running")
    pipes.bind_ready(sensor, fan)
    pipes.bind(sensor, "Hot", other)
    pipes.bind(other, "Ready", fan)

    assert pipes.unbind(sensor, fan) == 2
    assert pipes.unbind(sensor, fan) == 0
    sensor.add(["Hot", "Ready"])
    other.add1("Ready")
    assert other.is1("Hot")
    assert fan.active_states() == ["Ready"]


def test_unbind_finds_the_pipes_of_one_state(sensor: am.Machine, fan: am.Machine) -> None:
    """With a state only its pipes are removed; an unknown one raises."""
    pipes.bind(sensor, "Hot", fan)
    pipes.bind(sensor, "Ready", fan)

    assert pipes.unbind(sensor, fan, "Hot") == 1
    assert sensor.add(["Hot", "Ready"]) is am.Result.EXECUTED
    assert fan.active_states() == ["Ready"]
    with pytest.raises(StateMissingError, match="did you mean Hot"):
        pipes.unbind(sensor, fan, "Hott")


def test_a_pipe_that_was_detached_by_hand(sensor: am.Machine, fan: am.Machine) -> None:
    """Removing a pipe works even if its handlers were detached."""
    pipe = pipes.bind(sensor, "Hot", fan)
    sensor.detach_handlers(sensor.handlers()[0])

    assert pipe.remove()


def test_the_end_of_the_target_removes_the_pipe(sensor: am.Machine, fan: am.Machine) -> None:
    """When the target is disposed the source lets go of it."""
    pipe = pipes.bind(sensor, "Hot", fan, "Running")
    fan.dispose_force()

    assert sensor.handlers() == []
    assert pipe.sources() == []


def test_the_end_of_a_source_ends_what_it_held_up(
    sensor: am.Machine, other: am.Machine, fan: am.Machine
) -> None:
    """A disposed source has no active states; the others still count."""
    pipes.bind_any([(sensor, "Hot"), (other, "Hot")], fan, "Running")
    sensor.add1("Hot")
    other.add1("Hot")

    sensor.dispose_force()
    assert fan.is1("Running")
    other.dispose_force()
    assert not fan.is1("Running")


def test_the_end_of_a_source_leaves_other_states_alone(sensor: am.Machine, fan: am.Machine) -> None:
    """A pipe that has added nothing removes nothing."""
    pipes.bind(sensor, "Hot", fan, "Running")
    fan.add1("Running")
    sensor.dispose_force()

    assert fan.is1("Running")


def test_a_removed_pipe_leaves_nothing_behind(sensor: am.Machine, fan: am.Machine) -> None:
    """Pipes that come and go do not collect in their machines."""
    pipes.bind(sensor, "Hot", fan).remove()
    pipes.bind_ready(sensor, fan).remove()
    ends = len(sensor._dispose_handlers or ()), len(fan._dispose_handlers or ())
    for _ in range(10):
        pipes.bind(sensor, "Hot", fan).remove()
        pipes.bind_ready(sensor, fan).remove()

    assert not sensor._pipes
    assert ends == (len(sensor._dispose_handlers or ()), len(fan._dispose_handlers or ()))


def test_neither_targets_nor_other_sources_keep_a_source(
    made: Made, other: am.Machine, fan: am.Machine
) -> None:
    """A source that nothing else refers to is collected, and counts as inactive."""
    source = made("Hot{}", id="lost")
    pipe = pipes.bind_any([(source, "Hot"), (other, "Hot")], fan, "Running")
    source.add1("Hot")
    lost = weakref.ref(source)
    del source
    gc.collect()

    assert lost() is None
    assert pipe.sources() == [(other, "Hot")]
    other.add1("Hot")
    other.remove1("Hot")
    assert not fan.is1("Running")
    assert pipe.remove()


def test_a_collected_target_is_not_disposed(made: Made, sensor: am.Machine) -> None:
    """A pipe keeps its target; removing it lets the target go."""
    target = made("Hot{}", id="lost")
    pipe = pipes.bind(sensor, "Hot", target)
    lost = weakref.ref(target)
    del target
    gc.collect()
    assert lost() is not None

    pipe.remove()
    del pipe
    gc.collect()
    assert lost() is None


def test_a_disposal_after_the_pipe_is_gone(made: Made, fan: am.Machine) -> None:
    """A target whose sources were collected is disposed as usual."""
    pipes.bind(made("Hot{}", id="lost"), "Hot", fan)
    gc.collect()
    fan.dispose_force()

    assert fan.is_disposed()


def test_an_error_state_of_the_target(sensor: am.Machine, fan: am.Machine) -> None:
    """A state that begins with `Err` is added along with `Exception`, at once as well."""
    sensor.add1("Hot")
    pipes.bind(sensor, "Hot", fan, "ErrHot")
    assert fan.is_(["ErrHot", "Exception"])

    sensor.remove1("Hot")
    assert fan.active_states() == ["Exception"]


def test_a_pipe_needs_a_source(fan: am.Machine) -> None:
    """An empty list of sources is refused, and so is a state that a machine lacks."""
    with pytest.raises(ValueError, match="its sources are empty"):
        pipes.bind_all([], fan, "Running")
    with pytest.raises(StateMissingError):
        pipes.bind(fan, "Running", fan, "Wrong")


def test_both_sides_log_the_end_of_a_pipe(
    sensor: am.Machine, fan: am.Machine, log_of: LogOf
) -> None:
    """A removed pipe leaves a line in both machines; one whose target ended leaves its own."""
    lines = log_of(sensor), log_of(fan)
    pipe = pipes.bind(sensor, "Hot", fan, "Running")
    pipes.bind_ready(sensor, fan, "Running", "Ready")
    for side in lines:
        side.clear()
    pipe.remove()
    pipes.unbind(sensor, fan)
    assert [line for line in lines[0] if "pipe" in line] == [
        "[pipe-out:unbind] Hot to fan",
        "[pipe-out:unbind] Ready to fan",
    ]
    assert [line for line in lines[1] if "pipe" in line] == [
        "[pipe-in:unbind] Running from sensor",
        "[pipe-in:unbind] Running from sensor",
        "[pipe-in:unbind] Ready from sensor",
    ]

    pipes.bind(sensor, "Hot", fan, "Running")
    lines[0].clear()
    fan.dispose_force()
    assert [line for line in lines[0] if "pipe" in line] == ["[pipe:gc] fan"]


def test_a_pipe_is_called_as_a_handler(
    sensor: am.Machine, fan: am.Machine, recorder: Recorder
) -> None:
    """Tracers see the handlers of a pipe as those of its source."""
    sensor.bind_tracer(recorder)
    pipes.bind(sensor, "Hot", fan, "Running")
    sensor.add1("Hot")

    assert "handler_start HotState" in recorder.events
