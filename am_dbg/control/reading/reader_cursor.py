"""The cursor of the reader: it moves from item to item, and Enter follows the one it is on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from am_dbg.control.jumps import Jumps
from am_dbg.control.navigation import Navigation
from am_dbg.control.workspace import Workspace
from am_dbg.drawing.layout import Pane
from am_dbg.drawing.reader import ReaderItem, draw_reader, reader_items
from am_dbg.projection.reader import ReaderView, project_reader
from am_dbg.projection.steps import Moment

_STEP = "step:"


@dataclass(eq=False, slots=True)
class ReaderCursor:
    """Moves in the items of the reader, and follows them."""

    workspace: Workspace
    navigation: Navigation
    jumps: Jumps

    def project(self, moment: Moment) -> ReaderView:
        """The view of the reader, with its cursor."""
        workspace = self.workspace
        return project_reader(
            workspace.store,
            moment,
            workspace.tops.get(Pane.READER, 0),
            workspace.reader_row,
            wraps=Pane.READER in workspace.wrapped,
        )

    def move(self, rows: int) -> None:
        """Move by items, or by a page; an item that is taller than the reader is scrolled."""
        view, items = self._items()
        if not items:
            return
        workspace = self.workspace
        at = max(0, min(workspace.reader_row, len(items) - 1))
        if abs(rows) > 1:
            wanted = items[at].first + rows
            ahead = [place for place, item in enumerate(items) if item.first <= wanted]
            at = max(ahead, default=0)
        elif not self._goes_on(items[at], rows):
            at = max(0, min(len(items) - 1, at + rows))
        else:
            workspace.tops[Pane.READER] = self._top + rows
            return
        workspace.reader_row = at
        self._show(items, at, len(draw_reader(view, workspace.width_of(Pane.READER))))

    @property
    def _top(self) -> int:
        return self.workspace.tops.get(Pane.READER, 0)

    @property
    def _height(self) -> int:
        return max(1, self.workspace.height_of(Pane.READER))

    def _goes_on(self, item: ReaderItem, rows: int) -> bool:
        """Whether the item that the cursor is on has more rows beyond the edge of the pane."""
        begin, end = self._top, self._top + self._height
        if not begin < item.first + item.rows or not item.first < end:
            return False
        return item.first + item.rows > end if rows > 0 else item.first < begin

    def _show(self, items: Sequence[ReaderItem], at: int, total: int) -> None:
        """Scroll as little as shows an item; above the first one its heading is shown too."""
        item, top, height = items[at], self._top, self._height
        above = items[at - 1] if at else ReaderItem(0, 0)
        is_first = item.first > above.first + above.rows
        head = (item.first - 1 if at else 0) if is_first or not at else item.first
        if head < top:
            top = max(0, head)
        elif item.first + item.rows > top + height:
            top = min(item.first, item.first + item.rows - height)
        self.workspace.tops[Pane.READER] = max(0, min(top, total - height))

    def click(self, row: int) -> None:
        """Put the cursor on the item of a row, if the row has one."""
        _, items = self._items()
        clicked = self._top + row
        for place, item in enumerate(items):
            if item.first <= clicked < item.first + item.rows:
                self.workspace.reader_row = place

    def choose(self) -> None:
        """Go where the item leads: to a transition, a machine or a step."""
        _, items = self._items()
        at = self.workspace.reader_row
        link = items[at].link if 0 <= at < len(items) else ""
        if link.startswith(_STEP):
            self.navigation.to_step(int(link.removeprefix(_STEP)))
        elif link:
            self.jumps.open_address(link)
        elif at <= 0:
            self.jumps.source()
        else:
            self.workspace.message = "this row leads nowhere"

    def _items(self) -> tuple[ReaderView, list[ReaderItem]]:
        moment = self.workspace.moment
        if moment is None:
            return ReaderView(), []
        view = self.project(moment)
        return view, reader_items(view, self.workspace.width_of(Pane.READER))
