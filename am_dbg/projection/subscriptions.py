"""Open work at a moment: waiters, contexts, pipes and tasks.

A program reports what is open in its machines, at any log level (see `am_dbg.store.open_work`).
If there is such a report, log lines only add what came after it. Pipes, and everything in
older recordings and from Go programs, are read from log lines alone.

One line reports that a subscription begins (`[when:new] A B`), another that it ends
(`[when:match] A B`); tasks of handlers have such lines too (`[task:new] AState`). What
exists at a transition follows from replaying those lines in order. Only the newest
`LOOK_BACK_MAX` transitions with such lines are read; the view shows if there are more.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from am_dbg.projection.clean import clean
from am_dbg.query import Filters, Hits, Visible
from am_dbg.store import OpenWorkReport, Track
from amtracer.wire.messages import OpenWorkItem

LOOK_BACK_MAX = 400
EVERYTHING = 4
TASK = "task"

_FIND = ("[when", "[ctx:", "[pipe", "[task:")
_WAIT = re.compile(
    r"^\[(when|whenAny|whenNot|whenTime|whenArgs|whenQueue|whenQueueBelow):(new|match)\] (.*)$",
    re.S,
)
_CTX = re.compile(r"^\[ctx:(new|match)\] (.*)$", re.S)
_PIPE = re.compile(r"^\[pipe-(in|out):(add|remove|unbind)\] (\S+) (?:to|from) (.+)$", re.S)
_GONE = re.compile(r"^\[pipe:gc\] (.+)$", re.S)
_TASK = re.compile(r"^\[task:(new|end|cancel|err)\] (.+)$", re.S)

_VERBS = {
    "when": "when",
    "whenAny": "when any",
    "whenNot": "when not",
    "whenTime": "ticks",
    "whenArgs": "args",
    "whenQueue": "queue",
    "whenQueueBelow": "queue below",
    "whenQuery": "query",
    "whenQueueEnds": "queue ends",
    "whenDisposed": "disposed",
    "ask": "asked",
}


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """A waiter or a context; `since` is the machine's time sum when it began."""

    verb: str
    states: str
    condition: str = ""
    since: int = 0


@dataclass(frozen=True, slots=True)
class PipeRow:
    """A pipe between a state here and another machine."""

    direction: str
    state: str
    mutation: str
    machine: str
    since: int = 0


@dataclass(frozen=True, slots=True)
class TaskRow:
    """Work of a handler that goes on after its transition."""

    handler: str
    since: int = 0


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """All that exists at one moment; `is_cut` if older lines were not looked at.

    `more` counts what is not listed.
    """

    waiting: tuple[WaitingRow, ...] = ()
    pipes: tuple[PipeRow, ...] = ()
    tasks: tuple[TaskRow, ...] = ()
    is_cut: bool = False
    more: int = 0


def subscriptions_at(track: Track, number: int) -> Subscriptions:
    """The waiters, pipes and tasks that are open after a transition."""
    return _subscriptions(track, number, track.open.at(number))


@lru_cache(maxsize=256)
def _subscriptions(track: Track, number: int, picture: OpenWorkReport | None) -> Subscriptions:
    numbers, is_cut = _numbers_with_lines(track, number)
    replay = _Replay()
    for at in numbers:
        if picture is not None and at > picture.number:
            replay.begin(picture)
            picture = None
        transition = track.transition(at)
        time_sum = track.time_sum(at)
        replay.take((text for _, text in transition.pre_lines), time_sum)
        replay.take((text for _, text in transition.lines), time_sum)
    if picture is not None:
        replay.begin(picture)
    waiting, pipes = tuple(replay.waiting.values()), tuple(replay.pipes.values())
    return Subscriptions(waiting, pipes, tuple(replay.tasks), is_cut, replay.more)


def _numbers_with_lines(track: Track, number: int) -> tuple[list[int], bool]:
    """The transitions up to a number that have lines about subscriptions, ascending."""
    found: set[int] = set()
    is_cut = False
    for hits in _hits(track):
        for at in _back(hits, number):
            if len(found) >= LOOK_BACK_MAX:
                is_cut = True
                break
            found.add(at)
    return sorted(found), is_cut


@lru_cache(maxsize=16)
def _hits(track: Track) -> tuple[Hits, ...]:
    visible = Visible(track, Filters(empty=True, health=True, level=EVERYTHING))
    return tuple(Hits(visible, text) for text in _FIND)


