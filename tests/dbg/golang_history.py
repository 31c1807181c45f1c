"""What tests of the protocol of Go programs share: recorded bytes, and what they mean."""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from am_dbg.ingest.golang.convert import Converter
from am_dbg.ingest.golang.gob_types import Boxed
from am_dbg.store import Store, Track
from amtracer.encode.stream_writer import StreamWriter
from amtracer.wire.messages import HelloMessage, Message
from amtracer.wire.vocabulary import StepFlag

DATA = Path(__file__).resolve().parents[1] / "data"
SESSION = DATA / "go-session.gob.br"
"""Exported by the Go debugger at v0.10.1: two machines, states in steps by index."""
YEAR_ONE_S = 62_135_596_800


@cache
def session_expected() -> Any:
    """Type definitions and clients of `SESSION`, as another decoder read them."""
    return json.loads(lzma.decompress((DATA / "go-session.json.xz").read_bytes()))


@cache
def live(name: str) -> Mapping[str, Any]:
    """One direction of a recorded connection: bytes, type definitions, values, their ends."""
    streams = json.loads(lzma.decompress((DATA / "go-live.json.xz").read_bytes()))
    return {**streams[name], "bytes": bytes.fromhex(streams[name]["bytes"])}


def as_json(value: Any) -> Any:
    """A decoded gob value in the notation of the expected files."""
    if isinstance(value, Boxed):
        return {"$iface": value.type_name, "v": value.value}
    if isinstance(value, Mapping):
        return {key: as_json(inner) for key, inner in value.items()}
    if isinstance(value, tuple):
        return [as_json(inner) for inner in value]
    if isinstance(value, bytes):
        return {"$time": as_time(value)}
    return value


def as_time(raw: bytes) -> dict[str, int | None]:
    zone = int.from_bytes(raw[13:15], "big", signed=True)
    return {
        "unix": int.from_bytes(raw[1:9], "big") - YEAR_ONE_S,
        "nsec": int.from_bytes(raw[9:13], "big"),
        "offset_min": None if zone == -1 else zone,
        "version": raw[0],
    }


def stored(messages: Iterable[Message]) -> Store:
    """A store that took these messages in."""
    store = Store()
    stream = store.open_stream("go", live=False)
    for message in messages:
        store.feed(stream, message)
    return store


class Converting:
    """A converter and what came out of it."""

    def __init__(self, *, newer: bool = False) -> None:
        self.messages: list[Message] = []
        self.writer = StreamWriter(self.messages.append, HelloMessage(1, "s", 0, 0, origin="go"))
        self.converter = Converter(self.writer, lambda: newer)

    def track(self, id: str = "m") -> Track:
        """The machine in a store."""
        self.converter.settle()
        self.writer.flush()
        track = stored(self.messages).find(id)
        assert track is not None
        return track


def reported(track: Track) -> Iterator[dict[str, Any]]:
    """Every transition of a track in the notation of the Go struct, states by index."""
    for number in range(1, track.count + 1):
        transition = track.transition(number)
        shape = transition.shape
        yield {
            "ID": transition.id,
            "Clocks": list(track.clock_at(number)),
            "Accepted": bool(shape.flags & 1),
            "IsAuto": bool(shape.flags & 2),
            "Type": shape.type,
            "Called": list(shape.called),
            "Steps": [
                (
                    step.type,
                    step.relation,
                    step.flags & ~(StepFlag.DENIED | StepFlag.FAILED),
                    step.source,
                    step.target,
                )
                for step in shape.steps
            ],
            "LogEntries": list(transition.lines),
            "PreLogEntries": list(transition.pre_lines),
            "Queue": transition.queue_len,
        }


def meant(record: Mapping[str, Any], names: list[str]) -> dict[str, Any]:
    """The same of a transition in an expected file."""
    called = [names.index(name) for name in record.get("CalledStates", [])]
    steps = record.get("Steps", [])
    named = any("FromState" in step or "ToState" in step for step in steps)
    return {
        "ID": record["ID"],
        "Clocks": record["Clocks"] + [0] * (len(names) - len(record["Clocks"])),
        "Accepted": record.get("Accepted", False),
        "IsAuto": record.get("IsAuto", False),
        "Type": record.get("Type", 0),
        "Called": called or record.get("CalledStatesIdxs", []),
        "Steps": [meant_step(step, names, named) for step in steps],
        "LogEntries": [(line["Level"], line["Text"]) for line in record.get("LogEntries", [])],
        "PreLogEntries": [
            (line["Level"], line["Text"]) for line in record.get("PreLogEntries", [])
        ],
        "Queue": record.get("Queue", 0),
    }


def meant_step(step: Mapping[str, Any], names: list[str], named: bool) -> tuple[int, ...]:
    def side(side: str) -> int:
        if named:
            name = step.get(f"{side}State")
            return names.index(name) if name in names else -1
        return int(step.get(f"{side}StateIdx", 0))

    kind = step["Type"]
    relation = step.get("Data", {}).get("v", step.get("RelType", 0)) if kind == 1 else -1
    flags = (
        StepFlag.FINAL * step.get("IsFinal", False)
        | StepFlag.SELF * step.get("IsSelf", False)
        | StepFlag.ENTER * step.get("IsEnter", False)
    )
    return kind, relation, int(flags), side("From"), side("To")
