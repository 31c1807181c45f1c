"""The log: its levels, where lines go, and every line there is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import machine as am
from machine._logging import level_from_env

Made = Callable[..., am.Machine]
Watch = Callable[..., list[str]]
LogOf = Callable[..., list[str]]

NOTHING, CHANGES, OPS, DECISIONS, EVERYTHING = am.LogLevel


class Levels:
    """Notes lines with their levels, without the id."""

    def __init__(self, mach: am.Machine) -> None:
        self.lines: list[tuple[int, str]] = []
        mach.set_log_id(False)
        mach.set_log_level(EVERYTHING)
        mach.set_logger(lambda level, text, *args: self.lines.append((level, text % args)))

    def level_of(self, start: str) -> int:
        """The level of the first line that begins like this."""
        return next((level for level, line in self.lines if line.startswith(start)), -1)


def test_a_line_is_reported_up_to_the_machines_level(made: Made) -> None:
    """Lower levels show less, and each level includes those below."""
    counts = []
    for level in am.LogLevel:
        mach = made("A{auto} B{}")
        lines: list[str] = []
        mach.set_logger_simple(lambda text, *args, lines=lines: lines.append(text), level)
        mach.bind_handlers({"BState": lambda e: None})
        mach.add1("B")
        counts.append(len(lines))

    assert counts[0] == 0
    assert counts == sorted(counts)
    assert len(set(counts)) == len(counts)


def test_levels_of_a_transitions_lines(made: Made) -> None:
    """Each line has the level of its importance."""
    mach = made(
        "A{require:B} B{} C{add:J remove:B} D{} J{} E{remove:F} F{auto} G{auto require:H} H{}",
        log_args=am.new_args_mapper(["n"]),
    )
    log = Levels(mach)
    mach.bind_handlers({"BState": lambda e: [mach.add1("D"), mach.add1("D")]})
    mach.bind_handlers({"HEnter": lambda e: False, "DD": lambda e: False})
    mach.bind_handlers({"HExit": lambda e: None})

    mach.add1("A")
    mach.add1("B", {"n": 1})
    mach.add1("C")
    mach.add1("D")
    mach.add1("H")
    mach.add1("E")
    mach.add1("F")

    for start, level in {
        "[queue:add] B": OPS,
        "[queue:skipped] Duplicate detected for [add] D": OPS,
        "[postpone] queue running (1 item)": OPS,
        "[add] B (n=1)": OPS,
        "[add:auto] F G": DECISIONS,
        "[rel:remove] B by C": OPS,
        "[rel:remove] F by E": OPS,
        "[reject] A(-B)": OPS,
        "[reject:auto] G(-H)": DECISIONS,
        "[implied] J": OPS,
        "[cancel:reject] A": OPS,
        "[handle:_______________] BEnter": EVERYTHING,
        "[handler:0] BState": OPS,
        "[handler:end] BState": EVERYTHING,
        "[cancel] (": OPS,
        "[cancel:self] (D": OPS,
        "[state] +B (n=1)": CHANGES,
        "[state:auto] +F": CHANGES,
        "[auto] F G": OPS,
        "[auto:rel:remove] F by E": EVERYTHING,
    }.items():
        assert log.level_of(start) == level, start
    assert (DECISIONS, "[rel:remove] F by E") in log.lines


def test_levels_of_the_other_lines(made: Made) -> None:
    """What is bound, waited for, evaluated, exported, and how a machine ends."""
    mach = made()
    log = Levels(mach)
    tracer, handlers = am.Tracer(), {"AState": lambda e: mach.log("reported")}
    mach.bind_tracer(tracer)
    mach.bind_handlers(handlers)
    mach.verify_states(mach.state_names())
    made().import_(mach.export())
    handles = [mach.when1("A"), mach.when_not1("A"), mach.when_args("A", {"k": 1})]
    handles.append(mach.when_time(["A", "B"], [1, 0]))
    mach.add1("A", {"k": 1})
    mach.new_state_ctx("A")
    mach.remove1("A")
    handles.append(mach.when_not(["C", "A"]))
    mach.add_breakpoint(["B"], [])
    mach.add1("B")
    mach.is1("X")
    mach.eval("me", lambda: None)
    mach.detach_handlers(handlers)
    mach.detach_tracer(tracer)
    mach.dispose_force()

    for start, level in {
        "[tracers] bind Tracer": OPS,
        "[handlers] bind 0": OPS,
        "[import] exported at [0 0 0 0 0] ticks": CHANGES,
        "[when:new] A": OPS,
        "[when:match] A": OPS,
        "[whenArgs:new] A (k)": OPS,
        "[whenArgs:match] A (k)": OPS,
        "[whenTime:new] A,B 1,0": OPS,
        "[whenTime:match] A B [1 0]": OPS,
        "[extern:AState] reported": CHANGES,
        "[ctx:new] A": OPS,
        "[ctx:match] A": OPS,
        "[breakpoint] Machine.breakpoint\n": CHANGES,
        "[is] state X not found": DECISIONS,
        "[eval] me": OPS,
        "[eval:end] me": EVERYTHING,
        "[handlers] detach 0": OPS,
        "[tracers] detach Tracer": OPS,
        "[end] doDispose": EVERYTHING,
    }.items():
        assert log.level_of(start) == level, start


@pytest.mark.parametrize("ask", [lambda m: m.is1("X"), lambda m: m.is_(["A", "X"])])
def test_asking_for_an_unknown_state_is_reported(
    made: Made, log_of: LogOf, ask: Callable[[am.Machine], bool]
) -> None:
    """A check of a misspelled name is False, and a line says why; a known name has no line."""
    mach = made("A{} B{}")
    mach.add1("A")
    lines = log_of(mach, EVERYTHING)

    assert not ask(mach)
    assert not mach.is_(["A", "B"])
    assert [line for line in lines if line.startswith("[is]")] == ["[is] state X not found"]


def test_blocked_auto_states_are_reported_also_when_no_other_is_left(
    made: Made, log_of: LogOf
) -> None:
    """The highest level shows why an auto state does not activate."""
    mach = made("A{remove:Z} Z{auto}")
    lines = log_of(mach, EVERYTHING)

    mach.add1("A")

    assert "[auto:rel:remove] Z by A" in lines
    assert not [line for line in lines if line.startswith("[auto]")]


def test_an_import_shows_how_many_ticks_came(made: Made) -> None:
    """The ticks as they were exported, and their sum where they arrive."""
    mach, fresh = made("A{} B{}"), made("A{} B{}")
    mach.verify_states(mach.state_names())
    mach.add(["A", "B"])
    mach.remove1("B")
    old, new = Levels(mach), Levels(fresh)

    fresh.import_(mach.export())

    assert old.lines == [(CHANGES, "[import] exported at [1 2 0] ticks")]
    assert new.lines == [(CHANGES, "[import] imported to 3 ticks")]


def test_a_second_disposal_is_logged(made: Made) -> None:
    """It does nothing else."""
    mach = made()
    log = Levels(mach)
    mach.handle_dispose(lambda name, ctx: None)
    mach.bind_handlers({"AState": lambda e: [mach.dispose(), mach.dispose()]})

    mach.add1("A")
    assert mach.when_disposed().wait(5)

    assert log.level_of("[doDispose] already disposed") == DECISIONS


def test_a_require_cycle_is_logged_when_a_schema_is_taken_in(
    made: Made, struct: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Sorting by Require is then impossible, so states keep the order in which they come."""
    cycle = "A{require:B} B{require:A}"
    line = "[resolver] relation error: state A has a Require cycle for mach\n"

    made(cycle, log_level=CHANGES, log_id=False)
    assert capsys.readouterr().out == line

    mach = made("A{} B{}", log_level=CHANGES, log_id=False)
    mach.set_struct(struct(cycle), ["A", "B"])
    assert capsys.readouterr().out == line