def _back(hits: Hits, number: int) -> Iterator[int]:
    at = hits.previous(number + 1)
    while at is not None:
        yield at
        at = hits.previous(at)


class _Replay:
    """Follows the lines from the oldest to the newest."""

    def __init__(self) -> None:
        self.waiting: dict[tuple[str, str], WaitingRow] = {}
        self.pipes: dict[tuple[str, str, str, str], PipeRow] = {}
        self.tasks: list[TaskRow] = []
        self.more = 0

    def begin(self, picture: OpenWorkReport) -> None:
        """Go on from a report of what is open; earlier lines no longer count."""
        self.more = picture.more
        self.tasks = [TaskRow(clean(one.names), one.since) for one in picture.work if is_task(one)]
        self.waiting = {}
        for one in picture.work:
            if not is_task(one):
                verb, names, condition = clean(one.kind), clean(one.names), clean(one.condition)
                waiting = WaitingRow(_VERBS.get(verb, verb), names, condition, one.since)
                self.waiting[_key(verb, names, condition)] = waiting

    def take(self, texts: Iterable[str], time_sum: int) -> None:
        for text in texts:
            if text.startswith("[when"):
                self._wait(text, time_sum)
            elif text.startswith("[ctx:"):
                self._context(text, time_sum)
            elif text.startswith("[pipe"):
                self._pipe(text, time_sum)
            elif text.startswith("[task:"):
                self._task(text, time_sum)

    def _wait(self, text: str, time_sum: int) -> None:
        match = _WAIT.match(text)
        if match is None:
            return
        kind, event, rest = match[1], match[2], clean(match[3])
        states, condition = _condition(kind, rest)
        key = _key(kind, states, condition)
        if event == "new":
            self.waiting[key] = WaitingRow(_VERBS[kind], states, condition, time_sum)
        else:
            self.waiting.pop(key, None)

    def _context(self, text: str, time_sum: int) -> None:
        match = _CTX.match(text)
        if match is None:
            return
        state = clean(match[2])
        if match[1] == "new":
            self.waiting[_key("ctx", state)] = WaitingRow("ctx", state, "", time_sum)
        else:
            self.waiting.pop(_key("ctx", state), None)

    def _pipe(self, text: str, time_sum: int) -> None:
        match, gone = _PIPE.match(text), _GONE.match(text)
        if gone:
            machine = clean(gone[1])
            self.pipes = {key: pipe for key, pipe in self.pipes.items() if key[3] != machine}
        if match:
            direction, mutation, state, machine = (clean(part) for part in match.groups())
            if mutation == "unbind":
                for undone in ("add", "remove"):
                    self.pipes.pop((direction, undone, state, machine), None)
                return
            pipe = PipeRow(direction, state, mutation, machine, time_sum)
            self.pipes[direction, mutation, state, machine] = pipe

    def _task(self, text: str, time_sum: int) -> None:
        """Follow the tasks of a handler; of several, the oldest counts as the one that ended."""
        match = _TASK.match(text)
        if match is None:
            return
        handler = clean(match[2])
        if match[1] == "new":
            self.tasks.append(TaskRow(handler, time_sum))
            return
        ended = next((task for task in self.tasks if task.handler == handler), None)
        if ended is not None:
            self.tasks.remove(ended)


def is_task(one: OpenWorkItem) -> bool:
    """Whether it is the task of a handler, not a waiter."""
    return one.kind == TASK


def _key(kind: str, states: str, condition: str = "") -> tuple[str, str]:
    """The key that the line of a begin and the line of its end share."""
    return kind, f"{states} {condition}".rstrip()


def _condition(kind: str, rest: str) -> tuple[str, str]:
    """The states of a waiter and what it waits for, in one form for `new` and `match`.

    Both `A,B 1,2` and `A B [1 2]` are written; several states are separated by commas in
    some lines and by spaces in others.
    """
    if kind == "whenTime":
        states, _, ticks = rest.rpartition(" ") if "[" not in rest else rest.partition(" [")
        return _spaced(states), _spaced(ticks.strip("[]"))
    if kind == "whenArgs":
        states, _, args = rest.partition(" (")
        return _spaced(states), args.rstrip(")")
    return _spaced(rest), ""


def _spaced(names: str) -> str:
    return " ".join(names.replace(",", " ").split())
