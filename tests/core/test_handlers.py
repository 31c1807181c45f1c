"""Handlers: their names, how they are bound and looked up, what they answer and may do."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

import machine as am
from machine.errors import HandlerNameError, HandlersNotBoundError, StateMissingError

Made = Callable[..., am.Machine]
Watch = Callable[..., list[str]]
LogOf = Callable[..., list[str]]

EXECUTED, CANCELED = am.Result.EXECUTED, am.Result.CANCELED


class Falsy:
    """An answer that is false without being False."""

    def __bool__(self) -> bool:
        return False


class Undecided:
    """An answer that refuses to be true or false, like an array of several numbers."""

    def __bool__(self) -> bool:
        raise ValueError("neither true nor false")


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        (True, EXECUTED),
        (None, EXECUTED),
        (1, EXECUTED),
        ("yes", EXECUTED),
        (object(), EXECUTED),
        (False, CANCELED),
        (0, CANCELED),
        ("", CANCELED),
        ([], CANCELED),
        (Falsy(), CANCELED),
    ],
)
def test_what_counts_as_a_denial(made: Made, answer: object, result: am.Result) -> None:
    """A negotiation handler denies by anything false but None."""
    mach = made()
    mach.bind_handlers({"AEnter": lambda e: answer})

    assert mach.add1("A") is result


@pytest.mark.parametrize("name", ["AState", "AnyState"])
def test_answers_of_final_handlers_do_not_count(made: Made, name: str) -> None:
    """The states are active already, so False changes nothing."""
    mach = made()
    mach.bind_handlers({name: lambda e: False})

    assert mach.add1("A") is EXECUTED


def test_answers_of_end_handlers_do_not_count(made: Made) -> None:
    """A state that has ended cannot refuse any more."""
    mach = made()
    mach.add1("A")
    mach.bind_handlers({"AEnd": lambda e: False})

    assert mach.remove1("A") is EXECUTED


def test_an_answer_that_is_neither_true_nor_false_is_an_error_of_the_handler(made: Made) -> None:
    """It cancels, and becomes the `Exception` state like any other error."""
    mach = made()
    mach.bind_handlers({"AEnter": lambda e: Undecided()})

    assert mach.add1("A") is CANCELED
    assert str(mach.err) == "neither true nor false"


def test_handlers_share_the_arguments_of_their_transition(made: Made) -> None:
    """What a negotiation handler puts there, a final handler finds."""
    mach = made()
    seen: list[object] = []
    mach.bind_handlers(
        {
            "AEnter": lambda e: e.args.update(found=1),
            "AState": lambda e: seen.append(e.args["found"]),
        }
    )

    mach.add1("A")
    mach.add1("A", {})

    assert seen == [1]


def test_negotiation_sees_the_old_states_and_final_handlers_the_new(made: Made) -> None:
    """Ticks and active states change between the two phases, and nowhere else."""
    mach = made()
    mach.add1("A")
    seen: dict[str, Any] = {}

    def look(event: am.Event) -> None:
        seen[event.name] = (mach.active_states(), mach.tick("B"))

    mach.bind_handlers(dict.fromkeys(["AExit", "BEnter", "AnyEnter", "AEnd", "BState"], look))
    mach.set(["B"])

    old, new = (["A"], 0), (["B"], 1)
    assert seen == {"AExit": old, "BEnter": old, "AnyEnter": old, "AEnd": new, "BState": new}


def test_a_negotiation_handler_sees_the_targets(made: Made, recorder: Any) -> None:
    """They are decided by then, and the steps of handlers come behind those of relations."""
    mach = made(tracers=[recorder])
    mach.add1("A")
    seen: list[Any] = []

    def look(event: am.Event) -> None:
        tx, mutation = event.transition(), event.mutation()
        assert tx is not None
        assert mutation is not None
        seen.extend([tx.target_states(), mutation.state_was_called("D")])

    mach.bind_handlers({"DEnter": look, "AExit": lambda e: None})
    mach.set(["D"])

    assert seen == [["D"], True]
    steps = ["D (requested)", "D (set)", "A (remove)", "A (handler)", "D (handler)"]
    assert str(recorder.txs[1]).split("\n") == steps


def test_the_arguments_of_a_mutation_reach_every_phase(made: Made) -> None:
    """Exit, Enter and State handlers get equal ones."""
    mach = made()
    mach.add1("A")
    seen: dict[str, am.A] = {}
    names = ["AExit", "BEnter", "BState"]
    mach.bind_handlers(dict.fromkeys(names, lambda e: seen.update({e.name: dict(e.args)})))

    mach.set(["B"], {"x": 1})

    assert seen == {name: {"x": 1} for name in names}


def test_an_event_shows_where_it_belongs(made: Made) -> None:
    """Name, machine, transition and mutation; only the ids may be kept."""
    mach = made(id="here")
    seen: list[am.Event] = []

    def look(event: am.Event) -> None:
        tx, mutation = event.transition(), event.mutation()
        assert tx is not None
        assert mutation is not None
        assert event.name == "AState"
        assert event.machine is mach
        assert event.machine_id == "here"
        assert event.transition_id == tx.id
        assert mutation.called_states == ["A"]
        assert event.is_valid()
        assert not event.is_check
        assert event.source() == am.MutSource("here", tx.id, 0)
        seen.append(event)

    mach.bind_handlers({"AState": look})
    mach.add1("A")

    (event,) = seen
    assert repr(event) == "<Event AState of here>"
    assert not event.is_valid()
    assert event.transition() is None
    assert event.mutation() is None
    kept = event.clone()
    assert (kept.name, kept.machine_id) == ("AState", "here")
    assert kept.transition_id == event.export().transition_id == event.transition_id


def test_an_event_of_an_earlier_transition_is_not_valid(made: Made) -> None:
    """Work that was forked finds out that its transition is over."""
    mach = made()
    events: list[am.Event] = []
    valid: list[bool] = []
    mach.bind_handlers(
        {
            "AState": lambda e: [events.append(e), mach.add1("B")],
            "BState": lambda e: valid.append(events[0].is_valid()),
        }
    )

    mach.add1("A")

    assert valid == [False]


@pytest.mark.parametrize("wrong", [None, object, int])
def test_a_class_or_nothing_cannot_be_bound(made: Made, wrong: object) -> None:
    """Handlers are bound as an object or a mapping."""
    with pytest.raises(TypeError, match="needs an object or a mapping"):
        made().bind_handlers(wrong)


def test_handlers_are_looked_up_once(made: Made) -> None:
    """The object is asked for a name when it is first needed; the answer is kept."""
    asked: list[str] = []

    class Handlers:
        def __getattr__(self, name: str) -> object:
            if not name.startswith("_"):
                asked.append(name)
            raise AttributeError(name)

    mach = made()
    mach.bind_handlers(Handlers())
    asked.clear()
    for _ in range(3):
        mach.add1("A")
        mach.remove1("A")
        mach.set(["A", "B"])
        mach.set([])

    assert len(asked) == len(set(asked))
    assert {"AEnter", "AState", "AEnd", "AnyEnter"} <= set(asked)


def test_attributes_that_cannot_be_called_are_no_handlers(made: Made) -> None:
    """A plain value with a handler's name is passed over."""
    mach = made()
    mach.bind_handlers(SimpleNamespace(AEnter=False, AState="text"))
    mach.bind_handlers({"AExit": None})

    assert mach.add1("A") is EXECUTED
    assert mach.remove1("A") is EXECUTED


