"""Initial states: what a machine begins with, and who takes part."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

import machine as am
from machine.errors import RelationError, StateMissingError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.core.conftest import Recorder

STATES = {
    "Draft": am.State(initial=True, remove=["Sent"]),
    "Sent": am.State(remove=["Draft"]),
    "Visible": am.State(initial=True),
}


class Noting:
    """Handlers that note what they were called for."""

    def __init__(self, *, allows: bool = True) -> None:
        self.calls: list[str] = []
        self.allows = allows

    def DraftEnter(self, event: am.Event) -> bool:
        self.calls.append(event.name)
        return self.allows

    def DraftState(self, event: am.Event) -> None:
        self.calls.append(event.name)


def test_a_machine_begins_with_the_states_that_its_schema_marks() -> None:
    """Initial states are active when the constructor returns."""
    mach = am.Machine(None, STATES)

    assert mach.active_states() == ["Draft", "Visible"]
    assert mach.time() == am.Time([1, 0, 1, 0])


@pytest.mark.parametrize(
    ("initial", "active"), [("Sent", ["Sent"]), (["Sent", "Visible"], ["Sent", "Visible"])]
)
def test_the_option_takes_the_place_of_the_marks(initial: am.Names, active: list[str]) -> None:
    """With `initial`, given as a name or several, the marks of the schema do not count."""
    assert am.Machine(None, STATES, initial=initial).active_states() == active


def test_no_initial_states() -> None:
    """An empty list makes a machine that has not begun."""
    assert am.Machine(None, STATES, initial=()).time_sum() == 0


def test_handlers_of_the_constructor_take_part() -> None:
    """Handlers that are passed to the constructor are bound before the machine begins."""
    handlers = Noting()
    am.Machine(None, STATES, handlers=handlers)

    assert handlers.calls == ["DraftEnter", "DraftState"]


def test_handlers_bound_later_do_not_take_part() -> None:
    """A handler that is bound after the construction is not called for the initial states."""
    handlers = Noting()
    am.Machine(None, STATES).bind_handlers(handlers)

    assert handlers.calls == []


def test_new_common_begins_after_it_bound_its_handlers() -> None:
    """`new_common` adds the initial states last, whether marked or given."""
    first, second = Noting(), Noting()
    am.new_common(None, "one", STATES, [*STATES, "Exception"], first)
    mach = am.new_common(None, "two", STATES, [*STATES, "Exception"], second, initial="Sent")

    assert first.calls == ["DraftEnter", "DraftState"]
    assert second.calls == []
    assert mach.active_states() == ["Sent"]


def test_a_handler_denies_the_beginning() -> None:
    """Initial states that a handler denies are not active; the machine is made."""
    mach = am.Machine(None, STATES, handlers=Noting(allows=False))

    assert mach.time_sum() == 0


def test_tracers_see_the_beginning(recorder: Recorder) -> None:
    """The beginning is one transition of its own, after `machine_init`."""
    am.Machine(None, STATES, tracers=[recorder])

    assert recorder.events[:2] == ["machine_init", "transition_init"]
    assert [tx.called_states() for tx in recorder.txs] == [["Draft", "Visible"]]


def test_listeners_of_new_machines_come_before_the_beginning(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tracer that `on_machine` binds sees the initial transition."""
    monkeypatch.setattr("machine._machine.machine._listeners", [])
    am.on_machine(lambda mach: mach.bind_tracer(recorder))
    am.Machine(None, STATES)

    assert [tx.called_states() for tx in recorder.txs] == [["Draft", "Visible"]]


def test_auto_states_follow_the_beginning() -> None:
    """Auto states have their turn after the initial transition."""
    mach = am.Machine(None, {**STATES, "Ready": am.State(auto=True, require="Draft")})

    assert mach.is1("Ready")


def test_states_that_exclude_each_other_are_refused() -> None:
    """Initial states that relations rule out raise, with the relations."""
    with pytest.raises(RelationError, match="cannot begin with Draft Sent: Draft removes Sent"):
        am.Machine(None, STATES, initial=["Draft", "Sent"])


def test_a_resolver_that_rejects_the_beginning() -> None:
    """Initial states that a custom resolver rejects raise too."""

    class Nothing(am.RelationsResolver):
        def get_target_states(self, *args: object) -> list[str]:
            return []

    with pytest.raises(RelationError, match="cannot begin with Draft Visible: relations reject"):
        am.Machine(None, STATES, resolver=Nothing())


def test_an_initial_state_has_to_exist() -> None:
    """An unknown initial state raises and names the one that was meant."""
    with pytest.raises(StateMissingError, match="did you mean Draft"):
        am.Machine(None, STATES, initial="Darft")


def test_a_machine_of_an_ended_context_does_not_begin() -> None:
    """The initial states of a machine whose context has ended are not added."""
    ctx = am.Context()
    ctx.cancel()
    mach = am.Machine(ctx, STATES)

    assert mach.when_disposed().wait(5)
    assert mach.time_sum() == 0


def test_a_machine_on_a_loop_begins_there() -> None:
    """Made on its loop a machine begins at once; made elsewhere it begins when the loop runs."""
    loop = asyncio.new_event_loop()
    outside = am.Machine(None, STATES, executor=loop)
    assert outside.time_sum() == 0

    async def inside() -> tuple[bool, int]:
        mach = am.Machine(None, STATES, executor=loop)
        return await outside.when1("Draft"), mach.time_sum()

    assert loop.run_until_complete(inside()) == (True, 2)
    loop.close()


def test_an_import_needs_a_machine_that_has_not_begun() -> None:
    """Initial states count as work, and the error says how to make a machine without them."""
    old = am.Machine(None, STATES, id="old", initial="Sent")
    old.verify_states(old.state_names())
    data = old.export()

    with pytest.raises(RuntimeError, match="only a fresh machine imports.*initial=\\(\\)"):
        am.Machine(None, STATES).import_(data)
    fresh = am.Machine(None, STATES, initial=())
    fresh.import_(data)
    assert fresh.active_states() == ["Sent"]


def test_a_states_class_marks_initial_states() -> None:
    """`am.state` has the field, and a class that inherits keeps it."""

    class Base(am.StatesBase):
        Draft: str = am.state(initial=True)

    class Order(Base):
        Sent: str

    assert am.Machine(None, Order).active_states() == ["Draft"]


@pytest.mark.parametrize("copied", [am.clone_states, am.struct_merge])
def test_copies_of_a_schema_keep_the_marks(
    copied: Callable[[am.Struct], dict[str, am.State]],
) -> None:
    """Copying and merging keep which states are initial."""
    assert am.Machine(None, copied(STATES)).active_states() == ["Draft", "Visible"]


def test_extending_a_state_keeps_its_mark() -> None:
    """The flags of a state stay its own when relations are added or replaced."""
    more = am.State(require="Sent")

    assert am.state_add(STATES["Draft"], more).initial
    assert am.state_set(STATES["Draft"], False, False, more).initial
    assert not am.state_add(STATES["Sent"], am.State(initial=True)).initial


def test_a_mark_is_true_or_false() -> None:
    """Anything else is refused, and the option is checked like all names."""
    with pytest.raises(TypeError, match="initial is True or False"):
        am.State(initial="Draft")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="initial states need an order"):
        am.Machine(None, STATES, initial={"Draft"})
