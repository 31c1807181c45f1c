"""The log of all machines: rows of their transitions around the cursor, in order of time."""

from __future__ import annotations

from typing import NamedTuple

from am_dbg.projection.clean import clean_name
from am_dbg.projection.log.merged_window import MergedPlace, MergedWindow
from am_dbg.projection.log.view import LogView
from am_dbg.projection.log.window import searched_words
from am_dbg.query.across import Across
from am_dbg.spans import width_of
from amtracer.wire.vocabulary import LEVEL_WORDS

NAME_WIDTH_MAX = 24
"""The most cells of the column of names."""


class MergedColumns(NamedTuple):
    """The widths of the columns of names and numbers; they depend on the machines, not on rows."""

    names: int
    digits: int


def merged_columns(merged: Across) -> MergedColumns:
    """The columns that all machines of a merged set need."""
    tracks = merged.holding
    names = max((width_of(clean_name(track.key)) for track in tracks), default=0)
    newest = max((track.count for track in tracks), default=0)
    return MergedColumns(min(NAME_WIDTH_MAX, names), len(str(newest)))


def project_merged_log(
    window: MergedWindow,
    top: MergedPlace | None,
    columns: MergedColumns,
    *,
    follow: bool = True,
    needle: str = "",
    scope: str = "",
) -> tuple[LogView, MergedPlace | None]:
    """The rows from `top` on, moved as little as shows the cursor, and the new `top`.

    With the text of a search, the row of the cursor is the one that has the text.
    """
    merged, level = window.merged, window.rows.level
    if follow:
        top = window.place_showing(top, searched_words(needle))
    else:
        top = window.filled(top)
    rows = [] if top is None else window.rows_from(top)
    view = LogView(
        rows=tuple(window.rows.marked(rows)),
        level=LEVEL_WORDS[min(level, len(LEVEL_WORDS) - 1)],
        hidden=merged.in_all - merged.count,
        total=merged.in_all,
        number_digits=columns.digits,
        needle=needle,
        scope=scope,
        name_width=columns.names,
    )
    return view, top
