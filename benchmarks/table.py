"""Tables of figures as plain text."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Sequence


def heading() -> str:
    """The interpreter and the processors of the measurement."""
    python = f"{platform.python_implementation()} {sys.version.split()[0]}"
    return f"{python}, {os.cpu_count()} CPUs, {platform.machine()}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table with its first column aligned to the left, the others to the right."""
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def ns(value: float) -> str:
    """Nanoseconds as text, without decimals from 100 on."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"
