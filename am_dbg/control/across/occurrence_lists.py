"""The lists of errors, canceled transitions and hits of all machines, whatever the scope is."""

from __future__ import annotations

from dataclasses import dataclass

from am_dbg.control.effects import DialogKind, OpenDialog
from am_dbg.control.jumps import Jumps
from am_dbg.control.modes import Modes
from am_dbg.control.workspace import Workspace
from am_dbg.drawing.layout import Pane
from am_dbg.projection.occurrences import OccurrenceKind, OccurrencesView, project_occurrences
from am_dbg.query.across import Across


@dataclass(eq=False, slots=True)
class OccurrenceLists:
    """Makes the lists, and goes to what a row of the last one stands for."""

    workspace: Workspace
    modes: Modes
    jumps: Jumps
    _listed: OccurrencesView | None = None

    def errors(self) -> OpenDialog | None:
        """Open the list of all errors."""
        return self.modes.open_dialog(DialogKind.OCCURRENCES)

    def kinds(self) -> tuple[OccurrenceKind, ...]:
        """The lists that there are; hits only while there is a search in the log."""
        kinds = (OccurrenceKind.ERROR, OccurrenceKind.CANCELED)
        return (*kinds, OccurrenceKind.HIT) if self._search_text() else kinds

    def occurrences(self, kind: OccurrenceKind) -> OccurrencesView:
        """A list over all machines, kept until another one is asked for."""
        across = self._of_kind(kind)
        self._listed = project_occurrences(kind, across, self.workspace.cursor)
        return self._listed

    def _of_kind(self, kind: OccurrenceKind) -> Across:
        workspace = self.workspace
        if kind is OccurrenceKind.ERROR:
            return workspace.across.errors(workspace.filters)
        if kind is OccurrenceKind.CANCELED:
            return workspace.across.canceled(workspace.filters)
        return workspace.across.hits(workspace.filters, self._search_text())

    def open_occurrence(self, index: int) -> None:
        """Go to a row of the list that was asked for last."""
        listed = self._listed
        if listed is None or not 0 <= index < len(listed.rows):
            return
        place = listed.rows[index].place
        if not self.workspace.store.holds(place.track):
            self.workspace.message = f"{listed.rows[index].machine} is gone"
        elif place.number < place.track.first:
            self.workspace.message = "that transition is gone: it was removed to save memory"
        else:
            self.jumps.jump(place)

    def _search_text(self) -> str:
        search = self.workspace.search
        return search.text if search and search.pane is Pane.LOG else ""
