"""Relations that contradict each other are warned of, and refused where `strict`."""

from __future__ import annotations

import json
import lzma
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import machine as am
from machine._schema.contradictions import contradictions
from machine._schema.sharing import schema_of
from machine.errors import RelationError

Struct = Callable[[str], dict[str, am.State]]

CONTRADICTING = [
    ("A{require:B remove:B} B{}", "A requires B and removes it"),
    ("A{require:B} B{remove:A}", "A requires B, which removes A"),
    ("A{require:B remove:C} B{require:C} C{}", "A requires C (by way of B) and removes it"),
    ("A{require:B} B{require:C} C{remove:A}", "A requires C (by way of B), which removes A"),
    ("A{require:[B,C]} B{remove:C} C{}", "A requires B and C, of which B removes C"),
    (
        "A{require:[B,C]} B{require:D} C{require:E} D{remove:E} E{}",
        "A requires D (by way of B) and E (by way of C), of which D removes E",
    ),
    ("A{require:Exception remove:Exception}", "A requires Exception and removes it"),
]


@pytest.mark.parametrize(("text", "words"), CONTRADICTING)
def test_relations_that_contradict_each_other_are_reported(
    text: str, words: str, struct: Struct, caplog: pytest.LogCaptureFixture
) -> None:
    """A warning names the states; a strict machine is refused, even with a known schema."""
    states = struct(text)

    with pytest.raises(RelationError) as caught:
        am.Machine(None, states, strict=True)
    assert words in str(caught.value)
    assert caplog.records == []

    for _ in range(2):
        mach = am.Machine(None, states)
        assert mach.add(["A"]) is am.Result.CANCELED
    assert [record.getMessage() for record in caplog.records] == [
        f"relations that contradict each other: {words}"
    ]
    with pytest.raises(RelationError):
        am.Machine(None, states, strict=True)


def test_who_requires_a_contradicting_state_is_not_reported_again(struct: Struct) -> None:
    """The mistake is in one place."""
    states = struct("A{require:B} B{require:C remove:C} C{} D{require:[A,B]}")

    assert contradictions(schema_of(states)) == ["B requires C and removes it"]


def test_states_that_require_what_others_exclude_may_be(struct: Struct) -> None:
    """Only what one state needs at the same time counts."""
    for text in (
        "A{require:B} B{} C{remove:A} D{remove:B}",
        "A{remove:[A,B]} B{remove:[A,B]}",
        "A{require:B remove:C} B{remove:C} C{}",
        "A{add:B} B{remove:A}",
        "A{require:B add:C remove:C} B{} C{}",
        "A{require:B} B{require:A}",
        "A{require:B remove:B add:B} B{}",
    ):
        am.Machine(None, struct(text), strict=True)


def test_a_state_that_requires_itself_is_only_warned_of(
    struct: Struct, caplog: pytest.LogCaptureFixture
) -> None:
    """It is among the targets when it is called, so the relation says nothing."""
    mach = am.Machine(None, struct("A{require:A}"), strict=True)

    assert mach.add1("A") is am.Result.EXECUTED
    assert "a relation without effect: A requires itself" in caplog.text


def test_a_new_schema_is_looked_at_too(struct: Struct, caplog: pytest.LogCaptureFixture) -> None:
    """`set_struct` warns, and a strict machine keeps the schema it has."""
    new = struct("A{require:B remove:B} B{}")
    strict = am.Machine(None, struct("A{} B{}"), strict=True)

    with pytest.raises(RelationError, match="A requires B and removes it"):
        strict.set_struct(new, ["A", "B"])
    assert strict.get_struct()["A"] == am.State()

    am.Machine(None, struct("A{} B{}")).set_struct(new, ["A", "B"])
    assert "A requires B and removes it" in caplog.text


def test_a_states_class_is_looked_at_too(caplog: pytest.LogCaptureFixture) -> None:
    """Each time for a strict machine, once for the others."""

    class States(am.StatesBase):
        B: str
        A: str = am.state(require="B", remove="B")

    am.Machine(None, States)
    am.Machine(None, States)
    with pytest.raises(RelationError, match="A requires B and removes it"):
        am.Machine(None, States, strict=True)
    assert len(caplog.records) == 1


DATA = Path(__file__).parent.parent / "data"


def recorded() -> Iterator[tuple[str, dict[str, Any]]]:
    """Names and schemas of all recorded scenarios that were written by hand."""
    for line in lzma.decompress((DATA / "conformance.jsonl.xz").read_bytes()).splitlines():
        scenario = json.loads(line)
        if not scenario["id"].startswith("random"):
            yield scenario["id"], scenario["schema"]


def test_no_recorded_scenario_written_by_hand_contradicts_itself() -> None:
    """Only random ones do; so nothing is reported that has a use."""
    schemas = dict(recorded())
    found = {
        name: contradictions(
            schema_of({state: am.State(**fields) for state, fields in one.items()})
        )
        for name, one in schemas.items()
    }

    assert len(schemas) > 100
    assert {name: texts for name, texts in found.items() if texts} == {}
