"""Openings of streams are written twice, and what both lack costs only what cannot be read."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from am_dbg.egress import record_stream
from am_dbg.store import Gap, GapKind, Store
from amtracer.files.record_walk import MemoryBytes, Record, RecordWalk
from amtracer.files.records import RecordKind
from amtracer.wire.codec import pack_messages, unpack_messages
from amtracer.wire.messages import HelloMessage, MachineMessage, Message, SchemaMessage
from tests.dbg.histories import HistoryPlayer, stored
from tests.dbg.record_files import (
    Content,
    changed,
    contents,
    exported,
    file_of,
    imported,
    row_values,
)

ROWS = 12
MACHINES = 3


@pytest.fixture
def session(tmp_path: Path) -> bytes:
    """A stream of three machines, each with a schema of its own."""
    player = HistoryPlayer("run")
    entered = [player.enter(name, (0, name, 0)) for name in range(MACHINES)]
    for at in range(ROWS):
        for machine in entered:
            player.transit(machine, (1 + at % 2, at % 2, at % 2, 0, 4))
    player.writer.flush()
    return exported(stored(player), tmp_path)


def values(store: Store) -> dict[str, object]:
    """Everything of all transitions, by machine."""
    return {track.key: row_values(track) for track in store.tracks}


def openings(data: bytes) -> list[int]:
    return [at for at, one in enumerate(contents(data)) if one.kind == RecordKind.OPENING]


def without(lost: Callable[[Message], bool]) -> Callable[[Content], Content]:
    """A change that takes messages out of all openings."""

    def change(record: Content) -> Content:
        if record.kind != RecordKind.OPENING:
            return record
        kept = [one for one in unpack_messages(record.parts[0], "") if not lost(one[1])]
        return record._replace(parts=(pack_messages(kept),))

    return change


@pytest.mark.parametrize("which", [0, 1])
def test_one_lost_opening_costs_nothing(which: int, session: bytes, tmp_path: Path) -> None:
    """The other one has everything; the loss is reported."""
    at = openings(session)
    records = contents(session)
    lost = [one for number, one in enumerate(records) if number != at[which]]

    store, _ = imported(file_of(lost), tmp_path)

    assert len(at) == 2
    assert values(store) == values(imported(session, tmp_path)[0])


def test_flipped_bits_of_openings_are_reported_and_cost_nothing(
    session: bytes, tmp_path: Path
) -> None:
    """Wherever the bit is, all machines and all transitions are there."""
    whole = values(imported(session, tmp_path)[0])
    chance = random.Random(3)
    found = [one for one in RecordWalk(MemoryBytes(session)) if isinstance(one, Record)]
    for record in (one for one in found if one.header.kind == RecordKind.OPENING):
        for at in chance.sample(range(record.offset, record.end), 20):
            flipped = bytearray(session)
            flipped[at] ^= 1 << chance.randrange(8)

            store, error = imported(bytes(flipped), tmp_path)

            assert "damaged" in str(error)
            assert values(store) == whole


def test_transitions_of_a_machine_without_an_opening_are_counted(
    session: bytes, tmp_path: Path
) -> None:
    """Machines after it keep their rows; the damage has the stream and the number of rows."""
    data = changed(
        session, without(lambda one: isinstance(one, MachineMessage) and not one.machine)
    )
    whole = values(imported(session, tmp_path)[0])
    del whole["m0"]

    store, error = imported(data, tmp_path)

    assert values(store) == whole
    assert "stream 0: 12 transitions of machines whose opening is damaged" in str(error)


def test_a_stream_without_any_opening_reports_its_transitions(
    session: bytes, tmp_path: Path
) -> None:
    """Nothing can be shown, but it is known how much there was."""
    data = changed(session, without(lambda _: True))

    store, error = imported(data, tmp_path)

    assert not store.tracks
    assert "stream 0: 36 transitions of machines whose opening is damaged" in str(error)


def test_a_lost_schema_costs_the_transitions_of_its_machines(
    session: bytes, tmp_path: Path
) -> None:
    """They are a gap; machines with another schema share definitions with it and lose nothing."""
    data = changed(session, without(lambda one: isinstance(one, SchemaMessage) and not one.schema))
    whole = values(imported(session, tmp_path)[0])

    store, error = imported(data, tmp_path)

    found = values(store)
    assert "schema" in str(error)
    assert list(store.tracks[0].gaps) == [Gap(0, ROWS, "damaged", GapKind.DAMAGED)]
    assert found == {**whole, "m0": {}}
    assert not store.damage


def test_a_lost_hello_costs_no_transition(session: bytes, tmp_path: Path) -> None:
    """Only the facts of the process are unknown."""
    data = changed(session, without(lambda one: isinstance(one, HelloMessage)))

    store, error = imported(data, tmp_path)

    assert error is None
    assert values(store) == values(imported(session, tmp_path)[0])


def test_an_opening_that_differs_is_damage(session: bytes, tmp_path: Path) -> None:
    """The first one holds."""

    def renamed(record: Content) -> Content:
        kept = [
            (place, replace(one, id="other") if isinstance(one, MachineMessage) else one)
            for place, one in unpack_messages(record.parts[0], "")
        ]
        return record._replace(parts=(pack_messages(kept),))

    records = contents(session)
    last = openings(session)[-1]
    records[last] = renamed(records[last])

    store, error = imported(file_of(records), tmp_path)

    assert "differs" in str(error)
    assert values(store) == values(imported(session, tmp_path)[0])


def test_a_long_opening_has_several_records(
    session: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So no number of machines is too large for a record, and a lost record costs fewer."""
    monkeypatch.setattr(record_stream, "EVENT_BYTES_MAX", 64)
    store = imported(session, tmp_path)[0]

    data = exported(store, tmp_path)

    assert len(openings(data)) > 4
    assert values(imported(data, tmp_path)[0]) == values(store)
