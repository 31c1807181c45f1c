"""Damage in a session file of version 3 costs only itself, and is never an exception."""

from __future__ import annotations

import random
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgpack
import pytest

from am_dbg import reports
from am_dbg.cli import commands as cli
from am_dbg.cli.exit_codes import Exit
from am_dbg.egress.convert import write_json_lines
from am_dbg.egress.export import selected
from am_dbg.ingest.importing import import_session
from am_dbg.store import Gap, GapKind, Store, Track
from am_dbg.store.packed.heads import RowsHead, pack_rows_head, unpack_rows_head
from am_dbg.store.values import Damage
from amtracer.files.records import RecordKind
from tests.dbg.histories import HistoryPlayer, stored
from tests.dbg.record_files import (
    Content,
    changed,
    contents,
    every_row,
    exported,
    file_of,
    imported,
    row_errors,
    row_values,
    some_rows,
    split_rows,
)

SESSION = Path(__file__).parents[2] / "exports" / "incident.msgpack.br"
DAMAGED = GapKind.DAMAGED

WRITTEN = 3
"""Every so many spoiled sessions one is written, as lines of JSON and as another session."""
LOOKS = 10
"""Every so many flips all rows are compared; otherwise the first, the middle and the last one of
each chunk, which have the clock and the times of the chunk."""

Change = Callable[[Content], Content | None]


def session(folder: Path, *, machines: int = 2, rows: int = 12) -> bytes:
    """A file of a few machines, one chunk each."""
    player = HistoryPlayer()
    entered = [player.enter(0, (0, name, 0)) for name in range(machines)]
    for at in range(rows):
        for machine in entered:
            player.transit(machine, (1 + at % 2, at % 2, at % 2, 0, 4))
    player.writer.flush()
    return exported(stored(player), folder)


def of_head(change: Callable[[RowsHead], RowsHead]) -> Change:
    """A change of the heads of rows."""

    def changing(record: Content) -> Content:
        if record.kind != RecordKind.ROWS:
            return record
        return record._replace(head=pack_rows_head(change(unpack_rows_head(record.head))))

    return changing


def of_first_chunk(change: Callable[[Any], Any]) -> Change:
    """A change of the first chunk of the heads."""
    return of_head(lambda head: head._replace(chunks=(change(head.chunks[0]), *head.chunks[1:])))


def without(kind: RecordKind) -> Change:
    return lambda record: None if record.kind == kind else record


def with_body(kind: RecordKind, part: int, body: bytes) -> Change:
    """Another content of a part of a body."""

    def changing(record: Content) -> Content:
        parts = list(record.parts)
        if record.kind == kind:
            parts[part] = body
        return record._replace(parts=tuple(parts))

    return changing


def look_at(track: Track) -> list[str]:
    """The ids of all transitions, after everything of each was asked for."""
    ids = []
    for number in range(1, track.count + 1):
        assert track.clock_before(number) is not None
        assert track.facts_at(number) is not None
        ids.append(track.transition(number).id)
    return ids


def moved(counts: tuple[Any, Any]) -> tuple[Any, Any]:
    """One row more of the first value, and one less of the second."""
    values, rows = counts
    return values, type(rows)("B", [rows[0] + 1, rows[1] - 1, *rows[2:]])


UNTRUE_HEADS: dict[str, Change] = {
    "counts of shapes": of_first_chunk(lambda one: one._replace(shapes=moved(one.shapes))),
    "lines": of_first_chunk(lambda one: one._replace(lines=moved(one.lines))),
    "least time": of_first_chunk(lambda one: one._replace(time_min=one.time_min - 1)),
    "greatest time": of_first_chunk(lambda one: one._replace(time_max=one.time_max + 1)),
    "order of times": of_first_chunk(lambda one: one._replace(flags=one.flags ^ 1)),
    "own ids": of_first_chunk(lambda one: one._replace(flags=one.flags ^ 2)),
    "sources": of_first_chunk(lambda one: one._replace(flags=one.flags ^ 4)),
    "growth": of_first_chunk(
        lambda one: one._replace(ticks_end=(one.ticks_end[0] + 2, *one.ticks_end[1:]))
    ),
    "touched states": of_first_chunk(lambda one: one._replace(touched=one.touched ^ 1)),
    "facts": of_first_chunk(lambda one: one._replace(facts=moved(one.facts))),
}


@pytest.mark.parametrize("what", UNTRUE_HEADS)
def test_a_head_that_does_not_fit_its_rows_is_damage(what: str, tmp_path: Path) -> None:
    """When rows are read, they are compared with the head: no filter counts what is not there."""
    data = session(tmp_path)
    whole = imported(data, tmp_path)[0]

    store, error = imported(changed(data, UNTRUE_HEADS[what]), tmp_path)
    ids = [look_at(track) for track in store.tracks]

    assert error is None
    assert store.damage
    assert ids == [look_at(track) for track in whole.tracks]
    assert list(store.tracks[0].gaps) == [Gap(0, 12, "damaged", DAMAGED)]
    assert not list(store.tracks[1].gaps)
    assert row_values(store.tracks[1]) == row_values(whole.tracks[1])


