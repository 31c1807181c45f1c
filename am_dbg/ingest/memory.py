"""The memory limit of sessions, in the unit of the option `--max-mem`."""

from __future__ import annotations

MEGABYTE = 1_000_000
MEMORY_MB_MAX_DEFAULT = 1_000
"""Megabytes that all arrived data may take, the same for every command."""
