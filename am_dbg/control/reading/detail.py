"""The detail view: one transition in full, with tabs, a search and a scroll position of its own.

The view is a pane that covers the others. It shows the transition at the cursor, so all keys that
go to another transition work in it. The text of a tab is broken into rows once and cached until
the transition, the tab or the width changes. In the tab of steps, keys move a cursor.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from am_dbg.control.effects import CopyText
from am_dbg.control.jumps import Jumps
from am_dbg.control.modes import Modes
from am_dbg.control.navigation import Navigation
from am_dbg.control.reading.step_cursor import StepCursor
from am_dbg.control.workspace import Workspace
from am_dbg.drawing.detail import HEAD_ROWS, DetailView, DrawnRow, break_rows
from am_dbg.drawing.layout import Pane
from am_dbg.projection.addresses.write import write_address
from am_dbg.projection.clean import clean
from am_dbg.projection.detail.rows import DetailRow
from am_dbg.projection.detail.tabs import ROWS_MAX, DetailTab, tab_counts, tab_rows
from am_dbg.projection.steps import Moment
from am_dbg.projection.times import count
from am_dbg.query.terms import ignores_case

TABS = tuple(DetailTab)


@dataclass(frozen=True, slots=True)
class _TabContent:
    """The rows of one tab of one transition, at one width."""

    key: tuple[object, ...]
    rows: tuple[DetailRow, ...]
    drawn: tuple[DrawnRow, ...]
    counts: tuple[tuple[DetailTab, int], ...]


@dataclass(eq=False, slots=True)
class Detail:
    """Opens and closes the detail view, and moves in it."""

    workspace: Workspace
    modes: Modes
    navigation: Navigation
    jumps: Jumps
    tab: DetailTab = DetailTab.WHY
    top: int = 0
    needle: str = ""
    hit: int = -1
    _step: StepCursor = field(default_factory=StepCursor)
    _from: Pane = Pane.LOG
    _place: tuple[object, ...] = ()
    _content: _TabContent | None = None
    _hits: tuple[tuple[object, ...], str, tuple[int, ...]] = field(default=((), "", ()))

    def detail(self) -> None:
        """Show the current transition in full, or close that view."""
        if self.modes.focus is Pane.DETAIL:
            self.close()
        elif self._can_open():
            self._open()

    def _can_open(self) -> bool:
        moment = self.workspace.moment
        if moment is not None and not moment.is_start:
            return True
        self.workspace.message = "there is no transition here to show in full"
        return False

    def _open(self) -> None:
        if self.modes.focus is not Pane.DETAIL:
            self._from = self.modes.focus
            self.modes.focus_on(Pane.DETAIL)

    def detail_why(self) -> None:
        """Show why the transition came about."""
        self._show(DetailTab.WHY)

    def detail_args(self) -> None:
        """Show its arguments in full."""
        self._show(DetailTab.ARGS)

    def detail_log(self) -> None:
        """Show all its log lines."""
        self._show(DetailTab.LOG)

    def detail_trace(self) -> None:
        """Show its stack trace."""
        self._show(DetailTab.TRACE)

    def detail_steps(self) -> None:
        """Show all its steps."""
        self._show(DetailTab.STEPS)

    def _show(self, tab: DetailTab) -> None:
        if self._can_open():
            self.tab = tab
            self._open()

    def next_tab(self) -> None:
        """Open the next tab."""
        self.tab = TABS[(TABS.index(self.tab) + 1) % len(TABS)]

    def previous_tab(self) -> None:
        """Open the previous tab."""
        self.tab = TABS[(TABS.index(self.tab) - 1) % len(TABS)]

    def close(self) -> None:
        """Go back to the pane that had the focus; a search in the view ends."""
        self.modes.focus_on(self._from)
        self.find("")
        search = self.workspace.search
        if search is not None and search.pane is Pane.DETAIL:
            self.workspace.search = None

    def leave(self) -> None:
        """End the search in the view; without a search, close the view."""
        if self.needle:
            self.find("")
            self.workspace.search = None
        else:
            self.close()

    def move(self, rows: int) -> None:
        """Move the cursor in the steps; scroll other tabs."""
        if self._content is None or not self._step.count:
            self.scroll(rows)
        else:
            self._step.move(self._content.drawn, rows)
            self._show_step()

    def _show_step(self) -> None:
        if self._content is not None:
            self.top = self._step.top_showing(self._content.drawn, self.top, self._height)

    def click(self, row: int, *, again: bool) -> None:
        """Put the cursor on the step of a row; a second click goes to it."""
        at = self.top + row - HEAD_ROWS
        drawn = self._content.drawn if self._content and self._step.count else ()
        if row >= HEAD_ROWS and at < len(drawn):
            self._step.put(drawn[at].index)
            if again:
                self.follow()

    def follow(self) -> None:
        """Close the view at the step of the cursor; in other tabs, go to the transition's cause."""
        if not self._step.count:
            self.jumps.source()
            return
        self.close()
        self.modes.focus_on(Pane.STEPS)
        self.navigation.to_step(self._step.at + 1)

    def scroll(self, rows: int) -> None:
        """Scroll by rows."""
        content = self._content
        last = len(content.drawn) - self._height if content else 0
        self.top = max(0, min(last, self.top + rows))

    def page(self, by: int) -> None:
        """Move by pages, which overlap by a row."""
        self.move(by * max(1, self._height - 1))

    def to_top(self) -> None:
        """Go to the first row."""
        self.top = 0
        self._step.put(0)

    def to_end(self) -> None:
        """Go to the last rows."""
        self.scroll(len(self._content.drawn) if self._content else 0)
        self._step.put(self._step.count - 1)

    @property
    def _height(self) -> int:
        return max(1, self.workspace.height_of(Pane.DETAIL) - HEAD_ROWS)

    def find(self, text: str) -> None:
        """Search in the open tab, from the first row on show."""
        self.needle, self.hit = text, -1
        if text:
            self._to_hit(self.top, 1)

    def next_hit(self, by: int) -> bool:
        """Go to the next or previous row with the text; return False if there is no search."""
        if not self.needle:
            return False
        start = self.hit if self.hit >= 0 else self.top - 1
        self._to_hit(start + by, by)
        return True

    def _to_hit(self, start: int, by: int) -> None:
        hits = self._all_hits()
        if not hits:
            self.hit = -1
            self.workspace.message = f"{self.needle} is not in this tab"
            return
        if by > 0:
            at = next((hit for hit in hits if hit >= start), hits[0])
        else:
            at = next((hit for hit in reversed(hits) if hit <= start), hits[-1])
        self.hit, self.workspace.message = at, ""
        if self._content is not None:
            self._step.put(self._content.drawn[at].index)
        if not self.top <= at < self.top + self._height:
            self.top = max(0, at - self._height // 3)

    def _all_hits(self) -> tuple[int, ...]:
        """The rows of the screen at which a row with the text begins, or where it contains it."""
        content = self._content
        if content is None or not self.needle:
            return ()
        if self._hits[:2] != (content.key, self.needle):
            self._hits = (content.key, self.needle, _hits(content, self.needle))
        return self._hits[2]

    def copy_tab(self) -> CopyText | None:
        """Copy all rows of the open tab, unbroken and with whole paths."""
        moment = self.workspace.moment
        if moment is None or moment.is_start:
            return None
        track = moment.track
        rows = tab_rows(self.workspace.store, moment, self.tab)
        head = write_address(track.key, track.tx_id_at(moment.number))
        texts = [head, *(row.text.rstrip() for row in rows), ""]
        return CopyText("\n".join(texts), self.tab.value)

    def project(self, moment: Moment, width: int, height: int) -> DetailView:
        """What the view shows at a size."""
        if moment.is_start:
            return DetailView(title="before the first transition")
        content = self._content = self._read(moment, width)
        step = moment.step if moment.is_stepping and self.tab is DetailTab.STEPS else 0
        place = (*content.key[:3], step)
        if place != self._place:
            self._begin(moment, place)
        height = max(1, height - HEAD_ROWS)
        self.top = max(0, min(self.top, len(content.drawn) - height))
        shown = content.drawn[self.top : self.top + height]
        first, _ = self._step.rows(content.drawn)
        return DetailView(
            title=_title(moment),
            tab=self.tab,
            counts=content.counts,
            rows=tuple(row.spans for row in shown),
            top=self.top,
            total=len(content.drawn),
            needle=self.needle,
            hits=len(self._all_hits()),
            hit=self.hit - self.top if self.hit >= 0 else -1,
            cursor=first - self.top if first >= 0 else -1,
        )

    def _begin(self, moment: Moment, place: tuple[object, ...]) -> None:
        """Begin at the first row, or at the step on show."""
        self._place, self.top, self.hit = place, 0, -1
        is_steps = self.tab is DetailTab.STEPS
        self._step.begin(moment, min(moment.steps, ROWS_MAX) if is_steps else 0)
        self._show_step()

    def _read(self, moment: Moment, width: int) -> _TabContent:
        """The rows of the tab; read again only if something of it may have changed."""
        track, workspace = moment.track, self.workspace
        wraps = Pane.DETAIL in workspace.wrapped
        newest = track.count if moment.number == track.count else 0
        key = (track.key, moment.number, self.tab, width, wraps, newest, id(track))
        content = self._content
        if content is not None and content.key == key:
            return content
        rows = tab_rows(workspace.store, moment, self.tab)
        counts = tab_counts(moment)
        return _TabContent(
            key,
            rows,
            break_rows(rows, width, wraps=wraps),
            tuple((tab, counts.get(tab, 0)) for tab in TABS),
        )


def _title(moment: Moment) -> str:
    step = f" · step {count(moment.step)} of {count(moment.steps)}" if moment.is_stepping else ""
    return f"{clean(moment.track.key)} · transition {moment.number:,}{step}"


def _hits(content: _TabContent, needle: str) -> tuple[int, ...]:
    """The rows of the screen that contain a text, also where it is broken between two rows."""
    lower = ignores_case(needle)
    found: list[int] = []
    holding = {
        index
        for index, row in enumerate(content.rows)
        if needle in (row.text.lower() if lower else row.text)
    }
    unmarked = set(holding)
    firsts: dict[int, int] = {}
    for at, row in enumerate(content.drawn):
        firsts.setdefault(row.index, at)
        if row.index not in holding:
            continue
        text = "".join(span.text for span in row.spans)
        if needle in (text.lower() if lower else text):
            found.append(at)
            unmarked.discard(row.index)
    return tuple(sorted([*found, *(firsts[index] for index in unmarked)]))
