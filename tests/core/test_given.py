"""What is given in place of states, arguments, numbers and functions is checked at the call."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from math import inf, nan
from typing import Any

import pytest

import machine as am
from machine import pipes

Call = Callable[[am.Machine, Any], object]

SET = {"A", "B"}


@pytest.fixture
def mach() -> am.Machine:
    return am.Machine(None, {"A": am.State(), "B": am.State(), "C": am.State(multi=True)}, id="m")


class Ordered(am.GroupsBase):
    Both: list[str]


STATES_IN_ORDER: dict[str, Call] = {
    "add": lambda mach, names: mach.add(names),
    "remove": lambda mach, names: mach.remove(names),
    "set": lambda mach, names: mach.set(names),
    "toggle": lambda mach, names: mach.toggle(names),
    "can_add": lambda mach, names: mach.can_add(names),
    "can_remove": lambda mach, names: mach.can_remove(names),
    "ev_add": lambda mach, names: mach.ev_add(None, names),  # type: ignore[arg-type]
    "ev_remove": lambda mach, names: mach.ev_remove(None, names),  # type: ignore[arg-type]
    "ev_toggle": lambda mach, names: mach.ev_toggle(None, names),  # type: ignore[arg-type]
    "new_mutation": lambda mach, names: mach.new_mutation(am.MutationType.ADD, names),
    "when": lambda mach, names: mach.when(names),
    "when_not": lambda mach, names: mach.when_not(names),
    "when_time": lambda mach, names: mach.when_time(names, [1, 1]),
    "time": lambda mach, names: mach.time(names),
    "clock": lambda mach, names: mach.clock(names),
    "switch": lambda mach, names: mach.switch(names),
    "inspect": lambda mach, names: mach.inspect(names),
    "must_parse_states": lambda mach, names: mach.must_parse_states(names),
    "verify_states": lambda mach, names: mach.verify_states(names),
    "set_struct": lambda mach, names: mach.set_struct({}, names),
    "add_breakpoint": lambda mach, names: mach.add_breakpoint(names, []),
    "State": lambda _, names: am.State(require=names),
    "state": lambda _, names: type(
        "S", (am.StatesBase,), {"__annotations__": {"X": str}, "X": am.state(add=names)}
    ),
    "group": lambda _, names: Ordered(Both=names),
    "s_add": lambda _, names: am.s_add(["C"], names),
    "diff_states": lambda _, names: am.diff_states(names, ["C"]),
    "Serialized": lambda _, names: am.Serialized("m", [0, 0], names),
}


@pytest.mark.parametrize("call", STATES_IN_ORDER.values(), ids=STATES_IN_ORDER)
@pytest.mark.parametrize("names", [SET, frozenset(SET), iter(SET), {"A": 1}.keys() & SET])
def test_states_without_an_order_are_refused(mach: am.Machine, call: Call, names: object) -> None:
    """A set would make the result depend on the seed of hashes."""
    with pytest.raises(TypeError, match="need an order, .* give a list"):
        call(mach, names)
    assert mach.time_sum() == 0


@pytest.mark.parametrize(
    "names", [["A", "B"], ("A", "B"), iter("AB"), {"A": 1, "B": 2}, {"A": 1, "B": 2}.keys()]
)
def test_states_in_an_order_are_taken(mach: am.Machine, names: Any) -> None:
    """Lists, tuples, generators and dictionaries have one."""
    mach.add(names)

    assert mach.active_states() == ["A", "B"]


def test_a_set_will_do_where_the_order_does_not_matter(mach: am.Machine) -> None:
    """Questions about states have the same answer for every order."""
    mach.add(["A", "B"])

    assert (mach.is_(SET), mach.not_({"C"}), mach.has(SET), mach.any({"C"}, SET)) == (True,) * 4
    assert (mach.count_active(SET), mach.time_sum(SET)) == (2, 2)
    assert am.states_equal(SET, ["B", "A"])
    assert am.diff_states(["A", "C"], SET) == ["C"]
    assert mach.will_be(SET) is False


@pytest.mark.parametrize("names", [5, None, b"A", [5], [None], [["A"]], ["A", ("B",)]])
def test_what_is_no_name_is_refused(mach: am.Machine, names: Any) -> None:
    """The error is about names, not about hashes."""
    for call in (mach.add, mach.remove, mach.set, mach.when, mach.time if names else mach.add):
        with pytest.raises(TypeError, match="states are"):
            call(names)


ONE_STATE: dict[str, Call] = {
    "add1": lambda mach, name: mach.add1(name),
    "remove1": lambda mach, name: mach.remove1(name),
    "toggle1": lambda mach, name: mach.toggle1(name),
    "can_add1": lambda mach, name: mach.can_add1(name),
    "can_remove1": lambda mach, name: mach.can_remove1(name),
    "ev_add1": lambda mach, name: mach.ev_add1(None, name),  # type: ignore[arg-type]
    "ev_remove1": lambda mach, name: mach.ev_remove1(None, name),  # type: ignore[arg-type]
    "ev_toggle1": lambda mach, name: mach.ev_toggle1(None, name),  # type: ignore[arg-type]
    "add_err_state": lambda mach, name: mach.add_err_state(name, ValueError()),
    "panic_to_err_state": lambda mach, name: mach.panic_to_err_state(name),
    "is1": lambda mach, name: mach.is1(list(name) if isinstance(name, tuple) else [name]),
    "not1": lambda mach, name: mach.not1(name),
    "any1": lambda mach, name: mach.any1([name]),  # type: ignore[arg-type]
    "has1": lambda mach, name: mach.has1(name),
    "tick": lambda mach, name: mach.tick(name),
    "index": lambda mach, name: mach.index(name),
    "will_be1": lambda mach, name: mach.will_be1(name),
    "will_be_removed1": lambda mach, name: mach.will_be_removed1(name),
    "when1": lambda mach, name: mach.when1(name),
    "when_not1": lambda mach, name: mach.when_not1(name),
    "when_ticks": lambda mach, name: mach.when_ticks(name, 1),
    "when_ticks_eq": lambda mach, name: mach.when_ticks_eq(name, 1),
    "when_next_active": lambda mach, name: mach.when_next_active(name),
    "when_args": lambda mach, name: mach.when_args(name, {}),
    "new_state_ctx": lambda mach, name: mach.new_state_ctx(name),
    "pipes.add": lambda mach, name: pipes.add(mach, mach, name),
    "pipes.remove": lambda mach, name: pipes.remove(mach, mach, "A", name),
}


@pytest.mark.parametrize("call", ONE_STATE.values(), ids=ONE_STATE)
@pytest.mark.parametrize("name", [["A"], ("A", "B"), {"A"}, 5])
def test_several_states_in_the_place_of_one_are_refused(
    mach: am.Machine, call: Call, name: object
) -> None:
    """Also when these states were called together before, so that their call is remembered."""
    mach.add(["A", "B"])
    mach.remove(["A", "B"])
    before = mach.time()

    with pytest.raises(TypeError, match="not .*"):
        call(mach, name)
    assert mach.time() == before


TAKES_ARGS: dict[str, Call] = {
    "add1": lambda mach, args: mach.add1("A", args),
    "add": lambda mach, args: mach.add("A", args),
    "remove1": lambda mach, args: mach.remove1("A", args),
    "remove": lambda mach, args: mach.remove("A", args),
    "set": lambda mach, args: mach.set("A", args),
    "toggle1": lambda mach, args: mach.toggle1("A", args),
    "toggle": lambda mach, args: mach.toggle("A", args),
    "can_add1": lambda mach, args: mach.can_add1("A", args),
    "can_add": lambda mach, args: mach.can_add("A", args),
    "can_remove1": lambda mach, args: mach.can_remove1("A", args),
    "can_remove": lambda mach, args: mach.can_remove("A", args),
    "ev_add1": lambda mach, args: mach.ev_add1(None, "A", args),  # type: ignore[arg-type]
    "ev_remove1": lambda mach, args: mach.ev_remove1(None, "A", args),  # type: ignore[arg-type]
    "ev_toggle1": lambda mach, args: mach.ev_toggle1(None, "A", args),  # type: ignore[arg-type]
    "add_err": lambda mach, args: mach.add_err(ValueError(), args),
    "add_err_state": lambda mach, args: mach.add_err_state("A", ValueError(), args),
    "ev_add_err": lambda mach, args: mach.ev_add_err(None, ValueError(), args),  # type: ignore[arg-type]
    "panic_to_err": lambda mach, args: mach.panic_to_err(args),
    "panic_to_err_state": lambda mach, args: mach.panic_to_err_state("A", args),
    "new_mutation": lambda mach, args: mach.new_mutation(am.MutationType.ADD, "A", args),
    "when_args": lambda mach, args: mach.when_args("A", args),
}


@pytest.mark.parametrize("call", TAKES_ARGS.values(), ids=TAKES_ARGS)
@pytest.mark.parametrize("args", ["B", ["B"], [1], 5, {1: 2}, {"a": 1, ("b",): 2}, b"x"])
def test_what_are_no_arguments_is_refused(mach: am.Machine, call: Call, args: object) -> None:
    """Every call that takes arguments wants a dictionary with text for keys."""
    with pytest.raises(TypeError, match="args are a dict"):
        call(mach, args)
    assert mach.time_sum() == 0
    assert mach.err is None


def test_typed_arguments_in_the_place_of_a_dictionary_are_refused(mach: am.Machine) -> None:
    """The error names `pass_`, which makes a dictionary of them."""
    with pytest.raises(TypeError, match=r"pass_\(\) makes one of typed arguments"):
        mach.add1("A", object())  # type: ignore[arg-type]


def test_arguments_are_checked_inside_of_handlers_too(mach: am.Machine) -> None:
    """There the mutation would wait, and fail where nobody knows who made it."""
    raised: list[str] = []

    def handle(e: am.Event) -> None:
        with pytest.raises(TypeError) as caught:
            e.machine.add1("C", "oops")  # type: ignore[arg-type]
        raised.append(str(caught.value))

    mach.bind_handlers({"AState": handle})
    mach.add1("A", {"x": 1})

    assert raised == ["args are a dict, not 'oops'; several states are passed as a list"]
    assert (mach.queue_len(), mach.tick("C")) == (0, 0)


@pytest.mark.parametrize("event", ["A", 5, object()])
def test_what_is_no_event_is_no_source(mach: am.Machine, event: Any) -> None:
    """A state in its place is a forgotten event."""
    with pytest.raises(TypeError, match="the source of a mutation is an event or None"):
        mach.ev_add1(event, "A")


NUMBERS: dict[str, Call] = {
    "when_ticks": lambda mach, n: mach.when_ticks("A", n),
    "when_ticks_eq": lambda mach, n: mach.when_ticks_eq("A", n),
    "when_time": lambda mach, n: mach.when_time(["A"], [n]),
    "when_queue": lambda mach, n: mach.when_queue(n),
    "queue_limit": lambda mach, n: setattr(mach, "queue_limit", n),
    "option queue_limit": lambda _, n: am.Machine(None, {}, queue_limit=n),
    "option cache": lambda _, n: am.Machine(None, {}, cache=n),
}


@pytest.mark.parametrize("call", NUMBERS.values(), ids=NUMBERS)
@pytest.mark.parametrize("number", [1.5, 1.0, -1, "2", True, None, nan, inf, [1]])
def test_what_is_no_count_is_refused(mach: am.Machine, call: Call, number: object) -> None:
    """The error has what was given."""
    with pytest.raises(
        (TypeError, ValueError), match="is a whole number, not|is at least"
    ) as caught:
        call(mach, number)
    assert str(number) in str(caught.value)


SECONDS: dict[str, Call] = {
    "handler_timeout": lambda mach, s: setattr(mach, "handler_timeout", s),
    "eval_timeout": lambda mach, s: setattr(mach, "eval_timeout", s),
    "dispose_timeout": lambda mach, s: setattr(mach, "dispose_timeout", s),
    "option": lambda _, s: am.Machine(None, {}, handler_timeout=s),
}


@pytest.mark.parametrize("call", SECONDS.values(), ids=SECONDS)
@pytest.mark.parametrize("seconds", ["5", -1, -0.1, nan, True, [1]])
def test_what_is_no_duration_is_refused(mach: am.Machine, call: Call, seconds: object) -> None:
    """The error has the name of the limit and what was given."""
    with pytest.raises((TypeError, ValueError), match="_timeout is a number of seconds") as caught:
        call(mach, seconds)
    assert str(seconds) in str(caught.value)


WAITS: dict[str, Call] = {
    "wait": lambda mach, s: mach.when1("A").wait(s),
    "first": lambda mach, s: am.first(mach.when1("A"), timeout=s),
    "every": lambda mach, s: am.every(mach.when1("A"), timeout=s),
    "with_timeout": lambda _, s: am.Context().with_timeout(s),
}


@pytest.mark.parametrize("call", WAITS.values(), ids=WAITS)
@pytest.mark.parametrize("seconds", ["5", nan, True, [1]])
def test_what_is_no_time_to_wait_is_refused(mach: am.Machine, call: Call, seconds: object) -> None:
    """Before anything waits."""
    with pytest.raises((TypeError, ValueError), match="is a number of seconds, not"):
        call(mach, seconds)


@pytest.mark.parametrize("call", WAITS.values(), ids=WAITS)
def test_a_time_below_zero_is_over(mach: am.Machine, call: Call) -> None:
    """What is left until a deadline may be less than nothing."""
    answer = call(mach, -1)

    assert not answer or (isinstance(answer, am.Context) and answer.done)


FUNCTIONS: dict[str, Call] = {
    "on_error": lambda mach, fn: mach.on_error(fn),
    "handle_dispose": lambda mach, fn: mach.handle_dispose(fn),
    "when_query": lambda mach, fn: mach.when_query(fn),
    "eval": lambda mach, fn: mach.eval("test", fn),
    "add_done_callback": lambda mach, fn: mach.when1("A").add_done_callback(fn),
    "on_machine": lambda _, fn: am.on_machine(fn),
    "set_logger": lambda mach, fn: mach.set_logger(fn),
    "set_log_args": lambda mach, fn: mach.set_log_args(fn),
}


@pytest.mark.parametrize("call", FUNCTIONS.values(), ids=FUNCTIONS)
def test_what_cannot_be_called_is_refused(mach: am.Machine, call: Call) -> None:
    """It would fail later, where nobody knows where it came from."""
    with pytest.raises(TypeError, match="is a function, not 5"):
        call(mach, 5)


WRONG: dict[str, list[object]] = {
    "handler_timeout": ["5", -1],
    "panic_to_exception": ["no", 0, None],
    "log_stack_trace": [1],
    "log_id": ["x"],
    "log_level": ["debug", 9, True],
    "tracers": [5, am.Tracer()],
    "log_args": ["name"],
    "parent": ["parent"],
    "tags": ["abc", {"a"}],
    "queue_limit": ["10", 1.5, -1],
    "detect_eval": [None],
    "executor": [5],
    "handler_runner": ["threads"],
    "watchdog": [1],
    "resolver": [5],
    "cache": ["1", -1],
    "strict": ["yes", 1],
}


@pytest.mark.parametrize(
    ("option", "value"), [(name, value) for name, values in WRONG.items() for value in values]
)
def test_an_option_of_a_wrong_type_is_named(option: str, value: object) -> None:
    """At construction, not in the first mutation that needs it."""
    options: Any = {option: value}

    with pytest.raises((TypeError, ValueError), match=option.removesuffix("s")):
        am.Machine(None, {"A": am.State()}, **options)


@pytest.mark.parametrize(
    "attribute", ["panic_to_exception", "log_stack_trace", "queue_limit", "dispose_timeout"]
)
def test_an_attribute_keeps_its_value_when_a_wrong_one_is_refused(
    mach: am.Machine, attribute: str
) -> None:
    """The class has the default, the machine its own value."""
    before = getattr(mach, attribute)

    with pytest.raises(TypeError, match=f"{attribute} is"):
        setattr(mach, attribute, "wrong")
    assert getattr(mach, attribute) == before == getattr(am.Machine, attribute)


@pytest.fixture
def late(mach: am.Machine, caplog: pytest.LogCaptureFixture) -> Iterator[am.Machine]:
    """A disposed machine; the records of the test are looked at afterwards."""
    mach.dispose_force()
    yield mach
    [record] = caplog.get_records("call")
    assert (record.name, record.levelno) == ("asyncmachine", logging.ERROR)
    assert record.getMessage() == "error of m, which is disposed"
    assert record.exc_info
    assert str(record.exc_info[1]) == "too late"


def test_an_error_after_the_end_is_logged(late: am.Machine) -> None:
    """No state can hold it any more."""
    assert late.add_err(ValueError("too late")) is am.Result.CANCELED


def test_an_error_state_after_the_end_is_logged(late: am.Machine) -> None:
    """Like any error."""
    assert late.add_err_state("A", ValueError("too late")) is am.Result.CANCELED


def test_an_error_in_a_guard_after_the_end_is_logged(late: am.Machine) -> None:
    """A guard swallows it, so the error has to be reported elsewhere."""
    with late.panic_to_err():
        raise ValueError("too late")


def test_a_handler_that_raises_after_the_end_was_asked_for_is_logged(
    mach: am.Machine, caplog: pytest.LogCaptureFixture
) -> None:
    """Its `Exception` would be canceled with all that waits."""

    def fail(e: am.Event) -> None:
        e.machine.dispose()
        raise ValueError("too late")

    mach.bind_handlers({"AState": fail})
    mach.add1("A")
    mach.when_disposed().wait(5)

    assert "ValueError: too late" in caplog.text
