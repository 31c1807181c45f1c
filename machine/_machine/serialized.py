"""The serialized form of a machine, saved between two runs.

    {"id": "saved", "time": [1, 0], "state_names": ["Start", "Exception"],
     "version": 1, "tasks": ["StartState"]}

Ticks belong to names, so a later program may have other states, in another order. A new key that
readers may ignore leaves the version as it is: `tasks` is such a one, and a text without it has
no tasks. So a program that was set back to an earlier version reads the exports of a later one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import ClassVar

from machine._given import check_mapping, checked_count, checked_names, checked_text, names_tuple
from machine._handlers.meanings import SUFFIXES

VERSION = 1
"""The version of new exports; earlier versions are read too."""

TICK_MAX = 2**62
"""The highest tick that an import accepts; recordings have no room for more."""


class Serialized:
    """A machine's id, its states in order, their ticks, and the tasks that were under way.

    `tasks` are the names of the coroutine handlers that had not ended; an import starts none of
    them. `version` is that of the format.
    """

    __slots__ = ("id", "state_names", "tasks", "time", "version")

    def __init__(
        self,
        id: str,
        time: Sequence[int],
        state_names: Sequence[str],
        version: int = VERSION,
        tasks: Sequence[str] = (),
    ) -> None:
        self.id: str = id
        self.time: list[int] = list(time)
        self.state_names: list[str] = list(names_tuple(state_names, "state_names"))
        self.version: int = version
        self.tasks: list[str] = list(names_tuple(tasks, "tasks"))

    def renamed(self, names: Mapping[str, str]) -> Serialized:
        """A copy in which states have other names: new names by old ones.

        The tasks of these states are renamed too. Names that the export does not have are left
        out, so the same call serves exports of several earlier programs. Raises ValueError if
        two states would have the same name.
        """
        check_mapping(names, "new names of states")
        states = checked_names(tuple([names.get(name, name) for name in self.state_names]))
        if len(set(states)) < len(states):
            twice = sorted({name for name in states if states.count(name) > 1})
            raise ValueError(f"two states would have the same name: {' '.join(twice)}")
        tasks = [_renamed_task(task, names) for task in self.tasks]
        return Serialized(self.id, self.time, states, self.version, tasks)

    def to_json(self) -> str:
        """As JSON text with the keys `id`, `time`, `state_names`, `version`, `tasks`."""
        return json.dumps({name: getattr(self, name) for name in KEYS})

    @classmethod
    def from_json(cls, text: str | bytes) -> Serialized:
        """From JSON text with those keys; raises ValueError for anything else.

        A text without a version is one of version 1, and one without tasks has none. Other keys
        are ignored.
        """
        try:
            data = json.loads(text)
            if not isinstance(data, dict):
                raise TypeError(f"it is {data!r:.60}, not an object")
            data = {"version": VERSION, "tasks": [], **data}
            for key in ("time", "state_names", "tasks"):
                if not isinstance(data[key], list):
                    raise TypeError(f"{key} is {data[key]!r:.60}, not a list")
            made = cls(*[data[key] for key in KEYS])
            checked(made)
        except KeyError as error:
            raise ValueError(f"not an exported machine: it lacks {error}") from error
        except (TypeError, ValueError, RecursionError) as error:
            raise ValueError(f"not an exported machine: {error}") from error
        return made

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Serialized) and self.to_json() == other.to_json()

    __hash__: ClassVar[None]  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Serialized({self.id!r}, {self.time!r}, {self.state_names!r})"


KEYS = ("id", "time", "state_names", "version", "tasks")
"""The keys of the text, in the order of the constructor."""


def _renamed_task(task: str, names: Mapping[str, str]) -> str:
    """A handler's name with another state; the longest state that fits is meant."""
    for name in sorted(names, key=len, reverse=True):
        if task.startswith(name) and task.removeprefix(name) in SUFFIXES:
            return names[name] + task.removeprefix(name)
    return task


def checked(data: Serialized) -> dict[str, int]:
    """The ticks by state; raises ValueError for invalid data."""
    if not isinstance(data, Serialized):
        raise TypeError(f"an import needs a Serialized, not {data!r:.60}; from_json makes one")
    try:
        checked_count(data.version, "version", 1, VERSION)
        checked_text(data.id, "id")
        names = checked_names(tuple(data.state_names), "state_names")
        checked_names(tuple(data.tasks), "tasks")
        ticks = [
            checked_count(tick, f"the tick of {name}", 0, TICK_MAX)
            for name, tick in zip(names, data.time, strict=False)
        ]
    except TypeError as error:
        raise ValueError(str(error)) from None
    if len(data.time) != len(names) or len(set(names)) != len(names):
        raise ValueError(f"{len(data.time)} ticks for {len(set(names))} states")
    return dict(zip(names, ticks, strict=True))
