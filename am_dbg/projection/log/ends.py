"""The end of the history of a machine, in words: the last row of its log."""

from __future__ import annotations

from am_dbg.projection.runs.program_runs import end_reason
from am_dbg.store import Track


def end_text(track: Track) -> str:
    """How a machine or its program ended; empty while it goes on.

    A connection that was lost is a gap, which has a row of its own. The end of a file is no end
    of the program.
    """
    if track.gone:
        return "the machine was disposed"
    if track.is_live and track.ended and not end_reason(track):
        return "the program ended"
    return ""
