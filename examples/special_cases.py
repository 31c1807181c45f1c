"""Every situation that a debugger has to show, one short example each.

The machine `contents` shows which case runs and what to look for. The other machines are named
after what they show. Every run makes the same transitions. Do not copy from this program: the
other examples are programs to start from.

    AM_DBG_FILE=run.msgpack.br python examples/special_cases.py    # then: am-dbg -i run.msgpack.br
"""

from __future__ import annotations

import asyncio
import datetime as dt
import decimal
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import amtracer
import machine as am

AB = {"A": am.State(), "B": am.State()}

TEXTS = {
    "markup": "[red]plain[/red] [/] [b [@click=app.quit]x[/] [link=https://example.org]y[/link]",
    "clears the screen": "\x1b[2J\x1b[H \x1b[31mplain\x1b[0m",
    "sets the clipboard": "\x1b]52;c;aGVsbG8=\x07 \x1b]0;title\x07 \x1b]0;without an end",
    "asks the terminal": "\x1b[6n\x1b[c \x1bP+q\x1b\\",
    "C1 controls": "\x9b2J \x9d0;title\x9c \x85next \x90q\x9c",
    "old controls": "bell\x07 back\x08\x08 nul\x00 del\x7f form\x0c vertical\x0b",
    "lines and tabs": "one\ttab\r\ntwo\rreturn\n\nthree\u2028four\u2029five",
    "direction": "\u202egnp.exe\u202c \u2066inside\u2069 \u200fmark",
    "without width": "zero\u200bwidth join\u2060er soft\u00adhyphen mark\ufeff",
    "right to left": "\u0645\u0631\u062d\u0628\u0627 \u05e9\u05dc\u05d5\u05dd \ufdfa \ufdfd",
    "wide": "\u72b6\u614b\u6a5f\u68b0 \uff21\uff22 \ud55c\uad6d",
    "emoji": "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f44d\U0001f3fd \U0001f680",
    "flags and hearts": "\U0001f1e9\U0001f1ea\U0001f1ef\U0001f1f5 \u2764\ufe0f 1\ufe0f\u20e3",
    "accents": "e\u0301 o\u0308\u0323 Z\u0351\u0343\u0302 \u0301alone",
    "broken": "half \udce9 \ud83d end \ufffe \U0010ffff",
    "path": "../../up/./one\\two~ $HOME %s {0} `x` 'q' \"q\"",
    "numbers": "-1 +2 +A -B (a=1 b=2) [state] [error] x",
}
"""Texts that a terminal obeys, hides or draws wrong, unless they are shown as data."""

kept: list[am.Machine] = []


class Stubborn:
    """An object that cannot be printed; a debugger shows its class."""

    def __repr__(self) -> str:
        raise RuntimeError("no text")


def odd_args() -> dict[str, object]:
    """Arguments of all kinds."""
    ring: dict[str, object] = {"name": "ring"}
    ring["self"] = ring
    deep: list[object] = []
    for _ in range(40):
        deep = [deep, deep]
    return {
        "bytes": bytes(1_000_000),
        "text": "long " * 10_000,
        "list": list(range(100_000)),
        "ring": ring,
        "deep": deep,
        "stubborn": Stubborn(),
        "named": (Stubborn, odd_args, am.LogLevel.OPS, None),
        "numbers": (1, -2.5, float("nan"), float("-inf"), 2**64, 1j, True),
        "huge": 7**5_000,
        "moment": dt.datetime(2030, 1, 2, 3, 4, 5, tzinfo=dt.UTC),
        "others": (decimal.Decimal("1.10"), frozenset({"only"}), ValueError("wrong", 3)),
        "": "a key without text",
        "password": "open sesame",
    }


def shown_args(mach_id: str, args: Mapping[str, object]) -> Mapping[str, object]:
    """The arguments that a debugger gets: no passwords."""
    return {key: "***" if key == "password" else value for key, value in args.items()}


def plain(*names: str) -> dict[str, am.State]:
    return {name: am.State() for name in names}


def traced(id: str, states: am.Struct, handlers: object = None, **options: Any) -> am.Machine:
    """A traced machine that lives until the end; its log lines go only to the debugger."""
    mach = am.Machine(None, states, id=id, **options)
    kept.append(mach)
    mach.set_logger_empty(am.LogLevel.OPS)
    amtracer.attach(mach, args_filter=shown_args)
    if handlers is not None:
        mach.bind_handlers(handlers)
    return mach


def refuse(e: am.Event) -> bool:
    return False


