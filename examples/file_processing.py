"""Processes one file: three states, two of them for work in a thread.

    python examples/file_processing.py [FILE]
    AM_DBG_ADDR=1 python examples/file_processing.py     # while am-dbg runs

Exit codes: 0 for success, 1 for an error, 2 after five seconds without an end.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import amtracer
import machine as am

WAIT_S = 5.0

STATES = {
    "ProcessingFile": am.State(remove=["FileProcessed"]),
    "FileProcessed": am.State(remove=["ProcessingFile"]),
    "InProgress": am.State(auto=True, require=["ProcessingFile"]),
}


def process_file(path: Path, ctx: am.Context) -> int:
    """Count the words of a file; stop when the context ends."""
    words = 0
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if ctx.done:
                break
            words += len(line.split())
    return words


class Handlers:
    """The handlers of the machine."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.words = 0

    def ProcessingFileEnter(self, e: am.Event) -> bool:
        """Runs before the change; it decides and changes nothing."""
        return True

    def ProcessingFileState(self, e: am.Event) -> None:
        """Runs when the state is active; a thread works for as long as the state lasts."""
        mach = e.machine
        ctx = mach.new_state_ctx("ProcessingFile")

        def work() -> None:
            if ctx.done:
                return
            try:
                words = process_file(self.path, ctx)
            except OSError as error:
                mach.add_err(error)
                return
            if ctx.done:
                return
            self.words = words
            mach.add1("FileProcessed")

        threading.Thread(target=work, daemon=True).start()


def main(argv: list[str]) -> int:
    """Process the file of the first argument and print the result."""
    handlers = Handlers(Path(argv[0]) if argv else Path(__file__))
    mach = am.Machine(None, STATES, id="file-processing")
    mach.set_logger_empty(am.LogLevel.OPS)
    amtracer.attach(mach)
    mach.bind_handlers(handlers)

    failed, processed = mach.when_err(), mach.when1("FileProcessed")
    mach.add1("ProcessingFile")
    am.first(failed, processed, timeout=WAIT_S)

    if failed.done:
        print(f"error: {mach.err}", file=sys.stderr)
        return 1
    if processed.done:
        print(f"{handlers.path.name}: {handlers.words} words")
        return 0
    print("timeout", file=sys.stderr)
    return 2


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
