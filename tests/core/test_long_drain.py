"""Drains that do not end: one warning names the states that keep them going."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import machine as am
from machine import pipes
from machine._engine.long_drain import STATES_MAX
from machine._engine.queue import DRAIN_MAX

Made = Callable[..., am.Machine]


class Enough(BaseException):
    """Ends a ring."""


def count_down(count: int, handler: Callable[[am.Event], object]) -> Callable[[am.Event], object]:
    """A handler that ends the ring after so many calls."""
    left = [count]

    def counting(event: am.Event) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise Enough
        handler(event)

    return counting


def run(mach: am.Machine, state: str) -> None:
    with pytest.raises(Enough):
        mach.add1(state)


@pytest.mark.slow
def test_a_ring_is_reported_once(made: Made, caplog: pytest.LogCaptureFixture) -> None:
    """An auto state that its own handler removes comes back each time."""
    mach = made("Start{} Flicker{auto require:Start} Calm{}")
    mach.add1("Calm")
    handler = count_down(3 * DRAIN_MAX, lambda e: e.machine.remove1("Flicker"))
    mach.bind_handlers({"FlickerState": handler})

    run(mach, "Start")

    (record,) = caplog.records
    assert (record.name, record.levelname) == ("asyncmachine", "WARNING")
    assert record.getMessage() == (
        "machine mach has carried out 10000 mutations in one drain and goes on;"
        " states involved: Flicker"
    )


@pytest.mark.slow
@pytest.mark.parametrize(("count", "warnings"), [(DRAIN_MAX, 1), (DRAIN_MAX - 1, 0)])
def test_as_many_mutations_as_are_allowed_are_no_ring(
    made: Made, caplog: pytest.LogCaptureFixture, count: int, warnings: int
) -> None:
    """The first one does not wait in the queue and is not counted."""
    mach = made("Ev{multi}")
    left = [count]

    def again(event: am.Event) -> None:
        left[0] -= 1
        if left[0] >= 0:
            mach.add1("Ev")

    mach.bind_handlers({"EvState": again})
    mach.add1("Ev")

    assert len(caplog.records) == warnings


@pytest.mark.slow
def test_two_machines_piped_both_ways_are_a_ring(
    made: Made, caplog: pytest.LogCaptureFixture
) -> None:
    """A change and its opposite that are under way together chase each other."""
    one, two = made("On{} Go{}", id="one"), made("On{}", id="two")
    for source, target in ((one, two), (two, one)):
        source.bind_handlers(
            {
                "OnState": pipes.add(source, target, "On"),
                "OnEnd": pipes.remove(source, target, "On"),
            }
        )
    two.bind_handlers({"OnState": count_down(DRAIN_MAX, lambda e: None)})
    one.bind_handlers({"GoState": lambda e: (one.add1("On"), one.remove1("On"))})

    run(one, "Go")

    assert "machine one has carried out 10000 mutations" in caplog.text
    assert "states involved: On" in caplog.text


@pytest.mark.slow
def test_a_ring_that_changes_nothing_names_what_is_called(
    made: Made, caplog: pytest.LogCaptureFixture
) -> None:
    """A negotiation handler prepends what it denies."""
    mach = made("Door{}")

    def postpone(event: am.Event) -> bool:
        mutation = event.mutation()
        assert mutation is not None
        event.machine.prepend_mut(mutation)
        return False

    again = count_down(2 * DRAIN_MAX, lambda e: None)
    mach.bind_handlers({"DoorEnter": lambda e: again(e) or postpone(e)})

    run(mach, "Door")

    assert "states involved: Door" in caplog.text
    assert len(caplog.records) == 1


@pytest.mark.slow
def test_a_wide_ring_names_some_of_its_states(made: Made, caplog: pytest.LogCaptureFixture) -> None:
    """So many that a line holds them; the others are counted."""
    count = STATES_MAX + 5
    mach = made(" ".join(f"S{n:02}{{multi}}" for n in range(count)))
    for n in range(count):
        after = f"S{(n + 1) % count:02}"
        handler = count_down(DRAIN_MAX, lambda e, after=after: mach.add1(after))  # type: ignore[misc]
        mach.bind_handlers({f"S{n:02}State": handler})
    ends = count_down(DRAIN_MAX + 200, lambda e: None)
    mach.bind_handlers({"AnyState": ends})

    run(mach, "S00")

    text = caplog.records[-1].getMessage()
    assert text.endswith(" and 5 more")
    assert text.count(" S") == STATES_MAX
