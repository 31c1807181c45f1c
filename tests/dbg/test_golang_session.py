"""Sessions of the Go debugger are read to the last value, and what is wrong is reported."""

from __future__ import annotations

import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

import brotli
import pytest

from am_dbg.egress.export import export_session
from am_dbg.ingest.golang.primitives import read_int, read_uint
from am_dbg.ingest.golang.session import read_go_session
from amtracer.errors import (
    CutSessionError,
    DamagedSessionError,
    EmptySessionError,
    ForeignSessionError,
    SessionAccessError,
    SessionError,
    SessionTooLargeError,
    TrailingBytesError,
)
from amtracer.files.session import SessionWriter, read_session
from amtracer.wire.messages import (
    BatchMessage,
    HelloMessage,
    MachineMessage,
    Message,
    SchemaMessage,
)
from amtracer.wire.vocabulary import StepFlag
from tests.dbg.golang_bytes import TEXT, message, slice_of, struct_of, text
from tests.dbg.golang_history import SESSION, meant, reported, session_expected, stored
from tests.reference import dumps

WHOLE = SESSION.read_bytes()
PLAIN = brotli.decompress(WHOLE)
TRANSITIONS = 33


def read(data: bytes, **options: int) -> list[Message]:
    return list(read_go_session(io.BytesIO(data), **options))


def transitions(messages: list[Message]) -> int:
    return sum(len(m.shapes) for m in messages if isinstance(m, BatchMessage))


def definitions_end() -> int:
    """Where the one value of the session begins, after all definitions of types."""
    at = 0
    while True:
        size, start = read_uint(PLAIN, at)
        if read_int(PLAIN, start)[0] > 0:
            return at
        at = start + size


def until_error(data: bytes) -> tuple[int, SessionError | None]:
    """How many transitions came, and the error after them."""
    got: list[Message] = []
    try:
        got.extend(read_go_session(io.BytesIO(data)))
    except SessionError as error:
        return transitions(got), error
    return transitions(got), None


def test_every_transition_comes_as_it_was_recorded() -> None:
    """Clocks, called states, steps, log lines and ids are those another decoder found."""
    store = stored(read(WHOLE))

    for client in session_expected()["clients"]:
        track = store.find(client["MsgStruct"]["ID"])
        assert track is not None
        names = client["MsgStruct"]["StatesIndex"]
        assert list(reported(track)) == [meant(record, names) for record in client["MsgTxs"]]


def test_times_are_those_of_arrival() -> None:
    """The time of a transition is when the other debugger received it, to the nanosecond."""
    store = stored(read(WHOLE))

    for client in session_expected()["clients"]:
        track = store.find(client["MsgStruct"]["ID"])
        assert track is not None
        times = [record["Time"]["$time"] for record in client["MsgTxs"]]
        assert [track.time_at(at) for at in range(1, track.count + 1)] == [
            time["unix"] * 1_000_000_000 + time["nsec"] for time in times
        ]


def test_a_machine_keeps_states_relations_parent_and_tags() -> None:
    """The schema comes in the order of the clock, empty relations as none."""
    messages = read(WHOLE)
    machines = [m for m in messages if isinstance(m, MachineMessage)]
    states = next(m for m in messages if isinstance(m, SchemaMessage)).states
    expected = session_expected()["clients"][0]["MsgStruct"]

    assert [(m.id, m.parent, m.tags) for m in machines] == [
        ("live-parent", "", ("live", "ver:1")),
        ("live-child", "live-parent", ("child",)),
    ]
    assert [state.name for state in states] == expected["StatesIndex"]
    for state in states:
        record = expected["States"][state.name]
        assert list(state.require or ()) == record.get("Require", [])
        assert list(state.remove or ()) == record.get("Remove", [])
        assert list(state.add or ()) == record.get("Add", [])
        assert list(state.after or ()) == record.get("After", [])
        assert (state.auto, state.multi) == (record.get("Auto", False), record.get("Multi", False))


def test_the_stream_reports_that_it_comes_from_go() -> None:
    """A reader can see that times are arrival times."""
    hello = read(WHOLE)[0]

    assert isinstance(hello, HelloMessage)
    assert hello.origin == "go"


def test_a_source_line_becomes_a_source_and_stays_a_line() -> None:
    """`[source] machine/id/time` links to the transition that asked."""
    store = stored(read(WHOLE))
    child, parent = store.find("live-child"), store.find("live-parent")
    assert child is not None
    assert parent is not None
    second = child.transition(2)

    assert second.source is not None
    assert (second.source.machine, second.source.time) == ("live-parent", 1)
    assert f"[source] live-parent/{second.source.tx}/1" in [text for _, text in second.lines]
    assert parent.number_of(second.source.tx) is not None


