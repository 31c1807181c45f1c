"""What machines with handlers of one class share, and what each has for itself."""

from __future__ import annotations

import functools
import gc
import weakref
from collections.abc import Callable
from typing import Any

import pytest

import machine as am
from machine._handlers import kinds, lookup, names
from machine._handlers.bound import AskedBinding, KnownBinding
from machine._handlers.calls import HandlerCall
from machine._machine import binding

STATES = ("A", "B")
Seen = list[str]


@pytest.fixture
def struct() -> dict[str, am.State]:
    """Two states in a schema that no other test has used."""
    schema = am.Machine(None, {name: am.State() for name in STATES})._schema
    schema.kinds.clear()
    for automaton in schema.automata.values():
        automaton.layouts.clear()  # type: ignore[attr-defined]
    return {name: am.State() for name in STATES}


class Handlers:
    """Handlers that note their calls."""

    def __init__(self) -> None:
        self.seen: Seen = []

    def AEnter(self, e: am.Event) -> bool:
        """Note the call, and agree."""
        self.seen.append("AEnter")
        return True

    def AState(self, e: am.Event) -> None:
        """Note the call."""
        self.seen.append("AState")


def bound(struct: dict[str, am.State], *objects: object, **options: Any) -> am.Machine:
    """A machine with these handlers."""
    mach = am.Machine(None, struct, **options)
    for one in objects:
        mach.bind_handlers(one)
    return mach


def toggle(mach: am.Machine, times: int = 1) -> None:
    """Activate and deactivate the first state."""
    for _ in range(times):
        mach.add1("A")
        mach.remove1("A")


def kind_in(mach: am.Machine) -> kinds.Kind:
    """The kind of the only object of a machine."""
    (item,) = mach._bindings.items
    assert isinstance(item, KnownBinding)
    return item.kind


def is_asked(mach: am.Machine) -> bool:
    """Whether the only object of a machine is asked for each handler."""
    (item,) = mach._bindings.items
    return isinstance(item, AskedBinding)


