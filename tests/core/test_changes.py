"""Feeds of changes: what states did, read at another pace."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections.abc import Callable

import pytest

import machine as am
from machine._machine.changes import CHANGES_MAX
from machine.errors import DeadlockError, StateMissingError

Made = Callable[..., am.Machine]


@pytest.fixture
def mach(made: Made) -> am.Machine:
    """A machine with a state of each kind."""
    return made("A{remove:B} B{remove:A} Count{multi} Auto{auto require:B}")


def read(changes: am.Changes) -> list[am.Change]:
    """All changes that wait, in order."""
    return list(iter(lambda: changes.next(0), None))


def moves(changes: am.Changes) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    return [(change.active, change.inactive) for change in read(changes)]


def test_changes_come_in_order(mach: am.Machine) -> None:
    """Each transition that changes a tick is one change, from the call on."""
    mach.add1("A")
    changes = mach.changes()
    mach.add1("B")
    mach.add1("B")
    mach.remove(["B", "Auto"])

    assert moves(changes) == [(("B",), ("A",)), (("Auto",), ()), ((), ("B", "Auto"))]


def test_a_change_has_ticks_names_and_its_transition(
    mach: am.Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says which states were called and what their ticks are; auto states call none."""
    monkeypatch.setattr("machine._machine.changes.time.time", lambda: 1000.5)
    changes = mach.changes()
    mach.add(["B", "Count"])
    first, second = read(changes)

    prefix, number = mach.tx_prefix, mach.tx_number
    assert first == (("B", "Count"), (), {"B": 1, "Count": 1}, ("B", "Count"), first[4], 1000.5, 0)
    assert second.called == ()
    assert second.clock == {"Auto": 1}
    assert second.transition_id.startswith(prefix)
    assert first.transition_id != second.transition_id
    assert number == 2


def test_a_multi_state_counts_each_time(mach: am.Machine) -> None:
    """A multi state that activates again is among the active ones."""
    changes = mach.changes()
    mach.add1("Count")
    mach.add1("Count")

    assert [change.clock for change in read(changes)] == [{"Count": 1}, {"Count": 3}]


def test_only_the_states_of_a_feed(mach: am.Machine) -> None:
    """With states, other states are left out, and changes of other states only."""
    changes, nothing = mach.changes("A"), mach.changes([])
    mach.add1("A")
    mach.add1("Count")
    mach.add1("B")

    assert moves(changes) == [(("A",), ()), ((), ("A",))]
    assert read(nothing) == []


def test_an_unknown_state_is_refused(mach: am.Machine) -> None:
    """A feed of a state that does not exist raises."""
    with pytest.raises(StateMissingError, match="did you mean Count"):
        mach.changes("Coun")


def test_what_a_failed_handler_reverts_is_seen(mach: am.Machine) -> None:
    """States that activated and were reverted are inactive, with their ticks."""
    mach.bind_handlers({"AState": lambda _: 1 / 0})
    changes = mach.changes("A")
    mach.add1("A")

    assert [(change.inactive, change.clock) for change in read(changes)] == [(("A",), {"A": 2})]


def test_canceled_transitions_are_no_changes(mach: am.Machine) -> None:
    """A transition that a handler denies, and a check, leave nothing in the feed."""
    mach.bind_handlers({"AEnter": lambda _: False})
    changes = mach.changes()
    mach.add1("A")
    mach.can_add1("B")

    assert read(changes) == []


def test_a_slow_reader_learns_what_it_missed(mach: am.Machine) -> None:
    """A full feed drops the oldest; the next one that is read has their number."""
    changes = mach.changes("Count", limit=2)
    for _ in range(2):
        mach.add1("Count")
    assert (len(changes), changes.missed) == (2, 0)

    for _ in range(3):
        mach.add1("Count")
    assert [(change.clock["Count"], change.missed) for change in read(changes)] == [(7, 3), (9, 0)]
    mach.add1("Count")
    assert [change.missed for change in read(changes)] == [0]
    assert changes.missed == 3


@pytest.mark.parametrize("limit", [0, 1.5])
def test_a_limit_is_at_least_one(mach: am.Machine, limit: int) -> None:
    """A feed that can hold nothing is refused."""
    with pytest.raises((ValueError, TypeError), match="limit is"):
        mach.changes(limit=limit)
    assert mach.changes()._limit == CHANGES_MAX


def test_without_a_change_next_returns_none(mach: am.Machine) -> None:
    """When the time is over there is no change; the feed goes on."""
    changes = mach.changes()

    assert changes.next(0) is None
    assert changes.next(0.001) is None
    assert not changes.closed
    with pytest.raises(TypeError, match="timeout is a number of seconds"):
        changes.next("soon")  # type: ignore[arg-type]


def test_a_thread_reads_until_the_machine_ends(mach: am.Machine) -> None:
    """`for` blocks until the next change, and ends after the last one."""
    changes, got = mach.changes("Count"), []
    reader = threading.Thread(
        target=lambda: got.extend(change.clock["Count"] for change in changes)
    )
    reader.start()
    for _ in range(50):
        mach.add1("Count")
    mach.dispose_force()
    reader.join(5)

    assert got == list(range(1, 100, 2))
    assert changes.closed


