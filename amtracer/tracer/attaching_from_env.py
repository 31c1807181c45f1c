"""Attaches machines and sets their log levels from the environment.

The log level is read for each machine, so a variable that is set later counts for machines
made after that. The destination is fixed for the process as soon as the environment names
one (see `amtracer.send.registry`). With an empty environment `attach_from_env` does nothing,
so a program may always call it.
"""

from __future__ import annotations

import os

import machine as am
from amtracer.env import Destinations
from amtracer.safe_repr.redacting import ArgsFilter, Redact
from amtracer.send.registry import after_fork, destinations
from amtracer.tracer.attaching import attach
from amtracer.tracer.healthcheck import STATE, health_checks

_for_new: tuple[ArgsFilter | None, Redact | None] | None = None
"""The hooks for new machines; None if new machines are not prepared."""


def dbg_env(
    mach: am.Machine, *, args_filter: ArgsFilter | None = None, redact: Redact | None = None
) -> None:
    """Prepare a machine for debugging from the environment.

    Attaches it (see `attach`) and sets its log level to `AM_LOG`, so that log lines reach
    the debugger; they are printed only with `AM_DEBUG=2`. With `AM_HEALTHCHECK` the state
    `Healthcheck`, if the machine has it, is added every few seconds. Under a test runner,
    which sets `AM_TEST_RUNNER`, it does nothing.
    """
    if os.environ.get("AM_TEST_RUNNER"):
        return
    attach(mach, args_filter=args_filter, redact=redact)
    level = am.log_level_from_env()
    if os.environ.get("AM_DEBUG") == "2":
        mach.set_log_level(level)
    elif level:
        mach.set_logger_empty(level)
    if os.environ.get("AM_HEALTHCHECK") and mach.has1(STATE):
        health_checks.add(mach)


def attach_from_env(*, args_filter: ArgsFilter | None = None, redact: Redact | None = None) -> None:
    """From now on prepare every new machine as `dbg_env` does; the last call counts.

    Does nothing if the environment names no debugger, no file and no level.
    """
    global _for_new  # noqa: PLW0603  # it is of the process
    if destinations() != Destinations(None, None) or am.log_level_from_env():
        _for_new = (args_filter, redact)
        am.on_machine(_prepare)


def _prepare(mach: am.Machine) -> None:
    if _for_new is not None:
        args_filter, redact = _for_new
        dbg_env(mach, args_filter=args_filter, redact=redact)


after_fork.append(health_checks.restart_in_child)
