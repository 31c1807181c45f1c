"""The only object of control that views and the app use, never its parts.

It has a method for each thing that the user does or that happens to the data. The actions of
keys are methods of the parts below, each of which does one kind of work on the workspace.
Every action makes at most one mutation of the modes. `project` returns the whole screen as
one value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from am_dbg.control import states as s
from am_dbg.control.across.occurrence_lists import OccurrenceLists
from am_dbg.control.across.scope import Scope
from am_dbg.control.arrangement.actions import Arrangement
from am_dbg.control.arrangement.kept_session import KeptSession
from am_dbg.control.arrivals import Arrivals
from am_dbg.control.confirmation import Confirmation
from am_dbg.control.cursors import Unreachable, cursor_at_address, cursor_at_place
from am_dbg.control.effects import Effect
from am_dbg.control.filtering.filter_line import FilterLine
from am_dbg.control.history import SavedPlace
from am_dbg.control.input_status import InputStatus
from am_dbg.control.jumps import Jumps
from am_dbg.control.machine_removal import MachineRemoval
from am_dbg.control.modes import Modes
from am_dbg.control.mouse import Mouse
from am_dbg.control.navigation import Navigation
from am_dbg.control.palette.entries import PaletteEntry
from am_dbg.control.palette.palette import CommandPalette
from am_dbg.control.pane_actions import PaneActions
from am_dbg.control.reading.detail import Detail
from am_dbg.control.reading.log_scrolling import LogScrolling
from am_dbg.control.reading.reader_cursor import ReaderCursor
from am_dbg.control.reasons import Reasons
from am_dbg.control.runs.returned_runs import ReturnedRuns
from am_dbg.control.screen_projector import ScreenProjector
from am_dbg.control.screen_view import ScreenView
from am_dbg.control.search import Search
from am_dbg.control.session_export import ExportReport, ExportTarget, export, export_target
from am_dbg.control.start import StartOptions
from am_dbg.control.tools import Tools
from am_dbg.control.unsaved_transitions import UnsavedTransitions
from am_dbg.control.view_switches import ViewSwitches
from am_dbg.control.workspace import Workspace
from am_dbg.drawing.help import draw_help
from am_dbg.drawing.layout import Pane
from am_dbg.drawing.resizing import Border
from am_dbg.ingest.intake import ImportProgress
from am_dbg.keys import KEYS, Key
from am_dbg.projection.clean import clean_name
from am_dbg.projection.counts import about_text
from am_dbg.projection.difference import DifferenceView, project_difference
from am_dbg.projection.occurrences import OccurrenceKind, OccurrencesView
from am_dbg.projection.reasons.why_not_rows import ReasonRow
from am_dbg.projection.times import count
from am_dbg.spans import SpanLine
from am_dbg.store import Store
from amtracer.address import Address

PROJECTIONS_MAX = 4
"""Attempts to project a screen while the history at the cursor is being removed."""

Action = Callable[[], Effect | None]


class Control:
    """Changes the workspace and the modes as the user asks."""

    def __init__(
        self,
        store: Store,
        *,
        main: Pane = Pane.LOG,
        reader: bool = False,
        start: StartOptions | None = None,
        keys: tuple[Key, ...] = KEYS,
    ) -> None:
        self.keys = keys
        self.notices: list[str] = []
        self.input_status = InputStatus()
        self.workspace = Workspace(store)
        self.modes = Modes(main=main, reader=reader)
        self.unsaved = UnsavedTransitions(store)
        self.confirmation = Confirmation(keys)
        self.navigation = Navigation(self.workspace, self.modes)
        self.jumps = Jumps(self.workspace, self.modes, self.navigation)
        self.reasons = Reasons(self.workspace, self.modes, self.jumps)
        self.view_switches = ViewSwitches(self.workspace, self.modes)
        self.arrangement = Arrangement(self.workspace, self.modes)
        self.scope = Scope(self.workspace, self.modes)
        self.occurrence_lists = OccurrenceLists(self.workspace, self.modes, self.jumps)
        self.filter_line = FilterLine(
            self.workspace, self.modes, self.navigation, self.view_switches
        )
        self.tools = Tools(self.workspace, self.modes, self.unsaved, self.confirmation)
        moving = self.workspace, self.modes, self.navigation, self.jumps
        self.detail = Detail(*moving)
        self.search = Search(self.workspace, self.modes, self.jumps, self.detail)
        log_scrolling = LogScrolling(self.workspace, self.modes, self.navigation)
        reader_cursor = ReaderCursor(self.workspace, self.navigation, self.jumps)
        self.pane_actions = PaneActions(
            *moving, self.reasons, self.view_switches, log_scrolling, reader_cursor
        )
        self.returned_runs = ReturnedRuns(*moving, self.pane_actions, keys)
        self.mouse = Mouse(*moving, self.pane_actions, self.detail)
        self.machine_removal = MachineRemoval(
            self.workspace, self.modes, self.jumps, self.unsaved, self.confirmation
        )
        self.arrivals = Arrivals(*moving, self.returned_runs, start or StartOptions())
        self._projector = ScreenProjector(
            self.workspace,
            self.modes,
            self.view_switches,
            self.filter_line,
            self.detail,
            reader_cursor,
            self.returned_runs,
            keys,
        )
        self._kept_session = KeptSession(self.workspace, self.modes)
        self._kept_values: Mapping[str, object] = {}
        self._actions = self._table()
        self._palette = self._made_palette()
        self._pane_keys = self._keys_of_panes()
        self._is_notice_read = False

    def _made_palette(self) -> CommandPalette:
        parts = (self.workspace, self.modes, self.jumps, self.pane_actions)
        return CommandPalette(*parts, self.keys, self.do)

    def _table(self) -> dict[str, Action]:
        """Each action of the keys with the method of that name."""
        parts = (
            self.navigation,
            self.jumps,
            self.reasons,
            self.scope,
            self.occurrence_lists,
            self.view_switches,
            self.arrangement,
            self.search,
            self.filter_line,
            self.detail,
            self.returned_runs,
            self.pane_actions,
            self.machine_removal,
            self.tools,
        )
        return {
            key.action: next(
                getattr(part, key.action) for part in parts if hasattr(part, key.action)
            )
            for key in KEYS
        }

    def _keys_of_panes(self) -> dict[Pane, dict[str, Action]]:
        """Keys that mean something else while a pane has the focus."""
        special: dict[Pane, dict[str, Action]] = {
            Pane.FILTERS: {
                "next_transition": lambda: self.view_switches.pick(1),
                "previous_transition": lambda: self.view_switches.pick(-1),
                "toggle_play": self.view_switches.switch,
                "escape": self.view_switches.filters,
            },
            Pane.RAIN: {
                "next_transition": lambda: self.pane_actions.cycle_state(1),
                "previous_transition": lambda: self.pane_actions.cycle_state(-1),
            },
            Pane.STEPS: {
                "next_transition": self.navigation.next_step,
                "previous_transition": self.navigation.previous_step,
            },
        }
        special[Pane.DETAIL] = self._keys_of_detail()
        only_machines: dict[str, Action] = {"remove_machine": self.machine_removal.refuse}
        panes = [pane for pane in Pane if pane is not Pane.MACHINES]
        return {pane: only_machines | special.get(pane, {}) for pane in panes}

    def _keys_of_detail(self) -> dict[str, Action]:
        """Keys that move in the text of the detail view and not in panes."""
        detail = self.detail
        return {
            "next_pane": detail.next_tab,
            "previous_pane": detail.previous_tab,
            "down": lambda: detail.move(1),
            "up": lambda: detail.move(-1),
            "page_down": lambda: detail.page(1),
            "page_up": lambda: detail.page(-1),
            "first": detail.to_top,
            "last": detail.to_end,
            "choose": detail.follow,
            "copy": detail.copy_tab,
            "escape": detail.leave,
        }

    def press(self, action: str) -> Effect | None:
        """Carry out the action of a key in the pane that has the focus."""
        if action == "escape" and self.modes.is_searching:
            self.search.cancel()
            return None
        if action == "escape" and self.modes.is_filtering:
            self.filter_line.cancel()
            return None
        special = self._pane_keys.get(self.focus, {})
        return self._carry_out(special.get(action, self._actions[action]))

    def do(self, action: str) -> Effect | None:
        """Carry out an action named by a click or in the palette, wherever the focus is."""
        return self._carry_out(self._actions[action])

    def _carry_out(self, action: Action) -> Effect | None:
        """Carry an action out; return what the screen has to do beside repainting.

        The thread that reads data may remove the oldest transitions while an action runs. Then
        the action ends with a message.
        """
        self.workspace.message = ""
        self._is_notice_read = True
        self.confirmation.begin()
        version = self.workspace.data_version
        try:
            return action()
        except IndexError:
            if self.workspace.data_version == version:
                raise
            self.workspace.message = "that part of the history was removed to save memory"
            return None

    @property
    def focus(self) -> Pane:
        """The pane that keys go to."""
        return self.pane_actions.focus

    @property
    def message(self) -> str:
        """The message that the footer shows, empty for none."""
        return self.workspace.message

    def show_message(self, text: str) -> None:
        """Show a message in the footer until the next action."""
        self.workspace.message = text

    def add_notices(self, *texts: str) -> None:
        """Show faults of the start in the footer until the first action, and in the help."""
        self.notices += filter(None, texts)
        self.workspace.message = "; ".join(self.notices)

    def project(self, width: int, height: int) -> ScreenView:
        """Everything on a screen of this size.

        If transitions are removed meanwhile, the screen is projected again.
        """
        self.arrivals.leave_removed_machine()
        if not self.message and not self._is_notice_read:
            self.workspace.message = "; ".join(self.notices)
        version = self.workspace.data_version
        screen = self._projector.project(width, height, self.input_status)
        for _ in range(PROJECTIONS_MAX - 1):
            if not screen.failed or self.workspace.data_version == version:
                break
            version = self.workspace.data_version
            screen = self._projector.project(width, height, self.input_status)
        for failed in screen.failed.values():
            failed.log()
        return screen

    def input_started(self, status: InputStatus) -> None:
        """Show where data comes from."""
        self.input_status = status
        self.add_notices(status.warning)

    def data_arrived(self) -> None:
        """Handle new data: select the first machine, follow the newest transition."""
        self.arrivals.data_arrived()

    def import_progressed(self, progress: ImportProgress) -> None:
        """Show the progress of an import: how far it is, or how it ended."""
        self.input_status = self.input_status.after(progress)
        missing = self.arrivals.import_progressed(progress)
        if progress.is_over and not progress.trouble:
            self._restore()
        self.notices = [text for text in (progress.trouble, *self.notices, missing) if text]
        if progress.trouble:
            self.workspace.message = progress.trouble if self._is_notice_read else ""

    def restore_at_end_of_import(self, values: Mapping[str, object]) -> None:
        """Restore what was kept of this session as soon as it is read."""
        self._kept_values = values

    def _restore(self) -> None:
        values, self._kept_values = self._kept_values, {}
        if values:
            start = self.arrivals.start
            is_placed = bool(start.machine or start.transition) or not self.modes.is_untouched
            self._kept_session.restore(values, with_place=not is_placed)

    def kept_session(self) -> dict[str, object]:
        """What is to be kept of the session; nothing while it is still being read."""
        return {} if self.modes.is_importing else self._kept_session.values()

    def focus_on(self, pane: Pane) -> None:
        """Give a pane the focus."""
        self.modes.focus_on(pane)

    def click(self, pane: Pane, row: int, column: int, *, again: bool = False) -> None:
        """Select what is on a row of a pane; a second click does what Enter does."""
        self.mouse.click(pane, row, column, again=again)

    def click_step(self, step: int) -> None:
        """Show this many steps of the current transition."""
        self.focus_on(Pane.STEPS)
        self.navigation.to_step(step)

    def scroll(self, pane: Pane, by: int) -> None:
        """Scroll a pane by some rows."""
        self.mouse.scroll(pane, by)

    def drag_border(self, border: Border, x: int, y: int) -> None:
        """Move a border between panes to a cell of the screen."""
        self.arrangement.drag(border, x, y)

    def play_next(self) -> None:
        """Go one transition on while playing."""
        self.navigation.play_next()

    def type_search(self, text: str) -> None:
        """Search for the text typed so far, or filter by it."""
        if self.modes.is_searching:
            self.search.type(text)
        elif self.modes.is_filtering:
            self.filter_line.type(text)

    def count_further(self) -> bool:
        """Count a slice of what the typed text finds, else of the totals of all machines.

        Returns whether that count is over. Machines that wait to be listed come first.
        """
        if self.workspace.order.is_cut:
            self.arrivals.take_in_machines()
            return True
        typed, totals = self.workspace.counting_typed, self._projector.totals
        counted = typed if typed.is_running else totals
        counted.go_on()
        return not counted.is_running

    def accept_search(self) -> None:
        """Close the line: stay at the hit of a search, or keep the filter."""
        if self.modes.is_filtering:
            self.filter_line.accept()
        else:
            self.search.accept()

    def open_address(self, text: str) -> bool:
        """Go to the place that a text names; return False with a message if there is none."""
        return self.jumps.open_address(text)

    def open_pasted(self, text: str) -> bool:
        """Go to a pasted address; a line that is open for typing is closed."""
        if self.modes.is_searching:
            self.search.cancel()
        return self.open_address(text)

    def why_unreachable(self, text: str) -> str:
        """Why a text names no place, empty if it names one."""
        if not text.strip():
            return "type a place to go to"
        cursor = cursor_at_address(self.workspace, text)
        return cursor.reason if isinstance(cursor, Unreachable) else ""

    def bookmark_titles(self) -> Sequence[str]:
        """A title for each bookmark, in the order of `open_bookmark`."""
        return [self._title(place) for place in self.workspace.bookmarks.places]

    def _title(self, place: SavedPlace) -> str:
        is_gone = isinstance(cursor_at_place(self.workspace, place), Unreachable)
        return f"{clean_name(place.key)}  tx {count(place.number)}{'  gone' * is_gone}"

    def open_bookmark(self, index: int) -> None:
        """Go to a bookmark, or show that it is gone."""
        self.jumps.open_place(self.workspace.bookmarks.places[index])

    def reasons_title(self) -> str:
        """The title of the reasons for which the selected state is not active."""
        return self.reasons.title

    def reasons_of_state(self) -> Sequence[ReasonRow]:
        """The reasons for which the selected state is not active, in order of `open_reason`."""
        return self.reasons.rows

    def open_reason(self, index: int) -> None:
        """Go to the transition or to the state of a reason."""
        rows = self.reasons.rows
        if index < len(rows):
            self.reasons.follow(rows[index])

    def occurrence_kinds(self) -> Sequence[OccurrenceKind]:
        """The lists over all machines that there are."""
        return self.occurrence_lists.kinds()

    def occurrences(self, kind: OccurrenceKind) -> OccurrencesView:
        """The errors, canceled transitions or hits of all machines."""
        return self.occurrence_lists.occurrences(kind)

    def open_occurrence(self, index: int) -> None:
        """Go to a row of the list that was asked for last."""
        self.occurrence_lists.open_occurrence(index)

    def difference(self) -> DifferenceView:
        """What changed between the newest bookmark of the machine elsewhere and this moment."""
        track, moment = self.workspace.track, self.workspace.moment
        assert track is not None
        assert moment is not None  # the action checks that a machine is selected
        marked = self.workspace.marked_elsewhere(track)[-1]
        return project_difference(track, marked, moment.settled)

    def help_lines(self, width: int, needle: str = "") -> Sequence[SpanLine]:
        """The help with the keys of the focused pane first, narrowed to the words of a needle."""
        return draw_help(width, self.keys, self.notices, pane=self.focus, needle=needle)

    def about(self) -> str:
        """The version, and how much memory the data takes."""
        return about_text(self.workspace.store)

    def palette_entries(self, needle: str) -> Sequence[PaletteEntry]:
        """The entries of the palette for what is typed, the best first."""
        return self._palette.found(needle)

    def choose_entry(self, name: str) -> Effect | None:
        """Carry out what an entry of the palette names."""
        return self._palette.choose(name)

    def offer_themes(self, names: Sequence[str]) -> None:
        """Offer these themes in the palette."""
        self._palette.themes = names

    def offer_files(self, files: list[str], open_file: Callable[[str], str]) -> None:
        """Offer session files in the palette; `open_file` opens one and returns a message."""
        self._palette.files = files
        self._palette.open_file = open_file

    def restore_recent(self, names: Sequence[str]) -> None:
        """Begin the palette with the entries that were used last."""
        self._palette.recent = list(names)

    def recent_entries(self) -> Sequence[str]:
        """The names of the entries that were used last, to be kept."""
        return tuple(self._palette.recent)

    def dialog_closed(self) -> None:
        """Handle the end of a dialog."""
        if self.modes.dialog not in ("", *s.INPUT_LINES):
            self.modes.close()

    def export_target(self, name: str) -> ExportTarget:
        """The file that an export under this name writes."""
        return export_target(self.workspace.store, name)

    def export(self, name: str, report: Callable[[ExportReport], None]) -> None:
        """Write a session file and report how it goes; runs on a thread of its own."""
        export(self.workspace.store, name, report)

    def exported(self, report: ExportReport) -> None:
        """Show how an export goes; count what it wrote as saved."""
        self.workspace.message = report.text
        self.unsaved.mark_exported(report.written)

    def send_modes(self, address: Address, own_name: str) -> None:
        """Send the modes of this debugger to another one from now on."""
        from am_dbg.control.send_modes import send_modes

        send_modes(self.modes, address, own_name)
