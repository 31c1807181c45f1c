"""Whatever names, labels and sources a program has, its machines are traced."""

from __future__ import annotations

import enum
import sys
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import pytest

import amtracer
import machine as am
from amtracer.wire.limits import INTEGER_MAX
from amtracer.wire.messages import Source, StateDef
from tests.wire.hostile import CALLED, Lazy, Name, trap
from tests.wire.tracing import FakeSender, recorded

STRUCT = {"M": am.State(multi=True)}


class Names(enum.StrEnum):
    HERE = "here"
    A = "A"
    B = "B"


@pytest.fixture(autouse=True)
def _not_paused() -> Iterator[None]:
    yield
    amtracer.resume()


def traced(struct: Any = STRUCT, **options: Any) -> tuple[am.Machine, FakeSender]:
    mach, caught = am.Machine(None, struct, **options), FakeSender()
    caught.trace(mach)
    return mach, caught


def all_plain(values: object) -> bool:
    """Whether no text in here is of a class of the program."""
    if isinstance(values, tuple):
        return all(all_plain(value) for value in values)
    return values is None or type(values) in (str, int, bool)


@pytest.mark.parametrize(("name", "text"), [(Names.HERE, "here"), (5, "5"), (("a",), "('a')")])
def test_ids_and_labels_become_plain_texts(name: Any, text: str) -> None:
    """A machine may have 5 for an id; one that a reader refuses would cost all others theirs."""
    tags: list[Any] = [Names.A, ("a", "b")]
    mach, caught = traced(id=name, parent_id=name, tags=tags)
    mach.add1("M")
    reader = recorded(caught.events)
    found = reader.machines[0]

    assert (found.id, found.parent, found.tags) == (text, text, ("A", "('a', 'b')"))
    assert all_plain((found.id, found.parent, found.tags))
    assert len(reader.transitions[0]) == 1


def test_names_of_states_become_plain_texts() -> None:
    """Members of an enumeration, and what relations and labels have in place of a text."""
    struct = {
        Names.A: am.State(add=[Names.B], remove=[5], tags=[6, Names.HERE]),  # type: ignore[list-item]
        Names.B: am.State(require=[Names.A], after=[Names.A]),
    }
    mach, caught = traced(struct, id="m")
    mach.add1("A")
    states = recorded(caught.events).schemas[0].states

    assert states[:2] == (
        StateDef("A", add=("B",), remove=("5",) if states[0].remove else (), tags=("6", "here")),
        StateDef("B", require=("A",), after=("A",)),
    )
    assert all(
        all_plain((one.name, one.require, one.add, one.remove, one.after, one.tags))
        for one in states
    )


class Event:
    """Stands in for the event of a machine elsewhere."""

    def __init__(self, source: Any) -> None:
        self.source = lambda: source


class Elsewhere(am.MutSource):
    mach_id = property(lambda self: 1 / 0)


def of(mach_id: Any, tx_id: Any, mach_time: Any) -> Callable[[], am.MutSource]:
    return lambda: am.MutSource(mach_id, tx_id, mach_time)


SOURCES: dict[str, tuple[Callable[[], Any], Source | None]] = {
    "plain": (of("m", "t", 3), Source("m", "t", 3)),
    "last time": (of("m", "t", INTEGER_MAX), Source("m", "t", INTEGER_MAX)),
    "late": (of("m", "t", INTEGER_MAX + 1), Source("m", "t", 0)),
    "early": (of("m", "t", -1), Source("m", "t", 0)),
    "truth": (of("m", "t", True), Source("m", "t", 0)),
    "lazy": (of("m", "t", Lazy()), Source("m", "t", 0)),
    "names": (of(Name("m"), Names.HERE, 3), Source("m", "here", 3)),
    "no names": (of(5, None, 3), Source("5", "None", 3)),
    "empty": (lambda: am.MutSource.__new__(am.MutSource), None),
    "mock": (mock.Mock, None),
    "posing": (lambda: mock.Mock(spec=am.MutSource), None),
    "proxy": (Lazy, None),
}
"""What a program passes as a source, and what is sent for it."""


@pytest.mark.parametrize("name", SOURCES)
def test_a_valid_source_is_sent(name: str) -> None:
    """What a program gives as a source becomes what a reader takes, or none."""
    make, shown = SOURCES[name]
    mach, caught = traced(id="x")
    mach.ev_add1(Event(make()), "M")  # type: ignore[arg-type]
    mach.add1("M")
    reader = recorded(caught.events)

    assert [one.source for one in reader.transitions[0]] == [shown, None]


def test_a_source_of_a_class_of_the_host_is_read_as_the_known_one() -> None:
    """Its own properties are not asked."""
    source = Elsewhere.__new__(Elsewhere)
    for name, value in (("mach_id", "m"), ("tx_id", "t"), ("mach_time", 3)):
        vars(am.MutSource)[name].__set__(source, value)
    mach, caught = traced(id="x")
    mach.ev_add1(Event(source), "M")  # type: ignore[arg-type]

    assert recorded(caught.events).transitions[0][0].source == Source("m", "t", 3)


def test_a_machine_may_have_no_hash() -> None:
    """A class with an equality of its own can be attached, paused and resumed."""

    class Equal(am.Machine):
        def __eq__(self, other: object) -> bool:
            raise AssertionError

        __hash__ = None  # type: ignore[assignment]

    mach, caught = Equal(None, STRUCT, id="m"), FakeSender()
    caught.trace(mach)
    mach.add1("M")
    amtracer.pause()
    mach.add1("M")
    amtracer.resume()
    mach.add1("M")
    reader = recorded(caught.events)

    assert len(reader.transitions[0]) == 2
    assert [gap.count for gap in reader.dropped] == [1]


def test_other_tracers_are_not_asked_what_they_are() -> None:
    """A tracer of the program may be a proxy; attaching again finds ours beside it."""

    class Guest(am.Tracer):
        gone = False

        @property  # type: ignore[misc]
        def __class__(self) -> Any:
            if self.gone:
                raise ReferenceError
            return Guest

    guest = Guest()
    mach, caught = traced(id="m")
    mach.bind_tracer(guest)
    Guest.gone = True
    caught.trace(mach)
    amtracer.pause(mach)
    amtracer.resume(mach)

    assert len(mach.tracers()) == 2


def test_a_dict_of_the_host_is_read_as_a_plain_one() -> None:
    """The machine asks for its length; the tracer asks nothing."""
    asking: set[str] = set()

    class Args(dict[str, object]):
        def __len__(self) -> int:
            asking.add(sys._getframe(1).f_globals["__name__"].partition(".")[0])
            return dict.__len__(self)

        items = keys = values = __iter__ = __getitem__ = trap("Args")

    mach, caught = traced(id="m")
    CALLED.clear()
    mach.add1("M", Args(a=1))

    assert recorded(caught.events).transitions[0][0].args == (("a", "1"),)
    assert (asking, CALLED) == ({"machine"}, [])
