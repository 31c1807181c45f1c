"""Recorded sessions of every version of the file format stay readable."""

from __future__ import annotations

from pathlib import Path

import pytest

from amtracer.files.record_walk import MemoryBytes, Record, RecordWalk
from amtracer.files.records import RecordKind, begins_records
from amtracer.files.session import read_session
from amtracer.wire.messages import EndMessage, HelloMessage
from tests.wire.streams import read_back

EXPORTS = sorted((Path(__file__).resolve().parents[2] / "exports").glob("*.msgpack.br"))
OF_RECORDS = [path for path in EXPORTS if begins_records(path.read_bytes())]
SESSIONS = [path for path in EXPORTS if path not in OF_RECORDS]


@pytest.mark.parametrize("path", SESSIONS, ids=lambda path: path.name)
def test_a_recorded_session_is_read_whole(path: Path) -> None:
    """From its hello to its end message, with every number defined before its use."""
    stream = list(read_session(path))
    reader = read_back(stream)

    assert isinstance(stream[0], HelloMessage)
    assert isinstance(stream[-1], EndMessage)
    assert sum(map(len, reader.transitions.values())) > 0


def test_there_is_a_session_of_the_present_version() -> None:
    """A format without a recorded file could change unnoticed."""
    assert SESSIONS
    assert OF_RECORDS


@pytest.mark.parametrize("path", OF_RECORDS, ids=lambda path: path.name)
def test_a_session_of_records_is_walked_whole(path: Path) -> None:
    """Every record of it is right, up to the end."""
    source = MemoryBytes(path.read_bytes())
    walk = RecordWalk(source)
    kinds = {found.header.kind for found in walk if isinstance(found, Record)}

    assert walk.is_whole
    assert kinds == set(RecordKind)
