"""Changing a machine's order of states, its schema, or all of its ticks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

import machine as am
from machine.errors import MachineError, RelationError, StateNameError, StateUnknownError

Made = Callable[..., am.Machine]
Struct = Callable[[str], dict[str, am.State]]
LogOf = Callable[..., list[str]]

ABC = ["A", "B", "C", "Exception"]


def test_verifying_fixes_the_order(made: Made, recorder: Any) -> None:
    """Ticks and active states follow their states to the new places; nothing ticks."""
    mach = made("A{} B{} C{}", tracers=[recorder])
    mach.add(["C", "B"])
    recorder.events.clear()

    mach.verify_states(["C", "A", "B", "A", "Exception"])

    assert mach.state_names() == ["C", "A", "B", "Exception"]
    assert mach.states_verified()
    assert mach.active_states() == ["C", "B"]
    assert mach.time() == [1, 0, 1, 0]
    assert mach.index("B") == 2
    assert recorder.events == ["verify_states"]


def test_the_order_decides_where_order_counts(made: Made, watch: Any) -> None:
    """Auto states and pairs of active states go by index."""
    mach = made("A{} Y{auto remove:Z} Z{auto remove:Y}")
    mach.verify_states(["Z", "Y", "A", "Exception"])
    mach.add1("A")

    assert mach.is1("Z")
    assert mach.not1("Y")


def test_every_unknown_state_is_reported(made: Made) -> None:
    """Not only the first; nothing has changed then."""
    mach = made("A{} B{}")

    with pytest.raises(MachineError) as raised:
        mach.verify_states(["A", "X", "B", "Y", "Exception"])
    assert raised.value.detail == (
        "state X is not defined for mach\nstate Y is not defined for mach"
    )
    assert mach.state_names() == ["A", "B", "Exception"]


@pytest.mark.parametrize(
    ("names", "missing"),
    [(["A", "A", "B", "C", "Exception"], "D"), (["A", "B", "Exception"], "C D")],
)
def test_an_order_that_lacks_states_is_refused(made: Made, names: list[str], missing: str) -> None:
    """The error names the missing states."""
    mach = made()

    with pytest.raises(MachineError, match=f"more states than registered: {missing}$"):
        mach.verify_states(names)
    assert not mach.states_verified()


def test_a_schema_can_be_changed(made: Made, struct: Struct, recorder: Any) -> None:
    """Kept states keep their ticks, new ones start at 0, gone ones are gone."""
    mach = made("A{} B{} C{}", tracers=[recorder])
    mach.add(["A", "C"])
    before = mach.get_struct()
    recorder.events.clear()
    old: list[Any] = []

    class Reader(am.Tracer):
        def struct_change(self, machine: am.Machine, old_struct: Any) -> None:
            old.append(old_struct)

    mach.bind_tracer(Reader())
    assert mach.schema_ver() == 0

    mach.set_struct(struct("A{add:D} C{} D{} B{}"), ["D", "C", "A", "B"])

    assert mach.schema_ver() == 1
    assert mach.states_verified()
    assert mach.state_names() == ["D", "C", "A", "B", "Exception"]
    assert mach.string_all() == "(C:1 A:1) [D:0 B:0 Exception:0]"
    assert recorder.events == ["verify_states", "struct_change"]
    assert old == [before]


def test_states_may_go_with_a_schema(made: Made, struct: Struct) -> None:
    """Without a transition: nobody is asked and nothing of them is left."""
    mach = made("A{} B{}")
    mach.add(["A", "B"])
    calls: list[str] = []
    mach.bind_handlers({"BExit": lambda e: calls.append("BExit")})

    mach.set_struct(struct("A{}"), ["A"])

    assert mach.active_states() == ["A"]
    assert not mach.has1("B")
    assert calls == []


@pytest.mark.parametrize(
    ("text", "names", "error"),
    [
        ("A{} B{}", ["A"], MachineError),
        ("A{} B{} N{}", ["A", "B"], MachineError),
        ("A{} B{}", ["A", "B", "N"], MachineError),
        ("A{add:N} B{}", ["A", "B"], RelationError),
        ("Any{}", ["Any"], StateNameError),
    ],
)
def test_on_an_error_nothing_changes(
    made: Made, struct: Struct, recorder: Any, text: str, names: list[str], error: type[Exception]
) -> None:
    """The old schema is fully in force and no tracer is notified of it."""
    mach = made("A{} B{require:A}", strict=True, tracers=[recorder])
    mach.add(["A", "B"])
    recorder.events.clear()
    before = (mach.get_struct(), mach.string_all(), mach.schema_ver(), mach.states_verified())

    with pytest.raises(error):
        mach.set_struct(struct(text), names)

    after = (mach.get_struct(), mach.string_all(), mach.schema_ver(), mach.states_verified())
    assert after == before
    assert recorder.events == []
    assert mach.remove1("A") is am.Result.EXECUTED
    assert mach.active_states() == []


def test_waiters_live_through_a_change(made: Made, struct: Struct) -> None:
    """Old ones go on, and new states can be waited for."""
    mach = made("A{} B{}")
    old = mach.when1("B")

    mach.set_struct(struct("Z{} B{} A{}"), ["Z", "B", "A"])
    new = mach.when1("Z")
    mach.add1("A")
    assert not old.done
    mach.add(["B", "Z"])

    assert old.done
    assert new.done


def test_contexts_of_states_that_go_are_ended(made: Made, struct: Struct) -> None:
    """Those of states that stay live on."""
    mach = made("A{} B{}")
    mach.add(["A", "B"])
    contexts = [mach.new_state_ctx("A"), mach.new_state_ctx("B")]

    mach.set_struct(struct("A{}"), ["A"])

    assert [ctx.done for ctx in contexts] == [False, True]


def test_the_new_schema_is_effective_at_once(made: Made, struct: Struct) -> None:
    """Its relations, its handlers, its auto states."""
    mach = made("A{} B{}")
    calls: list[str] = []
    mach.bind_handlers({"ZState": lambda e: calls.append("ZState")})
    mach.add1("A")

    mach.set_struct(struct("A{} B{remove:A} Z{auto require:B}"), ["A", "B", "Z"])
    mach.add1("B")

    assert mach.active_states() == ["B", "Z"]
    assert calls == ["ZState"]


@pytest.mark.parametrize(
    "change",
    [
        lambda mach: mach.verify_states(["B", "A", "Exception"]),
        lambda mach: mach.set_struct({"A": am.State(), "B": am.State(multi=True)}, ["A", "B"]),
        lambda mach: mach.import_(am.Serialized("x", [0, 0, 0], ["B", "A", "Exception"])),
    ],
)
def test_nothing_is_restructured_during_a_transition(
    made: Made, change: Callable[[am.Machine], None]
) -> None:
    """A handler that tries fails; nothing has changed then."""
    mach = made("A{} B{}")
    mach.bind_handlers({"AState": lambda e: change(mach)})

    assert mach.add1("A") is am.Result.CANCELED
    assert "during a transition" in str(mach.err)
    assert mach.state_names() == ["A", "B", "Exception"]
    assert mach.id == "mach"
    assert not mach.states_verified()


def test_verifying_the_present_order_is_possible_anytime(made: Made) -> None:
    """Nothing moves then."""
    mach = made("A{} B{}")
    mach.bind_handlers({"AState": lambda e: mach.verify_states(mach.state_names())})

    assert mach.add1("A") is am.Result.EXECUTED
    assert mach.states_verified()


class Meddling:
    """A resolver's place in a change: calls something while the machine stands in between."""

    def __init__(self, mach: am.Machine, work: Callable[[], object]) -> None:
        self.mach = mach
        self.work = work
        mach._state_contexts = self  # type: ignore[assignment]

    def schema_changed(self) -> None:
        self.mach._state_contexts = None
        thread = threading.Thread(target=self.work)
        thread.start()
        thread.join(10)


