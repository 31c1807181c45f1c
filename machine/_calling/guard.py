"""Guards: turn errors of code outside of handlers into error states of a machine."""

from __future__ import annotations

import functools
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar, overload

from machine._handlers.names import is_coroutine_function

if TYPE_CHECKING:
    from types import TracebackType

    from machine._enums import Result
    from machine._given import A

P = ParamSpec("P")
R = TypeVar("R")


class Guarded(Protocol):
    """What a guard needs of a machine."""

    _panic_to_exception: bool

    def add_err_state(self, state: str, err: BaseException, args: A | None) -> Result: ...


class Guard:
    """A context manager, or a decorator for functions and coroutine functions.

    An `Exception` raised in its body is added to the machine and goes no further; the
    decorated function then returns None. An error that is no `Exception`, such as KeyboardInterrupt
    or a task's cancellation, is raised. With `panic_to_exception` off, every error
    is raised. It may be entered any number of times, in any thread.
    """

    __slots__ = ("_args", "_mach", "_state")

    def __init__(self, mach: Guarded, state: str, args: A | None) -> None:
        self._mach = mach
        self._state = state
        self._args = args

    def __enter__(self) -> None:
        """Enter the body; nothing is prepared."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if not (isinstance(error, Exception) and self._mach._panic_to_exception):
            return False
        self._mach.add_err_state(self._state, error, self._args)
        return True

    @overload
    def __call__(
        self, fn: Callable[P, Coroutine[Any, Any, R]]
    ) -> Callable[P, Coroutine[Any, Any, R | None]]: ...

    @overload
    def __call__(self, fn: Callable[P, R]) -> Callable[P, R | None]: ...
    def __call__(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(fn)
        async def guarded_work(*args: Any, **kwargs: Any) -> Any:
            with self:
                return await fn(*args, **kwargs)

        @functools.wraps(fn)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            with self:
                return fn(*args, **kwargs)

        return guarded_work if is_coroutine_function(fn) else guarded
