"""The limits of what is kept in memory and on the disk, in the unit of `--max-mem`."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from am_dbg.store import Store
    from am_dbg.store.loading.record_file import KeptRecord
    from am_dbg.store.spilling.spill import Spill
    from amtracer.files.records import RecordKind

MEGABYTE = 1_000_000
MEMORY_MB_MAX_DEFAULT = 1_000
"""The most megabytes for all received data, the same for every command."""
DISK_MB_MAX_DEFAULT = 10_000
"""The most megabytes of temporary files for history that memory has no room for."""
LINES_TTL_NS_DEFAULT = 24 * 3_600 * 10**9
"""The age from which log lines above level 1 are dropped before anything else."""


def use_disk(
    store: Store,
    bytes_max: int,
    *,
    before_drop: Callable[[], None] | None = None,
    warned: Callable[[str], None] = lambda _: None,
) -> None:
    """Move history to the disk when it takes half of the memory; see `am_dbg.store.spilling`.

    Records that other debuggers send go to the disk at once. What the disk refuses stays in
    memory, and from then on no other debugger is asked for records.
    """

    @cache
    def spill() -> Spill:
        from am_dbg.store.spilling.spill import Spill

        return Spill(store, bytes_max, before_drop=before_drop, warned=warned)

    def keep(kind: RecordKind, head: bytes, body: bytes) -> KeptRecord:
        kept = spill().keep(kind, head, body)
        if kept.memory:
            store.takes_records = False
        return kept

    if bytes_max:
        store.on_pressure = lambda: spill().make_room()
        store.keep_record, store.takes_records = keep, True
