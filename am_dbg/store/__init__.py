"""The store: what arrived, kept small and ready for queries."""

from am_dbg.store.facts import Fact, ShapeFacts
from am_dbg.store.later_lines import LaterLines
from am_dbg.store.open_work import OpenWorkReport
from am_dbg.store.store import Store
from am_dbg.store.track import Track
from am_dbg.store.values import Gap, LogLine, TransitionRecord
from amtracer.wire.vocabulary import GapKind

__all__ = [
    "Fact",
    "Gap",
    "GapKind",
    "LaterLines",
    "LogLine",
    "OpenWorkReport",
    "ShapeFacts",
    "Store",
    "Track",
    "TransitionRecord",
]