def test_attributes_that_can_be_called_are_handlers_until_detached(made: Made) -> None:
    """Functions in an object's attributes are called like methods."""
    mach = made()
    calls: list[str] = []
    note = lambda e: calls.append(e.name)  # noqa: E731
    handlers = SimpleNamespace(AEnter=note, AState=note)

    mach.bind_handlers(handlers)
    mach.add1("A")
    mach.detach_handlers(handlers)
    mach.set([])
    mach.add1("A")

    assert calls == ["AEnter", "AState"]
    assert mach.handlers() == []


def test_inherited_methods_are_handlers(made: Made) -> None:
    """Handler classes can be built of others."""
    calls: list[str] = []

    class Base:
        def AState(self, e: am.Event) -> None:
            calls.append("base")

    class Handlers(Base):
        def AState(self, e: am.Event) -> None:
            super().AState(e)
            calls.append("own")

    mach = made()
    mach.bind_handlers(Handlers())
    mach.add1("A")

    assert calls == ["base", "own"]


def test_binding_and_detaching_are_logged(made: Made, log_of: LogOf) -> None:
    """A named object is shown by its class, an anonymous one by its place."""

    class Handlers:
        pass

    mach, named, plain = made(), Handlers(), {"AState": lambda e: None}
    lines = log_of(mach)

    mach.bind_handlers(named)
    mach.bind_handlers(plain)
    mach.detach_handlers(named)
    mach.detach_handlers(plain)

    assert lines == [
        "[handlers] bind Handlers",
        "[handlers] bind 1",
        "[handlers] detach Handlers",
        "[handlers] detach 0",
    ]


