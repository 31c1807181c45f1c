"""What is kept of a machine between two runs."""

from __future__ import annotations

import json
from collections.abc import Sequence


class Serialized:
    """A machine's id, its states in order and their ticks."""

    __slots__ = ("id", "state_names", "time")

    def __init__(self, id: str, time: Sequence[int], state_names: Sequence[str]) -> None:
        self.id = id
        self.time = list(time)
        self.state_names = list(state_names)

    def to_json(self) -> str:
        """As JSON text with the keys `id`, `time`, `state_names`."""
        return json.dumps({"id": self.id, "time": self.time, "state_names": self.state_names})

    @classmethod
    def from_json(cls, text: str) -> Serialized:
        """From JSON text with those keys; raises ValueError for anything else."""
        try:
            data = json.loads(text)
            return cls(data["id"], data["time"], data["state_names"])
        except (KeyError, TypeError) as error:
            raise ValueError(f"no serialized machine: {error!r}") from error

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Serialized) and self.to_json() == other.to_json()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Serialized({self.id!r}, {self.time!r}, {self.state_names!r})"
