"""Attaches a tracer to machines, for a debugger or for a session file.

Each destination has one sender for all its machines (see `amtracer.send.registry`): an address
is identified by its text, a file by its absolute path, so that two names of one place are one.
"""

from __future__ import annotations

import machine as am
from amtracer.address import Address, peer_address
from amtracer.files.atomic import PathLike
from amtracer.safe_repr.redacting import ArgsFilter, Redact
from amtracer.send.registry import close_senders, destinations, sender_to
from amtracer.send.sinks import FileSink, SocketSink, whole_path
from amtracer.tracer.machine_tracer import bind
from amtracer.tracer.redaction_hooks import RedactionHooks


def attach(
    mach: am.Machine,
    addr: str | Address | None = None,
    *,
    args_filter: ArgsFilter | None = None,
    redact: Redact | None = None,
) -> None:
    """Send what a machine and its submachines do from now on to a debugger.

    Without an address it goes where `AM_DBG_ADDR` and `AM_DBG_FILE` say, nowhere when
    neither is set. The first call that finds one of them fixes both for the process, until
    `close`; a path in them means what it does then. It returns at once, whether a debugger
    is there or not; a second call only replaces hooks, if any are given.
    Raises AddressError for an address that is none.

    `args_filter` chooses and changes the arguments that are shown, in the thread that runs
    the machine. `redact` makes the text that is shown of every log line and every argument,
    in the thread that sends. If one fails a fixed text is shown instead.
    """
    hooks = RedactionHooks.of(args_filter, redact)
    if addr is not None:
        _tell_debugger(mach, addr if isinstance(addr, Address) else peer_address(addr), hooks)
        return
    where = destinations()
    if where.address is not None:
        _tell_debugger(mach, where.address, hooks)
    if where.path is not None:
        _tell_file(mach, where.path, hooks)


def record(
    mach: am.Machine,
    path: PathLike,
    *,
    args_filter: ArgsFilter | None = None,
    redact: Redact | None = None,
) -> None:
    """Record what a machine and its submachines do from now on in a session file.

    All machines recorded to one path share the file. It can be read while it grows and
    after a crash; `close` or the program's end makes it whole. For the hooks see `attach`.
    """
    _tell_file(mach, path, RedactionHooks.of(args_filter, redact))


def close() -> None:
    """End all sending and recording now, as at the program's end."""
    close_senders()


def _tell_debugger(mach: am.Machine, address: Address, hooks: RedactionHooks) -> None:
    bind(mach, sender_to(f"tcp:{address}", lambda: SocketSink(address)), hooks)


def _tell_file(mach: am.Machine, path: PathLike, hooks: RedactionHooks) -> None:
    full = whole_path(path)
    bind(mach, sender_to(f"file:{full}", lambda: FileSink(full)), hooks)