def test_detaching_undoes_the_first_binding_of_that_very_object(made: Made) -> None:
    """An equal object is another one."""
    mach = made()
    first: dict[str, Any] = {}
    second: dict[str, Any] = {}
    mach.bind_handlers(first)
    mach.bind_handlers(second)
    mach.bind_handlers(first)

    mach.detach_handlers(first)

    assert [handlers is second for handlers in mach.handlers()] == [True, False]


def test_detaching_what_is_not_bound_is_an_error(made: Made) -> None:
    """It is reported, with what was to be detached."""
    with pytest.raises(HandlersNotBoundError, match="handlers not bound: {}"):
        made().detach_handlers({})


def test_handlers_detached_inside_a_handler_finish_the_transition(made: Made) -> None:
    """The transition under way goes on with those it began with, the next one without."""
    mach = made()
    calls: list[str] = []
    handlers: dict[str, Any] = {
        "AEnter": lambda e: mach.detach_handlers(handlers),
        "AState": lambda e: calls.append("AState"),
    }
    mach.bind_handlers(handlers)

    mach.add1("A")
    assert calls == ["AState"]

    mach.remove1("A")
    mach.add1("A")
    assert calls == ["AState"]


def test_handlers_bound_inside_a_handler_wait_for_the_next_transition(made: Made) -> None:
    """An object bound in AEnter is not called in the same transition's AState."""
    mach = made()
    calls: list[str] = []
    late = {"AState": lambda e: calls.append("AState"), "AEnd": lambda e: calls.append("AEnd")}
    mach.bind_handlers({"AEnter": lambda e: mach.bind_handlers(late)})

    mach.add1("A")
    assert calls == []

    mach.remove1("A")
    assert calls == ["AEnd"]


@pytest.mark.parametrize("wait", [False, True], ids=["", "with a waiter"])
@pytest.mark.parametrize("level", [am.LogLevel.NOTHING, am.LogLevel.EVERYTHING])
def test_the_set_of_handlers_is_the_same_however_a_machine_is_watched(
    made: Made, level: am.LogLevel, wait: bool
) -> None:
    """Neither a log nor a waiter changes which handlers finish a transition."""
    mach = made()
    mach.set_logger_empty(level)
    calls: list[str] = []
    old: dict[str, Any] = {
        "AEnter": lambda e: [mach.detach_handlers(old), mach.bind_handlers(new)],
        "AState": lambda e: calls.append("old"),
    }
    new = {"AState": lambda e: calls.append("new")}
    mach.bind_handlers(old)
    handle = mach.when_args("A", {}) if wait else None

    mach.add1("A")

    assert calls == ["old"]
    assert handle is None or handle.done


