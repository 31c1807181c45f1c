"""Writes states as code, for the sentences about how a schema is meant to be written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from machine._schema.state import State


def written(name: str, state: State) -> str:
    """A state as it stands in a schema."""
    fields = ", ".join(f"{field}={_value(value)}" for field, value in state.to_dict().items())
    return f'`"{name}": State({fields})`'


def listed(names: Sequence[str]) -> str:
    """Names in a sentence."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def in_list(names: Iterable[str]) -> str:
    """Names as a list in code."""
    return f"[{', '.join(map(_value, names))}]"


def without(names: Iterable[str] | None, *gone: str) -> tuple[str, ...] | None:
    """The names that are left of a relation; None if none is."""
    return tuple(name for name in names or () if name not in gone) or None


def _value(value: object) -> str:
    if isinstance(value, list):
        return in_list(value)
    return f'"{value}"' if isinstance(value, str) else repr(value)
