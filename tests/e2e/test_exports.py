"""The sessions that come with the project stay readable."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import brotli
import pytest

from am_dbg.ingest.importing import import_session
from am_dbg.projection.subscriptions import subscriptions_at
from am_dbg.store import Store
from amtracer.encode.stream_writer import StreamWriter
from amtracer.files.session import read_session
from amtracer.wire.codec import FrameWriter
from amtracer.wire.messages import HelloMessage
from tests.transitions import write_transition
from tests.wire.streams import read_back

EXPORTS = Path(__file__).resolve().parents[2] / "exports"
NETWORK = EXPORTS / "pubsub-sim.msgpack.br"
NETWORK_FILE_BYTES_MAX = 150_000
NETWORK_WIRE_BYTES_MAX = 16
SESSIONS = sorted(path.name for path in EXPORTS.iterdir() if path.name != "README.md")
SPECIAL = ("special-cases.msgpack.br", "version-1.msgpack.br", "version-3.msgpack.br")
WITH_GAPS = {(name, machine) for name in SPECIAL for machine in ("schema", "gap")}


@pytest.fixture(params=SESSIONS)
def opened(request: pytest.FixtureRequest) -> Store:
    """A session of exports/, read as the debugger reads it."""
    store = Store()
    import_session(store, str(EXPORTS / request.param))
    return store


def test_every_session_is_described() -> None:
    """A file in exports/ has its line in the README there."""
    text = (EXPORTS / "README.md").read_text(encoding="utf-8")

    assert SESSIONS
    assert [name for name in SESSIONS if f"| `{name}` |" not in text] == []


@pytest.mark.parametrize("name", SESSIONS)
def test_every_session_opens_whole(name: str) -> None:
    """A recorded session has transitions, and only the gaps that it demonstrates."""
    store = Store()
    import_session(store, str(EXPORTS / name))

    assert store.transitions > 0
    assert {(name, track.key) for track in store.tracks if track.gaps} <= WITH_GAPS


def test_no_session_has_an_absolute_path(opened: Store) -> None:
    """Traces in a recorded session have paths relative to the project's folder."""
    absolute = re.compile(r'File "/')
    absolute_paths = [
        (track.id, number)
        for track in opened.tracks
        for number in range(1, track.count + 1)
        for _, line in track.transition(number).lines
        if absolute.search(line)
    ]

    assert absolute_paths == []


def test_the_pool_was_recorded_with_all_its_workers() -> None:
    """The session of the demo holds the supervisor and twenty workers under it."""
    store = Store()
    import_session(store, str(EXPORTS / "worker-pool.msgpack.br"))

    assert len(store.tracks) == 21
    assert {track.parent for track in store.tracks} == {"", "pool"}
    assert store.transitions > 2_500


@pytest.fixture(scope="module")
def network() -> Store:
    """The session of the gossiping network."""
    store = Store()
    import_session(store, str(NETWORK))
    return store


def test_the_network_was_recorded_with_all_its_machines(network: Store) -> None:
    """The session holds peers under the network, and links and topics under each peer."""
    kinds = Counter(track.tags[0] for track in network.tracks if track.tags)
    parents = {track.tags[0]: track.parent[0] for track in network.tracks if track.tags}

    assert (kinds["peer"], kinds["link"]) == (40, 40)
    assert kinds["topic"] > 120
    assert parents == {"peer": "n", "link": "p", "topic": "p"}
    assert network.transitions > 8_000


def test_the_network_shows_its_pipes(network: Store) -> None:
    """A peer has pipes to the network, its link and its topics; pipes to disposed machines end."""
    peer = network.find("p01")
    alive = {track.id for track in network.tracks if not track.gone}
    gone = {track.id for track in network.tracks} - alive
    assert peer is not None
    assert len(gone) > 2

    pipes = subscriptions_at(peer, peer.count).pipes
    assert {(pipe.direction, pipe.state, pipe.machine) for pipe in pipes} >= {
        ("out", "Ready", "network"),
        ("out", "Start", "p01-link"),
        ("in", "Online", "p01-link"),
        ("in", "ErrLink", "p01-link"),
    }
    assert any(pipe.state == "ErrTopic" for pipe in pipes)
    for track in network.tracks:
        others = {pipe.machine for pipe in subscriptions_at(track, track.count).pipes}
        assert track.gone or not others & gone


def test_the_recorded_network_takes_few_bytes(network: Store) -> None:
    """The file is small, and so are its frames before compression."""
    packed = NETWORK.read_bytes()

    assert len(packed) <= NETWORK_FILE_BYTES_MAX
    assert len(brotli.decompress(packed)) <= NETWORK_WIRE_BYTES_MAX * network.transitions


def test_the_network_written_again_takes_few_bytes() -> None:
    """With the longest batches there are fewer bytes for each transition."""
    reader = read_back(read_session(NETWORK))
    frames = FrameWriter()
    sent: list[bytes] = []
    writer = StreamWriter(
        lambda message: sent.append(frames.write(message)), HelloMessage(1, "again", 0, 0)
    )
    for one in reader.machines:
        schema = writer.schema(reader.schemas[one.schema].states)
        writer.machine(
            one.id,
            schema,
            parent=one.parent,
            tags=one.tags,
            tx_prefix=one.tx_prefix,
            unit_ns=one.unit_ns,
        )
    happened = [(machine, one) for machine, all_ in reader.transitions.items() for one in all_]
    for machine, transition in sorted(happened, key=lambda pair: pair[1].time_ns):
        write_transition(writer, machine, transition)
    writer.flush()
    sent.append(frames.end())

    assert sum(map(len, sent)) <= NETWORK_WIRE_BYTES_MAX * len(happened)
