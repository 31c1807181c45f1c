"""While the program loads, no garbage is collected; afterwards it is, without what was loaded."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from weakref import ref

import pytest
from click.testing import CliRunner

from am_dbg.cli.commands import command
from am_dbg.egress.export import export_session
from am_dbg.ingest.collection import (
    collection_postponed,
    postpone_collection,
    resume_collection,
    set_survivors_aside,
)
from am_dbg.ingest.importing import import_session
from am_dbg.store import Store
from benchmarks.debugger_sessions import Program, frames, planned, taken_in


@pytest.fixture(autouse=True)
def collected_afterwards() -> Iterator[None]:
    """Whatever a test leaves, the collector runs after it and looks at everything."""
    yield
    while set_survivors_aside in gc.callbacks:
        gc.callbacks.remove(set_survivors_aside)
    gc.unfreeze()
    gc.enable()


def test_what_was_loaded_is_set_aside_when_the_collection_resumes() -> None:
    """Later collections do not go through it."""
    postpone_collection()
    assert not gc.isenabled()

    resume_collection()

    assert gc.isenabled()
    assert gc.get_freeze_count() > 0


def test_a_collection_that_was_not_postponed_stays_as_it_is() -> None:
    """A program that uses the debugger as a library keeps its own garbage collectable."""
    before = gc.get_freeze_count()

    resume_collection()

    assert gc.get_freeze_count() == before


def test_a_command_collects_while_it_works() -> None:
    """Only the loading of the program is without a collector."""
    postpone_collection()

    CliRunner().invoke(command, ["list", "missing.msgpack.br"])

    assert gc.isenabled()


def test_opening_a_session_collects_again_afterwards() -> None:
    """Also after an error; a program that had switched the collector off keeps it off."""
    with suppress(ValueError), collection_postponed():
        assert not gc.isenabled()
        raise ValueError
    assert gc.isenabled()

    gc.disable()
    try:
        with collection_postponed():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_a_full_collection_sets_aside_what_survives_it() -> None:
    """The next one does not go through it again, so no pause grows with the data."""
    postpone_collection()
    resume_collection()
    held = [[number] for number in range(1_000)]
    before = gc.get_freeze_count()

    gc.collect()

    assert gc.get_freeze_count() >= before + len(held)
    assert not any(one is held for one in gc.get_objects())


def test_a_collection_of_young_objects_sets_nothing_aside() -> None:
    """Most of them are still in use for a moment only."""
    postpone_collection()
    resume_collection()
    before = gc.get_freeze_count()
    held = [[number] for number in range(1_000)]

    gc.collect(0)

    assert gc.get_freeze_count() < before + len(held)


def test_an_opened_session_is_set_aside_in_a_process_of_the_debugger() -> None:
    """The collector does not go through its heads when it runs again."""
    postpone_collection()
    resume_collection()
    before = gc.get_freeze_count()

    with collection_postponed():
        held = [[number] for number in range(1_000)]

    assert gc.get_freeze_count() >= before + len(held)


def test_an_opened_session_stays_collectable_in_another_process() -> None:
    """A program that uses the debugger as a library has its own garbage collected."""
    before = gc.get_freeze_count()

    with collection_postponed():
        pass

    assert gc.get_freeze_count() == before


@pytest.mark.parametrize("is_imported", [False, True])
def test_removed_machines_are_freed_without_the_collector(
    tmp_path: Path, is_imported: bool
) -> None:
    """References free the objects that were set aside, so the store makes no circles."""
    store = taken_in(frames(planned(Program.REPEATING, 420, 10)))
    if is_imported:
        path = tmp_path / "session.msgpack.br"
        export_session(store, path)
        store = Store()
        import_session(store, str(path))
    gc.collect()
    gc.disable()
    parts = [part for track in store.tracks for part in (track, *track.chunks)]
    held = [*map(ref, parts), ref(store.tracks[0].chunks[0].dictionary)]
    del parts

    store.remove(*store.tracks)

    assert not any(one() for one in held)
