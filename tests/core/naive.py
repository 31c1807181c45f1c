"""A machine written down from the rules, word for word, with neither memory nor speed.

It shares no code with `machine`: states are names, sets are lists, and everything is worked
out each time. It has relations, handlers, a queue, auto states and errors, and it notes
what a log and a tracer would. What it lacks is what the rules of transitions do not need:
waiters, threads, timeouts in real time, disposal.

A handler is a function of the model and the handler's name. It answers True or False, and
raises `Failure` to fail, or `Lateness` to be late.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

EXECUTED, CANCELED, QUEUED = "executed", "canceled", "queued"
EXCEPTION = "Exception"
FINAL = ("end", "state", "finally")
LISTS = ("require", "add", "remove", "after")

Handler = Callable[["Naive", str], bool]
Question = tuple[str, str, str]


class Failure(Exception):
    """What a handler raises."""


class Lateness(Exception):
    """A handler took longer than it may."""


@dataclass
class Wanted:
    """A mutation in the queue."""

    kind: str
    called: list[str]
    args: bool = False
    auto: bool = False
    source: int | None = None
    turned: bool = False  # made by a toggle
    result: str = QUEUED


@dataclass
class Trail:
    """What resolution shows: steps and log lines."""

    steps: list[str] = field(default_factory=list)
    lines: list[list[Any]] = field(default_factory=list)

    def line(self, level: int, tag: str, names: list[str]) -> None:
        if names:
            self.lines.append([level, f"[{tag}] {' '.join(names)}"])


@dataclass
class Tx:
    """A transition that is carried out."""

    wanted: Wanted
    number: int
    before: list[str]
    target: list[str] = field(default_factory=list)
    exits: list[str] = field(default_factory=list)
    enters: list[str] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    barred: list[str] = field(default_factory=list)  # nobody may add these
    suspected: set[str] = field(default_factory=set)  # before it
    failed: set[str] = field(default_factory=set)  # auto states, in this very transition
    accepted: bool = True

    @property
    def about_error(self) -> bool:
        return EXCEPTION in self.wanted.called


class Relations:
    """The states, which of them are active, and what relations make of a call."""

    def __init__(self, struct: Mapping[str, Any], order: list[str] | None = None) -> None:
        self.states = {name: self._clean(name, struct) for name in struct}
        if EXCEPTION not in struct:
            self.states[EXCEPTION] = self._clean(EXCEPTION, {EXCEPTION: {"multi": True}})
        self.names = order or [*self.states]
        self.active: list[str] = []
        self.ticks = dict.fromkeys(self.names, 0)
        self.survivors: list[str] = []

    def _clean(self, name: str, struct: Mapping[str, Any]) -> dict[str, Any]:
        given, known = struct[name], {*struct, EXCEPTION}
        if not isinstance(given, Mapping):
            given = {key: getattr(given, key) for key in (*LISTS, "auto", "multi")}
        state = {key: list(given.get(key) or ()) for key in LISTS}
        for key in ("add", "remove", "after"):
            state[key] = [target for target in state[key] if target in known]
        state["remove"] = [r for r in state["remove"] if r != name and r not in state["add"]]
        state["after"] = [a for a in state["after"] if a != name]
        return {**state, "auto": given.get("auto"), "multi": given.get("multi")}

    def resolve(
        self, wanted: Wanted, called: list[str], barred: list[str], trail: Trail
    ) -> list[str]:
        """The targets in handler order, whether they are accepted or not."""
        kind, active = wanted.kind, self.active
        if kind == "remove":
            states, barred = [name for name in active if name not in called], called
        else:
            rest = [name for name in active if name not in called] if kind == "add" else []
            states = [*called, *rest]
        states = self._add(states, barred, trail)
        states = self._require(states, called, wanted.auto, trail)
        self.survivors = states = self._remove(states, trail)
        gone = [name for survivor in states for name in self.states[survivor]["remove"]]
        states = self._add(states[::-1], barred, trail)
        states = [name for name in states if name not in gone]
        states = self._require(states[::-1], called, wanted.auto, trail)
        return self.sort(states, trail)

    def _add(self, states: list[str], barred: list[str], trail: Trail) -> list[str]:
        found = list(states)
        for name in states:
            if name in self.active and not self.states[name]["multi"]:
                continue
            brought = [target for target in self.states[name]["add"] if target not in barred]
            trail.steps += [f"rel.add {name}>{target}" for target in brought]
            trail.steps += [f"set >{target}" for target in brought]
            found += brought
        return list(dict.fromkeys(found))

    def _require(self, states: list[str], called: list[str], auto: bool, trail: Trail) -> list[str]:
        lacking: dict[str, list[str]] = {}
        while True:
            for name in states:
                for required in self.states[name]["require"]:
                    trail.steps.append(f"rel.require {name}>{required}")
                    if required not in states:
                        trail.steps.append(f"removenotactive {name}>")
                        trail.steps += [f"cancel >{required}"] * (name in called)
                        lacking.setdefault(name, []).append(f"-{required}")
            kept = [n for n in states if all(r in states for r in self.states[n]["require"])]
            if kept == states:
                break
            states = kept
        texts = [f"{name}({' '.join(missing)})" for name, missing in lacking.items()]
        trail.line(3 if auto else 2, "reject" + ":auto" * auto, texts)
        return states

    def _remove(self, states: list[str], trail: Trail) -> list[str]:
        blocked: list[str] = []
        for name in reversed(states):
            against = [other for other in states if name in self.states[other]["remove"]]
            trail.steps += [f"rel.remove {other}>{name}" for other in against]
            by = [other for other in against if other not in blocked]
            if by:
                blocked.append(name)
                was = name in self.active
                trail.steps.append(f"remove{'' if was else 'notactive'} >{name}")
                trail.line(2 if was else 3, "rel:remove", [name, "by", *by])
        return [name for name in states if name not in blocked]

    def sort(self, states: list[str], trail: Trail) -> list[str]:
        """By Require, then by After."""
        order = self._require_order()
        if order is not None:
            states = sorted(states, key=lambda name: order.index(name) if name in order else -1)
        waiting, taken = list(states), []
        while waiting:
            ready = [n for n in waiting if not {*self.states[n]["after"]} & {*waiting} - {n}]
            name = (ready or waiting)[0]
            earlier = [other for other in self.states[name]["after"] if other in taken]
            trail.steps += [f"rel.after {other}>{name}" for other in earlier]
            taken.append(name)
            waiting.remove(name)
        return taken

    def _require_order(self) -> list[str] | None:
        order: list[str] = []

        def visit(name: str, above: tuple[str, ...]) -> bool:
            if name in above:
                return False
            if name in order or name not in self.states:
                return True
            if not all(visit(r, (*above, name)) for r in self.states[name]["require"]):
                return False
            order.append(name)
            return True

        requiring = [name for name in self.names if self.states[name]["require"]]
        return order if all(visit(name, ()) for name in requiring) else None

    def may_try(self, name: str) -> bool:
        """Whether it is an inactive auto state that no active state removes."""
        blocked = any(name in self.states[other]["remove"] for other in self.active)
        return bool(self.states[name]["auto"]) and name not in self.active and not blocked


class Naive(Relations):
    """A machine with a queue and handlers."""

    skips = True  # duplicates are skipped

    def __init__(
        self,
        struct: Mapping[str, Any],
        order: list[str] | None = None,
        handlers: tuple[Mapping[str, Handler], ...] = (),
        *,
        queue_limit: int = 1000,
        id: str = "",
    ) -> None:
        super().__init__(struct, order)
        self.id, self.handlers, self.queue_limit = id, handlers, queue_limit
        self.queue: list[Wanted] = []
        self.tx: Tx | None = None
        self.running = ""
        self.question: Question = ("", "", "")
        self.held: set[str] = set()
        self.suspected: set[str] = set()
        self.draining = False
        self.sums: list[int] = []  # of all ticks before each transition
        self.err = ""
        self.errors: list[str] = []
        self.events: list[str] = []
        self.txs: list[dict[str, Any]] = []
        self.log: list[list[Any]] = []

    # -- mutations

    def mutate(
        self, kind: str, called: list[str], *, args: bool = False, source: bool = False
    ) -> str:
        """Make a mutation: run it, or leave it in the queue."""
        called = list(dict.fromkeys(called))
        turned = kind == "toggle"
        if turned:
            kind = self._turn(called)
        if len(self.queue) >= self.queue_limit and not self._enters_full(kind, called, source):
            return CANCELED
        idle = kind == "remove" and not any(name in self.active for name in called)
        if idle and self.draining and not self.queue:
            return EXECUTED
        number = self.tx.number if source and self.tx else None
        wanted = Wanted(kind, called, args, source=number, turned=turned)
        equal = self._equal(wanted)
        if equal is not None:
            self._say(2, f"[queue:skipped] Duplicate detected for [{kind}] {' '.join(called)}")
            wanted = equal
        else:
            self.queue.append(wanted)
            self._say(2, f"[queue:{kind}] {' '.join(called)}")
        if self.draining:
            count = len(self.queue)
            self._say(2, f"[postpone] queue running ({count} item{'s' * (count != 1)})")
            return QUEUED
        self._drain()
        return wanted.result

    def _turn(self, called: list[str]) -> str:
        """What a toggle comes to: behind a toggle of the same states, to the opposite."""
        kinds = ["add", "remove"]
        if all(name in self.active for name in called):
            kinds.reverse()
        last = self.queue[-1] if self.queue else None
        if last and last.turned and {*last.called} == {*called} and last.kind == kinds[0]:
            kinds.reverse()
        return kinds[0]

    def _enters_full(self, kind: str, called: list[str], source: bool) -> bool:
        is_err = EXCEPTION in self.active
        return not source and EXCEPTION in called and kind == ("remove" if is_err else "add")

    def _equal(self, new: Wanted) -> Wanted | None:
        """The last one in the queue, if it makes the new one superfluous."""
        if not self.skips or not self.queue:
            return None
        last, called = self.queue[-1], new.called
        if last.kind != new.kind or {*last.called} != {*called}:
            return None
        if last.args or new.args or last.auto or any(self.states[n]["multi"] for n in called):
            return None
        return last if self._lasts(new.kind, called) else None

    def _lasts(self, kind: str, called: list[str]) -> bool:
        """Do relations make nothing of the same mutation when it is made once more."""
        if kind == "set":
            return not any(self.states[name]["add"] for name in called)
        again = [name for name in self.names if self.states[name]["multi"]]
        if kind == "remove":
            autos = [name for name in self.names if self.states[name]["auto"]]
            return not {*called} & {*autos, *self._brought([*autos, *again])}
        if any({*called} & {*self.states[name]["remove"]} for name in called):
            return True
        brought = self._brought([*called, *again])
        return not any(self.states[name]["remove"] for name in brought)

    def _brought(self, names: list[str]) -> list[str]:
        first = [added for name in names for added in self.states[name]["add"]]
        return first + [added for name in first for added in self.states[name]["add"]]

    def add_err(self, text: str, state: str = EXCEPTION) -> str:
        """Add an error, unless an error is being handled here."""
        if self.tx is not None:
            if self.tx.about_error:
                return CANCELED
            self._hold_back(self.question)
        self._note(text)
        return self.mutate("add", [state, EXCEPTION], args=True)

    def _note(self, text: str) -> None:
        self.err = text
        self.errors.append(text)

    def _say(self, level: int, text: str) -> None:
        self.log.append([level, text])

    def _drain(self) -> None:
        self.draining = True
        while self.queue:
            wanted = self.queue.pop(0)
            wanted.result = EXECUTED if self.carry_out(wanted) else CANCELED
        self.draining = False
        self.events.append("QueueEnd")

    # -- one transition

    def carry_out(self, wanted: Wanted) -> bool:
        """Run one transition to its end; was it accepted."""
        self.tx = tx = Tx(wanted, len(self.sums), list(self.active))
        self.events.append("TransitionInit")
        kind, called = wanted.kind, wanted.called
        level, tag = (3, f"{kind}:auto") if wanted.auto else (2, kind)
        self._say(level, f"[{tag}] {' '.join(called)}")
        if wanted.source is not None:
            self._say(2, f"[source] {self.id}/<tx>/{self.sums[wanted.source]}")
        ticks = dict(self.ticks)
        self.sums.append(sum(ticks.values()))
        self._request(tx)
        tx.barred, tx.suspected = [*self.held] if wanted.auto else [], set(self.suspected)
        self._decide(tx, called)
        self.events.append("TransitionStart")
        if tx.accepted:
            tx.accepted = self._negotiate(tx)
            if tx.accepted:
                self._apply(tx, ticks)
                tx.accepted = self._finish(tx)
        self._follow(tx, changed=ticks != self.ticks)
        return tx.accepted

    def _request(self, tx: Tx) -> None:
        kind, called = tx.wanted.kind, tx.wanted.called
        tx.steps += [f"requested >{name}" for name in called]
        if kind == "remove":
            tx.steps += [f"remove >{name}" for name in called]
            return
        tx.steps += [f"set >{name}" for name in called if name not in self.active]
        if kind == "set":
            tx.steps += [f"remove >{name}" for name in self.active if name not in called]

    def _decide(self, tx: Tx, called: list[str]) -> None:
        """Targets, acceptance, exits and enters, with the steps and lines of that."""
        trail = Trail()
        tx.target = self.resolve(tx.wanted, called, tx.barred, trail)
        before, kind = self.active, tx.wanted.kind
        new = [name for name in tx.target if name not in before and name not in called]
        trail.line(2, "implied", new)
        there = [name for name in called if name in tx.target]
        tx.accepted = kind == "remove" or (bool(there) if tx.wanted.auto else there == called)
        tx.exits, tx.enters = [], []
        if tx.accepted:
            tx.exits = self.sort([name for name in before if name not in tx.target], trail)
            again = [name for name in called if self.states[name]["multi"]]
            tx.enters = [name for name in tx.target if name not in before or name in again]
        else:
            missing = [name for name in called if name not in tx.target]
            trail.line(2, "cancel:reject", missing)
            trail.steps += [f"cancel >{name}" for name in missing]
        tx.steps += trail.steps
        self.log += trail.lines

    def _negotiations(self, tx: Tx) -> Iterator[tuple[str, Question]]:
        """Handler names in order, and what each is about: its phase, from and to."""
        for name in tx.exits:
            yield f"{name}Exit", ("exit", name, "")
        for name in tx.enters:
            yield f"{name}Enter", ("enter", "", name)
        if tx.wanted.kind != "remove":
            for name in tx.wanted.called:
                if name in tx.before:
                    yield f"{name}{name}", ("self", name, "")
        for name in self.names:
            if name in tx.before:
                for target in tx.target:
                    if target != name:
                        yield f"{name}{target}", ("pair", name, target)
        yield "AnyEnter", ("any", "Any", "Any")

    def _negotiate(self, tx: Tx) -> bool:
        """Ask each handler once; an auto transition goes on without what is refused."""
        asked: set[Question] = set()
        while True:
            left = [one for one in self._negotiations(tx) if one[1] not in asked]
            if not left:
                return True
            name, question = left[0]
            asked.add(question)
            if self._call(tx, name, question):
                continue
            tag = "cancel:self" if question[0] == "self" else "cancel"
            self._say(2, f"[{tag}] ({' '.join(tx.target)}) by {name}")
            refused = question[2]
            entering = question[0] in ("enter", "pair") and refused not in tx.before
            if not (tx.wanted.auto and entering):
                return False
            tx.barred.append(refused)
            called = [name for name in tx.wanted.called if name not in tx.barred]
            self._decide(tx, called)
            if not tx.accepted:
                return False

    def _call(self, tx: Tx, name: str, question: Question) -> bool:
        """Call what is bound to a name; False for a denial, a failure, a lateness."""
        bound = [(n, by[name]) for n, by in enumerate(self.handlers) if name in by]
        self.running, self.question = name, question
        try:
            for number, handler in bound:
                self._say(2, f"[handler:{number}] {name}")
                self.events.append(f"HandlerStart:{name}")
                try:
                    passed = handler(self, name)
                finally:
                    self.events.append(f"HandlerEnd:{name}")
                if not passed and question[0] not in FINAL:
                    return False
            return True
        except Failure as failure:
            self._fail(tx, question, str(failure))
            return False
        except Lateness:
            self._be_late(tx, name, question)
            return False
        finally:
            self.running = ""
            if bound:
                tx.steps.append(step_of(question))

    def _fail(self, tx: Tx, question: Question, text: str) -> None:
        self._say(2, "[recover] handling panic...")
        if not tx.about_error:
            if question[0] in FINAL:
                self._revert(tx, question)
            self._note(text)
            self.queue.insert(0, Wanted("add", [EXCEPTION], args=True))
        self._hold_back(question)
        self._say(2, f"[cancel] ({' '.join(tx.target)}) by recover")

    def _be_late(self, tx: Tx, name: str, question: Question) -> None:
        self._say(2, f"[cancel] ({' '.join(tx.target)}) by timeout")
        self._hold_back(question)
        if not tx.about_error:
            self._note(f"handler timeout: {name}")
            full = len(self.queue) >= self.queue_limit
            if not (full and EXCEPTION in self.active):
                self.queue.append(Wanted("add", [EXCEPTION], args=True, source=tx.number))

    def _apply(self, tx: Tx, before: dict[str, int]) -> None:
        for name in tx.exits:
            self.ticks[name] += 1
        for name in tx.enters:
            self.ticks[name] += 2 if name in self.active else 1
        anew = [f"+{name}" for name in tx.enters if name not in self.active]
        again = [f"+{name}" for name in tx.enters if name in self.active]
        self.active = list(tx.target)
        if self.ticks != before and not tx.wanted.auto and not tx.about_error:
            self.held = set(tx.failed)
            self.suspected.clear()
        texts = [*anew, *again, *(f"-{name}" for name in tx.exits)]
        if texts:
            self._say(1, f"[state{':auto' * tx.wanted.auto}] {' '.join(texts)}")

    def _finish(self, tx: Tx) -> bool:
        calls = [(f"{name}End", ("end", name, "")) for name in tx.exits]
        calls += [(f"{name}State", ("state", name, "")) for name in tx.enters]
        calls.append(("AnyState", ("finally", "Any", "Any")))
        return all(self._call(tx, name, question) for name, question in calls)

    def _revert(self, tx: Tx, question: Question) -> None:
        """Take back the states whose final handlers did not complete."""
        phase, name, _ = question
        back = tx.exits[tx.exits.index(name) :] if phase == "end" else []
        out = list(tx.enters) if phase == "end" else []
        if phase == "state":
            out = tx.enters[tx.enters.index(name) :]
        self.active = [name for name in self.active if name not in out] + back
        self._say(2, f"[recover] partial final states as ({' '.join(self.active)})")
        for changed in (*back, *out):
            self.ticks[changed] += 1
        if back or out:
            texts = [*(f"+{name}" for name in back), *(f"-{name}" for name in out)]
            self._say(1, f"[state] {' '.join(texts)}")

    def _hold_back(self, question: Question) -> None:
        """The auto states to which a failed handler belongs wait for another change."""
        tx = self.tx
        assert tx is not None
        phase, source, target = question
        about = source if phase == "state" else target
        tried = phase in ("enter", "pair", "state") and about in tx.enters
        own = {about} if tried and self.states[about]["auto"] else set()
        self.held |= own
        tx.failed |= own
        called = tx.wanted.called
        if tx.wanted.auto and not own & {*called}:
            leading = {name for name in called if {source, target} & self._reach(name)}
            leading = leading or {name for name in called if name in tx.target}
            self.held |= leading & tx.suspected
            self.suspected |= leading

    def _reach(self, name: str) -> set[str]:
        """What a state adds, directly or not, and what any of these removes."""
        added = {name, *self.states[name]["add"]}
        for other in self.states[name]["add"]:
            added |= {*self.states[other]["add"]}
        return added | {gone for other in added for gone in self.states[other]["remove"]}

    def _follow(self, tx: Tx, *, changed: bool) -> None:
        """The auto states, and what a tracer gets at the end."""
        if tx.accepted and changed and not tx.wanted.auto:
            autos = [n for n in self.names if self.may_try(n) and n not in self.held]
            if autos:
                self._say(2, f"[auto] {' '.join(autos)}")
                self.queue.insert(0, Wanted("add", autos, auto=True))
        self.tx = None
        self.events.append("TransitionEnd")
        wanted = tx.wanted
        told = {
            "type": wanted.kind,
            "called": wanted.called,
            "auto": wanted.auto,
            "accepted": tx.accepted,
            "after": [*self.ticks.values()],
            "target": tx.target,
            "exits": tx.exits,
            "enters": tx.enters,
            "steps": tx.steps,
            "queue": len(self.queue),
            "source": wanted.source,
        }
        self.txs.append(told)


def step_of(question: Question) -> str:
    """How the step of a handler is written."""
    phase, source, target = question
    flags = {"self": ".self", "end": ".final", "state": ".final.enter"}.get(phase, "")
    return f"handler{flags} {source}>{target}"
