"""Runs the redaction hooks of the traced program and hides everything if one fails.

The purpose of a hook is to hide something. So if a hook raises, or returns a wrong value, a
fixed text is shown in place of its argument. The failure is logged once, with the class of the
error only, because its text may contain what the hook hides.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from types import MappingProxyType

from amtracer.safe_repr.arg_text import arg_texts
from amtracer.safe_repr.introspection import class_name, is_a, plain_text

HIDDEN = "<hidden: a hook failed>"
"""Shown where a hook failed."""

ArgsFilter = Callable[[str, Mapping[str, object]], Mapping[str, object]]
"""Takes a machine's id and the arguments of a mutation, returns the arguments to show."""
Redact = Callable[[str], str]
"""Takes a log line or the text of an argument, returns the text to show."""

_log = logging.getLogger("amtracer")


class _Hook:
    """A hook that logs its first failure only."""

    __slots__ = ("_has_failed", "_name")

    def __init__(self, name: str) -> None:
        self._name = name
        self._has_failed = False

    def _log_failure(self, what: str) -> None:
        if not self._has_failed:
            self._has_failed = True
            _log.warning("amtracer: %s %s; %s is shown instead", self._name, what, HIDDEN)


class RedactHook(_Hook):
    """A `redact` hook that always returns a text; it runs on the thread that sends."""

    __slots__ = ("_redact",)

    def __init__(self, redact: Redact) -> None:
        super().__init__("redact")
        self._redact = redact

    def __call__(self, text: str) -> str:
        try:
            shown: object = self._redact(text)
        except BaseException as error:  # noqa: BLE001 - protects what is to be hidden
            self._log_failure(f"raised {class_name(type(error))}")
            return HIDDEN
        if is_a(shown, str):
            return plain_text(shown)
        self._log_failure("returned no text")
        return HIDDEN


class ArgsFilterHook(_Hook):
    """An `args_filter` that always returns texts; it runs in the thread of the machine.

    It reads the arguments but cannot change them.
    """

    __slots__ = ("_filter",)

    def __init__(self, args_filter: ArgsFilter) -> None:
        super().__init__("args_filter")
        self._filter = args_filter

    def texts(self, machine_id: str, args: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
        """Key and text of each argument to show."""
        try:
            shown = self._filter(machine_id, MappingProxyType(args))
            return arg_texts(shown if is_a(shown, dict) else dict(shown.items()))
        except Exception as error:  # noqa: BLE001 - protects what is to be hidden, and the program
            self._log_failure(f"failed with {class_name(type(error))}")
            return (("…", HIDDEN),)
