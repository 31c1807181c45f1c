"""The behaviour checklist: options, clocks, texts, set-up. Each docstring begins with its name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import machine as am
from machine.errors import MachineError

Made = Callable[..., am.Machine]
Watch = Callable[..., list[str]]
LogOf = Callable[..., list[str]]

RELS = "A{auto require:C} B{multi add:C} C{after:D} D{add:[C,B]}"


def begun(made: Made, *active: str, text: str = "A{} B{} C{} D{}") -> am.Machine:
    """A machine in which these states were set."""
    mach = made(text)
    mach.set(active)
    return mach


def test_getters(made: Made) -> None:
    """Getters: the log level and an empty queue."""
    mach = made(log_level=am.LogLevel.EVERYTHING)

    assert mach.log_level is am.LogLevel.EVERYTHING
    assert mach.queue() == []


def test_switch(made: Made) -> None:
    """Switch: the active one of a group, or nothing."""
    mach = begun(made, "A")

    assert mach.switch(["A", "B"]) == "A"
    assert mach.switch(["C", "D"]) == ""


def test_dispose(made: Made) -> None:
    """Dispose: the registered functions run, then everybody who waits for the end is told."""
    mach = made(id="gone")
    ran: list[str] = []
    mach.handle_dispose(lambda name, ctx: ran.append(name))

    mach.dispose()

    assert mach.when_disposed().wait(5)
    assert ran == ["gone"]
    assert mach.is_disposed()


def test_dispose_force(made: Made) -> None:
    """DisposeForce: the same at once, in the calling thread."""
    mach = made(id="gone")
    ran: list[str] = []
    mach.handle_dispose(lambda name, ctx: ran.append(name))

    mach.dispose_force()

    assert ran == ["gone"]
    assert mach.is_disposed()


def test_time(made: Made) -> None:
    """Time: of two times at least one tick higher and none lower is after."""
    mach = made("A{} B{multi} C{} D{}")
    before = mach.time()
    mach.add(["A", "B"])
    after = mach.time()

    assert am.is_time_after(after, before)
    assert not am.is_time_after(before, after)
    assert not am.is_time_after(after, after)


def test_new_common(struct: Any) -> None:
    """NewCommon: a machine with its id, order, handlers and options in one call."""
    calls: list[str] = []
    mach = am.new_common(
        None,
        "common",
        struct("A{} B{}"),
        ["B", "A", "Exception"],
        {"AState": lambda e: calls.append("AState")},
        None,
        tags=["tag"],
    )
    mach.add1("A")

    assert (mach.id, mach.tags, mach.state_names()) == ("common", ["tag"], ["B", "A", "Exception"])
    assert mach.states_verified()
    assert calls == ["AState"]


def test_tracers(made: Made) -> None:
    """Tracers: a tracer of the options is bound, and not inheritable unless it says so."""
    tracer = am.Tracer()
    mach = made(tracers=[tracer])

    assert mach.tracers() == [tracer]
    assert not tracer.inheritable()


def test_bind_tracer(made: Made) -> None:
    """BindTracer: a bound tracer can be detached, once."""
    mach, tracer = made(), am.Tracer()
    mach.bind_tracer(tracer)

    assert mach.detach_tracer(tracer) is True
    assert mach.tracers() == []
    assert mach.detach_tracer(tracer) is False


def test_is(made: Made) -> None:
    """Is: all of the states are active; none is always true, an unknown one never."""
    mach = begun(made, "A", "B")

    assert mach.is_(["A", "B"])
    assert mach.is_([])
    assert not mach.is_(["A", "B", "C"])
    assert not mach.is_(["A", "X"])
    assert not mach.is1("X")


def test_not(made: Made) -> None:
    """Not: none of the states is active, so one that is makes it false."""
    mach = begun(made, "A", "B")

    assert mach.not_(["C", "D"])
    assert mach.not_([])
    assert not mach.not_(["A", "C"])
    assert not mach.not_(["A", "B"])
    assert not mach.not1("A")
    assert mach.not1("D")


def test_any(made: Made) -> None:
    """Any: at least one list is active as a whole."""
    mach = begun(made, "A", "B")

    assert mach.any(["A", "B"], ["C"])
    assert mach.any(["A", "C"], ["B"])
    assert not mach.any(["A", "C"], ["B", "D"])
    assert mach.any1("C", "A")
    assert not mach.any1("C", "D")


def test_clock(made: Made) -> None:
    """Clock: ticks by name, for all states or for those asked for."""
    mach = begun(made, "A", "B")

    assert mach.clock() == {"A": 1, "B": 1, "C": 0, "D": 0, "Exception": 0}
    assert mach.clock(["B", "C"]) == {"B": 1, "C": 0}
    assert mach.tick("A") == 1
    assert mach.tick("X") == 0


def test_inspect(made: Made) -> None:
    """Inspect: one block for each state, in the order of the states unless told otherwise."""
    mach = made(RELS)
    mach.add1("C")
    whole = mach.inspect()

    assert whole.startswith(
        "A:\n  State:   true 1\n  Auto:    true\n  Require: C\n\n"
        "B:\n  State:   false 0\n  Multi:   true\n  Add:     C\n\n"
        "C:\n  State:   true 1\n  After:   D\n\n"
        "D:\n  State:   false 0\n  Add:     C B\n\n"
    )
    mach.verify_states(["D", "C", "B", "A", "Exception"])
    assert mach.inspect().index("D:") < mach.inspect().index("A:")


def test_nil_ctx() -> None:
    """NilCtx: without a context and an id, a machine has a random id and lives."""
    first, second = am.Machine(), am.Machine()

    assert len(first.id) > 5
    assert first.id != second.id
    assert not first.ctx.done


def test_string(made: Made) -> None:
    """String: the active states, or all of them, with their ticks."""
    mach = begun(made, "A", "B")

    assert str(mach) == mach.string() == "(A:1 B:1)"
    assert mach.string_all() == "(A:1 B:1) [C:0 D:0 Exception:0]"


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["A", "B", "C", "D", "E", "Exception"], "state E is not defined for mach"),
        (["A", "A", "B", "C", "Exception"], "more states than registered: D"),
        (["A", "B", "Exception"], "more states than registered: C D"),
    ],
)
def test_verify_states(made: Made, names: list[str], told: str) -> None:
    """VerifyStates: an order that has unknown states or lacks some is refused."""
    mach = made()

    with pytest.raises(MachineError, match=told):
        mach.verify_states(names)
    assert not mach.states_verified()


def test_has(made: Made) -> None:
    """Has: all of the states are defined; naming one twice is fine."""
    mach = made()

    assert mach.has(["A", "B"])
    assert mach.has(["A", "A"])
    assert mach.has1("A")
    assert not mach.has(["A", "E"])
    assert not mach.has1("E")


def test_logger(made: Made) -> None:
    """Logger: a simple one can be set, read, and reset; None is no logger."""
    mach = made()
    lines: list[str] = []
    mach.set_logger_simple(lambda text, *args: lines.append(text % args), am.LogLevel.CHANGES)
    mach.add1("A")

    assert lines == ["[mach] [state] +A"]
    assert mach.get_logger() is not None
    with pytest.raises(ValueError, match="set_logger"):
        mach.set_logger_simple(None, 1)  # type: ignore[arg-type]
    mach.set_logger(None)
    assert mach.get_logger() is not None


def test_is_clock_and_is_time(made: Made) -> None:
    """IsClock, IsTime: true until something changes."""
    mach = begun(made, "A", "B")
    clock, time = mach.clock(), mach.time()
    assert mach.is_clock(clock)
    assert mach.is_time(time)

    mach.add1("C")

    assert not mach.is_clock(clock)
    assert not mach.is_time(time)
    assert mach.is_time([1, 1], ["A", "B"])


def test_export_import(made: Made) -> None:
    """ExportImport: a fresh machine takes over states, ticks and id."""
    mach = begun(made, "A", "B")
    mach.remove1("B")
    mach.verify_states(mach.state_names())
    fresh = made(id="fresh")

    fresh.import_(am.Serialized.from_json(mach.export().to_json()))

    assert fresh.string_all() == mach.string_all()
    assert fresh.id == mach.id


def test_with_opts() -> None:
    """WithOpts: debugging gives handlers time and lets their errors through."""
    debug = {"handler_timeout": 600.0, "panic_to_exception": False}
    tracer = am.Tracer()

    assert am.opts_with_debug() == debug
    assert am.opts_with_debug({"id": "m"}) == {"id": "m", **debug}
    assert am.opts_with_tracers({"id": "m"}, tracer) == {"id": "m", "tracers": [tracer]}
    assert am.opts_with_tracers(None) == {}


def test_unknown_options_are_refused() -> None:
    """WithOpts: the error names what is no option, and what was probably meant."""
    with pytest.raises(TypeError, match="no option handler_timeot") as raised:
        am.Machine(None, {}, handler_timeot=1)
    assert "did you mean handler_timeout" in str(raised.value)

    with pytest.raises(TypeError, match="no option zzz") as raised:
        am.Machine(None, {}, zzz=1)
    assert "did you mean" not in str(raised.value)


def test_result_string() -> None:
    """ResultString: each result has its text, no-op has none."""
    assert [str(result) for result in am.Result] == ["executed", "canceled", "queued", ""]


def test_mutation_type_string() -> None:
    """MutationTypeString: add, remove, set, eval."""
    assert [str(kind) for kind in am.MutationType] == ["add", "remove", "set", "eval"]


def test_step_type_string() -> None:
    """StepTypeString: the texts by number; an unknown number has none."""
    texts = ["rel", "handler", "set", "remove", "removenotactive", "requested", "cancel"]

    assert [am.step_type_text(1 << bit) for bit in range(7)] == texts
    assert am.step_type_text(3) == ""


def test_relation_string() -> None:
    """RelationString: after, add, require, remove."""
    assert [str(relation) for relation in am.Relation] == ["after", "add", "require", "remove"]


def test_log_level_string() -> None:
    """LogLevelString: the texts by number; an unknown number is nothing."""
    texts = ["nothing", "changes", "ops", "decisions", "everything", "nothing"]

    assert [am.log_level_text(level) for level in range(6)] == texts


@pytest.mark.parametrize(("limit", "text"), [(2, "fo"), (5, "fo..."), (9, "foofoofoo")])
def test_new_args_mapper(limit: int, text: str) -> None:
    """NewArgsMapper: values are cut to the limit, with dots where they have room."""
    mapper = am.new_args_mapper(["arg", "absent"], limit)

    assert mapper({"arg": "foofoofoo", "other": 1}) == {"arg": text}


def test_parse_struct(made: Made) -> None:
    """ParseStruct: relations of a state to itself and contradictions are cleaned away."""
    mach = made("A{remove:[A,B] add:B after:[A,B]} B{}")
    state = mach.get_struct()["A"]

    assert state == am.State(remove=[], add=["B"], after=["B"])


def test_s_merge() -> None:
    """SMerge: names are kept in order, each once; nothing gives nothing."""
    assert am.s_add(["A", "B"], ["B", "C"], "A") == ["A", "B", "C"]
    assert am.s_add([], []) == am.s_add() == []


@pytest.mark.parametrize("tick", [0, 1, 2, 3, 4, 10**30, 10**30 + 1])
def test_is_active_tick(tick: int) -> None:
    """IsActiveTick: odd is active, at any size."""
    assert am.is_active_tick(tick) is (tick % 2 == 1)


class Network(am.StatesBase):
    """States that others may build on."""

    Connected: str
    Closed: str


class Worker(Network):
    """States of its own behind the inherited ones."""

    Working: str


class NetworkGroups(am.GroupsBase):
    """Names that belong together."""

    Link: am.S


def test_states_file() -> None:
    """StatesFile: inherited definitions and groups give names as values."""
    names = am.new_states(Worker)
    groups = am.new_state_groups(NetworkGroups(Link=[names.Connected, names.Closed]))

    assert names.Connected == "Connected"
    assert names.Working == "Working"
    assert names.names() == ["Exception", "Connected", "Closed", "Working"]
    assert groups.Link == ["Connected", "Closed"]
