"""What the command line asks of the screen, as one value."""

from __future__ import annotations

from dataclasses import dataclass

LISTEN_ON_DEFAULT = "localhost:6831"
MEMORY_MB_MAX_DEFAULT = 1_000


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How the debugger starts.

    `import_data` holds a file name, `-` or a web address, empty for none. `listen_on` is
    an address, empty for not listening. `select_transition` counts from 1, 0 selects none.
    `forward_to` lists addresses to which everything received is sent on.
    """

    import_data: str = ""
    listen_on: str = LISTEN_ON_DEFAULT
    select_machine: str = ""
    select_transition: int = 0
    view: str = "tree-log"
    select_connected: bool = False
    reader: bool = False
    forward_to: tuple[str, ...] = ()
    clean_on_connect: bool = False
    client_list: str = ""
    memory_mb_max: int = MEMORY_MB_MAX_DEFAULT
    enable_mouse: bool = True
    am_dbg_addr: str = ""
    log_file: str = ""
    log_level: int = 0