def test_threads_may_bind_at_the_same_time(made: Made, in_threads: Callable[..., None]) -> None:
    """No binding gets lost, of handlers or of tracers."""
    mach = made()

    def bind() -> None:
        for _ in range(25):
            mach.bind_handlers({})
            mach.bind_tracer(am.Tracer())

    in_threads(*[bind] * 4)

    assert len(mach.handlers()) == 100
    assert len(mach.tracers()) == 100


@pytest.mark.parametrize(
    ("method", "near"),
    [
        ("FileOpenedStat", "FileOpenedState"),
        ("FileOpenedEntr", "FileOpenedEnter"),
        ("FileOpendState", "FileOpenedState"),
        ("FileOpenEnter", "FileOpenedEnter"),
    ],
)
def test_a_misspelled_handler_is_reported_at_binding(made: Made, method: str, near: str) -> None:
    """The error names the method and what was probably meant."""
    mach = made("FileOpened{} Idle{}")

    with pytest.raises(HandlerNameError) as raised:
        mach.bind_handlers({method: lambda e: None})
    assert method in str(raised.value)
    assert f"did you mean {near}" in str(raised.value)
    assert mach.handlers() == []


@pytest.mark.parametrize(
    "name",
    [
        "Connect",
        "ReadAllState",
        "Filename",
        "AnyIdle",
        "IdleAny",
        "AnyExit",
        "Any",
        "State",
        "file",
    ],
)
def test_unrelated_methods_are_not_refused(made: Made, name: str) -> None:
    """An object with handlers may have methods of its own."""
    made("FileOpened{} Idle{}").bind_handlers({name: lambda *args: None})


def test_debugging_refuses_handlers_of_unknown_states(made: Made) -> None:
    """With `detect_eval` every name that looks like a handler has to be one."""
    handlers = {"ZzzEnter": lambda e: None}
    made().bind_handlers(handlers)

    with pytest.raises(StateMissingError, match="Zzz from handler ZzzEnter"):
        made(detect_eval=True).bind_handlers(handlers)


