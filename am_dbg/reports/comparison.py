"""The comparison of two sessions, as a value for JSON and as lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from am_dbg.projection.addresses.write import address_of
from am_dbg.projection.comparison.sessions import MachineComparison, SessionComparison
from am_dbg.projection.log.entries import entry_of
from am_dbg.projection.times import counted, totals
from am_dbg.query.alignment import Block, BlockKind
from am_dbg.reports.json_values import JsonObject, transition_value
from am_dbg.safe_text import one_line
from am_dbg.store import Store, Track

SIDES = ("a", "b")
LISTED_MAX = 1_000
"""Differences of one machine that the JSON value lists; all of them are counted."""
SHOWN_MAX = 3
"""Transitions of the first difference that the text shows for each side."""


def comparison_value(comparison: SessionComparison, files: Sequence[str]) -> JsonObject:
    """The whole comparison."""
    return {
        "same": comparison.is_same,
        **{
            name: {
                "file": file,
                "machines": len(store.tracks),
                "transitions": store.transitions,
                "only": [track.key for track in only],
            }
            for name, file, store, only in zip(
                SIDES, files, comparison.stores, comparison.only, strict=True
            )
        },
        "differing": [_machine_value(comparison.stores, pair) for pair in comparison.differing],
        "same_machines": [_keys(pair) for pair in comparison.same],
    }


def _keys(pair: MachineComparison) -> JsonObject:
    return {"a": pair.one.key, "b": pair.other.key}


def _machine_value(stores: tuple[Store, Store], pair: MachineComparison) -> JsonObject:
    listed = pair.differences[:LISTED_MAX]
    blocks = [pair.blocks[index] for index in listed]
    one, other = pair.schema_only
    return {
        **_keys(pair),
        "same_before": pair.same_before,
        "differences": len(pair.differences),
        "not_compared_to_the_end": pair.is_cut,
        "states_only_in": {"a": list(one), "b": list(other)},
        "first": _first_value(pair, blocks[0]) if blocks else None,
        "places": [_place_value(stores, pair, block) for block in blocks],
    }


def _first_value(pair: MachineComparison, block: Block) -> JsonObject:
    """The first transitions that differ, in full; None where a side has none."""
    value: JsonObject = {}
    for side, (name, track) in enumerate(zip(SIDES, (pair.one, pair.other), strict=True)):
        numbers = pair.numbers(side, block)
        value[name] = transition_value(track, numbers[0]) if numbers else None
    return value


def _place_value(stores: tuple[Store, Store], pair: MachineComparison, block: Block) -> JsonObject:
    value: JsonObject = {"kind": block.kind.value}
    for side, (name, track) in enumerate(zip(SIDES, (pair.one, pair.other), strict=True)):
        numbers = pair.numbers(side, block)
        value[name] = {
            "transitions": len(numbers),
            "address": address_of(stores[side], track, numbers[0]) if numbers else None,
        }
    return value


def comparison_lines(comparison: SessionComparison, files: Sequence[str]) -> Iterator[str]:
    """The sessions, the machines that differ with their first difference, then the totals."""
    for name, file, store in zip("AB", files, comparison.stores, strict=True):
        yield f"{name}  {one_line(file)}  {totals(len(store.tracks), store.transitions)}"
    yield ""
    for pair in comparison.differing:
        yield from _machine_lines(comparison.stores, pair)
    for name, only in zip("AB", comparison.only, strict=True):
        for track in only:
            yield f"{one_line(track.key)}  only in {name}, {counted(track.count, 'transition')}"
    yield _summary(comparison)


def _machine_lines(stores: tuple[Store, Store], pair: MachineComparison) -> Iterator[str]:
    yield f"{pair_name(pair)}  {difference_words(pair)}"
    for name, states in zip("AB", pair.schema_only, strict=True):
        if states:
            yield f"  {name}  only here: {one_line(' '.join(states))}"
    if pair.differences:
        block = pair.blocks[pair.differences[0]]
        for side, track in enumerate((pair.one, pair.other)):
            yield from _side_lines(stores[side], pair, block, side, track)
    yield ""


def _side_lines(
    store: Store, pair: MachineComparison, block: Block, side: int, track: Track
) -> Iterator[str]:
    name, numbers = "AB"[side], pair.numbers(side, block)
    shown = numbers[: 1 if block.kind is BlockKind.CHANGED else SHOWN_MAX]
    if not numbers:
        yield f"  {name}  nothing here"
    for number in shown:
        address = one_line(address_of(store, track, number))
        yield f"  {name}  {address}  {_entry_text(track, number)}"
    if len(numbers) > len(shown):
        yield f"     … {len(numbers) - len(shown):,} more"


def _entry_text(track: Track, number: int) -> str:
    """A transition as the log shows it, without its time."""
    entry = entry_of(track, track.transition(number))
    words = [word.name for word in entry.called]
    words += [word.change.value + word.name for word in entry.implied]
    note = [f"({entry.note})"] if entry.note else []
    return " ".join([entry.kind.value, *(words or ["nothing"]), *note])


def pair_name(pair: MachineComparison) -> str:
    """The name of a machine, or both of its names."""
    names = dict.fromkeys(one_line(track.key) for track in (pair.one, pair.other))
    return " / ".join(names)


def difference_words(pair: MachineComparison) -> str:
    """Where a machine differs first, and how often."""
    if not pair.differences:
        return "has another schema"
    places = counted(len(pair.differences), "place")
    more = ", the rest is not compared" if pair.is_cut else ""
    return f"differs after {counted(pair.same_before, 'equal transition')}, at {places}{more}"


def _summary(comparison: SessionComparison) -> str:
    differing, same = len(comparison.differing), len(comparison.same)
    if comparison.is_same:
        return f"{counted(same, 'machine')}: no difference"
    only = sum(map(len, comparison.only))
    alone = f"; only in one session: {only:,}" if only else ""
    return f"machines that differ: {differing:,}; the same: {same:,}{alone}"
