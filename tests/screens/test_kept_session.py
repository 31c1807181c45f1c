"""What a session file shows when it is opened again: place, bookmarks, filters, scope."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from am_dbg.control import Control, StartOptions
from am_dbg.ingest.content_digest import DIGEST_BYTES_MAX, digest_of
from am_dbg.ingest.intake import ImportProgress
from am_dbg.settings.state_directory import (
    FILE_BYTES_MAX,
    SESSIONS_MAX,
    StateDirectory,
    state_path,
)
from am_dbg.store import Store
from tests.screens.driving import at, do, number


def opened_again(
    values: dict[str, object], store: Store, start: StartOptions | None = None
) -> Control:
    """A control over the session, at the end of its import."""
    control = Control(store, start=start or StartOptions(is_importing=True))
    control.restore_at_end_of_import(values)
    control.import_progressed(ImportProgress("x", 1, 1, is_over=True))
    return control


def test_a_session_is_opened_where_it_was_left(control: Control, store: Store) -> None:
    """The place, the bookmarks and the filters are those of the end of the last time."""
    do(at(control, 4), "bookmark", "filter_empty", "rain")
    again = opened_again(control.kept_session(), store)

    assert number(again) == 4
    assert [place.number for place in again.workspace.bookmarks.places] == [4]
    assert again.workspace.filters.empty
    assert again.modes.main == "rain"
    assert again.message == "as you left it: mach://worker/4, 1 bookmark, filters"


@pytest.mark.parametrize(
    ("actions", "is_across", "is_chosen", "words"),
    [
        (("scope",), True, False, "scope: all 2 machines"),
        (("choose_machine",), False, True, "1 chosen machine"),
        (("choose_machine", "scope"), True, True, "scope: 1 chosen machine"),
        (("scope", "scope"), False, False, ""),
    ],
)
def test_a_session_is_opened_with_its_scope(
    control: Control,
    store: Store,
    actions: tuple[str, ...],
    is_across: bool,
    is_chosen: bool,
    words: str,
) -> None:
    """The scope and the chosen machines are those of the end of the last time."""
    do(at(control, 4), *actions)
    again = opened_again(control.kept_session(), store)

    assert again.workspace.is_across is is_across
    assert again.workspace.chosen == (frozenset({"worker"}) if is_chosen else frozenset())
    assert again.message == ", ".join(filter(None, ("as you left it: mach://worker/4", words)))


def test_a_scope_that_the_user_changed_stays(control: Control, store: Store) -> None:
    """Machines that are chosen while a session is read are not replaced by the kept ones."""
    values = do(at(control, 4), "scope").kept_session()
    other = Control(store, start=StartOptions(is_importing=True))
    other.restore_at_end_of_import(values)
    other.data_arrived()
    do(other, "choose_machine")
    chosen = other.workspace.chosen
    other.import_progressed(ImportProgress("x", 1, 1, is_over=True))

    assert other.workspace.chosen == chosen
    assert not other.workspace.is_across


def test_options_of_the_start_win_over_the_place(control: Control, store: Store) -> None:
    """Bookmarks are restored all the same."""
    do(at(control, 4), "bookmark")
    start = StartOptions(machine="worker-child", is_importing=True)
    again = opened_again(control.kept_session(), store, start)

    assert again.workspace.track is store.find("worker-child")
    assert len(again.workspace.bookmarks.places) == 1


def test_a_user_who_moved_stays_where_they_are(control: Control, store: Store) -> None:
    """A large session is read for a while, in which the user may go somewhere."""
    values = at(control, 4).kept_session()
    other = Control(store, start=StartOptions(is_importing=True))
    other.restore_at_end_of_import(values)
    other.data_arrived()
    do(other, "first", "next_transition")
    other.import_progressed(ImportProgress("x", 1, 1, is_over=True))

    assert number(other) == 1


@pytest.mark.parametrize(
    "values",
    [
        {"place": ["nobody", 3], "bookmarks": [["nobody", 1]]},
        {"place": ["worker", 99], "bookmarks": [["worker", -5], "x", ["worker"], None]},
        {"place": 5, "bookmarks": {"a": 1}, "filters": [], "main": 7, "seconds": "x"},
        {"filters": {"level": "high", "canceled": 1, "unknown": True, "text": None}},
        {"place": ["worker", True]},
        {"across": 1, "chosen": ["nobody", 5, None, ["worker"]]},
        {"across": "yes", "chosen": {"worker": 1}},
    ],
)
def test_values_that_do_not_fit_are_left_out(store: Store, values: dict[str, object]) -> None:
    """A file of an older debugger, or a damaged one, opens like any other."""
    control = opened_again(values, store)

    assert control.workspace.bookmarks.places == ()
    assert control.workspace.filters == Control(store).workspace.filters
    assert control.workspace.chosen == frozenset()
    assert not control.workspace.is_across


def test_a_level_beyond_the_highest_is_the_highest(store: Store) -> None:
    """Numbers from a file are brought into their range."""
    assert opened_again({"filters": {"level": 99}}, store).workspace.filters.level == 4


def test_nothing_is_kept_of_a_session_that_was_not_read_to_its_end(store: Store) -> None:
    """Otherwise a restart in the middle would lose the bookmarks."""
    control = Control(store, start=StartOptions(is_importing=True))
    control.import_progressed(ImportProgress("x", 1, 2))

    assert control.kept_session() == {}


def test_the_state_directory_lies_where_the_user_wants_it() -> None:
    """By the rules of XDG."""
    assert state_path({"XDG_STATE_HOME": "/s"}) == Path("/s/am-dbg")


def test_what_is_kept_is_read_again(tmp_path: Path) -> None:
    """Each session has a file, and all together have one for their settings."""
    state = StateDirectory(tmp_path / "deep" / "am-dbg")
    assert state.session("abc") == state.settings() == {}

    assert state.keep_session("abc", {"place": ["m", 1]}) == ""
    assert state.keep_settings({"theme": "am-light"}) == ""
    state.keep_settings({"files": []})

    assert state.session("abc") == {"place": ["m", 1]}
    assert state.settings() == {"theme": "am-light", "files": []}


def test_the_oldest_sessions_are_forgotten(tmp_path: Path) -> None:
    """The directory does not grow without end."""
    state = StateDirectory(tmp_path)
    for age in range(SESSIONS_MAX + 1):
        state.keep_session(f"{age:03}", {"at": age})
        os.utime(tmp_path / "sessions" / f"{age:03}.json", ns=(age, age))
    state.keep_session("new", {})

    assert state.session("000") == state.session("001") == {}
    assert state.session("002") == {"at": 2}


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff", b"1" * (FILE_BYTES_MAX + 1)])
def test_a_damaged_file_counts_as_empty(tmp_path: Path, content: bytes) -> None:
    """Nothing that is kept is needed."""
    (tmp_path / "settings.json").write_bytes(content)

    assert StateDirectory(tmp_path).settings() == {}


def test_a_directory_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    """The debugger ends as it would without."""
    (tmp_path / "file").write_text("")
    state = StateDirectory(tmp_path / "file")

    assert "it cannot be written" in state.keep_settings({"theme": "x"})
    assert "are not kept" in StateDirectory(tmp_path).keep_settings({"x": "y" * FILE_BYTES_MAX})


def test_a_session_is_known_by_its_content() -> None:
    """Another name makes no difference, another byte at its end does; the position stays."""
    long = bytes(2 * DIGEST_BYTES_MAX + 5)
    one, other = io.BytesIO(long), io.BytesIO(long[:-1] + b"x")
    one.seek(7)

    assert digest_of(one) == digest_of(io.BytesIO(long)) != digest_of(other)
    assert one.tell() == 7
