"""Whatever a program sends, any other process reads its recording as it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import amtracer
import machine as am
from am_dbg.egress.export import export_session, selected
from am_dbg.ingest.importing import import_session
from am_dbg.store import Store, Track, TransitionRecord
from amtracer.encode.stream_writer import StreamWriter
from amtracer.send.registry import _senders
from amtracer.wire.messages import Message, Shape, Source, StateDef
from tests.dbg.histories import hello, write_messages
from tests.dbg.test_export_identity import taken_in
from tests.transitions import RecordedTransition, write_transition
from tests.wire.serving import run

TEXTS = st.text(max_size=30)
"""Of every plane, with control characters, without half characters."""
TIMES = st.integers(-(2**61), 2**61)
COUNTS = st.integers(0, 2**61)
PAIRS = st.lists(st.tuples(TEXTS, TEXTS), max_size=3, unique_by=lambda pair: pair[0]).map(tuple)
LINES = st.lists(st.tuples(st.integers(0, 4), TEXTS), max_size=3).map(tuple)
TRANSITIONS = st.builds(
    RecordedTransition,
    shape=st.builds(
        lambda type_, called: Shape(type_, tuple(called), 0),
        st.integers(0, 2),
        st.lists(st.integers(0, 1), unique=True),
    ),
    time_ns=TIMES,
    duration_ns=COUNTS,
    queue_len=COUNTS,
    lines=LINES,
    pre_lines=LINES,
    source=st.none() | st.builds(Source, TEXTS, TEXTS, COUNTS),
    args=PAIRS,
    handler_ns=st.lists(COUNTS, max_size=3).map(tuple),
    id=st.just(""),
)


def reported(track: Track) -> list[TransitionRecord]:
    return [track.transition(number) for number in range(1, track.count + 1)]


@given(
    st.tuples(TEXTS, TEXTS, TEXTS, st.lists(TEXTS, max_size=3)),
    st.lists(TEXTS, min_size=2, max_size=2, unique=True),
    st.lists(TRANSITIONS, max_size=5),
)
def test_odd_texts_and_numbers_survive(
    who: tuple[str, str, str, list[str]], names: list[str], happened: list[RecordedTransition]
) -> None:
    """Ids, states, tags, lines, args, sources and times are kept to the last character."""
    id_, parent, prefix, tags = who
    messages: list[Message] = []
    writer = StreamWriter(messages.append, hello())
    schema = writer.schema(tuple(StateDef(name, tags=(name,)) for name in names))
    machine = writer.machine(id_, schema, parent=parent, tags=tags, tx_prefix=prefix)
    for one in happened:
        write_transition(writer, machine, one)
    writer.flush()
    store = taken_in(messages)
    again: list[Message] = []
    write_messages(store, selected(store), again.append)
    (track,), (copy,) = store.tracks, taken_in(again).tracks

    assert (copy.id, copy.parent, copy.tags) == (id_, parent, tuple(tags))
    assert copy.states == track.states
    assert reported(copy) == reported(track)
    assert [one.lines for one in reported(copy)] == [one.lines for one in happened]
    assert [one.time_ns for one in reported(copy)] == [one.time_ns for one in happened]


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


def endless() -> dict[str, Any]:
    value: dict[str, Any] = {}
    value["self"] = value
    return value


class Loud:
    def __repr__(self) -> str:
        raise RuntimeError("no text of me")


ODD_ARGS: dict[str, Any] = {
    "lines": "a line of many\n" * 14_000,
    "deep": nested(50_000),
    "endless": endless(),
    "large": 10**4_000,
    "bytes": bytes(range(256)) * 100,
    "half": "\ud800 and \udcff",
    "signs": "\x00\x1b[2J\u202e\u200b😀",
    "loud": Loud(),
    "none": None,
    "": "no name",
    "k" * 100_000: "long name",
}


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """A program's own recording of odd arguments and lines."""
    path = tmp_path / "odd.msgpack.br"
    mach = am.Machine(None, {"M": am.State(multi=True)}, id="odd\n\x1b[31m\ud800")
    mach.set_logger_empty(am.LogLevel.EVERYTHING)
    amtracer.record(mach, path)
    for key, value in ODD_ARGS.items():
        mach.log("%s", value if isinstance(value, str) else key)
        mach.add1("M", {key: value})
    mach.add1("M", ODD_ARGS)
    amtracer.close()
    _senders.clear()
    return path


AM_DBG = (
    "from am_dbg.cli.commands import main; import sys; sys.argv = ['am-dbg', *sys.argv[1:]]; main()"
)


@pytest.mark.slow
def test_odd_arguments_are_read_by_a_fresh_process(recorded: Path, tmp_path: Path) -> None:
    """Recorded here, converted there, shown by a third: the same every time."""
    target = tmp_path / "again.msgpack.br"
    done = run(AM_DBG, "convert", recorded, target)
    assert (done.returncode, done.stderr.count("\n")) == (0, 1)
    shown = [
        run(AM_DBG, "show", path, f"mach://{track_of(path).key}", "--json").stdout
        for path in (recorded, target)
    ]

    assert shown[0] == shown[1]
    past = json.loads(shown[0])["transitions"]
    assert [list(one["args"]) for one in past[1:3]] == [["deep"], ["endless"]]
    assert len(past) == len(ODD_ARGS) + 1
    assert shown[0].isascii()


def track_of(path: Path) -> Track:
    store = Store()
    import_session(store, str(path))
    return store.tracks[0]


def test_odd_arguments_survive_an_export(recorded: Path, tmp_path: Path) -> None:
    """An export of what was imported holds every field of it."""
    store = Store()
    import_session(store, str(recorded))
    export_session(store, tmp_path / "copy.msgpack.br")

    assert reported(track_of(tmp_path / "copy.msgpack.br")) == reported(store.tracks[0])
