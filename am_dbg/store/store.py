"""All machines of all streams, by the messages they send."""

from __future__ import annotations

from collections.abc import Sequence

from amtracer.schema import Message

from am_dbg.store.track import Track


class Store:
    """Takes messages in, keeps tracks. One thread feeds, any thread reads."""

    tracks: Sequence[Track]
    transitions: int
    version: int

    def open_stream(self, label: str, *, live: bool) -> int:
        """Begin a stream (a connection or a file) and return its number."""
        raise NotImplementedError

    def feed(self, stream: int, message: Message) -> None:
        """Take one message in; on a WireError nothing of it was applied."""
        raise NotImplementedError

    def close_stream(self, stream: int, reason: str = "") -> None:
        """End a stream; with a reason its unfinished tracks show that they were cut."""
        raise NotImplementedError

    def find(self, id: str) -> Track | None:
        """The track with this key, otherwise the newest one with this id."""
        raise NotImplementedError