def test_at_everything_each_bound_object_is_named(made: Made, log_of: LogOf) -> None:
    """With the handler or without, its name cut and padded to 15 characters."""

    class Short:
        def AEnter(self, e: am.Event) -> None: ...

    class VeryLongNameOfHandlers:
        pass

    mach = made("A{}")
    mach.bind_handlers(Short())
    mach.bind_handlers(VeryLongNameOfHandlers())
    lines = log_of(mach, EVERYTHING)

    mach.add1("A")

    assert lines == [
        "[queue:add] A",
        "[add] A",
        "[handle:Short__________] AEnter",
        "[handler:0] AEnter",
        "[handler:end] AEnter",
        "[handle:VeryLongNameOfH] AEnter",
        "[handle:Short__________] AnyEnter",
        "[handle:VeryLongNameOfH] AnyEnter",
        "[state] +A",
        "[handle:Short__________] AState",
        "[handle:VeryLongNameOfH] AState",
        "[handle:Short__________] AnyState",
        "[handle:VeryLongNameOfH] AnyState",
    ]


def test_at_everything_unchanged_states_are_listed(made: Made, log_of: LogOf) -> None:
    """Activated ones first, then re-activated, left, and those that just stay."""
    mach = made("A{} B{} M{multi} C{}")
    mach.add(["A", "M", "C"])
    lines = log_of(mach, EVERYTHING)

    mach.set(["B", "M", "A"])

    assert "[state] +B +M -C A" in lines


