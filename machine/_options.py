"""Sets of options for a machine, as keyword arguments."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Literal, TypedDict

from machine._enums import LogLevel
from machine._tracing import Tracer

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from machine._logging import ArgsMapper
    from machine._machine import Machine
    from machine._resolver import Resolver

DEBUG_HANDLER_TIMEOUT_S = 600.0


class CommonSettings(TypedDict, total=False):
    """The options of `Machine` without a parameter of their own, less its parent."""

    handler_timeout: float | None
    panic_to_exception: bool
    log_stack_trace: bool
    log_id: bool
    log_level: LogLevel | int
    tracers: Iterable[Tracer]
    log_args: ArgsMapper | None
    parent_id: str
    tags: Sequence[str]
    queue_limit: int
    detect_eval: bool
    executor: AbstractEventLoop | None
    handler_runner: Literal["inline", "thread"]
    watchdog: bool
    resolver: Resolver | None


class Settings(CommonSettings, total=False):
    """The options of `Machine` without a parameter of their own: few machines need them."""

    parent: Machine | None


class Opts(Settings, total=False):
    """All options of `Machine` by name: a dictionary for `Machine(ctx, struct, **opts)`."""

    id: str
    cache: int
    strict: bool


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