def test_damaged_transitions_have_their_number_and_nothing_else(tmp_path: Path) -> None:
    """They changed and logged nothing, and the clock stands still up to their end."""
    data = changed(session(tmp_path), with_body(RecordKind.ROWS, 0, b"\x90"))
    store, _ = imported(data, tmp_path)
    track = store.tracks[0]

    record = track.transition(5)

    assert (record.shape.called, record.shape.changes, record.lines, record.args) == ((),) * 4
    assert track.clock_before(1) == track.clock_at(12) == track.clock_at(5)
    assert (track.count, store.transitions) == (12, 24)


@pytest.mark.parametrize("part", [0, 1])
def test_bad_definitions_make_what_needs_them_a_gap(part: int, tmp_path: Path) -> None:
    """All transitions of the segment are damaged, and each of their machines says how many."""
    data = changed(session(tmp_path), with_body(RecordKind.DEFINITIONS, part, b"\xc0"))

    store, _ = imported(data, tmp_path)
    for track in store.tracks:
        look_at(track)

    gaps = [list(track.gaps) for track in store.tracks]
    assert gaps == [[Gap(0, 12, "damaged", DAMAGED)]] * 2
    assert [damage.machine for damage in store.damage] == ["m0", "m1"]


def test_missing_definitions_are_a_gap_at_once(tmp_path: Path) -> None:
    """What has no definitions is not taken in."""
    data = changed(session(tmp_path), without(RecordKind.DEFINITIONS))

    store, error = imported(data, tmp_path)

    assert "definitions" in str(error)
    assert [track.count for track in store.tracks] == [0, 0]
    gaps = [track.gaps[0] for track in store.tracks]
    assert gaps == [Gap(0, 12, "damaged", DAMAGED)] * 2


def test_damage_that_is_found_late_is_reported_once(tmp_path: Path) -> None:
    """The first one is enough for a screen; the gaps have all of it."""
    data = changed(session(tmp_path), with_body(RecordKind.ROWS, 0, b"\x90"))
    store, _ = imported(data, tmp_path)
    reported: list[Damage] = []
    store.on_damage = reported.append

    for _ in range(2):
        for track in store.tracks:
            look_at(track)

    assert reported == store.damage[:1]
    assert [(one.machine, one.first, one.last) for one in store.damage] == [
        ("m0", 1, 12),
        ("m1", 1, 12),
    ]


def test_an_export_leaves_damaged_transitions_out(tmp_path: Path) -> None:
    """The next file says how many there were, and all others are as before."""
    data = changed(session(tmp_path), UNTRUE_HEADS["growth"])
    store, _ = imported(data, tmp_path)
    for track in store.tracks:
        look_at(track)

    again, error = imported(exported(store, tmp_path), tmp_path)

    assert error is None
    assert list(again.tracks[0].gaps) == [Gap(0, 12, "damaged", DAMAGED)]
    assert row_values(again.tracks[1]) == row_values(store.tracks[1])
    assert not again.damage


