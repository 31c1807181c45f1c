"""The store of all machines of all streams: it takes in their messages and keeps their tracks.

A stream is a connection or a file. Each machine in it becomes a track. Machines of two streams
can have the same id, and a stream can use an id again after its machine was disposed: these are
different machines with tracks of their own, `id` and `id#2`.

If a program reconnects (same session, same machine, a later row), its machine continues in its
track, after a gap. If the stream of that track is still open, `feed` raises `MachineTakenError`;
its caller waits for the end of that stream and feeds the message again, or calls
`start_new_tracks`. A later stream of the same file continues a track in the same way.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import takewhile
from threading import RLock

from am_dbg.errors import MachineTakenError
from am_dbg.store.chunk import CHUNK_LIMITS, Chunk, ChunkLimits
from am_dbg.store.definitions.shape_cache import ShapeCache
from am_dbg.store.dictionary import DefinitionCounts, SegmentDictionary, TableLoader
from am_dbg.store.facts import IndexedSchema
from am_dbg.store.loading.column_cache import ColumnCache
from am_dbg.store.loading.record_file import KeepRecord
from am_dbg.store.runs import number_among, parent_among, process_of, source_among
from am_dbg.store.stream import Stream
from am_dbg.store.track import Track
from am_dbg.store.values import DAMAGE_MAX, Damage, MachineIdentity
from amtracer.errors import LimitError, WireError
from amtracer.wire import limits
from amtracer.wire.messages import MachineMessage, Message, Source

_NEVER_NS = 2**63
"""An age that nothing reaches."""


class Store:
    """Takes in messages and keeps tracks. One thread feeds, any thread reads.

    `tracks` are in order of arrival; `version` grows with everything that is taken in. Memory
    is counted as it is taken in, that of a few small values a little later, so `size` is fast.
    What is fed can be read at once, or at the end of `gathering`. With `bytes_max` the store calls
    `on_overflow` after a message that exceeds this limit; there the thread that feeds frees
    memory (`am_dbg.store.eviction`). Above half of the limit it calls `on_pressure`, where history
    is moved to the disk (`am_dbg.store.spilling`). `lines_ttl_ns` is the age from which log lines
    above level 1 are dropped before anything else.

    `arrived` and `taken` count all tracks and transitions that ever came; `is_whole` is whether
    none of them was removed to save memory. `clock` is the wall clock in nanoseconds, by which
    the ends of connections are recorded; `chunk_limits` are the sizes of chunks.
    """

    def __init__(
        self,
        bytes_max: int = 0,
        clock: Callable[[], int] = time.time_ns,
        chunk_limits: ChunkLimits = CHUNK_LIMITS,
    ) -> None:
        self.clock = clock
        self.chunk_limits = chunk_limits
        self.transitions = 0
        self.version = 0
        self.bytes_max = bytes_max
        self.lines_ttl_ns = _NEVER_NS
        self.on_overflow: Callable[[], None] | None = None
        self.on_damage: Callable[[Damage], None] | None = None
        """Called once, with the first damage that a reader finds, on the thread of that reader."""
        self.on_pressure: Callable[[], None] | None = None
        self.keep_record: KeepRecord | None = None
        """Keeps a record that another debugger sent; None without a place for it."""
        self.takes_records = False
        """Whether other debuggers should send records, where they can."""
        self._tracks: list[Track] = []
        self._streams: list[Stream] = []
        self._by_key: dict[str, Track] = {}
        self._by_id: dict[str, list[Track]] = {}
        self._newest: dict[tuple[str, str, str], Track] = {}
        self._copies: dict[str, int] = {}
        self._dictionaries: dict[int, SegmentDictionary] = {}
        self._finished_dictionaries: dict[int, SegmentDictionary] = {}
        self._cache = ShapeCache()
        self.loaded = ColumnCache()
        self._changed: OrderedDict[Track, None] = OrderedDict()
        self._changes = 0
        self._serial = 0
        self.arrived = 0
        self._bytes = 0
        self.taken = 0
        self.is_whole = True
        self._is_freeing_memory = False
        self._gathers = False
        self._waiting: Stream | None = None
        """The stream whose rows wait; at most one."""
        self.lock = RLock()
        self.damage: list[Damage] = []
        """What readers found damaged; each is also a gap."""

    @property
    def tracks(self) -> Sequence[Track]:
        return self._tracks

    @property
    def streams(self) -> Sequence[Stream]:
        """All streams by number, read-only; a forgotten stream is empty."""
        return self._streams

    def open_stream(self, label: str, *, live: bool, after: int = -1) -> int:
        """Open a stream (a connection or a file) and return its number.

        `after` is the previous stream of the same file.
        """
        with self.lock:
            stream = Stream(len(self._streams), label, live, self)
            if after >= 0:
                stream.family = self._streams[after].family
            self._streams.append(stream)
            self.version += 1
        self._check_memory()
        return stream.number

    def feed(self, stream: int, message: Message) -> None:
        """Take in one message; on a WireError nothing changed."""
        with self.lock:
            taking = self._streams[stream]
            if self._waiting is not taking:
                self.settle()
            taking.take(message)
            self.version += 1
        if self.bytes_max:
            self._check_memory()

    @contextmanager
    def gathering(self) -> Iterator[None]:
        """Within it, transitions that are fed can wait; at its end all of them can be read.

        Use it around all messages that are at hand: taking in many at once costs less.
        """
        before, self._gathers = self._gathers, True
        try:
            yield
        finally:
            self._gathers = before
            self.settle()

    def settle(self) -> None:
        """Take in the transitions that wait, so that they can be read."""
        waiting = self._waiting
        if waiting is not None:
            with self.lock:
                self._waiting = None
                waiting.settle()
                self.version += 1

    def start_new_tracks(self, stream: int) -> None:
        """From now on, machines that enter this stream start new tracks."""
        self._streams[stream].starts_new_tracks = True

    def close_stream(self, stream: int, reason: str = "") -> None:
        """End a stream; with a reason, its unfinished tracks get a gap of the kind CUT."""
        self.settle()
        with self.lock:
            closing = self._streams[stream]
            if closing.open:
                closing.closed_ns = self.clock() if closing.live else 0
                closing.close(reason)
                self.version += 1

    def find(self, id: str) -> Track | None:
        """The track with this key, or else the newest one with this id."""
        if id in self._by_key:
            return self._by_key[id]
        same = self._by_id.get(id)
        return same[-1] if same else None

    def find_transition(self, id: str, tx_id: str) -> tuple[Track, int] | None:
        """The transition with this id, in the track with this key or any run of the machine.

        A track with this key is searched first, then the runs, the newest one first.
        """
        runs = list(reversed(self._by_id.get(id, ())))
        track = self._by_key.get(id)
        if track is not None and track not in runs:
            runs.insert(0, track)
        return number_among(runs, tx_id)

    def parent_of(self, track: Track) -> Track | None:
        """The track of the parent, in the run that this track belongs to."""
        if not track.parent or track.parent == track.id:
            return None
        return parent_among(track, self._by_id.get(track.parent, ()))

    def source_of(self, track: Track, source: Source) -> tuple[Track, int] | None:
        """The transition that a source of this track refers to."""
        return source_among(track, self._by_id.get(source.machine, ()), source)

    def holds(self, track: Track) -> bool:
        """Whether the store still holds a track."""
        return self._by_key.get(track.key) is track

    def remove(self, *tracks: Track) -> None:
        """Remove tracks; what their streams still send of them is checked and not kept."""
        self.settle()
        with self.lock:
            gone = {track for track in tracks if self.holds(track)}
            for stream in {track.stream for track in gone}:
                self._streams[stream].forget(gone)
            self._tracks = [track for track in self._tracks if track not in gone]
            for track in gone:
                self._unlist(track)
            self.transitions -= sum(track.count for track in gone)
            self.version += 1

    def size(self) -> int:
        """Bytes in memory, about."""
        return self._bytes + self._cache.bytes

    def changed_since(self, mark: int, most: int = 0) -> tuple[list[Track], int]:
        """The tracks that changed after a mark, the newest change last, and the next mark.

        The first mark is 0. Removed tracks are left out. With `most`, only so many are returned,
        and the next mark is after them.
        """
        with self.lock:
            changed = list(
                takewhile(lambda track: track.changed_at > mark, reversed(self._changed))
            )
            changed.reverse()
            if 0 < most < len(changed):
                del changed[most:]
                return changed, changed[-1].changed_at
            return changed, self._changes

    def trim(self, bytes_max: int) -> None:
        """Drop the oldest segments until the rest fits; the newest one of each stream stays.

        Tracks keep their numbers and get a gap. Only the thread that feeds may call this.
        """
        self.settle()
        with self.lock:
            while self.size() > bytes_max and self._finished_dictionaries:
                dictionary = self._finished_dictionaries[min(self._finished_dictionaries)]
                freed = {dictionary}
                for track in list(dictionary.holders):
                    freed |= track.trim(dictionary)
                    self.track_changed(track)
                for one in freed:
                    self._drop_unheld(one)
                self.is_whole = False
                self.version += 1

    def trim_through(self, lasts: Mapping[Track, int]) -> None:
        """Drop the oldest chunks of tracks, up to the complete one with this transition."""
        with self.lock:
            for track, last in lasts.items():
                if self.holds(track) and track.first <= last:
                    for dictionary in track.trim_through(last):
                        self._drop_unheld(dictionary)
                    self.track_changed(track)
                    self.is_whole = False
            self.version += 1

    def trim_open(self, stream: int) -> bool:
        """Drop all finished chunks of an open stream; return whether that freed memory."""
        self.settle()
        with self.lock:
            before = self.size()
            for track in self._streams[stream].tracks:
                if track.stream == stream and track.chunks:
                    for dictionary in track.trim_sealed():
                        self._drop_unheld(dictionary)
                    self.track_changed(track)
            has_gone = self.size() < before
            self.is_whole = self.is_whole and not has_gone
            return has_gone

    def forget_stream(self, number: int) -> None:
        """Remove a closed stream and all of its tracks."""
        with self.lock:
            stream = self._streams[number]
            self.is_whole = self.is_whole and not stream.tracks
            self.remove(*(track for track in stream.tracks if track.stream == number))
            self.add_bytes(-stream.weight)
            self._streams[number] = _FORGOTTEN

    def weights(self) -> dict[int, int]:
        """Bytes of each stream that is not forgotten, with its tracks and definitions."""
        weights = {one.number: one.weight for one in self._streams if one is not _FORGOTTEN}
        for track in self._tracks:
            weights[track.stream] += track.weight
        for dictionary in self._dictionaries.values():
            weights[dictionary.stream] = weights.get(dictionary.stream, 0) + dictionary.weight
        return weights

    # Moving history to the disk.

    def ended_segments(self) -> list[SegmentDictionary]:
        """The definitions of segments that ended whose tables are in memory, the oldest first."""
        return [one for one in self._finished_dictionaries.values() if not one.is_loaded]

    def end_chunks_of(self, dictionary: SegmentDictionary) -> None:
        """End the chunks that can no longer grow because their segment ended."""
        with self.lock:
            for track in dictionary.holders:
                track.end_chunk_of(dictionary)
                self._bytes += track.weigh()

    def end_grown_chunks(self, rows: int) -> None:
        """End the chunks that have so many rows, although they could grow."""
        with self.lock:
            for track in self._tracks:
                if track.end_grown_chunk(rows):
                    self._bytes += track.weigh()

    def weigh_again(self, track: Track) -> None:
        """Count the memory of a track that moved columns to the disk; nothing else changed."""
        self._bytes += track.weigh()

    def load_definitions_from(
        self, dictionary: SegmentDictionary, loader: TableLoader, counts: DefinitionCounts
    ) -> None:
        """Let go of the tables of a segment that ended: from now on a loader gives them."""
        dictionary.load_from(loader, counts)
        self.add_bytes(dictionary.weigh())

    # The methods of `StreamStore`.

    def new_dictionary(self, schemas: list[IndexedSchema], stream: int) -> SegmentDictionary:
        """Make an empty dictionary of this stream, with the next serial number."""
        dictionary = SegmentDictionary(self._serial, schemas, self._cache, stream, self._on_damage)
        self._serial += 1
        self._dictionaries[dictionary.serial] = dictionary
        self.add_bytes(dictionary.weigh())
        return dictionary

    def close_dictionary(self, dictionary: SegmentDictionary, *, is_adopted: bool = False) -> None:
        """End the definitions of this dictionary; one that was adopted stays for its chunks."""
        dictionary.close()
        self.add_bytes(dictionary.weigh())
        self._finished_dictionaries[dictionary.serial] = dictionary
        if not is_adopted:
            self._drop_unheld(dictionary)

    def hold_dictionary(self, dictionary: SegmentDictionary) -> None:
        """Count a dictionary that was adopted again, if it was dropped because no track held it."""
        if dictionary.serial not in self._dictionaries:
            self._dictionaries[dictionary.serial] = dictionary
            self._finished_dictionaries[dictionary.serial] = dictionary
            self.add_bytes(dictionary.weigh())

    def add_bytes(self, weight: int) -> None:
        """Count bytes that are kept, or were freed if negative."""
        self._bytes += weight

    def track_changed(self, track: Track, *, weighs: bool = True) -> None:
        """Record that a track changed; with `weighs` also its memory."""
        if weighs:
            self._bytes += track.weigh()
        if not track.removed:
            self._changes += 1
            track.changed_at = self._changes
            self._changed[track] = None
            self._changed.move_to_end(track)

    def track_for(
        self, stream: Stream, message: MachineMessage, schema: IndexedSchema, ticks: tuple[int, ...]
    ) -> Track:
        """Return the track of a machine that enters a stream."""
        assert stream.hello is not None  # a stream takes a machine only after its hello
        track = self._resumed(stream, stream.hello.session, message)
        if track is not None:
            track.resume(stream.number, schema, ticks, message.row, live=stream.live)
            self.track_changed(track)
            return track
        if len(self._tracks) >= limits.MACHINES_PER_SERVER_MAX:
            raise LimitError("machines", len(self._tracks) + 1, limits.MACHINES_PER_SERVER_MAX)
        identity = MachineIdentity(
            id=message.id,
            parent=message.parent,
            tags=message.tags,
            tx_prefix=message.tx_prefix,
            session=stream.hello.session,
            started_ns=stream.hello.wall_ns,
            unit_ns=message.unit_ns,
            **process_of(message, stream.hello)._asdict(),
        )
        key = self._free_key(message.id)
        track = Track(key, identity, stream.number, schema, ticks, message.row, self.chunk_limits)
        track.connected = track.is_live = stream.live
        self._list(track, starts_new_tracks=stream.starts_new_tracks)
        self.track_changed(track)
        return track

    def lets_wait(self, stream: Stream) -> bool:
        """Whether rows of this stream can wait until `settle` is called."""
        self._waiting = stream if self._gathers else None
        return self._gathers

    def count_transitions(self, transitions: int) -> None:
        """Count transitions that were taken in."""
        self.transitions += transitions
        self.taken += transitions

    @property
    def _exceeds_limit(self) -> bool:
        return self.bytes_max > 0 and self.size() > self.bytes_max

    def _check_memory(self) -> None:
        """Call what frees memory if there is too little, but not for changes made within it."""
        if self.on_pressure is not None and self.size() > self.bytes_max // 2:
            self._free_by(self.on_pressure)
        if self._exceeds_limit and not self._is_freeing_memory:
            self.settle()
        if self.on_overflow is not None and self._exceeds_limit:
            self._free_by(self.on_overflow)

    def _free_by(self, free: Callable[[], None]) -> None:
        if not self._is_freeing_memory:
            self._is_freeing_memory = True
            try:
                free()
            finally:
                self._is_freeing_memory = False

    def _on_damage(
        self, dictionary: SegmentDictionary, error: WireError, is_damaged: Callable[[Chunk], bool]
    ) -> None:
        """Make chunks damaged that cannot be read; any thread may find that."""
        with self.lock:
            for track in sorted(dictionary.holders, key=lambda track: track.arrival):
                for one in track.damage_chunks(dictionary, is_damaged):
                    self._keep_damage(track, one, str(error))
                self.track_changed(track)
            self._drop_unheld(dictionary)
            self.version += 1

    def _keep_damage(self, track: Track, chunk: Chunk, what: str) -> None:
        first = chunk.row_first + 1
        damage = Damage(what, -1, track.key, first, first + chunk.rows - 1)
        if not self.damage and self.on_damage is not None:
            self.on_damage(damage)
        if len(self.damage) < DAMAGE_MAX:
            self.damage.append(damage)

    def _drop_unheld(self, dictionary: SegmentDictionary) -> None:
        """Drop a dictionary if its definitions ended and no track holds it."""
        if (
            dictionary.is_closed
            and not dictionary.holders
            and dictionary.serial in self._dictionaries
        ):
            del self._dictionaries[dictionary.serial]
            self._finished_dictionaries.pop(dictionary.serial, None)
            self.add_bytes(-dictionary.weight)
            dictionary.weight = 0

    def _list(self, track: Track, *, starts_new_tracks: bool) -> None:
        """Add a new track to the indexes."""
        self.arrived += 1
        track.arrival = self.arrived
        identity = track.identity
        self._tracks.append(track)
        self._by_key[track.key] = track
        self._by_id.setdefault(track.id, []).append(track)
        if not starts_new_tracks:
            self._newest[track.id, identity.session, identity.tx_prefix] = track

    def _unlist(self, track: Track) -> None:
        """Remove a track from the indexes."""
        del self._by_key[track.key]
        same = self._by_id[track.id]
        same.remove(track)
        if not same:
            del self._by_id[track.id]
            self._copies.pop(track.id, None)
        own = (track.id, track.identity.session, track.identity.tx_prefix)
        if self._newest.get(own) is track:
            del self._newest[own]
        self._changed.pop(track, None)
        self.add_bytes(-track.weight)
        track.weight = 0
        for dictionary in track.release():
            self._drop_unheld(dictionary)

    def _resumed(self, stream: Stream, session: str, message: MachineMessage) -> Track | None:
        """The track that continues in this stream, if its program reconnected."""
        if stream.starts_new_tracks or not (session and message.tx_prefix):
            return None
        track = self._newest.get((message.id, session, message.tx_prefix))
        if track is None or track.stream == stream.number or track.gone:
            return None
        before = self._streams[track.stream]
        goes_on = message.unit_ns == track.identity.unit_ns and message.row >= track.row_next
        if not goes_on or before.family != stream.family:
            return None
        if before.open and not track.ended:
            raise MachineTakenError(track.key, before.number)
        return track

    def _free_key(self, id: str) -> str:
        """The id, or the id with the next number; a number is never used twice."""
        key = id
        while key in self._by_key:
            number = self._copies[id] = self._copies.get(id, 1) + 1
            key = f"{id}#{number}"
        return key


_FORGOTTEN = Stream.stub()
