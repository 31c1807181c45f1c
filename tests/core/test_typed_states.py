"""State names as attributes of a class."""

from __future__ import annotations

import pytest

import machine as am
from machine import State
from machine._schema.typed import GroupsBase, StatesBase, new_state_groups, new_states, state


class Basic(StatesBase):
    """A definition to inherit from."""

    ErrNetwork: str = state(require=am.EXCEPTION)
    Start: str = state()
    Ready: str = state(require=Start)


class Extra(StatesBase):
    """Another one."""

    Fast: str = state(multi=True, tags="speed")
    Start: str = state(after="Fast")
    Idle: str


class Mine(Basic, Extra):
    """A definition with two bases."""

    Foo: str = state(add=[Basic.Ready, "Bar"], remove=("Baz",))
    Bar: str = state(require=[Foo], after=Foo, auto=True)
    Baz: str


def test_attributes_are_their_own_names() -> None:
    """For the class and for an instance, own names and inherited ones."""
    ss = new_states(Mine)

    assert ss.Foo == Mine.Foo == "Foo"
    assert ss.Start == Mine.Start == "Start"
    assert ss.Exception == "Exception"
    assert isinstance(ss, Mine)


def test_names_come_in_order() -> None:
    """What a base lists stands where the base stands, `Exception` first; each name once."""
    assert StatesBase.names() == ["Exception"]
    assert Basic.names() == ["Exception", "ErrNetwork", "Start", "Ready"]
    assert new_states(Mine).names() == [
        "Exception",
        "ErrNetwork",
        "Start",
        "Ready",
        "Fast",
        "Idle",
        "Foo",
        "Bar",
        "Baz",
    ]


def test_names_are_copied() -> None:
    """Changing the list changes nothing."""
    Mine.names().clear()

    assert Mine.names()


def test_the_class_carries_the_schema() -> None:
    """Definitions are merged by Python's order of classes; bare names have no relations."""
    assert Mine.struct() == {
        "Exception": State(multi=True),
        "ErrNetwork": State(require="Exception"),
        "Start": State(),
        "Ready": State(require="Start"),
        "Fast": State(multi=True, tags="speed"),
        "Idle": State(),
        "Foo": State(add=("Ready", "Bar"), remove="Baz"),
        "Bar": State(require="Foo", after="Foo", auto=True),
        "Baz": State(),
    }
    assert list(Mine.struct()) == Mine.names()


def test_a_machine_is_made_of_it() -> None:
    """Schema and order of a states class fit a machine."""
    mach = am.Machine(None, Mine.struct())
    mach.verify_states(Mine.names())
    mach.add([Mine.Start, Mine.Foo])

    assert mach.is_([Mine.Bar, Mine.Ready])


def test_a_state_declared_again_moves_and_changes() -> None:
    """A new definition replaces the old one as a whole; a bare annotation only moves it."""

    class Changed(Basic):
        Ready: str = state(multi=True)
        ErrNetwork: str

    assert Changed.names() == ["Exception", "Start", "Ready", "ErrNetwork"]
    assert Changed.struct()["Ready"] == State(multi=True)
    assert Changed.struct()["ErrNetwork"] == State(require="Exception")
    assert Basic.struct()["Ready"] == State(require="Start")


def test_the_exception_state_can_be_defined() -> None:
    """Also through a second base, where the first only inherits it."""

    class Loud(StatesBase):
        Exception: str = state(multi=True, add="Alarm")
        Alarm: str

    class Both(Basic, Loud):
        pass

    assert Both.struct()["Exception"] == State(multi=True, add="Alarm")
    assert Both.names()[0] == "Exception"


def test_a_mixin_that_is_no_states_class_is_left_alone() -> None:
    """Other bases contribute nothing."""

    class Other:
        Foo: str = "else"

    class Mixed(Other, Basic):
        Bar: str

    assert Mixed.names() == [*Basic.names(), "Bar"]
    assert Mixed.struct()["Start"] == State()


def test_what_is_no_text_is_no_state() -> None:
    """Constants and private names may stand among states."""

    class Some(StatesBase):
        limit: int = 5
        _secret: str = "x"

    assert Some.names() == ["Exception"]
    assert Some.limit == 5


def test_a_state_must_be_annotated() -> None:
    """Without it the order of declarations would be lost."""
    with pytest.raises(TypeError, match=r"Bad\.Foo: write it as `Foo: str = state"):

        class Bad(StatesBase):
            Foo = state()


def test_a_state_has_no_other_value() -> None:
    """Its value is its name; the name itself may be written out."""
    with pytest.raises(TypeError, match=r"Bad\.Foo: the value of a state is its name"):

        class Bad(StatesBase):
            Foo: str = "Bar"

    class Good(StatesBase):
        Foo: str = "Foo"

    assert Good.names() == ["Exception", "Foo"]


def test_the_names_of_methods_are_taken() -> None:
    """A state called `names` would hide what gives the names."""
    with pytest.raises(TypeError, match=r"Bad\.names: a method has this name"):

        class Bad(StatesBase):
            names: str  # type: ignore[assignment]


class ConnectedGroups(GroupsBase):
    """One group."""

    Connected: list[str]


class MyGroups(ConnectedGroups):
    """One more."""

    Mine: list[str]


def test_groups_are_lists_of_names() -> None:
    """Given as keywords, each a list of its own."""
    states = ["A", "B"]
    groups = new_state_groups(ConnectedGroups(Connected=states))
    states.clear()

    assert groups.Connected == ["A", "B"]
    assert groups.names() == ["Connected"]
    assert MyGroups.names() == ["Connected", "Mine"]


def test_groups_are_completed_by_inherited_ones() -> None:
    """What the definition leaves out comes from the groups that are given along."""
    inherited = ConnectedGroups(Connected=("A", "B"))
    groups = new_state_groups(MyGroups(Mine="C"), inherited)
    groups.Connected.append("X")

    assert groups.Mine == ["C"]
    assert groups.Connected == ["A", "B", "X"]
    assert inherited.Connected == ["A", "B"]


def test_own_groups_win_over_inherited_ones() -> None:
    """A group that the definition gives stays as given."""
    inherited = ConnectedGroups(Connected="A")

    assert new_state_groups(ConnectedGroups(Connected="Z"), inherited).Connected == ["Z"]


def test_groups_may_be_plain_objects() -> None:
    """Any class whose annotations are groups will do, with its values as class attributes."""

    class Plain:
        Busy: list[str] = ["A"]  # noqa: RUF012 - what users may write
        Connected: list[str]

    groups = new_state_groups(Plain(), ConnectedGroups(Connected="B"))
    groups.Busy.append("Z")

    assert groups.Connected == ["B"]
    assert Plain.Busy == ["A"]


def test_a_group_without_states_is_an_error() -> None:
    """A group has to come from somewhere."""
    with pytest.raises(TypeError, match="MyGroups: no states for group Connected"):
        new_state_groups(MyGroups(Mine="C"))


def test_an_unknown_group_is_an_error() -> None:
    """A misspelled group is reported, with the nearest known one."""
    with pytest.raises(TypeError, match="ConnectedGroups has no group Conected") as caught:
        ConnectedGroups(Conected="A")
    assert str(caught.value).endswith("; did you mean Connected?")

    with pytest.raises(TypeError, match="ConnectedGroups has no group Zzz") as caught:
        ConnectedGroups(Zzz="A")
    assert "did you mean" not in str(caught.value)
