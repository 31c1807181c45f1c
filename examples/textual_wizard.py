"""A wizard in the terminal: the machine decides which step may come next, Textual draws it.

The steps exclude one another, and each requires what the steps before it have settled. A key
asks for a step; if the machine refuses, the screen shows its reason. The machine is pinned to
the loop of the app, so handlers may touch widgets.

    python examples/textual_wizard.py                   # Enter: next step, Escape: back
    AM_DBG_ADDR=1 python examples/textual_wizard.py     # while am-dbg runs
"""

from __future__ import annotations

import asyncio
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Footer, Input, Label, ProgressBar

import amtracer
import machine as am

SAVE_S = 0.02
SAVE_PARTS = 5


class WizardStates(am.StatesBase):
    """What is settled, and the steps."""

    NameGiven: str = am.state()
    MailGiven: str = am.state()
    AskingName: str = am.state(initial=True)
    AskingMail: str = am.state(require=NameGiven)
    Reviewing: str = am.state(require=[NameGiven, MailGiven])
    Saving: str = am.state(require=[NameGiven, MailGiven])
    Saved: str = am.state()
    Step = am.exclusive(AskingName, AskingMail, Reviewing, Saving, Saved)


ss = WizardStates
BACK = {ss.AskingMail: ss.AskingName, ss.Reviewing: ss.AskingMail}
NEXT = {
    ss.AskingName: ss.AskingMail,
    ss.AskingMail: ss.Reviewing,
    ss.Reviewing: ss.Saving,
}
ASKED = {ss.AskingName: "name", ss.AskingMail: "mail"}
"""The steps with an input, and its id."""


class Wizard(App[dict[str, str]]):
    """The app, which is also the handlers of its machine."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "step(True)", "Next", priority=True),
        Binding("escape", "step(False)", "Back", priority=True),
    ]
    CSS = "Vertical { padding: 1 2; } Input, ProgressBar { display: none; }"

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Label(id="title")
            yield Input(placeholder="name", id="name")
            yield Input(placeholder="mail", id="mail")
            yield ProgressBar(total=SAVE_PARTS, id="progress")
            yield Label(id="reason")
        yield Footer()

    def on_mount(self) -> None:
        """Make the machine when there are widgets for its handlers."""
        self.mach = am.Machine(
            None, WizardStates, id="wizard", executor=asyncio.get_running_loop(), handlers=self
        )
        amtracer.attach(self.mach)

    def on_unmount(self) -> None:
        self.mach.dispose()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Turn what an input holds into a state."""
        state = ss.NameGiven if event.input.id == "name" else ss.MailGiven
        wanted = "@" if state == ss.MailGiven else ""
        is_given = bool(event.value.strip()) and wanted in event.value
        (self.mach.add1 if is_given else self.mach.remove1)(state)

    def action_step(self, is_next: bool) -> None:
        """Go to a neighbour of the present step, or show why that is refused."""
        wanted = (NEXT if is_next else BACK).get(self.mach.switch(ss.Step))
        if wanted is None:
            return
        self.show("reason", "")
        if self.mach.add1(wanted) is am.Result.CANCELED:
            self.show("reason", str(self.mach.last_refusal))

    def show(self, label: str, text: str) -> None:
        self.query_one(f"#{label}", Label).update(text)

    def AnyState(self, e: am.Event) -> None:
        """After every change, show the present step."""
        step = e.machine.switch(ss.Step)
        self.show("title", step)
        for asking, widget in ASKED.items():
            self.query_one(f"#{widget}").display = asking == step
        self.query_one("#progress").display = step == ss.Saving

    def AskingNameState(self, e: am.Event) -> None:
        self.call_after_refresh(self.query_one("#name").focus)

    def AskingMailState(self, e: am.Event) -> None:
        self.call_after_refresh(self.query_one("#mail").focus)

    def ReviewingState(self, e: am.Event) -> None:
        self.show("reason", f"{self.given('name')} <{self.given('mail')}>")

    async def SavingState(self, e: am.Event) -> None:
        """Save in parts; leaving the step cancels this task."""
        for _ in range(SAVE_PARTS):
            await asyncio.sleep(SAVE_S)
            self.query_one("#progress", ProgressBar).advance(1)
        e.machine.add1(ss.Saved)

    def SavedState(self, e: am.Event) -> None:
        self.exit({"name": self.given("name"), "mail": self.given("mail")})

    def given(self, id: str) -> str:
        return self.query_one(f"#{id}", Input).value.strip()


if __name__ == "__main__":
    print(Wizard().run())
