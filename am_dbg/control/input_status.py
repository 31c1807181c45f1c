"""The status of the input: where data comes from, or how to get data while there is none."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field, replace

from am_dbg.ingest.intake import ImportProgress
from amtracer.address import Address

_ANY_HOST = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # compared, not listened at


@dataclass(frozen=True, slots=True)
class InputStatus:
    """Where data comes from; the debugger listens at `address`, programs must send `token`."""

    listening: str = ""
    source: str = ""
    progress: str = ""
    warning: str = ""
    address: Address | None = None
    token: bytes = field(default=b"", repr=False)

    def after(self, progress: ImportProgress) -> InputStatus:
        """The status with the progress of an import, or with what stopped it."""
        if not progress.is_over:
            return replace(self, progress=f"reading {progress.percent} %")
        trouble = progress.trouble.removeprefix(f"{progress.label}: ")
        return replace(self, progress="", warning=trouble or self.warning)


def reached_at(address: Address) -> Address:
    """The address at which a program on this computer reaches the debugger."""
    return Address(_ANY_HOST.get(address.host, address.host), address.port)


def connect_hints(status: InputStatus) -> tuple[str, ...]:
    """How to get data while there is none."""
    if status.progress:
        return (status.progress,)
    if status.address is None:
        return (
            "There is no data, and no program can connect: this debugger does not listen.",
            "",
            "am-dbg -i FILE   opens a session",
        )
    return (
        f"Listening at {status.address}; no program has connected yet.",
        "",
        "Add this line to your program",
        "    import amtracer; amtracer.attach(mach)",
        *_start(status.address, status.token),
        "",
        "am-dbg -i FILE   opens a session instead",
    )


def _start(address: Address, token: bytes) -> tuple[str, ...]:
    """The command that starts a program so that it connects to this debugger."""
    reached = reached_at(address)
    place = f"AM_DBG_ADDR={reached}"
    lines = ["and start it with"]
    if token:
        lines += [f"    {place} \\", f"    AM_DBG_TOKEN={_quoted(token)} \\", "    python app.py"]
    else:
        lines.append(f"    {place} python app.py")
    if reached != address:
        lines.append(f"On another computer, write the name of this one instead of {reached.host}.")
    return tuple(lines)


def _quoted(token: bytes) -> str:
    """A token quoted for a shell, or a placeholder if it cannot be typed."""
    text = token.decode("utf-8", "replace")
    return shlex.quote(text) if text.isprintable() and "\ufffd" not in text else "…"
