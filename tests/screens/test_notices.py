"""Notices from outside of the screen."""

from __future__ import annotations

import pytest

from am_dbg import app
from am_dbg.control import Control
from am_dbg.drawing.layout import Pane
from am_dbg.options import RunOptions
from am_dbg.store import Store
from am_dbg.views.debugger import Debugger
from am_dbg.views.messages import Warned
from am_dbg.views.pane import PaneWidget

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("log_as_before")]


async def test_a_warning_is_shown_until_the_next_key() -> None:
    """It is shown in the footer, from wherever it comes."""
    screen = Debugger(Control(Store()))
    async with screen.run_test(size=(80, 24)) as pilot:
        screen.post_from_thread(Warned("too many open files: new connections wait"))
        await pilot.pause()
        footer = screen.query_one(f"#{Pane.FOOTER}", PaneWidget)
        assert "too many open files: new connections wait" in footer.text()
        await pilot.press("m")
        assert "too many" not in footer.text()


@pytest.mark.parametrize(
    ("listen_on", "token", "notice"),
    [
        (":0", b"", ""),
        ("localhost:0", b"", ""),
        ("0.0.0.0:0", b"", "is open to other machines; set AM_DBG_TOKEN to refuse strangers"),
        ("0.0.0.0:0", b"secret", "is open to other machines that send the token"),
        ("", b"", ""),
    ],
)
def test_an_open_address_is_reported_from_the_start(
    listen_on: str, token: bytes, notice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It fits into the footer of a small screen, and stays in the row of sources."""
    controls: list[Control] = []

    def run(self: Debugger, **_: object) -> None:
        controls.append(self.control)
        self._return_code = 0

    monkeypatch.setattr(Debugger, "run", run)
    assert app.run(RunOptions(listen_on=listen_on, token=token)) == 0

    (control,) = controls
    assert control.message == control.input_status.warning
    assert control.input_status.warning.endswith(notice)
    assert bool(control.input_status.warning) is bool(notice)
    assert len(control.input_status.warning) <= 80
    assert "secret" not in control.input_status.warning
