"""Sends the debugger's own machine to another debugger, which shows its modes.

The other debugger may forward what it receives, so the stream may come back. It names this
debugger as its origin, and a debugger refuses its own stream (see `am_dbg.hops`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from am_dbg.hops import with_route
from amtracer.send.registry import sender_to
from amtracer.send.sinks import SocketSink
from amtracer.tracer.machine_tracer import bind
from amtracer.tracer.redaction_hooks import RedactionHooks
from amtracer.wire.messages import HelloMessage, Message

if TYPE_CHECKING:
    from am_dbg.control.modes import Modes
    from amtracer.address import Address


class _NamedSink(SocketSink):
    """A sink that adds this debugger's name to everything it sends."""

    def __init__(self, address: Address, own_name: str) -> None:
        super().__init__(address)
        self._own_name = own_name

    def write(self, message: Message) -> None:
        if type(message) is HelloMessage:
            message = replace(message, process=with_route(message.process, self._own_name))
        super().write(message)


def send_modes(modes: Modes, address: Address, own_name: str) -> None:
    """Send the transitions of the modes to a debugger from now on; returns at once."""
    sender = sender_to(f"modes:{address}", lambda: _NamedSink(address, own_name))
    bind(modes.machine, sender, RedactionHooks())
