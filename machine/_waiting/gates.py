"""Gates and futures: what a blocked thread or task brings along, and how others release it."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio


def open_gate(gate: threading.Lock, _: object = None) -> None:
    """Release the thread that waits at a lock; no effect if it was released."""
    with contextlib.suppress(RuntimeError):
        gate.release()


def wake(loop: asyncio.AbstractEventLoop, future: asyncio.Future[Any], result: object) -> None:
    """Settle a future from any thread; no effect on a closed loop."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(_settle, future, result)


def _settle(future: asyncio.Future[Any], result: object) -> None:
    if not future.done():
        future.set_result(result)
