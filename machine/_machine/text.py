"""Formats states and ticks as text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from machine._schema.schema import Schema

LABEL_CHARS = 9
"""Width of the labels of an inspected state."""


def string(names: Iterable[str], ticks: Iterable[int]) -> str:
    """The active states with their ticks: `(A:1 C:3)`."""
    return f"({_ticked(names, ticks, active=True)})"


def string_all(names: Sequence[str], ticks: Sequence[int]) -> str:
    """All states with their ticks, the inactive ones in brackets: `(A:1) [B:0 D:2]`."""
    return f"{string(names, ticks)} [{_ticked(names, ticks, active=False)}]"


def _ticked(names: Iterable[str], ticks: Iterable[int], *, active: bool) -> str:
    pairs = zip(names, ticks, strict=True)
    return " ".join(f"{name}:{tick}" for name, tick in pairs if tick % 2 == active)


def inspect(schema: Schema, ticks: Sequence[int], names: Iterable[str] | None = None) -> str:
    """A block of lines and an empty one for each of these states, or for all."""
    chosen = schema.names if names is None else names
    return "".join(_block(schema, ticks, name) for name in chosen)


def _block(schema: Schema, ticks: Sequence[int], name: str) -> str:
    index = schema.index[name]
    state, tick = schema.states[index], ticks[index]
    facts = [("State", f"{'true' if tick % 2 else 'false'} {tick}")]
    facts += [(label, "true") for label, on in (("Auto", state.auto), ("Multi", state.multi)) if on]
    relations = (
        ("Add", state.given("add")),
        ("Require", state.given("require")),
        ("Remove", state.given("remove")),
        ("After", state.given("after")),
    )
    facts += [(label, " ".join(to)) for label, to in relations if to is not None]
    lines = [f"  {f'{label}:':{LABEL_CHARS}}{text}\n" for label, text in facts]
    return f"{name}:\n{''.join(lines)}\n"
