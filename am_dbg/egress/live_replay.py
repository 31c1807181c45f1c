"""Replays what is new in live programs into a stream, for forwarding and recording.

It looks only at tracks that changed, and sends of each what was not sent yet.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar
from weakref import WeakKeyDictionary

from am_dbg.egress.track_replay import TrackReplay
from am_dbg.store import Store, Track
from am_dbg.store.stream import Stream
from am_dbg.store.values import TrackSnapshot
from amtracer.encode.stream_writer import StreamWriter


@dataclass(slots=True)
class _Sent:
    """What was sent of a track: the last transition, the version, the snapshot of its end."""

    last: int = 0
    version: int = -1
    end: TrackSnapshot | None = None
    is_gone: bool = False

    def lacks(self, track: Track) -> bool:
        """Whether the present stream lacks something of it."""
        return self.version != track.version and not self.is_all_of(track)

    def is_all_of(self, track: Track) -> bool:
        """Whether it ended and was sent as a whole, so that a new stream needs nothing of it."""
        return self.is_gone or (self.end is track.snapshot and self.last == track.count)


_Writer = TypeVar("_Writer", bound=StreamWriter)
_Into_contra = TypeVar("_Into_contra", bound=StreamWriter, contravariant=True)


class MakesReplay(Protocol[_Into_contra]):
    """Makes a replay of a track, from a transition on, into a stream."""

    def __call__(
        self, writer: _Into_contra, track: Track, first: int, /, *, goes_on: bool
    ) -> TrackReplay: ...


class LiveReplay(Generic[_Writer]):
    """Sends what is new in live programs into one stream after another.

    In the next stream machines continue where they were. Only streams for which `concerns`
    returns True are sent. One thread at a time.
    """

    def __init__(
        self,
        store: Store,
        replay: MakesReplay[_Writer],
        concerns: Callable[[Stream], bool] = lambda _: True,
    ) -> None:
        self._store = store
        self._make_replay = replay
        self._concerns = concerns
        self._known: WeakKeyDictionary[Track, _Sent] = WeakKeyDictionary()
        self._waiting: dict[Track, None] = {}
        self._mark = 0
        self._replays: dict[Track, TrackReplay] = {}
        self._tracks: Sequence[Track] = store.tracks
        self._writer: _Writer | None = None

    def begin(self, writer: _Writer, *, whole: bool = True) -> None:
        """Continue in this stream, with all machines if `whole`, or else with those that change.

        `send` raises `StreamFullError` if a stream has no numbers left for machines. Then the
        next stream must not begin whole, because it could be full at once.
        """
        if whole:
            self.lose_reader()
        self._replays = {}
        self._writer = writer

    def lose_reader(self) -> None:
        """Forget the stream: machines must enter the next one before they continue."""
        self._replays, self._writer = {}, None
        self._waiting = dict.fromkeys(self._store.tracks)
        for known in self._known.values():
            known.version = -1

    def send(self, rows_max: int) -> bool:
        """Write what is new, up to about `rows_max` transitions; return whether there was any."""
        writer = self._writer
        assert writer is not None  # a stream was begun
        sent = self._end_removed()
        for track in self._changed_tracks():
            if sent >= rows_max:
                break
            sent += self._send_track(writer, track, rows_max)
            known = self._known.get(track)
            if known is not None and not known.lacks(track):
                self._waiting.pop(track, None)
        writer.flush()
        return sent > 0

    @property
    def has_some(self) -> bool:
        """Whether something is left to send."""
        for track in self._changed_tracks():
            known = self._known.get(track)
            if known is None or known.lacks(track):
                return True
            self._waiting.pop(track, None)
        return False

    def _send_track(self, writer: _Writer, track: Track, rows_max: int) -> int:
        """Write what is new in one track; return the number of messages."""
        known, version, last = self._known.get(track), track.version, track.count
        if known is not None and not known.lacks(track):
            return 0
        replay = self._replays.get(track)
        sent = replay.sent if replay else 0
        replay = replay or self._start_replay(writer, track, known)
        if replay is None:
            return 0
        known = self._known.setdefault(track, _Sent())
        start = max(replay.next, track.first)
        try:
            rows = sum(replay.replay_to(min(last, start + rows_max - 1)))
            snapshot = track.snapshot
            if replay.next > last or track.first > last:
                replay.catch_up()
                known.version = version
        finally:
            known.last, known.is_gone = replay.next - 1, replay.is_gone
        known.end = snapshot if replay.has_left else None
        return rows + replay.sent - sent

    def _start_replay(
        self, writer: _Writer, track: Track, known: _Sent | None
    ) -> TrackReplay | None:
        """Let a track enter the stream; None if it was trimmed meanwhile, so it enters later."""
        first = max(known.last + 1 if known else 1, track.first)
        try:
            replay = self._make_replay(writer, track, first, goes_on=known is not None)
        except IndexError:
            return None
        self._replays[track] = replay
        return replay

    def _end_removed(self) -> int:
        """Send the end of tracks that the store has removed; return how many."""
        tracks = self._store.tracks
        if tracks is self._tracks:
            return 0
        self._tracks, held = tracks, set(tracks)
        removed = [track for track in self._replays if track not in held]
        for track in removed:
            replay = self._replays.pop(track)
            for _ in replay.replay_to(track.count):
                pass
            replay.catch_up()
            if not (replay.is_gone or replay.has_left):
                replay.leave()
        return len(removed)

    def _changed_tracks(self) -> list[Track]:
        """The tracks that changed since they were sent, in order of arrival."""
        changed, self._mark = self._store.changed_since(self._mark)
        for track in changed:
            self._waiting[track] = None
        streams, tracks = self._store.streams, list(self._waiting)
        for track in tracks:
            stream = streams[track.stream]
            if not (stream.live and self._concerns(stream) and self._store.holds(track)):
                del self._waiting[track]
        return sorted(self._waiting, key=_arrival)


def _arrival(track: Track) -> int:
    return track.arrival
