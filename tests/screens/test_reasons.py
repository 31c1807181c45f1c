"""Why a state is not active, on the screen: the list of reasons and the rows below the state."""

from __future__ import annotations

import pytest

from am_dbg.control import Control, OpenDialog
from am_dbg.control.effects import DialogKind
from am_dbg.drawing.layout import Pane
from am_dbg.drawing.states import draw_states
from am_dbg.projection.states import StateRow, WhyNotRow
from am_dbg.projection.states_tree import EXPLAINED_MAX, REASON, TreeSpot, tree_of
from am_dbg.store import Store
from am_dbg.views.debugger import Debugger
from am_dbg.views.dialogs import ListDialog
from amtracer.wire.messages import StateDef
from tests.screens.driving import at, do, number, on_state
from tests.screens.stories import Story
from tests.screens.test_screen import running, screen_text

REASONS = [
    "├ ○ since tx 12 (dropped, because it requires ProcessingFile, by worker-child)",
    "├ requires ○ ProcessingFile  since tx 12 (removed by FileProcessed, by worker-child)",
    "│ └ last call: tx 2",
    "└ kept out by nothing active",
]


def explained(control: Control) -> list[str]:
    """The rows of reasons in the pane of states."""
    rows = control.project(160, 45).states.rows
    return [row.reason.text for row in rows if isinstance(row, WhyNotRow)]


def test_why_lists_the_reasons_of_a_state_that_is_not_active(control: Control) -> None:
    """The title has the name of the state, and whether it is an auto state that is blocked."""
    on_state(control, "InProgress")

    assert control.press("why") == OpenDialog(DialogKind.WHY_NOT)
    assert control.reasons_title() == "Why not InProgress · auto, blocked"
    assert [row.text for row in control.reasons_of_state()] == REASONS


def test_a_reason_leads_to_its_transition_and_its_state(control: Control) -> None:
    """From the missing state on, its own reasons are one key away."""
    on_state(control, "InProgress")
    control.press("why")
    control.dialog_closed()

    control.open_reason(1)

    assert number(control) == 12
    assert control.workspace.selected_state == TreeSpot("ProcessingFile")
    assert number(do(control, "back")) == 14


def test_a_reason_without_a_transition_goes_nowhere(control: Control) -> None:
    """The footer shows that there is none."""
    on_state(control, "InProgress")

    control.open_reason(3)

    assert number(control) == 14
    assert control.message == "this reason has no transition"
    control.open_reason(99)
    assert number(control) == 14


def test_why_without_a_state_explains_a_called_one_that_did_not_come(control: Control) -> None:
    """From a canceled transition its reasons are one key away."""
    assert do(at(control, 4), "why").workspace.selected_state == TreeSpot("Ping")
    assert control.reasons_of_state()[-1].text == "└ refused in tx 4: denied by PingEnter"


def test_why_without_a_state_asks_for_one(control: Control) -> None:
    """The reader explains the transition meanwhile."""
    do(control, "why")

    assert control.focus is Pane.READER
    assert control.message == "select a state first; w then explains it"


def test_an_unfolded_state_shows_its_reasons(control: Control) -> None:
    """They stand above its relations and follow the moment."""
    control.focus_on(Pane.STATES)
    do(on_state(control, "InProgress"), "choose")

    assert explained(control) == [*REASONS[:3], "├ kept out by nothing active"]
    assert explained(at(control, 4)) == []
    assert explained(at(control, 2))[0] == "├ never active"


def test_a_reason_below_a_state_is_followed_with_enter(control: Control) -> None:
    """It is a row like the others: arrows reach it, a click too."""
    control.focus_on(Pane.STATES)
    do(on_state(control, "InProgress"), "choose", "down")
    assert control.workspace.selected_state == TreeSpot("InProgress", REASON)

    do(control, "choose")

    assert number(control) == 12


def test_a_reason_that_is_gone_leaves_its_state_selected(control: Control) -> None:
    """At another moment the state may be active."""
    control.focus_on(Pane.STATES)
    do(on_state(control, "InProgress"), "choose", "down")

    rows = at(control, 4).project(160, 45).states.rows

    assert [row.name for row in rows if isinstance(row, StateRow)]
    assert number(do(control, "choose")) == 4


def test_unfolding_all_states_explains_none(control: Control) -> None:
    """A schema may have thousands of them."""
    do(control, "unfold_all")

    assert explained(control) == []


def test_only_some_unfolded_states_are_explained() -> None:
    """Each key computes the reasons of its moment again."""
    names = [f"S{number}" for number in range(EXPLAINED_MAX + 5)]
    story = Story()
    story.machine("worker", (StateDef("On"), *map(StateDef, names))).add("On")
    control = Control(story.store())
    control.data_arrived()
    moment = control.workspace.moment
    assert moment is not None

    assert len(tree_of(moment, frozenset(names)).reasons) == EXPLAINED_MAX


def test_a_reason_is_drawn_within_its_pane(control: Control) -> None:
    """It is cut where the pane ends."""
    control.focus_on(Pane.STATES)
    do(on_state(control, "InProgress"), "choose", "down")

    lines = draw_states(control.project(160, 45).states, 34, lit=True)

    row = next(line.text for line in lines if "○ since" in line.text)
    assert row.startswith("▸   ├ ○ since tx 12 (")
    assert row.rstrip().endswith("…")


@pytest.mark.slow
async def test_the_keys_lead_from_a_state_to_the_cause(store: Store) -> None:
    """The key opens the list, Enter goes to the transition of the reason."""
    async with running(store, number=14) as (app, pilot):
        on_state(app.control, "InProgress")
        await pilot.press("w")
        assert isinstance(app.screen, ListDialog)
        assert "Why not InProgress" in screen_text(app)
        assert "requires ○ ProcessingFile" in screen_text(app)
        await pilot.press("enter")
        await pilot.pause()

        assert isinstance(app, Debugger)
        assert number(app.control) == 12


@pytest.mark.slow
@pytest.mark.parametrize("name", ["[red]plain[/red]", "[/]", "[b [@click=app.quit]x[/]"])
async def test_the_title_of_a_list_is_never_read_as_markup(name: str) -> None:
    """The name of a state is data, whatever its brackets look like."""
    story = Story()
    story.machine("worker", (StateDef("On"), StateDef(name))).add("On")
    async with running(story.store(), number=1) as (app, pilot):
        on_state(app.control, name)
        await pilot.press("w")
        await pilot.pause()

        assert f"Why not {name}" in screen_text(app)
