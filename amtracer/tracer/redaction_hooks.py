"""The hooks of a program that decide which arguments and texts of a machine are shown.

`args_filter` runs on the thread of the machine, `redact` on the thread that sends. If a hook
fails, its text is hidden (see `amtracer.safe_repr.redacting`). A machine has a set of hooks for
each destination; its submachines inherit the set.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from amtracer.safe_repr.arg_text import arg_texts
from amtracer.safe_repr.redacting import ArgsFilter, ArgsFilterHook, Redact, RedactHook


@dataclass(frozen=True, slots=True)
class RedactionHooks:
    """The hooks of one machine; without a hook, texts are shown as they are."""

    args_filter: ArgsFilterHook | None = None
    redact: RedactHook | None = None

    @classmethod
    def of(cls, args_filter: ArgsFilter | None = None, redact: Redact | None = None) -> Self:
        """The given hooks, wrapped so that their errors hide texts and raise nothing."""
        return cls(
            None if args_filter is None else ArgsFilterHook(args_filter),
            None if redact is None else RedactHook(redact),
        )

    def or_else(self, before: RedactionHooks) -> RedactionHooks:
        """These hooks, and the previous ones where none is given.

        So a second `attach` without hooks does not show what the first one hides.
        """
        return RedactionHooks(self.args_filter or before.args_filter, self.redact or before.redact)

    def texts(self, machine_id: str, args: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
        """Key and text of the arguments that are shown."""
        if self.args_filter is not None:
            return self.args_filter.texts(machine_id, args)
        return arg_texts(args)
