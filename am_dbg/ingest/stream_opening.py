"""What opens a stream of a session file of version 3: the hello, the schemas, the machines.

A writer writes all of it a second time. So one damaged record loses nothing. What both records lack
is left out: a number without a schema or a machine. The transitions of such a machine cannot be
read, because its name, its states and its unit of time are unknown; those of all others can.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from amtracer.errors import LimitError, WireError
from amtracer.wire import limits
from amtracer.wire.messages import (
    PROTOCOL_VERSION,
    HelloMessage,
    MachineMessage,
    SchemaMessage,
)

_NO_HELLO = HelloMessage(version=PROTOCOL_VERSION, session="", wall_ns=0, mono_ns=0)
_Message = TypeVar("_Message", SchemaMessage, MachineMessage)


@dataclass
class StreamOpening:
    """The messages that open a stream, each once."""

    _hello: HelloMessage | None = None
    _schemas: dict[int, SchemaMessage] = field(default_factory=dict)
    _machines: dict[int, MachineMessage] = field(default_factory=dict)

    def add(self, message: HelloMessage | SchemaMessage | MachineMessage) -> None:
        """Take a message; WireError if another one has its place."""
        if isinstance(message, HelloMessage):
            self._hello = self._hello or message
            before: object = self._hello
        elif isinstance(message, SchemaMessage):
            most = limits.SCHEMAS_MAX
            before = _kept(self._schemas, message.schema, message, "schemas", most)
        else:
            most = limits.MACHINES_PER_CONNECTION_MAX
            before = _kept(self._machines, message.machine, message, "machines", most)
        if before != message:
            raise WireError("an opening that differs from the one before")

    @property
    def hello(self) -> HelloMessage:
        """The hello, or one without any fact if it is lost."""
        return self._hello or _NO_HELLO

    @property
    def schemas(self) -> Sequence[SchemaMessage | None]:
        """The schemas by number, None for those that are lost."""
        return _by_number(self._schemas)

    @property
    def machines(self) -> Sequence[MachineMessage | None]:
        """The machines by number, None for those that are lost."""
        return _by_number(self._machines)

    def unit_ns(self, machine: int) -> int:
        """The nanoseconds in a unit of a machine; 0 if the machine is lost."""
        found = self._machines.get(machine)
        return 0 if found is None else found.unit_ns


def _kept(
    known: dict[int, _Message], number: int, message: _Message, what: str, most: int
) -> _Message:
    """What has a number from now on."""
    if not 0 <= number < most:
        raise LimitError(f"{what} of a stream", number + 1, most)
    return known.setdefault(number, message)


def _by_number(known: Mapping[int, _Message]) -> Sequence[_Message | None]:
    return [known.get(number) for number in range(max(known, default=-1) + 1)]
