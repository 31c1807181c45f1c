"""The start options of the debugger's screen, as one value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from am_dbg.ingest.memory import (
    DISK_MB_MAX_DEFAULT,
    LINES_TTL_NS_DEFAULT,
    MEMORY_MB_MAX_DEFAULT,
)
from am_dbg.settings.config import Config

if TYPE_CHECKING:
    from am_dbg.ingest.importing import ImportSource
    from amtracer.address import Address

LISTEN_ON_DEFAULT = "localhost:6831"
NOT_LISTENING = "-1"
"""The value of `--listen-on` for not listening."""
SESSION_ENDING = ".msgpack.br"
"""How the name of a session file ends."""
LOG_LEVEL_WORDS = ("next to nothing", "errors", "warnings", "refused connections", "everything")
"""What the debugger logs at each level, with all that the levels before log."""
LOG_LEVEL_DEFAULT = 2
AUTO = "auto"
"""The value of `--theme` and `--colors` for what fits the terminal."""
COLORS = (AUTO, "truecolor", "256", "16", "none")
VIEWS = ("tree-log", "tree-matrix", "tree-rain", "matrix", "matrix-rain")


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How the debugger starts.

    `source` is the open session of `import_data`, because a pipe or a download can be opened
    only once. `listen_on` is an address, empty for not listening. `token` is what programs have
    to send, empty for nothing. `select_transition` is a place in a history, empty for none. The
    debuggers of `forward_to` get all data that arrives. The debugger at `am_dbg_addr` gets the
    modes of this one.
    """

    config: Config = field(default_factory=Config)
    import_data: str = ""
    source: ImportSource | None = None
    listen_on: str = LISTEN_ON_DEFAULT
    token: bytes = field(default=b"", repr=False)
    select_machine: str = ""
    select_transition: str = ""
    view: str = VIEWS[0]
    select_connected: bool = False
    reader: bool = False
    forward_to: tuple[Address, ...] = ()
    clean_on_connect: bool = False
    client_list: str = ""
    memory_mb_max: int = MEMORY_MB_MAX_DEFAULT
    disk_mb_max: int = DISK_MB_MAX_DEFAULT
    lines_ttl_ns: int = LINES_TTL_NS_DEFAULT
    enable_mouse: bool = True
    theme: str = AUTO
    colors: str = AUTO
    am_dbg_addr: Address | None = None
    log_file: str = ""
    log_level: int = LOG_LEVEL_DEFAULT
