"""No projection ends the debugger: a fault costs its own pane, and nothing that came in."""

from __future__ import annotations

import importlib
import inspect
import logging
import pkgutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

import am_dbg.drawing
import am_dbg.projection
from am_dbg.control import Control
from am_dbg.drawing.layout import MAIN_PANES, Pane
from am_dbg.egress.export import export_session
from am_dbg.ingest.importing import import_session
from am_dbg.log_once import Outages
from am_dbg.projection.faults import Failed, attempt
from am_dbg.store import Store
from am_dbg.views.debugger import Debugger
from am_dbg.views.messages import DataArrived
from tests.screens.stories import files_story
from tests.screens.test_screen import number, screen_text

pytestmark = pytest.mark.usefixtures("log_as_before")

OF_DIALOGS = {"draw_help", "draw_difference", "project_difference"}
WORKERS = ("project_", "draw_", "framed", "top_border", "moment_of", "tree_of")


def modules(package: ModuleType) -> Iterator[ModuleType]:
    for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        yield importlib.import_module(info.name)


def workers() -> list[Callable[..., object]]:
    """Every public function that works a view out or draws one."""
    found = {
        worker
        for package in (am_dbg.projection, am_dbg.drawing)
        for module in modules(package)
        for name, worker in inspect.getmembers(module, inspect.isfunction)
        if name.startswith(WORKERS) and worker.__module__ == module.__name__
    }
    return sorted(found, key=lambda worker: (worker.__module__, worker.__name__))


def break_everywhere(patch: pytest.MonkeyPatch, worker: Callable[..., object]) -> None:
    """Wherever a module has the function under a name, it raises."""

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("broken [b] on purpose")

    for name, module in list(sys.modules.items()):
        if name.startswith("am_dbg"):
            for attribute, value in list(vars(module).items()):
                if value is worker:
                    patch.setattr(module, attribute, broken)


def test_every_projection_and_every_drawing_is_tried() -> None:
    """A new one is found by itself."""
    names = {worker.__name__ for worker in workers()}

    assert {"project_log", "draw_log", "project_reader", "draw_footer", "project_rain"} <= names
    assert len(names) >= 30


@pytest.mark.slow
@pytest.mark.parametrize("worker", workers(), ids=lambda worker: worker.__name__)
async def test_no_projection_ends_the_debugger(
    worker: Callable[..., object],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
) -> None:
    """While it fails keys work and data comes in; afterwards all is shown and can be exported."""
    main = next((one for one in MAIN_PANES if one in worker.__module__), MAIN_PANES[0])
    story = files_story()
    store = Store()
    stream = story.fill(store, live=True)
    sent = len(story.messages)
    app = Debugger(Control(store, main=main, reader=True))
    logging.getLogger("am_dbg").propagate = True
    async with app.run_test(size=(160, 45)) as pilot:
        await pilot.press("home", "right")
        with monkeypatch.context() as patched:
            break_everywhere(patched, worker)
            app.post_from_thread(DataArrived())
            keys = ("question_mark", "escape", "b", "right", "d", "escape", "l", "right")
            await pilot.press(*keys)
            story.tellers[0].add("Ping")
            story.writer.flush()
            for message in story.messages[sent:]:
                store.feed(stream, message)
            app.post_from_thread(DataArrived())
            await pilot.pause()
            assert app.is_running
            if (
                worker.__name__ != "moment_of" and main is not Pane.RAIN
            ):  # arrows pick states in the rain
                assert number(app) == 3
        await pilot.press("end", "right")

        assert "could not be shown" not in screen_text(app)
        assert "tx 15/15" in screen_text(app)
    path = tmp_path / "all.msgpack.br"
    export_session(store, path)
    again = Store()
    import_session(again, str(path))
    assert again.transitions == store.transitions


@pytest.mark.slow
async def test_a_pane_shows_on_one_line_what_failed(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The trace goes to the log, once."""
    monkeypatch.setattr("am_dbg.projection.faults._outages", Outages())
    logging.getLogger("am_dbg").propagate = True
    app = Debugger(Control(files_story().store(), reader=True))
    async with app.run_test(size=(160, 45)) as pilot:
        break_everywhere(monkeypatch, am_dbg.projection.reader.project_reader)  # type: ignore[attr-defined]
        await pilot.press("left", "left", "right")

        assert "could not be shown: Runtime" in screen_text(app)
        assert "mach://worker/13" in screen_text(app)
    traces = [one for one in caplog.records if one.exc_info and "reader" in one.getMessage()]
    assert len(traces) == 1


@pytest.mark.slow
async def test_an_action_that_fails_is_reported_and_the_next_one_works(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault behind a key is a message in the footer."""
    app = Debugger(Control(store))
    async with app.run_test(size=(160, 45)) as pilot:
        with monkeypatch.context() as patched:
            patched.setattr(app.control, "press", lambda action: 1 // 0)
            await pilot.press("e")
            assert "next error failed: ZeroDivisionError" in screen_text(app)
        await pilot.press("home")

        assert number(app) == 0


def test_what_failed_is_a_value_with_its_reason_on_one_line() -> None:
    """Whatever the error says, it is made safe for a terminal."""

    def work() -> int:
        raise ValueError("two\nlines \x1b[2J")

    failed = attempt("the work", work)

    assert isinstance(failed, Failed)
    assert failed.words == "could not be shown: ValueError: two lines \\x1b[2J"
    assert attempt("the work", lambda: 5) == 5