def fail(e: am.Event) -> None:
    raise ValueError(f"{e.name} went wrong")


def at_each_phase(mach: am.Machine, names: Sequence[str], handler: Callable[..., Any]) -> None:
    """Go from A to B once for each name, with the handler bound to that name."""
    for name in names:
        mach.set(["A"])
        bound = {name: handler}
        mach.bind_handlers(bound)
        mach.set(["B"], {"handler": name})
        mach.detach_handlers(bound)


def canceled_by_relations() -> None:
    """Canceled by relations: a required state is missing, or an active state removes one."""
    states = {
        "Wet": am.State(require=["Water"]),
        "Dry": am.State(remove=["Wet"]),
        "Rain": am.State(add=["Wet", "Cloud"]),
        "Boat": am.State(require=["Harbour"]),
        **plain("Water", "Cloud"),
    }
    mach = traced("relations", states)
    mach.add1("Wet")
    mach.add(["Dry", "Water"])
    mach.add1("Wet", {"why": "Dry is active and removes it"})
    mach.add1("Rain", {"why": "accepted, though the Wet that comes along is dropped"})
    mach.add(["Cloud", "Boat"], {"why": "no state is called Harbour"})


def canceled_by_handlers() -> None:
    """Canceled by a handler: Exit, Enter, from state to state, and AnyEnter."""
    at_each_phase(traced("denials", AB), ["AExit", "BEnter", "AB", "AnyEnter"], refuse)


def queued() -> None:
    """Queued by a handler: a duplicate, a full queue, a mutation that is denied and tried again."""

    class Chain:
        def FirstState(self, e: am.Event) -> None:
            for state in ("Second", "Second", "Third"):
                e.machine.add1(state)
            for number in range(4):
                e.machine.add1("Third", {"number": number})

        def SecondState(self, e: am.Event) -> None:
            e.machine.remove1("First")

    class Lobby:
        def DoorEnter(self, e: am.Event) -> bool:
            mutation = e.mutation()
            if mutation is not None and not e.machine.is1("Key"):
                e.machine.prepend_mut(mutation)
                e.machine.prepend_mut(e.machine.new_mutation(am.MutationType.ADD, "Key"))
            return e.machine.is1("Key")

    traced("queue", plain("First", "Second", "Third"), Chain(), queue_limit=4).add1("First")
    traced("prepended", plain("Door", "Key"), Lobby()).add1("Door")


def checks() -> None:
    """Checks that change nothing: two pass, a relation denies one, a handler denies one."""
    states = {"Door": am.State(remove=["Alarm"]), "Alarm": am.State(), "Test": am.State()}
    mach = traced("checks", states, {"TestEnter": refuse})
    mach.can_add1("Door")
    mach.add1("Door")
    mach.can_add1("Alarm")
    mach.can_remove1("Door")
    mach.can_add1("Test", {"only": "asked"})


def auto_states() -> None:
    """An automatic transition in which a handler denies one state, then one that is canceled."""
    states = {
        "Lamp": am.State(auto=True, require=["Power"]),
        "Heater": am.State(auto=True, require=["Power"], add=["Warm"]),
        **plain("Power", "Warm"),
    }
    mach = traced("auto", states, {"HeaterEnter": refuse})
    mach.add1("Power")
    mach.remove1("Power", {"why": "both auto states require it"})


def multi_states() -> None:
    """A multi state called again and again: its tick grows by two."""
    mach = traced("multi", {"Start": am.State(), "Message": am.State(multi=True)})
    for number in range(3):
        mach.add1("Message", {"number": number})
    mach.add1("Start")
    mach.add1("Start", {"why": "not multi: accepted, nothing changes"})


def sets_and_removes() -> None:
    """Set, toggle and remove of active and inactive states."""
    mach = traced("set and remove", plain(*"ABCD"))
    mach.set(["A", "B"])
    mach.set(["B", "C"])
    mach.toggle(["C", "D"])
    mach.remove(["B", "D"])
    mach.remove1("D")
    mach.set([])


def errors_in_each_phase() -> None:
    """An error in each phase; final phases are taken back. Then an error in an error handler."""
    mach = traced("errors", AB, am.ExceptionHandler())
    at_each_phase(mach, ["AExit", "BEnter", "AB", "AnyEnter", "AEnd", "BState", "AnyState"], fail)
    mach.add_err(OSError("added by hand"), {"file": "notes.txt"})
    traced("errors of errors", AB, {"BState": fail, "ExceptionState": fail}).add1("B")


