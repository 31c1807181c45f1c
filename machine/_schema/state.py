"""State definitions, as users write them.

A `State` never changes, so that machines can share what was computed from it, and a later
change to the caller's lists has no effect. A relation that was not given is empty; `given` keeps
the two apart, since inspection shows, and a merge takes, only what was given.

A state that begins active (`initial`) is added when its machine is made, and one with a time
limit (`timeout`) when it has been active that long adds another. Both are for the machine;
relations know nothing of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from machine._given import (
    Names,
    check_flat,
    check_mapping,
    checked_flag,
    checked_name,
    checked_seconds,
    names_tuple,
)
from machine.errors import did_you_mean

EXCEPTION = "Exception"
"""The error state that every machine has."""

ERR_PREFIX = "Err"
"""Begins the names of all other error states."""

ANY = "Any"
"""Stands for all states in the names of the global handlers."""

FIELDS = (
    "auto",
    "multi",
    "require",
    "add",
    "remove",
    "after",
    "tags",
    "initial",
    "timeout",
    "on_timeout",
)
"""The fields of a state, in the order of its constructor."""

RELATIONS = ("require", "add", "remove", "after")

TIMEOUT_S_MAX = 1_000_000_000
"""The longest time limit of a state in seconds, about 31 years."""

S = list[str]
"""State names; every call also takes any other ordered iterable of names, or one name."""


def _texts(names: Names, field: str) -> tuple[str, ...]:
    what = f"the states of {field}" if field != "tags" else field
    return check_flat(names_tuple(names, what), what)


def is_error_state(name: str) -> bool:
    """Whether this state is added with an error, and along with `Exception`."""
    return name == EXCEPTION or name.startswith(ERR_PREFIX)


def unique(names: Iterable[str]) -> tuple[str, ...]:
    """The names without repeats; the first of each stays in its place."""
    return tuple(dict.fromkeys(names))


def _checked_time_limit(timeout: float | None, on_timeout: str | None) -> float | None:
    """The seconds of a state's time limit; raises if one of the two is missing."""
    if (timeout is None) is not (on_timeout is None):
        raise ValueError(
            "timeout and on_timeout go together: the seconds, and the state that is added then;"
            f" got timeout={timeout!r:.60}, on_timeout={on_timeout!r:.60}"
        )
    if timeout is None:
        return None
    checked_name(on_timeout, "on_timeout")
    if not 0 < checked_seconds(timeout, "timeout") <= TIMEOUT_S_MAX:
        text = f"timeout is a number of seconds above 0, at most {TIMEOUT_S_MAX}"
        raise ValueError(f"{text}, not {timeout!r:.60}")
    return float(timeout)


class State:
    """One state of a schema.

    `auto`: tries to activate after every transition that changed a clock. `multi`: can be
    activated again while active. `require`: all of these must be targets too. `add`:
    tries to activate these along. `remove`: deactivates these and blocks them. `after`:
    its handlers run after those of these. `tags`: labels without a meaning. `initial`: added
    when a machine is made. `timeout`: after so many seconds of one activation the state named
    by `on_timeout` is added.
    """

    __slots__ = ("_given", "_hash", *FIELDS)

    auto: bool
    multi: bool
    require: tuple[str, ...]
    add: tuple[str, ...]
    remove: tuple[str, ...]
    after: tuple[str, ...]
    tags: tuple[str, ...]
    initial: bool
    timeout: float | None
    on_timeout: str | None
    _given: frozenset[str]
    """The relations that were given, also as empty."""
    _hash: int
    """Computed when it is first needed; hashes of texts differ between processes."""

    def __init__(
        self,
        auto: bool = False,
        multi: bool = False,
        require: Names | None = None,
        add: Names | None = None,
        remove: Names | None = None,
        after: Names | None = None,
        tags: Names = (),
        initial: bool = False,
        timeout: float | None = None,
        on_timeout: str | None = None,
    ) -> None:
        put = object.__setattr__
        put(self, "auto", checked_flag(auto, "auto"))
        put(self, "multi", checked_flag(multi, "multi"))
        relations = dict(zip(RELATIONS, (require, add, remove, after), strict=True))
        for field, names in relations.items():
            put(self, field, () if names is None else unique(_texts(names, field)))
        given = [field for field, names in relations.items() if names is not None]
        put(self, "_given", frozenset(given))
        put(self, "tags", _texts(tags, "tags"))
        put(self, "initial", checked_flag(initial, "initial"))
        put(self, "timeout", _checked_time_limit(timeout, on_timeout))
        put(self, "on_timeout", on_timeout)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a State cannot change; make a new one to set {name}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"a State cannot change; make a new one without {name}")

    @classmethod
    def of(cls, definition: State | Mapping[str, object] | None) -> State:
        """A state from its fields by name, as `to_dict` returns them; a state stays as it is.

        None is a state without relations. Raises for an unknown field, as the constructor
        does for a wrong value.
        """
        if isinstance(definition, State):
            return definition
        check_mapping(definition, "the fields of a state")
        fields: Mapping[str, Any] = definition or {}
        for field in fields:
            if field not in FIELDS:
                raise TypeError(
                    f"a state has no field {field!r:.60}{did_you_mean([field], FIELDS)}"
                )
        return cls(**fields)

    def given(self, relation: str) -> tuple[str, ...] | None:
        """The states of a relation, such as "require"; None if it was not given."""
        names: tuple[str, ...] = getattr(self, relation)
        return names if relation in self._given else None

    def to_dict(self) -> dict[str, object]:
        """The fields that differ from their defaults, by name; JSON can hold them."""
        return {
            field: list(value) if isinstance(value, tuple) else value
            for field, value in zip(FIELDS, self.values(), strict=True)
            if not (value is None or value is False or (field == "tags" and not value))
        }

    def values(self) -> tuple[object, ...]:
        """All fields in the order of the constructor; None for a relation that was not given."""
        return (
            self.auto,
            self.multi,
            *map(self.given, RELATIONS),
            self.tags,
            self.initial,
            self.timeout,
            self.on_timeout,
        )

    def replace(self, **changes: Any) -> State:
        """A copy with these fields changed."""
        return State(**{**dict(zip(FIELDS, self.values(), strict=True)), **changes})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, State) and self.values() == other.values()

    def __hash__(self) -> int:
        try:
            return self._hash
        except AttributeError:
            object.__setattr__(self, "_hash", hash(self.values()))
            return self._hash

    def __repr__(self) -> str:
        given = [f"{field}={value!r}" for field, value in self.to_dict().items()]
        return f"State({', '.join(given)})"

    def __reduce__(self) -> tuple[Any, ...]:
        return (State, self.values())


Struct = Mapping[str, State]
"""A schema as users write it: ordered states by name."""
