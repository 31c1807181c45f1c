"""All machines of all streams, by the messages they send.

A stream is a connection or a file. Each machine in it is a track. Two streams may have
machines of the same id, and one may use an id again after the machine was disposed:
these are different machines and become tracks of their own, `id` and `id#2`. Only a
sender that says it is the same one (same session, same machine, further on) continues
its track after a reconnect, with a gap.
"""

from __future__ import annotations

from collections.abc import Sequence

from am_dbg.store.dictionary import Dictionary
from am_dbg.store.facts import Schema
from am_dbg.store.runs import number_among, parent_among, source_among
from am_dbg.store.stream import Stream
from am_dbg.store.track import Origin, Track
from amtracer import limits
from amtracer.errors import LimitError
from amtracer.schema import MachineMessage, Message, Source

__all__ = ["Store"]


class Store:
    """Takes messages in, keeps tracks. One thread feeds, any thread reads.

    `tracks` are in order of arrival; `version` grows with everything that is taken in.
    """

    def __init__(self) -> None:
        self.transitions = 0
        self.version = 0
        self._tracks: list[Track] = []
        self._streams: list[Stream] = []
        self._by_key: dict[str, Track] = {}
        self._by_id: dict[str, list[Track]] = {}
        self._newest: dict[tuple[str, str, str], Track] = {}
        self._copies: dict[str, int] = {}
        self._books: list[Dictionary] = []
        self._serial = 0

    @property
    def tracks(self) -> Sequence[Track]:
        return self._tracks

    @property
    def streams(self) -> Sequence[Stream]:
        """All streams by number, to be read only."""
        return self._streams

    def open_stream(self, label: str, *, live: bool, after: int = -1) -> int:
        """Begin a stream (a connection or a file) and return its number.

        `after` is the stream before it in the same file.
        """
        stream = Stream(len(self._streams), label, live, self)
        if after >= 0:
            stream.family = self._streams[after].family
        self._streams.append(stream)
        self.version += 1
        return stream.number

    def feed(self, stream: int, message: Message) -> None:
        """Take one message in; on a WireError nothing of it was applied."""
        self._streams[stream].take(message)
        self.version += 1

    def close_stream(self, stream: int, reason: str = "") -> None:
        """End a stream; with a reason its unfinished tracks show that they were cut."""
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

    def remove(self, *tracks: Track) -> None:
        """Forget tracks; what their streams still send of them is checked but not kept.

        For the thread that feeds.
        """
        gone = set(tracks)
        for stream in {track.stream for track in gone}:
            self._streams[stream].forget(gone)
        self._tracks = [track for track in self._tracks if track not in gone]
        self._by_key = {key: track for key, track in self._by_key.items() if track not in gone}
        self._newest = {own: track for own, track in self._newest.items() if track not in gone}
        for shared in {track.id for track in gone}:
            self._by_id[shared] = [one for one in self._by_id[shared] if one not in gone]
        self.transitions -= sum(track.count for track in gone)
        self.version += 1

    def size(self) -> int:
        """Bytes in memory, about."""
        return sum(book.size() for book in self._books) + sum(
            track.size() for track in self._tracks
        )

    def trim(self, bytes_max: int) -> None:
        """Let the oldest segments go until the rest fits; the newest of each stream stays.

        Tracks keep their numbers and tell what is gone. For the thread that feeds.
        """
        while self.size() > bytes_max:
            current = {stream.book.serial for stream in self._streams if stream.open}
            oldest = next((book for book in self._books if book.serial not in current), None)
            if oldest is None:
                return
            self._books.remove(oldest)
            for track in self._tracks:
                track.trim(oldest)
            self.version += 1

    # What streams ask for.

    def new_dictionary(self, schemas: list[Schema]) -> Dictionary:
        """An empty dictionary with the next serial number."""
        book = Dictionary(self._serial, schemas)
        self._serial += 1
        self._books.append(book)
        return book

    def admit(
        self, stream: Stream, message: MachineMessage, schema: Schema, ticks: tuple[int, ...]
    ) -> Track:
        """The track of a machine that enters a stream."""
        assert stream.hello is not None  # a stream takes a machine only after its hello
        track = self._returned(stream, stream.hello.session, message)
        if track is not None:
            track.rejoin(stream.number, schema, ticks, message.row, live=stream.live)
            return track
        if len(self._tracks) >= limits.MACHINES_PER_SERVER_MAX:
            raise LimitError("machines", len(self._tracks) + 1, limits.MACHINES_PER_SERVER_MAX)
        origin = Origin(
            id=message.id,
            parent=message.parent,
            tags=message.tags,
            tx_prefix=message.tx_prefix,
            session=stream.hello.session,
            started_ns=stream.hello.wall_ns,
            unit_ns=message.unit_ns,
        )
        key = self._free_key(message.id)
        track = Track(key, origin, stream.number, schema, ticks, message.row)
        track.connected = track.is_live = stream.live
        self._tracks.append(track)
        self._by_key[track.key] = track
        self._by_id.setdefault(track.id, []).append(track)
        self._newest[track.id, origin.session, origin.tx_prefix] = track
        return track

    def counted(self, transitions: int) -> None:
        """So many transitions were taken in."""
        self.transitions += transitions

    def _returned(self, stream: Stream, session: str, message: MachineMessage) -> Track | None:
        """The track that goes on in this stream after its sender lost the one before."""
        if not (session and message.tx_prefix):
            return None
        track = self._newest.get((message.id, session, message.tx_prefix))
        if (
            track is not None
            and track.stream != stream.number
            and self._streams[track.stream].family == stream.family
            and not track.gone
            and message.unit_ns == track.origin.unit_ns
            and message.row >= track.row_next
        ):
            return track
        return None

    def _free_key(self, id: str) -> str:
        """The id, or the id with the next number; no number is used again."""
        key = id
        while key in self._by_key:
            number = self._copies[id] = self._copies.get(id, 1) + 1
            key = f"{id}#{number}"
        return key
