"""A machine in a `with` block, and what cannot be done with one."""

from __future__ import annotations

import copy
import pickle
import threading
from collections.abc import Callable

import pytest

import machine as am

Made = Callable[..., am.Machine]
Task = Callable[[], object]


def test_a_machine_is_disposed_at_the_end_of_its_block(made: Made) -> None:
    """When the block is left everything is over: states, waiters, registered functions."""
    told: list[str] = []

    with made() as mach:
        mach.handle_dispose(lambda machine_id, ctx: told.append(machine_id))
        mach.add1("A")
        waiting = mach.when1("B")
        assert mach.is1("A")

    assert mach.is_disposed()
    assert waiting.reason == "disposed"
    assert told == ["mach"]


def test_an_error_leaves_the_block_as_it_is(made: Made) -> None:
    """The machine is disposed then too."""
    with pytest.raises(ValueError, match="mine"), made() as mach:
        raise ValueError("mine")

    assert mach.is_disposed()


def test_the_end_of_a_block_waits_for_the_drain_of_another_thread(made: Made) -> None:
    """A handler under way gets its time to end."""
    begun, go, told = threading.Event(), threading.Event(), []

    def a_state(e: am.Event) -> None:
        begun.set()
        go.wait(10)
        told.append("done")

    with made() as mach:
        mach.dispose_timeout = 10
        mach.bind_handlers({"AState": a_state})
        thread = threading.Thread(target=lambda: mach.add1("A"))
        thread.start()
        assert begun.wait(10)
        mach.ctx.add_done_callback(lambda _: go.set())

    assert told == ["done"]
    assert mach.is_disposed()
    thread.join(10)


def test_a_machine_disposed_inside_its_block_is_waited_for(made: Made) -> None:
    """Leaving the block means that the disposal has finished, no matter which thread began it."""
    with made() as mach:
        mach.dispose()

    assert mach.is_disposed()


@pytest.mark.parametrize(
    "task",
    [pickle.dumps, copy.copy, lambda m: copy.deepcopy({"m": m})],
    ids=["pickle", "copy", "deepcopy"],
)
def test_a_machine_cannot_be_copied(made: Made, task: Callable[[am.Machine], object]) -> None:
    """The error says why, and what to do instead."""
    with pytest.raises(TypeError, match=r"machine mach cannot be pickled or copied.*export\(\)"):
        task(made())
