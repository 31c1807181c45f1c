"""Handlers under names of one's own: a decorator instead of a method name.

    class Handlers:
        @am.on(ss.Foo, "Enter")
        def is_there_room(self, e): ...

A handler's name is its binding (`FooEnter`), and the decorator makes that name: the class
gets the function under it as well, so binding, checks and the debugger see what they would
see without it. For a function outside of a class, `handlers_of` makes the mapping that
`bind_handlers` takes, and `Machine.on` binds it right away.

The second part is a phase, `Enter`, `Exit`, `State` or `End`, or another state for a
handler from one to the other. `am.ANY` with `Enter` or `State` are the global handlers.
One function may be decorated several times.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Generic, TypeVar, cast

from machine.errors import HandlerNameError

F = TypeVar("F", bound=Callable[..., Any])


class Named(Generic[F]):
    """A function and the handler names it goes by; a class takes it apart again."""

    def __init__(self, function: F, names: tuple[str, ...]) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self.names = names

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)

    def __set_name__(self, owner: type, name: str) -> None:
        setattr(owner, name, self.function)
        for handler in self.names:
            if handler in vars(owner) and handler != name:
                raise HandlerNameError(f"{owner.__name__} has {handler} twice")
            setattr(owner, handler, self.function)


def handler_name(state: str, phase: str) -> str:
    """The name of the handler; raises for what cannot make one."""
    if not (isinstance(state, str) and isinstance(phase, str) and state and phase):
        raise HandlerNameError(f"a handler is of a state and a phase, got {state!r}, {phase!r}")
    return state + phase


def on(state: str, phase: str) -> Callable[[F], F]:
    """Make a function the handler of a state's phase, or from one state to another."""
    handler = handler_name(state, phase)

    def name(function: F) -> F:
        known = function if isinstance(function, Named) else Named(function, ())
        return cast("F", Named(known.function, (handler, *known.names)))

    return name


def handlers_of(*functions: Callable[..., Any]) -> dict[str, Callable[..., Any]]:
    """A mapping for `bind_handlers` of functions that were decorated with `on`."""
    found: dict[str, Callable[..., Any]] = {}
    for function in functions:
        if not isinstance(function, Named):
            raise TypeError(f"{function!r} was not decorated with on()")
        for name in function.names:
            if name in found:
                raise HandlerNameError(f"{name} is there twice")
            found[name] = function.function
    return found
