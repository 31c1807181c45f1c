"""While the program loads, no garbage is collected; afterwards it is, without what was loaded."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import suppress

import pytest
from click.testing import CliRunner

from am_dbg.cli.commands import command
from am_dbg.ingest.collection import (
    collection_postponed,
    postpone_collection,
    resume_collection,
)


@pytest.fixture(autouse=True)
def collected_afterwards() -> Iterator[None]:
    """Whatever a test leaves, the collector runs after it and looks at everything."""
    yield
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
