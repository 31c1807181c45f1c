"""Sends what arrives on to another debugger, on a thread of its own.

It reads the store like any reader, a few times a second, and tells what is new; what
arrives is never held up by it. The other debugger may come late, go, or read slowly: what
was not told yet is still in the store and is told later. After a reconnect machines go on
where they were, because this side names the same session again; what was on its way
meanwhile shows there as a gap.

Only what programs send is told, not sessions that were imported. The token that is said
is that of this process's environment, never one that a program said.
"""

from __future__ import annotations

import logging
import os
import threading
import time

from am_dbg.retelling import News
from am_dbg.store import Store
from amtracer.address import Address
from amtracer.errors import WireError
from amtracer.interning import StreamWriter
from amtracer.outlets import OutletError, SocketOutlet
from amtracer.schema import PROTOCOL_VERSION, HelloMessage

__all__ = ["HELD_S", "PAUSE_S_MAX", "ROUND_S", "STOP_S_MAX", "Forwarder"]

ROUND_S = 0.1
"""How often it is looked for something new."""
HELD_S = 5.0
"""How long a connection must hold to end an outage; one line is logged for each."""
PAUSE_S_MAX = 10.0
"""The longest pause between two attempts to connect."""
ROWS_AT_ONCE_MAX = 10_000
"""Transitions told before the other side has to take them."""

STOP_S_MAX = 1.0
"""How long a stop waits for the rest to be taken."""

_log = logging.getLogger(__name__)


class Forwarder:
    """Tells one other debugger, from `start` to `stop`."""

    def __init__(self, store: Store, address: Address, *, round_s: float = ROUND_S) -> None:
        self._address = address
        self._outlet = SocketOutlet(address)
        self._round_s = round_s
        self._session = f"forwarded-{os.urandom(8).hex()}"
        self._news = News(store)
        self._writer: StreamWriter | None = None
        self._is_told = False
        self._connected_at = 0.0
        self._stopping = threading.Event()
        self._thread = threading.Thread(
            target=self._run, name=f"am-dbg forward to {address}", daemon=True
        )

    def start(self) -> None:
        """Begin to connect and tell."""
        self._thread.start()

    def stop(self) -> None:
        """Tell what is there and end the connection; again is no matter."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(STOP_S_MAX)

    def _run(self) -> None:
        retry_s = self._round_s
        while not self._stopping.is_set():
            pause_s = self._round_s
            try:
                self._round()
                if time.monotonic() - self._connected_at >= HELD_S:
                    retry_s, self._is_told = self._round_s, False
            except OutletError as error:
                if not self._is_told:
                    _log.warning("nothing is forwarded to %s: %s", self._address, error)
                self._writer, self._is_told = None, True
                pause_s = retry_s = min(retry_s * 2, PAUSE_S_MAX)
            except WireError as error:
                _log.error("forwarding to %s ended: %s", self._address, error)
                break
            self._stopping.wait(pause_s)
        self._end()

    def _round(self) -> None:
        """Connect if need be, and tell what is new as far as it is taken.

        After the hello it waits for the next round: who refuses it closes the connection
        meanwhile, and nothing was told in vain.
        """
        if self._writer is None:
            self._connect()
            self._outlet.push()
            return
        while self._outlet.push() and self._tell_some():
            if self._stopping.is_set():
                break

    def _connect(self) -> None:
        self._outlet.open()
        self._connected_at = time.monotonic()
        hello = HelloMessage(
            PROTOCOL_VERSION,
            self._session,
            time.time_ns(),
            time.monotonic_ns(),
            process={"program": "am-dbg", "pid": str(os.getpid())},
        )
        self._writer = StreamWriter(self._outlet.write, hello)
        self._news.begin(self._writer)

    def _tell_some(self) -> bool:
        """Write some of what is new; whether there was any."""
        return self._news.tell(ROWS_AT_ONCE_MAX)

    def _end(self) -> None:
        """End the connection in order; what cannot go out now is left."""
        if self._writer is not None:
            try:
                self._tell_some()
            except WireError as error:
                _log.error("forwarding to %s ended: %s", self._address, error)
        self._outlet.close()