@pytest.mark.parametrize(
    "command", [["show", "mach://m0/3"], ["find", "state"], ["show", "mach://m0"]], ids=" ".join
)
def test_damage_that_is_found_late_is_reported(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All other data is printed, the damage goes to standard error, and the exit code is 2."""
    path = tmp_path / "bad.msgpack.br"
    path.write_bytes(changed(session(tmp_path), UNTRUE_HEADS["counts of shapes"]))

    code = cli.run([command[0], str(path), *command[1:]])

    assert code == Exit.BAD_INPUT
    assert "damaged" in capsys.readouterr().err


def test_rows_in_a_wrong_place_are_refused(tmp_path: Path) -> None:
    """Ticks, rows and times that no transition can have are damage when the file is opened."""
    for change in (
        {"first_row": 2**62},
        {"ticks_end": (2**62 + 1, 0, 0)},
        {"touched": 8},
        {"time_max": 2**62 + 1},
        {"schema": 7},
        {"segment": 9},
    ):
        change_head = of_first_chunk(lambda one, change=change: one._replace(**change))
        store, error = imported(changed(session(tmp_path), change_head), tmp_path)

        assert error is not None
        assert [track.count for track in store.tracks] == [0, 12]


def test_a_record_has_a_limit_of_rows(tmp_path: Path) -> None:
    """A small head cannot ask for the memory of millions of rows."""

    def many(head: RowsHead) -> RowsHead:
        one = head.chunks[0]
        shapes, lines, facts = (
            (values[:1], array("I", [60_000])) for values, _ in (one.shapes, one.lines, one.facts)
        )
        chunk = one._replace(rows=60_000, shapes=shapes, lines=lines, facts=facts)
        return head._replace(chunks=(chunk, chunk))

    store, error = imported(changed(session(tmp_path), of_head(many)), tmp_path)

    assert "120,000 rows in one record" in str(error)
    assert store.transitions == 0


def test_a_lost_schema_change_costs_no_transitions(tmp_path: Path) -> None:
    """The heads after it have the schema and the whole clock."""
    player = HistoryPlayer()
    machine = player.enter(0)
    player.transit(machine, (1, 1, 1, 0, 4))
    player.change_schema(machine, (1, 3))
    player.transit(machine, (1, 1, 1, 0, 4))
    player.writer.flush()
    whole = stored(player)

    data = changed(exported(whole, tmp_path), without(RecordKind.EVENTS))
    store, _ = imported(data, tmp_path)

    assert row_values(store.tracks[0]) == row_values(whole.tracks[0])


def test_flipped_bits_are_reported_and_cost_no_other_record(tmp_path: Path) -> None:
    """Every flip is reported, and all transitions of other records are as they were."""
    check_flips(imported(session(tmp_path), tmp_path)[0], 200, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_many_flipped_bits_cost_no_other_record(seed: int, tmp_path: Path) -> None:
    """The same for 1,000 flips, in a real session with a record for each chunk."""
    store = Store()
    import_session(store, str(SESSION))
    check_flips(store, 250, tmp_path, seed)


def check_flips(store: Store, count: int, folder: Path, seed: int = 8) -> None:
    records = contents(exported(store, folder))
    data = file_of(part for record in records for part in split_rows(record))
    whole = [row_values(track) for track in store.tracks]
    keys = [track.key for track in store.tracks]
    chance = random.Random(seed)
    for at in range(count):
        rows_of = some_rows if at % LOOKS else every_row
        bit = chance.randrange(8 * len(data))
        flipped = bytearray(data)
        flipped[bit >> 3] ^= 1 << (bit & 7)

        found, error = imported(bytes(flipped), folder)

        assert error is not None
        assert [track.key for track in found.tracks] in (keys, [])
        assert not row_errors(whole, [row_values(track, rows_of) for track in found.tracks])


KINDS = [kind for kind in RecordKind if kind is not RecordKind.END]


@pytest.mark.parametrize("kind", KINDS[:3])
def test_no_content_of_a_file_is_an_exception(kind: RecordKind, tmp_path: Path) -> None:
    """Whatever a record says under a right checksum: it is refused, damage, or another session."""
    check_spoiled(session(tmp_path), kind, 20, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_no_content_of_a_real_file_is_an_exception(kind: RecordKind, tmp_path: Path) -> None:
    """The same with everything that a session can hold."""
    store = Store()
    import_session(store, str(SESSION))
    check_spoiled(exported(store, tmp_path), kind, 40, tmp_path)


def check_spoiled(data: bytes, kind: RecordKind, count: int, folder: Path) -> None:
    records = contents(data)
    at = next(at for at, record in enumerate(records) if record.kind == kind)
    chance = random.Random(kind)
    for turn in range(count):
        bad = spoiled(records[at], chance)
        found, _ = imported(file_of([*records[:at], bad, *records[at + 1 :]]), folder)
        for track in found.tracks:
            look_at(track)
        assert list(reports.machine_lines(found)) is not None
        assert list(reports.error_lines(found)) is not None
        if turn % WRITTEN == 0:
            write_json_lines(found, str(folder / "lines.jsonl"), selected(found))
            assert imported(exported(found, folder), folder)[1] is None


def spoiled(record: Content, chance: random.Random) -> Content:
    """A record with another byte in its head or body."""
    pieces = [record.head, *record.parts]
    piece = chance.choice([at for at, data in enumerate(pieces) if data])
    data = bytearray(pieces[piece])
    data[chance.randrange(len(data))] = chance.choice((0, 1, 127, 255, chance.randrange(256)))
    pieces[piece] = bytes(data)
    return record._replace(head=pieces[0], parts=tuple(pieces[1:]))


def test_a_body_that_is_no_list_of_columns_is_damage(tmp_path: Path) -> None:
    """Also one that lacks a column or has columns of other lengths."""
    for body in (b"", b"\xc1", b"\x80", msgpack.packb(()), msgpack.packb((b"B\1",) * 11)):
        data = changed(session(tmp_path), with_body(RecordKind.ROWS, 0, body))
        store, _ = imported(data, tmp_path)
        look_at(store.tracks[0])
        assert store.damage
