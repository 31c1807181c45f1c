"""Incidents: from the start of the screen to the cause, with the keys that the screen names.

Each test opens a recording as `am-dbg -i FILE` does, presses at most six keys, and reads the
cause. A key has to be named on the way: in the footer, or at the edge of a dialog that was open.
Arrows, Home, End and Enter need no name. So a person who has never seen the debugger can go
the same way.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from am_dbg.control import Control
from am_dbg.drawing.layout import Pane
from am_dbg.ingest.importing import import_session
from am_dbg.keys import sign_of
from am_dbg.store import Store
from am_dbg.views.debugger import Debugger, MainScreen
from tests.screens.test_screen import WIDE, screen_text, text_of

pytestmark = pytest.mark.slow

EXPORTS = Path(__file__).resolve().parents[2] / "exports"
KEYS_MAX = 6
KNOWN = {"left", "right", "up", "down", "home", "end", "enter"}


class Newcomer:
    """Presses keys that the screen names, and reads what it shows."""

    def __init__(self, app: Debugger, pilot: Pilot[int]) -> None:
        self.app = app
        self._pilot = pilot
        self.pressed: list[str] = []
        self._read = ""

    async def press(self, *keys: str) -> None:
        for key in keys:
            self._read += f" {self.hints()} "
            assert key in KNOWN or f" {sign_of(key)} " in self._read, f"{key}: {self._read}"
            self.pressed.append(key)
            await self._pilot.press(key)
            await self._pilot.pause()
        assert len(self.pressed) <= KEYS_MAX

    def hints(self) -> str:
        """The footer, or the last rows of an open dialog."""
        if isinstance(self.app.screen, MainScreen):
            return text_of(self.app, Pane.FOOTER)
        return "\n".join(row for row in screen_text(self.app).splitlines() if "╰" in row)

    @property
    def address(self) -> str:
        """The machine and the transition that are on the screen."""
        return text_of(self.app, Pane.ADDRESS).split("mach://")[1].split()[0]

    def reads(self, text: str) -> bool:
        """Whether a text is on the screen, also over the ends of rows."""
        rows = screen_text(self.app).splitlines()
        return text in " ".join(" ".join(row.strip("│╭╰╮╯─ ") for row in rows).split())


@asynccontextmanager
async def newcomer(name: str) -> AsyncIterator[Newcomer]:
    store = Store()
    import_session(store, str(EXPORTS / f"{name}.msgpack.br"))
    app = Debugger(Control(store))
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        yield Newcomer(app, pilot)


async def test_why_the_first_job_failed() -> None:
    """The demo: the list of all errors leads to the first one, the reader has its text."""
    async with newcomer("worker-pool") as person:
        await person.press("exclamation_mark", "home", "enter", "v")

        assert person.address == "worker-15/10"
        assert person.reads("ConnectionResetError")


async def test_an_exception_in_a_handler() -> None:
    """The shop lost a confirmation, because one customer has no mail address."""
    async with newcomer("incident") as person:
        await person.press("exclamation_mark", "home", "enter", "v")

        assert person.address == "mailer/26"
        assert person.reads("'NoneType' object has no attribute 'partition'")
        assert person.reads("incident.py:263")


async def test_a_state_that_another_one_keeps_out() -> None:
    """The stock reserved nothing, because it is being counted: one transition before the error."""
    async with newcomer("incident") as person:
        await person.press("exclamation_mark", "up", "up", "enter", "A", "left")

        assert person.address == "stock/36"
        assert person.reads("blocked by StockTaking")


async def test_a_cause_that_is_two_machines_away() -> None:
    """The payments are down, because the certificate of the gateway expired."""
    async with newcomer("incident") as person:
        await person.press("exclamation_mark", "enter", "s", "s", "v")

        assert person.address == "gateway/5"
        assert person.reads("certificate of pay.example.org expired")


async def test_a_message_that_is_too_large_in_the_network() -> None:
    """A peer of the network fails: the reader has the text of the error and its place."""
    async with newcomer("pubsub-sim") as person:
        await person.press("exclamation_mark", "enter", "v")

        assert person.reads("pubsub_sim.py:")


async def test_a_link_of_the_network_that_was_refused() -> None:
    """A peer has an error because its link, another machine, was refused."""
    async with newcomer("pubsub-sim") as person:
        await person.press("exclamation_mark", "home", "down", "enter", "s", "v")

        assert person.address == "p01-link/5"
        assert person.reads("ConnectionRefusedError: nobody answers")


async def test_a_handler_of_the_special_cases_that_raises() -> None:
    """The second error of all machines: the handler, the text and the line that raised it."""
    async with newcomer("special-cases") as person:
        await person.press("exclamation_mark", "home", "down", "enter", "v")

        assert person.address == "errors/2"
        assert person.reads("AExit failed")
        assert person.reads("special_cases.py:104")


async def test_the_first_canceled_transition_of_the_special_cases() -> None:
    """With the scope of all machines, c goes to the first one that was canceled."""
    async with newcomer("special-cases") as person:
        await person.press("A", "home", "c", "v")

        assert person.address == "relations/1"
        assert person.reads("Wet requires Water, which is not active")