def test_a_transition_that_changes_nothing_logs_no_states(made: Made, log_of: LogOf) -> None:
    """Not even at the highest level."""
    mach = made()
    mach.add1("A")
    lines = log_of(mach, EVERYTHING)

    mach.add1("A")

    assert [line for line in lines if line.startswith("[state")] == []


def test_lines_begin_with_the_machines_id(made: Made) -> None:
    """Its first five characters, unless that is switched off."""
    mach = made(id="abcdefgh")
    lines: list[str] = []
    mach.set_logger_simple(lambda text, *args: lines.append(text % args), CHANGES)
    assert mach.get_log_id()

    mach.add1("A")
    mach.set_log_id(False)
    mach.add1("B")

    assert not mach.get_log_id()
    assert lines == ["[abcde] [state] +A", "[state] +B"]


def test_the_default_logger_prints(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    """To the standard output; setting no logger brings it back."""
    mach = made("A{}", log_level=CHANGES)
    mach.set_logger_empty(CHANGES)
    mach.set_logger(None)
    logger = mach.get_logger()

    mach.add1("A")
    assert logger is not None
    logger(CHANGES, "100%")
    logger(CHANGES, "%d", 100)
    with pytest.raises(ValueError, match="set_logger"):
        mach.set_logger_simple(None, CHANGES)  # type: ignore[arg-type]

    assert capsys.readouterr().out == "[mach] [state] +A\n100%\n100\n"


def test_an_empty_logger_keeps_lines_for_tracers(made: Made, recorder: Any) -> None:
    """The text goes nowhere but into the transitions."""
    mach = made(tracers=[recorder])
    mach.set_logger_empty(CHANGES)
    assert mach.get_logger() is None
    mach.log("before")

    mach.add1("A")

    (tx,) = recorder.txs
    assert list(tx.pre_log_entries) == [am.LogEntry(CHANGES, "[mach] [extern] before")]
    assert tx.log_entries == [am.LogEntry(CHANGES, "[mach] [state] +A")]
    assert repr(tx.log_entries[0]) == "LogEntry(CHANGES, '[mach] [state] +A')"
    assert tx.log_entries[0] != "[mach] [state] +A"
    assert len({*tx.log_entries, am.LogEntry(CHANGES, "[mach] [state] +A")}) == 1


def test_lines_between_transitions_wait_for_the_next_one(made: Made, recorder: Any) -> None:
    """Each is taken once, and what repeats the line before it is left out."""
    mach = made(tracers=[recorder])
    mach.set_logger_empty(CHANGES)
    for text in ("one", "one", "two", "one"):
        mach.log(text)

    mach.add1("A")
    mach.add1("B")

    told = [[entry.text.rpartition(" ")[2] for entry in tx.pre_log_entries] for tx in recorder.txs]
    assert told == [["one", "two", "one"], []]


def test_the_lines_that_wait_have_a_limit(made: Made, recorder: Any) -> None:
    """The latest thousand are kept, and a first one says how many are missing."""
    mach = made(tracers=[recorder], log_id=False)
    mach.set_logger_empty(CHANGES)
    for count in (1_000, 6_000, 1):
        for number in range(count):
            mach.log(str(number))
        mach.add1("A")

    told = [[entry.text for entry in tx.pre_log_entries] for tx in recorder.txs]
    assert [len(lines) for lines in told] == [1_000, 1_001, 1]
    assert told[0][0] == "[extern] 0"
    assert told[1][:2] == ["… (5,000 earlier lines are missing)", "[extern] 5000"]
    assert told[1][-1] == "[extern] 5999"


def test_the_line_about_missing_ones_has_the_id_of_the_machine(made: Made, recorder: Any) -> None:
    """As all others have, unless the machine leaves it out."""
    mach = made(tracers=[recorder], id="worker")
    mach.set_logger_empty(CHANGES)
    for number in range(1_001):
        mach.log(str(number))
    mach.add1("A")

    assert recorder.txs[0].pre_log_entries[0] == am.LogEntry(
        CHANGES, "[worke] … (1 earlier line is missing)"
    )


def test_tracers_are_notified_of_lines_that_wait(made: Made) -> None:
    """Of the first one since the last transition, with the list that all go into."""
    heard: list[tuple[str, Any]] = []

    class Listener(am.Tracer):
        def lines_waiting(self, machine: am.Machine, lines: Any) -> None:
            heard.append((machine.id, lines))

    mach = made(tracers=[Listener()], id="m", log_id=False)
    mach.set_logger_empty(CHANGES)
    mach.log("one")
    mach.log("two")
    mach.add1("A")
    mach.log("three")

    told = [(name, [entry.text for entry in lines]) for name, lines in heard]
    assert told == [("m", ["[extern] one", "[extern] two"]), ("m", ["[extern] three"])]


def test_programs_write_lines_of_their_own(made: Made, log_of: LogOf) -> None:
    """RunningHandler a handler with its name, cut to 15 characters; line ends become spaces."""
    mach = made("VeryLongStateName{}")
    mach.bind_handlers({"VeryLongStateNameState": lambda e: mach.log("in\nside")})
    lines = log_of(mach, CHANGES)

    mach.log("100%")
    mach.log("%s and %d%%", "text", 5)
    mach.add1("VeryLongStateName")
    mach.log("outside")

    assert lines == [
        "[extern] 100%",
        "[extern] text and 5%",
        "[state] +VeryLongStateName",
        "[extern:VeryLongStateNa] in side",
        "[extern] outside",
    ]


def test_a_silent_machine_formats_nothing(made: Made) -> None:
    """Below level CHANGES the arguments of a line are not looked at."""
    made().log("%d", "no number")


def test_companion_packages_write_lines_as_they_are(made: Made, log_of: LogOf) -> None:
    """At whatever level; percent signs are safe without arguments."""
    mach = made()
    lines = log_of(mach, OPS)

    mach.log_lvl(OPS, "[mine] 100%")
    mach.log_lvl(CHANGES, "[mine] %s", "x")
    mach.log_lvl(DECISIONS, "[mine] too much")

    assert lines == ["[mine] 100%", "[mine] x"]


def test_percent_signs_in_names_are_safe(log_of: LogOf) -> None:
    """A logger gets the line as an argument of its format."""
    mach = am.Machine(None, {"100%s": am.State(), "%d": am.State()}, id="%d%s%n")
    lines = log_of(mach)

    mach.add(["100%s", "%d"])

    assert "[state] +100%s +%d" in lines


def test_a_mapper_chooses_the_arguments_shown(made: Made, log_of: LogOf) -> None:
    """Sorted by name; nothing is shown when it chooses none."""
    mach = made()
    lines = log_of(mach, CHANGES)
    assert mach.get_log_args() is None

    mach.add1("A", {"b": 1, "a": 2})
    mapper = am.new_args_mapper(["b", "a"])
    mach.set_log_args(mapper)
    mach.add1("B", {"b": 1, "a": "x" * 30, "c": 3})
    mach.add1("C", {"c": 3})

    assert mach.get_log_args() is mapper
    assert lines == ["[state] +A", f"[state] +B (a={'x' * 17}... b=1)", "[state] +C"]


def test_the_arguments_shown_are_those_at_the_time(made: Made, log_of: LogOf) -> None:
    """What a negotiation handler adds shows in the line of the change."""
    mach = made(log_args=am.new_args_mapper(["n"]))
    mach.bind_handlers({"AEnter": lambda e: e.args.update(n=1)})
    lines = log_of(mach, OPS)

    mach.add1("A", {"m": 0})

    assert "[add] A" in lines
    assert "[state] +A (n=1)" in lines


@pytest.mark.parametrize(
    ("added", "removed", "mutate", "hits"),
    [
        (["A", "B"], [], lambda mach: mach.add(["B", "A"]), 1),
        (["A"], [], lambda mach: mach.add(["A", "B"]), 0),
        (["A"], [], lambda mach: mach.remove1("A"), 0),
        ([], ["A"], lambda mach: mach.remove1("A"), 1),
        ([], ["A"], lambda mach: mach.add1("A"), 0),
        (["A"], [], lambda mach: mach.set(["A"]), 0),
        (["A"], ["B"], lambda mach: mach.add1("A"), 0),
    ],
)
def test_breakpoints(
    made: Made, log_of: LogOf, added: list[str], removed: list[str], mutate: Any, hits: int
) -> None:
    """A line when exactly these states are added, or removed."""
    mach = made(log_stack_trace=False)
    mach.add_breakpoint(["D"], [])
    mach.add_breakpoint(added, removed)
    lines = log_of(mach, CHANGES)

    mutate(mach)

    assert lines.count("[breakpoint] Machine.breakpoint") == hits


def test_a_breakpoint_shows_where_it_was_hit(made: Made, log_of: LogOf) -> None:
    """The stack of the thread that makes the mutation, up to the call."""
    mach = made()
    mach.add_breakpoint("A", [])
    lines = log_of(mach, CHANGES)

    mach.add1("A")

    assert 'mach.add1("A")' in lines[0]


def test_a_breakpoint_is_no_reason_to_log(made: Made) -> None:
    """On a silent machine it changes nothing."""
    mach = made()
    mach.add_breakpoint("A", [])

    assert mach.add1("A") is am.Result.EXECUTED
    assert mach.log_level is NOTHING


@pytest.mark.parametrize(
    ("value", "level"),
    [("", NOTHING), (" ", NOTHING), ("0", NOTHING), ("2", OPS), (" 4\n", EVERYTHING)],
)
def test_the_level_can_come_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    value: str,
    level: am.LogLevel,
) -> None:
    """A number from 0 to 4; empty is the same as not set, and nothing is said of it."""
    monkeypatch.setenv("AM_LOG", value)
    assert am.log_level_from_env() is level

    monkeypatch.delenv("AM_LOG")
    monkeypatch.setenv("MY_LOG", value)
    assert am.log_level_from_env("MY_LOG") is level
    assert am.log_level_from_env() is NOTHING
    assert caplog.text == ""


