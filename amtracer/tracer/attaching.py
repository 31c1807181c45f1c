"""Attaches a tracer to machines, for a debugger or for a session file.

Each destination has one sender for all its machines (see `amtracer.send.registry`). An address
is identified by its text, a file by its absolute path without links.
"""

from __future__ import annotations

import machine as am
from amtracer.address import Address, peer_address
from amtracer.files.atomic import PathLike
from amtracer.safe_repr.redacting import ArgsFilter, Redact
from amtracer.send.registry import close_senders, destinations, sender_to
from amtracer.send.sinks import FileSink, SocketSink, absolute_path
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

    Without an address, `AM_DBG_ADDR` and `AM_DBG_FILE` name the destinations; if neither is
    set, nothing is sent. The first call that finds one of them fixes both for the process,
    until `close`; a relative path starts at the folder of that moment. It returns at once,
    whether a debugger listens or not. A second call only replaces hooks, if any are given.
    Raises AddressError for a text that is no address.

    `args_filter` chooses and changes the arguments that are shown, in the thread that runs
    the machine. `redact` returns the text to show for every log line and every argument, in
    the thread that sends. If a hook fails, a fixed text is shown instead.
    """
    hooks = RedactionHooks.of(args_filter, redact)
    if addr is not None:
        _send_to(mach, addr if isinstance(addr, Address) else peer_address(addr), hooks)
        return
    where = destinations()
    if where.address is not None:
        _send_to(mach, where.address, hooks)
    if where.path is not None:
        _record_to(mach, where.path, hooks)


def record(
    mach: am.Machine,
    path: PathLike,
    *,
    args_filter: ArgsFilter | None = None,
    redact: Redact | None = None,
) -> None:
    """Record what a machine and its submachines do from now on in a session file.

    All machines recorded to one path share the file. It can be read while it grows and
    after a crash; `close` or the program's end completes it. For the hooks see `attach`.
    """
    _record_to(mach, path, RedactionHooks.of(args_filter, redact))


def close() -> None:
    """End all sending and recording now, as the program's end does."""
    close_senders()


def _send_to(mach: am.Machine, address: Address, hooks: RedactionHooks) -> None:
    bind(mach, sender_to(f"tcp:{address}", lambda: SocketSink(address)), hooks)


def _record_to(mach: am.Machine, path: PathLike, hooks: RedactionHooks) -> None:
    full = absolute_path(path)
    bind(mach, sender_to(f"file:{full}", lambda: FileSink(full)), hooks)