def test_mutations_made_during_a_change_run_after_it(made: Made) -> None:
    """They are queued like those made during a transition."""
    mach = made("A{} B{}")
    results: list[am.Result] = []
    Meddling(mach, lambda: results.append(mach.add1("B")))

    mach.verify_states(["B", "A", "Exception"])

    assert results == [am.Result.QUEUED]
    assert mach.string_all() == "(B:1) [A:0 Exception:0]"


def test_who_waits_for_the_queue_during_a_change_is_released(made: Made) -> None:
    """Whether there was something in the queue or not."""
    mach = made("A{} B{}")
    handles: list[am.WaitHandle] = []
    Meddling(mach, lambda: handles.append(mach.when_queue_ends()))

    mach.verify_states(["B", "A", "Exception"])

    assert handles[0].done


def test_what_waits_in_the_queue_moves_with_the_states(made: Made, struct: Struct) -> None:
    """Mutations left behind by an interrupt call the same states, without those that are gone."""
    mach = made("A{} B{} C{}", panic_to_exception=False)

    def work(event: am.Event) -> None:
        mach.add(["B", "C"])
        raise RuntimeError

    mach.bind_handlers({"AState": work})
    with pytest.raises(RuntimeError):
        mach.add1("A")

    mach.set_struct(struct("C{} A{}"), ["C", "A"])

    assert mach.active_states() == ["C"]


