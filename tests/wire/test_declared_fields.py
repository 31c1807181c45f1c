"""Typed arguments show the fields that their class declares, and no code of it runs."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import InitVar, dataclass, field
from types import SimpleNamespace
from typing import Any, ClassVar, NamedTuple

import pytest

import machine as am
from amtracer.safe_repr import declared_fields as module
from amtracer.safe_repr.arg_text import DEPTH_MAX, ITEMS_MAX, TEXT_CHARS_MAX, arg_text
from amtracer.safe_repr.declared_fields import declared_fields
from amtracer.send.events import ARGS
from tests.wire.hostile import CALLED, Lazy, derived, hostile, trap
from tests.wire.tracing import FakeSender, recorded


@dataclass
class LineArgs:
    text: str
    number: int = 7


@dataclass
class Longer(LineArgs):
    password: str = field(default="secret", repr=False)
    kind: ClassVar[str] = "shared"
    hint: InitVar[int] = 0
    inner: object = None


@dataclass(slots=True, frozen=True)
class Slotted:
    port: int


@dataclass(slots=True, frozen=True)
class MoreSlotted(Slotted):
    host: str = "here"


class Pair(NamedTuple):
    left: str
    right: object = None


class Plain:
    __slots__ = ("_private", "first", "second", "unset")

    def __init__(self) -> None:
        self.second, self.first, self._private = 2, 1, 0


class Mixed(Plain):
    own: str

    def __init__(self) -> None:
        super().__init__()
        self.own, self.more = "x", "not declared"  # type: ignore[assignment]


class Bag:
    def __init__(self) -> None:
        self.password = "secret"


@dataclass
class Nothing:
    pass


SHOWN: list[tuple[Callable[[], object], str]] = [
    (lambda: LineArgs("hi"), "LineArgs(text='hi', number=7)"),
    (lambda: Longer("hi", inner=LineArgs("x")), None),  # type: ignore[list-item]
    (lambda: Slotted(80), "Slotted(port=80)"),
    (lambda: MoreSlotted(80), "MoreSlotted(port=80, host='here')"),
    (lambda: Pair("a", Pair("b")), "Pair(left='a', right=Pair(left='b', right=None))"),
    (Plain, "Plain(first=1, second=2)"),
    (Mixed, "Mixed(first=1, second=2, own='x')"),
    (Bag, "<Bag>"),
    (Nothing, "Nothing()"),
    (lambda: [LineArgs("hi")], "[LineArgs(text='hi', number=7)]"),
    (lambda: {"a": Slotted(1)}, "{'a': Slotted(port=1)}"),
    (lambda: SimpleNamespace(a=1), "<SimpleNamespace>"),
    (lambda: LineArgs, "<class LineArgs>"),
]


@pytest.mark.parametrize(("make", "text"), SHOWN)
def test_declared_fields_are_shown(make: Callable[[], object], text: str | None) -> None:
    """In the order of the class, inherited ones first; what is not declared is not shown."""
    if text is None:
        text = "Longer(text='hi', number=7, inner=LineArgs(text='x', number=7))"
    assert arg_text(make()) == text


def test_an_argument_is_sent_with_its_fields() -> None:
    """The documented form of typed arguments reaches a reader, through the hooks of the program."""
    mach, caught = am.Machine(None, {"M": am.State(multi=True)}), FakeSender()
    caught.trace(mach, redact=lambda text: text.replace("hi", "***"))
    mach.add1("M", am.pass_(LineArgs("hi")))
    mach.add1("M", {"pair": Pair("hi")})

    assert caught.transitions()[0][ARGS:][1] == "LineArgs(text='hi', number=7)"
    shown = [transition.args for transition in recorded(caught.events).transitions[0]]
    assert [args[0][1] for args in shown] == [
        "LineArgs(text='***', number=7)",
        "Pair(left='***', right=None)",
    ]


# Limits.


def test_objects_within_each_other_are_shown_as_deep_as_containers() -> None:
    """One that contains itself ends like any other."""
    around = Pair("x", [])
    around.right.append(around)  # type: ignore[attr-defined]
    deep = LineArgs("x")
    for _ in range(DEPTH_MAX + 2):
        deep = Longer("x", inner=deep)

    assert arg_text(around).count("Pair(") == 2
    assert arg_text(deep).endswith("Longer(…))))") or arg_text(deep).endswith("…")
    assert arg_text(Pair("a", Pair("b", Pair("c", Pair("d"))))) == (
        "Pair(left='a', right=Pair(left='b', right=Pair(left='c', right=Pair(…))))"
    )


def test_many_fields_are_counted() -> None:
    """As many are shown as of a container; the rest is a number."""
    kind = dataclass(type("Wide", (), {"__annotations__": {f"f{at}": int for at in range(20)}}))
    shown = arg_text(kind(*range(20)))

    assert shown.count("=") == ITEMS_MAX
    assert shown.endswith(f"… {20 - ITEMS_MAX} more)")
    assert len(arg_text(LineArgs("x" * 10_000))) <= TEXT_CHARS_MAX


def test_classes_that_are_gone_are_forgotten() -> None:
    """The cache of classes is bounded, and keeps none of them alive."""
    for _ in range(2 * module._CLASSES_MAX):
        arg_text(type("Made", (), {"__slots__": ("a",)})())

    assert len(module._known) <= module._CLASSES_MAX
    assert declared_fields(LineArgs) is declared_fields(LineArgs)


# Classes of a host that would run code.


class Loud(type):
    """A metaclass that calls its program for everything."""

    __hash__ = __eq__ = __getattribute__ = __instancecheck__ = trap("meta")  # type: ignore[assignment]


def shadowed() -> object:
    """Properties hide where the values are."""

    class Host:
        __slots__ = ("__dict__", "_x", "text")
        number: int

    spaces = dict(vars(Host))

    class Derived(Host, metaclass=Loud):
        text = property(trap("text"))  # type: ignore[assignment]
        number = property(trap("number"))  # type: ignore[assignment]
        __dict__ = property(trap("__dict__"))  # type: ignore[assignment]
        __class__ = property(trap("__class__"))  # type: ignore[assignment]
        __getattribute__ = __getattr__ = __repr__ = __str__ = trap("get")  # type: ignore[assignment]
        __hash__ = __eq__ = __len__ = __iter__ = __bool__ = trap("other")  # type: ignore[assignment]

    made: object = object.__new__(Derived)
    spaces["text"].__set__(made, "hi")
    spaces["__dict__"].__get__(made)["number"] = 1
    return made


class Key(str):
    """A name that asks its program whether it is another."""

    __slots__ = ()
    __eq__ = trap("key")  # type: ignore[assignment]

    def __hash__(self) -> int:
        return str.__hash__(self)


def with_odd_keys() -> object:
    """Own values and declarations under names of the program."""
    made = LineArgs("hi")
    own = vars(made)
    own.clear()
    own[Key("text")] = "of the host"
    own["number"] = 3
    return made


def with_odd_declarations() -> object:
    space: dict[str, Any] = {
        Key("__dataclass_fields__"): Lazy(),
        "__annotations__": {Key("a"): 1, "b": 2},
        "__attrs_attrs__": Lazy(),
        "model_fields": [1],
        "__pydantic_fields__": {"c": Lazy(), Key("d"): Lazy()},
    }
    made = type("Odd", (), space)()
    made.c = 1
    return made


def with_odd_slots() -> object:
    class Odd:
        __slots__ = {"a": "a word about it"}

        def __init__(self) -> None:
            self.a = 1

    return Odd()


def claiming() -> object:
    """A class that says it is derived from one with fields."""

    class Meta(type):
        def mro(cls) -> list[type]:
            return [cls, LineArgs, object]

    return Meta("Host", (), {"__new__": object.__new__, "__init__": object.__init__})()


def shared_dict() -> object:
    made = LineArgs("hi")
    made.__dict__ = derived(dict, {"text": "x", "number": 1})
    return made


HOSTILE: list[tuple[Callable[[], object], str]] = [
    (shadowed, "Derived(text='hi', number=1)"),
    (with_odd_keys, "LineArgs(number=3)"),
    (with_odd_declarations, "Odd(c=1)"),
    (with_odd_slots, "Odd(a=1)"),
    (claiming, "<Host>"),
    (shared_dict, "LineArgs(text='x', number=1)"),
]


@pytest.mark.parametrize(("make", "text"), HOSTILE)
def test_nothing_of_a_host_is_called_for_fields(make: Callable[[], object], text: str) -> None:
    """Properties, metaclasses, `__dict__` and odd names are passed by."""
    value = make()
    CALLED.clear()

    assert (arg_text(value), CALLED) == (text, [])
    assert (arg_text({"a": [value]}), CALLED) == (f"{{'a': [{text}]}}", [])


@pytest.mark.parametrize("base", [LineArgs, Slotted, Plain, Bag])
def test_a_class_derived_from_one_with_fields_is_not_called(base: type) -> None:
    """Whatever it has by any name."""
    value = derived(base, *([1] if base in (LineArgs, Slotted) else []))
    texts = {LineArgs: "Host(text=1, number=7)", Slotted: "Host(port=1)"}
    texts[Plain], texts[Bag] = "Host(first=1, second=2)", "<Host>"

    with hostile(value):
        shown = arg_text(value)

    assert (shown, CALLED) == (texts[base], [])


# Classes of other packages, as they leave them.


class Attribute:
    """As attrs describes a field."""

    __slots__ = ("name", "repr")

    def __init__(self, name: str, repr: bool = True) -> None:
        self.name, self.repr = name, repr


def attrs_like() -> object:
    attributes = type("ConnArgsAttributes", (tuple,), {})(
        [Attribute("addr"), Attribute("token", repr=False), Attribute("port")]
    )
    kind = type("ConnArgs", (), {"__attrs_attrs__": attributes})
    made = kind()
    vars(made).update(addr="here", token="secret", port=1)
    return made


def pydantic_like(name: str) -> object:
    fields = {"addr": Attribute("addr"), "token": Attribute("token", repr=False)}
    kind = type("ConnArgs", (), {"__slots__": ("__dict__", "__pydantic_extra__"), name: fields})
    made = kind()
    vars(made).update(addr="here", token="secret")
    return made


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (attrs_like, "ConnArgs(addr='here', port=1)"),
        (lambda: pydantic_like("__pydantic_fields__"), "ConnArgs(addr='here')"),
        (lambda: pydantic_like("model_fields"), "ConnArgs(addr='here')"),
    ],
)
def test_fields_of_other_packages_are_shown(make: Callable[[], object], text: str) -> None:
    """Fields with `repr=False` are left out."""
    assert arg_text(make()) == text


def test_real_classes_of_attrs_are_shown() -> None:
    """With slots, as they come, and inherited."""
    attrs = pytest.importorskip("attrs")

    @attrs.define
    class Base:
        addr: str

    @attrs.define
    class ConnArgs(Base):
        port: int = 1
        token: str = attrs.field(default="secret", repr=False)

    assert arg_text(ConnArgs("here")) == "ConnArgs(addr='here', port=1)"


def test_real_classes_of_pydantic_are_shown() -> None:
    """Their values lie in a dictionary that the class has as a slot."""
    pydantic = pytest.importorskip("pydantic")

    class ConnArgs(pydantic.BaseModel):  # type: ignore[misc, name-defined]
        addr: str
        port: int = 1

    assert arg_text(ConnArgs(addr="here")) == "ConnArgs(addr='here', port=1)"


# Values of this library.


class Color(enum.Enum):
    RED = 1


def test_values_of_the_machine_are_readable() -> None:
    """What the library itself passes, and what programs pass on of it."""
    seen: dict[str, str] = {}
    mach = am.Machine(None, {"A": am.State(), "Exception": am.State(multi=True)}, id="worker")

    def fail(e: am.Event) -> None:
        seen["event"] = arg_text(e)
        raise ValueError("no")

    def note(e: am.Event) -> None:
        seen["panic"] = arg_text(e.args["panic"])
        seen["transition"] = arg_text(e.transition())

    mach.bind_handlers({"AState": fail, "ExceptionState": note})
    mach.add1("A")

    assert seen["event"] == "Event(name='AState', machine=Machine(_id='worker'))"
    assert seen["panic"].startswith("Panic(handler='AState', type=MutationType.ADD")
    assert seen["transition"] == "Transition(number=2)"
    assert arg_text(mach.time()) == "Time([2, 1])"
    assert arg_text(am.Time(range(100))).endswith("… 68 more])")
    assert arg_text(type("Mine", (am.Machine,), {})(None, {}, id="x")) == "Mine(_id='x')"
    assert arg_text(am.MutSource("m", "t1", 3)) == "MutSource(mach_id='m', mach_time=3, tx_id='t1')"
    assert arg_text(am.AT(called_states=["A"])).startswith("AT(err=None, panic=None")