def late_handlers() -> None:
    """Handlers that exceed their time limit: one before the change, one after it."""

    def work(e: am.Event) -> None:
        while e.is_valid():
            pass

    mach = traced("timeouts", AB, handler_timeout=0.001)
    at_each_phase(mach, ["BEnter", "BState"], work)


def tasks() -> None:
    """Coroutine handlers: one ends, one is canceled with its state, one fails."""

    class Tasks:
        async def EndsState(self, e: am.Event) -> None:
            await asyncio.sleep(0)

        async def WaitsState(self, e: am.Event) -> None:
            await asyncio.Event().wait()

        async def FailsState(self, e: am.Event) -> None:
            await asyncio.sleep(0)
            raise ValueError("the task went wrong")

    async def live() -> None:
        mach = traced("tasks", plain("Ends", "Waits", "Fails"), Tasks())
        mach.add1("Ends")
        await others()
        mach.add1("Waits")
        await asyncio.sleep(0)
        mach.remove1("Waits")
        await others()
        mach.add1("Fails")
        await others()

    async def others() -> None:
        await asyncio.wait(asyncio.all_tasks() - {asyncio.current_task()})

    asyncio.run(live())


def schema_changes() -> None:
    """The schema grows with another order, then shrinks; earlier transitions keep their schema."""
    mach = traced("schema", plain("Old", "Stays", "Leaves"))
    mach.add(["Old", "Leaves"])
    mach.remove1("Leaves")
    new, stays = am.State(auto=True, require=["Old"]), am.State(remove=["Old"])
    grown = {"New": new, "Stays": stays, **plain("Leaves", "Old")}
    mach.set_struct(grown, list(grown))
    mach.add1("Leaves")
    mach.add1("Stays")
    shrunk = {"Exception": am.State(multi=True), "Stays": am.State()}
    mach.set_struct(shrunk, list(shrunk))
    mach.remove1("Stays")


def twins() -> None:
    """Two machines with one id, first at the same time, then one after the other."""
    for twin in [traced("twin", AB), traced("twin", AB, tags=["second"])]:
        twin.add1("A")
        twin.add1("B")
    with traced("phoenix", AB) as first:
        first.add1("A")
    traced("phoenix", AB).add1("B")


def family() -> None:
    """Parents and children, down to the third generation; a child that outlives its parent."""
    top = traced("family", AB)
    middle = traced("family/child", AB, parent=top)
    low = traced("family/child/grandchild", AB, parent=middle)
    traced("orphan", AB, parent_id="nobody").add1("A")
    for mach in (top, middle, low):
        mach.add1("A")
    middle.dispose_force()
    low.add1("B")


def lost() -> None:
    """A gap of 13 transitions that were not sent; the ticks after it include them."""
    mach = traced("gap", AB)
    mach.add1("A")
    amtracer.pause(mach)
    for _ in range(12):
        mach.toggle1("B")
    mach.remove1("A")
    amtracer.resume(mach)
    mach.add1("B")


def quiet() -> None:
    """A machine without transitions, one with a single one, one that is old when it is attached."""
    traced("does nothing", AB)
    traced("does one thing", AB).add1("A")
    aged = am.Machine(None, AB, id="aged")
    aged.import_(am.Serialized("aged", [2**53 + 1, 1_000_000, 0], ["A", "B", "Exception"]))
    kept.append(aged)
    amtracer.attach(aged)
    aged.add1("B")


def busy() -> None:
    """Thousands of ticks: a state that comes and goes, and a multi state."""
    mach = traced("ticker", {"Beat": am.State(), "Tick": am.State(multi=True)})
    for number in range(1_500):
        mach.add1("Tick")
        if number % 100 == 0:
            mach.toggle1("Beat")


def sources() -> None:
    """Machines that mutate each other, and a mutation from a machine that is not traced."""
    asker, answerer = traced("asker", AB), traced("answerer", AB)
    unseen = am.Machine(None, AB, id="unseen")
    asker.bind_handlers({"AState": lambda e: answerer.ev_add1(e, "A", {"from": "asker"})})
    answerer.bind_handlers({"AState": lambda e: asker.ev_add1(e, "B", {"from": "answerer"})})
    unseen.bind_handlers({"AState": lambda e: answerer.ev_add1(e, "B")})
    asker.add1("A")
    unseen.add1("A")


