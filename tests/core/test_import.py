"""What a machine takes over from an export, after a deploy as well, and what it refuses."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

import machine as am
from machine._machine.serialized import TICK_MAX
from machine.errors import RelationError, StateUnknownError

OLD = {
    "Draft": am.State(remove=["Review"]),
    "Review": am.State(remove=["Draft"]),
    "Locked": am.State(require=["Review"]),
}


def saved() -> dict[str, Any]:
    """The export of a machine that has worked, as JSON keeps it."""
    mach = am.Machine(None, OLD, id="order")
    mach.add1("Draft")
    mach.add(["Review", "Locked"])
    data: dict[str, Any] = json.loads(mach.export().to_json())
    return data


def read(data: object) -> am.Serialized:
    return am.Serialized.from_json(json.dumps(data))


def test_an_export_has_a_version() -> None:
    """A text without one is of the first; one of a later version is refused."""
    data = saved()
    assert data["version"] == 1
    assert read({key: data[key] for key in data if key != "version"}) == read(data)

    with pytest.raises(ValueError, match="version is at most 1, not 2"):
        read({**data, "version": 2})


@pytest.mark.parametrize(
    "change",
    [
        {"version": "1"},
        {"version": 0},
        {"version": True},
        {"id": 5},
        {"time": [True, 1, 1, 0]},
        {"time": [1.0, 1, 1, 0]},
        {"time": ["1", 1, 1, 0]},
        {"time": [None, 1, 1, 0]},
        {"time": [-1, 1, 1, 0]},
        {"time": [TICK_MAX + 1, 1, 1, 0]},
        {"time": [1, 1, 1]},
        {"time": [1, 1, 1, 0, 0]},
        {"time": 5},
        {"time": {"Draft": 1}},
        {"state_names": "Draft"},
        {"state_names": ["Draft", "Draft", "Locked", "Exception"]},
        {"state_names": ["Draft", 5, "Locked", "Exception"]},
        {"tasks": "DraftState"},
        {"tasks": [5]},
    ],
)
def test_what_no_export_has_is_refused(change: dict[str, Any]) -> None:
    """By `from_json` with a ValueError that says what is wrong."""
    with pytest.raises(ValueError, match="^not an exported machine: "):
        read({**saved(), **change})


@pytest.mark.parametrize("text", ["", "{", "[]", "5", "null", "{}", '{"id": "m"}', "[" * 100_000])
def test_a_text_that_is_no_export_is_refused(text: str) -> None:
    """Whatever it is instead."""
    with pytest.raises(ValueError, match="^not an exported machine: "):
        am.Serialized.from_json(text)


@pytest.mark.parametrize("data", ["{}", {}, None, 5])
def test_only_an_export_is_imported(data: Any) -> None:
    """The error says what makes one of a text."""
    with pytest.raises(TypeError, match="an import needs a Serialized, .* from_json makes one"):
        am.Machine(None, OLD).import_(data)


def test_the_highest_tick_is_taken() -> None:
    """One more is not."""
    mach = am.Machine(None, OLD)
    mach.import_(am.Serialized("m", [TICK_MAX], ["Draft"]))

    assert mach.tick("Draft") == TICK_MAX


def test_states_that_came_since_start_at_zero() -> None:
    """They stand behind those of the export."""
    mach = am.Machine(None, {"New": am.State(), **OLD, "Newer": am.State(auto=True)})
    mach.import_(read(saved()))

    assert mach.string_all() == ("(Review:1 Locked:1) [Draft:2 Exception:0 New:0 Newer:0]")
    assert mach.id == "order"
    assert mach.add1("New") is am.Result.EXECUTED
    assert mach.is1("Newer")


def test_states_in_another_order_come_in_that_of_the_export() -> None:
    """Ticks belong to names."""
    mach = am.Machine(None, dict(reversed(OLD.items())))
    mach.import_(read(saved()))

    assert mach.active_states() == ["Review", "Locked"]
    assert mach.state_names() == ["Draft", "Review", "Locked", "Exception"]
    assert mach.export() == read(saved())


def test_states_that_went_since_are_refused_or_dropped() -> None:
    """The error names them, what is near, and how to drop them; nothing is changed then."""
    less = {"Draft": am.State(), "Reviewed": am.State()}
    mach = am.Machine(None, less, id="new")

    with pytest.raises(StateUnknownError, match="Review Locked of the export .*Reviewed") as caught:
        mach.import_(read(saved()))
    assert 'unknown="drop"' in str(caught.value)
    assert (mach.time_sum(), mach.id, mach.states_verified()) == (0, "new", False)

    mach.import_(read(saved()), unknown="drop")
    assert mach.string_all() == "() [Draft:2 Exception:0 Reviewed:0]"


CHECKED = {
    "Draft": am.State(remove=["Checked"]),
    "Checked": am.State(remove=["Draft"]),
    "Locked": am.State(),
}
"""The schema of a later program: Review is called Checked."""


def test_a_renamed_state_keeps_its_tick_by_a_renamed_export() -> None:
    """The program that reads the export gives the new name."""
    mach = am.Machine(None, CHECKED)
    mach.import_(read(saved()).renamed({"Review": "Checked", "Sent": "Posted"}))

    assert mach.active_states() == ["Checked", "Locked"]


def test_a_migration_returns_what_is_imported() -> None:
    """It gets a copy of the data; the data themselves stay as they are."""
    data = read(saved())

    def migrate(old: am.Serialized) -> am.Serialized:
        old.state_names[1] = "Checked"
        old.id += "-2"
        old.tasks.append("CheckedState")
        return old

    mach = am.Machine(None, CHECKED)
    assert mach.import_(data, migrate=migrate) == ["CheckedState"]

    assert (mach.id, mach.active_states()) == ("order-2", ["Checked", "Locked"])
    assert data == read(saved())


def test_a_migration_that_fails_changes_nothing() -> None:
    """Its error comes out of the import, and so does one about what it returns."""
    mach = am.Machine(None, OLD, id="new")

    with pytest.raises(ZeroDivisionError):
        mach.import_(read(saved()), migrate=lambda _: 1 / 0)  # type: ignore[arg-type,return-value]
    with pytest.raises(TypeError, match="an import needs a Serialized, not None"):
        mach.import_(read(saved()), migrate=lambda _: None)  # type: ignore[arg-type,return-value]
    with pytest.raises(ValueError, match="the tick of Draft is at least 0"):
        mach.import_(read(saved()), migrate=lambda _: am.Serialized("m", [-1], ["Draft"]))
    with pytest.raises(TypeError, match="migrate is a function"):
        mach.import_(read(saved()), migrate={})  # type: ignore[arg-type]

    assert (mach.time_sum(), mach.id) == (0, "new")


def test_two_states_cannot_get_the_same_name() -> None:
    """Two states that are exchanged do not."""
    data = read(saved())

    with pytest.raises(ValueError, match="two states would have the same name: Locked"):
        data.renamed({"Draft": "Locked"})
    with pytest.raises(TypeError, match="new names of states are a dict"):
        data.renamed("Draft")  # type: ignore[arg-type]
    assert data.renamed({"Draft": "Review", "Review": "Draft"}).state_names[:2] == [
        "Review",
        "Draft",
    ]


def test_tasks_get_the_names_of_their_states() -> None:
    """The state is everything before the phase."""
    data = am.Serialized(
        "m", [1, 1], ["Run", "RunFast"], tasks=["RunState", "RunFastEnd", "AnyState", "RunnerState"]
    )

    assert data.renamed({"Run": "Walk", "RunFast": "Sprint"}).tasks == [
        "WalkState",
        "SprintEnd",
        "AnyState",
        "RunnerState",
    ]


def test_a_text_without_tasks_has_none() -> None:
    """Exports have not always had them; the version is the same."""
    data = saved()
    del data["tasks"]

    assert read(data).tasks == []
    assert read({**data, "later": 1}) == read(data)


async def test_tasks_that_were_under_way_are_in_the_export() -> None:
    """By the names of their handlers; an import returns and logs them, and starts none."""
    begun: list[str] = []

    async def work(e: am.Event) -> None:
        begun.append(e.machine.id)
        await asyncio.Event().wait()

    old = am.Machine(None, OLD, id="order")
    old.bind_handlers({"DraftState": work, "LockedState": work})
    old.add1("Draft")
    data = am.Serialized.from_json(old.export().to_json())
    old.dispose()
    await old.when_disposed()

    lines: list[str] = []
    new = am.Machine(None, OLD)
    new.set_logger_simple(lambda text, *_: lines.append(text), am.LogLevel.CHANGES)
    new.bind_handlers({"DraftState": work})

    assert new.import_(data) == data.tasks == ["DraftState"]
    assert (new.tasks(), new.active_states()) == ([], ["Draft"])
    assert lines[-1].endswith("[import] tasks not resumed: DraftState")
    assert begun in ([], ["order"])


@pytest.mark.parametrize(
    ("time", "words"),
    [
        ([1, 1, 0, 0], ["Draft removes Review", "Review removes Draft"]),
        ([0, 0, 1, 0], ["Locked requires Review"]),
    ],
)
def test_what_relations_rule_out_is_refused_by_name(time: list[int], words: list[str]) -> None:
    """Unless it is asked for; nothing is changed by a refusal."""
    data = read({**saved(), "time": time})
    mach = am.Machine(None, OLD, id="new")

    with pytest.raises(RelationError) as caught:
        mach.import_(data)
    assert all(text in str(caught.value) for text in [*words, 'forbidden="accept"'])
    assert (mach.time_sum(), mach.id) == (0, "new")

    mach.import_(data, forbidden="accept")
    assert list(mach.time()) == time


def test_only_a_fresh_machine_imports() -> None:
    """Contexts and waiters of one that has worked would be left behind."""
    mach = am.Machine(None, OLD, id="new")
    mach.add1("Draft")
    ctx = mach.new_state_ctx("Draft")

    with pytest.raises(RuntimeError, match=r"new has worked, and only a fresh machine imports"):
        mach.import_(read(saved()))
    assert (mach.string(), mach.id, ctx.done) == ("(Draft:1)", "new", False)

    mach.remove1("Draft")
    with pytest.raises(RuntimeError, match="has worked"):
        mach.import_(read(saved()))


def test_a_machine_imports_once() -> None:
    """Afterwards it is not fresh any more."""
    mach = am.Machine(None, OLD)
    mach.import_(read(saved()))

    with pytest.raises(RuntimeError, match="has worked"):
        mach.import_(read(saved()))


@pytest.mark.parametrize("wanted", [{"unknown": "ignore"}, {"forbidden": True}])
def test_what_to_do_is_one_of_two_words(wanted: dict[str, Any]) -> None:
    """Anything else is a mistake."""
    with pytest.raises(ValueError, match="is .raise. or "):
        am.Machine(None, OLD).import_(read(saved()), **wanted)


def test_a_resolver_of_ones_own_decides_what_goes_together() -> None:
    """Relations are not asked then, so nothing of them is ruled out."""
    mach = am.Machine(None, OLD, resolver=am.RelationsResolver())  # type: ignore[call-arg]
    mach.import_(read({**saved(), "time": [1, 1, 0, 0]}))

    assert mach.is_(["Draft", "Review"])
