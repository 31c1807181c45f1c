"""Dialogs and the clipboard: what the screen does beside painting."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from am_dbg.control import CopyText
from am_dbg.control import states as s
from am_dbg.control.cursors import NoPlace, place_of, place_of_spot
from am_dbg.control.history import Spot
from am_dbg.drawing.difference import draw_difference
from am_dbg.drawing.help import draw_help
from am_dbg.projection.clean import clean_name
from am_dbg.projection.difference import project_difference
from am_dbg.projection.faults import Failed, attempt
from am_dbg.projection.times import count
from am_dbg.views.dialogs import Asking, Choosing, Dialog, Showing
from am_dbg.views.export_dialog import Exporting, export
from am_dbg.views.messages import Exported

if TYPE_CHECKING:
    from am_dbg.views.debugger import Debugger

CLIPBOARD_CHARS_MAX = 100_000
GOTO_HINT = (
    "a number · t and a machine time · a wall time 15:29:30 · a transition id · "
    "mach://id/place/step · the name of a machine"
)


class Talking:
    """Opens dialogs and passes their answers to control."""

    def __init__(self, app: Debugger) -> None:
        self._app = app
        self._makers: dict[str, Callable[[], tuple[Dialog, Callable[[str], None]]]] = {
            s.HELP_OPEN: self._help,
            s.GOTO_OPEN: self._goto,
            s.BOOKMARKS_OPEN: self._bookmarks,
            s.DIFF_OPEN: self._diff,
            s.EXPORT_OPEN: self._export,
        }

    def open(self, mode: str) -> None:
        """Open the dialog of a mode."""
        maker = self._makers.get(mode)
        if maker is None:
            return
        made = attempt("the dialog", maker)
        if isinstance(made, Failed):
            made.log()
            self._app.closed()
            self._app.control.desk.message = made.words
            return
        dialog, answered = made

        def done(answer: str | None) -> None:
            self._app.closed()
            if answer is not None:
                self._app.attempt("the answer", lambda: answered(answer))

        self._app.push_screen(dialog, done)

    def copy(self, effect: CopyText) -> None:
        """Put a text on the clipboard of the terminal, also over ssh."""
        text = effect.text[:CLIPBOARD_CHARS_MAX]
        self._app.copy_to_clipboard(text)
        self._app.control.desk.message = (
            f"{effect.what} copied, {count(len(text))} characters, if the terminal allows it"
        )

    def _help(self) -> tuple[Dialog, Callable[[str], None]]:
        control = self._app.control
        lines = draw_help(self._app.size.width - 8, control.keys, control.notices)
        return Showing("Help", lines), _nothing

    def _goto(self) -> tuple[Dialog, Callable[[str], None]]:
        return Asking("Go to", GOTO_HINT, check=self._no_place), self._open_address

    def _no_place(self, text: str) -> str:
        """Why a text leads nowhere, empty when it leads somewhere."""
        if not text.strip():
            return "nothing was written"
        place = place_of(self._app.control.desk, text)
        return place.reason if isinstance(place, NoPlace) else ""

    def _open_address(self, text: str) -> None:
        self._app.control.jumping.open_address(text)

    def _bookmarks(self) -> tuple[Dialog, Callable[[str], None]]:
        control = self._app.control
        spots = control.desk.bookmarks.spots
        options = [(self._bookmark(spot), str(at)) for at, spot in enumerate(spots)]
        return Choosing("Bookmarks", options), lambda at: control.jumping.open_spot(spots[int(at)])

    def _bookmark(self, spot: Spot) -> str:
        is_gone = isinstance(place_of_spot(self._app.control.desk, spot), NoPlace)
        return f"{clean_name(spot.key)}  tx {count(spot.number)}{'  gone' * is_gone}"

    def _diff(self) -> tuple[Dialog, Callable[[str], None]]:
        desk = self._app.control.desk
        track, moment = desk.track, desk.moment
        assert track is not None
        assert moment is not None  # the key asks for it with a machine selected only
        marked = desk.bookmarks.of(track)[-1]
        view = project_difference(track, marked, moment.settled)
        return Showing("Difference", draw_difference(view)), _nothing

    def _export(self) -> tuple[Dialog, Callable[[str], None]]:
        return Exporting(self._app.control.desk.store), self._write

    def _write(self, name: str) -> None:
        app = self._app
        store = app.control.desk.store
        app.run_worker(
            lambda: export(store, name, lambda words, kept: app.tell(Exported(words, kept))),
            thread=True,
            group="export",
            exit_on_error=False,
        )


def _nothing(answer: str) -> None:
    """The answer of dialogs that only show something: none."""
