"""The exit codes of `am-dbg`, with the texts that the help shows."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """Every exit code there is."""

    DONE = 0
    DIFFERENT = NOT_FOUND = FOUND = 1
    BAD_INPUT = 2
    INTERRUPTED = 130
    OUTPUT_CLOSED = 141
    TERMINATED = 143


EXIT_TEXTS = {
    Exit.DONE: "done",
    Exit.DIFFERENT: "diff found a difference, check a finding in a schema, or find or next nothing",
    Exit.BAD_INPUT: "a wrong option, a missing, damaged or cut file, or no terminal",
    Exit.INTERRUPTED: "interrupted by the user",
    Exit.OUTPUT_CLOSED: "the reader of the output closed it",
    Exit.TERMINATED: "terminated by SIGTERM (129: the terminal was closed)",
}


def exit_table() -> str:
    """The table of exit codes at the end of the help, marked so that click keeps its lines."""
    rows = (f"  {code:3}  {text}" for code, text in EXIT_TEXTS.items())
    return "\b\nExit codes:\n" + "\n".join(rows)
