"""Control of the screen of a comparison: the machine, the row and the side of the reader.

It is to that screen what `Control` is to the debugger: actions change where the reader is, and
`project` returns the whole screen as one value. The actions are those of the one table of keys
(`am_dbg.keys`), so a user who changed a key has the changed one here too. At the start the
cursor is at the first difference of the machine that differs first.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

from am_dbg.keys import KEYS, Key, by_action, sign_of
from am_dbg.projection.addresses.write import address_of
from am_dbg.projection.comparison.sessions import MachineComparison, SessionComparison
from am_dbg.projection.comparison.view import (
    ComparedRows,
    ComparisonView,
    SideView,
    project_machines,
    project_moment,
    project_side,
)
from am_dbg.projection.times import count
from am_dbg.store import Track

CONTEXT_ROWS = 4
"""Equal rows that stay in sight above a difference."""


class ComparisonRequest(Enum):
    """What the screen has to do beside repainting."""

    HELP = "help"
    QUIT = "quit"


@dataclass(frozen=True, slots=True)
class OpenSide:
    """Open a session in the debugger, at an address."""

    side: int
    address: str


Request = ComparisonRequest | OpenSide | None


@dataclass(frozen=True, slots=True)
class _Hint:
    """An action with its word in the footer and its line in the help; `pair` shares its entry."""

    action: str
    word: str
    help: str
    pair: str = ""


_HINTS = (
    _Hint("next_hit", "difference", "next or previous difference, in all machines", "previous_hit"),
    _Hint("choose", "open", "open the transition of the lit side in the debugger; q returns here"),
    _Hint("next_transition", "side", "the side that Enter opens", "previous_transition"),
    _Hint("down", "row", "a row down or up", "up"),
    _Hint("forward", "machine", "next or previous machine", "back"),
    _Hint("page_down", "", "a page down or up", "page_up"),
    _Hint("first", "", "the first or the last row", "last"),
    _Hint("help", "help", "this help"),
    _Hint("quit", "quit", "quit"),
)


_WITHOUT_MACHINES = ("help", "quit", "escape")
"""The actions that mean something even if no machine is in both sessions."""


class ComparisonControl:
    """Where the reader of a comparison is."""

    def __init__(
        self, comparison: SessionComparison, files: Sequence[str], keys: Sequence[Key] = KEYS
    ) -> None:
        self.keys = keys
        self._comparison = comparison
        self._files = files
        self._pairs = (*comparison.differing, *comparison.same)
        self._rows = [ComparedRows(pair) for pair in self._pairs[:1]]
        self._machine = self._row = self._top = self._side = 0
        self._page = 1
        self._message = ""
        self._actions: dict[str, Callable[[], Request]] = {
            "next_hit": lambda: self._to_difference(1),
            "previous_hit": lambda: self._to_difference(-1),
            "down": lambda: self._move(1),
            "up": lambda: self._move(-1),
            "page_down": lambda: self._move(self._page),
            "page_up": lambda: self._move(-self._page),
            "first": lambda: self._move(-self._row),
            "last": lambda: self._move(len(self.rows)),
            "next_transition": lambda: self._choose_side(1),
            "previous_transition": lambda: self._choose_side(0),
            "next_pane": lambda: self._choose_side(1 - self._side),
            "forward": lambda: self._to_machine(self._machine + 1),
            "back": lambda: self._to_machine(self._machine - 1),
            "choose": self._open,
            "help": lambda: ComparisonRequest.HELP,
            "quit": lambda: ComparisonRequest.QUIT,
            "escape": lambda: ComparisonRequest.QUIT,
        }
        if self._pairs:
            self._select(0, 0)
            self._row = self._difference_rows()[0] if self._pairs[0].differences else 0

    @property
    def actions(self) -> tuple[str, ...]:
        """The actions of the table of keys that mean something here."""
        return tuple(self._actions)

    def press(self, action: str) -> Request:
        """Carry out an action; return what the screen has to do beside repainting."""
        self._message = ""
        if not self._pairs and action not in _WITHOUT_MACHINES:
            return None
        return self._actions[action]()

    def hints(self) -> tuple[tuple[str, str], ...]:
        """Keys and words of the footer."""
        return tuple((self._signs(hint), hint.word) for hint in _HINTS if hint.word)

    def help_rows(self) -> tuple[tuple[str, str], ...]:
        """Keys and what they do."""
        return tuple((self._signs(hint), hint.help) for hint in _HINTS)

    def _signs(self, hint: _Hint) -> str:
        """The first keys of an action and of its counterpart."""
        table = by_action(self.keys)
        keys = [table[name].all_keys for name in (hint.action, hint.pair) if name]
        return " ".join(sign_of(names[0]) for names in keys if names)

    @property
    def rows(self) -> ComparedRows:
        """The rows of the selected machine."""
        pair = self._pairs[self._machine]
        if self._rows[0].pair is not pair:
            self._rows = [ComparedRows(pair)]
        return self._rows[0]

    def _difference_rows(self) -> list[int]:
        """The first rows of the differences of the selected machine."""
        rows = self.rows
        return [rows.starts[index] for index in rows.pair.differences]

    def _select(self, machine: int, row: int) -> None:
        self._machine, self._row = machine, row
        self._top = max(0, row - CONTEXT_ROWS)

    def _move(self, by: int) -> None:
        self._row = max(0, min(len(self.rows) - 1, self._row + by))

    def _choose_side(self, side: int) -> None:
        self._side = side

    def _to_machine(self, machine: int) -> None:
        if 0 <= machine < len(self._pairs):
            self._select(machine, 0)
            self._select(machine, next(iter(self._difference_rows()), 0))
        else:
            self._message = "there is no other machine on this side of the list"

    def _to_difference(self, by: int) -> None:
        """Go to the next or previous difference; after the last one, to the next machine."""
        rows = self._difference_rows()
        at = bisect_right(rows, self._row) if by > 0 else bisect_left(rows, self._row) - 1
        if 0 <= at < len(rows):
            self._row = rows[at]
            self._top = max(0, min(self._top, self._row - CONTEXT_ROWS))
        else:
            self._to_differing_machine(by)

    def _to_differing_machine(self, by: int) -> None:
        machine = min(self._machine + by, len(self._comparison.differing) - (by < 0))
        while 0 <= machine < len(self._comparison.differing):
            if self._pairs[machine].differences:
                self._select(machine, 0)
                rows = self._difference_rows()
                self._select(machine, rows[0 if by > 0 else -1])
                return
            machine += by
        self._message = f"this is the {'last' if by > 0 else 'first'} difference"

    def _open(self) -> Request:
        """The transition at the cursor on the chosen side, or on the other if there is none."""
        if not len(self.rows):
            return None
        numbers = self.rows.numbers(self._row)
        side = self._side if numbers[self._side] is not None else 1 - self._side
        number = numbers[side]
        assert number is not None  # every row has a transition on one side
        track = self._tracks()[side]
        return OpenSide(side, address_of(self._comparison.stores[side], track, number))

    def _tracks(self) -> tuple[Track, Track]:
        pair = self._pairs[self._machine]
        return pair.one, pair.other

    def project(self, rows: int) -> ComparisonView:
        """The screen with so many rows in its columns."""
        self._page = max(1, rows - 1)
        pair = self._pairs[self._machine] if self._pairs else None
        shown = range(0)
        if pair is not None and rows > 0:
            self._top = max(0, min(max(self._top, self._row - rows + 1), self._row))
            shown = range(self._top, min(len(self.rows), self._top + rows))
        return ComparisonView(
            sides=(self._side_view(0), self._side_view(1)),
            machines=project_machines(self._comparison, pair),
            rows=tuple(self.rows.row(at, is_current=at == self._row) for at in shown),
            differing=len(self._comparison.differing),
            place=self._place(pair),
            message=self._message,
        )

    def _side_view(self, side: int) -> SideView:
        store = self._comparison.stores[side]
        empty = project_side(store, side, self._files[side], is_chosen=side == self._side)
        if not self._pairs:
            return empty
        number = self.rows.numbers(self._row)[side] if len(self.rows) else None
        return project_moment(empty, store, self._pairs[self._machine], side, number)

    def _place(self, pair: MachineComparison | None) -> str:
        """Which difference the cursor is at, or how many there are."""
        if pair is None or not pair.differences:
            return "no difference here"
        rows = self._difference_rows()
        at = bisect_right(rows, self._row)
        stretch = self.rows.stretch(self._row)
        if stretch in pair.differences:
            return f"difference {count(at)} of {count(len(rows))}"
        return f"{count(len(rows))} differences"
