"""The log level of a traced machine: what it adds, when, and what none costs."""

from __future__ import annotations

import gc
import sys
from collections import Counter
from typing import Any

import pytest

import machine as am
from tests.wire.streams import StreamReader
from tests.wire.tracing import FakeSender, recorded


@pytest.fixture
def mach() -> am.Machine:
    return am.Machine(None, {"M": am.State(multi=True)}, id="m")


@pytest.fixture
def caught(mach: am.Machine) -> FakeSender:
    caught = FakeSender()
    caught.trace(mach)
    return caught


def highest(reader: StreamReader) -> list[int]:
    """The highest level among the lines of each transition, -1 for none."""
    return [max((level for level, _ in one.lines), default=-1) for one in reader.transitions[0]]


def test_a_level_changed_at_run_time_takes_effect(mach: am.Machine, caught: FakeSender) -> None:
    """From the next transition on, up and down, without attaching again."""
    mach.bind_handlers({"MState": lambda event: None})
    for level in (0, 4, 1, 2, 0):
        mach.set_logger_empty(level)
        mach.add1("M")

    assert highest(recorded(caught.events)) == [-1, 4, 1, 2, -1]


def test_a_level_changed_in_a_handler_takes_effect(mach: am.Machine, caught: FakeSender) -> None:
    """Lines follow from there, the transition being the same."""

    class Talking:
        def MEnter(self, event: am.Event) -> None:
            event.machine.set_logger_empty(am.LogLevel.CHANGES)

    mach.bind_handlers(Talking())
    mach.add1("M")

    assert [text for _, text in recorded(caught.events).transitions[0][0].lines] == ["[state] +M"]


def test_a_line_of_any_level_and_text_is_one_that_a_reader_takes(
    mach: am.Machine, caught: FakeSender
) -> None:
    """Levels are kept within those there are; a text is shown without methods of its class."""

    class Text(str):
        __slots__ = ()

        def removeprefix(self, prefix: str, /) -> str:
            raise AssertionError("a method of the host")

    mach.set_logger_empty(am.LogLevel.EVERYTHING)
    mach.set_log_id(False)
    mach.log_lvl(-1, Text("below"))  # type: ignore[arg-type]
    mach.log_lvl(am.LogLevel.OPS, 5)  # type: ignore[arg-type]
    mach.add1("M")
    first = recorded(caught.events).transitions[0][0]

    assert {(0, "below"), (2, "5")} <= set(first.pre_lines)


def calls(work: Any) -> Counter[str]:
    """Functions that were called, by the module they are in."""
    counted: Counter[str] = Counter()

    def watch(frame: Any, event: str, _: object) -> None:
        if event == "call":
            counted[frame.f_globals.get("__name__", "")] += 1

    gc.disable()  # what becomes of other tests' machines is not counted
    sys.setprofile(watch)
    try:
        work()
    finally:
        sys.setprofile(None)
        gc.enable()
    return counted


def ours(counted: Counter[str]) -> int:
    """Calls of functions of the tracer, whichever module they are in."""
    return sum(count for name, count in counted.items() if name.startswith("amtracer"))


def test_without_a_level_a_transition_costs_one_call(mach: am.Machine, caught: FakeSender) -> None:
    """Nothing of the log is touched, and the tracer is called once."""
    mach.add1("M")
    found = calls(lambda: [mach.add1("M") for _ in range(50)])

    assert ours(found) == 50
    assert found["machine._logging.log"] == 0
    assert len(caught.transitions()) == 51


def test_a_level_taken_back_costs_what_none_costs(mach: am.Machine, caught: FakeSender) -> None:
    """As many calls as before it was set."""
    mach.add1("M")
    before = calls(lambda: [mach.add1("M") for _ in range(20)])
    mach.set_logger_empty(am.LogLevel.EVERYTHING)
    mach.add1("M")
    mach.set_log_level(am.LogLevel.NOTHING)
    mach.add1("M")
    after = calls(lambda: [mach.add1("M") for _ in range(20)])

    assert after.total() - ours(after) == before.total() - ours(before)
