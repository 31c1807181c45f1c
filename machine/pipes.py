"""Pipes: connect a state of one machine to a state of another.

`from machine import pipes`. A pipe is a final handler of the source that mutates the
target. `bind` lets a state of the target follow one of the source, `bind_any` and `bind_all`
let it follow several; the target is brought into line at once. The other `bind_...` calls bind
the usual states. All of them return a `Pipe`, and `pipe.remove()` or `unbind` undoes them.
`add` and `remove` make single handlers, for `bind_handlers`.

The target is mutated while the source's handler runs, by the same thread, and its own
transition counts as time of that handler. If the target is busy, the mutation is queued
there; so machines may be piped in a circle, and the last pipe of the circle only queues.
A state that is active before the pipe is bound is not sent to the target, except by
`bind`, `bind_any` and `bind_all`.

The target gets a copy of the source's arguments, and the source's transition as the source
of its own. The target may refuse the mutation; the source is not notified of that. A state
that begins with `Err` is always added along with `Exception`; if the arguments have an
error, it becomes the error of the target. Pipes of errors may lead in a circle: an error
that comes back to a machine which still handles it is only logged there
(`_calling.nested_errors`).

Both machines write a line for each pipe, and one when the other is disposed; a debugger
shows pipes by these lines, so they need a log level of OPS. A source keeps its targets
alive, a target does not keep its sources.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from machine._enums import CANCELED, LogLevel
from machine._given import checked_name
from machine._machine.piping import JoinedPipe, Pipe
from machine._schema.state import EXCEPTION, is_error_state
from machine.errors import StateMissingError

if TYPE_CHECKING:
    from machine._enums import Result
    from machine._machine.machine import Machine
    from machine._transition.event import Event

__all__ = [
    "Pipe",
    "add",
    "bind",
    "bind_all",
    "bind_any",
    "bind_connected",
    "bind_err",
    "bind_ready",
    "bind_start",
    "remove",
    "unbind",
]

Handler = Callable[["Event"], object]
Peers = WeakKeyDictionary["Machine", None]

_peers_lock = threading.Lock()  # held only to read or change `_peers`
_peers: WeakKeyDictionary[Machine, Peers] = WeakKeyDictionary()


def add(source: Machine, target: Machine, source_state: str, target_state: str = "") -> Handler:
    """A final handler that adds a state to the target; by default the state of that name.

    It has to be bound to the source under the name of a handler of `source_state`. Raises
    for a state that a machine does not have.
    """
    target_state = _checked_target("add", source, target, source_state, target_state)
    if not is_error_state(target_state):
        return lambda event: target.ev_add1(event, target_state, {**event.args})
    states = (target_state, EXCEPTION)

    def add_error(event: Event) -> Result:
        """Add the error with its own trace, since it was raised elsewhere."""
        error = event.args.get("err")
        if isinstance(error, BaseException) and not target._disposing:
            if target._log_if_nested(error):
                return CANCELED
            target._store_err(error)
        return target.ev_add(event, states, {**event.args})

    return add_error


def remove(source: Machine, target: Machine, source_state: str, target_state: str = "") -> Handler:
    """A final handler that removes a state from the target; otherwise like `add`."""
    target_state = _checked_target("remove", source, target, source_state, target_state)
    return lambda event: target.ev_remove1(event, target_state, {**event.args})


def bind(source: Machine, state: str, target: Machine, target_state: str = "") -> Pipe:
    """Let a state of the target follow one of the source; by default the state of that name.

    Each activation of the source's state adds the target's, and its end removes it. If the
    source's state is active now, the target's is added at once. A disposed source has no
    active states, and the disposal of the target removes the pipe.
    """
    return _join(any, ((source, state),), target, target_state or state)


def bind_any(sources: Iterable[tuple[Machine, str]], target: Machine, target_state: str) -> Pipe:
    """Let a state of the target be active while any of these states is; otherwise like `bind`.

    `sources` are pairs of a machine and a state; the machines may run in several threads.
    """
    return _join(any, sources, target, target_state)


def bind_all(sources: Iterable[tuple[Machine, str]], target: Machine, target_state: str) -> Pipe:
    """Let a state of the target be active while all of these states are; like `bind_any`."""
    return _join(all, sources, target, target_state)


def unbind(source: Machine, target: Machine, state: str = "") -> int:
    """Remove the pipes from a source to a target, and return how many there were.

    With a state, only those that begin at this state of the source. A pipe of several states
    or sources is removed as a whole. Handlers of `add` and `remove` that were bound by hand
    are not found; `detach_handlers` detaches those.
    """
    if state:
        source.must_parse_states(state)
    found = [
        pipe
        for pipe in list(source._pipes or ())
        if isinstance(pipe, Pipe)
        and pipe.target is target
        and any(one is source and state in ("", name) for one, name in pipe.sources())
    ]
    return sum(pipe.remove() for pipe in found)


def bind_ready(
    source: Machine, target: Machine, active_state: str = "", inactive_state: str = ""
) -> Pipe:
    """Pipe `Ready`: it adds one state to the target, its end removes one; by default `Ready`."""
    pipe = Pipe(target)
    _bind_both(pipe, source, "Ready", active_state, inactive_state)
    return pipe


def bind_start(
    source: Machine, target: Machine, active_state: str = "", inactive_state: str = ""
) -> Pipe:
    """Pipe `Start`: it adds one state to the target, its end removes one; by default `Start`."""
    pipe = Pipe(target)
    _bind_both(pipe, source, "Start", active_state, inactive_state)
    return pipe


def bind_err(source: Machine, target: Machine, target_err: str = EXCEPTION) -> Pipe:
    """Pipe every error of the source into an error state of the target.

    The target's `err` is the same error then. Errors stay active in the target when they
    are removed from the source.
    """
    pipe, handler = Pipe(target), add(source, target, EXCEPTION, target_err)
    pipe._attach(source, EXCEPTION, {f"{EXCEPTION}State": handler}, target_err)
    return pipe


def bind_connected(
    source: Machine,
    target: Machine,
    disconnected: str = "",
    connecting: str = "",
    connected: str = "",
    disconnecting: str = "",
) -> Pipe:
    """Pipe the states of a connection (`machine.states.ConnectedStatesDef`), those named.

    Each adds its state to the target when it begins and removes it when it ends.
    """
    named = {
        "Disconnected": disconnected,
        "Connecting": connecting,
        "Connected": connected,
        "Disconnecting": disconnecting,
    }
    pipe = Pipe(target)
    for state, target_state in named.items():
        if target_state:
            _bind_both(pipe, source, state, target_state, target_state)
    return pipe


def _bind_both(
    pipe: Pipe, source: Machine, state: str, active_state: str, inactive_state: str
) -> None:
    handlers = {
        f"{state}State": add(source, pipe.target, state, active_state),
        f"{state}End": remove(source, pipe.target, state, inactive_state),
    }
    pipe._attach(source, state, handlers, active_state or state, inactive_state or state)


def _join(
    wants: Callable[[Iterable[bool]], bool],
    sources: Iterable[tuple[Machine, str]],
    target: Machine,
    target_state: str,
) -> Pipe:
    ends = [
        (
            source,
            state,
            add(source, target, state, target_state),
            remove(source, target, state, target_state),
        )
        for source, state in sources
    ]
    if not ends:
        raise ValueError("a pipe begins at least at one state; its sources are empty")
    pipe = JoinedPipe(target, target_state, wants)
    for end in ends:
        pipe._join(*end)
    pipe._begin()
    return pipe


def _checked_target(
    kind: str, source: Machine, target: Machine, state: str, target_state: str
) -> str:
    """The target's state, checked; both machines log the pipe."""
    if state == "":
        raise StateMissingError([""], source.id, detail="a pipe begins at a state of its source")
    target_state = checked_name(target_state or checked_name(state))
    source.must_parse_states(state)
    target.must_parse_states(target_state)
    source.log_lvl(LogLevel.OPS, f"[pipe-out:{kind}] %s to %s", state, target.id)
    target.log_lvl(LogLevel.OPS, f"[pipe-in:{kind}] %s from %s", target_state, source.id)
    if source is not target:
        _log_end_of(source, target)
        _log_end_of(target, source)
    return target_state


def _log_end_of(mach: Machine, other: Machine) -> None:
    """Let `other` log one line, for all pipes between them, when `mach` is disposed."""
    with _peers_lock:
        peers = _peers.get(mach)
        is_first = peers is None
        if peers is None:
            peers = _peers[mach] = Peers()
        peers[other] = None
    if is_first:
        mach.handle_dispose(lambda name, _: _log_end(name, peers))
    elif mach.is_disposed():
        _log_end(mach.id, peers)


def _log_end(machine_id: str, peers: Peers) -> None:
    with _peers_lock:
        left = list(peers)
        peers.clear()
    for peer in left:
        peer.log_lvl(LogLevel.OPS, "[pipe:gc] %s", machine_id)
