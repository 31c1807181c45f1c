"""Gaps in the history of a machine, in words."""

from __future__ import annotations

from am_dbg.projection.clean import clean
from am_dbg.projection.times import counted
from am_dbg.store import Gap, GapKind

_REASONS_SHOWN = {
    "damaged",
    "dropped",
    "reconnected",
    "recorded from here on",
    "schema changed",
    "trimmed to save memory",
}
"""Reasons that the store gives and that the text of a gap contains already."""


def gap_text(gap: Gap, *, is_live: bool = False) -> str:
    """A break in the history, in words; `is_live` is whether it came over a connection."""
    reason = clean(gap.reason)
    if gap.lost > 0:
        lost = counted(gap.lost, "transition")
    else:
        lost = "an unknown number of transitions"
    texts = {
        GapKind.LATE: f"recording began after {lost}",
        GapKind.DROPPED: f"{lost} lost",
        GapKind.RECONNECTED: f"reconnected, {lost} missing" if gap.lost else "reconnected",
        GapKind.SCHEMA: "the schema changed",
        GapKind.CUT: "the connection ended" if is_live else "the recording is cut off here",
        GapKind.TRIMMED: f"{lost} removed to save memory",
        GapKind.DAMAGED: f"{lost} damaged",
    }
    is_news = bool(reason) and gap.reason not in _REASONS_SHOWN
    return texts[gap.kind] + (f": {reason}" if is_news else "")
