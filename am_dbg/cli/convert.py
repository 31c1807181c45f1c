"""The command `am-dbg convert`: writes a session to another file, whole or in part."""

from __future__ import annotations

import os

import click

from am_dbg.cli.exit_codes import Exit
from am_dbg.cli.options import session_memory_option
from am_dbg.cli.output import ProgressBar, report_written
from am_dbg.cli.session import read_session, with_damage


@click.command("convert")
@click.argument("source", metavar="IN")
@click.argument("target", metavar="OUT")
@click.option("--machine", metavar="ID", default="", help="Write only this machine.")
@click.option("--numbers", metavar="A-B", default="", help="Write only transitions A to B.")
@click.option("--ids", is_flag=True, help="Keep all transition ids of Go programs.")
@session_memory_option
def convert_command(
    source: str, target: str, machine: str, numbers: str, ids: bool, max_mem: int
) -> int:
    """Convert a session, or a part of it, to another file.

    The ending of OUT selects the format: .msgpack.br is a session file, .jsonl is lines of
    JSON. An existing OUT is replaced. If IN is damaged or cut, its intact part is written.
    """
    from am_dbg.egress import convert

    writer = convert.writer_for(target, all_ids=ids)
    store, error = read_session(source, max_mem)
    chosen = convert.chosen(store, machine, numbers)
    replaced = " (replaced)" if os.path.exists(target) else ""
    with ProgressBar("writing") as bar:
        written = writer(store, target, chosen, bar.moved)
    report_written(target, written, replaced)
    return with_damage(Exit.DONE, (store, error))
