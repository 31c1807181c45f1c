"""The protocol that code can ask for instead of a machine."""

from __future__ import annotations

import ast
import enum
import inspect
from itertools import pairwise

import pytest

import machine as am
from machine._machine import options


def offered() -> set[str]:
    """The names of the protocol."""
    return {
        name
        for part in am.MachineApi.__mro__
        if part.__module__ == am.MachineApi.__module__
        for name in vars(part)
        if not name.startswith("_")
    }


def summary(name: str, owner: type) -> str:
    """The first paragraph of the docstring of a method or property, as one line."""
    text = inspect.getdoc(inspect.getattr_static(owner, name)) or ""
    return " ".join(text.partition("\n\n")[0].split())


def needs_any_machine(mach: am.MachineApi) -> bool:
    return mach.is1("A")


def test_a_machine_has_everything_that_the_protocol_names() -> None:
    """What works on the protocol works on a machine."""
    assert {name for name in offered() if not hasattr(am.Machine, name)} == set()
    assert len(offered()) == 73


def test_a_machine_is_accepted_where_the_protocol_is_asked_for() -> None:
    """The type checker sees the same, since this file is checked too."""
    mach = am.Machine(None, {"A": am.State()})
    mach.add1("A")
    assert needs_any_machine(mach)


def test_the_protocol_explains_each_call_as_the_machine_does() -> None:
    """An editor shows the same sentence for both."""
    explained = {name: summary(name, am.MachineApi) for name in offered()}

    assert explained == {name: summary(name, am.Machine) for name in offered()}
    assert all(explained.values())


@pytest.mark.parametrize(
    "kind", [am.Result, am.MutationType, am.StepType, am.Relation, am.LogLevel]
)
def test_each_member_of_an_enum_is_explained(kind: type[enum.IntEnum]) -> None:
    """By a sentence below it, which editors show."""
    body = ast.parse(inspect.getsource(kind)).body[0]
    assert isinstance(body, ast.ClassDef)
    explained = {
        ast.unparse(member.targets[0])
        for member, text in pairwise(body.body)
        if isinstance(member, ast.Assign) and isinstance(text, ast.Expr)
    }

    assert explained == set(kind.__members__)


def test_every_result_is_true() -> None:
    """So a checker warns where one is used as a condition."""
    assert all(am.Result)


def test_each_option_is_explained() -> None:
    """By a sentence below it, with its unit or default."""
    kinds = ast.parse(inspect.getsource(options)).body
    fields = [
        (ast.unparse(field.target), isinstance(text, ast.Expr))
        for kind in kinds
        if isinstance(kind, ast.ClassDef)
        for field, text in pairwise([*kind.body, ast.Pass()])
        if isinstance(field, ast.AnnAssign)
    ]

    assert {name for name, _ in fields} == set(am.Opts.__annotations__)
    assert [name for name, is_explained in fields if not is_explained] == []
