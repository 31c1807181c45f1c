"""Reads the environment variables of tracing.

`AM_DBG_ADDR` is where a debugger listens, `AM_DBG_FILE` a session file to record,
`AM_DBG_TOKEN` the secret to send to a debugger, `AM_LOG` a log level from 0 to 4, which
`machine` reads. An empty variable counts as not set. A wrong value is logged once and then
counts as not set, because the environment must not stop a program.

A token is the bytes of the variable, independent of the locale, without surrounding white
space. No error, no log line and no value here shows it.
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
    """Where to send to, and where to record; None for neither."""

    address: Address | None
    path: str | None


def destinations_from_env() -> Destinations:
    """The present values of `AM_DBG_ADDR` and `AM_DBG_FILE`."""
    return Destinations(_address(), os.environ.get("AM_DBG_FILE") or None)


def token_from_env() -> bytes:
    """The present value of `AM_DBG_TOKEN`, empty for none."""
    try:
        return token_of(os.environ.get(TOKEN_VARIABLE, ""))
    except TokenError as error:
        _warn_once(TOKEN_VARIABLE, f"{error}; none is sent")
        return b""


def token_of(text: str) -> bytes:
    """The token in a variable or an argument of a command; TokenError if it is too long."""
    token = os.fsencode(text.strip())
    if len(token) > limits.TOKEN_BYTES_MAX:
        raise TokenError(len(token), limits.TOKEN_BYTES_MAX)
    return token


_warnings: set[str] = set()
"""The warnings that were logged."""


def _warn_once(variable: str, text: str) -> None:
    warning = f"amtracer: {variable}: {text}"
    if warning not in _warnings:
        _warnings.add(warning)
        _log.warning("%s", warning)


def _address() -> Address | None:
    text = os.environ.get("AM_DBG_ADDR", "").strip()
    if not text:
        return None
    try:
        return peer_address(text)
    except AddressError as error:
        _warn_once("AM_DBG_ADDR", f"{error}; nothing is sent")
        return None