def waiting() -> None:
    """Waiters and a state context that are released, and a waiter that is not."""
    mach = traced("waiting", {"Ready": am.State(), "Data": am.State(multi=True)})
    mach.when1("Ready").cancel()
    handles = [mach.when1("Ready"), mach.when_args("Data", {"id": 7})]
    mach.add1("Ready")
    ctx = mach.new_state_ctx("Ready")
    handles += [mach.when_not1("Ready"), mach.when_ticks("Data", 9), mach.when1("Data", ctx)]
    mach.add1("Data", {"id": 6})
    mach.remove1("Ready")
    mach.add1("Data", {"id": 7})
    assert [handle.done for handle in handles] == [True, True, True, False, True]


def evals() -> None:
    """Functions between two transitions: one raises, one has a context that has ended."""
    mach = traced("eval", AB)
    mach.eval("statistics", mach.time_sum)
    mach.add1("A")
    ended = am.Context()
    ended.cancel()
    mach.eval("nobody wants it", mach.time_sum, ended)
    try:
        mach.eval("division", lambda: 1 // 0)
    except ZeroDivisionError as error:
        mach.add_err(error)


def log_levels() -> None:
    """The same mutations at each of five log levels, with lines between the transitions."""
    states = {"A": am.State(add=["B"]), "B": am.State(auto=True), "C": am.State(require=["B"])}
    mach = traced("levels", states, {"AState": lambda e: e.machine.log("my own line")})
    for level in am.LogLevel:
        mach.set_logger_empty(level)
        for line_level in am.LogLevel:
            mach.log_lvl(line_level, f"a line of level {line_level:d}, between transitions")
        mach.add(["A", "C"])
        mach.remove1("A")
        mach.set([])


def lines() -> None:
    """Empty lines, a line over 64 KiB, a line of several rows, more lines than are kept."""

    def write_lines(e: am.Event) -> None:
        mach = e.machine
        mach.log("")
        mach.log_lvl(am.LogLevel.CHANGES, "")
        mach.log_lvl(am.LogLevel.CHANGES, "first row\n\n  third row\n\twith a tab\r\nlast row\n")
        mach.log("word " * 14_000)
        mach.log("\u72b6" * 24_000)
        for _ in range(1_100):
            mach.log("one of very many")

    mach = traced("lines", AB, {"AState": write_lines})
    mach.add1("A")
    mach.add1("B")


def arguments() -> None:
    """Arguments that are large, circular, unprintable, secret, or too many."""
    mach = traced("arguments", AB)
    mach.add1("A", odd_args())
    mach.add1("B", {f"number {number}": number for number in range(300)})
    mach.remove1("B", {"password": "open sesame", "user": "ann"})


def long_names() -> None:
    """A long id, the longest name of a state, more tags than are kept, blank ids."""
    long_name = "Long" * 250
    wide_name = "\u72b6\u614b" * 500
    states = {long_name: am.State(add=[wide_name]), wide_name: am.State()}
    mach = traced("i" * 10_000, states, tags=[f"tag-{number}" for number in range(2_000)])
    mach.add1(long_name, {long_name: wide_name})
    traced(" ", AB).add1("A")
    traced("\u200b", AB).add1("A")


def texts() -> None:
    """Hostile texts in ids, tags, states, arguments, lines and errors: shown, never obeyed."""
    top = traced("texts", AB)
    for name, text in TEXTS.items():
        states = {text: am.State(tags=[text]), f"Needs {text}": am.State(require=[text])}
        tags = ["text", "_".join(text.split())]
        mach = traced(f"{name} {text}", states, am.ExceptionHandler(), parent=top, tags=tags)
        mach.log_stack_trace = False
        mach.log(text)
        mach.add1(f"Needs {text}")
        mach.add1(text, {text: text, "list": [text, {text: text}]})
        mach.log_lvl(am.LogLevel.CHANGES, text)
        mach.add_err(ValueError(text), {"text": text})


CASES = (
    *(canceled_by_relations, canceled_by_handlers, queued, checks, auto_states, multi_states),
    *(sets_and_removes, errors_in_each_phase, late_handlers, tasks, schema_changes, twins),
    *(family, lost, quiet, busy, sources, waiting, evals),
    *(log_levels, lines, arguments, long_names, texts),
)


def main() -> None:
    logging.getLogger("asyncmachine").addHandler(logging.NullHandler())  # the mistakes are intended
    names = [case.__name__.title().replace("_", "") for case in CASES]
    contents = traced("contents", plain(*names))
    for name, case in zip(names, CASES, strict=True):
        contents.set([name], {"look for": case.__doc__})
        case()
    contents.set([])


if __name__ == "__main__":
    main()
