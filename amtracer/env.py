"""What the environment says about tracing.

`AM_DBG_ADDR` is where a debugger listens, `AM_DBG_FILE` a session file to record,
`AM_LOG` a log level from 0 to 4. Empty is the same as not set. A wrong value is told once
in the log and otherwise as if it were not set: an environment must not stop a program.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass

from amtracer.address import Address, peer_address
from amtracer.errors import AddressError

__all__ = ["Destinations", "destinations_from_env"]

_log = logging.getLogger("amtracer")


@dataclass(frozen=True, slots=True)
class Destinations:
    """Where to send and record to; nothing when both are None."""

    address: Address | None
    path: str | None


def destinations_from_env() -> Destinations:
    """What `AM_DBG_ADDR` and `AM_DBG_FILE` say now."""
    return Destinations(_address(), os.environ.get("AM_DBG_FILE") or None)


_told: set[str] = set()


def _address() -> Address | None:
    text = os.environ.get("AM_DBG_ADDR", "").strip()
    if not text:
        return None
    try:
        return peer_address(text)
    except AddressError as error:
        if text not in _told:
            _told.add(text)
            _log.warning("amtracer: AM_DBG_ADDR: %s; nothing is sent", error)
        return None
