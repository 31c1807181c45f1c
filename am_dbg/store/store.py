"""The store of all machines of all streams: it takes their messages and keeps their tracks.

A stream is a connection or a file. Each machine in it is a track. Two streams may have
machines of the same id, and one may use an id again after the machine was disposed:
these are different machines and become tracks of their own, `id` and `id#2`. Only a
sender that says it is the same one (same session, same machine, further on) continues
its track after a reconnect, with a gap. While the stream of that track is open the
newcomer gets nothing of it: `MachineTakenError`. The caller of `feed` waits for the end of
that stream and feeds the message again, or lets the newcomer `start_new_tracks`. A later stream
of the same file continues a track in the same way.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from itertools import takewhile
from threading import RLock

from am_dbg.errors import MachineTakenError
from am_dbg.store.dictionary import SegmentDictionary
from am_dbg.store.facts import IndexedSchema
from am_dbg.store.runs import number_among, parent_among, source_among
from am_dbg.store.shape_cache import ShapeCache
from am_dbg.store.stream import Stream
from am_dbg.store.track import Track
from am_dbg.store.values import MachineIdentity
from amtracer.errors import LimitError
from amtracer.wire import limits
from amtracer.wire.messages import MachineMessage, Message, Source


class Store:
    """Takes messages in, keeps tracks. One thread feeds, any thread reads.

    `tracks` are in order of arrival; `version` grows with everything that is taken in.
    What it takes in memory is counted as it comes, so asking for `size` costs nothing.
    With `bytes_max` the store calls `on_overflow` after a message that brought it over
    that limit; the thread that feeds makes room there (`am_dbg.store.eviction`).

    `arrived` and `taken` count the tracks and transitions that ever came; `is_whole` is
    whether none of them went to save memory.
    """

    def __init__(self, bytes_max: int = 0) -> None:
        self.transitions = 0
        self.version = 0
        self.bytes_max = bytes_max
        self.on_overflow: Callable[[], None] | None = None
        self._tracks: list[Track] = []
        self._streams: list[Stream] = []
        self._by_key: dict[str, Track] = {}
        self._by_id: dict[str, list[Track]] = {}
        self._newest: dict[tuple[str, str, str], Track] = {}
        self._copies: dict[str, int] = {}
        self._dictionaries: dict[int, SegmentDictionary] = {}
        self._finished_dictionaries: dict[int, SegmentDictionary] = {}
        self._cache = ShapeCache()
        self._changed: OrderedDict[Track, None] = OrderedDict()
        self._changes = 0
        self._serial = 0
        self.arrived = 0
        self._bytes = 0
        self.taken = 0
        self.is_whole = True
        self._is_freeing_memory = False
        self.lock = RLock()

    @property
    def tracks(self) -> Sequence[Track]:
        return self._tracks

    @property
    def streams(self) -> Sequence[Stream]:
        """All streams by number, to be read only; one that was stub is empty."""
        return self._streams

    def open_stream(self, label: str, *, live: bool, after: int = -1) -> int:
        """Begin a stream (a connection or a file) and return its number.

        `after` is the stream before it in the same file.
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
        """Take one message in; on a WireError nothing of it was applied."""
        with self.lock:
            self._streams[stream].take(message)
            self.version += 1
        self._check_memory()

    def start_new_tracks(self, stream: int) -> None:
        """Treat the machines of this stream, from here on, as new ones, never as returning ones."""
        self._streams[stream].starts_new_tracks = True

    def close_stream(self, stream: int, reason: str = "") -> None:
        """End a stream; with a reason its unfinished tracks show that they were cut."""
        with self.lock:
            if self._streams[stream].open:
                self._streams[stream].close(reason)
                self.version += 1

    def find(self, id: str) -> Track | None:
        """The track with this key, otherwise the newest one with this id."""
        if id in self._by_key:
            return self._by_key[id]
        same = self._by_id.get(id)
        return same[-1] if same else None

    def find_transition(self, id: str, tx_id: str) -> tuple[Track, int] | None:
        """The transition with this id, in the track with this key or any run of the machine.

        A key with a number comes first; else it is looked for in the newest run first.
        """
        runs = list(reversed(self._by_id.get(id, ())))
        track = self._by_key.get(id)
        if track is not None and track not in runs:
            runs.insert(0, track)
        return number_among(runs, tx_id)

    def parent_of(self, track: Track) -> Track | None:
        """The run of its parent that a track belongs to."""
        if not track.parent or track.parent == track.id:
            return None
        return parent_among(track, self._by_id.get(track.parent, ()))

    def source_of(self, track: Track, source: Source) -> tuple[Track, int] | None:
        """The transition that a source of this track names, in the run it belongs to."""
        return source_among(track, self._by_id.get(source.machine, ()), source)

    def holds(self, track: Track) -> bool:
        """Whether a track is still here."""
        return self._by_key.get(track.key) is track

    def remove(self, *tracks: Track) -> None:
        """Forget tracks; what their streams still send of them is checked but not kept."""
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

    def changed_since(self, mark: int) -> tuple[list[Track], int]:
        """The tracks that changed after a mark, the newest change last, and the next mark.

        The first mark is 0. What was removed is not among them.
        """
        with self.lock:
            changed = list(
                takewhile(lambda track: track.changed_at > mark, reversed(self._changed))
            )
            changed.reverse()
            return changed, self._changes

    def trim(self, bytes_max: int) -> None:
        """Drop the oldest segments until the rest fits; the newest of each stream stays.

        Tracks keep their numbers and show what is gone. For the thread that feeds.
        """
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

    def trim_open(self, stream: int) -> bool:
        """Drop everything of an open stream that is finished, whatever its segment.

        Returns whether there was any.
        """
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
        """Forget a closed stream with all of its tracks."""
        with self.lock:
            stream = self._streams[number]
            self.is_whole = self.is_whole and not stream.tracks
            self.remove(*(track for track in stream.tracks if track.stream == number))
            self.add_bytes(-stream.weight)
            self._streams[number] = _FORGOTTEN

    def weights(self) -> dict[int, int]:
        """Bytes for each stream that is not stub, with its tracks and definitions."""
        weights = {one.number: one.weight for one in self._streams if one is not _FORGOTTEN}
        for track in self._tracks:
            weights[track.stream] += track.weight
        for dictionary in self._dictionaries.values():
            weights[dictionary.stream] = weights.get(dictionary.stream, 0) + dictionary.weight
        return weights

    # What streams ask for.

    def new_dictionary(self, schemas: list[IndexedSchema], stream: int) -> SegmentDictionary:
        """An empty dictionary of this stream with the next serial number."""
        dictionary = SegmentDictionary(self._serial, schemas, self._cache, stream)
        self._serial += 1
        self._dictionaries[dictionary.serial] = dictionary
        self.add_bytes(dictionary.weigh())
        return dictionary

    def close_dictionary(self, dictionary: SegmentDictionary) -> None:
        """Note that nothing more is defined in this dictionary."""
        dictionary.close()
        self.add_bytes(dictionary.weigh())
        self._finished_dictionaries[dictionary.serial] = dictionary
        self._drop_unheld(dictionary)

    def add_bytes(self, weight: int) -> None:
        """Note that so many more bytes are kept."""
        self._bytes += weight

    def track_changed(self, track: Track, *, weighs: bool = True) -> None:
        """Note that this track changed, and perhaps the memory it takes."""
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
        """The track of a machine that enters a stream."""
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
        )
        key = self._free_key(message.id)
        track = Track(key, identity, stream.number, schema, ticks, message.row)
        track.connected = track.is_live = stream.live
        self._list(track, starts_new_tracks=stream.starts_new_tracks)
        self.track_changed(track)
        return track

    def count_transitions(self, transitions: int) -> None:
        """Note that so many transitions were taken in."""
        self.transitions += transitions
        self.taken += transitions

    def _check_memory(self) -> None:
        """Ask for room once, not again for changes that make room."""
        if self.bytes_max and self.size() > self.bytes_max and not self._is_freeing_memory:
            self._is_freeing_memory = True
            try:
                if self.on_overflow is not None:
                    self.on_overflow()
            finally:
                self._is_freeing_memory = False

    def _drop_unheld(self, dictionary: SegmentDictionary) -> None:
        """Drop a dictionary in which nothing is defined any more and that no track holds."""
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
        """The track that goes on in this stream after its sender lost the one before."""
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
        """The id, or the id with the next number; no number is used again."""
        key = id
        while key in self._by_key:
            number = self._copies[id] = self._copies.get(id, 1) + 1
            key = f"{id}#{number}"
        return key


_FORGOTTEN = Stream.stub()
