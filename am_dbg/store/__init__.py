"""The store: what arrived, kept small and ready for queries."""

from am_dbg.store.facts import Fact, ShapeFacts
from am_dbg.store.later import LaterLines, OpenPicture
from am_dbg.store.store import Store
from am_dbg.store.track import Track
from am_dbg.store.values import Gap, Line, Transition
from amtracer.wire.vocabulary import GapKind

__all__ = [
    "Fact",
    "Gap",
    "GapKind",
    "LaterLines",
    "Line",
    "OpenPicture",
    "ShapeFacts",
    "Store",
    "Track",
    "Transition",
]
