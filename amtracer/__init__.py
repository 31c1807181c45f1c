"""The tracer: records transitions of machines for a debugger or into a session file.

    import amtracer
    amtracer.attach(mach)

Nothing else is loaded until one of these functions is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import amtracer.files.processes  # noqa: F401 - it has to see the forks

if TYPE_CHECKING:
    from amtracer.tracer import (
        ArgsFilter,
        Redact,
        attach,
        attach_from_env,
        close,
        dbg_env,
        pause,
        record,
        resume,
    )

__all__ = [
    "ArgsFilter",
    "Redact",
    "attach",
    "attach_from_env",
    "close",
    "dbg_env",
    "pause",
    "record",
    "resume",
]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'amtracer' has no attribute {name!r}")
    from amtracer import tracer

    return getattr(tracer, name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