def test_a_task_reads_until_the_machine_ends(mach: am.Machine) -> None:
    """`async for` waits in a task, whatever thread runs the machine."""
    changes = mach.changes("Count")

    def work() -> None:
        for _ in range(50):
            mach.add1("Count")
        mach.dispose_force()

    async def read_all() -> list[int]:
        worker = threading.Thread(target=work)
        worker.start()
        got = [change.clock["Count"] async for change in changes]
        worker.join(5)
        return got

    assert asyncio.run(read_all()) == list(range(1, 100, 2))


def test_closing_ends_a_wait(mach: am.Machine) -> None:
    """A reader that waits when the feed is closed comes back with nothing."""
    changes = mach.changes()

    async def read_all() -> list[am.Change]:
        asyncio.get_running_loop().call_soon(changes.close)
        return [change async for change in changes]

    assert asyncio.run(read_all()) == []


def test_a_canceled_task_loses_nothing(mach: am.Machine) -> None:
    """A change that comes after a reader was canceled is there for the next reader."""
    changes = mach.changes("A")

    async def read_later() -> am.Change:
        task = asyncio.ensure_future(anext(changes))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        mach.add1("A")
        return await anext(changes)

    assert asyncio.run(read_later()).active == ("A",)


def test_each_change_goes_to_one_reader(mach: am.Machine) -> None:
    """Several readers share a feed; together they get every change once."""
    changes = mach.changes("Count")
    got: list[int] = []
    readers = [
        threading.Thread(target=lambda: got.extend(one.clock["Count"] for one in changes))
        for _ in range(3)
    ]
    for reader in readers:
        reader.start()
    for _ in range(100):
        mach.add1("Count")
    changes.close()
    for reader in readers:
        reader.join(5)

    assert sorted(got) == list(range(1, 200, 2))


def test_a_closed_feed_takes_nothing_more(mach: am.Machine) -> None:
    """What waits at the end can still be read; the machine is not watched any more."""
    with mach.changes() as changes:
        mach.add1("A")
        assert len(mach.tracers()) == 1
    mach.add1("B")

    assert moves(changes) == [(("A",), ())]
    assert changes.next() is None
    assert list(changes) == []
    assert mach.tracers() == []
    assert repr(changes) == "<Changes of mach: 0, closed>"


def test_a_feed_of_a_disposed_machine_is_closed(mach: am.Machine) -> None:
    """A machine that has ended has no more changes."""
    mach.dispose_force()

    assert mach.changes("A").closed


def test_a_feed_is_true_even_if_it_is_empty(mach: am.Machine) -> None:
    """An empty feed is no false value, so it can be tested for None."""
    changes = mach.changes()

    assert changes
    assert repr(changes) == "<Changes of mach: 0>"


def test_a_handler_cannot_wait_for_the_next_change(mach: am.Machine) -> None:
    """A wait that only the return of the handler could end raises; without a wait it reads."""
    changes, seen = mach.changes(), []

    def wait(_: am.Event) -> None:
        seen.append(changes.next(0))
        changes.next(5)

    mach.on("A", "State")(wait)
    mach.add1("A")

    assert seen == [None]
    assert isinstance(mach.err, DeadlockError)
    assert "waits for its next change" in str(mach.err)


def test_a_loop_cannot_be_blocked_for_its_own_machine() -> None:
    """A blocking read on the loop that runs the machine raises."""

    async def work() -> None:
        mach = am.Machine(None, {"A": am.State()}, executor=asyncio.get_running_loop())
        changes = mach.changes()
        with pytest.raises(DeadlockError, match="block the event loop"):
            changes.next()
        mach.add1("A")
        assert (await anext(changes)).active == ("A",)

    asyncio.run(work())


def test_a_feed_that_was_dropped_is_detached(mach: am.Machine) -> None:
    """The machine does not keep a feed, and notices its end with the next transition."""
    lost = weakref.ref(mach.changes())
    gc.collect()
    assert lost() is None

    mach.add1("A")
    assert mach.tracers() == []


def test_a_dropped_feed_survives_the_disposal(mach: am.Machine) -> None:
    """A machine whose feed was dropped is disposed as usual."""
    mach.changes()
    gc.collect()
    mach.dispose_force()

    assert mach.is_disposed()


def test_a_feed_does_not_keep_its_machine(made: Made) -> None:
    """A feed whose machine was collected ends."""
    mach = made("A{}")
    changes = mach.changes()
    mach.add1("A")
    del mach
    gc.collect()

    assert [change.active for change in changes] == [("A",)]
    assert repr(changes) == "<Changes of a lost machine: 0, closed>"
    changes.close()


def test_machine_and_feed_may_be_collected_together(made: Made) -> None:
    """A feed that is gone does not notice the end of its machine."""
    mach = made("A{}")
    changes = mach.changes()
    lost = weakref.ref(mach)
    noticed = changes._mach
    del changes, mach
    gc.collect()

    assert lost() is noticed() is None


def test_a_change_keeps_no_arguments(mach: am.Machine) -> None:
    """Arguments of a mutation are free as soon as its transition has ended."""

    class Big:
        """Something that should not be kept."""

    changes, big = mach.changes(), Big()
    lost = weakref.ref(big)
    mach.add1("A", {"big": big})
    del big
    mach.add1("B")
    gc.collect()

    assert lost() is None
    assert len(changes) == 3
