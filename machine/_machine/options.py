"""Sets of options for a machine, as keyword arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypedDict, TypeVar

from machine._enums import LogLevel
from machine._given import (
    Names,
    check_callable,
    checked_choice,
    checked_flag,
    checked_level,
    checked_limit,
    names_tuple,
)
from machine._transition.tracing import Tracer
from machine.errors import did_you_mean

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from machine._logging.log import ArgsMapper
    from machine._machine.resolver import Resolver
    from machine._transition.owner import Machine

Value = TypeVar("Value")

DEBUG_HANDLER_TIMEOUT_S = 600.0
RUNNERS = ("inline", "thread")


class CommonSettings(TypedDict, total=False):
    """The options of `Machine` without a parameter of their own, less parent and handlers."""

    handler_timeout: float | None
    """Seconds that a handler may take, by default 1; None for no limit."""
    panic_to_exception: bool
    """Whether what a handler raises adds `Exception`, as by default, or passes to the caller."""
    log_stack_trace: bool
    """Whether errors carry their trace, log lines too; by default they do."""
    log_id: bool
    """Whether lines begin with the first characters of the id; by default they do."""
    log_level: LogLevel | int
    """How much is logged; by default nothing."""
    tracers: Iterable[Tracer]
    """Tracers to bind before the machine begins."""
    log_args: ArgsMapper | None
    """Returns the arguments that lines show, as texts; None shows none."""
    parent_id: str
    """The id of a parent that is not at hand; `parent` wins over it."""
    tags: Sequence[str]
    """Labels without a meaning for the machine."""
    queue_limit: int
    """Mutations that may wait, by default 1000; more are refused."""
    detect_eval: bool
    """Whether `eval` in a handler of the machine raises, and unknown handlers are refused."""
    executor: AbstractEventLoop | None
    """The event loop on which all handlers run; None for the thread that drains."""
    handler_runner: Literal["inline", "thread"]
    """With "thread" handlers have their own, so that a late one can be abandoned."""
    watchdog: bool
    """Whether the line is reported at which a late handler is stuck."""
    resolver: Resolver | None
    """Decides in place of the relations."""


class Settings(CommonSettings, total=False):
    """The options of `Machine` without a parameter of their own: few machines need them."""

    parent: Machine | None
    """The machine whose submachine this is; inheritable tracers watch it too."""
    handlers: object | None
    """An object to bind, before the machine begins."""


class Opts(Settings, total=False):
    """All options of `Machine` by name: a dictionary for `Machine(ctx, struct, **opts)`."""

    id: str
    """By default 32 random hex digits."""
    cache: int
    """How many configurations the machines of this schema remember; 0 for none."""
    strict: bool
    """Whether relations to undefined states are refused; by default they are dropped."""
    initial: Names | None
    """The states to begin with, in place of those that the schema marks; `()` for none."""


def opts_with_debug(opts: Opts | None = None) -> Opts:
    """These options with those for stepping through handlers.

    Handlers get 10 minutes, and what they raise passes through to the caller.
    """
    debug: Opts = {"panic_to_exception": False, "handler_timeout": DEBUG_HANDLER_TIMEOUT_S}
    return {**(opts or Opts()), **debug}


def opts_with_tracers(opts: Opts | None, *tracers: Tracer) -> Opts:
    """These options with the tracers, if any are given."""
    given: Opts = {"tracers": list(tracers)} if tracers else {}
    return {**(opts or Opts()), **given}


def checked_tags(tags: Sequence[str]) -> tuple[str, ...]:
    """The labels without repeats; raises for one with a space."""
    if isinstance(tags, str):
        raise TypeError(f"tags are a list of texts, not {tags!r:.60}")
    for tag in names_tuple(tags, "tags"):
        if not tag or (isinstance(tag, str) and any(char.isspace() for char in tag)):
            raise ValueError(f"a tag is text without spaces, got {tag!r}")
    return tuple(dict.fromkeys(tags))


def check_options(options: Mapping[str, Any]) -> None:
    """Raise for an option that does not exist, or has a value of a wrong type."""
    for name, value in options.items():
        check = CHECKS.get(name)
        if check is None:
            near = did_you_mean([name], Opts.__annotations__)
            raise TypeError(f"Machine has no option {name}{near}")
        check(value, name)


def _anything(_value: object, _what: str) -> None:
    """Accept anything; it is checked where it is used."""


def _check_tracers(tracers: object, what: str) -> None:
    """Check tracers as `bind_tracer` does, but before anything is set up."""
    if isinstance(tracers, Tracer) or not isinstance(tracers, Iterable):
        raise TypeError(f"{what} are a list of tracers, not {tracers!r:.60}")


def _check_function(value: object, what: str) -> None:
    if value is not None:
        check_callable(value, what)


CHECKS: dict[str, Callable[[Any, str], object]] = {
    "handler_timeout": checked_limit,
    "panic_to_exception": checked_flag,
    "log_stack_trace": checked_flag,
    "log_id": checked_flag,
    "log_level": checked_level,
    "tracers": _check_tracers,
    "log_args": _check_function,
    "parent": _anything,
    "parent_id": _anything,
    "tags": lambda tags, _what: checked_tags(tags),
    "queue_limit": _anything,
    "detect_eval": checked_flag,
    "executor": _anything,
    "handler_runner": lambda runner, what: checked_choice(runner, what, RUNNERS),
    "watchdog": checked_flag,
    "resolver": _anything,
    "handlers": _anything,
}
