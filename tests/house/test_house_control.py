"""Views and the app use the debugger's control through one object, and only its own methods.

`Control` has a method for each thing that a user or a program does. A view that reached one
of its parts would depend on how control is built.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from am_dbg.control import Control

if TYPE_CHECKING:
    from tests.house.conftest import Source

PUBLIC = {
    "am_dbg.control",
    "am_dbg.control.comparison",
    "am_dbg.control.effects",
    "am_dbg.control.screen_view",
}
"""The modules of control that views and the app import."""

READ = {"keys", "notices", "focus", "message"}
"""What they read beside calling methods."""

NAMES = ("control", "_control")
"""The names under which a control object is known."""


def outside(sources: list[Source]) -> list[Source]:
    """The modules of the screen above control."""
    return [one for one in sources if one.path.startswith(("am_dbg/views/", "am_dbg/app.py"))]


def is_control(node: ast.AST) -> bool:
    """Whether an expression is a control object: `control`, `self.control`, `app.control`."""
    return (isinstance(node, ast.Name) and node.id in NAMES) or (
        isinstance(node, ast.Attribute) and node.attr in NAMES
    )


def uses(tree: ast.AST) -> Iterator[tuple[str, ast.Attribute]]:
    """The name and the expression of every attribute of a control object."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and is_control(node.value):
            yield node.attr, node


def behind(tree: ast.AST) -> list[str]:
    """The expressions that reach a part of control, or something of a part."""
    reached = {id(node) for _, node in uses(tree)}
    chains = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and id(node.value) in reached
    ]
    parts = [node for name, node in uses(tree) if name not in READ and not is_method(name)]
    return [ast.unparse(node) for node in [*chains, *parts]]


def is_method(name: str) -> bool:
    return not name.startswith("_") and callable(getattr(Control, name, None))


def private_imports(tree: ast.AST) -> list[str]:
    """The imports from modules of control that only control itself uses."""
    return [
        node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module
        if node.module.startswith("am_dbg.control") and node.module not in PUBLIC
    ]


def test_no_view_reaches_behind_control(sources: list[Source]) -> None:
    """Views and the app call methods of control; they touch none of its parts."""
    assert {one.path: found for one in outside(sources) if (found := behind(one.tree))} == {}


def test_no_view_imports_a_part_of_control(sources: list[Source]) -> None:
    """They import control, its effects and the value of the screen."""
    found = {one.path: names for one in outside(sources) if (names := private_imports(one.tree))}

    assert found == {}


@pytest.mark.parametrize(
    "code",
    [
        "control.modes.focus_on(pane)",
        "self.control.workspace.message = 'x'",
        "jump = app.control.jumps",
        "self._control.focus.value",
        "control._projector",
    ],
)
def test_a_step_behind_control_is_found(code: str) -> None:
    """A part is found in a chain, alone, and when it is assigned to."""
    assert behind(ast.parse(code))


@pytest.mark.parametrize("code", ["control.focus_on(pane)", "run(self.control.open_address)"])
def test_a_method_of_control_is_not_found(code: str) -> None:
    """Methods are called and passed on."""
    assert behind(ast.parse(code)) == []
