"""Fills the tracks of one stream of a session file of version 3.

The opening is fed as messages (see `am_dbg.ingest.stream_opening`). Then each machine gets its
chunks and events in the order of its rows: an event of a row is after all rows below it. What does
not fit is damage, and costs only itself: the rows are a gap.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import NamedTuple

from am_dbg.ingest.stream_opening import StreamOpening
from am_dbg.store import Store
from am_dbg.store.dictionary import SegmentDictionary
from am_dbg.store.loading.record_file import ChunkLoader, SegmentLoader
from am_dbg.store.packed.heads import ChunkHead
from am_dbg.store.values import Damage
from amtracer.errors import WireError
from amtracer.wire.messages import (
    DroppedMessage,
    EndMessage,
    GoneMessage,
    LaterLinesMessage,
    LeftMessage,
    Message,
    OpenWorkMessage,
    RefusedMessage,
    SchemaChangedMessage,
    TroubleMessage,
)

Event = (
    SchemaChangedMessage
    | GoneMessage
    | DroppedMessage
    | LeftMessage
    | RefusedMessage
    | TroubleMessage
    | LaterLinesMessage
    | OpenWorkMessage
)
"""The messages that a record of events holds."""


class PlacedChunk(NamedTuple):
    """A chunk of a record."""

    head: ChunkHead
    loader: ChunkLoader

    @property
    def place(self) -> tuple[int, bool]:
        """Its first row; events of that row are before it."""
        return self.head.first_row, True


class PlacedEvent(NamedTuple):
    """A message of a machine that is before one of its rows; the segment of its numbers."""

    row: int
    segment: int
    message: Event

    @property
    def place(self) -> tuple[int, bool]:
        """The row, and that it is before the transition there."""
        return self.row, False

    @property
    def row_before(self) -> int:
        """The row that the machine must have reached; 0 if the message has its own row."""
        message = self.message
        if isinstance(message, RefusedMessage | TroubleMessage | OpenWorkMessage):
            return 0
        return self.row - (message.count if isinstance(message, DroppedMessage) else 0)


@dataclass
class StreamParts:
    """What a file has of one stream, in the order of the file."""

    opening: StreamOpening = field(default_factory=StreamOpening)
    segments: dict[int, SegmentLoader] = field(default_factory=dict)
    items: dict[int, list[PlacedChunk | PlacedEvent]] = field(default_factory=dict)
    """The chunks and events of each machine."""
    rows_lost: int = 0
    """Transitions of machines of which nothing is known."""


class StreamFilling:
    """Feeds one stream to the store: its opening, and the chunks and events of its tracks.

    The lock of the store is free between two messages and between two machines; `give_way` is
    called there. `transitions` counts those that were taken in, `missing` those that were found
    damaged.
    """

    def __init__(
        self, store: Store, number: int, parts: StreamParts, give_way: Callable[[], None]
    ) -> None:
        self.damage: list[Damage] = []
        self.transitions = self.missing = 0
        self._stream = store.streams[number]
        self._store = store
        self._number = number
        self._parts = parts
        self._give_way = give_way
        self._dictionaries: dict[int, SegmentDictionary] = {}

    def fill(self, *, has_end: bool) -> None:
        """Take the opening; then go through all machines, each in the order of its rows."""
        self._open()
        self._fill_tracks()
        if has_end:
            self._feed([EndMessage(0, 0, 0)])

    def _open(self) -> None:
        """Feed the opening; numbers that it lacks are left out."""
        opening, stream = self._parts.opening, self._stream
        self._feed([opening.hello])
        for schema in opening.schemas:
            if schema is None:
                stream.lose_schema()
            else:
                self._feed([schema])
        for machine in opening.machines:
            if machine is None:
                stream.lose_machine()
            elif 0 <= machine.schema < len(stream.schemas) and not stream.has_schema(
                machine.schema
            ):
                self._feed([replace(machine, ticks=())])
            else:
                self._feed([machine])

    def _feed(self, messages: Sequence[Message]) -> None:
        for message in messages:
            self._give_way()
            try:
                self._store.feed(self._number, message)
            except WireError as error:
                self.damage.append(Damage(str(error)))

    def _fill_tracks(self) -> None:
        for machine, items in self._parts.items.items():
            is_known = self._parts.opening.unit_ns(machine) > 0
            if not is_known or machine >= len(self._stream.tracks):
                self.damage.append(Damage("events of a machine whose opening is damaged"))
                continue
            self._give_way()
            with self._store.lock:
                self._fill_track(machine, items)
                self._store.version += 1

    def _fill_track(self, machine: int, items: list[PlacedChunk | PlacedEvent]) -> None:
        for item in sorted(items, key=attrgetter("place")):
            try:
                self._add(item)
            except WireError as error:
                self._leave_out(item, str(error))
        self._stream.end_adopting(machine)

    def _leave_out(self, item: PlacedChunk | PlacedEvent, what: str) -> None:
        """Go on after what cannot be taken in."""
        if isinstance(item, PlacedEvent):
            self.damage.append(Damage(what))
            return
        head, offset = item.head, item.loader.record.offset
        key = self._stream.tracks[head.machine].key
        row = head.first_row + head.rows
        self.damage.append(Damage(what, offset, key, head.first_row + 1, row))
        self._skip(head.machine, row, is_known=True)

    def _skip(self, machine: int, row: int, *, is_known: bool = False) -> None:
        """Make a gap of what is missing up to this row."""
        track = self._stream.tracks[machine]
        first = track.row_next
        try:
            self._stream.skip_damaged(machine, row)
        except WireError:
            return  # the machine takes nothing more, which was noted
        if track.row_next > first:
            self.missing += track.row_next - first
            if not is_known:
                self.damage.append(Damage("damaged", -1, track.key, first + 1, track.row_next))

    def _add(self, item: PlacedChunk | PlacedEvent) -> None:
        if isinstance(item, PlacedEvent):
            if self._is_over(item):
                return
            self._skip(item.message.machine, item.row_before)
        if isinstance(item, PlacedChunk):
            head = item.head
            row = self._stream.tracks[head.machine].row_next
            self._stream.adopt_chunk(head, self._dictionary(head.segment), item.loader)
            self.transitions += head.rows
            if head.first_row > row:
                self._note_missing(head, row)
        elif isinstance(item.message, OpenWorkMessage):
            self._stream.take_open_work(item.message, item.row)
        elif isinstance(item.message, LaterLinesMessage):
            self._stream.take_defined(item.message, self._dictionary(item.segment))
        else:
            self._store.feed(self._number, item.message)

    def _note_missing(self, head: ChunkHead, row: int) -> None:
        """Note the rows from this one on that were missing before a chunk."""
        key = self._stream.tracks[head.machine].key
        self.missing += head.first_row - row
        self.damage.append(Damage("damaged", -1, key, row + 1, head.first_row))

    def _is_over(self, item: PlacedEvent) -> bool:
        """Whether later rows are there already, of a record that replaced smaller ones."""
        if not isinstance(item.message, LaterLinesMessage | LeftMessage):
            return False
        return item.row < self._stream.tracks[item.message.machine].row_next

    def _dictionary(self, number: int) -> SegmentDictionary:
        found = self._dictionaries.get(number)
        if found is None:
            loader = self._parts.segments.get(number)
            if loader is None:
                raise WireError("their definitions are damaged")
            found = self._stream.adopt_segment(loader, loader.counts)
            self._dictionaries[number] = found
        return found
