"""Brings live data and imports into the store, on the ingest thread of the server.

The store has one writer: this thread. Data of connected programs arrives on it, and a session is
imported on it between two messages, so neither needs a lock. The screen is notified of changes at
most ten times a second, and of the progress of an import twice a second: a report is a painted
screen, and what is read meanwhile waits for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic

from am_dbg.ingest.importing import MEMORY_BYTES_MAX, ImportSource, import_session
from am_dbg.ingest.listen import notice_of
from am_dbg.ingest.memory import LINES_TTL_NS_DEFAULT, use_disk
from am_dbg.ingest.precedence import Precedence
from am_dbg.ingest.protocols import PeerProtocol
from am_dbg.ingest.server import Server
from am_dbg.store import Store
from amtracer.address import Address
from amtracer.errors import SessionError

REPORT_EVERY_S = 0.5
"""Seconds between two reports of an import, and before the first one."""


@dataclass(frozen=True, slots=True)
class ImportProgress:
    """The progress of an import: bytes read, bytes in all, and the error that ended it."""

    label: str
    done: int = 0
    total: int = 0
    trouble: str = ""
    is_over: bool = False

    @property
    def percent(self) -> int:
        return min(100, self.done * 100 // self.total) if self.total else 0


class Intake:
    """The server and the import, from `start` to `stop`.

    `changed`, `imported` and `warned` are called on the ingest thread; `token`, `own_name`
    and `warned` are those of the server. While the screen works, as `precedence` shows, data waits.
    """

    def __init__(
        self,
        store: Store,
        changed: Callable[[], None],
        imported: Callable[[ImportProgress], None],
        *,
        protocols: Sequence[PeerProtocol] = (),
        token: bytes = b"",
        own_name: str = "",
        warned: Callable[[str], None] = lambda _: None,
        bytes_max: int = 0,
        disk_max: int = 0,
        lines_ttl_ns: int = LINES_TTL_NS_DEFAULT,
        precedence: Precedence | None = None,
    ) -> None:
        self._store = store
        self._changed = changed
        self._imported = imported
        store.bytes_max = bytes_max
        store.lines_ttl_ns = lines_ttl_ns
        store.on_overflow = self._make_room
        use_disk(store, disk_max, before_drop=lambda: None, warned=warned)
        self._give_way = (precedence or Precedence()).give_way
        self._reported_at = 0.0
        self._has_token = bool(token)
        self._server = Server(
            store,
            self._published,
            protocols=protocols,
            token=token,
            own_name=own_name,
            takes_records=lambda: store.takes_records,
            warned=warned,
            give_way=self._give_way,
        )

    @property
    def address(self) -> Address | None:
        """The first address where it listens, None if it does not listen."""
        return next(iter(self._server.addresses), None)

    @property
    def listening(self) -> str:
        """The address where it listens, as text; empty if it does not listen."""
        return ", ".join(dict.fromkeys(str(address) for address in self._server.addresses[:1]))

    @property
    def notice(self) -> str:
        """A line for the user if other computers can connect too."""
        return notice_of(self._server.addresses, has_token=self._has_token)

    @property
    def connections(self) -> int:
        """How many programs are connected."""
        return self._server.connections

    def start(self, *places: Address, source: ImportSource | None = None) -> None:
        """Listen at these addresses and read a session; `ListenError` if one is not free."""
        self._server.start(*places)
        if source is not None:
            self._server.call(lambda: self._import(source))

    def read_also(self, source: ImportSource) -> None:
        """Read another session beside what is there."""
        self._server.call(lambda: self._import(source))

    def stop(self) -> None:
        """Close every connection and every socket."""
        self._server.stop()

    def _published(self) -> None:
        self._changed()

    def _make_room(self) -> None:
        self._server.free_memory(self._store)

    def _import(self, source: ImportSource) -> None:
        def report(done: int, total: int) -> None:
            now = monotonic()
            if now - self._reported_at >= REPORT_EVERY_S:
                self._reported_at = now
                self._imported(ImportProgress(source.label, done, total))

        trouble, self._reported_at = "", monotonic()
        try:
            limit = self._store.bytes_max or MEMORY_BYTES_MAX
            import_session(self._store, source, report, memory_max=limit, give_way=self._give_way)
        except SessionError as error:
            trouble = str(error)
        self._imported(ImportProgress(source.label, 1, 1, trouble, is_over=True))
