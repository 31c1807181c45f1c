"""Where data comes from, in words, with hints how a program connects while there is none."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field

from amtracer.address import Address

_ANY_HOST = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # compared, not listened at


@dataclass(frozen=True, slots=True)
class Sources:
    """Where data comes from; `address` is listened at, `token` is what programs must send."""

    listening: str = ""
    source: str = ""
    progress: str = ""
    warning: str = ""
    address: Address | None = None
    token: bytes = field(default=b"", repr=False)


def reached_at(address: Address) -> Address:
    """The address under which a program on this computer reaches the listener."""
    return Address(_ANY_HOST.get(address.host, address.host), address.port)


def empty_hints(sources: Sources) -> tuple[str, ...]:
    """Hints how to get data in while there is none."""
    if sources.progress:
        return (sources.progress,)
    if sources.address is None:
        return (
            "Nothing is here, and nothing can connect: this debugger does not listen.",
            "",
            "am-dbg -i FILE   opens a session",
        )
    return (
        f"Listening at {sources.address}; nothing has connected yet.",
        "",
        "The program needs a line",
        "    import amtracer; amtracer.attach(mach)",
        *_start(sources.address, sources.token),
        "",
        "am-dbg -i FILE   opens a session instead",
    )


def _start(address: Address, token: bytes) -> tuple[str, ...]:
    """The command that starts a program so that it connects to this debugger and is accepted."""
    reached = reached_at(address)
    place = f"AM_DBG_ADDR={reached}"
    lines = ["and is started with"]
    if token:
        lines += [f"    {place} \\", f"    AM_DBG_TOKEN={_quoted(token)} \\", "    python app.py"]
    else:
        lines.append(f"    {place} python app.py")
    if reached != address:
        lines.append(f"or, from another machine, the name of this one instead of {reached.host}.")
    return tuple(lines)


def _quoted(token: bytes) -> str:
    """A token quoted for a shell; a placeholder for one that cannot be typed."""
    text = token.decode("utf-8", "replace")
    return shlex.quote(text) if text.isprintable() and "\ufffd" not in text else "…"
