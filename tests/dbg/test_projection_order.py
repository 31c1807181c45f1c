"""The list of machines and the counts over all, kept up to date by looking at what changed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from am_dbg.control.start import newcomers
from am_dbg.projection.counts import Counts, MachineCounter
from am_dbg.projection.machine_order import INSERTED_MAX, MachineOrder
from am_dbg.store import Store
from amtracer.wire.messages import (
    BatchMessage,
    DroppedMessage,
    GoneMessage,
    MachineMessage,
    Run,
    SchemaMessage,
    Shape,
    ShapeMessage,
    StateDef,
)
from tests.dbg.histories import hello

NAMES = st.sampled_from(["a", "b", "B", "p2", "p10", "q", ""])
ACTS = st.lists(
    st.tuples(st.sampled_from(["come", "look", "remove"]), NAMES, NAMES, st.integers(0, 9))
)


def begun() -> Store:
    store = Store()
    store.open_stream("program", live=True)
    store.feed(0, hello())
    store.feed(0, SchemaMessage(0, (StateDef("A"),)))
    return store


def come(store: Store, name: str, parent: str = "") -> None:
    number = len(store.streams[0].tracks)
    store.feed(0, MachineMessage(number, name, 0, parent=parent))


def shown(order: MachineOrder) -> list[tuple[str, int]]:
    return [(machine.track.key, machine.depth) for machine in order.machines]


@given(ACTS)
def test_machines_that_come_are_put_where_a_new_list_has_them(
    acts: list[tuple[str, str, str, int]],
) -> None:
    """An earlier projection and a first one show the same."""
    store = begun()
    order = MachineOrder(store)
    for act, name, parent, which in acts:
        if act == "come":
            come(store, name, parent)
        elif act == "remove" and store.tracks:
            store.remove(store.tracks[which % len(store.tracks)])
        else:
            assert shown(order) == shown(MachineOrder(store))

    assert shown(order) == shown(MachineOrder(store))
    for at, place in enumerate(order.machines):
        assert order.position_of(place.track) == at


def test_very_many_newcomers_are_put_in_order_at_once() -> None:
    """At the limit and one past it the list is the same as a new one."""
    store = begun()
    order = MachineOrder(store)
    for count in (INSERTED_MAX, INSERTED_MAX + 1):
        for number in range(count):
            come(store, f"m{number}", "m1")
        assert shown(order) == shown(MachineOrder(store))


def test_counts_follow_what_changed() -> None:
    """Machines that come, stand elsewhere, end or are removed change the counts by themselves."""
    store = begun()
    counting = MachineCounter(store)
    assert counting.counts == Counts(0, 0, 0)
    for name in "abc":
        come(store, name)
    assert counting.counts == Counts(3, 0, 0)
    store.feed(0, ShapeMessage(0, 0, Shape(0, (0,), 1, ((0, 1),))))
    store.feed(0, BatchMessage(runs=(Run(0, 0, 1),), shapes=(0,), times=(0,)))
    store.feed(0, GoneMessage(1))
    assert counting.counts == Counts(2, 1, 1)
    store.remove(store.tracks[0])

    assert counting.counts == Counts(1, 1, 0)


def test_only_what_changed_is_looked_at() -> None:
    """A mark leads to the tracks that changed after it, each once, the newest change last."""
    store = begun()
    for name in "abc":
        come(store, name)
    changed, mark = store.changed_since(0)
    assert [track.id for track in changed] == ["a", "b", "c"]
    store.feed(0, DroppedMessage(2, 1, (1,), ""))
    store.feed(0, DroppedMessage(0, 1, (1,), ""))
    store.feed(0, DroppedMessage(2, 1, (2,), ""))
    changed, last = store.changed_since(mark)

    assert [track.id for track in changed] == ["a", "c"]
    assert store.changed_since(last) == ([], last)


def test_newcomers_are_those_that_arrived_since() -> None:
    """Also when others were removed meanwhile."""
    store = begun()
    for name in "abc":
        come(store, name)
    seen = store.tracks[1].arrival
    store.remove(store.tracks[0])
    come(store, "d")

    assert [track.id for track in newcomers(store.tracks, seen)] == ["c", "d"]