@pytest.mark.parametrize("value", ["abc", "9", "5", "-1", "2.5", "9" * 5_000, "\x1b[2J", "\udc80"])
def test_what_is_no_level_is_reported_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, value: str
) -> None:
    """One line for each variable, with the values there are; the level is silence."""
    monkeypatch.setattr(level_from_env, "_reported", set())
    monkeypatch.setenv("AM_LOG", value)
    for _ in range(3):
        assert am.log_level_from_env() is NOTHING

    levels = "0 (nothing), 1 (changes), 2 (ops), 3 (decisions), 4 (everything)"
    assert caplog.messages == [
        f"AM_LOG: {value!r:.60} is no log level; there are {levels}; nothing is logged"
    ]

    monkeypatch.setenv("MY_LOG", value)
    assert am.log_level_from_env("MY_LOG") is NOTHING
    assert [text.partition(":")[0] for text in caplog.messages] == ["AM_LOG", "MY_LOG"]


def test_a_level_that_is_none_is_refused(made: Made) -> None:
    """At once, where it is set."""
    with pytest.raises(ValueError, match="log_level is a LogLevel, one of 0 .NOTHING.*, not 9"):
        made().set_log_level(9)


def test_a_logger_that_raises_reaches_the_caller_and_harms_nothing_else(made: Made) -> None:
    """It is the program's own code; the queue is free for the next mutation."""
    mach = made(log_level=CHANGES)

    def fail(level: int, text: str, *args: object) -> None:
        raise OSError("disk full")

    mach.set_logger(fail)
    with pytest.raises(OSError, match="disk full"):
        mach.add1("A")

    mach.set_logger_empty(NOTHING)
    assert mach.add1("B") is am.Result.EXECUTED


def test_a_log_turned_on_by_a_handler_shows_the_rest_of_the_transition(made: Made) -> None:
    """From the next line on."""
    mach = made(log_id=False)
    lines: list[str] = []
    mach.set_logger(lambda level, text, *args: lines.append(text % args))
    mach.bind_handlers({"AEnter": lambda e: mach.set_log_level(CHANGES)})

    mach.add1("A")

    assert lines == ["[state] +A"]


def test_a_logger_set_by_a_handler_may_raise(made: Made) -> None:
    """The error reaches the caller; the states are changed by then, and the machine goes on."""
    mach = made()

    def fail(level: int, text: str, *args: object) -> None:
        mach.set_logger_empty(NOTHING)
        raise OSError("disk full")

    mach.set_logger(fail)
    mach.bind_handlers({"AEnter": lambda e: mach.set_log_level(CHANGES)})

    with pytest.raises(OSError, match="disk full"):
        mach.add1("A")
    assert mach.is1("A")
    assert mach.transition() is None
    assert mach.add1("B") is am.Result.EXECUTED
