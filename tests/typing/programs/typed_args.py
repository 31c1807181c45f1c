"""Arguments: a dataclass goes in and comes out."""

from dataclasses import dataclass
from typing import reveal_type

import machine as am


@dataclass
class FileArgs:
    path: str = ""
    size: int = 0


mach = am.Machine(None, {"Open": am.State()})
mach.add1("Open", am.pass_(FileArgs(path="a.txt")))
mach.add1("Open", FileArgs(path="a.txt"))  # refused: arg-type


def open_state(e: am.Event) -> None:
    args = am.parse_args(e.args, FileArgs)
    reveal_type(args)  # reveals: FileArgs
    reveal_type(args.size)  # reveals: int
    args.length  # refused: attr-defined  # noqa: B018

    own = am.parse_args(e.args)
    reveal_type(own)  # reveals: AT
    reveal_type(own.err)  # reveals: BaseException | None
    reveal_type(own.panic)  # reveals: Panic | None


reveal_type(am.pass_(FileArgs()))  # reveals: dict[str, Any]
reveal_type(am.pass_merge({"id": 1}, FileArgs()))  # reveals: dict[str, Any]
