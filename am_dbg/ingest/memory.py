"""The memory limit of sessions, in the unit of the option `--max-mem`."""

from __future__ import annotations

MEGABYTE = 1_000_000
MEMORY_MB_MAX_DEFAULT = 1_000
"""The most megabytes for all received data, the same for every command."""
