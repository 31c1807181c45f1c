"""The command `am-dbg record`: writes what programs send into a session file."""

from __future__ import annotations

import logging

import click

from am_dbg.cli.exit_codes import Exit
from am_dbg.cli.options import disk_option, listen_option, memory_option, token_in_use, token_option
from am_dbg.cli.output import report_written, write_message
from am_dbg.errors import UnknownFormatError
from am_dbg.ingest.memory import MEGABYTE
from am_dbg.options import SESSION_ENDING
from am_dbg.safe_text import one_line
from amtracer.address import listen_address


@click.command("record")
@click.argument("target", metavar="OUT")
@listen_option("Address at which programs connect.")
@token_option
@memory_option("Memory limit for received data; OUT also holds what is removed from memory.")
@disk_option
@click.pass_context
def record_command(
    context: click.Context,
    /,
    target: str,
    listen_on: str,
    token: str,
    max_mem: int,
    max_disk: int,
) -> int:
    """Record what programs send into OUT, a .msgpack.br file, until interrupted.

    OUT grows during the recording. If this command is killed, OUT is cut but readable. To
    let a program record itself, set AM_DBG_FILE in its environment.
    """
    from am_dbg.cli.collect import collect, until_asked_to_end

    if not target.endswith(SESSION_ENDING):
        raise UnknownFormatError(one_line(target), (SESSION_ENDING,))
    asked = token_in_use(token, context.find_root().params["token"])
    # Warnings arrive as messages, by `warned`.
    logging.getLogger("am_dbg").setLevel(logging.ERROR)

    def listening(address: str) -> None:
        write_message(f"listening at {address}, recording until Ctrl+C")

    with until_asked_to_end() as wait:
        written = collect(
            listen_address(listen_on),
            target,
            wait,
            listening,
            token=asked,
            warned=write_message,
            bytes_max=max_mem * MEGABYTE,
            disk_max=max_disk * MEGABYTE,
        )
    report_written(target, written)
    return Exit.DONE
