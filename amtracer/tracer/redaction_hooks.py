"""The hooks of a program that decide what is shown of a machine.

`args_filter` runs on the thread of the machine, `redact` on the thread that sends. A hook
that fails hides what it should have shown (see `amtracer.safe_repr.redacting`). A machine has a
set of hooks for each destination, which its submachines inherit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from amtracer.safe_repr.arg_text import arg_texts
from amtracer.safe_repr.redacting import ArgsFilter, ArgsFiltering, Redact, Redacting


@dataclass(frozen=True, slots=True)
class RedactionHooks:
    """The hooks of one machine; where one is None, all is shown as it is."""

    args_filter: ArgsFiltering | None = None
    redact: Redacting | None = None

    @classmethod
    def of(cls, args_filter: ArgsFilter | None = None, redact: Redact | None = None) -> Self:
        """The hook that the program gave, wrapped so that its errors do no harm."""
        return cls(
            None if args_filter is None else ArgsFiltering(args_filter),
            None if redact is None else Redacting(redact),
        )

    def over(self, before: RedactionHooks) -> RedactionHooks:
        """These hooks, and the previous ones where none is given.

        Otherwise what is to be hidden would be shown, if the machine was attached before.
        """
        return RedactionHooks(self.args_filter or before.args_filter, self.redact or before.redact)

    def texts(self, machine_id: str, args: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
        """Key and text of the arguments that are shown."""
        if self.args_filter is not None:
            return self.args_filter.texts(machine_id, args)
        return arg_texts(args)
