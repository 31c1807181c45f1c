"""Sets of options for a machine, as keyword arguments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from machine._tracing import Tracer

DEBUG_HANDLER_TIMEOUT_S = 600.0

Opts = dict[str, Any]
"""Options of `Machine` by name, to be passed as `Machine(ctx, struct, **opts)`."""


def opts_with_debug(opts: Mapping[str, Any] | None = None) -> Opts:
    """These options with those for stepping through handlers.

    Handlers get 10 minutes, and what they raise passes through to the caller.
    """
    debug = {"panic_to_exception": False, "handler_timeout": DEBUG_HANDLER_TIMEOUT_S}
    return {**(opts or {}), **debug}


def opts_with_tracers(opts: Mapping[str, Any] | None, *tracers: Tracer) -> Opts:
    """These options with the tracers, if any are given."""
    return {**(opts or {}), **({"tracers": list(tracers)} if tracers else {})}
