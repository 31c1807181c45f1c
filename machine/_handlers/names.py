"""Checks handler names at binding: which state each belongs to, and which are wrong.

A name is a handler if it is `AnyEnter` or `AnyState`; or ends in a phase (Enter, Exit,
State, End) or in Any, and then belongs to the state before; or begins with Any, and
belongs to the state after; or is two state names in a row.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from machine._handlers.meanings import GLOBAL, SUFFIXES, Meaning, declared_by, meanings_of
from machine._logging.report import warn
from machine._schema.state import ANY
from machine.errors import (
    AmbiguousHandlerError,
    HandlerNameError,
    StateMissingError,
    did_you_mean,
    near_names,
)

NEWS_MAX = 1024
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


def has_strays(handlers: object, states: Sequence[str]) -> bool:
    """Whether an object has a handler of an unknown state."""
    try:
        list_handlers(handlers, states)
    except StateMissingError:
        return True
    return False


def is_ambiguous(handlers: object, states: Sequence[str]) -> bool:
    """Whether the name of one of its handlers means two things."""
    declared, known = declared_by(handlers), frozenset(states)
    names = [name for name in handler_names(handlers) if name not in declared]
    return any(len(meanings_of(name, known)) > 1 for name in names)


def is_harmless(name: str, states: Sequence[str]) -> bool:
    """Whether an attribute of this name is no handler, nor near to one, whatever it holds."""
    known = frozenset(states)
    if meanings_of(name, known):
        return False
    return not name[:1].isupper() or (
        state_of(name, known) is None and not _resembles(name, states)
    )


def check_handlers(handlers: object, states: Sequence[str], *, strict: bool = False) -> None:
    """Raise for a method that looks like a handler of a state which does not exist.

    Only near misses count (`FooStat`, `FoEnter`), so objects may have other methods. Raises
    too for a handler that cannot be called with an event, or that decides and is a coroutine
    function; in a transition these mistakes would become error states of the machine. A name
    with two meanings causes a warning, or an error if `strict` is set.
    """
    known = frozenset(states)
    for name, functions in _functions(handlers, known).items():
        fitting = [meaning for meaning in functions if meaning.fits(known)]
        if not fitting and not (name.startswith(ANY) or name.endswith(ANY)):
            _check_near(name, states, is_declared=bool(functions))
        for meaning in fitting:
            _check_coroutine(meaning, functions[meaning])
            _check_signature(name, functions[meaning])
    check_meanings(handlers, states, strict=strict)


def _functions(handlers: object, known: frozenset[str]) -> dict[str, dict[Meaning, object]]:
    """Every name that could be a handler, and its functions by their meaning."""
    declared = declared_by(handlers)
    return {
        name: dict(declared[name])
        if name in declared
        else dict.fromkeys(meanings_of(name, known), _member(handlers, name))
        for name in handler_names(handlers)
    }


def check_meanings(
    handlers: object, states: Sequence[str], before: Sequence[str] = (), *, strict: bool
) -> None:
    """Warn of names with two meanings among these states; raise if `strict` is set.

    Names that had two meanings with the states `before` are left out. A class that is bound
    again gets no second warning for the same states.
    """
    declared = declared_by(handlers)
    known, old = frozenset(states), frozenset(before)
    for name in handler_names(handlers):
        found = [] if name in declared else meanings_of(name, known)
        if len(found) < 2 or len(meanings_of(name, old)) > 1:
            continue
        whose = "" if isinstance(handlers, Mapping) else f" of {type(handlers).__name__}"
        text = f"{name}{whose} is {' and '.join(map(str, found))}"
        way = f"say which is meant: {' or '.join(meaning.decorator() for meaning in found)}"
        if strict:
            raise AmbiguousHandlerError(f"{text}; {way}")
        if _is_first_warning(handlers, name, tuple(states)):
            warn("%s, and is called as each of them; %s", text, way)


_warned: dict[tuple[type, str, tuple[str, ...]], None] = {}


def _is_first_warning(handlers: object, name: str, states: tuple[str, ...]) -> bool:
    """Whether this is the first warning for a class, of which many objects may be bound."""
    if isinstance(handlers, Mapping):
        return True
    key = type(handlers), name, states
    if key in _warned:
        return False
    if len(_warned) >= NEWS_MAX:
        _warned.clear()
    _warned[key] = None
    return True


def _check_near(name: str, states: Sequence[str], *, is_declared: bool) -> None:
    possible = [*GLOBAL, *(state + suffix for state in states for suffix in SUFFIXES)]
    near = did_you_mean([name], possible) if _resembles(name, states) else ""
    if near or (is_declared and meanings_of(name, frozenset(states))):
        raise HandlerNameError(f"{name} is no handler of a known state{near}")


def _resembles(name: str, states: Sequence[str]) -> bool:
    """Whether it begins with a state, or ends in a phase after something like a state."""
    if any(name.startswith(state) and name != state for state in states):
        return True
    parts = [name[: -len(suffix)] for suffix in SUFFIXES if name.endswith(suffix)]
    return any(near_names(part, states) for part in parts)


def _check_coroutine(meaning: Meaning, function: object) -> None:
    if meaning.negotiates and is_coroutine_function(function):
        raise TypeError(
            f"{meaning.name} decides about a transition and cannot be a coroutine function;"
            f" it is {meaning}"
        )


def _check_signature(name: str, function: object) -> None:
    """Raise for what cannot be called with one event; callables without code are not checked."""
    inner = getattr(function, "__func__", function)
    code = getattr(inner, "__code__", None)
    if code is None or code.co_flags & _CO_VARARGS:
        return
    given = 2 if inner is not function else 1
    needed = code.co_argcount - len(getattr(inner, "__defaults__", None) or ())
    named = code.co_kwonlyargcount - len(getattr(inner, "__kwdefaults__", None) or ())
    if not needed <= given <= code.co_argcount or named:
        raise TypeError(f"{name} has to take the event, and nothing else without a default")


def _member(handlers: object, name: str) -> object:
    if isinstance(handlers, Mapping):
        return handlers.get(name)
    return getattr(handlers, name, None)


def is_coroutine_function(function: object) -> bool:
    """Whether calling it makes a coroutine; looks into methods and partials."""
    while True:
        inner = getattr(function, "__func__", None) or getattr(function, "func", None)
        if inner is None:
            break
        function = inner
    return bool(getattr(getattr(function, "__code__", None), "co_flags", 0) & _CO_COROUTINE)
