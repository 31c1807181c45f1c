"""Which names are handlers, and of which state; misspelled ones are told at binding.

A name is a handler if it is `AnyEnter` or `AnyState`; or ends in a phase (Enter, Exit,
State, End) or in Any, and then belongs to the state before; or begins with Any, and
belongs to the state after; or is two state names in a row.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from machine._state import ANY
from machine.errors import HandlerNameError, StateMissingError, near_names

GLOBAL = ("AnyEnter", "AnyState")
NEGOTIATION_SUFFIXES = ("Enter", "Exit")
SUFFIXES = ("Enter", "Exit", "State", "End")
_CO_VARARGS, _CO_COROUTINE = 0x04, 0x80


def handler_names(handlers: object) -> list[str]:
    """The names of an object's callables that could be handlers, in their order."""
    if isinstance(handlers, Mapping):
        return [name for name, value in handlers.items() if callable(value)]
    names = [name for name in dir(handlers) if name[:1].isupper()]
    own = getattr(handlers, "__dict__", {})
    declared = [n for kind in reversed(type(handlers).__mro__) for n in vars(kind)]
    order = {name: place for place, name in enumerate([*declared, *own])}
    names.sort(key=lambda name: order.get(name, len(order)))
    return [name for name in names if callable(getattr(handlers, name, None))]


def state_of(name: str, states: Iterable[str]) -> str | None:
    """The state that a handler name belongs to; None if it is no handler, "" for a global."""
    known = states if isinstance(states, (set, frozenset, dict)) else set(states)
    if name in GLOBAL:
        return ""
    for suffix in (*SUFFIXES, ANY):
        part = name[: -len(suffix)]
        if name.endswith(suffix) and part and part != ANY:
            return part
    if name.startswith(ANY) and len(name) > len(ANY):
        return name[len(ANY) :]
    return _first_of_pair(name, known)


def _first_of_pair(name: str, known: Collection[str]) -> str | None:
    for cut in range(1, len(name)):
        if name[:cut] in known and name[cut:] in known:
            return name[:cut]
    return None


def list_handlers(handlers: object, states: Sequence[str]) -> list[str]:
    """The names of an object's handlers; raises for those of unknown states."""
    known = frozenset(states)
    found, missing = [], []
    for name in handler_names(handlers):
        state = state_of(name, known)
        if state is None:
            continue
        if state and state not in known:
            missing.append((state, name))
        else:
            found.append(name)
    if missing:
        detail = ", ".join(f"{state} from handler {name}" for state, name in missing)
        raise StateMissingError([state for state, _ in missing], "", states, detail)
    return found


def check_handlers(handlers: object, states: Sequence[str]) -> None:
    """Raise for a method that looks like a handler of a state which does not exist.

    Only near misses count (`FooStat`, `FoEnter`), so objects may have other methods. Raises
    too for a handler that could not be called with an event, or that decides and is a
    coroutine function: found out in a transition, such errors would be states of the machine.
    """
    known = frozenset(states)
    for name in handler_names(handlers):
        state = state_of(name, known)
        of_any = name.startswith(ANY) or name.endswith(ANY)
        fits = state == "" or state in known or _first_of_pair(name, known) is not None
        if not (fits or of_any):
            _check_near(name, states)
        _check_coroutine(handlers, name, known)
        if fits:
            _check_signature(name, _member(handlers, name))


def _check_near(name: str, states: Sequence[str]) -> None:
    possible = [*GLOBAL, *(state + suffix for state in states for suffix in SUFFIXES)]
    near = near_names(name, possible) if _resembles(name, states) else []
    if near:
        error = HandlerNameError(f"{name} is no handler of a known state")
        error.add_note(f"did you mean {', '.join(near)}?")
        raise error


def _resembles(name: str, states: Sequence[str]) -> bool:
    """Does it begin with a state, or end in a phase after something like a state."""
    if any(name.startswith(state) and name != state for state in states):
        return True
    parts = [name[: -len(suffix)] for suffix in SUFFIXES if name.endswith(suffix)]
    return any(near_names(part, states) for part in parts)


def _check_coroutine(handlers: object, name: str, known: frozenset[str]) -> None:
    negotiates = name.endswith(NEGOTIATION_SUFFIXES) or (
        not name.endswith(SUFFIXES) and state_of(name, known) in known
    )
    if negotiates and is_coroutine_function(_member(handlers, name)):
        raise TypeError(f"{name} decides about a transition and cannot be a coroutine function")


def _check_signature(name: str, function: object) -> None:
    """Raise for what cannot be called with one event; what has no code is left to the call."""
    inner = getattr(function, "__func__", function)
    code = getattr(inner, "__code__", None)
    if code is None or code.co_flags & _CO_VARARGS:
        return
    given = 2 if inner is not function else 1
    needed = code.co_argcount - len(getattr(inner, "__defaults__", None) or ())
    named = code.co_kwonlyargcount - len(getattr(inner, "__kwdefaults__", None) or ())
    if not needed <= given <= code.co_argcount or named:
        raise TypeError(f"{name} has to take the event, and nothing else that has no default")


def _member(handlers: object, name: str) -> object:
    if isinstance(handlers, Mapping):
        return handlers.get(name)
    return getattr(handlers, name, None)


def is_coroutine_function(function: object) -> bool:
    """Does calling it make a coroutine; sees through methods and partials."""
    while True:
        inner = getattr(function, "__func__", None) or getattr(function, "func", None)
        if inner is None:
            break
        function = inner
    return bool(getattr(getattr(function, "__code__", None), "co_flags", 0) & _CO_COROUTINE)
