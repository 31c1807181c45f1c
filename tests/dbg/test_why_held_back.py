"""Auto states that are held back after a failure: recorded machines show them at any log level."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

import pytest

import machine as am
from am_dbg import reports
from am_dbg.projection.reasons.why_not import blocked_autos, why_not
from am_dbg.projection.reasons.why_not_rows import reason_rows
from am_dbg.store import Store, Track
from machine._resolution.resolve import auto_states
from tests.wire.tracing import FakeSender, StreamRecorder

LOG_LEVELS = (am.LogLevel.NOTHING, am.LogLevel.EVERYTHING)
POLL = {
    "Start": am.State(),
    "Poll": am.State(auto=True, require=("Start",)),
    "Other": am.State(),
    "Idle": am.State(auto=True, require=("Other",)),
}
POLL_NAMES = [*POLL]


def failing(event: am.Event) -> None:
    raise OSError("unplugged")


def recorded_after(mach: am.Machine, names: Iterable[str]) -> Store:
    """A store with all that a machine did when these states were added."""
    sender, recorder, store = FakeSender(), StreamRecorder(), Store()
    sender.trace(mach)
    for name in names:
        mach.add1(name)
    recorder.begin()
    recorder.record(sender.events)
    recorder.read()
    stream = store.open_stream("recorded", live=True)
    for message in recorder.messages:
        store.feed(stream, message)
    return store


def polling(*names: str, level: am.LogLevel = am.LogLevel.NOTHING, handler: str = "") -> Store:
    """A machine whose auto state fails when it is tried, and to which these states are added."""
    mach = am.Machine(None, POLL, id="poll", log_level=level)
    mach.bind_handlers({handler or "PollEnter": failing})
    return recorded_after(mach, names)


def rows(track: Track, number: int) -> list[str]:
    return [row.text for row in reason_rows(track, number, "Poll")]


@pytest.mark.parametrize("level", LOG_LEVELS)
@pytest.mark.parametrize("handler", ["PollEnter", "StartPoll"])
def test_a_held_back_state_is_named_with_its_failure(level: am.LogLevel, handler: str) -> None:
    """Also if no other auto state is left, so that no auto transition follows."""
    track = polling("Start", level=level, handler=handler).tracks[0]

    assert rows(track, track.count)[:2] == [
        "├ never active",
        "├ held back since the failure in tx 2, until something else changes",
    ]
    assert [one.name for one in blocked_autos(track, track.count)] == ["Poll", "Idle"]


def test_a_change_that_no_error_made_ends_it() -> None:
    """The auto state is tried again, so it is not held back before that."""
    track = polling("Start", "Other").tracks[0]
    numbers = range(1, track.count + 1)
    other = POLL_NAMES.index("Other")
    added = next(at for at in numbers if other in track.shape_at(at).called)

    held = [answer.held_since if (answer := why_not(track, at, "Poll")) else 0 for at in numbers]
    assert held[added - 2] == 2
    assert held[added - 1] == 0
    assert held[-1] > added


def test_reports_list_held_back_states() -> None:
    """As text and as JSON."""
    store = polling("Start")
    track = store.tracks[0]

    assert "held     Poll  auto, since the failure in tx 2" in list(
        reports.why_lines(store, track, track.count)
    )
    value = reports.why_value(store, track, track.count)
    assert value["blocked_auto"][0]["held_back_since"] == 2


@pytest.mark.parametrize("seed", range(16))
def test_the_held_back_states_are_those_of_the_machine(seed: int) -> None:
    """After random mutations of random schemas in which some auto states fail."""
    random = Random(seed)
    for _ in range(10):
        struct = {name: state(random, name) for name in "ABCDEF"}
        mach = am.Machine(None, struct, id="held")
        for name in random.sample("ABCDEF", 3):
            mach.bind_handlers({f"{name}{random.choice(['Enter', 'State'])}": failing})
        names = random.choices("ABCDEF", k=8)
        store = recorded_after(mach, names)
        track = store.tracks[0]
        held = held_by(mach)
        for name in struct:
            answer = why_not(track, track.count, name)
            if answer and not answer.is_blocked:
                assert bool(answer.held_since) is (name in held), (struct, names)


def held_by(mach: am.Machine) -> set[str]:
    """The states that the machine would try now if it did not hold them back."""
    schema, node = mach._schema, mach._node
    tried = auto_states(schema, node.active)
    return {schema.names[index] for index in tried if node.marks[0] >> index & 1}


def state(random: Random, own: str) -> am.State:
    """A state of which half are auto, and which has a relation to an eighth of all others."""
    others = [name for name in "ABCDEF" if name != own]
    require, add, remove = ([one for one in others if random.random() < 0.12] for _ in "rar")
    return am.State(require=require, add=add, remove=remove, auto=random.random() < 0.5)
