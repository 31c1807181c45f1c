"""Errors of submachines: they reach the functions of a parent, if it asks for them."""

from __future__ import annotations

import gc

import pytest

import machine as am

Heard = list[tuple[str, str]]


@pytest.fixture
def root() -> am.Machine:
    """The machine above all others."""
    return am.Machine(None, {"A": am.State()}, id="root")


def below(parent: am.Machine, id: str) -> am.Machine:
    """A submachine."""
    return am.Machine(None, {"A": am.State()}, id=id, parent=parent)


def listen(mach: am.Machine, heard: Heard, *, submachines: bool = True) -> None:
    """Note the machine and the text of each error."""
    mach.on_error(lambda one, error: heard.append((one.id, str(error))), submachines=submachines)


def test_a_function_is_called_for_machines_below(root: am.Machine) -> None:
    """A function is called for children and their children, whenever these were made."""
    heard: Heard = []
    early = below(root, "early")
    listen(root, heard)
    late = below(below(root, "middle"), "late")

    early.add_err(ValueError("one"))
    late.bind_handlers({"AState": lambda _: {}["two"]})
    late.add1("A")
    root.add_err(ValueError("three"))

    assert heard == [("early", "one"), ("late", "'two'"), ("root", "three")]


def test_without_asking_it_is_called_for_its_own_machine_only(root: am.Machine) -> None:
    """A function without `submachines` is not called for other machines."""
    heard: Heard = []
    listen(root, heard, submachines=False)
    below(root, "child").add_err(ValueError("one"))

    assert heard == []


def test_own_functions_come_first(root: am.Machine) -> None:
    """The functions of the machine are called first, then those of its parents, upwards."""
    order: list[str] = []
    middle = below(root, "middle")
    child = below(middle, "child")
    for mach in (root, middle, child):
        mach.on_error(lambda _, __, id=mach.id: order.append(id), submachines=True)  # type: ignore[misc]
    child.add_err(ValueError())

    assert order == ["child", "middle", "root"]


def test_a_decorator_with_arguments(root: am.Machine) -> None:
    """`on_error(submachines=True)` decorates a function, which stays as it is."""
    heard: list[str] = []

    @root.on_error(submachines=True)
    def note(mach: am.Machine, error: BaseException) -> None:
        heard.append(mach.id)

    below(root, "child").add_err(ValueError())
    note(root, ValueError())

    assert heard == ["child", "root"]


def test_the_functions_of_a_disposed_parent_are_not_called(root: am.Machine) -> None:
    """Those of the machines above it still are."""
    heard: Heard = []
    upper: Heard = []
    middle = below(root, "middle")
    child = below(middle, "child")
    listen(middle, heard)
    listen(root, upper)
    middle.dispose_force()
    child.add_err(ValueError("one"))

    assert heard == []
    assert upper == [("child", "one")]


def test_a_child_does_not_keep_its_parent() -> None:
    """The functions of a collected parent are not called, and its child goes on."""
    heard: Heard = []
    parent = am.Machine(None, {}, id="parent")
    listen(parent, heard)
    child = below(parent, "child")
    del parent
    gc.collect()

    assert child.add_err(ValueError("one")) is am.Result.EXECUTED
    assert heard == []


def test_a_function_may_pass_the_error_on_to_its_parent(root: am.Machine) -> None:
    """An error of a submachine that is added to the parent is an error of the parent as well."""
    heard: Heard = []

    @root.on_error(submachines=True)
    def pass_on(mach: am.Machine, error: BaseException) -> None:
        heard.append((mach.id, str(error)))
        if mach is not root:
            root.add_err(error)

    below(root, "child").add_err(ValueError("one"))

    assert heard == [("child", "one"), ("root", "one")]
    assert root.is_err()


def test_an_error_that_a_parents_function_adds_is_only_logged(
    root: am.Machine, caplog: pytest.LogCaptureFixture
) -> None:
    """An error about an error is logged, also if a function of a parent reports it."""
    root.on_error(lambda mach, _: mach.add_err(ValueError("again")), submachines=True)
    child = below(root, "child")
    child.add_err(ValueError("one"))

    assert str(child.err) == "one"
    assert "again" in caplog.text


def test_asking_is_yes_or_no(root: am.Machine) -> None:
    """The option is checked."""
    with pytest.raises(TypeError, match="submachines is True or False"):
        root.on_error(print, submachines="yes")  # type: ignore[call-overload]
