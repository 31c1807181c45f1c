"""Runs the redaction hooks of the traced program and hides everything if one fails.

A hook is there to hide something. So a hook that raises, or returns something else than it
should, hides everything: a fixed text is shown in place of its argument. The failure is
logged once, by the kind of the error only, as its words may hold what was to be hidden.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from types import MappingProxyType

from amtracer.safe_repr.arg_text import arg_texts
from amtracer.safe_repr.introspection import class_name, is_a, plain

HIDDEN = "<hidden: a hook failed>"
"""Shown where a hook failed."""

ArgsFilter = Callable[[str, Mapping[str, object]], Mapping[str, object]]
"""Takes a machine's id and the arguments of a mutation, returns those to be shown."""
Redact = Callable[[str], str]
"""Takes a log line or the text of an argument, returns the text to be shown."""

_log = logging.getLogger("amtracer")


class _Hook:
    """A hook that logs its first failure only."""

    __slots__ = ("_name", "_told")

    def __init__(self, name: str) -> None:
        self._name = name
        self._told = False

    def _tell(self, what: str) -> None:
        if not self._told:
            self._told = True
            _log.warning("amtracer: %s %s; %s is shown instead", self._name, what, HIDDEN)


class Redacting(_Hook):
    """A `redact` hook that always returns a text; it runs on the thread that sends."""

    __slots__ = ("_redact",)

    def __init__(self, redact: Redact) -> None:
        super().__init__("redact")
        self._redact = redact

    def __call__(self, text: str) -> str:
        try:
            shown: object = self._redact(text)
        except BaseException as error:  # noqa: BLE001 - protects what is to be hidden
            self._tell(f"raised {class_name(type(error))}")
            return HIDDEN
        if is_a(shown, str):
            return plain(shown)
        self._tell("returned no text")
        return HIDDEN


class ArgsFiltering(_Hook):
    """An `args_filter` that always comes to texts; it runs in the thread of the machine.

    It sees the arguments but cannot change them.
    """

    __slots__ = ("_filter",)

    def __init__(self, args_filter: ArgsFilter) -> None:
        super().__init__("args_filter")
        self._filter = args_filter

    def texts(self, machine_id: str, args: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
        """Key and text of the arguments that are to be shown."""
        try:
            shown = self._filter(machine_id, MappingProxyType(args))
            return arg_texts(shown if is_a(shown, dict) else dict(shown.items()))
        except Exception as error:  # noqa: BLE001 - protects what is to be hidden, and the program
            self._tell(f"failed with {class_name(type(error))}")
            return (("…", HIDDEN),)
