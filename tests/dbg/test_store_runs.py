"""A machine of a program that was started again: which run is meant by its id."""

from __future__ import annotations

import pytest

from am_dbg.errors import TransitionNotFoundError
from am_dbg.projection.addresses.resolve import resolve
from am_dbg.projection.bars import all_tags
from am_dbg.projection.machine_order import MachineOrder
from am_dbg.projection.reader import source_chain
from am_dbg.store import Store
from amtracer.encode.stream_writer import StreamWriter
from amtracer.wire.messages import HelloMessage, Shape, Source, StateDef

STATES = (StateDef("A"),)
ASKED = Shape(0, (0,), 1)
SECOND_NS = 1_000_000_000


class Program:
    """A connection; a Go program has one for each machine, a Python program one for all."""

    def __init__(self, store: Store, session: str, at_s: float, *, live: bool = True) -> None:
        self.store = store
        self.stream = store.open_stream(session, live=live)
        hello = HelloMessage(1, session, int(at_s * SECOND_NS), 0)
        self.writer = StreamWriter(lambda message: store.feed(self.stream, message), hello)

    def machine(self, id: str, parent: str = "", tags: tuple[str, ...] = ()) -> int:
        schema = self.writer.schema(STATES)
        return self.writer.machine(id, schema, parent=parent, tags=tags)

    def transition(self, machine: int, at_s: float, id: str, source: Source | None = None) -> None:
        self.writer.record(machine, ASKED, int(at_s * SECOND_NS), source=source, id=id)
        self.writer.flush()

    def leave(self) -> None:
        self.writer.flush()
        self.store.close_stream(self.stream)


def go_machine(
    store: Store, id: str, at_s: float, parent: str = "", *, live: bool = True, **more: str
) -> Program:
    """A machine of a Go program, with a transition right after it began and one a second later."""
    program = Program(store, f"go {id} {at_s}", at_s, live=live)
    number = program.machine(id, parent, tags=(f"of {at_s}",))
    source = Source("par", more["source"], 0) if "source" in more else None
    program.transition(number, at_s + 0.001, f"{id}-first-{at_s}", source)
    program.transition(number, at_s + 1, f"{id}-last-{at_s}")
    return program


def places(store: Store) -> dict[str, tuple[str, int]]:
    """For each machine its parent's key as the list shows it, and its depth."""
    shown: dict[str, tuple[str, int]] = {}
    above: list[str] = []
    for place in MachineOrder(store).machines:
        del above[place.depth :]
        shown[place.track.key] = (above[-1] if above else "", place.depth)
        above.append(place.track.key)
    return shown


@pytest.mark.parametrize("is_child_first", [False, True])
@pytest.mark.parametrize("live", [True, False], ids=["live", "recorded"])
def test_children_stand_under_the_parent_of_their_run(is_child_first: bool, live: bool) -> None:
    """Also if a child comes before its parent, because each has a connection."""
    store = Store()
    for at_s in (0.0, 10.0):
        both = [("par", at_s, ""), ("chi", at_s + 0.002, "par")]
        if is_child_first:
            both = [("chi", at_s, "par"), ("par", at_s + 0.002, "")]
        for program in [go_machine(store, *one, live=live) for one in both]:
            program.leave()

    assert places(store) == {
        "par": ("", 0),
        "chi": ("par", 1),
        "par#2": ("", 0),
        "chi#2": ("par#2", 1),
    }
    (child,) = (track for track in store.tracks if track.key == "chi#2")
    assert len(all_tags(store, child)) == 2
    assert all(tag != "of 0.0" for tag in all_tags(store, child))


def test_a_new_child_does_not_stand_under_a_parent_that_had_ended() -> None:
    """It stands alone until the parent of its own run is there."""
    store = Store()
    go_machine(store, "par", 0.0).leave()
    go_machine(store, "chi", 10.0, "par")
    assert places(store)["chi"] == ("", 0)

    go_machine(store, "par", 10.1)
    assert places(store)["chi"] == ("par#2", 1)


def test_two_programs_at_once_keep_their_own_children() -> None:
    """What is of one process belongs together, whenever it began."""
    store = Store()
    one, other = Program(store, "one", 0.0), Program(store, "other", 0.5)
    for program in (one, other):
        program.machine("par")
    for program in (one, other):
        program.machine("chi", "par")
        program.leave()

    assert places(store)["chi"] == ("par", 1)
    assert places(store)["chi#2"] == ("par#2", 1)


def test_a_source_is_found_in_the_run_it_belongs_to() -> None:
    """Whatever run of the machine has the key that is its id."""
    store = Store()
    for at_s in (0.0, 10.0):
        go_machine(store, "par", at_s).leave()
        go_machine(store, "chi", at_s + 0.1, "par", source=f"par-first-{at_s}").leave()

    for key, owner in (("chi", "par"), ("chi#2", "par#2")):
        track = store.find(key)
        assert track is not None
        (row,) = source_chain(store, track, track.transition(1))
        assert (row.machine, row.link) == (owner, f"mach://{owner}/1")


def test_the_same_transition_id_in_two_runs_is_that_of_the_own_run() -> None:
    """A program whose ids repeat is rare, but then its own run is meant."""
    store = Store()
    for at_s in (0.0, 10.0):
        program = Program(store, f"process {at_s}", at_s)
        parent, child = program.machine("par"), program.machine("chi", "par")
        program.transition(parent, at_s, "again")
        program.transition(child, at_s, "child", Source("par", "again", 0))
        program.leave()

    for key, owner in (("chi", "par"), ("chi#2", "par#2")):
        track = store.find(key)
        assert track is not None
        assert source_chain(store, track, track.transition(1))[0].machine == owner


def test_an_address_with_a_transition_id_is_looked_for_in_all_runs() -> None:
    """Newest first; a number means the machine of that key."""
    store = Store()
    for at_s in (0.0, 10.0):
        go_machine(store, "par", at_s).leave()

    def found(address: str) -> tuple[str, int | None]:
        place = resolve(store, address)
        return place.track.key, place.number

    assert found("mach://par/par-first-0.0") == ("par", 1)
    assert found("mach://par/par-last-10.0") == ("par#2", 2)
    assert found("mach://par/par-last-10.0/24") == ("par#2", 2)
    assert found("mach://par/2") == ("par", 2)
    assert found("mach://par#2/1") == ("par#2", 1)
    with pytest.raises(TransitionNotFoundError):
        found("mach://par/other")


def test_machines_that_are_each_others_parent_are_all_listed() -> None:
    """A circle of parents loses no machine."""
    store = Store()
    program = Program(store, "s", 0.0)
    program.machine("a", "b")
    program.machine("b", "a")
    program.machine("c", "c")

    assert set(places(store)) == {"a", "b", "c"}