def test_a_class_is_checked_once(
    struct: dict[str, am.State], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The checks of binding have the same outcome for each object of it."""
    checked: list[object] = []
    monkeypatch.setattr(binding, "check_handlers", lambda one, *_, **__: checked.append(one))
    objects = [Handlers() for _ in range(5)]
    bound(struct, *objects)

    assert checked[0] is objects[0]
    assert len(checked) == 1


def test_machines_with_handlers_of_one_class_share_their_calls(
    struct: dict[str, am.State], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which handlers a plan calls is found once, and each machine calls its own object."""
    made: list[HandlerCall] = []
    plain = HandlerCall.__init__

    def counted(call: HandlerCall, *given: Any) -> None:
        made.append(call)
        plain(call, *given)

    monkeypatch.setattr(HandlerCall, "__init__", counted)
    objects = [Handlers() for _ in range(10)]
    for one in objects:
        toggle(bound(struct, one))

    assert len(made) == 2
    assert all(one.seen == ["AEnter", "AState"] for one in objects)


def test_objects_of_several_classes_are_called_in_order(struct: dict[str, am.State]) -> None:
    """Also in another order on another machine, and one object twice."""
    seen: Seen = []

    class Other:
        def AState(self, e: am.Event) -> None:
            seen.append("other")

    class One:
        def AState(self, e: am.Event) -> None:
            seen.append("one")

    toggle(bound(struct, One(), Other()))
    toggle(bound(struct, Other(), One()))
    same = One()
    toggle(bound(struct, same, Other(), same))

    assert seen == ["one", "other", "other", "one", "one", "other", "one"]


def test_a_function_that_is_replaced_in_its_class_is_called(struct: dict[str, am.State]) -> None:
    """By machines that have not needed it yet; others keep the one they have."""
    seen: Seen = []

    class Own(Handlers):
        pass

    first, second = bound(struct, Own()), bound(struct, Own())
    toggle(first)
    Handlers.AState, kept = lambda self, e: seen.append("new"), Handlers.AState  # type: ignore[method-assign]
    try:
        toggle(first)
        assert seen == []
        toggle(second)
        assert seen == ["new"]
    finally:
        Handlers.AState = kept  # type: ignore[method-assign]


def test_a_handler_that_its_class_gets_later_is_found_at_the_next_binding(
    struct: dict[str, am.State],
) -> None:
    """Which handlers there are is fixed at binding."""
    seen: Seen = []

    class Own(Handlers):
        pass

    before = bound(struct, Own())
    Own.BState = lambda self, e: seen.append("BState")  # type: ignore[attr-defined]
    after = bound(struct, Own())
    before.add1("B")
    assert seen == []

    after.add1("B")
    assert seen == ["BState"]


def test_a_handler_that_its_class_lost_is_not_called(struct: dict[str, am.State]) -> None:
    """Neither of objects that were bound before and not needed yet, nor of later ones."""

    class Own:
        def AState(self, e: am.Event) -> None:
            raise AssertionError

        def BState(self, e: am.Event) -> None:
            """Do nothing."""

    before = bound(struct, Own())
    del Own.AState
    after = bound(struct, Own())

    assert before.add1("A") is after.add1("A") is am.Result.EXECUTED
    assert is_asked(before)


def test_a_class_that_gets_other_bases_has_other_handlers(struct: dict[str, am.State]) -> None:
    """Also if these have as many names."""
    seen: Seen = []

    class First:
        def AState(self, e: am.Event) -> None:
            seen.append("first")

    class Second:
        def BState(self, e: am.Event) -> None:
            seen.append("second")

    class Own(First):
        pass

    bound(struct, Own()).add(STATES)
    Own.__bases__ = (Second,)
    bound(struct, Own()).add(STATES)

    assert seen == ["first", "second"]


@pytest.mark.parametrize("value", [None, "handler"])
def test_an_attribute_of_the_object_wins_over_its_class(
    struct: dict[str, am.State], value: object
) -> None:
    """None takes the handler away; other objects of the class are as before."""
    seen: Seen = []
    usual, other = Handlers(), Handlers()
    toggle(bound(struct, usual))
    other.AState = None if value is None else lambda e: seen.append("own")  # type: ignore[method-assign,assignment]
    mach = bound(struct, other)
    toggle(mach)

    assert is_asked(mach)
    assert other.seen == ["AEnter"]
    assert seen == ([] if value is None else ["own"])
    last = Handlers()
    toggle(bound(struct, last))
    assert last.seen == ["AEnter", "AState"]


def test_an_object_alone_with_own_handlers_is_asked_from_the_first_on(
    struct: dict[str, am.State],
) -> None:
    """Its class has no kind then; the next object makes one."""
    seen: Seen = []
    own, usual = Handlers(), Handlers()
    own.BState = lambda e: seen.append("BState")  # type: ignore[attr-defined]
    bound(struct, own).add1("B")
    toggle(bound(struct, usual))

    assert seen == ["BState"]
    assert usual.seen == ["AEnter", "AState"]


def test_attributes_that_mean_nothing_change_nothing(
    struct: dict[str, am.State], monkeypatch: pytest.MonkeyPatch
) -> None:
    """New ones are looked at once; those that are known go unlooked, up to a limit."""
    monkeypatch.setattr(kinds, "KNOWN_MAX", 4)
    machines = []
    for number in range(10):
        one = Handlers()
        vars(one)[f"count{number}"] = vars(one)["LIMIT"] = number
        machines.append(bound(struct, one))
        toggle(machines[-1])
        assert one.seen == ["AEnter", "AState"]
    (kind,) = {kind_in(mach) for mach in machines}

    assert isinstance(kind, kinds.ClassKind)
    assert len(kind._harmless) <= 4


def test_a_misspelled_attribute_is_refused_on_a_known_class(struct: dict[str, am.State]) -> None:
    """It is looked at, since its name looks like a handler's."""
    bound(struct, Handlers())
    wrong = Handlers()
    wrong.AStat = lambda e: None  # type: ignore[attr-defined]

    with pytest.raises(am.errors.HandlerNameError, match="AStat"):
        bound(struct, wrong)


def test_objects_without_own_attributes_have_a_kind(struct: dict[str, am.State]) -> None:
    """Slots that are no handlers do no harm; those that are make the object be asked."""
    seen: Seen = []

    class Slotted:
        __slots__ = ("count",)

        def AState(self, e: am.Event) -> None:
            seen.append("AState")

    class Held:
        __slots__ = ("BState",)

    held = Held()
    held.BState = lambda e: seen.append("BState")  # type: ignore[attr-defined]
    bound(struct, Slotted(), Slotted()).add1("A")
    bound(struct, held).add1("B")

    assert seen == ["AState", "AState", "BState"]


def _seen_by(seen: Seen, name: str) -> Callable[..., None]:
    return lambda *_: seen.append(name)


def test_handlers_that_are_no_plain_functions_are_asked_for(struct: dict[str, am.State]) -> None:
    """Properties, partial methods, and objects made on demand."""
    seen: Seen = []

    class Property:
        @property
        def AState(self) -> Callable[..., None]:
            return _seen_by(seen, "property")

    class Partial:
        def note(self, name: str, e: am.Event) -> None:
            seen.append(name)

        AState = functools.partialmethod(note, "partial")

    class OnDemand:
        def __getattr__(self, name: str) -> Callable[..., None]:
            if name == "AState":
                return _seen_by(seen, "on demand")
            raise AttributeError(name)

    for one in (Property(), Partial(), OnDemand()):
        for _ in range(2):
            mach = bound(struct, one)
            mach.add1("A")
            assert is_asked(mach)

    assert seen == ["property"] * 2 + ["partial"] * 2 + ["on demand"] * 2


def test_static_and_class_methods_may_be_handlers(struct: dict[str, am.State]) -> None:
    """They are taken from the object, like methods."""
    seen: Seen = []

    class Own:
        @staticmethod
        def AState(e: am.Event) -> None:
            seen.append("static")

        @classmethod
        def BState(cls, e: am.Event) -> None:
            seen.append(cls.__name__)

    mach = bound(struct, Own())
    mach.add(STATES)

    assert not is_asked(mach)
    assert seen == ["static", "Own"]


def test_names_with_dots_are_found(struct: dict[str, am.State]) -> None:
    """A dot in a state's name is no path of attributes."""
    seen: Seen = []
    body = {"a.bState": lambda self, e: seen.append("dotted")}
    mach = bound({"a.b": am.State()}, type("Dotted", (), body)())

    mach.add1("a.b")

    assert seen == ["dotted"]


def test_decorated_handlers_have_a_kind(struct: dict[str, am.State]) -> None:
    """Each object is called for its own, by meaning; those of unknown states do not matter."""

    class Own:
        def __init__(self) -> None:
            self.seen: Seen = []

        @am.on("A", "State")
        @am.on("Gone", "State")
        def it_began(self, e: am.Event) -> None:
            self.seen.append("it began")

    objects = [Own(), Own()]
    for one in objects:
        mach = bound(struct, one)
        toggle(mach)
        assert not is_asked(mach)

    assert [one.seen for one in objects] == [["it began"], ["it began"]]


def test_a_decorated_handler_that_is_no_function_is_asked_for(struct: dict[str, am.State]) -> None:
    """A callable object may be decorated as well."""
    seen: Seen = []

    class Note:
        def __call__(self, e: am.Event) -> None:
            seen.append("called")

    class Own:
        note = am.on("A", "State")(Note())

    toggle(bound(struct, Own()))

    assert seen == ["called"]


# -- dicts


def test_dicts_with_the_same_keys_share_their_calls(struct: dict[str, am.State]) -> None:
    """Each machine calls the functions of its own dict."""
    seen: Seen = []
    machines = [bound(struct, {"AState": _seen_by(seen, name)}) for name in "xyz"]
    for mach in machines:
        toggle(mach)

    assert seen == ["x", "y", "z"]
    assert len({kind_in(mach) for mach in machines}) == 1
    assert len({id(mach._bindings.programs) for mach in machines}) == 1


def test_the_order_of_keys_does_not_mix_up_functions(struct: dict[str, am.State]) -> None:
    """Dicts with the same keys in another order are of another kind."""
    seen: Seen = []
    names = ("AState", "BState")
    bound(struct, {name: _seen_by(seen, name) for name in names}).add(STATES)
    bound(struct, {name: _seen_by(seen, name) for name in reversed(names)}).add(STATES)

    assert seen == ["AState", "BState"] * 2


def test_a_key_that_is_added_later_is_no_handler(struct: dict[str, am.State]) -> None:
    """Which handlers there are is fixed at binding; binding again finds it."""
    seen: Seen = []
    handlers: dict[str, Callable[..., None]] = {"AState": _seen_by(seen, "A")}
    mach = bound(struct, handlers)
    handlers["BState"] = _seen_by(seen, "B")
    mach.add1("B")
    assert seen == []

    mach.detach_handlers(handlers)
    mach.bind_handlers(handlers)
    mach.remove1("B")
    mach.add1("B")
    assert seen == ["B"]


def test_a_key_that_is_gone_before_it_is_needed_is_no_handler(struct: dict[str, am.State]) -> None:
    """The dict is asked for what it has."""
    handlers = {"AState": print, "BState": print}
    mach = bound(struct, handlers)
    del handlers["AState"]

    assert mach.add1("A") is am.Result.EXECUTED
    assert is_asked(mach)


def test_functions_of_a_known_kind_of_dict_are_checked(struct: dict[str, am.State]) -> None:
    """By their code, so other functions under the same names are refused if they are wrong."""

    async def wait(e: am.Event) -> bool:
        return True

    bound(struct, {"AEnter": lambda e: True})

    with pytest.raises(TypeError, match="has to take the event"):
        bound(struct, {"AEnter": lambda: True})
    with pytest.raises(TypeError, match="coroutine"):
        bound(struct, {"AEnter": wait})
    with pytest.raises(TypeError, match="has to take the event"):
        bound(struct, {"AEnter": lambda e, *, missing: True})


def test_a_value_that_is_no_function_is_no_handler(struct: dict[str, am.State]) -> None:
    """None under a handler's name is passed over, also after a dict with a function."""
    bound(struct, {"AState": lambda e: None})
    mach = bound(struct, {"AState": None})

    assert mach.add1("A") is am.Result.EXECUTED
    assert is_asked(mach)


def test_dicts_may_have_keys_that_are_no_text(struct: dict[str, am.State]) -> None:
    """Only their text keys can be handlers; such a dict is asked."""
    seen: Seen = []
    mach = bound(struct, {"AState": _seen_by(seen, "A"), 3: None})
    mach.add1("A")

    assert seen == ["A"]
    assert is_asked(mach)


def test_known_functions_of_dicts_have_a_limit(
    struct: dict[str, am.State], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Past it they are checked again."""
    monkeypatch.setattr(kinds, "KNOWN_MAX", 3)
    for number in range(8):
        made: dict[str, Any] = {}
        exec(f"def handler(e): return {number}", made)
        mach = bound(struct, {"AState": made["handler"]})
        kind = kind_in(mach)
        assert isinstance(kind, kinds.DictKind)
        assert len(kind._known) <= 3


# -- names with two meanings, and unknown states


def test_a_strict_machine_refuses_a_known_class_with_an_ambiguous_name(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Others were warned once, and go on."""
    states = {"Start": am.State(), "End": am.State()}

    class Own:
        def StartEnd(self, e: am.Event) -> None:
            """Of two meanings."""

    bound(states, Own(), Own())
    assert caplog.text.count("StartEnd of Own") == 1

    with pytest.raises(am.errors.AmbiguousHandlerError):
        bound(states, Own(), strict=True)


def test_handlers_of_unknown_states_are_refused_on_demand(
    struct: dict[str, am.State], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if the class is known."""

    class Own:
        def ElsewhereState(self, e: am.Event) -> None:
            """Of a state that is not here."""

    bound(struct, Own())

    with pytest.raises(am.errors.StateMissingError):
        bound(struct, Own(), detect_eval=True)
    monkeypatch.setenv("AM_DEBUG", "1")
    with pytest.raises(am.errors.StateMissingError):
        bound(struct, Own())


# -- lives


def test_objects_and_classes_are_freed(struct: dict[str, am.State]) -> None:
    """Neither a schema nor what machines share keeps them."""

    class Base:
        pass

    def use() -> list[weakref.ref[Any]]:
        class Own(Base):
            def AState(self, e: am.Event) -> None:
                """Refer to the class."""
                assert isinstance(self, Own)

            @am.on("B", "State")
            def later(self, e: am.Event) -> None:
                """Refer to the class as well."""
                assert isinstance(self, Own)

        one = Own()
        mach = bound(struct, one)
        toggle(mach, 40)
        return [weakref.ref(one), weakref.ref(Own), weakref.ref(mach)]

    found = use()
    schema = am.Machine(None, struct)._schema
    gc.collect()

    assert [one() for one in found] == [None] * 3
    assert schema.kinds == {}


def test_classes_made_in_functions_take_no_memory_without_end(struct: dict[str, am.State]) -> None:
    """Kinds and layouts have a limit, with living classes too."""
    seen: Seen = []
    alive = []
    for number in range(200):
        body = {"AState": lambda self, e: seen.append("!")}
        own = type("Own", (), body)
        if number % 2:
            alive.append(own)
        bound(struct, own()).add1("A")
    mach = bound(struct, alive[0]())
    mach.add1("A")

    assert len(seen) == 201
    assert len(mach._schema.kinds) <= kinds.KINDS_MAX
    assert len(mach._node.automaton.layouts) <= lookup.LAYOUTS_MAX


def test_threads_may_bind_and_run_at_once(
    struct: dict[str, am.State], in_threads: Callable[..., None]
) -> None:
    """With one class, and with classes of their own."""

    def work() -> None:
        for _ in range(30):

            class Own(Handlers):
                pass

            for make in (Own, Handlers):
                one = make()
                toggle(bound(struct, one), 3)
                assert one.seen == ["AEnter", "AState"] * 3

    in_threads(*[work] * 4)


def test_after_a_change_of_schema_the_handlers_of_new_states_are_found(
    struct: dict[str, am.State],
) -> None:
    """An object gets the kind of its class there; a machine of the old schema keeps its own."""
    seen: Seen = []

    class Own(Handlers):
        def CState(self, e: am.Event) -> None:
            seen.append("CState")

    mach, stays = bound(struct, Own()), bound(struct, Own())
    toggle(mach)
    mach.set_struct({**struct, "C": am.State()}, ["A", "B", "Exception", "C"])
    mach.add1("C")
    toggle(mach)
    toggle(stays)

    assert seen == ["CState"]
    assert isinstance(mach._bindings.items[0], KnownBinding)
    late = bound({**struct, "C": am.State()}, Own())
    late.add1("C")
    assert seen == ["CState"] * 2


def test_a_schema_may_make_an_object_be_asked(struct: dict[str, am.State]) -> None:
    """If an attribute of its own becomes the name of a handler."""
    seen: Seen = []
    one = Handlers()
    vars(one)["cState"] = _seen_by(seen, "cState")
    mach = bound(struct, one)
    toggle(mach)
    assert not is_asked(mach)

    mach.set_struct({**struct, "c": am.State()}, ["A", "B", "Exception", "c"])
    mach.add1("c")

    assert seen == ["cState"]
    assert is_asked(mach)


def test_the_checks_of_binding_come_with_the_first_binding_in_a_schema(
    struct: dict[str, am.State],
) -> None:
    """A kind that a change of schema brought was not checked."""

    class Own:
        async def CEnter(self, e: am.Event) -> bool:
            return True

    mach = bound(struct, Own())
    mach.add1("A")
    mach.set_struct({**struct, "C": am.State()}, ["A", "B", "Exception", "C"])
    mach.add1("B")

    with pytest.raises(TypeError, match="coroutine"):
        bound({**struct, "C": am.State()}, Own())


@pytest.mark.parametrize("warm", [0, 40])
def test_an_object_that_a_handler_detaches_is_called_to_the_end(
    struct: dict[str, am.State], warm: int
) -> None:
    """A transition goes on with the handlers it began with."""

    class Own(Handlers):
        def AEnter(self, e: am.Event) -> bool:
            if len(self.seen) == warm:
                e.machine.detach_handlers(self)
            return True

    one = Own()
    mach = bound(struct, one)
    toggle(mach, warm + 1)
    assert one.seen == ["AState"] * (warm + 1)

    toggle(mach)
    assert len(one.seen) == warm + 1
    assert mach.handlers() == []


# -- what runs often


def test_a_machine_keeps_the_turns_of_programs_that_it_runs_often(
    struct: dict[str, am.State],
) -> None:
    """Not of those that it runs a few times; outcomes are the same."""
    one = Handlers()
    mach = bound(struct, one)
    toggle(mach, lookup.KEEP_EVERY - 1)
    assert mach._bindings.own == {}

    toggle(mach, lookup.KEEP_EVERY)
    assert len(mach._bindings.own) == 1
    assert one.seen == ["AEnter", "AState"] * (2 * lookup.KEEP_EVERY - 1)


def test_what_is_kept_goes_with_the_plans(struct: dict[str, am.State]) -> None:
    """When all is forgotten, a machine looks its handlers up again."""
    one = Handlers()
    mach = bound(struct, one)
    toggle(mach, 2 * lookup.KEEP_EVERY)
    kept = next(iter(mach._bindings.own))

    mach._node.automaton._forget()
    toggle(mach)

    assert kept not in mach._bindings.own
    assert one.seen == ["AEnter", "AState"] * (2 * lookup.KEEP_EVERY + 1)


def test_without_memory_no_turns_are_kept(struct: dict[str, am.State]) -> None:
    """Every program is another one then."""
    one = Handlers()
    mach = bound(struct, one, cache=0)
    toggle(mach, 40)

    assert mach._bindings.own == {}
    assert one.seen == ["AEnter", "AState"] * 40


def test_programs_of_everything_are_kept_up_to_the_limit(
    struct: dict[str, am.State], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those for the highest log level as well."""
    monkeypatch.setattr(lookup, "PROGRAMS_MAX", 2)
    mach = bound(struct, Handlers())
    mach.set_logger_empty(am.LogLevel.EVERYTHING)
    for state in ("A", "B", "A", "B"):
        mach.set([state])
        layout = mach._bindings._layout
        assert layout is not None
        assert len(layout._every) <= 2


def test_programs_of_everything_are_made_each_time_without_memory(
    struct: dict[str, am.State],
) -> None:
    """Handlers are called as ever."""
    one = Handlers()
    mach = bound(struct, one, cache=0)
    mach.set_logger_empty(am.LogLevel.EVERYTHING)
    toggle(mach, 2)
    layout = mach._bindings._layout

    assert layout is not None
    assert layout._every == {}
    assert one.seen == ["AEnter", "AState"] * 2


def test_a_class_whose_objects_are_asked_is_warned_of_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Up to a limit of names that are remembered; past it, warnings may come again."""
    monkeypatch.setattr(names, "NEWS_MAX", 1)
    names._warned.clear()

    class OnDemand:
        def StartEnd(self, e: am.Event) -> None:
            """Of two meanings."""

        def __getattr__(self, name: str) -> object:
            raise AttributeError(name)

    class Other(OnDemand):
        """Of another class."""

    states = {"Start": am.State(), "End": am.State()}
    bound(states, OnDemand(), OnDemand(), Other(), Other())

    assert caplog.text.count("StartEnd of OnDemand") == 1
    assert caplog.text.count("StartEnd of Other") == 1
    assert len(names._warned) == 1
