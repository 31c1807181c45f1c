"""Opens the debugger's screen with the options of the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from am_dbg.cli.options import token_in_use
from am_dbg.cli.output import write_message
from am_dbg.cli.terminal import is_standard_input, take_terminal, why_no_screen
from am_dbg.errors import NoTerminalError
from am_dbg.ingest.collection import resume_collection
from am_dbg.options import NOT_LISTENING, RunOptions
from amtracer.address import listen_address, peer_address

if TYPE_CHECKING:
    from am_dbg.ingest.importing import ImportSource
    from amtracer.address import Address


def open_screen(
    import_data: str,
    fwd_data: tuple[str, ...],
    listen_on: str,
    am_dbg_addr: str,
    max_mem: int,
    max_disk: int,
    token: str,
    **rest: Any,
) -> int:
    """Check the options, open the session and run the screen; return its exit code."""
    asked = token_in_use(token)
    listening = None if listen_on == NOT_LISTENING else listen_address(listen_on)
    others = filter(None, map(str.strip, ",".join(fwd_data).split(",")))
    forward_to = dict.fromkeys(_other("--fwd-data", text, listening) for text in others)
    debugged_at = _other("--am-dbg-addr", am_dbg_addr, listening) if am_dbg_addr else None
    source = _opened(import_data) if import_data else None
    options = RunOptions(
        import_data=import_data,
        source=source,
        listen_on="" if listening is None else listen_on,
        forward_to=tuple(forward_to),
        am_dbg_addr=debugged_at,
        memory_mb_max=max_mem,
        disk_mb_max=max_disk,
        token=asked,
        **rest,
    )
    try:
        return _run(options)
    finally:
        if source is not None:
            source.close()


def checked_place(text: str) -> str:
    """A place in a history, if its form is that of a place; the history is read later."""
    from am_dbg.errors import NotAnAddressError
    from am_dbg.projection.addresses.places import is_place

    if text and not is_place(text):
        raise click.UsageError(f"--select-transition: {NotAnAddressError(text)}")
    return text


def _other(option: str, text: str, listening: Address | None) -> Address:
    """The address of another debugger; a debugger that sends to itself would never stop."""
    from am_dbg.cli.own_address import leads_back

    address = peer_address(text)
    if listening is not None and leads_back(address, listening):
        raise click.UsageError(f"{option} {text} is this debugger itself, at {listening}")
    return address


def _opened(text: str) -> ImportSource:
    from am_dbg.ingest.importing import open_source

    return open_source(text)


def _run(options: RunOptions) -> int:
    if is_standard_input(options.import_data):
        take_terminal()
    reason = why_no_screen()
    if reason:
        raise NoTerminalError(reason)
    from am_dbg import app

    resume_collection()
    return app.run(options, write_message)