def test_the_handler_that_canceled_is_marked() -> None:
    """The step of `DeniedEnter` is marked as denied; no other step is."""
    track = stored(read(WHOLE)).find("live-parent")
    assert track is not None
    marked = [
        (number, step.target)
        for number in range(1, track.count + 1)
        for step in track.transition(number).shape.steps
        if step.flags & StepFlag.DENIED
    ]

    assert [track.schema_at(number)[target].name for number, target in marked] == ["Denied"]


def test_a_converted_session_reads_back_equal(tmp_path: Path) -> None:
    """Written as a session file of ours, the messages are the same."""
    messages = read(WHOLE)
    with SessionWriter(tmp_path / "s.msgpack.br") as writer:
        for message in messages:
            writer.write(message)

    assert list(read_session(tmp_path / "s.msgpack.br"))[:-1] == messages


@pytest.mark.parametrize("tenth", range(1, 10))
def test_a_cut_file_is_reported_and_read_up_to_the_cut(tenth: int) -> None:
    """At every tenth the error reports how many transitions were recovered."""
    got, error = until_error(WHOLE[: len(WHOLE) * tenth // 10])

    assert isinstance(error, CutSessionError)
    assert error.transitions == got


def test_a_file_cut_in_its_first_bytes_is_reported_as_cut() -> None:
    """Nothing can be decompressed yet, and it looks like nothing else."""
    got, error = until_error(WHOLE[:20])

    assert isinstance(error, CutSessionError)
    assert got == 0


def test_a_file_without_its_last_byte_is_reported_as_cut() -> None:
    """Nothing is missing but the end mark of the compression, which is enough to report."""
    got, error = until_error(WHOLE[:-1])

    assert isinstance(error, CutSessionError)
    assert got <= TRANSITIONS


@pytest.mark.parametrize("rest", [b"x", b"\0" * 70_000, WHOLE])
def test_bytes_after_the_end_are_reported(rest: bytes) -> None:
    """Two joined sessions, or a session with anything behind it, come with the first whole."""
    got, error = until_error(WHOLE + rest)

    assert isinstance(error, TrailingBytesError)
    assert got == TRANSITIONS


def test_bytes_after_the_value_are_reported() -> None:
    """One session is one value, whole or not is what follows it."""
    for rest in (PLAIN[-10:], PLAIN[definitions_end() :]):
        got, error = until_error(brotli.compress(PLAIN + rest))

        assert isinstance(error, TrailingBytesError)
        assert got == TRANSITIONS


@pytest.mark.parametrize(
    ("content", "looks"),
    [
        (b"PK\x03\x04" + b"\0" * 40, "a zip archive"),
        (b"\x1f\x8b\x08" + b"\0" * 40, "gzip"),
        (b"{'not': 'a session'}" * 9, "text"),
        (brotli.compress(b"some text\n" * 90), "text, compressed"),
        (brotli.compress(b"\0" * 100_000), "zeros, compressed"),
    ],
)
def test_another_kind_of_file_is_reported_by_what_it_looks_like(content: bytes, looks: str) -> None:
    """The user learns what was given instead of a session."""
    with pytest.raises(ForeignSessionError) as caught:
        read(content)

    assert caught.value.looks_like == looks


def test_another_gob_stream_is_no_session() -> None:
    """A list of machines is distinguished from any other gob value."""
    with pytest.raises(ForeignSessionError, match="another gob stream"):
        read(
            brotli.compress(b"\x05\x0c\0\x02hi" + b"\x0c\xff\x81\x02\x01\x02\xff\x82\0\x01\x0c\0\0")
        )


def test_an_empty_file_is_reported() -> None:
    """No bytes at all are not called a damaged session."""
    with pytest.raises(EmptySessionError):
        read(b"")


def test_a_folder_or_a_missing_file_is_reported(tmp_path: Path) -> None:
    """The reason is one line that names the path."""
    with pytest.raises(ForeignSessionError, match="a folder"):
        list(read_go_session(tmp_path))
    with pytest.raises(SessionAccessError, match=r"missing\.gob\.br"):
        list(read_go_session(tmp_path / "missing.gob.br"))


def test_a_disk_that_fails_is_reported() -> None:
    """Trouble while reading is a session error as well."""

    class Failing(io.BytesIO):
        name = "failing.gob.br"

        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError(5, "Input/output error")

    with pytest.raises(SessionAccessError, match=r"failing\.gob\.br"):
        list(read_go_session(Failing()))


def test_a_machine_without_transitions_comes_too() -> None:
    """It has its states and nothing else; transitions without a machine are damage."""
    types = (
        slice_of(66, TEXT)
        + struct_of(65, "", ID=TEXT, StatesIndex=66)
        + struct_of(67, "", ID=TEXT)
        + slice_of(68, 67)
        + struct_of(69, "", MsgStruct=65, MsgTxs=68)
        + slice_of(70, 69)
    )
    machine = b"\x01" + b"\x01" + text("m") + b"\x01\x01" + text("A") + b"\0" + b"\0"
    lost = b"\x02\x01\x01" + text("t") + b"\0\0"

    track = stored(read(brotli.compress(types + message(70, b"\0\x01" + machine)))).find("m")
    assert track is not None
    assert (track.count, len(track.schema_at(0))) == (0, 1)
    with pytest.raises(DamagedSessionError, match="unknown machine"):
        read(brotli.compress(types + message(70, b"\0\x02" + machine + lost)))


def test_a_bomb_is_refused_at_the_limit() -> None:
    """The announced size is refused before it is read, and so is the decompressed size."""
    announced = PLAIN[: definitions_end()] + b"\xfc\x7f\xff\xff\xff"

    with pytest.raises(SessionError, match="a message of 2,147,483,647 bytes"):
        read(brotli.compress(announced))
    with pytest.raises(SessionTooLargeError, match="more than 10,000 bytes"):
        read(WHOLE, bytes_max=10_000)


@pytest.mark.slow
def test_a_flipped_bit_never_brings_another_error() -> None:
    """There is no checksum to find every flip, but whatever happens is reported as one error."""
    outcomes: Counter[str] = Counter()
    for at in range(0, len(WHOLE), 17):
        flipped = bytearray(WHOLE)
        flipped[at] ^= 1 << at % 8
        _, error = until_error(bytes(flipped))
        outcomes[type(error).__name__] += 1

    assert outcomes[DamagedSessionError.__name__] > 0


@pytest.fixture(scope="module")
def simulation() -> tuple[list[Message], Any]:
    """The session the reference ships, and what another decoder found in it."""
    expected = json.loads((dumps() / "am-dbg-sim.expected.json").read_bytes())
    return list(read_go_session(dumps() / "am-dbg-sim.gob.br")), expected


@pytest.mark.slow
def test_the_large_session_has_all_machines_and_transitions(
    simulation: tuple[list[Message], Any],
) -> None:
    """Each machine has its states, its first and last transition and its time."""
    messages, expected = simulation
    store = stored(messages)

    assert len(store.tracks) == expected["n_clients"]
    assert store.transitions == expected["n_tx"]
    for track, client in zip(store.tracks, expected["clients"], strict=True):
        names = client["states_index"]
        assert [state.name for state in track.schema_at(0)] == names
        assert track.id == client["id"]
        assert track.count == client["n_tx"]
        assert track.time_sum(track.count) == client["machine_time_sum_last"]
        assert not track.gaps
        rows = list(reported(track))
        assert rows[0] == meant(client["first_tx"], names)
        assert rows[-1] == meant(client["last_tx"], names)
    assert sum(t.time_sum(t.count) for t in store.tracks) == expected["machine_time_sum_all"]


@pytest.mark.slow
def test_the_large_session_counts_are_those_recorded(
    simulation: tuple[list[Message], Any],
) -> None:
    """Types, acceptance, auto, steps and log levels are as often as in the reference."""
    messages, expected = simulation
    rows = [row for track in stored(messages).tracks for row in reported(track)]
    lines = [line for row in rows for line in row["LogEntries"] + row["PreLogEntries"]]
    steps = [step for row in rows for step in row["Steps"]]

    def as_texts(counts: Counter[Any]) -> dict[str, int]:
        return {str(key).lower(): count for key, count in counts.items()}

    assert as_texts(Counter(row["Type"] for row in rows)) == expected["tx_type_counts"]
    assert as_texts(Counter(row["Accepted"] for row in rows)) == expected["accepted_counts"]
    assert sum(row["IsAuto"] for row in rows) == expected["auto_tx"]
    assert as_texts(Counter(step[0] for step in steps)) == expected["step_type_counts"]
    assert as_texts(Counter(level for level, _ in lines)) == expected["log_level_counts"]


@pytest.mark.slow
def test_the_large_session_is_a_fifth_in_our_format(
    simulation: tuple[list[Message], Any], tmp_path: Path
) -> None:
    """255 KB of the Go debugger become at most 60 KB."""
    path = tmp_path / "s.msgpack.br"
    export_session(stored(simulation[0]), path)

    assert path.stat().st_size <= 60_000
