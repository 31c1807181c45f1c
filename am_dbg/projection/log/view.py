"""The log pane: a window of rows around the cursor.

A row is a transition; its log lines of the chosen level hang below it, gaps and seconds
stand between. `top` and `skip` say where the window begins; they are part of the view and are
handed back in with the next call: as long as the cursor stays inside the window, nothing moves.
"""

from __future__ import annotations

from dataclasses import dataclass

from am_dbg.projection.log.window import (
    PLAIN,
    LogOptions,
    LogPlace,
    LogRow,
    LogWindow,
    searched_words,
)
from am_dbg.projection.steps import Moment
from am_dbg.query import Visible
from amtracer.wire.vocabulary import LEVEL_WORDS


@dataclass(frozen=True, slots=True)
class LogView:
    """What the log pane shows; `number_digits` is the width of its number column.

    Of the transition `top`, the first `skip` rows are above the pane. The log of all machines
    has a `scope`, in words, and a column of names.
    """

    rows: tuple[LogRow, ...] = ()
    top: int = 0
    skip: int = 0
    level: str = "changes"
    hidden: int = 0
    total: int = 0
    number_digits: int = 4
    needle: str = ""
    scope: str = ""
    name_width: int = 0
    hints: tuple[str, ...] = ()


def number_digits(transitions: int) -> int:
    """The width of the column of numbers."""
    return max(4, len(str(transitions)))


def project_log(
    moment: Moment,
    visible: Visible,
    place: LogPlace,
    height: int,
    options: LogOptions = PLAIN,
    *,
    follow: bool = True,
    needle: str = "",
) -> LogView:
    """The rows from a place on, moved as little as shows the cursor when `follow` is set.

    With the text of a search, the row of the cursor is the one that has the text.
    """
    window = LogWindow(moment, visible, height, options)
    if follow:
        place = window.place_showing(place, moment.number, searched_words(needle))
    rows = window.rows_from(*place)
    return LogView(
        rows=tuple(rows),
        top=place.number,
        skip=place.skip,
        level=LEVEL_WORDS[min(visible.filters.level, len(LEVEL_WORDS) - 1)],
        hidden=moment.track.count - moment.track.first + 1 - visible.count,
        total=moment.track.count,
        number_digits=number_digits(moment.track.count),
        needle=needle,
    )
