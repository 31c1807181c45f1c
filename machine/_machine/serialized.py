"""The serialized form of a machine, saved between two runs."""

from __future__ import annotations

import json
from collections.abc import Sequence

from machine._given import checked_count, checked_names, checked_text, names_tuple

VERSION = 1
"""The version of new exports; earlier versions are read too."""

TICK_MAX = 2**62
"""The highest tick that an import accepts; recordings have no room for more."""


class Serialized:
    """A machine's id, its states in order and their ticks; `version` is that of the format."""

    __slots__ = ("id", "state_names", "time", "version")

    def __init__(
        self, id: str, time: Sequence[int], state_names: Sequence[str], version: int = VERSION
    ) -> None:
        self.id = id
        self.time = list(time)
        self.state_names = list(names_tuple(state_names, "state_names"))
        self.version = version

    def to_json(self) -> str:
        """As JSON text with the keys `id`, `time`, `state_names`, `version`."""
        return json.dumps({name: getattr(self, name) for name in KEYS})

    @classmethod
    def from_json(cls, text: str | bytes) -> Serialized:
        """From JSON text with those keys; raises ValueError for anything else.

        A text without a version is one of version 1.
        """
        try:
            data = json.loads(text)
            if not isinstance(data, dict):
                raise TypeError(f"it is {data!r:.60}, not an object")
            for key in ("time", "state_names"):
                if not isinstance(data[key], list):
                    raise TypeError(f"{key} is {data[key]!r:.60}, not a list")
            made = cls(data["id"], data["time"], data["state_names"], data.get("version", VERSION))
            checked(made)
        except KeyError as error:
            raise ValueError(f"not an exported machine: it lacks {error}") from error
        except (TypeError, ValueError, RecursionError) as error:
            raise ValueError(f"not an exported machine: {error}") from error
        return made

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Serialized) and self.to_json() == other.to_json()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Serialized({self.id!r}, {self.time!r}, {self.state_names!r})"


KEYS = ("id", "time", "state_names", "version")


def checked(data: Serialized) -> dict[str, int]:
    """The ticks by state; raises ValueError for invalid data."""
    if not isinstance(data, Serialized):
        raise TypeError(f"an import needs a Serialized, not {data!r:.60}; from_json makes one")
    try:
        checked_count(data.version, "version", 1, VERSION)
        checked_text(data.id, "id")
        names = checked_names(tuple(data.state_names), "state_names")
        ticks = [
            checked_count(tick, f"the tick of {name}", 0, TICK_MAX)
            for name, tick in zip(names, data.time, strict=False)
        ]
    except TypeError as error:
        raise ValueError(str(error)) from None
    if len(data.time) != len(names) or len(set(names)) != len(names):
        raise ValueError(f"{len(data.time)} ticks for {len(set(names))} states")
    return dict(zip(names, ticks, strict=True))
