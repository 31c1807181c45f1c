"""The `on` decorator: handlers with any method name.

    class Handlers:
        @am.on(ss.Foo, "Enter")
        def is_there_room(self, e): ...

A handler's name is its binding (`FooEnter`), and the decorator makes that name: the class
gets the function under that name as well, so binding, checks and the debugger work as
without the decorator. For a function outside of a class, `handlers_of` makes the mapping that
`bind_handlers` takes, and `Machine.on` binds it right away.

The second part is a phase, `Enter`, `Exit`, `State` or `End`; or `to` names another state,
for a handler from one to the other. A second part that is no phase is a state as well.
`am.ANY` with `Enter` or `State` are the global handlers. One function may be decorated
several times.

A handler made in this way has one meaning only, even where its name has two: of states
`Start` and `End`, `on("Start", "End")` is the End handler of Start, and
`on("Start", to="End")` the one from Start to End. A class may have both.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Generic, Literal, TypeVar, cast, overload

from machine._handlers.meanings import DECLARED, GLOBAL_SUFFIXES, SUFFIXES, Handlers, Meaning
from machine._schema.state import ANY
from machine.errors import HandlerNameError

F = TypeVar("F", bound=Callable[..., Any])


class DecoratedHandler(Generic[F]):
    """A function and its meanings, until the class replaces it by the plain function."""

    def __init__(self, function: F, meanings: tuple[Meaning, ...]) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self.meanings = meanings

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)

    def __set_name__(self, owner: type, name: str) -> None:
        setattr(owner, name, self.function)
        declared = vars(owner).get(DECLARED)
        if declared is None:
            declared = {}
            setattr(owner, DECLARED, declared)
        for meaning in self.meanings:
            functions = declared.setdefault(meaning.name, {})
            there = vars(owner).get(meaning.name)
            by_name = there is not None and meaning.name != name and not functions
            if meaning in functions or (by_name and not isinstance(there, DecoratedHandler)):
                raise HandlerNameError(f"{owner.__name__} has {meaning.name} twice")
            functions[meaning] = self.function
            if there is None:
                setattr(owner, meaning.name, self.function)


def meaning(state: str, phase: str = "", to: str = "") -> Meaning:
    """The meaning of a handler of this state; raises for invalid combinations."""
    second = to or phase
    if not (isinstance(state, str) and isinstance(second, str) and state and second):
        raise HandlerNameError(
            f"a handler belongs to a state and a phase, got {state!r}, {second!r}"
        )
    if phase and to:
        raise HandlerNameError(f"a handler is of a phase or to a state, got {phase!r}, to={to!r}")
    if (state == ANY and (to or phase not in GLOBAL_SUFFIXES)) or second == ANY:
        raise HandlerNameError(
            f"{state}{second} is never called; the handlers of all states are"
            f" {ANY}Enter, {ANY}State"
        )
    return Meaning(state, second, is_pair=bool(to) or phase not in SUFFIXES)


Phase = Literal["Enter", "Exit", "State", "End"]
"""At which place of a transition a handler is called."""


@overload
def on(state: str, phase: Phase) -> Callable[[F], F]: ...
@overload
def on(state: str, *, to: str) -> Callable[[F], F]: ...
def on(state: str, phase: str = "", *, to: str = "") -> Callable[[F], F]:
    """Make a function the handler of a state's phase, or from the state `to` another."""
    made = meaning(state, phase, to)

    def name(function: F) -> F:
        if isinstance(function, DecoratedHandler):
            return cast("F", DecoratedHandler(function.function, (made, *function.meanings)))
        return cast("F", DecoratedHandler(function, (made,)))

    return name


def handlers_of(*functions: Callable[..., Any]) -> dict[str, Callable[..., Any]]:
    """A mapping for `bind_handlers` of functions that were decorated with `on`."""
    found = Handlers()
    for function in functions:
        if not isinstance(function, DecoratedHandler):
            raise TypeError(f"{function!r} was not decorated with on()")
        for made in function.meanings:
            put(found, made, function.function)
    return found


def put(handlers: Handlers, made: Meaning, function: Callable[..., Any]) -> None:
    """Add a function for one meaning of a name; raises if the meaning has one already."""
    functions = handlers.declared.setdefault(made.name, {})
    if made in functions:
        raise HandlerNameError(f"{made.name} is declared twice")
    functions[made] = function
    handlers.setdefault(made.name, function)
