"""Selects the arguments of a mutation that log lines show."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from machine._transition.args import args_key, args_to_log_map

LOG_CHARS_MAX = 20
"""Longer values are cut, unless the mapper is given another limit."""

ELLIPSIS_FROM = 5
"""Below this limit a cut value has no room to show that it is cut."""

ArgsMapper = Callable[[Mapping[str, Any]], dict[str, str]]


def new_args_mapper(names: Iterable[str], maxlen: int = LOG_CHARS_MAX) -> ArgsMapper:
    """A function for `set_log_args` that shows these arguments, where given, cut to `maxlen`."""
    chosen = tuple(names)

    def mapper(args: Mapping[str, Any]) -> dict[str, str]:
        return {name: cut(str(args[name]), maxlen) for name in chosen if name in args}

    return mapper


def new_typed_args_mapper(*kinds: type, maxlen: int = LOG_CHARS_MAX) -> ArgsMapper:
    """A function for `set_log_args` that shows the marked fields of typed arguments."""
    keys = [args_key(kind) for kind in kinds]

    def mapper(args: Mapping[str, Any]) -> dict[str, str]:
        shown = [args_to_log_map(args[key]) for key in keys if key in args]
        return {label: cut(text, maxlen) for one in shown for label, text in one.items()}

    return mapper


def cut(text: str, maxlen: int) -> str:
    """The text in at most `maxlen` characters; a cut shows as `...` where that has room."""
    if len(text) <= maxlen:
        return text
    return text[:maxlen] if maxlen < ELLIPSIS_FROM else f"{text[: maxlen - 3]}..."
