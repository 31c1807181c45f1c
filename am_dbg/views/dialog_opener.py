"""Opens the dialogs and passes their answers to control."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from am_dbg.control import DialogKind
from am_dbg.drawing.difference import draw_difference
from am_dbg.drawing.help import NARROW
from am_dbg.drawing.reasons import draw_reasons
from am_dbg.projection.faults import Failed, attempt
from am_dbg.spans import Span, SpanLine
from am_dbg.views.dialogs import LINES_FRAME, Dialog, LinesDialog, ListDialog, TextDialog
from am_dbg.views.export_dialog import ExportDialog
from am_dbg.views.help_dialog import HelpDialog
from am_dbg.views.messages import Exported
from am_dbg.views.occurrences_dialog import OccurrencesDialog
from am_dbg.views.palette_dialog import PaletteDialog

if TYPE_CHECKING:
    from am_dbg.views.debugger import Debugger

HELP_SPACE = 3
"""Columns around the help, if there is room."""
GOTO_HINT = (
    "a number · t and a machine time · a wall time 15:29:30 · a transition id · "
    "mach://id/place/step · the name of a machine"
)

Answered = Callable[[str], object]
"""What happens with the answer of a dialog."""


class DialogOpener:
    """Opens dialogs, one at a time."""

    def __init__(self, app: Debugger) -> None:
        self._app = app
        self._control = app.control
        self._makers: dict[DialogKind, Callable[[], tuple[Dialog, Answered]]] = {
            DialogKind.HELP: self._help,
            DialogKind.GOTO: self._goto,
            DialogKind.BOOKMARKS: self._bookmarks,
            DialogKind.DIFFERENCE: self._difference,
            DialogKind.WHY_NOT: self._why_not,
            DialogKind.OCCURRENCES: self._occurrences,
            DialogKind.EXPORT: self._export,
            DialogKind.PALETTE: self._palette,
        }

    def open(self, kind: DialogKind) -> None:
        """Open a dialog; when it closes, the screen is painted again."""
        made = attempt("the dialog", self._makers[kind])
        if isinstance(made, Failed):
            made.log()
            self._app.dialog_closed()
            self._control.show_message(made.words)
            return
        dialog, answered = made

        def done(answer: str | None) -> None:
            self._app.dialog_closed()
            if answer is not None:
                self._app.attempt("the answer", lambda: answered(answer))

        self._app.push_screen(dialog, done)

    def _help(self) -> tuple[Dialog, Answered]:
        width = self._app.size.width - LINES_FRAME
        width -= HELP_SPACE if width >= NARROW else 0
        control = self._control

        def lines_for(needle: str) -> Sequence[SpanLine]:
            return control.help_lines(width, needle)

        return HelpDialog(lines_for, control.about()), _ignored

    def _goto(self) -> tuple[Dialog, Answered]:
        dialog = TextDialog("Go to", GOTO_HINT, check=self._control.why_unreachable)
        return dialog, self._control.open_address

    def _bookmarks(self) -> tuple[Dialog, Answered]:
        dialog = ListDialog("Bookmarks", _plain(self._control.bookmark_titles()))
        return dialog, lambda index: self._control.open_bookmark(int(index))

    def _why_not(self) -> tuple[Dialog, Answered]:
        rows = draw_reasons(self._control.reasons_of_state())
        dialog = ListDialog(self._control.reasons_title(), rows)
        return dialog, lambda index: self._control.open_reason(int(index))

    def _occurrences(self) -> tuple[Dialog, Answered]:
        dialog = OccurrencesDialog(self._control)
        return dialog, lambda index: self._control.open_occurrence(int(index))

    def _difference(self) -> tuple[Dialog, Answered]:
        return LinesDialog("Difference", draw_difference(self._control.difference())), _ignored

    def _export(self) -> tuple[Dialog, Answered]:
        return ExportDialog(self._control.export_target), self._write

    def _palette(self) -> tuple[Dialog, Answered]:
        control, app = self._control, self._app
        dialog = PaletteDialog(control.palette_entries)
        return dialog, lambda name: app.carry_out(control.choose_entry(name))

    def _write(self, name: str) -> None:
        app = self._app
        app.run_worker(
            lambda: self._control.export(
                name, lambda report: app.post_from_thread(Exported(report))
            ),
            thread=True,
            group="export",
            exit_on_error=False,
        )


def _plain(titles: Iterable[str]) -> list[SpanLine]:
    """Titles as lines without colours."""
    return [SpanLine((Span(title),)) for title in titles]


def _ignored(answer: str) -> None:
    """The answer of dialogs that only show something."""