def test_an_export_has_the_order_of_the_schema(made: Made) -> None:
    """Or another one, if that was set."""
    mach = made("B{} A{}")
    assert mach.export().state_names == ["B", "A", "Exception"]
    assert not mach.states_verified()

    mach.verify_states(["A", "Exception", "B"])
    assert mach.export().state_names == ["A", "Exception", "B"]


def test_an_exported_machine_is_a_value(made: Made) -> None:
    """With a text, equal by what it holds, and there and back as JSON."""
    mach = made("A{} B{} C{}", id="m")
    mach.verify_states(ABC)
    mach.add1("B")

    data = mach.export()

    assert data.to_json() == (
        '{"id": "m", "time": [0, 1, 0, 0], "state_names": ["A", "B", "C", "Exception"],'
        ' "version": 1, "tasks": []}'
    )
    assert am.Serialized.from_json(data.to_json()) == data
    assert data != am.Serialized("m", [0, 0, 0, 0], ABC)
    assert data != "data"
    assert repr(data) == f"Serialized('m', [0, 1, 0, 0], {ABC!r})"
    with pytest.raises(TypeError, match="unhashable"):
        hash(data)


@pytest.mark.parametrize("text", ["", "[]", "{}", "1", "null", '{"id": 1}', '{"id": 1, "time": 2}'])
def test_other_texts_are_no_exported_machine(text: str) -> None:
    """Other texts raise ValueError."""
    with pytest.raises(ValueError, match=r"."):
        am.Serialized.from_json(text)


def test_an_import_is_no_transition(made: Made, recorder: Any) -> None:
    """No handler, no tracer, no waiter; active states come in the order of the import."""
    mach = made("A{} B{} C{}", tracers=[recorder])
    handle = mach.when1("C")
    calls: list[str] = []
    mach.bind_handlers({"CState": lambda e: calls.append("CState")})
    recorder.events.clear()

    mach.import_(am.Serialized("other", [1, 2, 3, 0], ["C", "B", "A", "Exception"]))

    assert mach.string_all() == "(C:1 A:3) [B:2 Exception:0]"
    assert mach.active_states() == ["C", "A"]
    assert (mach.id, mach.states_verified()) == ("other", True)
    assert (calls, handle.done) == ([], False)
    assert recorder.events == []


def test_waiters_made_before_an_import_look_at_the_right_states(made: Made) -> None:
    """The order of states may have changed with it."""
    mach = made("A{} B{} C{}")
    handle = mach.when1("A")
    mach.import_(am.Serialized("m", [0, 0, 0, 0], ["C", "B", "A", "Exception"]))

    mach.add1("C")
    assert not handle.done
    mach.add1("A")
    assert handle.done


def test_an_import_may_break_relations(made: Made) -> None:
    """If that is asked for it is taken as it is; the next transition looks at relations again."""
    mach = made("A{require:B} B{} C{}")
    data = am.Serialized("m", [1, 0, 0, 0], ABC)

    with pytest.raises(RelationError, match="A requires B"):
        mach.import_(data)
    assert mach.active_states() == []

    mach.import_(data, forbidden="accept")
    assert mach.active_states() == ["A"]

    mach.add1("C")
    assert mach.active_states() == ["C"]


@pytest.mark.parametrize(
    ("time", "names", "error"),
    [
        ([1, 0, 0], ABC, ValueError),
        ([1, 0, 0, 0, 0], ABC, ValueError),
        ([1, 0, 0, 0, 0], [*ABC, "A"], ValueError),
        ([1, -1, 0, 0], ABC, ValueError),
        ([1, "1", 0, 0], ABC, ValueError),
        ([1, 0.5, 0, 0], ABC, ValueError),
        ([1, 0, 0, 0], ["A", "B", "X", "Y"], StateUnknownError),
        ([True, 0, 0, 0], ABC, ValueError),
        ([2**62 + 1, 0, 0, 0], ABC, ValueError),
    ],
)
def test_an_import_that_does_not_fit_changes_nothing(
    made: Made, time: list[Any], names: list[str], error: type[Exception]
) -> None:
    """Unknown or missing states, and ticks that are none."""
    mach = made("A{} B{} C{}")

    with pytest.raises(error):
        mach.import_(am.Serialized("other", time, names))
    assert mach.string_all() == "() [A:0 B:0 C:0 Exception:0]"
    assert mach.id == "mach"
    assert not mach.states_verified()
