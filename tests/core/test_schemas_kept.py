"""Which schemas are kept while no machine uses them, and which are found again."""

from __future__ import annotations

import gc
import pickle
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

import machine as am
from machine._resolution import automaton
from machine._resolution.automaton import automaton_of
from machine._schema import sharing
from machine._schema.bounded import BoundedTable
from machine._schema.schema import Schema

ROOM = 60
"""States for which there is room in these tests."""


@pytest.fixture(autouse=True)
def room(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Little room, and nothing in it."""
    sharing.forget_all()
    for table in (sharing._kept, sharing._by_struct, sharing._by_class):
        monkeypatch.setattr(table, "size_max", ROOM)
    yield
    sharing.forget_all()


def structs(count: int) -> list[dict[str, am.State]]:
    """Schemas of two states, the error state counted."""
    return [{f"Kept{number}": am.State()} for number in range(count)]


def made_anew(monkeypatch: pytest.MonkeyPatch) -> list[Schema]:
    """The schemas that are made from now on."""
    made: list[Schema] = []
    plain = Schema.__init__

    def counted(schema: Schema, states: dict[str, am.State], names: tuple[str, ...]) -> None:
        made.append(schema)
        plain(schema, states, names)

    monkeypatch.setattr(Schema, "__init__", counted)
    return made


def test_states_of_kept_schemas_have_a_limit() -> None:
    """Making machines of ever new schemas does not grow the memory without end."""
    for struct in structs(100):
        am.Machine(None, struct)

    assert sharing._kept.size <= ROOM
    assert sharing._by_struct.size <= ROOM
    assert am.Machine(None, structs(1)[0]).add1("Kept0") is am.Result.EXECUTED


def test_schemas_in_turn_are_found_again_while_there_is_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Programs of many schemas make each of them once."""
    turn = structs(ROOM // 2)
    made = made_anew(monkeypatch)
    for struct in turn * 3:
        am.Machine(None, struct)

    assert len(made) == len(turn)


def test_most_schemas_are_found_again_if_few_find_no_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A few schemas more than there is room for do not make all of them new each time."""
    turn = structs(ROOM // 2 + 2)
    for struct in turn:
        am.Machine(None, struct)
    made = made_anew(monkeypatch)
    for struct in turn * 4:
        am.Machine(None, struct)

    assert len(made) < len(turn)


def test_the_schema_of_a_living_machine_is_never_made_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is found by its value, even after it was dropped for others."""
    living = am.Machine(None, structs(1)[0])
    for struct in structs(100)[1:]:
        am.Machine(None, struct)
    made = made_anew(monkeypatch)

    assert am.Machine(None, structs(1)[0])._schema is living._schema
    assert made == []


def test_a_dropped_schema_is_freed() -> None:
    """Nothing but the table keeps a schema without machines."""
    struct = structs(1)[0]
    am.Machine(None, struct)
    assert len(sharing._by_value) == 1

    sharing._kept.clear()
    gc.collect()

    assert len(sharing._by_value) == 0
    assert am.Machine(None, struct).state_names() == ["Kept0", "Exception"]


def test_a_class_whose_schema_was_freed_gets_a_new_one() -> None:
    """Classes of states are found by identity while their schema is kept."""

    class Names(am.StatesBase):
        One: str

    am.Machine(None, Names)
    sharing._kept.clear()
    gc.collect()

    assert am.Machine(None, Names).state_names() == ["Exception", "One"]


def test_remembered_configurations_take_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """A schema with many configurations leaves room for fewer others; forgetting them ends that."""
    monkeypatch.setattr(automaton, "COUNT_EVERY", sharing.NODES_PER_STATE)
    names = [f"Bit{number}" for number in range(10)]
    mach = am.Machine(None, {name: am.State() for name in names})
    before = sharing._kept.size
    for name in names:
        for active in mach.active_states():
            mach.remove1(active)
            mach.add1(active)
        mach.add1(name)
    nodes = automaton_of(mach._schema).nodes

    assert sharing._kept.size == before + len(nodes) // sharing.NODES_PER_STATE > before

    automaton_of(mach._schema)._forget()

    assert sharing._kept.size == before


def test_configurations_of_a_dropped_schema_take_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what is kept is counted; one that is kept again counts with all that it remembers."""
    monkeypatch.setattr(automaton, "COUNT_EVERY", 1)
    monkeypatch.setattr(sharing, "NODES_PER_STATE", 1)
    first, same = structs(1)[0], structs(1)[0]
    mach = am.Machine(None, first)
    sharing._kept.clear()

    mach.add1("Kept0")
    assert sharing._kept.size == 0

    am.Machine(None, same)
    assert sharing._kept.size == len(mach._schema.names) + mach._schema.nodes


def test_the_hash_of_a_state_stays_in_its_process() -> None:
    """A state that comes from another process gets its own hash: those of texts differ."""
    state = am.State(add=["A"])
    hash(state)
    copied = pickle.loads(pickle.dumps(state))

    assert not hasattr(copied, "_hash")
    assert hash(copied) == hash(state)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 7)), max_size=40))
def test_a_table_keeps_its_limit(entries: list[tuple[int, int]]) -> None:
    """The sizes add up to no more than the limit, and the newest entry is always there."""
    table: BoundedTable[int, int] = BoundedTable(12)
    for key, size in entries:
        table.put(key, size, size)

        assert table.entries[key] == size
        assert table.size == sum(table.entries.values()) <= 12
        assert sorted(table._keys) == sorted(table.entries)
        assert all(table._sizes[key] == size for key, size in table.entries.items())


class Key:
    """Equal to itself alone; `at` is called whenever its hash is asked."""

    def __init__(self, at: Callable[[], None] = lambda: None) -> None:
        self.at = at

    def __hash__(self) -> int:
        self.at()
        return id(self)


def full_table() -> BoundedTable[Key, int]:
    table: BoundedTable[Key, int] = BoundedTable(12)
    for size in (3, 4, 5):
        table.put(Key(), size, size)
    return table


def holds_together(table: BoundedTable[Key, int]) -> bool:
    sizes = list(table.entries.values())
    return len(table._keys) == len(table._sizes) == len(sizes) and table.size == sum(sizes) <= 12


@pytest.mark.parametrize("step", range(1, 12))
def test_an_interrupt_leaves_nothing_half_done_in_a_table(step: int) -> None:
    """Wherever it comes within a change, the table can be changed again."""
    table, steps = full_table(), count(1)

    def interrupt() -> None:
        if next(steps) == step:
            raise KeyboardInterrupt

    key = Key(interrupt)
    with suppress(KeyboardInterrupt):
        table.put(key, 6, 6)
    key.at = lambda: None
    assert holds_together(table)
    for size in (2, 7, 3):
        table.put(Key(), size, size)

    assert holds_together(table)


@pytest.mark.parametrize("step", range(1, 12))
def test_a_change_within_a_change_harms_no_table(step: int) -> None:
    """A finalizer may make a machine in the midst of it."""
    table, steps = full_table(), count(1)

    def change() -> None:
        if next(steps) == step:
            table.put(Key(), 5, 5)

    table.put(Key(change), 6, 6)

    assert holds_together(table)
