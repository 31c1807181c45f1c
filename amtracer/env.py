"""Reads the environment variables of tracing.

`AM_DBG_ADDR` is where a debugger listens, `AM_DBG_FILE` a session file to record,
`AM_DBG_TOKEN` the secret to send to a debugger, `AM_LOG` a log level from 0 to 4, which
`machine` reads. Empty is the same as not set. A wrong value is logged once and then
treated as not set: an environment must not stop a program.

A token is the bytes the environment holds, whatever the locale makes of them, without the
white space around them. No error, no log line and no value here shows it.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass

from amtracer.address import Address, peer_address
from amtracer.errors import AddressError, TokenError
from amtracer.wire import limits

TOKEN_VARIABLE = "AM_DBG_TOKEN"  # noqa: S105  # its name, not its value

_log = logging.getLogger("amtracer")


@dataclass(frozen=True, slots=True)
class Destinations:
    """Where to send and record to; nothing when both are None."""

    address: Address | None
    path: str | None


def destinations_from_env() -> Destinations:
    """What `AM_DBG_ADDR` and `AM_DBG_FILE` say now."""
    return Destinations(_address(), os.environ.get("AM_DBG_FILE") or None)


def token_from_env() -> bytes:
    """The token that `AM_DBG_TOKEN` holds now, empty for none."""
    try:
        return token_of(os.environ.get(TOKEN_VARIABLE, ""))
    except TokenError as error:
        _tell_once(TOKEN_VARIABLE, f"{error}; none is sent")
        return b""


def token_of(text: str) -> bytes:
    """The token that a variable or an argument of a command holds; TokenError over the limit."""
    token = os.fsencode(text.strip())
    if len(token) > limits.TOKEN_BYTES_MAX:
        raise TokenError(len(token), limits.TOKEN_BYTES_MAX)
    return token


_told: set[str] = set()


def _tell_once(variable: str, words: str) -> None:
    told = f"amtracer: {variable}: {words}"
    if told not in _told:
        _told.add(told)
        _log.warning("%s", told)


def _address() -> Address | None:
    text = os.environ.get("AM_DBG_ADDR", "").strip()
    if not text:
        return None
    try:
        return peer_address(text)
    except AddressError as error:
        _tell_once("AM_DBG_ADDR", f"{error}; nothing is sent")
        return None