def test_am_debug_refuses_handlers_of_unknown_states(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment variable has the same effect as the option."""
    monkeypatch.setenv("AM_DEBUG", "1")

    with pytest.raises(StateMissingError, match="Zzz from handler ZzzEnter"):
        made().bind_handlers({"ZzzEnter": lambda e: None})


@pytest.mark.parametrize("name", ["AEnter", "AExit", "AB", "AA", "AnyEnter"])
def test_a_negotiation_handler_cannot_be_a_coroutine_function(made: Made, name: str) -> None:
    """Its answer is needed at once; an unawaited coroutine would always accept."""

    async def handler(event: am.Event) -> bool:
        return False

    async def method(self: object, event: am.Event) -> bool:
        return False

    bound = type("Handlers", (), {name: method})()
    for handlers in ({name: handler}, {name: functools.partial(handler)}, bound):
        with pytest.raises(TypeError, match=f"{name} decides about a transition"):
            made().bind_handlers(handlers)


def test_names_that_are_listed_but_never_called(made: Made, watch: Watch) -> None:
    """`AnyA` and `AAny` belong to A as names, and to no moment of a transition."""
    mach = made()
    calls: list[str] = []
    handlers = dict.fromkeys(["AnyA", "AAny"], lambda e: calls.append("!"))
    mach.bind_handlers(handlers)

    mach.add1("A")
    mach.remove1("A")

    assert calls == []
    assert am.list_handlers(handlers, ["A"]) == ["AnyA", "AAny"]


def test_two_names_in_a_row_are_a_handler_of_the_first() -> None:
    """Only where both are known states; a suffix alone is none."""
    handlers = dict.fromkeys(["AB", "BA", "AC", "Enter", "AEnter", "Exit"], lambda e: None)

    assert am.list_handlers(handlers, ["A", "B"]) == ["AB", "BA", "AEnter"]


def test_handlers_are_listed_in_the_order_of_their_definition() -> None:
    """Base classes first, then the class, then the object; other members are left out."""

    class Base:
        def BState(self, e: am.Event) -> None: ...

        def AState(self, e: am.Event) -> None: ...

        def helper(self) -> None: ...

    class Handlers(Base):
        def AnyState(self, e: am.Event) -> None: ...

        def AnyB(self, e: am.Event) -> None: ...

        def __init__(self) -> None:
            self.AEnter = lambda e: None
            self.Unrelated = lambda e: None

    names = ["BState", "AState", "AnyState", "AnyB", "AEnter"]
    assert am.list_handlers(Handlers(), ["A", "B"]) == names


def test_listing_handlers_of_unknown_states_is_an_error() -> None:
    """It names each of them with its state."""
    handlers = SimpleNamespace(ZEnter=lambda e: None, AEnter=lambda e: None)

    with pytest.raises(StateMissingError, match="missing states: Z from handler ZEnter"):
        am.list_handlers(handlers, ["A"])


def test_a_state_whose_name_ends_like_a_phase(made: Made) -> None:
    """`AEnter` as a state: its own handlers and those of A are distinguished by what happens."""
    mach = made("A{} AEnter{}")
    calls: list[str] = []
    names = ["AEnter", "AEnterEnter", "AEnterState", "AState"]
    mach.bind_handlers(dict.fromkeys(names, lambda e: calls.append(e.name)))

    mach.add1("AEnter")
    assert calls == ["AEnterEnter", "AEnterState"]


def test_a_handlers_step_shows_how_it_answered(made: Made, recorder: Any) -> None:
    """Passed, denied, failed; a step stands for all objects bound to the name."""
    mach = made(tracers=[recorder])
    handlers: dict[str, Any] = {"AEnter": lambda e: True, "BEnter": lambda e: False}
    handlers["CEnter"] = lambda e: 1 / 0
    mach.bind_handlers(handlers)
    mach.bind_handlers({"AEnter": lambda e: None})

    for state in "ABC":
        mach.add1(state)

    steps = [s for tx in recorder.txs for s in tx.steps if s.type is am.StepType.HANDLER]
    told = [(step.to_state, step.denied, step.failed) for step in steps]
    assert told == [("A", False, False), ("B", True, False), ("C", False, True)]
    assert repr(steps[0]) == "<Step A (handler)>"


def test_one_handler_may_answer_otherwise_each_time(made: Made, recorder: Any) -> None:
    """Each transition has the step of its own answer, whatever the plan met before."""
    mach = made(tracers=[recorder])
    answers = iter([False, None, True, False, None])

    def enter(_event: am.Event) -> bool:
        answer = next(answers)
        if answer is None:
            raise ValueError("no answer")
        return answer

    mach.bind_handlers({"AEnter": enter})
    for _ in range(5):
        mach.add1("A")
        mach.remove1("A")

    steps = [s for tx in recorder.txs for s in tx.steps if s.type is am.StepType.HANDLER]
    denied, failed, passed = (True, False), (False, True), (False, False)
    told = [(step.denied, step.failed) for step in steps]
    assert told == [denied, failed, passed, denied, failed]


def test_the_steps_of_every_kind_of_handler(made: Made, watch: Watch, recorder: Any) -> None:
    """From which state to which, and whether final, entering or the state itself."""
    mach = made("A{} B{}", tracers=[recorder])
    mach.add1("A")
    watch(mach)

    mach.set(["A", "B"])
    mach.remove1("A")

    told = [
        (s.from_state, s.to_state, s.is_final, s.is_enter, s.is_self)
        for tx in recorder.txs[1:]
        for s in tx.steps
        if s.type is am.StepType.HANDLER
    ]
    anything = ("Any", "Any", False, False, False)
    assert told == [
        ("", "B", False, False, False),
        ("A", "", False, False, True),
        ("A", "B", False, False, False),
        anything,
        ("B", "", True, True, False),
        anything,
        ("A", "", False, False, False),
        ("A", "B", False, False, False),
        anything,
        ("A", "", True, False, False),
        anything,
    ]
