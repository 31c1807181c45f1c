"""What tests of control share: pressing keys and snapshot somewhere."""

from __future__ import annotations

from am_dbg.control import Control
from am_dbg.projection.states_tree import TreeSpot


def number(control: Control) -> int:
    assert control.workspace.cursor is not None
    return control.workspace.cursor.number


def do(control: Control, *actions: str) -> Control:
    for action in actions:
        control.press(action)
        control.project(160, 45)
    return control


def at(control: Control, number: int) -> Control:
    control.navigation.to_number(number)
    return control


def on_state(control: Control, name: str) -> Control:
    control.modes.chose_state()
    control.workspace.selected_state = TreeSpot(name)
    return control
